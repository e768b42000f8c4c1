#include "tools/command/commands.h"

#include <string.h>

const command *const commands[] = {
    &command_train,  &command_compare, &command_sweep,      &command_experiment, &command_evaluate,
    &command_sample, &command_profile, &command_gradcheck,  &command_verify,     &command_check,
    &command_run,    &command_fmt,     &command_graph,      &command_export,     &command_import,
    &command_ops,    &command_models,  &command_optimizers, &command_tasks,
};
const int command_count = sizeof commands / sizeof *commands;

const command *command_find(const char *name)
{
    for (int i = 0; i < command_count; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}
