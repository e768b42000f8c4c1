/* A subcommand of `recurve`: its manual page and the function that runs it. Results go to stdout,
 * everything else to stderr. */
#ifndef RV_TOOLS_CLI_COMMAND_H
#define RV_TOOLS_CLI_COMMAND_H

#include <stdbool.h>

#include "recurve.h"

typedef enum exit_status {
    STATUS_OK = 0,
    STATUS_FAILED = 1,        /* the command failed, or a proof did */
    STATUS_USAGE = 2,         /* invalid command line */
    STATUS_INTERRUPTED = 130, /* SIGINT ended the run after it saved its state */
    STATUS_TERMINATED = 143   /* the same for SIGTERM */
} exit_status;

typedef struct command {
    const char *name;
    const char *summary;
    const char *synopsis;    /* the arguments, as in the manual page */
    const char *description; /* lines, each ended by \n */
    const rv_config_row *options;
    int option_count;

    /* Whether the rv_train_config row of this key is an option of the command, too; may be NULL. */
    bool (*configures)(const char *key);

    const char *failure;  /* the meaning of exit status 1 */
    const char *statuses; /* further exit statuses, lines ended by \n; may be NULL */
    const char *example;  /* lines, each ended by \n */
    const char *operand;  /* the name of one argument that is no option; NULL if it takes none */
    const char *files;    /* the name of one or more of them, or with `operand` of any number */

    /* argv[0] is the command's name. run_command prints *error if it is set. */
    exit_status (*run)(int argc, char **argv, rv_error *error);
} command;

/* Prints a message of the library to stderr: "recurve train: ..". */
void command_warn(const command *page, const char *text);

/* Runs a command and prints its error. */
exit_status run_command(const command *page, int argc, char **argv);

/* For the beginning of a program. Where a standard stream is closed (>&-), the next file that is
 * opened would get its number, and what is printed would go into that file. */
void keep_standard_streams(void);

/* The exit status, or STATUS_FAILED if results could not be written (a full disk). */
int finish_output(exit_status result);

#endif
