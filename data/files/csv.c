/* CSV: one sample per line. The text is parsed once; the numbers stay in memory. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/files.h"
#include "data/files/input.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"

enum { LONGEST_FIELD = 63 };

typedef struct csv {
    char *name;
    float *values; /* [count,columns], without the labels */
    void *labels;  /* i32 or f32 [count] */
} csv;

/* The text being parsed, and the position in it. */
typedef struct parser {
    const char *name;
    const char *at, *end;
    int64_t line; /* counted from 1 */
    char separator;
} parser;

typedef enum field_end { FIELD_MORE, FIELD_LAST } field_end;

/* The next field, without surrounding blanks; p->at moves past its separator or line end. */
static field_end next_field(parser *p, const char **field, size_t *length)
{
    const char *from = p->at;
    while (p->at < p->end && *p->at != p->separator && *p->at != '\n') p->at++;
    const char *to = p->at;
    field_end kind = p->at < p->end && *p->at == p->separator ? FIELD_MORE : FIELD_LAST;
    if (p->at < p->end) p->at++;
    while (from < to && (*from == ' ' || *from == '\t')) from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r')) to--;
    *field = from;
    *length = (size_t)(to - from);
    return kind;
}

/* Accepts digits, sign, point and exponent only: not the hexadecimal numbers and names that strtod
 * knows. */
static bool number_of(const char *field, size_t length, double *number)
{
    char text[LONGEST_FIELD + 1], *end;
    if (length == 0 || length > LONGEST_FIELD) return false;
    memcpy(text, field, length);
    text[length] = '\0';
    if (strspn(text, "0123456789+-.eE") != length) return false;
    *number = rv_number(text, &end);
    return *end == '\0';
}

static bool fail_field(const parser *p, int64_t column, const char *field, size_t length,
                       const char *expected, rv_error *error)
{
    return rv_fail(error, RV_ERROR_FORMAT,
                   "\"%s\" line %" PRId64 ", column %" PRId64 ": \"%.*s\"%s; expected %s", p->name,
                   p->line, column, (int)(length < 60 ? length : 60), field,
                   length == 0 ? ", an empty field" : "", expected);
}

/* Whether only line ends are left. */
static bool at_end(const parser *p)
{
    const char *at = p->at;
    while (at < p->end && (*at == '\n' || *at == '\r')) at++;
    return at == p->end;
}

/* Counts the fields of the next line and moves past it. */
static int64_t count_fields(parser *p)
{
    const char *field;
    size_t length;
    int64_t count = 1;
    while (next_field(p, &field, &length) == FIELD_MORE) count++;
    return count;
}

/* Whether the line is a header: one of its fields is not a number, NaN, infinity or empty. */
static bool is_header(parser p)
{
    const char *field;
    size_t length;
    double number;
    for (field_end end = FIELD_MORE; end == FIELD_MORE;) {
        end = next_field(&p, &field, &length);
        if (length == 0 || number_of(field, length, &number)) continue;
        bool nan = (length == 3 && strncasecmp(field, "nan", 3) == 0) ||
                   (length >= 3 && strncasecmp(field, "inf", 3) == 0);
        if (!nan) return true;
    }
    return false;
}

static bool parse_label(const parser *p, int64_t column, const char *field, size_t length,
                        double number, int64_t most, int32_t *label, rv_error *error)
{
    if (number >= 0 && number < (double)most && number == floor(number)) {
        *label = (int32_t)number;
        return true;
    }
    char expected[80];
    snprintf(expected, sizeof expected, "a label, an integer from 0 to %" PRId64, most - 1);
    return fail_field(p, column, field, length, expected, error);
}

/* Parses a line: the numbers into `values`, the label into `label` or, as a number, into `y`. */
static bool parse_line(parser *p, int64_t fields, int64_t label_at, int64_t most, float *values,
                       int32_t *label, float *y, rv_error *error)
{
    field_end end = FIELD_MORE;
    int64_t column = 0;
    while (end == FIELD_MORE) {
        const char *field;
        size_t length;
        double number;
        end = next_field(p, &field, &length);
        column++;
        if (end == FIELD_LAST ? column != fields : column >= fields) {
            return rv_fail(error, RV_ERROR_FORMAT,
                           "\"%s\" line %" PRId64 " has %s fields than the %" PRId64
                           " of the first line of numbers; expected the same number in each",
                           p->name, p->line, column < fields ? "fewer" : "more", fields);
        }
        if (!number_of(field, length, &number) || !isfinite((float)number)) {
            return fail_field(p, column, field, length, "a number that f32 can hold", error);
        }
        if (column != label_at) {
            *values++ = (float)number;
        } else if (y) {
            *y = (float)number;
        } else if (!parse_label(p, column, field, length, number, most, label, error)) {
            return false;
        }
    }
    p->line++;
    return true;
}

static int64_t count_lines(const parser *p)
{
    int64_t lines = 0;
    const char *at = p->at, *last = p->end;
    while (last > at && (last[-1] == '\n' || last[-1] == '\r')) last--;
    for (; at < last; lines++) {
        const char *newline = memchr(at, '\n', (size_t)(last - at));
        at = newline ? newline + 1 : last;
    }
    return lines;
}

/* Skips a header; finds the number of fields and the label's column. */
static bool measure(parser *p, const rv_csv_options *options, int64_t *fields, int64_t *label_at,
                    rv_error *error)
{
    if (is_header(*p)) {
        count_fields(p);
        p->line++;
    }
    if (at_end(p)) {
        return rv_fail(error, RV_ERROR_FORMAT, "\"%s\" has no lines of numbers", p->name);
    }
    parser first = *p;
    *fields = count_fields(&first);
    *label_at = options->label != 0 ? options->label : *fields;
    if (*fields < 2) {
        return rv_fail(error, RV_ERROR_FORMAT,
                       "\"%s\" line %" PRId64
                       " has 1 field; expected numbers and a label: is the separator right?",
                       p->name, p->line);
    }
    if (*label_at < 1 || *label_at > *fields) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "\"%s\": label column %" PRId64 "; expected 1 to %" PRId64, p->name,
                       *label_at, *fields);
    }
    return true;
}

static bool parse(parser *p, csv *c, rv_source *s, const rv_csv_options *options, rv_error *error)
{
    int64_t fields = 0, label_at = 0;
    if (!measure(p, options, &fields, &label_at, error)) return false;
    /* Every valid line has at least two bytes per field, which bounds the memory before parsing. */
    int64_t lines = count_lines(p), most_lines = (p->end - p->at) / (2 * fields) + 1;
    int64_t count = lines < most_lines ? lines : most_lines, columns = fields - 1;
    uint64_t bytes = 0, cache = rv_input_cache(options->cache_bytes);
    if (__builtin_mul_overflow((uint64_t)count, (uint64_t)fields * sizeof(float), &bytes) ||
        bytes > cache) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "\"%s\": %" PRId64 " lines of %" PRId64
                       " numbers take more than the cache of %" PRIu64
                       " bytes: convert it to .npy, or give a larger `cache`",
                       p->name, count, fields, cache);
    }
    c->values = rv_alloc((size_t)count * (size_t)columns, sizeof *c->values);
    c->labels = rv_alloc((size_t)count, sizeof(float));
    if (!c->values || !c->labels) return rv_fail_memory(error);
    int64_t most = options->classes != 0 ? options->classes : RV_MOST_CLASSES, above = 0;
    int32_t *label = c->labels;
    float *y = c->labels;
    double scale = options->scale != 0 ? options->scale : 1;
    for (int64_t i = 0; i < count; i++) {
        float *row = c->values + i * columns;
        if (!parse_line(p, fields, label_at, most, row, label + i, options->numbers ? y + i : NULL,
                        error)) {
            return false;
        }
        for (int64_t j = 0; j < columns; j++) row[j] = (float)(row[j] * scale);
        if (!options->numbers && label[i] >= above) above = (int64_t)label[i] + 1;
    }
    s->count = count;
    s->x_type = RV_F32;
    s->x = options->sequence ? RV_SHAPE(columns, 1) : RV_SHAPE(columns);
    s->sequence = options->sequence;
    s->y_type = options->numbers ? RV_F32 : RV_I32;
    s->y = options->numbers ? RV_SHAPE(1) : RV_SCALAR;
    s->classes = options->numbers ? 0 : options->classes != 0 ? options->classes : above;
    return true;
}

static bool read_row(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                     int32_t *length, rv_error *error)
{
    (void)epoch;
    (void)length;
    (void)error;
    const csv *c = s->context;
    int64_t columns = rv_shape_count(s->x);
    memcpy(x, c->values + index * columns, (size_t)columns * sizeof *c->values);
    memcpy(y, (const char *)c->labels + 4 * index, 4);
    return true;
}

static void close_csv(rv_source *s)
{
    csv *c = s->context;
    rv_free(c->name);
    rv_free(c->values);
    rv_free(c->labels);
    rv_free(c);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool check_options(const rv_csv_options *options, rv_error *error)
{
    if (options->classes < 0 || options->classes > RV_MOST_CLASSES ||
        (options->numbers && options->classes != 0)) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%" PRId64 " classes%s; expected 0 to %d, 0 with numbers", options->classes,
                       options->numbers ? " of numbers" : "", RV_MOST_CLASSES);
    }
    if (!isfinite(options->scale)) {
        return rv_fail(error, RV_ERROR_ARGUMENT, "a scale of %g; expected a finite number",
                       options->scale);
    }
    if (options->separator != '\0' && strchr("\n\r+-.0123456789eE", options->separator)) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "the separator '%c'; expected one that cannot be part of a number",
                       options->separator);
    }
    return true;
}

static bool parse_input(csv *c, rv_input_file *input, rv_source *s, const rv_csv_options *options,
                        rv_error *error)
{
    bool tabs = ends_with(input->name, ".tsv") || ends_with(input->name, ".tsv.gz");
    const char *text = (const char *)input->bytes;
    parser p = {.name = input->name, .at = text, .end = text + input->size, .line = 1};
    p.separator = options->separator != '\0' ? options->separator : tabs ? '\t' : ',';
    if (input->size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) p.at += 3;
    bool ok = parse(&p, c, s, options, error);
    c->name = input->name;
    input->name = NULL;
    return ok;
}

bool rv_source_csv(rv_source *source, const char *path, const rv_csv_options *options,
                   rv_error *error)
{
    *source = (rv_source){0};
    rv_csv_options chosen = options ? *options : (rv_csv_options){0};
    if (!check_options(&chosen, error)) return false;
    csv *c = rv_alloc(1, sizeof *c);
    if (!c) return rv_fail_memory(error);
    *source = (rv_source){.read = read_row, .close = close_csv, .context = c};
    rv_input_file input;
    bool ok = rv_input_open(&input, path, rv_input_cache(chosen.cache_bytes), true, error) &&
              parse_input(c, &input, source, &chosen, error);
    rv_input_close(&input);
    source->name = c->name;
    ok = ok && rv_source_check(source, error);
    if (!ok) rv_source_close(source);
    return ok;
}
