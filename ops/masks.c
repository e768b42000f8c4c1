/* Masks: whole numbers as rows of 1 and 0. Composites that compare each number with 0, 1, 2, ... */
#include "ops/descriptors.h"
#include "ops/index.h"
#include "ops/ops.h"

/* The numbers as x [..,1], to be compared with *all = 0 .. width-1; both null on error. */
static rv_var against(rv_var x, int64_t width, const char *op, rv_var *all)
{
    rv_error error = {0};
    rv_tensor numbers = {0};
    rv_tape *tape = x.tape;
    rv_shape column = rv_shape_of(x);
    *all = (rv_var){tape, -1};
    if (rv_is_null(x)) return x;
    if (width < 1)
        return rv_tape_fail(tape, RV_ERROR_ARGUMENT, "%s: rows of %lld, expected at least 1", op,
                            (long long)width);
    if (column.rank == RV_MAX_RANK)
        return rv_tape_fail(tape, RV_ERROR_SHAPE,
                            "%s: numbers of rank %d leave no axis for the rows; reshape them first",
                            op, RV_MAX_RANK);
    if (!rv_tensor_new(&numbers, rv_tape_dtype(tape), RV_SHAPE(width), &error))
        return rv_tape_fail(tape, error.code, "%s: %s", op, error.text);
    for (int64_t i = 0; i < width; i++) rv_tensor_set(&numbers, i, (double)i);
    *all = rv_constant(tape, &numbers);
    rv_tensor_free(&numbers);
    column.dim[column.rank++] = 1;
    return rv_reshape(rv_cast(x, rv_tape_dtype(tape)), column);
}

/* ---- one_hot ---- */

rv_var rv_one_hot(rv_var labels, int64_t classes)
{
    rv_var all, label = against(labels, classes, "one_hot", &all);
    return rv_equal(label, all);
}

static rv_var build_one_hot(const rv_var *x, const void *attr)
{
    (void)attr;
    return rv_one_hot(x[0], 4);
}

static void one_hot_reference(const rv_call *c)
{
    for (int64_t i = 0; i < rv_shape_count(c->out_type.shape); i++)
        rv_result(c, i, rv_operand(c, 0, i / 4) == (double)(i % 4));
}

static const rv_sample one_hot_samples[] = {
    {.in = {{1, {6}}}, .low = 0, .high = 4, .integer = 1},
    {.in = {{0}}, .low = 2, .high = 2, .integer = 1},
    {.in = {{3, {2, 3, 2}}}, .low = -1, .high = 4, .integer = 1},
    {.in = {{6, {1, 1, 1, 1, 1, 1}}}, .integer = 1, .error = "leave no axis"},
};

const rv_op rv_op_one_hot = {
    .name = "one_hot",
    .args = "labels",
    .formula = "y[..,k] = labels[..] = k ? 1 : 0",
    .doc = "class labels as rows of 0 and 1; a label outside 0 .. classes-1 gives zeros",
    .kind = RV_OP_COMPOSITE,
    .inputs = 1,
    .reference = one_hot_reference,
    .build = build_one_hot,
    .zero_gradient = true,
    RV_SAMPLES(one_hot_samples)};

/* ---- sequence_mask ---- */

rv_var rv_sequence_mask(rv_var lengths, int64_t steps)
{
    rv_var all, length = against(lengths, steps, "sequence_mask", &all);
    return rv_less(all, length);
}

static rv_var build_sequence_mask(const rv_var *x, const void *attr)
{
    (void)attr;
    return rv_sequence_mask(x[0], 5);
}

static void sequence_mask_reference(const rv_call *c)
{
    for (int64_t i = 0; i < rv_shape_count(c->out_type.shape); i++)
        rv_result(c, i, (double)(i % 5) < rv_operand(c, 0, i / 5));
}

static const rv_sample sequence_mask_samples[] = {
    {.in = {{1, {7}}}, .low = 0, .high = 6, .integer = 1},
    {.in = {{1, {7}}}, .low = 0, .high = 6},
    {.in = {{6, {1, 1, 1, 1, 1, 1}}}, .error = "leave no axis"},
};

const rv_op rv_op_sequence_mask = {.name = "sequence_mask",
                                   .args = "lengths",
                                   .formula = "y[..,t] = t < lengths[..] ? 1 : 0",
                                   .doc = "which steps belong to sequences of these lengths",
                                   .kind = RV_OP_COMPOSITE,
                                   .inputs = 1,
                                   .reference = sequence_mask_reference,
                                   .build = build_sequence_mask,
                                   .zero_gradient = true,
                                   RV_SAMPLES(sequence_mask_samples)};
