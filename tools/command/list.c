/* recurve ops, models, optimizers, tasks: what there is, each with its formula or what it asks for. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/cli/json.h"
#include "tools/cli/names.h"
#include "tools/cli/options.h"

typedef struct list_options {
    bool json;
} list_options;

static const option_row options[] = {
    OPTION_ROW(list_options, json, "json", NULL, OPTION_FLAG, "print a JSON list instead of text")};

/* One thing of a list. The texts may have several lines. */
typedef struct item {
    const char *name, *formula;
    char own_formula[1024]; /* where formula is NULL */
    const char *key;        /* what JSON calls the note */
    char note[512];
    char usage[1024]; /* how it is called; "" where that means nothing */
} item;

typedef struct list {
    manual page;
    int (*count)(void);
    item (*at)(int index);
    void (*add)(int index, cJSON *object); /* what else JSON says of it; NULL: nothing */
    /* Of a page with an operand, which is one's name: */
    int (*find)(const char *name, rv_error *error); /* -1: there is none */
    const char *(*text)(int index);                 /* all there is to say of it */
} list;

static const char *formula_of(const item *it)
{
    return it->formula ? it->formula : it->own_formula;
}

/* ---- printing ---- */

/* Lines and equations ("; " ends one) of a text below each other, in a column. */
static void print_column(const char *text, int column, bool started)
{
    while (*text != '\0') {
        const char *next = strstr(text, ";  ");
        int length = (int)strcspn(text, "\n");
        if (next && next - text < length) length = (int)(next - text);
        printf("%*s%.*s\n", started ? 0 : column, "", length, text);
        started = false;
        text += length;
        text += *text == ';' ? 3 : *text == '\n';
    }
}

static void print_text(const list *l)
{
    int width = 0;
    for (int i = 0; i < l->count(); i++) {
        int length = (int)strlen(l->at(i).name);
        width = length > width ? length : width;
    }
    for (int i = 0; i < l->count(); i++) {
        item it = l->at(i);
        printf("%-*s", width + 2, it.name);
        print_column(formula_of(&it), width + 2, true);
        print_column(it.note, width + 2, false);
        print_column(it.usage, width + 2, false);
    }
}

static cJSON *to_json(const list *l, int index)
{
    item it = l->at(index);
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", it.name);
    cJSON_AddStringToObject(object, "formula", formula_of(&it));
    cJSON_AddStringToObject(object, it.key, it.note);
    if (l->add) l->add(index, object);
    return object;
}

/* All, or one of them; -1: all. */
static bool print_json(const list *l, int only, rv_error *error)
{
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < l->count(); i++)
        if (only < 0 || only == i) cJSON_AddItemToArray(array, to_json(l, i));
    return json_print(array, error);
}

static exit_status run(const list *l, int argc, char **argv, rv_error *error)
{
    exit_status result;
    list_options o = {0};
    const char *name = NULL;
    if (!options_parse(&l->page, argc, argv, &o, &name, &result, error)) return result;
    int only = name ? l->find(name, error) : -1;
    if (name && only < 0) return STATUS_USAGE;
    if (o.json) return print_json(l, only, error) ? STATUS_OK : STATUS_FAILED;
    if (only >= 0)
        fputs(l->text(only), stdout);
    else
        print_text(l);
    return STATUS_OK;
}

/* ---- the lists ---- */

#define FAILURE "memory ran out, or standard output could not be written"

/* Appends, as far as there is room. */
static void RV_PRINTF(3, 4) append(char *text, size_t size, const char *format, ...)
{
    const size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

static bool has_default(const rv_option *o)
{
    return o->kind != RV_OPTION_WORD && !isnan(o->default_value);
}

static const char *kind_name(rv_option_kind kind)
{
    static const char *const names[] = {"whole", "number", "flag", "list", "word"};
    return names[kind];
}

/* The option as it stands in a call: with its default where it has one, else with its kind. */
static void append_option(item *it, const rv_option *o)
{
    const size_t size = sizeof it->usage;
    if (o->required)
        append(it->usage, size, ", %s=<%s>", o->name, kind_name(o->kind));
    else if (!has_default(o))
        append(it->usage, size, ", [%s=<%s>]", o->name, kind_name(o->kind));
    else if (o->kind == RV_OPTION_FLAG)
        append(it->usage, size, ", %s=%s", o->name, o->default_value != 0 ? "true" : "false");
    else
        append(it->usage, size, ", %s=%g", o->name, o->default_value);
}

/* conv2d(x, w, stride=1, ..), and a line for each option. */
static item op_item(int index)
{
    const rv_op *op = rv_op_at(index);
    item it = {.name = op->name, .formula = op->formula, .key = "doc"};
    const size_t size = sizeof it.usage;
    snprintf(it.note, sizeof it.note, "%s", op->doc);
    append(it.usage, size, "%s(", op->name);
    for (const char *c = op->args; *c != '\0'; c++)
        append(it.usage, size, "%s%c", *c == ' ' ? "," : "", *c);
    for (int i = 0; i < op->option_count; i++) append_option(&it, &op->options[i]);
    append(it.usage, size, ")\n");
    for (int i = 0; i < op->option_count; i++)
        append(it.usage, size, "  %s: %s\n", op->options[i].name, op->options[i].doc);
    return it;
}

static void add_options(int index, cJSON *object)
{
    const rv_op *op = rv_op_at(index);
    cJSON *rows = cJSON_AddArrayToObject(object, "options");
    cJSON_AddStringToObject(object, "inputs", op->args);
    for (int i = 0; i < op->option_count; i++) {
        const rv_option *o = &op->options[i];
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "name", o->name);
        cJSON_AddStringToObject(row, "kind", kind_name(o->kind));
        cJSON_AddBoolToObject(row, "required", o->required);
        if (!o->required && has_default(o))
            cJSON_AddNumberToObject(row, "default", o->default_value);
        cJSON_AddStringToObject(row, "doc", o->doc);
        cJSON_AddItemToArray(rows, row);
    }
}

static item model_item(int index)
{
    const rv_model *model = rv_model_at(index);
    item it = {.name = model->name, .key = "source"};
    const char *text = model->text, *line = strchr(text, '\n') + 1;
    snprintf(it.note, sizeof it.note, "%.*s", (int)strcspn(text, "\n") - 2, text + 2);
    const char *body = strchr(line, '\n') + 1, *alias = strstr(line, "= ");
    if (alias && alias < body) /* cell conv_gru = gru(kernel=3) */
        append(it.own_formula, sizeof it.own_formula, "%.*s", (int)(body - alias - 3), alias + 2);
    for (; *body == ' '; body += strcspn(body, "\n") + 1)
        append(it.own_formula, sizeof it.own_formula, "%s%.*s", it.own_formula[0] ? "\n" : "",
               (int)strcspn(body, "\n") - 2, body + 2);
    return it;
}

/* Its fields that are not zero. */
static item optimizer_item(int index)
{
    const rv_optimizer *o = rv_optimizer_at(index);
    const struct {
        const char *name;
        double value;
    } fields[] = {{"rate", o->rate},
                  {"momentum", o->momentum},
                  {"decay", o->decay},
                  {"epsilon", o->epsilon},
                  {"weight decay", o->weight_decay}};
    item it = {.name = o->name, .formula = o->formula, .key = "defaults"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].value != 0)
            append(it.note, sizeof it.note, "%s%s %g", *it.note ? ", " : "", fields[i].name,
                   fields[i].value);
    }
    return it;
}

static item task_item(int index)
{
    const rv_task *task = rv_task_at(index);
    item it = {.name = task->name, .formula = task->about, .key = "without_skill"};
    snprintf(it.note, sizeof it.note, "without skill: %s", task->baseline);
    return it;
}

exit_status ops_run(int argc, char **argv, rv_error *error)
{
    static const list ops = {{.name = "ops",
                              .summary = "list the ops with their formulas",
                              .synopsis = "[--json]",
                              .description = "Prints for every op its name, the equation it "
                                             "records, what it is, how it is called,\n"
                                             "and its options: one in <angle brackets> must be "
                                             "given, one in [brackets] may be absent.\n",
                              OPTIONS(options),
                              .failure = FAILURE,
                              .example = "recurve ops | grep -A1 conv2d\n"},
                             rv_op_count,
                             op_item,
                             add_options,
                             NULL,
                             NULL};
    return run(&ops, argc, argv, error);
}

static void add_text(int index, cJSON *object)
{
    cJSON_AddStringToObject(object, "text", rv_model_at(index)->text);
}

static int find_model(const char *name, rv_error *error)
{
    int index = 0;
    const rv_model *model = built_in_model(name, error);
    while (model && rv_model_at(index) != model) index++;
    return model ? index : -1;
}

static const char *model_text(int index) { return rv_model_at(index)->text; }

exit_status models_run(int argc, char **argv, rv_error *error)
{
    static const list models = {
        {.name = "models",
         .summary = "list the models with their equations",
         .synopsis = "[NAME] [--json]",
         .description =
             "Prints for every model its name, the equations of a time step, and their\n"
             "source. `*` is a convolution, `.` is elementwise. With a NAME that model's\n"
             "whole text, from which a variant can start; other commands take its file\n"
             "wherever they take a model's name.\n",
         OPTIONS(options),
         .failure = FAILURE,
         .example = "recurve models --json\n"
                    "recurve models gru > my.rv\n"
                    "recurve train my.rv --task adding\n",
         .operand = true},
        rv_model_count,
        model_item,
        add_text,
        find_model,
        model_text};
    return run(&models, argc, argv, error);
}

exit_status optimizers_run(int argc, char **argv, rv_error *error)
{
    static const list optimizers = {
        {.name = "optimizers",
         .summary = "list the optimizers with their update equations",
         .synopsis = "[--json]",
         .description =
             "Prints for every optimizer its name, how it updates a parameter w with the\n"
             "gradient g and the learning rate r, and its constants.\n",
         OPTIONS(options),
         .failure = FAILURE,
         .example = "recurve optimizers\n"},
        rv_optimizer_count,
        optimizer_item,
        NULL,
        NULL,
        NULL};
    return run(&optimizers, argc, argv, error);
}

exit_status tasks_run(int argc, char **argv, rv_error *error)
{
    static const list tasks = {
        {.name = "tasks",
         .summary = "list the tasks that data can be generated for",
         .synopsis = "[--json]",
         .description =
             "Prints for every task of `recurve train --task` what it asks for, and what an "
             "answer\nwithout skill achieves.\n",
         OPTIONS(options),
         .failure = FAILURE,
         .example = "recurve tasks\n"},
        rv_task_count,
        task_item,
        NULL,
        NULL,
        NULL};
    return run(&tasks, argc, argv, error);
}
