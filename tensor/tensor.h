/* A tensor: dtype, shape and row-major elements in 64-byte aligned storage. */
#ifndef RV_TENSOR_TENSOR_H
#define RV_TENSOR_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "shape.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rv_dtype { RV_F32 = 0, RV_F64 = 1, RV_I32 = 2 } rv_dtype;

size_t rv_dtype_size(rv_dtype dtype);                 /* bytes per element */
const char *rv_dtype_name(rv_dtype dtype);            /* "f32", "f64", "i32" */
bool rv_dtype_check(rv_dtype dtype, rv_error *error); /* RV_ERROR_DTYPE unless it is one of them */
bool rv_dtype_parse(const char *name, rv_dtype *dtype, rv_error *error);

typedef struct rv_tensor {
    rv_dtype dtype;
    rv_shape shape;
    void *data;
} rv_tensor;

/* Creates a tensor of zeros, to be freed by rv_tensor_free. On failure *tensor is {0}. */
bool rv_tensor_new(rv_tensor *tensor, rv_dtype dtype, rv_shape shape, rv_error *error);
void rv_tensor_free(rv_tensor *tensor); /* sets *tensor to {0}; accepts NULL and {0} */

/* Whether dtype and shape are in range and there is data: RV_ERROR_DTYPE, RV_ERROR_SHAPE,
 * RV_ERROR_ARGUMENT. Functions of tensors that have no error to report do nothing with others. That
 * the data has room for all elements cannot be checked: it must. */
bool rv_tensor_check(const rv_tensor *tensor, rv_error *error);

int64_t rv_tensor_count(const rv_tensor *tensor); /* number of elements */
size_t rv_tensor_bytes(const rv_tensor *tensor);

/* Element `index`, in row-major order, as a double. Setting an i32 truncates; a value that does not
 * fit becomes the nearest i32, NaN becomes 0. As for an array, the index is not checked: it must be
 * in 0 .. count-1. */
double rv_tensor_get(const rv_tensor *tensor, int64_t index);
void rv_tensor_set(rv_tensor *tensor, int64_t index, double value);
void rv_tensor_fill(rv_tensor *tensor, double value);

/* The range of the elements, and the number of those that are not finite. */
typedef struct rv_extent {
    int64_t count, nans, infinities;
    int64_t first;    /* index of the first NaN or infinity; -1: none */
    double low, high; /* of the finite elements; NAN if there are none */
} rv_extent;
rv_extent rv_tensor_extent(const rv_tensor *tensor);

/* Copies the elements, converting the dtype. RV_ERROR_SHAPE unless the shapes are equal. */
bool rv_tensor_copy(rv_tensor *to, const rv_tensor *from, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
