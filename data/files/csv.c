/* CSV: one sample per line. The text is parsed once; the numbers stay in memory. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/files/classes.h"
#include "data/files.h"
#include "data/files/input.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"
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

/* A field, without the blanks and quotes around it. */
typedef struct field {
    const char *text;
    size_t length;
    bool last; /* of its line */
    bool open; /* it starts with a quote, but does not end with one */
} field;

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* A line ends with \n, \r\n or \r. */
static bool at_line_end(const parser *p)
{
    return p->at == p->end || *p->at == '\n' || *p->at == '\r';
}

static bool at_separator(const parser *p)
{
    return p->separator == ' ' ? is_blank(*p->at) : *p->at == p->separator;
}

static void skip_blanks(parser *p)
{
    while (!at_line_end(p) && is_blank(*p->at) && (p->separator == ' ' || !at_separator(p))) {
        p->at++;
    }
}

/* Moves behind the closing quote of a quoted field, in which "" stands for a quote. */
static bool skip_quoted(parser *p)
{
    for (p->at++; !at_line_end(p); p->at++) {
        if (*p->at != '"') continue;
        p->at++;
        if (at_line_end(p) || *p->at != '"') return true;
    }
    return false;
}

/* p->at moves past the field's separator or the end of its line. */
static field next_field(parser *p)
{
    skip_blanks(p);
    const char *from = p->at, *to;
    bool quote = !at_line_end(p) && *p->at == '"', quoted = quote && skip_quoted(p);
    if (quoted) {
        to = p->at;
        bool parted = at_line_end(p) || is_blank(*p->at);
        skip_blanks(p);
        quoted = p->separator == ' ' ? parted : at_line_end(p) || at_separator(p);
    }
    if (!quoted) {
        while (!at_line_end(p) && !at_separator(p)) p->at++;
        for (to = p->at; to > from && is_blank(to[-1]);) to--;
    }
    if (p->separator == ' ') skip_blanks(p);
    bool last = at_line_end(p);
    if (!last && p->separator != ' ') p->at++;
    if (last && p->at < p->end && *p->at++ == '\r' && p->at < p->end && *p->at == '\n') p->at++;
    return (field){from + quoted, (size_t)(to - from) - 2 * quoted, last, quote && !quoted};
}

/* Accepts digits, sign, point and exponent only: not the hexadecimal numbers and names that strtod
 * knows. */
static bool number_of(field f, double *number)
{
    char text[LONGEST_FIELD + 1], *end;
    if (f.length == 0 || f.length > LONGEST_FIELD) return false;
    memcpy(text, f.text, f.length);
    text[f.length] = '\0';
    if (strspn(text, "0123456789+-.eE") != f.length) return false;
    *number = rv_number(text, &end);
    return *end == '\0';
}

static bool fail_field(const parser *p, int64_t column, field f, const char *expected,
                       rv_error *error)
{
    return rv_fail(error, RV_ERROR_FORMAT,
                   "\"%s\" line %" PRId64 ", column %" PRId64 ": \"%.*s\"%s; expected %s", p->name,
                   p->line, column, (int)(f.length < 60 ? f.length : 60), f.text,
                   f.length == 0 ? ", an empty field" : "", expected);
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
    int64_t count = 1;
    while (!next_field(p).last) count++;
    p->line++;
    return count;
}

/* Whether the field is empty or says that there is no finite number. */
static bool is_missing(field f)
{
    static const char *const words[] = {"nan", "inf", "infinity", "na", "n/a", "null", "none", "?"};
    if (f.length > 0 && (*f.text == '-' || *f.text == '+')) f.text++, f.length--;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == f.length && strncasecmp(words[i], f.text, f.length) == 0)
            return true;
    return f.length == 0;
}

/* Whether the line is a header: one of its fields is neither a number nor missing. A line with a
 * quote that does not close is none: it is to be reported. */
static bool is_header(parser p)
{
    field f;
    double number;
    bool header = false;
    do {
        f = next_field(&p);
        if (f.open) return false;
        header = header || (!number_of(f, &number) && !is_missing(f));
    } while (!f.last);
    return header;
}

/* The first of tab, semicolon and comma that line 1 has outside of quotes, or else a blank. */
static char separator_of(parser p)
{
    static const char candidates[] = "\t;,";
    bool seen[3] = {false}, quoted = false;
    for (; !at_line_end(&p) || (quoted && p.at < p.end); p.at++) {
        if (*p.at == '"') quoted = !quoted;
        const char *found = quoted || *p.at == '\0' ? NULL : strchr(candidates, *p.at);
        if (found) seen[found - candidates] = true;
    }
    for (int i = 0; i < 3; i++)
        if (seen[i]) return candidates[i];
    return ' ';
}

static bool parse_label(const parser *p, int64_t column, field f, double number, int64_t most,
                        int32_t *label, rv_error *error)
{
    if (number >= 0 && number < (double)most && number == floor(number)) {
        *label = (int32_t)number;
        return true;
    }
    char expected[120];
    snprintf(expected, sizeof expected, "a label, an integer from 0 to %" PRId64 "%s", most - 1,
             most == RV_MOST_CLASSES ? ": set `numbers` if they are quantities" : "");
    return fail_field(p, column, f, expected, error);
}

/* Parses a line: the numbers into `values`, the label into `label` or, as a number, into `y`. */
static bool parse_line(parser *p, int64_t fields, int64_t label_at, int64_t most, float *values,
                       int32_t *label, float *y, rv_error *error)
{
    field f = {0};
    for (int64_t column = 1; !f.last; column++) {
        double number;
        f = next_field(p);
        if (f.last ? column != fields : column >= fields) {
            return rv_fail(error, RV_ERROR_FORMAT,
                           "\"%s\" line %" PRId64 " has %s fields than the %" PRId64
                           " of the first line of numbers; expected the same number in each",
                           p->name, p->line, column < fields ? "fewer" : "more", fields);
        }
        bool word = !number_of(f, &number);
        if (word || !isfinite((float)number)) {
            return fail_field(p, column, f,
                              !word || is_missing(f) ? "a number that f32 can hold"
                              : column == label_at   ? "a number; classes are 0, 1, .."
                                                     : "a number; leave out columns of words",
                              error);
        }
        if (column != label_at) {
            *values++ = (float)number;
        } else if (y) {
            *y = (float)number;
        } else if (!parse_label(p, column, f, number, most, label, error)) {
            return false;
        }
    }
    p->line++;
    return true;
}

static int64_t count_lines(const parser *p)
{
    int64_t lines = 1;
    const char *last = p->end;
    while (last > p->at && (last[-1] == '\n' || last[-1] == '\r')) last--;
    for (const char *at = p->at; at < last; at++)
        lines += *at == '\n' || (*at == '\r' && at[1] != '\n');
    return lines;
}

/* Skips a header; finds the number of fields and the label's column. */
static bool measure(parser *p, rv_reading *reading, const rv_file_options *options, int64_t *fields,
                    rv_error *error)
{
    reading->header = options->header != 0 ? options->header > 0 : is_header(*p);
    if (reading->header) count_fields(p);
    if (at_end(p)) {
        return rv_fail(error, RV_ERROR_FORMAT, "\"%s\" has no lines of numbers", p->name);
    }
    parser first = *p;
    *fields = count_fields(&first);
    reading->label = options->label != 0 ? options->label : *fields;
    if (*fields < 2) {
        return rv_fail(error, RV_ERROR_FORMAT,
                       "\"%s\" line %" PRId64
                       " has 1 field; expected numbers and a label: is the separator right?",
                       p->name, p->line);
    }
    if (reading->label < 1 || reading->label > *fields) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "\"%s\": label column %" PRId64 "; expected 1 to %" PRId64, p->name,
                       reading->label, *fields);
    }
    return true;
}

static bool parse(parser *p, csv *c, rv_source *s, const rv_file_options *options, rv_error *error)
{
    int64_t fields = 0, most = 0;
    if (!measure(p, &s->reading, options, &fields, error)) return false;
    if (!rv_classes_most(options->classes, "label", &most, error)) return false;
    /* Every valid line has at least two bytes per field, which bounds the memory before parsing. */
    int64_t lines = count_lines(p), most_lines = (p->end - p->at) / (2 * fields) + 1;
    int64_t count = lines < most_lines ? lines : most_lines, columns = fields - 1;
    uint64_t bytes = 0, cache = rv_input_cache(options->cache_bytes);
    if (__builtin_mul_overflow((uint64_t)count, (uint64_t)fields * sizeof(float), &bytes) ||
        bytes > cache) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "\"%s\": %" PRId64 " line(s) of %" PRId64
                       " number(s) take more than the cache of %" PRIu64
                       " byte(s): convert it to .npy, or give a larger `cache`",
                       p->name, count, fields, cache);
    }
    c->values = rv_alloc((size_t)count * (size_t)columns, sizeof *c->values);
    c->labels = rv_alloc((size_t)count, sizeof(float));
    if (!c->values || !c->labels) return rv_fail_memory(error);
    rv_label_range range = {0};
    int32_t *label = c->labels;
    float *y = c->labels;
    s->reading.divisor = options->divisor != 0 ? options->divisor : 1;
    double scale = 1 / s->reading.divisor;
    for (int64_t i = 0; i < count; i++) {
        float *row = c->values + i * columns;
        if (!parse_line(p, fields, s->reading.label, most, row, label + i,
                        options->numbers ? y + i : NULL, error)) {
            return false;
        }
        for (int64_t j = 0; j < columns; j++) row[j] = (float)(row[j] * scale);
        if (!options->numbers) rv_label_range_add(&range, label[i]);
    }
    s->count = count;
    s->x_type = RV_F32;
    s->x = options->sequence ? RV_SHAPE(columns, 1) : RV_SHAPE(columns);
    s->sequence = options->sequence;
    s->y_type = options->numbers ? RV_F32 : RV_I32;
    s->y = options->numbers ? RV_SHAPE(1) : RV_SCALAR;
    s->reading.separator = p->separator;
    s->reading.least = range.least;
    return options->numbers ||
           rv_classes_of(&range, options->classes, "label", p->name, &s->classes, error);
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

static bool check_options(const rv_file_options *options, rv_error *error)
{
    if (options->classes != 0 && options->numbers) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%" PRId64 " class(es) of numbers; expected 0 with numbers",
                       options->classes);
    }
    if (!isfinite(options->divisor) || options->divisor < 0) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "a divisor of %g; expected a finite number above 0", options->divisor);
    }
    if (options->separator != '\0' && strchr("\n\r\"+-.0123456789eE", options->separator)) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "the separator '%c'; expected one that cannot be part of a number",
                       options->separator);
    }
    return true;
}

static bool parse_input(csv *c, rv_input_file *input, rv_source *s, const rv_file_options *options,
                        rv_error *error)
{
    const char *text = (const char *)input->bytes;
    parser p = {.name = input->name, .at = text, .end = text + input->size, .line = 1};
    if (input->size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) p.at += 3;
    if (input->size >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0))
        return rv_fail(error, RV_ERROR_FORMAT, "\"%s\" is in UTF-16; save it in UTF-8",
                       input->name);
    p.separator = options->separator != '\0' ? options->separator : separator_of(p);
    s->reading.format = "CSV";
    bool ok = parse(&p, c, s, options, error);
    c->name = input->name;
    input->name = NULL;
    return ok;
}

bool rv_source_csv(rv_source *source, const char *path, const rv_file_options *options,
                   rv_error *error)
{
    if (!RV_NEEDS(error, source, path)) return false;
    *source = (rv_source){0};
    rv_file_options chosen = options ? *options : (rv_file_options){0};
    if (!check_options(&chosen, error)) return false;
    csv *c = rv_alloc(1, sizeof *c);
    if (!c) return rv_fail_memory(error);
    *source = (rv_source){.read = read_row, .close = close_csv, .context = c};
    rv_input_file input;
    bool ok = rv_input_open(&input, path, rv_input_cache(chosen.cache_bytes), true, error) &&
              parse_input(c, &input, source, &chosen, error);
    rv_input_close(&input);
    source->name = c->name;
    ok = ok && rv_source_reshape(source, chosen.shape, error) && rv_source_check(source, error);
    if (!ok) rv_source_close(source);
    return ok;
}
