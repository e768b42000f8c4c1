#include "tools/signals/norms.h"

#include <math.h>

#include "tensor/memory.h"

static bool make_room(norms *n, const rv_flow *f, rv_error *error)
{
    n->steps = f->steps;
    n->name = rv_alloc((size_t)f->count, sizeof *n->name);
    n->state = rv_alloc((size_t)f->count, sizeof *n->state);
    bool ok = n->name && n->state;
    for (int m = 0; ok && m < NORMS_MOMENTS; m++) {
        n->at[m] = rv_alloc((size_t)f->count, (size_t)(f->steps + 1) * sizeof *n->at[m]);
        ok = n->at[m];
    }
    for (; ok && n->count < f->count; n->count++) {
        n->state[n->count] = f->state[n->count];
        n->name[n->count] = rv_string_copy(f->name[n->count]);
        ok = n->name[n->count];
    }
    return ok || rv_fail_memory(error);
}

void norms_free(norms *n)
{
    for (int i = 0; i < n->count; i++) rv_free(n->name[i]);
    for (int m = 0; m < NORMS_MOMENTS; m++) rv_free(n->at[m]);
    rv_free(n->name);
    rv_free(n->state);
    *n = (norms){0};
}

/* The outputs are the norms that are not null, in the order of f->norm. */
static bool compile(rv_batch_program *b, rv_tape *tape, int64_t samples, const rv_flow *f,
                    rv_error *error)
{
    int64_t all = f->count * (f->steps + 1);
    rv_var *outputs = rv_alloc((size_t)all, sizeof *outputs);
    int count = 0;
    if (!outputs) return rv_fail_memory(error);
    for (int64_t i = 0; i < all; i++)
        if (!rv_is_null(f->norm[i])) outputs[count++] = f->norm[i];
    bool ok = rv_batch_program_compile(b, tape, samples, outputs, count, RV_VALUES, error);
    rv_free(outputs);
    return ok;
}

static bool run(norms *n, norms_moment moment, rv_tape *tape, const rv_flow *f,
                const rv_batch *batch, rv_error *error)
{
    rv_batch_program b = {0};
    bool ok = (n->count > 0 || make_room(n, f, error)) &&
              compile(&b, tape, batch->count, f, error) && rv_batch_program_run(&b, batch, error);
    for (int64_t i = 0, output = 0; ok && i < n->count * (n->steps + 1); i++) {
        /* A state that the loss does not depend on at this step has the gradient 0. */
        bool state = n->state[i / (n->steps + 1)] && i % (n->steps + 1) > 0;
        n->at[moment][i] = !rv_is_null(f->norm[i]) ? rv_value(b.program, (int)output++)
                           : state                 ? 0
                                                   : NAN;
    }
    rv_batch_program_free(&b);
    return ok;
}

bool norms_measure(norms *n, norms_moment moment, const rv_setup *e, rv_store *store, int64_t batch,
                   rv_error *error)
{
    rv_setup one = *e;
    one.carry = false;
    one.net.rnn.recompute = 0;
    one.net.rnn.probes = true;
    rv_loader_options options = {.batch_size = batch < e->sample.count ? batch : e->sample.count,
                                 .in_order = true};
    rv_loader *loader = rv_loader_new(&e->sample, &options, error);
    const rv_batch *first = loader ? rv_loader_next(loader, error) : NULL;
    bool averaged = e->optimizer.average > 0 && rv_swap_averages(store), ok = false;
    if (first) {
        rv_net net;
        rv_flow flow;
        rv_tape *tape = rv_setup_record(&one, store, first->count, false, &net);
        n->samples = first->count;
        ok = rv_flow_make(&flow, net.loss) ||
             rv_fail(error, rv_tape_error(tape)->code, "%-s", rv_tape_error(tape)->text);
        ok = ok && run(n, moment, tape, &flow, first, error);
        rv_flow_free(&flow);
        rv_tape_free(tape);
    }
    if (averaged) rv_swap_averages(store);
    rv_loader_free(loader);
    return ok;
}
