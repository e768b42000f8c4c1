/* recurve models */
#include <string.h>

#include "tools/cli/list.h"
#include "train/setup/lookup.h"
#include "tools/command/commands.h"

static exit_status run(int argc, char **argv, rv_error *error);

const command command_models = {
    .name = "models",
    .run = run,
    .summary = "list the models with their equations",
    .synopsis = "[NAME] [--json]",
    .description = "Prints each model's name, the equations of a time step, and their source. A "
                   "primed state,\n"
                   "such as h', is the new one, and `.` an elementwise product. With a NAME it "
                   "prints the whole\n"
                   "text of that model, from which a variant can start: all commands take a file "
                   "of equations in\n"
                   "place of a model's name. docs/language.md describes the language.\n",
    LIST_COMMAND,
    .example = "recurve models --json\n"
               "recurve models gru > my.rv\n"
               "recurve train my.rv --task adding\n",
    .operand = "MODEL",
};

/* The text's first line, a comment, is the note; its second begins the cell, and says which other
 * it is a variant of. */
static void describe(int index, list_item *item)
{
    const rv_model *model = rv_model_at(index);
    const char *text = model->text, *line = strchr(text, '\n') + 1;
    const char *body = strchr(line, '\n') + 1, *alias = strstr(line, "= ");
    const size_t size = sizeof item->formula;
    item->name = model->name;
    list_append(item->note, sizeof item->note, "%.*s", (int)strcspn(text, "\n") - 2, text + 2);
    if (alias && alias < body) /* cell conv_gru = gru(kernel=3) */
        list_append(item->formula, size, "%.*s", (int)(body - alias - 3), alias + 2);
    for (; *body == ' '; body += strcspn(body, "\n") + 1)
        list_append(item->formula, size, "%s%.*s", item->formula[0] ? "\n" : "",
                    (int)strcspn(body, "\n") - 2, body + 2);
}

static const char *text_of(int index) { return rv_model_at(index)->text; }

static void add_text(int index, cJSON *object)
{
    cJSON_AddStringToObject(object, "text", text_of(index));
}

static int find(const char *name, rv_error *error)
{
    int index = 0;
    const rv_model *model = rv_lookup_built_in(name, error);
    while (model && rv_model_at(index) != model) index++;
    return model ? index : -1;
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    const list models = {.count = rv_model_count(),
                         .note_key = "source",
                         .describe = describe,
                         .add = add_text,
                         .find = find,
                         .text = text_of};
    return list_run(&command_models, &models, argc, argv, error);
}
