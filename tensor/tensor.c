/* Creates, accesses, copies and frees tensors. */
#include "tensor/tensor.h"

#include <math.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/needs_internal.h"

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    [RV_F32] = {"f32", sizeof(float)},
    [RV_F64] = {"f64", sizeof(double)},
    [RV_I32] = {"i32", sizeof(int32_t)},
};

enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

static bool dtype_in_range(rv_dtype dtype) { return (unsigned)dtype < DTYPES; }

size_t rv_dtype_size(rv_dtype dtype) { return dtype_in_range(dtype) ? dtypes[dtype].size : 0; }

const char *rv_dtype_name(rv_dtype dtype)
{
    return dtype_in_range(dtype) ? dtypes[dtype].name : "unknown";
}

bool rv_dtype_parse(const char *name, rv_dtype *dtype, rv_error *error)
{
    if (!RV_NEEDS(error, dtype)) return false;
    for (int i = 0; name && i < DTYPES; i++) {
        if (strcmp(name, dtypes[i].name) == 0) {
            *dtype = (rv_dtype)i;
            return true;
        }
    }
    return rv_fail(error, RV_ERROR_DTYPE, "unknown dtype \"%s\"; expected f32, f64 or i32",
                   name ? name : "(null)");
}

bool rv_dtype_check(rv_dtype dtype, rv_error *error)
{
    return dtype_in_range(dtype) ||
           rv_fail(error, RV_ERROR_DTYPE, "dtype number %d; expected RV_F32, RV_F64 or RV_I32",
                   (int)dtype);
}

bool rv_tensor_check(const rv_tensor *tensor, rv_error *error)
{
    if (!RV_NEEDS(error, tensor)) return false;
    return rv_dtype_check(tensor->dtype, error) &&
           rv_shape_check(tensor->shape, rv_dtype_size(tensor->dtype), NULL, error) &&
           (tensor->data ||
            rv_fail(error, RV_ERROR_ARGUMENT, "a tensor without data; make it with rv_tensor_new"));
}

bool rv_tensor_new(rv_tensor *tensor, rv_dtype dtype, rv_shape shape, rv_error *error)
{
    if (!RV_NEEDS(error, tensor)) return false;
    *tensor = (rv_tensor){0};
    size_t bytes;
    if (!rv_dtype_check(dtype, error) ||
        !rv_shape_check(shape, rv_dtype_size(dtype), &bytes, error)) {
        return false;
    }
    void *data = rv_alloc(bytes, 1);
    if (!data) {
        char text[RV_SHAPE_TEXT];
        return rv_fail(
            error, RV_ERROR_MEMORY,
            "out of memory for a tensor %s %s (%zu byte(s)); use smaller shapes or batches",
            rv_dtype_name(dtype), rv_shape_text(shape, text), bytes);
    }
    *tensor = (rv_tensor){.dtype = dtype, .shape = shape, .data = data};
    return true;
}

void rv_tensor_free(rv_tensor *tensor)
{
    if (tensor) {
        rv_free(tensor->data);
        *tensor = (rv_tensor){0};
    }
}

int64_t rv_tensor_count(const rv_tensor *tensor)
{
    return tensor ? rv_shape_count(tensor->shape) : 0;
}

size_t rv_tensor_bytes(const rv_tensor *tensor)
{
    return tensor ? (size_t)rv_tensor_count(tensor) * rv_dtype_size(tensor->dtype) : 0;
}

double rv_tensor_get(const rv_tensor *tensor, int64_t index)
{
    if (!tensor || !tensor->data) return NAN;
    switch (tensor->dtype) {
    case RV_F32: return (double)((const float *)tensor->data)[index];
    case RV_F64: return ((const double *)tensor->data)[index];
    case RV_I32: return (double)((const int32_t *)tensor->data)[index];
    }
    return NAN;
}

/* In C, converting a double that does not fit is undefined. */
static int32_t to_i32(double value)
{
    if (isnan(value)) return 0;
    if (value <= INT32_MIN) return INT32_MIN;
    return value >= INT32_MAX ? INT32_MAX : (int32_t)value;
}

void rv_tensor_set(rv_tensor *tensor, int64_t index, double value)
{
    if (!tensor || !tensor->data) return;
    switch (tensor->dtype) {
    case RV_F32: ((float *)tensor->data)[index] = (float)value; break;
    case RV_F64: ((double *)tensor->data)[index] = value; break;
    case RV_I32: ((int32_t *)tensor->data)[index] = to_i32(value); break;
    }
}

void rv_tensor_fill(rv_tensor *tensor, double value)
{
    int64_t count = rv_tensor_count(tensor);
    for (int64_t i = 0; i < count; i++) {
        rv_tensor_set(tensor, i, value);
    }
}

rv_extent rv_tensor_extent(const rv_tensor *tensor)
{
    static const rv_tensor none = {.shape = {.rank = -1}};
    if (!rv_tensor_check(tensor, NULL)) tensor = &none;
    rv_extent e = {.count = rv_tensor_count(tensor), .first = -1, .low = NAN, .high = NAN};
    for (int64_t i = 0; i < e.count; i++) {
        double value = rv_tensor_get(tensor, i);
        if (isfinite(value)) {
            e.low = fmin(e.low, value);
            e.high = fmax(e.high, value);
            continue;
        }
        if (e.first < 0) e.first = i;
        e.nans += isnan(value);
        e.infinities += !isnan(value);
    }
    return e;
}

bool rv_tensor_copy(rv_tensor *to, const rv_tensor *from, rv_error *error)
{
    if (!rv_tensor_check(to, error) || !rv_tensor_check(from, error)) return false;
    if (!rv_shape_equal(to->shape, from->shape)) {
        char source[RV_SHAPE_TEXT], target[RV_SHAPE_TEXT];
        return rv_fail(
            error, RV_ERROR_SHAPE,
            "cannot copy a tensor of shape %s to one of shape %s; the shapes must be equal",
            rv_shape_text(from->shape, source), rv_shape_text(to->shape, target));
    }
    if (to->dtype == from->dtype) {
        memmove(to->data, from->data, rv_tensor_bytes(from));
        return true;
    }
    /* A double represents every value of every dtype exactly, so each value is rounded once. */
    int64_t count = rv_tensor_count(from);
    for (int64_t i = 0; i < count; i++) {
        rv_tensor_set(to, i, rv_tensor_get(from, i));
    }
    return true;
}
