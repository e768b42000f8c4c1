#include "data/feed.h"

static bool feed(rv_program *program, const char *name, const rv_tensor *value, rv_error *error)
{
    return rv_program_input(program, name) == NULL || rv_feed(program, name, value, error);
}

bool rv_feed_batch(rv_program *program, const rv_batch *batch, rv_error *error)
{
    if (program == NULL) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "feed: the program is NULL; see what rv_tape_error says of its tape");
    }
    return batch != NULL && feed(program, "x", &batch->x, error) &&
           feed(program, "y", &batch->y, error) && feed(program, "length", &batch->length, error);
}
