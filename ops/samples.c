#include "ops/samples_internal.h"

#include <math.h>

#include "autograd/gradient.h"
#include "ops/ops.h"
#include "ops/options.h"
#include "tensor/memory.h"
#include "tensor/random.h"

int rv_sample_inputs(const rv_op *op, const rv_sample *s)
{
    return s->inputs > 0 ? s->inputs : op->inputs;
}

const char *rv_sample_input_name(int k)
{
    static const char *const names[RV_SAMPLE_INPUTS] = {"x0", "x1", "x2", "x3"};
    return k >= 0 && k < RV_SAMPLE_INPUTS ? names[k] : NULL;
}

rv_var rv_sample_record(rv_tape *tape, const rv_op *op, const rv_sample *s, rv_var *inputs)
{
    rv_var x[RV_SAMPLE_INPUTS];
    int count = rv_sample_inputs(op, s);
    if (count < 1 || count > RV_SAMPLE_INPUTS)
        return rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                            "%s: a sample of %d input(s), expected 1 to %d", op->name, count,
                            RV_SAMPLE_INPUTS);
    for (int k = 0; k < count; k++) {
        rv_dtype dtype = s->integer >> k & 1 ? RV_I32 : rv_tape_dtype(tape);
        x[k] = rv_input_typed(tape, rv_sample_input_name(k), dtype, s->in[k]);
        if (inputs) inputs[k] = x[k];
    }
    return rv_sample_record_on(tape, op, s, x);
}

rv_var rv_sample_record_on(rv_tape *tape, const rv_op *op, const rv_sample *s, const rv_var *x)
{
    int count = rv_sample_inputs(op, s);
    if (op->kind == RV_OP_COMPOSITE) return rv_op_call(op, x, count, s->options);
    return rv_record(tape, op, s->attr, s->attr_size, x, count);
}

/* Whole numbers from low to high. */
static void fill_whole(const rv_sample *s, uint64_t seed, rv_tensor *x)
{
    double low = ceil(s->low), choices = floor(s->high) - low + 1;
    for (int64_t i = 0; i < rv_tensor_count(x); i++)
        rv_tensor_set(x, i, low + floor(choices * rv_random_uniform(seed, (uint64_t)i)));
}

/* low..high is cut into as many parts as there are elements; each element gets a part of its own,
 * in which the inputs have different offsets. */
static void fill_apart(const rv_sample *s, int k, const int64_t *part, rv_tensor *x)
{
    static const double offsets[RV_SAMPLE_INPUTS] = {0.37, 0.59, 0.26, 0.71};
    double width = (s->high - s->low) / (double)rv_tensor_count(x);
    for (int64_t i = 0; i < rv_tensor_count(x); i++)
        rv_tensor_set(x, i, s->low + width * ((double)part[i] + offsets[k]));
}

static void fill_uniform(const rv_sample *s, uint64_t seed, rv_tensor *x)
{
    for (int64_t i = 0; i < rv_tensor_count(x); i++)
        rv_tensor_set(x, i, s->low + (s->high - s->low) * rv_random_uniform(seed, (uint64_t)i));
}

void rv_sample_values(const rv_sample *s, int k, uint64_t seed, rv_tensor *x)
{
    uint64_t own = rv_seed(seed, rv_sample_input_name(k));
    int64_t *part = rv_alloc((size_t)rv_tensor_count(x), sizeof *part);
    if (x->dtype == RV_I32) {
        fill_whole(s, own, x);
    } else if (!part) {
        fill_uniform(s, own, x);
    } else {
        rv_random_permutation(part, rv_tensor_count(x), own);
        fill_apart(s, k, part, x);
    }
    rv_free(part);
}

void rv_sample_special(int k, uint64_t seed, rv_tensor *x)
{
    static const double special[] = {NAN,  INFINITY, -INFINITY, 0,         -0.0,
                                     -NAN, 0x1p-126, -0x1p-149, 0x1p-1022, -0x1p-1074};
    enum { SPECIAL = sizeof special / sizeof *special };
    const uint64_t own = rv_seed(seed, rv_sample_input_name(k));
    for (int64_t i = 0; x->dtype != RV_I32 && i < rv_tensor_count(x); i++) {
        const int choice = (int)(4 * SPECIAL * rv_random_uniform(own, (uint64_t)i));
        if (choice < SPECIAL) rv_tensor_set(x, i, special[choice]);
    }
}

rv_var rv_direction(rv_var x, uint64_t seed, const char *name)
{
    rv_error error = {0};
    rv_tensor direction;
    if (rv_is_null(x)) return x;
    if (!rv_tensor_new(&direction, rv_dtype_of(x), rv_shape_of(x), &error))
        return rv_tape_fail(x.tape, error.code, "%-s", error.text);
    rv_init_fill(&direction, rv_init_uniform(0.5, 1.5), rv_seed(seed, name));
    rv_var r = rv_constant(x.tape, &direction);
    rv_tensor_free(&direction);
    return r;
}

rv_var rv_project(rv_var x, uint64_t seed, const char *name)
{
    return rv_sum(rv_multiply(x, rv_direction(x, seed, name)), RV_ALL_AXES, false);
}

rv_var rv_second_order(rv_var loss, const rv_var *leaf, int count, uint64_t seed)
{
    rv_var sum = {loss.tape, -1};
    rv_var *gradient = rv_alloc((size_t)count + 1, sizeof *gradient);
    if (!gradient) return rv_tape_fail(loss.tape, RV_ERROR_MEMORY, "out of memory");
    if (rv_gradient(loss, leaf, count, gradient)) sum = loss;
    for (int k = 0; k < count && !rv_is_null(sum); k++)
        sum = rv_add(sum,
                     rv_project(gradient[k], seed, rv_tape_node(leaf[k].tape, leaf[k].id)->name));
    rv_free(gradient);
    return sum;
}
