/* A source made of two or three arrays: interprets their types and shapes, and reads samples. */
#include "data/files/array.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "data/files/classes.h"
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
                   "\"%s\" has %" PRId64 " byte(s) after its header; expected %zu for shape %s of "
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
                           "\"%s\": element %" PRId64 " is not an integer of 32 bits",
                           array->input.name, first + done + bad);
        }
        done += n;
    }
    return true;
}

/* Extends *range by elements first .. first+count-1. Fails, with a hint, if one is below `least` or
 * not below `most`. */
static bool scan(const rv_array *array, int64_t first, int64_t count, const char *what,
                 int64_t least, int64_t most, const char *hint, rv_label_range *range,
                 rv_error *error)
{
    int32_t value[PIECE / 8];
    for (int64_t at = first; at < first + count;) {
        int64_t left = first + count - at, n = left < PIECE / 8 ? left : PIECE / 8;
        if (!rv_array_read(array, at, n, RV_I32, 1, value, error)) return false;
        for (int64_t i = 0; i < n; i++) {
            if (value[i] < least || value[i] >= most) {
                return rv_fail(error, RV_ERROR_FORMAT,
                               "\"%s\": element %" PRId64 " is the %s %" PRId32
                               "; expected %" PRId64 " to %" PRId64 "%s",
                               array->input.name, at + i, what, value[i], least, most - 1,
                               value[i] == -1 || value[i] == -100 ? hint : "");
            }
            rv_label_range_add(range, value[i]);
        }
        at += n;
    }
    return true;
}

/* The number of classes of labels or tokens [n] or, with `steps`, [n,steps]; values beyond the end
 * of a sequence do not count. */
static bool count_classes(const rv_array *array, int64_t steps, const rv_array *length,
                          const char *what, int64_t given, rv_label_range *range, int64_t *classes,
                          rv_error *error)
{
    int64_t most, total = rv_shape_count(array->shape);
    bool ends = steps > 0 && length->input.name;
    int64_t rows = ends ? array->shape.dim[0] : 1, width = total / rows;
    const char *hint = steps > 0 && !ends ? ": if it marks padding, add an array of lengths" : "";
    *range = (rv_label_range){0};
    if (!rv_classes_most(given, what, &most, error)) return false;
    for (int64_t i = 0; i < rows; i++) {
        int32_t end = 0;
        if (ends && !rv_array_read(length, i, 1, RV_I32, 1, &end, error)) return false;
        if (!scan(array, i * width, ends ? width / steps * end : width, what, 0, most, hint, range,
                  error)) {
            return false;
        }
    }
    return rv_classes_of(range, given, what, array->input.name, classes, error);
}

static rv_shape without_first(rv_shape shape)
{
    rv_shape sample = {.rank = shape.rank - 1};
    memcpy(sample.dim, shape.dim + 1, (size_t)sample.rank * sizeof *sample.dim);
    return sample;
}

static bool is_bytes(const rv_array *x)
{
    return x->element.kind == RV_UNSIGNED && x->element.size == 1;
}

/* Whether y holds labels, one or one per step. */
static bool holds_labels(const rv_array *y, const rv_file_options *options)
{
    return !options->numbers && (y->element.kind != RV_FLOAT || options->classes != 0);
}

/* ---- samples ---- */

typedef enum form { FORM_FEATURES, FORM_IMAGE, FORM_SEQUENCE, FORM_UNCLEAR } form;

/* What a sample of x is, judged by the shapes alone. */
static form form_of(const rv_array *x, const rv_array *y, const rv_file_options *options)
{
    const int64_t *d = x->shape.dim + 1, rank = x->shape.rank - 1;
    bool labels = holds_labels(y, options);
    bool per_step = rank >= 1 && y->shape.rank >= 2 && d[0] > 1 && y->shape.dim[1] == d[0];
    if (rank >= 4 || options->targets == RV_TARGETS_PER_STEP) return FORM_SEQUENCE;
    if (options->targets == RV_TARGETS_PER_SAMPLE) per_step = false;
    bool image = rank == 2 ? d[1] > 1 && (d[0] == d[1] || is_bytes(x)) : rank == 3 && d[0] <= 4;
    if (per_step && labels) return FORM_SEQUENCE;
    if (per_step) return rank < 2 || image ? FORM_UNCLEAR : FORM_SEQUENCE;
    if (rank < 2) return FORM_FEATURES;
    return image ? FORM_IMAGE : rank == 2 && d[1] == 1 ? FORM_SEQUENCE : FORM_UNCLEAR;
}

static bool fail_unclear(const rv_array *x, const rv_array *y, rv_error *error)
{
    char has[RV_SHAPE_TEXT], other[RV_SHAPE_TEXT];
    const int64_t *d = x->shape.dim + 1, rank = x->shape.rank - 1;
    return rv_fail(error, RV_ERROR_ARGUMENT,
                   "\"%s\" is %s with targets %s, which may be %s or sequences of %" PRId64
                   " step(s): set `sequence`, or set `shape` to that of %s%s",
                   x->input.name, rv_shape_text(x->shape, has), rv_shape_text(y->shape, other),
                   rank < 2 ? "rows of numbers" : "images", d[0],
                   rank < 2 ? "a row" : "an image, as channels, height, width",
                   rank == 3 && d[2] <= 4 ? "; channels come first: numpy.moveaxis(x, 3, 1)" : "");
}

/* Chooses sequence and shape of x. */
static bool shape_x(rv_source *s, const rv_array *x, const rv_array *y,
                    const rv_file_options *options, bool ends, rv_error *error)
{
    s->x = without_first(x->shape);
    s->sequence = options->sequence || ends;
    if (options->shape.rank > 0) return rv_source_reshape(s, options->shape, error);
    form chosen = s->sequence ? FORM_SEQUENCE : form_of(x, y, options);
    if (chosen == FORM_UNCLEAR) return fail_unclear(x, y, error);
    s->sequence = chosen == FORM_SEQUENCE;
    if (s->x.rank == 0) s->x = RV_SHAPE(1);
    if (chosen == FORM_IMAGE && s->x.rank == 2) s->x = RV_SHAPE(1, s->x.dim[0], s->x.dim[1]);
    return true;
}

static bool describe_x(rv_source *s, const arrays *a, const rv_file_options *options,
                       rv_error *error)
{
    const rv_array *x = &a->x;
    rv_label_range range;
    s->x_type = RV_F32;
    s->reading.divisor = 1;
    s->reading.type = rv_element_name(x->element);
    bool tokens = s->sequence && s->x.rank == 1 && x->element.kind != RV_FLOAT;
    if (tokens && options->divisor == 0) {
        s->x_type = RV_I32;
        return count_classes(x, s->x.dim[0], &a->length, "token", options->tokens, &range,
                             &s->tokens, error);
    }
    if (options->tokens != 0) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "\"%s\" does not hold tokens; expected integers [samples,steps] and "
                       "sequence, or tokens 0",
                       x->input.name);
    }
    bool image = s->x.rank - s->sequence >= 2;
    if (options->divisor != 0)
        s->reading.divisor = options->divisor;
    else if (image && is_bytes(x) && !x->bits)
        s->reading.divisor = 255;
    return true;
}

/* ---- targets ---- */

static bool describe_numbers(rv_source *s, const rv_array *y, bool as_many,
                             const rv_file_options *options, rv_error *error)
{
    char text[RV_SHAPE_TEXT];
    s->y_type = RV_F32;
    s->each_step = as_many && options->targets != RV_TARGETS_PER_SAMPLE;
    if (s->y.rank == 0) s->y = RV_SHAPE(1);
    return options->targets != RV_TARGETS_PER_STEP || s->each_step ||
           rv_fail(error, RV_ERROR_FORMAT,
                   "\"%s\" is %s; expected a target for each of the steps of x", y->input.name,
                   rv_shape_text(y->shape, text));
}

static bool describe_labels(rv_source *s, const arrays *a, bool as_many,
                            const rv_file_options *options, rv_error *error)
{
    char text[RV_SHAPE_TEXT];
    rv_label_range range;
    const rv_array *y = &a->y;
    s->y_type = RV_I32;
    s->each_step = as_many && options->targets != RV_TARGETS_PER_SAMPLE;
    while (s->y.rank > s->each_step && s->y.dim[s->y.rank - 1] == 1) s->y.rank--;
    if (s->y.rank != s->each_step || (options->targets == RV_TARGETS_PER_STEP && !s->each_step)) {
        return rv_fail(error, RV_ERROR_FORMAT,
                       "\"%s\" has labels of shape %s; expected [samples], or [samples,steps] for "
                       "a sequence; numbers must be floats, or set `numbers`",
                       y->input.name, rv_shape_text(y->shape, text));
    }
    bool ok = count_classes(y, s->each_step ? s->x.dim[0] : 0, &a->length, "label",
                            options->classes, &range, &s->classes, error);
    s->reading.least = range.least;
    return ok;
}

static bool describe_y(rv_source *s, const arrays *a, const rv_file_options *options,
                       rv_error *error)
{
    s->y = without_first(a->y.shape);
    bool as_many = s->sequence && s->y.rank >= 1 && s->x.rank >= 1 && s->y.dim[0] == s->x.dim[0];
    if (options->numbers && options->classes != 0) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%" PRId64 " class(es) of numbers; expected 0 with numbers",
                       options->classes);
    }
    return holds_labels(&a->y, options) ? describe_labels(s, a, as_many, options, error)
                                        : describe_numbers(s, &a->y, as_many, options, error);
}

static bool describe_length(rv_source *s, const rv_array *length, rv_error *error)
{
    rv_label_range range = {0};
    if (!length->input.name) return true;
    s->lengths = true;
    if (length->element.kind == RV_FLOAT || length->shape.rank != 1 || s->x.rank < 1) {
        return rv_fail(error, RV_ERROR_FORMAT,
                       "\"%s\" does not hold lengths; expected integers [samples]",
                       length->input.name);
    }
    if (!scan(length, 0, length->shape.dim[0], "length", 1, s->x.dim[0] + 1, "", &range, error)) {
        return false;
    }
    s->reading.shortest = range.least;
    s->reading.longest = range.above - 1;
    return true;
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
    const int64_t count = other->input.name ? other->shape.dim[0] : x->shape.dim[0];
    if (x->shape.dim[0] == count) return true;
    return rv_fail(error, RV_ERROR_FORMAT,
                   "\"%s\" has %" PRId64 " sample(s), but \"%s\" has %" PRId64 "; %s",
                   x->input.name, x->shape.dim[0], other->input.name, count,
                   x->shape.rank > 1 && x->shape.dim[1] == count
                       ? "samples come first, then time: swapaxes(0, 1)"
                       : "do they belong to the same data set?");
}

static bool read_sample(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                        int32_t *length, rv_error *error)
{
    (void)epoch;
    const arrays *a = s->context;
    int64_t nx = rv_shape_count(s->x), ny = rv_shape_count(s->y);
    return rv_array_read(&a->x, index * nx, nx, s->x_type, 1 / s->reading.divisor, x, error) &&
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

static bool check_options(const rv_file_options *options, rv_error *error)
{
    return options->divisor == 0 || (isfinite(options->divisor) && options->divisor > 0) ||
           rv_fail(error, RV_ERROR_ARGUMENT, "a divisor of %g; expected a finite number above 0",
                   options->divisor);
}

bool rv_source_arrays(rv_source *source, rv_array *x, rv_array *y, rv_array *length,
                      const char *format, const rv_file_options *options, rv_error *error)
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
    static const rv_file_options none = {0};
    if (!options) options = &none;
    source->reading.format = format;
    source->count = a->x.shape.dim[0];
    bool ok = has_samples(&a->x, error) && has_samples(&a->y, error) &&
              has_samples(&a->length, error) && same_count(&a->x, &a->y, error) &&
              same_count(&a->x, &a->length, error) && check_options(options, error) &&
              shape_x(source, &a->x, &a->y, options, a->length.input.name, error) &&
              describe_length(source, &a->length, error) && describe_x(source, a, options, error) &&
              describe_y(source, a, options, error) && rv_source_check(source, error);
    if (!ok) rv_source_close(source);
    return ok;
}

bool rv_source_pair(rv_source *source, const char *format, const char *x_path, const char *y_path,
                    bool (*read_header)(rv_array *array, rv_error *error),
                    const rv_file_options *options, rv_error *error)
{
    *source = (rv_source){0};
    uint64_t cache = rv_input_cache(options ? options->cache_bytes : 0);
    rv_array x = {0}, y = {0}, none = {0};
    if (rv_input_open(&x.input, x_path, cache, false, error) && read_header(&x, error) &&
        rv_input_open(&y.input, y_path, cache, false, error) && read_header(&y, error))
        return rv_source_arrays(source, &x, &y, &none, format, options, error);
    rv_array_close(&x);
    rv_array_close(&y);
    return false;
}
