/* Masks: whole numbers as rows of 1 and 0. Composites that compare each number with 0, 1, 2, ... */
#include <math.h>

#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"

/* The numbers as x [..,1], to be compared with *all = 0 .. width-1; both null on error. */
static rv_var against(rv_var x, int64_t width, const char *op, rv_var *all)
{
    enum { LONGEST = 1 << 20 }; /* the numbers are a constant, kept on the tape */
    rv_error error = {0};
    rv_tensor numbers = {0};
    rv_tape *tape = x.tape;
    rv_shape column = rv_shape_of(x);
    *all = (rv_var){tape, -1};
    if (rv_is_null(x)) return x;
    if (width < 1 || width > LONGEST)
        return rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                            "%s: rows of %lld, expected 1 to %d; use fewer", op, (long long)width,
                            LONGEST);
    if (column.rank == RV_MAX_RANK)
        return rv_tape_fail(tape, RV_ERROR_SHAPE,
                            "%s: numbers of rank %d leave no axis for the rows; reshape them first",
                            op, RV_MAX_RANK);
    if (!rv_tensor_new(&numbers, rv_tape_dtype(tape), RV_SHAPE(width), &error))
        return rv_tape_fail(tape, error.code, "%s: %-s", op, error.text);
    for (int64_t i = 0; i < width; i++) rv_tensor_set(&numbers, i, (double)i);
    *all = rv_constant(tape, &numbers);
    rv_tensor_free(&numbers);
    column.dim[column.rank++] = 1;
    return rv_reshape(rv_cast(x, rv_tape_dtype(tape)), column);
}

/* For references: what the only option says. */
static int64_t row_length(const rv_call *c)
{
    const rv_option_value *length = c->attr;
    return (int64_t)length->number;
}

/* ---- one_hot ---- */

rv_var rv_one_hot(rv_var labels, int64_t classes)
{
    rv_var all, label = against(labels, classes, "one_hot", &all);
    return rv_equal(label, all);
}

static const rv_option one_hot_options[] = {
    {"classes", RV_OPTION_WHOLE, true, NAN, "the length of a row"}};

static rv_var call_one_hot(rv_arguments *a)
{
    return rv_one_hot(a->x[0], rv_option_positive(a, 0));
}

static void one_hot_reference(const rv_call *c)
{
    const int64_t classes = row_length(c);
    for (int64_t i = 0; i < rv_shape_count(c->out_type.shape); i++)
        rv_result(c, i, rv_operand(c, 0, i / classes) == (double)(i % classes));
}

#define ROWS_OF(n) RV_GIVEN(RV_NUMBER(n))
static const rv_sample one_hot_samples[] = {
    {.in = {{1, {6}}}, .low = 0, .high = 4, .integer = 1, ROWS_OF(4)},
    {.in = {{1, {6}}}, .low = 0, .high = 4, ROWS_OF(4)},
    {.in = {{0}}, .low = 2, .high = 2, .integer = 1, ROWS_OF(4)},
    {.in = {{3, {2, 3, 2}}}, .low = -1, .high = 4, .integer = 1, ROWS_OF(3)},
    {.in = {{6, {1, 1, 1, 1, 1, 1}}}, .integer = 1, .error = "leave no axis", ROWS_OF(4)},
    {.in = {{1, {6}}}, .integer = 1, .error = "expected 1 to 1048576", ROWS_OF(0x1p40)},
};

const rv_op rv_op_one_hot = {
    .name = "one_hot",
    .args = "labels",
    .formula = "y[..,k] = labels[..] = k ? 1 : 0",
    .doc = "class labels as rows of 0 and 1; a label outside 0 .. classes-1 gives zeros",
    .kind = RV_OP_COMPOSITE,
    .inputs = 1,
    .reference = one_hot_reference,
    .call = call_one_hot,
    RV_OPTIONS(one_hot_options),
    .zero_gradient = true,
    RV_SAMPLES(one_hot_samples)};

/* ---- sequence_mask ---- */

rv_var rv_sequence_mask(rv_var lengths, int64_t steps)
{
    rv_var all, length = against(lengths, steps, "sequence_mask", &all);
    return rv_less(all, length);
}

static const rv_option sequence_mask_options[] = {
    {"steps", RV_OPTION_WHOLE, true, NAN, "the length of a row"}};

static rv_var call_sequence_mask(rv_arguments *a)
{
    return rv_sequence_mask(a->x[0], rv_option_positive(a, 0));
}

static void sequence_mask_reference(const rv_call *c)
{
    const int64_t steps = row_length(c);
    for (int64_t i = 0; i < rv_shape_count(c->out_type.shape); i++)
        rv_result(c, i, (double)(i % steps) < rv_operand(c, 0, i / steps));
}

static const rv_sample sequence_mask_samples[] = {
    {.in = {{1, {7}}}, .low = 0, .high = 6, .integer = 1, ROWS_OF(5)},
    {.in = {{1, {7}}}, .low = 0, .high = 6, ROWS_OF(5)},
    {.in = {{6, {1, 1, 1, 1, 1, 1}}}, .error = "leave no axis", ROWS_OF(5)},
    {.in = {{1, {7}}}, .error = "less than 1", ROWS_OF(0)},
};

const rv_op rv_op_sequence_mask = {.name = "sequence_mask",
                                   .args = "lengths",
                                   .formula = "y[..,t] = t < lengths[..] ? 1 : 0",
                                   .doc = "which steps belong to sequences of these lengths",
                                   .kind = RV_OP_COMPOSITE,
                                   .inputs = 1,
                                   .reference = sequence_mask_reference,
                                   .call = call_sequence_mask,
                                   RV_OPTIONS(sequence_mask_options),
                                   .zero_gradient = true,
                                   RV_SAMPLES(sequence_mask_samples)};
