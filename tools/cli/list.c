#include "tools/cli/list.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/cli/json.h"
#include "tools/cli/say.h"
#include "train/setup/lookup.h"

typedef struct list_options {
    bool json;
} list_options;

const option_row list_json_option = OPTION_ROW(list_options, json, "json", NULL, RV_CONFIG_FLAG,
                                               "print a JSON list instead of text");

void list_append(char *text, size_t size, const char *format, ...)
{
    const size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

/* Prints each line of a text, and each equation (separated by ";  "), on a line of its own in a column. */
static void print_column(const char *text, int column, bool started)
{
    while (*text != '\0') {
        const char *next = strstr(text, ";  ");
        int length = (int)strcspn(text, "\n");
        if (next && next - text < length) length = (int)(next - text);
        say(stdout, "%*s%.*s\n", started ? 0 : column, "", length, text);
        started = false;
        text += length;
        text += *text == ';' ? 3 : *text == '\n';
    }
}

static list_item item_at(const list *l, int index)
{
    list_item item = {0};
    l->describe(index, &item);
    return item;
}

/* Prints all entries, or one of them. */
static void print_text(const list *l, int only)
{
    int width = 0;
    for (int i = 0; i < l->count; i++) {
        if (only >= 0 && only != i) continue;
        int length = (int)strlen(item_at(l, i).name);
        width = length > width ? length : width;
    }
    for (int i = 0; i < l->count; i++) {
        if (only >= 0 && only != i) continue;
        list_item item = item_at(l, i);
        say(stdout, "%-*s", width + 2, item.name);
        print_column(item.formula, width + 2, true);
        print_column(item.note, width + 2, false);
        print_column(item.usage, width + 2, false);
    }
}

/* The same as JSON. */
static bool print_json(const list *l, int only, rv_error *error)
{
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < l->count; i++) {
        if (only >= 0 && only != i) continue;
        list_item item = item_at(l, i);
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "name", item.name);
        cJSON_AddStringToObject(object, "formula", item.formula);
        cJSON_AddStringToObject(object, l->note_key, item.note);
        if (l->add) l->add(i, object);
        cJSON_AddItemToArray(array, object);
    }
    return json_print(array, error);
}

static const char *name_at(const void *l, int index) { return item_at(l, index).name; }

static int find(const list *l, const char *name, rv_error *error)
{
    for (int i = 0; i < l->count; i++)
        if (strcmp(item_at(l, i).name, name) == 0) return i;
    rv_fail_unknown(l->kind, name, name_at, l, l->count, error);
    return -1;
}

exit_status list_run(const command *page, const list *l, int argc, char **argv, rv_error *error)
{
    exit_status result;
    list_options o = {0};
    const char *name = NULL;
    if (!options_parse(page, argc, argv, &o, &name, &result, error)) return result;
    int only = name ? (l->find ? l->find(name, error) : find(l, name, error)) : -1;
    if (name && only < 0) return STATUS_USAGE;
    if (o.json) return print_json(l, only, error) ? STATUS_OK : STATUS_FAILED;
    if (only >= 0 && l->text)
        say(stdout, "%-s", l->text(only));
    else
        print_text(l, only);
    return STATUS_OK;
}
