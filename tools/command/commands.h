/* The subcommands of `recurve`, a file each. */
#ifndef RV_TOOLS_COMMAND_COMMANDS_H
#define RV_TOOLS_COMMAND_COMMANDS_H

#include "tools/cli/options.h"

extern const command command_train;
extern const command command_compare;
extern const command command_sweep;
extern const command command_experiment;
extern const command command_evaluate;
extern const command command_sample;
extern const command command_profile;
extern const command command_gradcheck;
extern const command command_verify;
extern const command command_check;
extern const command command_run;
extern const command command_fmt;
extern const command command_graph;
extern const command command_export;
extern const command command_import;
extern const command command_ops;
extern const command command_models;
extern const command command_optimizers;
extern const command command_tasks;

/* `train` on ranks that train one net together (recurve-mpi); NULL: this process alone. All ranks
 * have the same arguments. */
exit_status train_with(const rv_collective *ranks, int argc, char **argv, rv_error *error);

/* All of them, in the order of the list of `recurve --help`. */
extern const command *const commands[];
extern const int command_count;
const command *command_find(const char *name); /* NULL: there is none of that name */

/* What `recurve` is, in its help and its manual page. */
#define COMMANDS_ABOUT "automatic differentiation for recurrent nets"

#endif
