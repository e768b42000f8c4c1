/* A command's options as a table, from which the parser and the manual page are generated. Numbers
 * are parsed strictly: no characters around them, nothing out of range. */
#ifndef RV_TOOLS_CLI_OPTIONS_H
#define RV_TOOLS_CLI_OPTIONS_H

#include <stddef.h>

#include "tools/cli/command.h"

typedef rv_config_row option_row;

/* A row for a field of a struct: key, argument, kind, doc, and optionally .low and .high. */
#define OPTION_ROW(owner, field, option, called, is, ...) \
    { \
        .key = (option), .argument = (called), .kind = (is), .offset = offsetof(owner, field), \
        .doc = __VA_ARGS__ \
    }

/* Of --include-path, for commands that read equations without an rv_train_config. */
#define INCLUDE_PATH_DOC "folders from which FILE may include, besides its own"

/* The fields `options` and `option_count` of a command. If the command sets `configures`, the
 * struct of its values begins with an rv_train_config. A command's row replaces the library's row
 * with the same key or alias. */
#define OPTIONS(table) .options = (table), .option_count = (int)(sizeof(table) / sizeof *(table))

/* Parses the command line into *values, and the operand, if the command takes one, into *operand,
 * which may lie in *values. Returns true to continue. Otherwise *result is the exit status: OK
 * after --help, or USAGE with *error set. */
bool options_parse(const command *page, int argc, char **argv, void *values, const char **operand,
                   exit_status *result, rv_error *error);

/* The same for a command with `files`: *files points to the operands in argv. With `operand`, there
 * may be none. */
bool options_parse_files(const command *page, int argc, char **argv, void *values, char ***files,
                         int *count, exit_status *result, rv_error *error);

/* All options of a command: the library's rows in order, some replaced by the command's own, then
 * the other rows of the command. */
enum { MOST_OPTIONS = 100 };
typedef struct option_table {
    const option_row *row[MOST_OPTIONS];
    const char *heading[MOST_OPTIONS]; /* above the row; NULL: none */
    int count;
} option_table;
option_table options_of(const command *page);

/* Prints a message to stderr. The library writes an option as `key`; the command's options appear
 * as --key. */
void options_print_message(const command *page, const char *message);

#endif
