/* A subcommand of `recurve`: its manual page, and what runs it. Results go to stdout, everything else
 * to stderr. */
#ifndef RV_TOOLS_CLI_COMMAND_H
#define RV_TOOLS_CLI_COMMAND_H

#include <stdbool.h>

#include "recurve.h"

typedef enum exit_status {
    STATUS_OK = 0,
    STATUS_FAILED = 1,        /* the run failed, or what was to be proved is wrong */
    STATUS_USAGE = 2,         /* the command line is wrong */
    STATUS_INTERRUPTED = 130, /* SIGINT or */
    STATUS_TERMINATED = 143   /* SIGTERM ended the run, which has saved what it had */
} exit_status;

typedef struct command {
    const char *name;
    const char *summary;
    const char *synopsis;    /* what follows the name */
    const char *description; /* lines ended by \n */
    const rv_config_row *options;
    int option_count;
    bool (*configures)(
        const char *key); /* which rows of rv_train_config are options too; or NULL */
    const char *failure;  /* when the exit status is 1 */
    const char *statuses; /* further ones, lines ended by \n, or NULL */
    const char *example;  /* lines ended by \n */
    bool operand;         /* whether one argument without dashes is taken */
    const char *files;    /* what one or more arguments without dashes are called, or NULL */

    /* argv[0] is the command's name. main prints an error that is left in *error. */
    exit_status (*run)(int argc, char **argv, rv_error *error);
} command;

#endif
