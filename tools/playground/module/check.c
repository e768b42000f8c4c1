/* What the page learns of a text: its mistakes, shapes and verdicts; and what there is to write one
 * with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/judge/proof.h"
#include "lang/lang_internal.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "tools/cli/json.h"
#include "tools/cli/limits.h"
#include "tools/playground/module/call.h"
#include "tools/playground/module/texts.h"

#define NAME "text.rv"

enum {
    CHECK_SECONDS = 2,
    PROOF_SECONDS = 25,
    MOST_NUMBERS = 1 << 24 /* in a value, or in the inputs and parameters of a model */
};

/* The argument "text". The limits refer to *limits. NULL on failure. */
static rv_lang *read_argument(const page_task *task, const char *text, work_limits *limits)
{
    rv_lang *lang = rv_lang_read(text, strlen(text), NAME, NULL, task->error);
    rv_lang_limits bounds = limits_start(limits);
    bounds.size = MOST_NUMBERS;
    rv_lang_limit(lang, &bounds);
    return lang;
}

/* ---- mistakes ---- */

/* The UTF-16 units of the first characters of a line. */
static int units(const char *text, int line, int characters)
{
    int n = 0;
    for (; line > 1 && text; line--) text = strchr(text, '\n') + 1;
    for (; characters > 0 && *text; characters--) {
        n += (unsigned char)*text >= 0xF0 ? 2 : 1;
        do text++;
        while (((unsigned char)*text & 0xC0) == 0x80);
    }
    return n;
}

static void add_span(cJSON *object, const char *text, rv_lang_span s)
{
    const int line = s.line > 0 ? s.line : 1; /* a problem of no location is shown in line 1 */
    const int before = s.line > 0 ? units(text, line, s.column - 1) : 0;
    const int after = s.line > 0 ? units(text, line, s.column - 1 + s.length) : 0;
    cJSON_AddNumberToObject(object, "line", line);
    cJSON_AddNumberToObject(object, "column", 1 + before);
    cJSON_AddNumberToObject(object, "length", after - before);
}

static void add_problems(cJSON *result, const char *text, const rv_lang *lang)
{
    cJSON *problems = cJSON_AddArrayToObject(result, "problems");
    for (size_t i = 0; i < rv_lang_problems(lang); i++) {
        const rv_lang_problem p = rv_lang_problem_at(lang, i);
        if (!p.message) break; /* not listed */
        cJSON *problem = page_append(problems);
        add_span(problem, text, p.at);
        cJSON_AddStringToObject(problem, "message", p.message);
        cJSON_AddStringToObject(problem, "hint", p.hint);
        cJSON *fixes = cJSON_AddArrayToObject(problem, "fixes");
        if (!p.fix) continue;
        cJSON *fix = page_append(fixes);
        add_span(fix, text, p.wrong);
        cJSON_AddStringToObject(fix, "text", p.fix);
    }
}

static void add_entries(cJSON *result, const rv_lang *lang)
{
    cJSON *entries = cJSON_AddArrayToObject(result, "entries");
    for (int i = 0; i < lang->models; i++) {
        const lang_model *m = &lang->model[i];
        if (m->derivation || !rv_lang_is_own(&lang->file, m->block)) continue;
        cJSON *entry = page_append(entries);
        cJSON_AddStringToObject(entry, "name", m->model.name);
        cJSON_AddStringToObject(entry, "kind", m->model.record ? "model" : "cell");
        cJSON_AddNumberToObject(entry, "line", rv_lang_line(m->block->node->location));
    }
}

/* ---- shapes ---- */

/* The shapes that are known, and on which lines. */
typedef struct shapes {
    cJSON *hints;
    bool *known; /* [lines + 1] */
    int lines;
} shapes;

/* Adds the values of a recorded model: the first one of each name, such as g[1] of g[1] and
 * g[2]. */
static void add_values(shapes *s, const rv_lang_recording *recording)
{
    char last[64] = "";
    int last_line = 0;
    bool *fresh = calloc((size_t)s->lines + 1, sizeof *fresh);
    for (int i = 0; fresh && i < rv_lang_value_count(recording); i++) {
        const rv_lang_value v = rv_lang_value_at(recording, i);
        char name[sizeof last];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(v.name, "["), v.name);
        if (v.line > s->lines || (v.line > 0 && s->known[v.line])) continue;
        if (v.line == last_line && strcmp(name, last) == 0) continue;
        cJSON *hint = page_append(s->hints);
        cJSON_AddNumberToObject(hint, "line", v.line);
        cJSON_AddStringToObject(hint, "name", name);
        json_add_shape(hint, "shape", rv_shape_of(v.var));
        memcpy(last, name, sizeof last);
        last_line = v.line;
        fresh[v.line] = true;
    }
    for (int line = 1; fresh && line <= s->lines; line++) s->known[line] |= fresh[line];
    free(fresh);
}

static void add_shapes_of(shapes *s, const rv_lang *lang, const rv_model *model)
{
    rv_store *store = rv_lang_new_shapes(&lang->file.limits);
    rv_tape *tape = rv_tape_new(store, RV_F64);
    rv_lang_recording *recording = tape ? rv_lang_record(model, tape, NULL) : NULL;
    if (recording) add_values(s, recording);
    rv_lang_recording_free(recording);
    rv_tape_free(tape);
    rv_store_free(store);
}

/* Writes a net around a cell as a text: on images or rows, as the cell needs them. */
static void put_net(FILE *to, int index, const lang_model *m, const char *units)
{
    const bool images = m->model.images || m->model.kernel;
    const int asked = atoi(units);
    fprintf(to,
            "model shapes_of_%d(n=2)\n  input x[n, %s]\n  h = unroll %s(x, units=%d) for 1 steps\n",
            index, images ? "1, 8, 8" : "8", m->block->name,
            asked > 0 ? asked
            : images  ? 1
                      : 4);
}

static bool needs_net(const shapes *s, const rv_lang *lang, const lang_model *m)
{
    const int line = rv_lang_line(m->block->node->location);
    return !m->model.record && rv_lang_is_own(&lang->file, m->block) && !m->block->wrong &&
           m->use.cell->inputs == 1 && line < s->lines && !s->known[line + 1];
}

/* Cells that no model of the text unrolls get nets, in a copy of the text. */
static void add_shapes_of_cells(shapes *s, const page_task *task, const rv_lang *lang,
                                const char *text)
{
    const char *units = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(task->arguments, "settings"), "units"));
    char *copy = NULL;
    size_t size;
    FILE *to = open_memstream(&copy, &size);
    if (!to) return;
    fprintf(to, "%s\n", text);
    for (int i = 0; i < lang->models; i++)
        if (needs_net(s, lang, &lang->model[i]))
            put_net(to, i, &lang->model[i], units ? units : "");
    fclose(to);
    work_limits limits = {.seconds = CHECK_SECONDS};
    rv_lang *with = copy ? read_argument(task, copy, &limits) : NULL;
    for (int i = 0; with && i < with->models; i++)
        if (strncmp(with->model[i].model.name, "shapes_of_", 10) == 0)
            add_shapes_of(s, with, &with->model[i].model);
    rv_lang_free(with);
    free(copy);
}

static void add_shapes(const page_task *task, const rv_lang *lang, const char *text)
{
    shapes s = {.hints = cJSON_AddArrayToObject(task->result, "shapes"), .lines = 1};
    for (const char *c = text; *c; c++) s.lines += *c == '\n';
    s.known = calloc((size_t)s.lines + 1, sizeof *s.known);
    for (int i = 0; s.known && i < lang->models; i++) {
        const lang_model *m = &lang->model[i];
        if (m->model.record && !m->derivation && !m->block->wrong &&
            rv_lang_is_own(&lang->file, m->block))
            add_shapes_of(&s, lang, &m->model);
    }
    if (s.known) add_shapes_of_cells(&s, task, lang, text);
    free(s.known);
}

bool page_check(page_task *task)
{
    const char *text = page_text(task, "text");
    work_limits limits = {.seconds = CHECK_SECONDS};
    rv_lang *lang = read_argument(task, text, &limits);
    if (!lang) return false;
    rv_lang_check(lang);
    add_problems(task->result, text, lang);
    add_entries(task->result, lang);
    add_shapes(task, lang, text);
    rv_lang_free(lang);
    return true;
}

bool page_format(page_task *task)
{
    const char *text = page_text(task, "text");
    rv_lang *lang = rv_lang_read(text, strlen(text), NAME, NULL, task->error);
    if (!lang) return false;
    char *formatted = rv_lang_format(lang);
    if (formatted) cJSON_AddStringToObject(task->result, "text", formatted);
    rv_free(formatted);
    rv_lang_free(lang);
    return formatted || rv_fail_memory(task->error);
}

/* ---- verdicts ---- */

static void add_verdict(cJSON *verdicts, const rv_lang_verdict *v)
{
    cJSON *object = page_append(verdicts);
    const bool gradient = v->head == 0;
    cJSON_AddNumberToObject(object, "line", v->line);
    cJSON_AddStringToObject(object, "name", v->name);
    cJSON_AddStringToObject(object, "derivation", v->derivation);
    cJSON_AddStringToObject(object, "model", v->model);
    cJSON_AddStringToObject(object, "verdict", rv_verdict_name(v->verdict));
    json_add_number(object, "cosine", v->cosine);
    json_add_number(object, "ratio", v->ratio);
    json_add_number(object, "error", v->max_relative_error);
    cJSON_AddStringToObject(object, "reason", v->reason);
    cJSON_AddStringToObject(object, "repair", v->repair);
    cJSON_AddBoolToObject(object, "gradient", gradient);
}

bool page_prove(page_task *task)
{
    work_limits limits = {.seconds = PROOF_SECONDS};
    rv_lang_verdict *found = NULL;
    int count = 0;
    rv_lang *lang = read_argument(task, page_text(task, "text"), &limits);
    const rv_lang_proof_options options = {
        .repair = page_number(task, "repair") != 0,
        .seed = (uint64_t)page_number(task, "seed"),
    };
    const bool ok = lang && rv_lang_prove(lang, &options, &found, &count, task->error);
    cJSON *verdicts = cJSON_AddArrayToObject(task->result, "verdicts");
    for (int i = 0; ok && i < count; i++) add_verdict(verdicts, &found[i]);
    rv_free(found);
    rv_lang_free(lang);
    return ok;
}

/* ---- what there is ---- */

/* Adds a text with its first line, a comment, as what it is about. */
static void add_text(cJSON *list, const char *name, const char *text)
{
    char doc[256] = "";
    if (text[0] == '#') rv_print(doc, sizeof doc, "%.*s", (int)strcspn(text + 2, "\n"), text + 2);
    cJSON *object = page_append(list);
    cJSON_AddStringToObject(object, "name", name);
    cJSON_AddStringToObject(object, "doc", doc);
    cJSON_AddStringToObject(object, "text", text);
}

static void add_op(cJSON *list, const rv_op *op)
{
    cJSON *object = page_append(list);
    cJSON_AddStringToObject(object, "name", op->name);
    cJSON_AddStringToObject(object, "formula", op->formula);
    cJSON_AddStringToObject(object, "doc", op->doc ? op->doc : "");
    cJSON *options = cJSON_AddArrayToObject(object, "options");
    for (int i = 0; i < op->option_count; i++)
        cJSON_AddItemToArray(options, cJSON_CreateString(op->options[i].name));
}

static void add_optimizer(cJSON *list, const rv_optimizer *o)
{
    const struct {
        const char *name;
        double value;
    } constants[] = {{"learning rate", o->learning_rate},
                     {"momentum", o->momentum},
                     {"decay", o->decay},
                     {"epsilon", o->epsilon},
                     {"weight decay", o->weight_decay}};
    char doc[256] = "";
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        const size_t used = strlen(doc);
        if (constants[i].value != 0)
            snprintf(doc + used, sizeof doc - used, "%s%s %g", used ? ", " : "", constants[i].name,
                     constants[i].value);
    }
    cJSON *object = page_append(list);
    cJSON_AddStringToObject(object, "name", o->name);
    cJSON_AddStringToObject(object, "doc", doc);
    cJSON_AddStringToObject(object, "text", o->formula);
}

static void add_option(cJSON *list, const rv_config_row *row, const char *group)
{
    cJSON *object = page_append(list);
    cJSON_AddStringToObject(object, "key", row->key);
    cJSON_AddStringToObject(object, "argument", row->argument ? row->argument : "");
    cJSON_AddStringToObject(object, "doc", row->doc);
    cJSON_AddStringToObject(object, "group", group);
}

bool page_catalogue(page_task *task)
{
    cJSON *result = task->result;
    const char *group = "";
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", RV_VERSION_MAJOR, RV_VERSION_MINOR,
             RV_VERSION_PATCH);
    cJSON_AddStringToObject(result, "version", version);
    cJSON *ops = cJSON_AddArrayToObject(result, "ops");
    for (int i = 0; i < rv_op_count(); i++) add_op(ops, rv_op_at(i));
    cJSON *cells = cJSON_AddArrayToObject(result, "cells");
    for (int i = 0; i < rv_model_count(); i++)
        add_text(cells, rv_model_at(i)->name, rv_model_at(i)->text);
    cJSON *gallery = cJSON_AddArrayToObject(result, "gallery");
    for (const lang_text *t = page_texts; t->name; t++) add_text(gallery, t->name, t->text);
    cJSON *optimizers = cJSON_AddArrayToObject(result, "optimizers");
    for (int i = 0; i < rv_optimizer_count(); i++) add_optimizer(optimizers, rv_optimizer_at(i));
    cJSON *tasks = cJSON_AddArrayToObject(result, "tasks");
    for (int i = 0; i < rv_task_count(); i++) {
        cJSON *object = page_append(tasks);
        cJSON_AddStringToObject(object, "name", rv_task_at(i)->name);
        cJSON_AddStringToObject(object, "doc", rv_task_at(i)->about);
    }
    cJSON *options = cJSON_AddArrayToObject(result, "options");
    for (int i = 0; i < rv_config_row_count(); i++) {
        const rv_config_row *row = rv_config_row_at(i);
        if (row->group) group = row->group;
        add_option(options, row, group);
    }
    return true;
}
