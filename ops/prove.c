#include "ops/prove.h"

#include <math.h>
#include <string.h>

#include "autograd/gradcheck.h"
#include "autograd/program.h"
#include "ops/ops.h"
#include "tensor/memory.h"

enum { INPUTS = sizeof((rv_sample *)0)->in / sizeof(rv_shape), THREADS = 3 };
static const char *const names[INPUTS] = {"x0", "x1", "x2", "x3"};

/* One sample, recorded. */
typedef struct subject {
    const rv_op *op;
    const rv_sample *sample;
    rv_store *store;
    rv_tape *tape;
    int inputs;
    rv_named_tensor value[INPUTS];
    rv_var x[INPUTS], y;
} subject;

static bool is_whole(const subject *s, int k) { return s->sample->integer >> k & 1; }

/* Whole numbers in low..high. */
static void draw_whole(rv_tensor *x, const rv_sample *sample, uint64_t seed)
{
    double choices = sample->high - sample->low + 1;
    for (int64_t i = 0; i < rv_tensor_count(x); i++)
        rv_tensor_set(x, i, floor(sample->low + choices * rv_random_uniform(seed, (uint64_t)i)));
}

/* Numbers in low..high, each in a part of its own, so that a difference steps over no tie; the
 * inputs keep to different places in it. */
static bool draw_apart(rv_tensor *x, const rv_sample *sample, int k, uint64_t seed)
{
    static const double place[INPUTS] = {0.37, 0.59, 0.26, 0.71};
    int64_t count = rv_tensor_count(x), *part = rv_alloc((size_t)count, sizeof *part);
    if (!part) return false;
    rv_random_permutation(part, count, seed);
    for (int64_t i = 0; i < count; i++)
        rv_tensor_set(x, i,
                      sample->low + (sample->high - sample->low) * ((double)part[i] + place[k]) /
                                        (double)count);
    rv_free(part);
    return true;
}

static bool draw(subject *s, int k, rv_error *error)
{
    uint64_t seed = rv_seed(7, names[k]);
    rv_tensor *x = &s->value[k].tensor;
    s->value[k].name = names[k];
    if (!rv_tensor_new(x, rv_dtype_of(s->x[k]), s->sample->in[k], error)) return false;
    if (is_whole(s, k)) draw_whole(x, s->sample, seed);
    return is_whole(s, k) || draw_apart(x, s->sample, k, seed) || rv_fail_memory(error);
}

static bool open_subject(subject *s, const rv_op *op, const rv_sample *sample, rv_dtype dtype,
                         rv_error *error)
{
    *s = (subject){.op = op, .sample = sample, .store = rv_store_new(1)};
    s->tape = rv_tape_new(s->store, dtype);
    s->inputs = sample->inputs > 0 ? sample->inputs : op->inputs;
    if (!s->tape) return rv_fail_memory(error);
    if (s->inputs < 1 || s->inputs > INPUTS)
        return rv_fail(error, RV_ERROR_ARGUMENT, "%s: a sample of %d inputs, expected 1 to %d",
                       op->name, s->inputs, INPUTS);
    for (int k = 0; k < s->inputs; k++) {
        s->x[k] = rv_input_typed(s->tape, names[k], is_whole(s, k) ? RV_I32 : dtype, sample->in[k]);
        if (!sample->error && !draw(s, k, error)) return false;
    }
    s->y = op->kind == RV_OP_COMPOSITE
               ? op->build(s->x, sample->attr)
               : rv_record(s->tape, op, sample->attr, sample->attr_size, s->x, s->inputs);
    return true;
}

static void close_subject(subject *s)
{
    for (int k = 0; k < INPUTS; k++) rv_tensor_free(&s->value[k].tensor);
    rv_tape_free(s->tape);
    rv_store_free(s->store);
}

/* ---- values ---- */

static rv_program *evaluate(subject *s, unsigned flags)
{
    rv_program *program = rv_compile_with(s->tape, &s->y, 1, flags);
    for (int k = 0; program && k < s->inputs; k++)
        rv_feed(program, names[k], &s->value[k].tensor, NULL);
    rv_run(program);
    return program;
}

/* The largest difference, relative to the largest element; infinite where one is NaN and the
 * other not. */
static double difference(const rv_tensor *a, const rv_tensor *b)
{
    double most = 0, largest = 1e-3;
    for (int64_t i = 0; i < rv_tensor_count(a); i++) {
        double x = rv_tensor_get(a, i), y = rv_tensor_get(b, i);
        if (x == y || (isnan(x) && isnan(y))) continue;
        most = isnan(x - y) ? INFINITY : fmax(most, fabs(x - y));
        largest = fmax(largest, fmax(fabs(x), fabs(y)));
    }
    return most / largest;
}

static bool prove_values(subject *s, rv_error *error)
{
    if (!rv_set_threads(s->store, THREADS, error)) return false;
    rv_program *fast = evaluate(s, RV_VALUES | RV_CUT), *naive = evaluate(s, RV_REFERENCE);
    bool ok = fast && naive;
    if (!ok) rv_fail(error, RV_ERROR_ARGUMENT, "%s", rv_tape_error(s->tape)->text);
    double off = ok ? difference(rv_program_output(fast, 0), rv_program_output(naive, 0)) : 0;
    if (off > (rv_dtype_of(s->y) == RV_F64 ? 2e-14 : 4e-6))
        ok = rv_fail(error, RV_ERROR_ARGUMENT,
                     "%s: the %s kernel differs from the reference by %.1e; mend one of them",
                     s->op->name, rv_dtype_name(rv_tape_dtype(s->tape)), off);
    rv_program_free(fast);
    rv_program_free(naive);
    return ok;
}

/* ---- derivatives ---- */

/* <x, r> with a fixed r of random numbers. */
static rv_var project(rv_var x, const char *name)
{
    rv_error error = {0};
    rv_tensor direction;
    if (rv_is_null(x)) return x;
    if (!rv_tensor_new(&direction, rv_dtype_of(x), rv_shape_of(x), &error))
        return rv_tape_fail(x.tape, error.code, "%s", error.text);
    rv_init_fill(&direction, rv_init_uniform(0.5, 1.5), rv_seed(3, name));
    rv_var r = rv_constant(x.tape, &direction);
    rv_tensor_free(&direction);
    return rv_sum(rv_multiply(x, r), RV_ALL_AXES, false);
}

static bool check(subject *s, rv_var loss, const rv_var *leaf, int count, const char *order,
                  rv_error *error)
{
    /* Differences of a polynomial are exact: the wider, the less rounding. */
    rv_gradcheck_options options = {.tolerance = s->op->polynomial ? 1e-9 : 1e-7,
                                    .step = s->op->polynomial ? 0.25 : 0,
                                    .inputs = s->value,
                                    .input_count = s->inputs};
    rv_gradcheck_result result[INPUTS];
    if (rv_gradcheck(loss, leaf, count, &options, result)) return true;
    if (rv_tape_error(s->tape)->code)
        return rv_fail(error, RV_ERROR_GRADIENT, "%s", rv_tape_error(s->tape)->text);
    for (int k = 0; k < count; k++)
        if (!result[k].ok)
            return rv_fail(error, RV_ERROR_GRADIENT,
                           "%s: its %s derivative by %s is %g, but differences say %g (%s)",
                           s->op->name, order, result[k].name, result[k].analytic,
                           result[k].numeric, result[k].reason);
    return false;
}

static bool prove_derivatives(subject *s, rv_error *error)
{
    rv_var leaf[INPUTS], gradient[INPUTS], loss = project(rv_cast(s->y, RV_F64), "y");
    int count = 0;
    for (int k = 0; k < s->inputs; k++)
        if (!is_whole(s, k)) leaf[count++] = s->x[k];
    if (!count) return true;
    if (!rv_gradient(loss, leaf, count, gradient))
        return rv_fail(error, RV_ERROR_GRADIENT, "%s", rv_tape_error(s->tape)->text);
    if (s->op->zero_gradient) return true;
    rv_var second = loss;
    for (int k = 0; k < count; k++) second = rv_add(second, project(gradient[k], names[k]));
    return check(s, loss, leaf, count, "first", error) &&
           check(s, second, leaf, count, "second", error);
}

/* ---- the op ---- */

static bool prove_refusal(const subject *s, rv_error *error)
{
    const char *text = rv_tape_error(s->tape)->text;
    return strstr(text, s->sample->error) ||
           rv_fail(error, RV_ERROR_ARGUMENT, "%s: should be refused with \"%s\", but is %s%s",
                   s->op->name, s->sample->error, *text ? "with: " : "not", text);
}

static bool prove_sample(const rv_op *op, const rv_sample *sample, rv_dtype dtype, rv_error *error)
{
    subject s;
    bool ok = open_subject(&s, op, sample, dtype, error);
    if (ok && sample->error)
        ok = prove_refusal(&s, error);
    else
        ok = ok && prove_values(&s, error) && (dtype == RV_F32 || prove_derivatives(&s, error));
    close_subject(&s);
    return ok;
}

bool rv_prove_op(const rv_op *op, rv_error *error)
{
    bool ok = true;
    if (!op->sample_count || !(op->reference || op->kind == RV_OP_COMPOSITE))
        return rv_fail(error, RV_ERROR_ARGUMENT, "%s has no %s to be proved with", op->name,
                       op->sample_count ? "reference" : "samples");
    for (int i = 0; ok && i < op->sample_count; i++)
        ok = prove_sample(op, &op->samples[i], RV_F32, error) &&
             prove_sample(op, &op->samples[i], RV_F64, error);
    return ok;
}
