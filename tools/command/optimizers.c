/* recurve optimizers */
#include "tools/cli/list.h"
#include "tools/command/commands.h"

static exit_status run(int argc, char **argv, rv_error *error);

const command command_optimizers = {
    .name = "optimizers",
    .run = run,
    .summary = "list the optimizers with their update equations",
    .synopsis = "[NAME] [--json]",
    .description = "Prints each optimizer's name, how it updates a parameter w with the gradient g "
                   "and the\nlearning rate r, and its constants. With a NAME only of that one.\n",
    LIST_COMMAND,
    .example = "recurve optimizers adam\n",
    .operand = "OPTIMIZER",
};

/* The note lists the constants that are not zero. */
static void describe(int index, list_item *item)
{
    const rv_optimizer *o = rv_optimizer_at(index);
    const struct {
        const char *name;
        double value;
    } fields[] = {{"learning rate", o->learning_rate},
                  {"momentum", o->momentum},
                  {"decay", o->decay},
                  {"epsilon", o->epsilon},
                  {"weight decay", o->weight_decay}};
    item->name = o->name;
    list_append(item->formula, sizeof item->formula, "%s", o->formula);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].value != 0)
            list_append(item->note, sizeof item->note, "%s%s %g", *item->note ? ", " : "",
                        fields[i].name, fields[i].value);
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    const list optimizers = {.kind = "optimizer",
                             .count = rv_optimizer_count(),
                             .note_key = "defaults",
                             .describe = describe};
    return list_run(&command_optimizers, &optimizers, argc, argv, error);
}
