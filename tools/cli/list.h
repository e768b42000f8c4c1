/* What `recurve ops`, `models`, `optimizers` and `tasks` have in common: each prints a list of
 * things, with a formula and a note for each. */
#ifndef RV_TOOLS_CLI_LIST_H
#define RV_TOOLS_CLI_LIST_H

#include <cjson/cJSON.h>

#include "tools/cli/options.h"

/* An entry of a list. The texts may have several lines. */
typedef struct list_item {
    const char *name;
    char formula[1024];
    char note[512];
    char usage[1024]; /* how it is called; may be empty */
} list_item;

typedef struct list {
    int count;
    const char *note_key; /* what JSON calls the note */
    void (*describe)(int index, list_item *item);
    void (*add)(int index, cJSON *object); /* adds further fields to the JSON; may be NULL */

    /* Of a command with an operand, which names an entry: its index, or -1 and an error, and its whole text. */
    int (*find)(const char *name, rv_error *error);
    const char *(*text)(int index);
} list;

/* The fields of such a command that say which options it has and when it fails. */
#define LIST_COMMAND \
    .options = &list_json_option, .option_count = 1, \
    .failure = "out of memory, or standard output cannot be written"
extern const option_row list_json_option;

exit_status list_run(const command *page, const list *l, int argc, char **argv, rv_error *error);

/* Appends to text, as far as there is room. */
void list_append(char *text, size_t size, const char *format, ...) RV_PRINTF(3, 4);

#endif
