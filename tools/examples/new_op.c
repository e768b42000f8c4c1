/* Defines two ops outside the library: softsign, a pointwise op, and roll, an op with a
 * multi-threaded kernel. Proves both with rv_prove_op, then trains a cell that uses them:
 *     h' = softsign(U x + p . roll(h) + b) */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "recurve.h"

/* ---- softsign: y = x / (1 + |x|), dy/dx = (1 - |y|)^2 ---- */

static bool infer_pointwise(rv_inference *i)
{
    i->out = i->in[0];
    return i->out.dtype != RV_I32 ||
           rv_fail(i->error, RV_ERROR_DTYPE, "takes f32 or f64, not i32; cast the operand first");
}

static void softsign_reference(const rv_call *c)
{
    rv_tensor x = rv_call_in(c, 0), y = rv_call_out(c);
    for (int64_t i = 0; i < rv_tensor_count(&y); i++)
        rv_tensor_set(&y, i, rv_tensor_get(&x, i) / (1 + fabs(rv_tensor_get(&x, i))));
}

/* Computes whole blocks of 64 bytes. If bit 0 of `scalar` is set, x is a single number. */
static void softsign_f32(int64_t blocks, void *out, const void *const *in, int inputs,
                         unsigned scalar)
{
    const float *x = in[0];
    float *y = out;
    (void)inputs;
    for (int64_t i = 0; i < 16 * blocks; i++) {
        float e = x[scalar & 1 ? 0 : i];
        y[i] = e / (1 + fabsf(e));
    }
}

static void softsign_f64(int64_t blocks, void *out, const void *const *in, int inputs,
                         unsigned scalar)
{
    const double *x = in[0];
    double *y = out;
    (void)inputs;
    for (int64_t i = 0; i < 8 * blocks; i++) {
        double e = x[scalar & 1 ? 0 : i];
        y[i] = e / (1 + fabs(e));
    }
}

static rv_pointwise_kernel softsign_kernel(rv_dtype dtype)
{
    return dtype == RV_F32 ? softsign_f32 : softsign_f64;
}

static rv_var softsign_gradient(const rv_backward *b, int k)
{
    (void)k;
    return rv_multiply(b->dy, rv_square(rv_one_minus(rv_abs(b->y))));
}

static const rv_sample softsign_samples[] = {
    {.in = {{2, {3, 5}}}, .low = -3, .high = 3},
    {.in = {{0}}, .low = 1, .high = 2},
    {.in = {{1, {4}}}, .low = 0, .high = 9, .integer = 1, .error = "not i32"},
};

static const rv_op softsign_op = {
    .name = "softsign",
    .args = "x",
    .formula = "y = x / (1 + |x|)",
    .inputs = 1,
    .infer = infer_pointwise,
    .reference = softsign_reference,
    .pointwise = softsign_kernel,
    .gradient = softsign_gradient,
    .in_place = 1,
    RV_SAMPLES(softsign_samples),
};

static rv_var softsign(rv_var x) { return rv_record(x.tape, &softsign_op, NULL, 0, &x, 1); }

/* ---- roll: y[.., (i + by) mod n] = x[.., i] ---- */

typedef struct roll_attr {
    int64_t by;
} roll_attr;

static bool infer_roll(rv_inference *i)
{
    i->out = i->in[0];
    return i->out.shape.rank > 0 ||
           rv_fail(i->error, RV_ERROR_SHAPE, "a single number has nothing to roll; give rows");
}

/* The length n of a row, the number of rows, and `by` reduced to 0 .. n-1. */
static void measure(const rv_call *c, int64_t *n, int64_t *rows, int64_t *by)
{
    const rv_shape *shape = &c->out_type.shape;
    const roll_attr *attr = c->attr;
    *n = shape->dim[shape->rank - 1];
    *rows = rv_shape_count(*shape) / *n;
    *by = (attr->by % *n + *n) % *n;
}

static void roll_reference(const rv_call *c)
{
    rv_tensor x = rv_call_in(c, 0), y = rv_call_out(c);
    int64_t n, rows, by;
    measure(c, &n, &rows, &by);
    for (int64_t i = 0; i < n * rows; i++)
        rv_tensor_set(&y, i / n * n + (i + by) % n, rv_tensor_get(&x, i));
}

/* Copies bytes, so one kernel serves all dtypes. Each part writes its own range of rows. */
static void roll_rows(const rv_call *c)
{
    int64_t n, rows, by, first, end;
    measure(c, &n, &rows, &by);
    rv_call_range(c, rows, &first, &end);
    size_t size = rv_dtype_size(c->out_type.dtype), row = (size_t)n * size,
           tail = (size_t)by * size;
    for (int64_t r = first; r < end; r++) {
        const char *x = (const char *)c->in[0] + (size_t)r * row;
        char *y = (char *)c->out + (size_t)r * row;
        memcpy(y, x + row - tail, tail);
        memcpy(y + tail, x, row - tail);
    }
}

/* A call can be cut into as many parts as there are rows. A part reads only its own rows of x (bit
 * 0 of `sliced`). */
static rv_kernel choose_roll(rv_call *c)
{
    int64_t n, by;
    measure(c, &n, &c->most_parts, &by);
    c->sliced = 1;
    return roll_rows;
}

static rv_var roll(rv_var x, int64_t by);

static rv_var roll_gradient(const rv_backward *b, int k)
{
    const roll_attr *attr = b->attr;
    (void)k;
    return roll(b->dy, -attr->by);
}

#define BY(n) .attr = &(const roll_attr){n}, .attr_size = sizeof(roll_attr)
static const rv_sample roll_samples[] = {
    {.in = {{2, {7, 5}}}, .low = -2, .high = 2, BY(2)},
    {.in = {{3, {2, 3, 4}}}, .low = -2, .high = 2, BY(-9)},
    {.in = {{0}}, .error = "nothing to roll", BY(1)},
};

static const rv_op roll_op = {
    .name = "roll",
    .args = "x",
    .formula = "y[.., (i + by) mod n] = x[.., i]",
    .inputs = 1,
    .infer = infer_roll,
    .reference = roll_reference,
    .select = choose_roll,
    .gradient = roll_gradient,
    RV_LINEAR,
    .rearranges = true,
    RV_SAMPLES(roll_samples),
};

static rv_var roll(rv_var x, int64_t by)
{
    return rv_record(x.tape, &roll_op, &(roll_attr){by}, sizeof(roll_attr), &x, 1);
}

/* ---- a cell that uses both ---- */

static void ring(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var turned = rv_cell_scale(k, roll(*h, 1), "p", RV_SCALAR, rv_init_constant(0.9));
    *h = softsign(rv_cell_bias(k, rv_add(rv_cell_map(k, x, "U"), turned), "b"));
}

enum { BATCH = 64, UPDATES = 400 };

/* Trains on digits, read row by row, and writes the digest of the trained parameters into `digest`.
 * False on error. */
static bool train(int threads, char digest[RV_DIGEST_TEXT])
{
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_var x = rv_input(tape, "x", RV_SHAPE(BATCH, 1, 8, 8));
    rv_var rows = rv_reshape(x, RV_SHAPE(BATCH, 8, 8));
    rv_var h = rv_unroll_sequence(ring, rows, (rv_rnn_options){.units = 64, .bias = true}, NULL);
    rv_var y = rv_input_typed(tape, "y", RV_I32, RV_SHAPE(BATCH));
    rv_var loss = rv_softmax_cross_entropy(rv_linear(h, "out", 10), y);
    rv_minimize(loss, rv_adam(5e-3));
    rv_error error = {0};
    rv_set_threads(store, threads, &error);
    rv_program *step = rv_compile_with(tape, &loss, 1, RV_DEFAULT | RV_CUT);
    rv_source digits = {0};
    bool ok = step && rv_source_digits(&digits, NULL, 0, &error);
    rv_loader_options options = {.batch_size = BATCH, .drop_last = true};
    rv_loader *loader = ok ? rv_loader_new(&digits, &options, &error) : NULL;
    ok = loader;
    for (int i = 0; ok && i < UPDATES; i++) {
        int64_t number = i % rv_loader_batches(loader);
        if (number == 0) rv_loader_start(loader, (uint64_t)i, 0, NULL);
        rv_feed_batch(step, rv_loader_next(loader, NULL), NULL);
        rv_run(step);
    }
    if (ok)
        printf("%d thread%s: loss %.4f, parameters %s\n", rv_program_statistics(step).threads,
               threads > 1 ? "s" : "", rv_value(step, 0), rv_store_digest(store, digest));
    else
        fprintf(stderr, "%s%s\n", rv_tape_error(tape)->text, error.text);
    rv_loader_free(loader);
    rv_source_close(&digits);
    rv_program_free(step);
    rv_tape_free(tape);
    rv_store_free(store);
    return ok;
}

int main(void)
{
    const rv_op *ops[] = {&softsign_op, &roll_op};
    for (int i = 0; i < 2; i++) {
        rv_error error = {0};
        if (!rv_prove_op(ops[i], &error)) return fprintf(stderr, "%s\n", error.text), 1;
        printf("%s: %s, proved\n", ops[i]->name, ops[i]->formula);
    }
    char alone[RV_DIGEST_TEXT], together[RV_DIGEST_TEXT];
    return train(1, alone) && train(2, together) && strcmp(alone, together) == 0 ? 0 : 1;
}
