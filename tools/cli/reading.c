#include "tools/cli/reading.h"

#include <inttypes.h>
#include <string.h>

#include "tensor/text_internal.h"
#include "tools/cli/json.h"
#include "tools/cli/say.h"

enum { LINE = 1024 };

static void put_numbers(rv_text *t, rv_shape shape, int64_t from)
{
    char text[RV_SHAPE_TEXT];
    rv_shape one = {.rank = shape.rank - from};
    if (one.rank > 0) memcpy(one.dim, shape.dim + from, (size_t)one.rank * sizeof *one.dim);
    int64_t count = rv_shape_count(one);
    if (one.rank > 1)
        rv_put(t, "%s", rv_shape_text(one, text));
    else
        rv_put(t, "%" PRId64 " number(s)", count);
}

/* "600 sequences of 12 steps of 1 number". */
static void put_samples(rv_text *t, const rv_source *s)
{
    char text[RV_SHAPE_TEXT];
    if (rv_source_is_text(s)) {
        rv_put(t, "%" PRId64 " window(s) of %" PRId64 " character(s), %" PRId64 " different one(s)",
               s->count, s->x.dim[0], s->tokens);
    } else if (s->tokens > 0) {
        rv_put(t, "%" PRId64 " sequence(s) of %" PRId64 " token(s), one of %" PRId64 " each",
               s->count, s->x.dim[0], s->tokens);
    } else if (s->sequence) {
        rv_put(t, "%" PRId64 " sequence(s) of %" PRId64 " step(s) of ", s->count, s->x.dim[0]);
        put_numbers(t, s->x, 1);
    } else if (s->x.rank == 3) {
        rv_put(t, "%" PRId64 " image(s) %s", s->count, rv_shape_text(s->x, text));
    } else {
        rv_put(t, "%" PRId64 " sample(s) of ", s->count);
        put_numbers(t, s->x, 0);
    }
}

static void put_targets(rv_text *t, const rv_source *s)
{
    if (rv_source_is_text(s)) return;
    rv_put(t, "; target: ");
    if (s->classes > 0)
        rv_put(t, "one of %" PRId64 " class(es)", s->classes);
    else
        put_numbers(t, s->y, s->each_step);
    if (s->each_step) rv_put(t, " at each step");
}

/* ---- what a file left open, and was not asked for ---- */

static void put_form(rv_text *t, const rv_source *s, const rv_data_config *c)
{
    char text[RV_SHAPE_TEXT];
    if (s->tokens > 0)
        rv_put(t, "; x holds tokens (--shape %" PRId64 ",1: numbers)", s->x.dim[0]);
    else if (s->sequence && !c->sequence && !s->lengths)
        rv_put(t, "; axis 1 of x is time (else give --shape)");
    else if (!s->sequence && !c->shape && rv_shape_count(s->x) > 1)
        rv_put(t, "; not a sequence (--sequence: axis 1 of x is time)");
    if (s->sequence && s->tokens == 0 && s->x.dim[0] == 1)
        rv_put(t,
               "; each sequence is a single time step: cut a long series into windows, one per "
               "%s, with y beside its steps",
               strcmp(s->reading.format, "CSV") == 0 ? "row" : "sample");
    if (s->each_step && s->classes == 0 && !c->targets)
        rv_put(t, "; a target per step (--targets sample: %s per sequence)",
               rv_shape_text(s->y, text));
}

static void put_targets_kind(rv_text *t, const rv_source *s, const rv_data_config *c)
{
    const rv_reading *r = &s->reading;
    if (s->classes > 0 && r->least > 0)
        rv_put(t, "; label 0 does not occur, the smallest is %" PRId64, r->least);
    if (s->classes > 0 && !c->classes) rv_put(t, "; y holds labels (--numbers: quantities)");
    if (s->classes == 0 && !c->numbers) rv_put(t, "; y holds quantities (--classes N: labels)");
}

static void put_table(rv_text *t, const rv_reading *r, const rv_data_config *c)
{
    char separator[] = {'"', r->separator, '"', '\0'};
    if (!c->separator && r->separator != ',')
        rv_put(t, "; fields between %s (--separator)",
               r->separator == '\t'  ? "tabs"
               : r->separator == ' ' ? "blanks"
                                     : separator);
    if (!c->header)
        rv_put(t, r->header ? "; line 1 is a header (--header no)"
                            : "; line 1 is a sample (--header yes)");
    if (!c->label) rv_put(t, "; y is the last column, %" PRId64 " (--label)", r->label);
}

static void put_scale(rv_text *t, const rv_source *s, const rv_data_config *c)
{
    const rv_reading *r = &s->reading;
    if (r->divisor != 1)
        rv_put(t, "; x is divided by %g%s", r->divisor, c->divide != 0 ? "" : " (--divide 1: not)");
    else if (r->type && strcmp(r->type, "u1") == 0 && s->tokens == 0 && c->divide == 0)
        rv_put(t, "; x holds bytes, not divided (--divide 255)");
}

static void put_choices(rv_text *t, const rv_source *s, const rv_data_config *c)
{
    const rv_reading *r = &s->reading;
    if (!r->format) return;
    if (strcmp(r->format, "text") != 0) {
        put_form(t, s, c);
        put_targets_kind(t, s, c);
    }
    if (strcmp(r->format, "CSV") == 0) put_table(t, r, c);
    put_scale(t, s, c);
    if (s->lengths)
        rv_put(t, "; the array of lengths gives %" PRId64 " to %" PRId64 " step(s)", r->shortest,
               r->longest);
    if (*r->skipped) rv_put(t, "; skipped: %s", r->skipped);
}

/* Prints "; a; b" as indented lines of about 100 columns. */
static void print_choices(FILE *out, const char *text)
{
    int column = 0;
    while (*text == ';') {
        text += 2;
        const char *next = strstr(text, "; ");
        int length = next ? (int)(next - text) : (int)strlen(text);
        bool started = column > 0, fits = started && column + length + 2 <= 100;
        column = fits ? column + length + 2 : 4 + length;
        say(out, "%-s%.*s", fits ? "; " : started ? "\n    " : "    ", length, text);
        text += length;
    }
    if (column > 0) putc('\n', out);
}

/* The file, or the task; for the built-in digits, which. */
static const char *name_of(const rv_source *s, const rv_data_config *c, char name[LINE])
{
    bool digits = !c->path && c->classes;
    rv_print(name, LINE, "%s%s%s", c->path ? c->path : s->name, digits ? " " : "",
             digits ? c->classes : "");
    return name;
}

static void print_line(FILE *out, const rv_source *s, const rv_train_config *c, const char *split)
{
    char name[LINE], line[LINE] = "";
    rv_text t = {line, line + LINE};
    put_samples(&t, s);
    put_targets(&t, s);
    say(out, "%s: %s%s\n", name_of(s, &c->data, name), line, split);
}

void reading_print(FILE *out, const rv_source *source, const rv_train_config *config)
{
    print_line(out, source, config, "");
}

void reading_print_run(FILE *out, const rv_trainer *trainer)
{
    const rv_setup *s = rv_trainer_setup(trainer);
    const rv_train_config *config = rv_trainer_config(trainer);
    char split[128], choices[LINE] = "";
    rv_text t = {choices, choices + LINE};
    if (s->validated)
        snprintf(split, sizeof split, "; %" PRId64 " for training, %" PRId64 " for validation",
                 s->part.count, s->validation.count);
    else
        snprintf(split, sizeof split, "; all for training and for validation");
    print_line(out, &s->data, config, split);
    put_choices(&t, &s->data, &config->data);
    print_choices(out, choices);
}

/* ---- JSON ---- */

static void add_reading(cJSON *object, const rv_source *s)
{
    const rv_reading *r = &s->reading;
    char separator[] = {r->separator, '\0'};
    cJSON_AddStringToObject(object, "format", r->format);
    if (r->type) cJSON_AddStringToObject(object, "type", r->type);
    cJSON_AddNumberToObject(object, "divisor", r->divisor);
    if (s->classes > 0) cJSON_AddNumberToObject(object, "least_label", (double)r->least);
    if (s->lengths) {
        cJSON_AddNumberToObject(object, "shortest", (double)r->shortest);
        cJSON_AddNumberToObject(object, "longest", (double)r->longest);
    }
    if (strcmp(r->format, "CSV") == 0) {
        cJSON_AddStringToObject(object, "separator", separator);
        cJSON_AddBoolToObject(object, "header", r->header);
        cJSON_AddNumberToObject(object, "label", (double)r->label);
    }
    if (*r->skipped) cJSON_AddStringToObject(object, "skipped", r->skipped);
}

cJSON *reading_json(const rv_source *s, const rv_train_config *c)
{
    char name[LINE];
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", name_of(s, &c->data, name));
    cJSON_AddNumberToObject(object, "samples", (double)s->count);
    json_add_shape(object, "x", s->x);
    json_add_shape(object, "y", s->y);
    cJSON_AddBoolToObject(object, "sequence", s->sequence);
    cJSON_AddStringToObject(object, "targets", s->each_step ? "step" : "sample");
    cJSON_AddNumberToObject(object, "classes", (double)s->classes);
    cJSON_AddNumberToObject(object, "tokens", (double)s->tokens);
    if (s->reading.format) add_reading(object, s);
    return object;
}

cJSON *reading_json_run(const rv_trainer *trainer)
{
    const rv_setup *s = rv_trainer_setup(trainer);
    cJSON *object = reading_json(&s->data, rv_trainer_config(trainer));
    cJSON_AddNumberToObject(object, "training", (double)s->part.count);
    cJSON_AddNumberToObject(object, "validation", s->validated ? (double)s->validation.count : 0);
    return object;
}
