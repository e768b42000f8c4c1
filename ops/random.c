/* random_uniform and what is made of it. A number is a pure function of a stream's seed, of how
 * often the program has run, and of its index (invariant 7); the count of the runs is a state of
 * the store, so that a checkpoint resumes the sequence. */
#include <math.h>
#include <string.h>

#include "tensor/random.h"

#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"
#include "ops/random_internal.h"
#include "tensor/memory.h"

typedef struct random_attr {
    uint64_t seed;
    rv_shape shape;
} random_attr;

/* ---- shape rule ---- */

static bool infer(rv_inference *i)
{
    const random_attr *attr = i->attr;
    i->out = (rv_type){i->in[0].dtype, attr->shape};
    if (i->out.dtype != RV_I32 && rv_shape_equal(i->in[0].shape, RV_SHAPE(2))) return true;
    return rv_fail(i->error, RV_ERROR_SHAPE,
                   "the count is not of shape [2] and f32 or f64; take the state \"random/count\"");
}

/* ---- reference: element i is word i % 4 of what Philox makes of (i / 4, the count) ---- */

/* A digit of the count; 0 for a value out of range. */
static uint32_t digit(double value) { return value >= 0 && value < 0x1p32 ? (uint32_t)value : 0; }

static void reference(const rv_call *c)
{
    const random_attr *attr = c->attr;
    const uint32_t key[2] = {(uint32_t)attr->seed, (uint32_t)(attr->seed >> 32)};
    for (int64_t i = 0; i < rv_shape_count(c->out_type.shape); i++) {
        uint32_t counter[4] = {(uint32_t)(i / 4), (uint32_t)(i / 4 >> 32),
                               digit(rv_operand(c, 0, 0)), digit(rv_operand(c, 0, 1))};
        uint32_t word[4], rounded = c->out_type.dtype == RV_F32 ? 0xFFu : 0; /* never up to 1 */
        rv_philox4x32(counter, key, word);
        rv_result(c, i, (word[i % 4] & ~rounded) * 0x1p-32);
    }
}

/* ---- kernel ---- */

static rv_kernel choose(rv_call *c)
{
    const random_attr *attr = c->attr;
    rv_random_plan *plan = rv_alloc(1, sizeof *plan);
    if (!plan) return NULL;
    *plan = (rv_random_plan){attr->seed, rv_shape_count(c->out_type.shape)};
    c->plan = plan;
    c->most_parts = plan->count;
    return rv_kernels_for(c->out_type.dtype)->random_uniform;
}

/* ---- samples, descriptor ---- */

#define STREAM(seed_, ...) \
    .attr = &(const random_attr){seed_, {__VA_ARGS__}}, .attr_size = sizeof(random_attr)
static const rv_sample samples[] = {
    {.in = {{1, {2}}},
     .low = 0,
     .high = 5,
     STREAM(7, 2, {3, 5}),
     RV_GIVEN(RV_NUMBER(7), RV_LIST(3, 5))},
    {.in = {{1, {2}}}, .low = 0, .high = 1e6, STREAM(UINT64_MAX, 1, {1000})},
    {.in = {{1, {2}}}, .low = -1e30, .high = 1e30, STREAM(0, 0)},
    {.in = {{1, {3}}}, .error = "not of shape [2]", STREAM(7, 2, {3, 5})},
};

static const rv_option options[] = {{"seed", RV_OPTION_WHOLE, false, 0, "of the sequence"},
                                    {"shape", RV_OPTION_LIST, true, 0, "of y"}};

static rv_var call(rv_arguments *a)
{
    random_attr attr = {(uint64_t)rv_option_whole(a, 0), rv_option_shape(a, 1)};
    return rv_record(NULL, a->op, &attr, sizeof attr, a->x, a->inputs);
}

const rv_op rv_op_random_uniform = {
    .name = "random_uniform",
    .args = "count",
    .formula = "y[i] = Philox(seed, count, i) in [0, 1)",
    .doc = "pseudorandom numbers, different for each count",
    .inputs = 1,
    .infer = infer,
    .reference = reference,
    .select = choose,
    .zero_gradient = true,
    .call = call,
    RV_OPTIONS(options),
    RV_SAMPLES(samples),
};

/* ---- constructors ---- */

static const double base = 1 << 20; /* of the count's two digits, which are exact in f32 */
static const char count_name[] = "random/count";

/* The number of runs so far. Also records that a run adds one. */
static rv_var run_count(rv_tape *tape)
{
    rv_var count = rv_state(tape, count_name, RV_SHAPE(2), rv_init_constant(0));
    rv_var next = rv_shift(rv_slice_axis(count, 0, 0, 1), 1);
    rv_var below = rv_less(next, rv_scalar(tape, base));
    rv_var high = rv_add(rv_slice_axis(count, 0, 1, 1), rv_one_minus(below));
    rv_assign(count, rv_concat((rv_var[]){rv_multiply(next, below), high}, 2, 0));
    return count;
}

bool rv_random_is_count(const rv_entry *entry) { return strcmp(entry->name, count_name) == 0; }

int64_t rv_random_count(const rv_store *store)
{
    const rv_entry *count = rv_store_find(store, count_name);
    if (!count || rv_tensor_count(&count->tensor) != 2) return 0;
    return (int64_t)(rv_tensor_get(&count->tensor, 0) + rv_tensor_get(&count->tensor, 1) * base);
}

void rv_random_set_count(rv_store *store, int64_t runs)
{
    rv_entry *count = rv_store_find(store, count_name);
    if (!count || rv_tensor_count(&count->tensor) != 2) return;
    rv_tensor_set(&count->tensor, 0, (double)(runs % (int64_t)base));
    rv_tensor_set(&count->tensor, 1, (double)(runs / (int64_t)base));
}

rv_var rv_random(rv_tape *tape, const char *name, rv_shape shape)
{
    if (!tape) return (rv_var){NULL, -1};
    if (!name)
        return rv_tape_fail(tape, RV_ERROR_NAME, "random: no name; give each use one of its own");
    random_attr attr = {rv_seed(rv_store_seed(rv_tape_store(tape)), name), {.rank = shape.rank}};
    for (int64_t d = 0; d < shape.rank && d < RV_MAX_RANK; d++) attr.shape.dim[d] = shape.dim[d];
    rv_var count = run_count(tape);
    return rv_record(tape, &rv_op_random_uniform, &attr, sizeof attr, &count, 1);
}

/* ---- dropout ---- */

static bool check_rate(rv_var x, double rate)
{
    if (rate >= 0 && rate < 1) return true;
    rv_tape_fail(x.tape, RV_ERROR_ARGUMENT,
                 "dropout: rate %g, expected at least 0 and less than 1; it is the probability "
                 "that an element is dropped",
                 rate);
    return false;
}

/* x / (1 - rate) where u, uniform in 0 .. 1, is below 1 - rate, else 0 x. */
static rv_var drop(rv_var x, rv_var u, double rate)
{
    if (!check_rate(x, rate)) return (rv_var){x.tape, -1};
    rv_var kept = rv_less(u, rv_scalar(x.tape, 1 - rate));
    return rv_multiply(x, rv_scale(kept, 1 / (1 - rate)));
}

rv_var rv_dropout(rv_var x, double rate, const char *name)
{
    if (rv_is_null(x) || rate == 0) return x;
    if (!check_rate(x, rate)) return (rv_var){x.tape, -1};
    return drop(x, rv_random(x.tape, name, rv_shape_of(x)), rate);
}

static const rv_option dropout_options[] = {
    {"rate", RV_OPTION_NUMBER, true, NAN, "the probability that an element is dropped, in [0, 1)"},
    {"name", RV_OPTION_WORD, false, NAN, "of the draw that u is; absent: u is the second input"}};

static rv_var call_dropout(rv_arguments *a)
{
    const double rate = rv_option_number(a, 0);
    const char *name = a->value[1].word;
    if (a->inputs == 1 && name) return rv_dropout(a->x[0], rate, name);
    if (a->inputs == 2 && !name) return drop(a->x[0], a->x[1], rate);
    return rv_tape_fail(
        a->x[0].tape, RV_ERROR_ARGUMENT,
        "dropout: %d input(s) %s a name; give either x and the name of a draw, or x "
        "and u",
        a->inputs, name ? "and" : "without");
}

static void dropout_reference(const rv_call *c)
{
    const double rate = ((const rv_option_value *)c->attr)->number;
    for (int64_t i = 0; i < rv_shape_count(c->out_type.shape); i++)
        rv_result(c, i, rv_operand(c, 0, i) * (rv_operand(c, 1, i) < 1 - rate) / (1 - rate));
}

static const rv_sample dropout_samples[] = {
    {.in = {{2, {3, 5}}, {2, {3, 5}}},
     .inputs = 2,
     .low = 0,
     .high = 1,
     RV_GIVEN(RV_NUMBER(0.4), RV_ABSENT)},
    {.in = {{1, {3}}},
     .inputs = 1,
     .error = "1 input without a name",
     RV_GIVEN(RV_NUMBER(0.4), RV_ABSENT)},
    {.in = {{1, {3}}, {1, {3}}},
     .inputs = 2,
     .error = "rate 1, expected",
     RV_GIVEN(RV_NUMBER(1), RV_ABSENT)},
};

const rv_op rv_op_dropout = {
    .name = "dropout",
    .args = "x ...",
    .formula = "y = x (u < 1 - rate) / (1 - rate)",
    .doc = "drops elements at random; u, of x's shape, is drawn, or the second input",
    .kind = RV_OP_COMPOSITE,
    .inputs = -1,
    .reference = dropout_reference,
    .call = call_dropout,
    RV_OPTIONS(dropout_options),
    .linear = 1,
    RV_SAMPLES(dropout_samples)};
