#include "tools/learning.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "tensor/memory.h"
#include "tools/bench/timing.h"
#include "tools/watch.h"

/* ---- programs ---- */

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
    return b->program != NULL || rv_fail(error, failed->code, "%s", failed->text);
}

bool batch_program_make_with(batch_program *b, const experiment *e, rv_store *store, int64_t n,
                             bool learn, unsigned flags, rv_error *error)
{
    rv_net net;
    rv_tape *tape = batch_record(e, store, n, learn, &net);
    if (learn) rv_minimize(net.loss, e->optimizer);
    bool ok = batch_program_compile(b, tape, n, (rv_var[]){net.loss, net.output}, 2, flags, error);
    rv_tape_free(tape);
    return ok;
}

bool batch_program_make(batch_program *b, const experiment *e, rv_store *store, int64_t n,
                        bool learn, rv_error *error)
{
    return batch_program_make_with(b, e, store, n, learn, RV_DEFAULT, error);
}

bool batch_program_feed(const batch_program *b, const rv_batch *batch, rv_error *error)
{
    return rv_tensor_copy(b->x, &batch->x, error) && rv_tensor_copy(b->y, &batch->y, error) &&
           (b->length == NULL || rv_tensor_copy(b->length, &batch->length, error));
}

bool batch_program_run(const batch_program *b, const rv_batch *batch, rv_error *error)
{
    if (!batch_program_feed(b, batch, error)) return false;
    rv_code code = rv_run(b->program);
    return code == RV_OK || rv_fail(error, code, "run: %s", rv_code_text(code));
}

/* Makes *b one for batches of this size, if it is not. */
static bool fit_program(batch_program *b, const experiment *e, rv_store *store, int64_t n,
                        bool learn, rv_error *error)
{
    if (b->program != NULL && b->size == n) return true;
    rv_program_free(b->program);
    b->program = NULL;
    return batch_program_make(b, e, store, n, learn, error);
}

bool count_products(const experiment *e, rv_store *store, int64_t n, double *operations,
                    rv_error *error)
{
    batch_program b;
    if (!batch_program_make(&b, e, store, n, true, error)) return false;
    *operations = 0;
    for (int64_t i = 0; i < rv_program_statistics(b.program).instructions; i++) {
        rv_instruction one = rv_program_instruction(b.program, i);
        const rv_node *node = rv_tape_node(one.tape, one.node[0]);
        bool product = node->op->row == NULL && node->inputs > 1; /* not a group, nor a sum */
        if (product) *operations += one.operations;
    }
    rv_program_free(b.program);
    return true;
}

bool make_parameters(const experiment *e, rv_store *store, rv_error *error)
{
    batch_program b;
    if (!batch_program_make(&b, e, store, 1, false, error)) return false;
    rv_program_free(b.program);
    return true;
}

/* Runs an update at a place, or a measurement (NULL). */
static bool run_watched(const experiment *e, rv_store *store, const batch_program *b, watch *w,
                        const rv_batch *batch, const run_place *at, rv_error *error)
{
    if (!e->anomaly) return batch_program_run(b, batch, error);
    return watch_keep(w, store, error) && batch_program_run(b, batch, error) &&
           watch_look(w, e, store, b, batch, at, error);
}

/* ---- learning ---- */

rv_loader *training_loader(const experiment *e, int64_t batch, uint64_t seed, rv_error *error)
{
    int64_t most = e->train.count;
    rv_loader_options options = {.batch = batch < most ? batch : most,
                                 .seed = seed,
                                 .contiguous = e->carry,
                                 .drop_last = e->carry,
                                 .ahead = e->ahead};
    return rv_loader_new(&e->train, &options, error);
}

static bool check_cost(const experiment *e, const run_place *at, double cost, rv_error *error)
{
    return isfinite(cost) ||
           rv_fail(error, RV_ERROR_NUMBER,
                   "the cost became %s in epoch %" PRId64 " at sample %" PRId64
                   "; try a lower --rate than %g, or --anomaly to see where it comes from",
                   isnan(cost) ? "NaN" : "infinite", at->epoch, at->seen, e->optimizer.rate);
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* One update; *recording gets the time that its program took to be made. */
static bool learn_batch(const experiment *e, rv_store *store, batch_program *b, watch *w,
                        const rv_batch *batch, run_place *at, double *recording, rv_error *error)
{
    double before = seconds_now();
    bool ok = fit_program(b, e, store, batch->count, true, error);
    *recording = seconds_now() - before;
    if (ok) at->bytes = larger(at->bytes, rv_program_statistics(b->program).arena_bytes);
    if (!ok || !run_watched(e, store, b, w, batch, at, error)) return false;
    double cost = rv_value(b->program, 0);
    at->cost_sum += cost * (double)batch->count;
    if (!check_cost(e, at, cost, error)) return false;
    at->batch++;
    at->seen += batch->count;
    at->learned += batch->count;
    return true;
}

bool learn_epoch(const experiment *e, rv_store *store, rv_loader *loader, run_place *at,
                 on_update then, void *context, rv_error *error)
{
    batch_program b = {0};
    watch w = {0};
    bool ok = rv_loader_start(loader, (uint64_t)at->epoch, at->batch, error);
    if (e->carry && at->batch == 0) rv_reset_carried(store, "train");
    while (ok) {
        double started = seconds_now(), recording;
        const rv_batch *batch = rv_loader_next(loader, error);
        if (batch == NULL) break;
        ok = learn_batch(e, store, &b, &w, batch, at, &recording, error);
        at->seconds += seconds_now() - started - recording;
        ok = ok && then(context, error);
    }
    watch_free(&w);
    rv_program_free(b.program);
    return error->code == RV_OK;
}

/* ---- measuring ---- */

/* The class that a row of logits [classes], or of one, speaks for. */
static int64_t answer_of(const rv_tensor *logits, int64_t row, int64_t width)
{
    if (width == 1) return rv_tensor_get(logits, row) > 0;
    int64_t best = 0;
    for (int64_t c = 1; c < width; c++)
        if (rv_tensor_get(logits, row * width + c) > rv_tensor_get(logits, row * width + best))
            best = c;
    return best;
}

static void judge_label(measurement *m, int64_t label, int64_t answer)
{
    m->correct += label == answer;
    if (label < MOST_CONFUSED && answer < MOST_CONFUSED) m->confusion[label][answer]++;
}

/* Compares the net's outputs with y, step by step of each sample where there are steps. */
static void judge(const experiment *e, const rv_batch *batch, const rv_tensor *output,
                  measurement *m)
{
    const rv_source *data = &e->whole;
    int64_t steps = data->each_step ? data->y.dim[0] : 1;
    int64_t width = rv_tensor_count(output) / (batch->count * steps);
    for (int64_t i = 0; i < batch->count * steps; i++) {
        bool counts = !data->each_step || !data->lengths ||
                      (double)(i % steps) < rv_tensor_get(&batch->length, i / steps);
        if (!counts) continue;
        m->answers++;
        if (data->classes > 0) {
            judge_label(m, (int64_t)rv_tensor_get(&batch->y, i), answer_of(output, i, width));
            continue;
        }
        for (int64_t j = i * width; j < (i + 1) * width; j++) {
            double off = rv_tensor_get(output, j) - rv_tensor_get(&batch->y, j);
            m->error += off * off / (double)width;
        }
    }
}

static bool measure_batches(const experiment *e, rv_store *store, rv_loader *loader, measurement *m,
                            rv_error *error)
{
    batch_program b = {0};
    watch w = {0};
    bool ok = true;
    if (e->carry) rv_reset_carried(store, "measure");
    while (ok) {
        const rv_batch *batch = rv_loader_next(loader, error);
        if (batch == NULL) break;
        ok = fit_program(&b, e, store, batch->count, false, error) &&
             run_watched(e, store, &b, &w, batch, NULL, error);
        if (!ok) break;
        int64_t before = m->answers;
        judge(e, batch, rv_program_output(b.program, 1), m);
        m->samples += batch->count;
        m->cost += rv_value(b.program, 0) * (double)(m->answers - before);
    }
    watch_free(&w);
    rv_program_free(b.program);
    return error->code == RV_OK;
}

bool measure(const experiment *e, rv_store *store, const rv_source *data, int64_t batch,
             measurement *m, rv_error *error)
{
    rv_loader_options options = {.batch = batch < data->count ? batch : data->count,
                                 .in_order = !e->carry,
                                 .contiguous = e->carry,
                                 .drop_last = e->carry};
    *m = (measurement){0};
    rv_loader *loader = rv_loader_new(data, &options, error);
    bool averaged = e->optimizer.average > 0 && rv_swap_averages(store);
    bool ok = loader != NULL && measure_batches(e, store, loader, m, error);
    if (averaged) rv_swap_averages(store);
    rv_loader_free(loader);
    if (!ok) return false;
    double answers = (double)(m->answers > 0 ? m->answers : 1);
    m->cost /= answers;
    m->error /= answers;
    m->accuracy = (double)m->correct / answers;
    return isfinite(m->cost) ||
           rv_fail(error, RV_ERROR_NUMBER,
                   "the cost is %f; these parameters are of no use, train with a lower --rate",
                   m->cost);
}
