/* recurve ops, models, optimizers, tasks: what there is, each with its formula or what it asks for. */
#include <stdio.h>
#include <string.h>

#include "tools/json.h"
#include "tools/options.h"

typedef struct list_options {
    bool json;
} list_options;

static const option_row options[] = {
    OPTION_ROW(list_options, json, "json", NULL, OPTION_FLAG, "print a JSON list instead of text")};

/* One thing of a list. The texts may have several lines. */
typedef struct item {
    const char *name, *formula;
    const char *key; /* what JSON calls the note */
    char note[512];
} item;

typedef struct list {
    manual page;
    int (*count)(void);
    item (*at)(int index);
} list;

/* ---- printing ---- */

/* Lines and equations ("; " ends one) of a text below each other, in a column. */
static void print_column(const char *text, int column, bool started)
{
    while (*text != '\0') {
        const char *next = strstr(text, ";  ");
        int length = (int)strcspn(text, "\n");
        if (next != NULL && next - text < length) length = (int)(next - text);
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
        print_column(it.formula, width + 2, true);
        print_column(it.note, width + 2, false);
    }
}

static bool print_json(const list *l, rv_error *error)
{
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < l->count(); i++) {
        item it = l->at(i);
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "name", it.name);
        cJSON_AddStringToObject(object, "formula", it.formula);
        cJSON_AddStringToObject(object, it.key, it.note);
        cJSON_AddItemToArray(array, object);
    }
    return json_print(array, error);
}

static exit_status run(const list *l, int argc, char **argv, rv_error *error)
{
    exit_status result;
    list_options o = {0};
    if (!options_parse(&l->page, argc, argv, &o, NULL, &result, error)) return result;
    if (o.json) return print_json(l, error) ? STATUS_OK : STATUS_FAILED;
    print_text(l);
    return STATUS_OK;
}

/* ---- the lists ---- */

#define FAILURE "memory ran out, or standard output could not be written"

static item op_item(int index)
{
    const rv_op *op = rv_op_at(index);
    item it = {.name = op->name, .formula = op->formula, .key = "doc"};
    snprintf(it.note, sizeof it.note, "%s", op->doc);
    return it;
}

static item model_item(int index)
{
    const rv_model *model = rv_model_at(index);
    item it = {.name = model->name, .formula = model->formula, .key = "source"};
    snprintf(it.note, sizeof it.note, "%s", model->source);
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
        size_t used = strlen(it.note);
        if (fields[i].value != 0)
            snprintf(it.note + used, sizeof it.note - used, "%s%s %g", used ? ", " : "",
                     fields[i].name, fields[i].value);
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
    static const list ops = {
        {.name = "ops",
         .summary = "list the ops with their formulas",
         .synopsis = "[--json]",
         .description = "Prints for every op its name, the equation it records, and what it is.\n",
         OPTIONS(options),
         .failure = FAILURE,
         .example = "recurve ops | grep -A1 conv2d\n"},
        rv_op_count,
        op_item};
    return run(&ops, argc, argv, error);
}

exit_status models_run(int argc, char **argv, rv_error *error)
{
    static const list models = {
        {.name = "models",
         .summary = "list the models with their equations",
         .synopsis = "[--json]",
         .description = "Prints for every model its name, the equations of a time step, and their\n"
                        "source. `*` is a convolution, `.` is elementwise.\n",
         OPTIONS(options),
         .failure = FAILURE,
         .example = "recurve models --json\n"},
        rv_model_count,
        model_item};
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
        optimizer_item};
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
        task_item};
    return run(&tasks, argc, argv, error);
}
