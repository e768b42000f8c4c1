/* recurve ops */
#include <math.h>
#include <stdio.h>

#include "tools/cli/list.h"
#include "tools/command/commands.h"

static exit_status run(int argc, char **argv, rv_error *error);

const command command_ops = {
    .name = "ops",
    .run = run,
    .summary = "list the ops with their formulas",
    .synopsis = "[NAME] [--json]",
    .description =
        "Prints each op's name, the equation that it records, what it is, how it is called, and\n"
        "its options. An option in <angle brackets> is required, one in [brackets] may be absent,\n"
        "and of all others the default is shown. With a NAME it prints only that op. The C\n"
        "function of an op is rv_NAME (ops/ops.h); a few, such as matmul_add, are only part of\n"
        "others.\n",
    LIST_COMMAND,
    .example = "recurve ops conv2d\n",
    .operand = "OP",
};

static bool has_default(const rv_option *o)
{
    return o->kind != RV_OPTION_WORD && !isnan(o->default_value);
}

static const char *kind_name(rv_option_kind kind)
{
    static const char *const names[] = {"whole", "number", "flag", "list", "word"};
    return names[kind];
}

/* The option as in a call: with its default, or with the kind of value that it takes. */
static void append_option(list_item *item, const rv_option *o)
{
    const size_t size = sizeof item->usage;
    if (o->required)
        list_append(item->usage, size, ", %s=<%s>", o->name, kind_name(o->kind));
    else if (!has_default(o))
        list_append(item->usage, size, ", [%s=<%s>]", o->name, kind_name(o->kind));
    else if (o->kind == RV_OPTION_FLAG)
        list_append(item->usage, size, ", %s=%s", o->name,
                    o->default_value != 0 ? "true" : "false");
    else
        list_append(item->usage, size, ", %s=%g", o->name, o->default_value);
}

/* The usage is conv2d(x, w, stride=1, ..), and a line for each option. */
static void describe(int index, list_item *item)
{
    const rv_op *op = rv_op_at(index);
    const size_t size = sizeof item->usage;
    item->name = op->name;
    list_append(item->formula, sizeof item->formula, "%s", op->formula);
    list_append(item->note, sizeof item->note, "%s", op->doc);
    list_append(item->usage, size, "%s(", op->name);
    for (const char *c = op->args; *c != '\0'; c++)
        list_append(item->usage, size, "%s%c", *c == ' ' ? "," : "", *c);
    for (int i = 0; i < op->option_count; i++) append_option(item, &op->options[i]);
    list_append(item->usage, size, ")\n");
    for (int i = 0; i < op->option_count; i++)
        list_append(item->usage, size, "  %s: %s\n", op->options[i].name, op->options[i].doc);
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

static exit_status run(int argc, char **argv, rv_error *error)
{
    const list ops = {.kind = "op",
                      .count = rv_op_count(),
                      .note_key = "doc",
                      .describe = describe,
                      .add = add_options};
    return list_run(&command_ops, &ops, argc, argv, error);
}
