#include "train/batch_program.h"

#include <inttypes.h>
#include <stdio.h>

#include "autograd/feed.h"
#include "ops/ops.h"
#include "tensor/needs_internal.h"

static rv_shape with_batch(rv_shape sample, int64_t n)
{
    rv_shape shape = {.rank = sample.rank + 1, .dim = {n}};
    for (int64_t d = 0; d < sample.rank; d++) shape.dim[d + 1] = sample.dim[d];
    return shape;
}

rv_tape *rv_setup_record(const rv_setup *s, rv_store *store, int64_t n, bool training, rv_net *net)
{
    if (!s || !s->model || !store || !net) return NULL;
    const rv_source *data = &s->data;
    rv_tape *tape = rv_tape_new(store, s->dtype);
    const rv_model *model = training && s->derived ? s->derived : s->model;
    rv_net_options options = s->net;
    rv_var x =
        rv_input_typed(tape, "x", data->tokens > 0 ? RV_I32 : s->dtype, with_batch(data->x, n));
    rv_var y =
        rv_input_typed(tape, "y", data->classes > 0 ? RV_I32 : s->dtype, with_batch(data->y, n));
    if (data->lengths) options.rnn.lengths = rv_input_typed(tape, "length", RV_I32, RV_SHAPE(n));
    if (!training) options.rnn.dropout = options.rnn.recurrent_dropout = options.smoothing = 0;
    char measuring[32]; /* batches of each size carry states of their own */
    snprintf(measuring, sizeof measuring, "measure/%" PRId64, n);
    if (s->carry) options.rnn.carry = training ? "train" : measuring;
    *net = rv_model_record(model, &options, s->scale != 1 ? rv_scale(x, s->scale) : x, y);
    return tape;
}

bool rv_batch_program_compile(rv_batch_program *b, rv_tape *tape, int64_t n, const rv_var *outputs,
                              int count, unsigned flags, rv_error *error)
{
    if (!RV_NEEDS(error, b, tape)) return false;
    const rv_error *failed = rv_tape_error(tape);
    b->size = n;
    b->program = rv_compile_with(tape, outputs, count, flags);
    b->x = rv_program_input(b->program, "x");
    b->y = rv_program_input(b->program, "y");
    b->length = rv_program_input(b->program, "length");
    return b->program || rv_fail(error, failed->code, "%-s", failed->text);
}

bool rv_batch_program_make(rv_batch_program *b, const rv_setup *s, rv_store *store, int64_t n,
                           bool training, unsigned flags, rv_error *error)
{
    if (!RV_NEEDS(error, b, s, store) || !RV_NEEDS(error, s->model)) return false;
    rv_net net;
    rv_tape *tape = rv_setup_record(s, store, n, training, &net);
    if (!tape) return rv_fail_memory(error);
    if (training) rv_minimize(net.loss, s->optimizer);
    bool ok =
        rv_batch_program_compile(b, tape, n, (rv_var[]){net.loss, net.output}, 2, flags, error);
    rv_tape_free(tape);
    return ok;
}

bool rv_batch_program_feed(const rv_batch_program *b, const rv_batch *batch, rv_error *error)
{
    if (!RV_NEEDS(error, b, batch)) return false;
    return rv_tensor_copy(b->x, &batch->x, error) && rv_tensor_copy(b->y, &batch->y, error) &&
           (!b->length || rv_tensor_copy(b->length, &batch->length, error));
}

bool rv_batch_program_run(const rv_batch_program *b, const rv_batch *batch, rv_error *error)
{
    if (!RV_NEEDS(error, b, batch)) return false;
    if (!rv_batch_program_feed(b, batch, error)) return false;
    rv_code code = rv_run(b->program);
    return code == RV_OK || rv_fail(error, code, "run: %s", rv_code_text(code));
}

rv_batch_program *rv_batch_program_fit(rv_batch_program two[2], const rv_setup *s, rv_store *store,
                                       int64_t n, bool training, rv_error *error)
{
    if (!RV_NEEDS(error, two, s, store)) return NULL;
    for (int i = 0; i < 2; i++)
        if (two[i].program && two[i].size == n) return &two[i];
    rv_batch_program *b = two[0].program ? &two[1] : &two[0];
    rv_batch_program_free(b);
    return rv_batch_program_make(b, s, store, n, training, RV_DEFAULT, error) ? b : NULL;
}

void rv_batch_program_free(rv_batch_program *b)
{
    if (!b) return;
    rv_program_free(b->program);
    *b = (rv_batch_program){0};
}
