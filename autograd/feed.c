#include "autograd/feed.h"

/* The shape without its axes of size 1. */
static rv_shape without_ones(rv_shape shape)
{
    rv_shape rest = {0};
    for (int64_t d = 0; d < shape.rank; d++)
        if (shape.dim[d] != 1) rest.dim[rest.rank++] = shape.dim[d];
    return rest;
}

/* Whether first axis and number of elements agree, or all axes other than those of size 1. */
static bool fits(rv_shape input, rv_shape value)
{
    bool batch = input.rank && value.rank && input.dim[0] == value.dim[0] &&
                 rv_shape_count(input) == rv_shape_count(value);
    return batch || rv_shape_equal(without_ones(input), without_ones(value));
}

bool rv_feed(rv_program *program, const char *name, const rv_tensor *value, rv_error *error)
{
    rv_tensor *input = program && name ? rv_program_input(program, name) : NULL;
    if (!input || !value)
        return rv_fail(error, RV_ERROR_NAME, "feed: %s \"%.100s\"; %s",
                       input ? "no value for the input" : "the program has no input",
                       name ? name : "",
                       input ? "give a tensor" : "use the name given to rv_input");
    char seen[RV_SHAPE_TEXT], want[RV_SHAPE_TEXT];
    if (!rv_tensor_check(value, error)) return false;
    if (fits(input->shape, value->shape)) {
        rv_tensor same = {value->dtype, input->shape, value->data};
        return rv_tensor_copy(input, &same, error);
    }
    rv_shape fewer = value->shape; /* samples */
    if (fewer.rank && input->shape.rank && fewer.dim[0] < input->shape.dim[0])
        fewer.dim[0] = input->shape.dim[0];
    bool last = fits(input->shape, fewer);
    return rv_fail(error, RV_ERROR_SHAPE, "feed: input \"%.100s\" is %s, the value %s; %s", name,
                   rv_shape_text(input->shape, want), rv_shape_text(value->shape, seen),
                   last ? "give as many samples; a loader with drop_last leaves out a last batch "
                          "that is not full"
                        : "give one of the input's shape");
}

static bool feed_if_there(rv_program *program, const char *name, const rv_tensor *value,
                          rv_error *error)
{
    return !rv_program_input(program, name) || rv_feed(program, name, value, error);
}

bool rv_feed_batch(rv_program *program, const rv_batch *batch, rv_error *error)
{
    if (!program) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "feed: the program is NULL; see what rv_tape_error says of its tape");
    }
    return batch && feed_if_there(program, "x", &batch->x, error) &&
           feed_if_there(program, "y", &batch->y, error) &&
           feed_if_there(program, "length", &batch->length, error);
}
