/* The common part of `recurve ops`, `models`, `optimizers` and `tasks`: each prints a list of
 * entries with a formula and a note. */
#ifndef RV_TOOLS_CLI_LIST_H
#define RV_TOOLS_CLI_LIST_H

#include <cjson/cJSON.h>

#include "tools/cli/options.h"

/* An entry of a list. The texts may contain several lines. */
typedef struct list_item {
    const char *name;
    char formula[1024];
    char note[512];
    char usage[1024]; /* how to call it; may be empty */
} list_item;

typedef struct list {
    int count;
    const char *note_key; /* the JSON key of the note */
    void (*describe)(int index, list_item *item);
    void (*add)(int index, cJSON *object); /* adds further JSON fields; may be NULL */

    /* What an operand names: the entry of that name, of a kind "op" for messages; or else `find`
     * returns its index, or -1 and an error, and `text` its text. */
    const char *kind;
    int (*find)(const char *name, rv_error *error);
    const char *(*text)(int index);
} list;

/* The fields `options`, `option_count` and `failure` of such a command. */
#define LIST_COMMAND \
    .options = &list_json_option, .option_count = 1, \
    .failure = "out of memory, or standard output cannot be written"
extern const option_row list_json_option;

exit_status list_run(const command *page, const list *l, int argc, char **argv, rv_error *error);

/* Appends to text, truncated to its size. */
void list_append(char *text, size_t size, const char *format, ...) RV_PRINTF(3, 4);

#endif
