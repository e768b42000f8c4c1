/* A command's options as a table, which its parser and its manual page read. Numbers are strict: nothing before or after
 * them, nothing out of range. */
#ifndef RV_TOOLS_CLI_OPTIONS_H
#define RV_TOOLS_CLI_OPTIONS_H

#include <stddef.h>

#include "tools/cli/command.h"

typedef rv_config_row option_row;

/* A row for the field of a struct: key, argument, kind, doc, and .low and .high if it has them. */
#define OPTION_ROW(owner, field, option, called, is, ...) \
    { \
        .key = (option), .argument = (called), .kind = (is), .offset = offsetof(owner, field), \
        .doc = __VA_ARGS__ \
    }

/* The fields of a command that say which options it has. Where it `configures`, its values begin with an rv_train_config.
 * A row of its own takes the place of the library's row that its key or alias names. */
#define OPTIONS(table) .options = (table), .option_count = (int)(sizeof(table) / sizeof *(table))

/* Parses the command line into *values, and the argument without dashes into *operand (unless NULL), which may point into
 * *values. Returns true to continue; else *result is the exit status: OK after --help, or USAGE with *error set. */
bool options_parse(const command *page, int argc, char **argv, void *values, const char **operand,
                   exit_status *result, rv_error *error);

/* The same for a command with `files`: *files are the arguments without dashes, a part of argv. */
bool options_parse_files(const command *page, int argc, char **argv, void *values, char ***files,
                         int *count, exit_status *result, rv_error *error);

#endif
