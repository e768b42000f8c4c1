#include "tools/run/batch_program.h"

#include <inttypes.h>
#include <stdio.h>

static rv_shape with_batch(rv_shape sample, int64_t n)
{
    rv_shape shape = {.rank = sample.rank + 1, .dim = {n}};
    for (int64_t d = 0; d < sample.rank; d++) shape.dim[d + 1] = sample.dim[d];
    return shape;
}

rv_tape *batch_record(const experiment *e, rv_store *store, int64_t n, bool learn, rv_net *net)
{
    const rv_source *data = &e->whole;
    rv_tape *tape = rv_tape_new(store, e->dtype);
    rv_net_options options = e->net;
    rv_var x =
        rv_input_typed(tape, "x", data->tokens > 0 ? RV_I32 : e->dtype, with_batch(data->x, n));
    rv_var y =
        rv_input_typed(tape, "y", data->classes > 0 ? RV_I32 : e->dtype, with_batch(data->y, n));
    if (data->lengths) options.rnn.lengths = rv_input_typed(tape, "length", RV_I32, RV_SHAPE(n));
    if (!learn) options.rnn.dropout = options.rnn.recurrent_dropout = options.smoothing = 0;
    char measuring[32]; /* batches of each size carry states of their own */
    snprintf(measuring, sizeof measuring, "measure/%" PRId64, n);
    if (e->carry) options.rnn.carry = learn ? "train" : measuring;
    *net = rv_model_record(e->model, &options, e->scale != 1 ? rv_scale(x, e->scale) : x, y);
    return tape;
}

bool batch_program_compile(batch_program *b, rv_tape *tape, int64_t n, const rv_var *outputs,
                           int count, unsigned flags, rv_error *error)
{
    const rv_error *failed = rv_tape_error(tape);
    b->size = n;
    b->program = rv_compile_with(tape, outputs, count, flags);
    b->x = rv_program_input(b->program, "x");
    b->y = rv_program_input(b->program, "y");
    b->length = rv_program_input(b->program, "length");
    return b->program || rv_fail(error, failed->code, "%s", failed->text);
}

bool batch_program_make(batch_program *b, const experiment *e, rv_store *store, int64_t n,
                        bool learn, unsigned flags, rv_error *error)
{
    rv_net net;
    rv_tape *tape = batch_record(e, store, n, learn, &net);
    if (learn) rv_minimize(net.loss, e->optimizer);
    bool ok = batch_program_compile(b, tape, n, (rv_var[]){net.loss, net.output}, 2, flags, error);
    rv_tape_free(tape);
    return ok;
}

bool batch_program_feed(const batch_program *b, const rv_batch *batch, rv_error *error)
{
    return rv_tensor_copy(b->x, &batch->x, error) && rv_tensor_copy(b->y, &batch->y, error) &&
           (!b->length || rv_tensor_copy(b->length, &batch->length, error));
}

bool batch_program_run(const batch_program *b, const rv_batch *batch, rv_error *error)
{
    if (!batch_program_feed(b, batch, error)) return false;
    rv_code code = rv_run(b->program);
    return code == RV_OK || rv_fail(error, code, "run: %s", rv_code_text(code));
}

bool batch_program_fit(batch_program *b, const experiment *e, rv_store *store, int64_t n,
                       bool learn, rv_error *error)
{
    if (b->program && b->size == n) return true;
    rv_program_free(b->program);
    b->program = NULL;
    return batch_program_make(b, e, store, n, learn, RV_DEFAULT, error);
}

bool count_products(const experiment *e, rv_store *store, int64_t n, double *operations,
                    rv_error *error)
{
    batch_program b;
    if (!batch_program_make(&b, e, store, n, true, RV_DEFAULT, error)) return false;
    *operations = 0;
    for (int64_t i = 0; i < rv_program_statistics(b.program).instructions; i++) {
        rv_instruction one = rv_program_instruction(b.program, i);
        const rv_node *node = rv_tape_node(one.tape, one.node[0]);
        bool product = !node->op->row && node->inputs > 1; /* not a group, nor a sum */
        if (product) *operations += one.operations;
    }
    rv_program_free(b.program);
    return true;
}

bool make_parameters(const experiment *e, rv_store *store, rv_error *error)
{
    batch_program b;
    if (!batch_program_make(&b, e, store, 1, false, RV_DEFAULT, error)) return false;
    rv_program_free(b.program);
    return true;
}
