/* A source of two tensors. */
#include "data/tensors.h"

#include <inttypes.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/needs_internal.h"

typedef struct tensors {
    rv_tensor x, y;
} tensors;

static bool read_row(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                     int32_t *length, rv_error *error)
{
    (void)epoch;
    (void)length;
    (void)error;
    const tensors *t = s->context;
    size_t nx = rv_tensor_bytes(&t->x) / (size_t)s->count;
    size_t ny = rv_tensor_bytes(&t->y) / (size_t)s->count;
    memcpy(x, (const char *)t->x.data + (size_t)index * nx, nx);
    memcpy(y, (const char *)t->y.data + (size_t)index * ny, ny);
    return true;
}

static void close_tensors(rv_source *s)
{
    tensors *t = s->context;
    rv_tensor_free(&t->x);
    rv_tensor_free(&t->y);
    rv_free(t);
}

static rv_shape sample_of(rv_shape shape, bool number)
{
    rv_shape sample = {.rank = shape.rank - 1};
    memcpy(sample.dim, shape.dim + 1, (size_t)sample.rank * sizeof *sample.dim);
    return sample.rank == 0 && number ? RV_SHAPE(1) : sample;
}

/* Labels are checked before the conversion to i32, which would hide fractions and overflow. */
static bool check_labels(const rv_tensor *y, int64_t classes, rv_error *error)
{
    int64_t count = rv_tensor_count(y);
    for (int64_t i = 0; i < count; i++) {
        double label = rv_tensor_get(y, i);
        if (label >= 0 && label < (double)classes && label == (double)(int64_t)label) continue;
        return rv_fail(error, RV_ERROR_FORMAT,
                       "element %" PRId64 " of y is %g; expected a label, 0 to %" PRId64, i, label,
                       classes - 1);
    }
    return true;
}

static bool copy(rv_tensor *to, const rv_tensor *from, rv_dtype type, rv_error *error)
{
    return rv_tensor_new(to, type, from->shape, error) && rv_tensor_copy(to, from, error);
}

bool rv_source_tensors(rv_source *source, const rv_tensor *x, const rv_tensor *y, int64_t classes,
                       rv_error *error)
{
    if (!RV_NEEDS(error, source)) return false;
    *source = (rv_source){0};
    if (!rv_tensor_check(x, error) || !rv_tensor_check(y, error)) return false;
    char has[RV_SHAPE_TEXT], other[RV_SHAPE_TEXT];
    if (x->shape.rank < 1 || y->shape.rank < 1 || x->shape.dim[0] != y->shape.dim[0]) {
        return rv_fail(error, RV_ERROR_SHAPE,
                       "x of shape %s and y of shape %s; expected the same number of samples "
                       "as the first dimension of both",
                       rv_shape_text(x->shape, has), rv_shape_text(y->shape, other));
    }
    if (classes < 0 || classes > INT32_MAX) {
        return rv_fail(error, RV_ERROR_ARGUMENT, "%" PRId64 " class(es); expected 0 to %" PRId32,
                       classes, INT32_MAX);
    }
    if (classes > 0 && !check_labels(y, classes, error)) return false;
    tensors *t = rv_alloc(1, sizeof *t);
    if (!t) return rv_fail_memory(error);
    *source = (rv_source){
        .name = "tensors",
        .count = x->shape.dim[0],
        .x_type = x->dtype == RV_I32 ? RV_I32 : RV_F32,
        .y_type = classes > 0 ? RV_I32 : RV_F32,
        .x = sample_of(x->shape, true),
        .y = sample_of(y->shape, classes == 0),
        .classes = classes,
        .read = read_row,
        .close = close_tensors,
        .context = t,
    };
    bool ok = copy(&t->x, x, source->x_type, error) && copy(&t->y, y, source->y_type, error) &&
              rv_source_check(source, error);
    if (!ok) rv_source_close(source);
    return ok;
}
