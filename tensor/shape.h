/* Shapes: up to six dimensions, row-major, every dimension at least 1. */
#ifndef RV_TENSOR_SHAPE_H
#define RV_TENSOR_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RV_MAX_RANK = 6 };

typedef struct rv_shape {
    int64_t rank;             /* 0 for a scalar */
    int64_t dim[RV_MAX_RANK]; /* outermost first; unused ones are 0 */
} rv_shape;

/* RV_SHAPE(32, 1, 8, 8) is the shape [32,1,8,8]; RV_SCALAR is []. */
#ifdef __cplusplus
extern "C++" {
/* C++ has no compound literals; it counts a parameter pack. */
template <class... Dim> constexpr rv_shape rv_make_shape(Dim... dim)
{
    return rv_shape{sizeof...(dim), {static_cast<int64_t>(dim)...}};
}
}
#define RV_SHAPE(...) (rv_make_shape(__VA_ARGS__))
#define RV_SCALAR (rv_make_shape())
#else
#define RV_DIMS(...) ((int64_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))
#define RV_SHAPE(...) ((rv_shape){.rank = RV_DIMS(__VA_ARGS__), .dim = {__VA_ARGS__}})
#define RV_SCALAR ((rv_shape){.rank = 0})
#endif

bool rv_shape_equal(rv_shape a, rv_shape b);

/* The number of elements; 0 for a shape that rv_shape_check refuses. */
int64_t rv_shape_count(rv_shape shape);

/* Checks that rank and dimensions are in range and that count * item_size fits in PTRDIFF_MAX.
 * *bytes, unless NULL, becomes that product. RV_ERROR_SHAPE otherwise. */
bool rv_shape_check(rv_shape shape, size_t item_size, size_t *bytes, rv_error *error);

/* Writes "[32,1,8,8]" to `text` and returns it. */
enum { RV_SHAPE_TEXT = 128 };
const char *rv_shape_text(rv_shape shape, char text[RV_SHAPE_TEXT]);

#ifdef __cplusplus
}
#endif

#endif
