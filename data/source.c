/* Checks of sources: the fields once, the samples as they are read. */
#include "data/source.h"

#include <inttypes.h>
#include <math.h>

#include "tensor/needs_internal.h"

/* Checks the dimensions, type and number of classes of x or y. */
static bool check_side(const rv_source *s, const char *side, rv_dtype type, rv_shape shape,
                       int64_t classes, rv_error *error)
{
    char text[RV_SHAPE_TEXT];
    if (type != RV_F32 && type != RV_I32) {
        return rv_fail(error, RV_ERROR_ARGUMENT, "%s: %s of type %d; expected f32 or i32", s->name,
                       side, (int)type);
    }
    if (!rv_shape_check(shape, rv_dtype_size(type), NULL, error)) return false;
    if (shape.rank >= RV_MAX_RANK) {
        return rv_fail(error, RV_ERROR_SHAPE,
                       "%s: a sample's %s of shape %s; expected at most %d dimension(s)", s->name,
                       side, rv_shape_text(shape, text), RV_MAX_RANK - 1);
    }
    if (classes < 0 || classes > INT32_MAX || (classes > 0 && type != RV_I32)) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s: %s is %s, one of %" PRId64
                       "; expected i32 for integers from 0, at most %" PRId32 " of them",
                       s->name, side, rv_dtype_name(type), classes, INT32_MAX);
    }
    return true;
}

static bool check_time(const rv_source *s, rv_error *error)
{
    char x[RV_SHAPE_TEXT], y[RV_SHAPE_TEXT];
    if (s->sequence && (s->x.rank < 1 || s->x.dim[0] > INT32_MAX)) {
        return rv_fail(error, RV_ERROR_SHAPE,
                       "%s: a sequence of shape %s; expected time steps as its first dimension",
                       s->name, rv_shape_text(s->x, x));
    }
    if ((s->each_step || s->lengths) && !s->sequence) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s: each_step or lengths without `sequence`; set it", s->name);
    }
    if (s->each_step && (s->y.rank < 1 || s->y.dim[0] != s->x.dim[0])) {
        return rv_fail(error, RV_ERROR_SHAPE,
                       "%s: y of shape %s for every step of x %s; expected equally many time steps",
                       s->name, rv_shape_text(s->y, y), rv_shape_text(s->x, x));
    }
    return true;
}

bool rv_source_check(const rv_source *s, rv_error *error)
{
    if (!RV_NEEDS(error, s)) return false;
    if (!s->name || !s->read) {
        return rv_fail(error, RV_ERROR_ARGUMENT, "a source without %s; set it",
                       !s->name ? "a name" : "read");
    }
    if (s->count < 1) {
        return rv_fail(error, RV_ERROR_ARGUMENT, "%s: %" PRId64 " sample(s); expected at least 1",
                       s->name, s->count);
    }
    if (s->alphabet && s->tokens == 0) {
        return rv_fail(error, RV_ERROR_ARGUMENT, "%s: an alphabet without tokens; set tokens",
                       s->name);
    }
    if (s->y_type == RV_I32 && s->classes == 0) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s: y is i32 with classes 0; expected f32, or the number of classes",
                       s->name);
    }
    return check_side(s, "x", s->x_type, s->x, s->tokens, error) &&
           check_side(s, "y", s->y_type, s->y, s->classes, error) && check_time(s, error);
}

/* A comparison instead of isfinite, and no early exit: the loop vectorizes. */
static bool all_finite(const float *value, int64_t count)
{
    int bad = 0;
    for (int64_t i = 0; i < count; i++) {
        bad |= !(fabsf(value[i]) <= 3.40282347e+38f);
    }
    return !bad;
}

static bool all_below(const int32_t *value, int64_t count, int64_t bound)
{
    int bad = 0;
    for (int64_t i = 0; i < count; i++) {
        bad |= (uint32_t)value[i] >= (uint32_t)bound;
    }
    return !bad;
}

/* Checks that the first `count` values are finite numbers, or tokens or labels in 0 .. bound-1, if
 * there is a bound. */
static bool check_values(const rv_source *s, int64_t index, const char *side, rv_dtype type,
                         int64_t count, const void *values, int64_t bound, rv_error *error)
{
    if (type == RV_F32) {
        const float *value = values;
        if (all_finite(value, count)) return true;
        int64_t at = 0;
        while (isfinite(value[at])) at++;
        return rv_fail(error, RV_ERROR_FORMAT,
                       "%s: sample %" PRId64 ": value %" PRId64 " of %s is %g; expected a finite "
                       "number: fix or remove the sample",
                       s->name, index, at, side, (double)value[at]);
    }
    const int32_t *value = values;
    if (bound == 0 || all_below(value, count, bound)) return true;
    int64_t at = 0;
    while (value[at] >= 0 && value[at] < bound) at++;
    return rv_fail(error, RV_ERROR_FORMAT,
                   "%s: sample %" PRId64 ": value %" PRId64 " of %s is %" PRId32
                   "; expected 0 to %" PRId64,
                   s->name, index, at, side, value[at], bound - 1);
}

/* Sets values [steps,...] from step `length` on that check_values would refuse to 0. Returns the
 * number of values before. */
static int64_t clean_end(rv_dtype type, rv_shape shape, int32_t length, void *values, int64_t bound)
{
    int64_t count = rv_shape_count(shape), kept = count / shape.dim[0] * length;
    float *number = values;
    int32_t *token = values;
    for (int64_t i = kept; i < count; i++) {
        if (type == RV_F32 && !isfinite(number[i])) number[i] = 0;
        if (type == RV_I32 && bound > 0 && (token[i] < 0 || token[i] >= bound)) token[i] = 0;
    }
    return kept;
}

bool rv_source_read(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                    int32_t *length, rv_error *error)
{
    if (!rv_source_check(s, error) || !RV_NEEDS(error, x, y, length)) return false;
    if (index < 0 || index >= s->count) {
        return rv_fail(error, RV_ERROR_ARGUMENT, "%s: sample %" PRId64 "; expected 0 to %" PRId64,
                       s->name, index, s->count - 1);
    }
    int32_t steps = s->sequence ? (int32_t)s->x.dim[0] : 1;
    *length = steps;
    rv_error why;
    why.code = RV_OK;
    if (!s->read(s, epoch, index, x, y, length, &why) || why.code) {
        return why.code ? rv_fail(error, why.code, "%s", why.text)
                        : rv_fail(error, RV_ERROR_ARGUMENT,
                                  "%s: sample %" PRId64 ": its read function failed "
                                  "without an error; report one by rv_fail",
                                  s->name, index);
    }
    if (*length < 1 || *length > steps || (!s->lengths && *length != steps)) {
        return rv_fail(error, RV_ERROR_FORMAT,
                       "%s: sample %" PRId64 ": a length of %" PRId32
                       " time step(s); expected %s%" PRId32,
                       s->name, index, *length, s->lengths ? "1 to " : "", steps);
    }
    int64_t nx = rv_shape_count(s->x), ny = rv_shape_count(s->y);
    if (s->lengths) nx = clean_end(s->x_type, s->x, *length, x, s->tokens);
    if (s->lengths && s->each_step) ny = clean_end(s->y_type, s->y, *length, y, s->classes);
    return check_values(s, index, "x", s->x_type, nx, x, s->tokens, error) &&
           check_values(s, index, "y", s->y_type, ny, y, s->classes, error);
}

bool rv_source_reshape(rv_source *s, rv_shape shape, rv_error *error)
{
    if (!RV_NEEDS(error, s)) return false;
    char has[RV_SHAPE_TEXT], asked[RV_SHAPE_TEXT];
    if (shape.rank == 0) return true;
    if (shape.rank < 0 || shape.rank >= RV_MAX_RANK || !rv_shape_check(shape, 4, NULL, error) ||
        rv_shape_count(shape) != rv_shape_count(s->x)) {
        return rv_fail(error, RV_ERROR_SHAPE,
                       "%s: samples of %s cannot take the `shape` %s; expected as many numbers",
                       s->name, rv_shape_text(s->x, has), rv_shape_text(shape, asked));
    }
    s->x = shape;
    return true;
}

void rv_source_close(rv_source *source)
{
    if (!source) return;
    if (source->close) {
        source->close(source);
    }
    *source = (rv_source){0};
}
