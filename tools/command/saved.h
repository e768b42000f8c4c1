/* Runs that `recurve train --output` kept. */
#ifndef RV_TOOLS_COMMAND_SAVED_H
#define RV_TOOLS_COMMAND_SAVED_H

#include "tools/cli/command.h"

/* An error unless one of the two is given. */
bool saved_run_named(const char *output, const char *checkpoint, rv_error *error);

/* A trainer with the parameters of a checkpoint. NULL output: the checkpoint's folder. NULL
 * checkpoint: checkpoint.safetensors in the folder. Free it with rv_trainer_free. NULL on
 * failure. Prints a warning if a file of the run has changed. */
rv_trainer *saved_run_open(const command *page, const char *output, const char *checkpoint,
                           int64_t threads, rv_error *error);

#endif
