/* What the subcommands of `recurve` have in common. Results go to stdout, everything else to
 * stderr. */
#ifndef RV_TOOLS_CLI_COMMAND_H
#define RV_TOOLS_CLI_COMMAND_H

#include <stdbool.h>

#include "recurve.h"

typedef enum exit_status {
    STATUS_OK = 0,            /* all is well */
    STATUS_FAILED = 1,        /* the run went wrong, or what was to be proved is not so */
    STATUS_USAGE = 2,         /* the command line cannot be carried out */
    STATUS_INTERRUPTED = 130, /* SIGINT or */
    STATUS_TERMINATED = 143   /* SIGTERM stopped it, and it has kept what it had */
} exit_status;

/* Runs with argv[0] the subcommand's name. An error that is left in *error gets printed by main. */
typedef exit_status (*command_run)(int argc, char **argv, rv_error *error);

exit_status train_run(int argc, char **argv, rv_error *error);
exit_status compare_run(int argc, char **argv, rv_error *error);
exit_status evaluate_run(int argc, char **argv, rv_error *error);
exit_status sample_run(int argc, char **argv, rv_error *error);
exit_status profile_run(int argc, char **argv, rv_error *error);
exit_status gradcheck_run(int argc, char **argv, rv_error *error);
exit_status verify_run(int argc, char **argv, rv_error *error);
exit_status ops_run(int argc, char **argv, rv_error *error);
exit_status models_run(int argc, char **argv, rv_error *error);
exit_status optimizers_run(int argc, char **argv, rv_error *error);
exit_status tasks_run(int argc, char **argv, rv_error *error);
exit_status graph_run(int argc, char **argv, rv_error *error);
exit_status check_run(int argc, char **argv, rv_error *error);
exit_status calculate_run(int argc, char **argv, rv_error *error);
exit_status fmt_run(int argc, char **argv, rv_error *error);

#endif
