/* A source made of two or three arrays: interprets their types and shapes, and reads samples. */
#include "data/files/array.h"

#include <inttypes.h>
#include <string.h>

#include "tensor/memory.h"

enum { PIECE = 1 << 13 }; /* bytes */

typedef struct arrays {
    rv_array x, y, length;
} arrays;

void rv_array_close(rv_array *array)
{
    rv_input_close(&array->input);
    array->shape = RV_SCALAR;
}

bool rv_array_check(const rv_array *array, rv_error *error)
{
    char text[RV_SHAPE_TEXT];
    size_t bytes;
    rv_error shape = {0};
    const char *name = array->input.name;
    if (!rv_shape_check(array->shape, (size_t)array->element.size, &bytes, &shape)) {
        return rv_fail(error, RV_ERROR_FORMAT, "\"%s\": %s", name, shape.text);
    }
    int64_t left = array->input.size - array->offset;
    if ((uint64_t)left == bytes) return true;
    return rv_fail(error, RV_ERROR_FORMAT,
                   "\"%s\" has %" PRId64 " bytes after its header; expected %zu for shape %s of "
                   "%d-byte numbers: the file is truncated, or its header is wrong",
                   name, left, bytes, rv_shape_text(array->shape, text), array->element.size);
}

/* Reads in pieces that fit on the stack. */
bool rv_array_read(const rv_array *array, int64_t first, int64_t count, rv_dtype type, double scale,
                   void *to, rv_error *error)
{
    unsigned char bytes[PIECE];
    int64_t size = array->element.size, most = PIECE / size;
    for (int64_t done = 0; done < count;) {
        int64_t n = count - done < most ? count - done : most;
        if (!rv_input_read(&array->input, array->offset + (first + done) * size, bytes,
                           (size_t)(n * size), error)) {
            return false;
        }
        int64_t bad = rv_element_read(array->element, bytes, n, type, scale,
                                      (char *)to + (size_t)done * rv_dtype_size(type));
        if (bad >= 0) {
            return rv_fail(error, RV_ERROR_FORMAT,
                           "\"%s\": element %" PRId64 " is an integer that does not fit in 32 bits",
                           array->input.name, first + done + bad);
        }
        done += n;
    }
    return true;
}

/* *above becomes the largest value + 1. Fails if a value is negative or not below `most`. */
static bool largest(const rv_array *array, const char *what, int64_t most, int64_t *above,
                    rv_error *error)
{
    int32_t value[PIECE / 8];
    int64_t count = rv_shape_count(array->shape);
    *above = 0;
    for (int64_t at = 0; at < count;) {
        int64_t n = count - at < PIECE / 8 ? count - at : PIECE / 8;
        if (!rv_array_read(array, at, n, RV_I32, 1, value, error)) return false;
        for (int64_t i = 0; i < n; i++) {
            if (value[i] < 0 || value[i] >= most) {
                return rv_fail(error, RV_ERROR_FORMAT,
                               "\"%s\": element %" PRId64 " is the %s %" PRId32
                               "; expected 0 to %" PRId64,
                               array->input.name, at + i, what, value[i], most - 1);
            }
            if (value[i] >= *above) *above = (int64_t)value[i] + 1;
        }
        at += n;
    }
    return true;
}

/* The number of tokens or classes: `given`, or if that is 0 the largest value + 1. */
static bool count_classes(const rv_array *array, const char *what, int64_t given, int64_t *classes,
                          rv_error *error)
{
    if (given < 0 || given > RV_MOST_CLASSES) {
        return rv_fail(error, RV_ERROR_ARGUMENT, "%" PRId64 " %ss; expected 0 to %d", given, what,
                       RV_MOST_CLASSES);
    }
    if (!largest(array, what, given != 0 ? given : RV_MOST_CLASSES, classes, error)) return false;
    if (given != 0) *classes = given;
    return true;
}

static rv_shape without_first(rv_shape shape)
{
    rv_shape sample = {.rank = shape.rank - 1};
    memcpy(sample.dim, shape.dim + 1, (size_t)sample.rank * sizeof *sample.dim);
    return sample;
}

static bool describe_x(rv_source *s, const rv_array *x, const rv_array_options *options,
                       rv_error *error)
{
    s->x = without_first(x->shape);
    s->sequence = options->sequence;
    s->x_type = RV_F32;
    if (s->sequence && s->x.rank == 1 && x->element.kind != RV_FLOAT) {
        s->x_type = RV_I32;
        return count_classes(x, "token", options->tokens, &s->tokens, error);
    }
    if (options->tokens != 0) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "\"%s\" does not hold tokens; expected integers [samples,steps] and "
                       "sequence, or tokens 0",
                       x->input.name);
    }
    if (s->x.rank == 0) s->x = RV_SHAPE(1);
    if (s->x.rank == 2 && !s->sequence) s->x = RV_SHAPE(1, s->x.dim[0], s->x.dim[1]);
    return true;
}

static bool describe_y(rv_source *s, const rv_array *y, const rv_array_options *options,
                       rv_error *error)
{
    char text[RV_SHAPE_TEXT];
    s->y = without_first(y->shape);
    bool as_many = s->sequence && s->y.rank >= 1 && s->x.rank >= 1 && s->y.dim[0] == s->x.dim[0];
    if (y->element.kind == RV_FLOAT) {
        s->y_type = RV_F32;
        s->each_step = as_many && s->y.rank >= 2;
        if (s->y.rank == 0) s->y = RV_SHAPE(1);
        if (options->classes == 0) return true;
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "\"%s\" holds floats; expected integers as labels, or classes 0",
                       y->input.name);
    }
    s->y_type = RV_I32;
    s->each_step = as_many;
    if (s->y.rank == 0 || (s->y.rank == 1 && as_many)) {
        return count_classes(y, "label", options->classes, &s->classes, error);
    }
    return rv_fail(error, RV_ERROR_FORMAT,
                   "\"%s\" has labels of shape %s; expected [samples], or [samples,steps] for a "
                   "sequence; numbers must be floats",
                   y->input.name, rv_shape_text(y->shape, text));
}

static bool describe_length(rv_source *s, const rv_array *length, rv_error *error)
{
    if (!length->input.name) return true;
    s->lengths = true;
    int64_t above;
    if (length->element.kind == RV_FLOAT || length->shape.rank != 1 || s->x.rank < 1) {
        return rv_fail(error, RV_ERROR_FORMAT,
                       "\"%s\" does not hold lengths; expected integers [samples]",
                       length->input.name);
    }
    return largest(length, "length", s->x.dim[0] + 1, &above, error);
}

static bool has_samples(const rv_array *array, rv_error *error)
{
    return !array->input.name || array->shape.rank >= 1 ||
           rv_fail(error, RV_ERROR_FORMAT,
                   "\"%s\" has an array of rank 0; expected samples as the first dimension",
                   array->input.name);
}

static bool same_count(const rv_array *x, const rv_array *other, rv_error *error)
{
    if (!other->input.name || x->shape.dim[0] == other->shape.dim[0]) return true;
    return rv_fail(error, RV_ERROR_FORMAT,
                   "\"%s\" has %" PRId64 " samples, but \"%s\" has %" PRId64
                   "; do they belong to the same data set?",
                   x->input.name, x->shape.dim[0], other->input.name, other->shape.dim[0]);
}

static bool read_sample(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                        int32_t *length, rv_error *error)
{
    (void)epoch;
    const arrays *a = s->context;
    bool pixels =
        s->tokens == 0 && !a->x.bits && a->x.element.kind == RV_UNSIGNED && a->x.element.size == 1;
    int64_t nx = rv_shape_count(s->x), ny = rv_shape_count(s->y);
    return rv_array_read(&a->x, index * nx, nx, s->x_type, pixels ? 1.0 / 255 : 1, x, error) &&
           rv_array_read(&a->y, index * ny, ny, s->y_type, 1, y, error) &&
           (!s->lengths || rv_array_read(&a->length, index, 1, RV_I32, 1, length, error));
}

static void close_arrays(rv_source *s)
{
    arrays *a = s->context;
    rv_array_close(&a->x);
    rv_array_close(&a->y);
    rv_array_close(&a->length);
    rv_free(a);
}

bool rv_source_arrays(rv_source *source, rv_array *x, rv_array *y, rv_array *length,
                      const rv_array_options *options, rv_error *error)
{
    *source = (rv_source){0};
    arrays *a = rv_alloc(1, sizeof *a);
    if (!a) {
        rv_array_close(x);
        rv_array_close(y);
        rv_array_close(length);
        return rv_fail_memory(error);
    }
    *a = (arrays){*x, *y, *length};
    *source = (rv_source){
        .name = a->x.input.name, .read = read_sample, .close = close_arrays, .context = a};
    rv_array_options chosen = options ? *options : (rv_array_options){0};
    if (length->input.name) chosen.sequence = true;
    source->count = a->x.shape.dim[0];
    bool ok = has_samples(&a->x, error) && has_samples(&a->y, error) &&
              has_samples(&a->length, error) && same_count(&a->x, &a->y, error) &&
              same_count(&a->x, &a->length, error) && describe_x(source, &a->x, &chosen, error) &&
              describe_y(source, &a->y, &chosen, error) &&
              describe_length(source, &a->length, error) && rv_source_check(source, error);
    if (!ok) rv_source_close(source);
    return ok;
}

bool rv_source_pair(rv_source *source, const char *x_path, const char *y_path,
                    bool (*read_header)(rv_array *array, rv_error *error),
                    const rv_array_options *options, rv_error *error)
{
    *source = (rv_source){0};
    uint64_t cache = rv_input_cache(options ? options->cache_bytes : 0);
    rv_array x = {0}, y = {0}, none = {0};
    if (rv_input_open(&x.input, x_path, cache, false, error) && read_header(&x, error) &&
        rv_input_open(&y.input, y_path, cache, false, error) && read_header(&y, error))
        return rv_source_arrays(source, &x, &y, &none, options, error);
    rv_array_close(&x);
    rv_array_close(&y);
    return false;
}
