/* A command's options as a table, which its parser, its manual page and its configuration file all
 * read. Numbers are strict: nothing before or after them, nothing out of range. */
#ifndef RV_TOOLS_CLI_OPTIONS_H
#define RV_TOOLS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/cli/command.h"

typedef enum option_kind {
    OPTION_FLAG,         /* bool: whether it is given */
    OPTION_TEXT,         /* const char * */
    OPTION_WHOLE,        /* int64_t in low..high */
    OPTION_POSITIVE,     /* double above 0 */
    OPTION_NOT_NEGATIVE, /* double from 0 */
    OPTION_FRACTION      /* double from 0 to below 1 */
} option_kind;

typedef struct option_row {
    const char *name;     /* with its dashes: "--rate" */
    const char *argument; /* what the manual calls its value; NULL for a flag */
    option_kind kind;
    size_t offset;     /* of the value in the command's struct */
    const char *doc;   /* for the manual; may have several lines */
    int64_t low, high; /* of a whole number */
    const char *group; /* not NULL: the manual puts this heading before the row */
    bool kept;         /* whether a configuration file holds it */
} option_row;

/* A row for the field of a struct: name, argument, kind, doc, and .low and .high if it has them. */
#define OPTION_ROW(owner, field, option, called, is, ...) \
    { \
        .name = "--" option, .argument = (called), .kind = (is), .offset = offsetof(owner, field), \
        .doc = __VA_ARGS__ \
    }

/* The fields of a command that say which options it has. */
#define OPTIONS(table) .options = (table), .option_count = (int)(sizeof(table) / sizeof *(table))

typedef command manual; /* for tools/run, until it names it command */

/* Fills in what the command line gives of *values, and *operand (unless NULL), which may be one of them. Returns true to go
 * on; else *result is how to end: OK after --help, or USAGE with *error set. */
bool options_parse(const command *page, int argc, char **argv, void *values, const char **operand,
                   exit_status *result, rv_error *error);

/* The same for a page with `files`: *files are those arguments, which belong to argv. */
bool options_parse_files(const command *page, int argc, char **argv, void *values, char ***files,
                         int *count, exit_status *result, rv_error *error);

/* Sets one value from text; `label` is what an error calls it. */
bool option_set(const option_row *row, const char *label, const char *text, void *values,
                rv_error *error);

#endif
