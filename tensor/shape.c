/* Compares, checks and prints shapes. */
#include "tensor/shape.h"

#include <inttypes.h>
#include <stdio.h>

static bool rank_in_range(rv_shape shape) { return shape.rank >= 0 && shape.rank <= RV_MAX_RANK; }

bool rv_shape_equal(rv_shape a, rv_shape b)
{
    if (a.rank != b.rank || !rank_in_range(a)) return false;
    for (int64_t i = 0; i < a.rank; i++) {
        if (a.dim[i] != b.dim[i]) return false;
    }
    return true;
}

int64_t rv_shape_count(rv_shape shape)
{
    int64_t count = rank_in_range(shape);
    for (int64_t i = 0; count && i < shape.rank; i++) {
        if (shape.dim[i] < 1 || __builtin_mul_overflow(count, shape.dim[i], &count)) return 0;
    }
    return count;
}

bool rv_shape_check(rv_shape shape, size_t item_size, size_t *bytes, rv_error *error)
{
    char text[RV_SHAPE_TEXT];
    if (!rank_in_range(shape)) {
        return rv_fail(error, RV_ERROR_SHAPE,
                       "a shape of %" PRId64 " dimension(s); expected 0 to %d: reshape to fewer",
                       shape.rank, (int)RV_MAX_RANK);
    }
    size_t product = item_size ? item_size : 1; /* so that the count is bounded, too */
    for (int64_t i = 0; i < shape.rank; i++) {
        if (shape.dim[i] < 1) {
            return rv_fail(error, RV_ERROR_SHAPE,
                           "shape %s: dimension %" PRId64 " is %" PRId64 "; expected at least 1",
                           rv_shape_text(shape, text), i, shape.dim[i]);
        }
        if (__builtin_mul_overflow(product, (uint64_t)shape.dim[i], &product) ||
            product > PTRDIFF_MAX) {
            return rv_fail(error, RV_ERROR_SHAPE,
                           "shape %s of %zu-byte elements is larger than an address space; "
                           "use smaller dimensions",
                           rv_shape_text(shape, text), item_size);
        }
    }
    if (bytes) {
        *bytes = item_size ? product : 0;
    }
    return true;
}

const char *rv_shape_text(rv_shape shape, char text[RV_SHAPE_TEXT])
{
    if (!text) return "";
    if (!rank_in_range(shape)) {
        snprintf(text, RV_SHAPE_TEXT, "[rank %" PRId64 "]", shape.rank);
        return text;
    }
    /* Six dimensions of at most 20 characters, 5 commas, 2 brackets, NUL: 128. */
    size_t used = 0;
    text[used++] = '[';
    for (int64_t i = 0; i < shape.rank; i++) {
        int wrote = snprintf(text + used, RV_SHAPE_TEXT - used, i > 0 ? ",%" PRId64 : "%" PRId64,
                             shape.dim[i]);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
    text[used++] = ']';
    text[used] = '\0';
    return text;
}
