#include "tools/cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "train/setup/lookup.h"
#include "tools/cli/say.h"

enum { OPTION_TEXT = 64, OPTION_CODE = 256 }; /* above all characters */

/* ---- the table ---- */

static bool is_named(const option_row *row, const char *key)
{
    return strcmp(row->key, key) == 0 || (row->alias && strcmp(row->alias, key) == 0);
}

static const option_row *own_row(const command *page, const char *key)
{
    for (const option_row *row = page->options; row < page->options + page->option_count; row++)
        if (is_named(row, key)) return row;
    return NULL;
}

option_table options_of(const command *page)
{
    option_table table = {.count = 0};
    const char *group = NULL, *last = NULL;
    for (int i = 0; page->configures && i < rv_config_row_count(); i++) {
        const option_row *row = rv_config_row_at(i), *own = own_row(page, row->key);
        if (row->group)
            group = row->group; /* that of the rows below, also if this one is left out */
        if (!own && !page->configures(row->key)) continue;
        if (group != last) table.heading[table.count] = last = group;
        table.row[table.count++] = own ? own : row;
    }
    int library = table.count;
    for (int i = 0; i < page->option_count; i++) {
        int k = 0;
        while (k < library && table.row[k] != &page->options[i]) k++;
        if (k < library) continue;
        table.heading[table.count] = page->options[i].group;
        table.row[table.count++] = &page->options[i];
    }
    return table;
}

/* ---- the manual page ---- */

/* Prints lines, each indented by `indent` spaces. */
static void print_lines(const char *text, int indent)
{
    while (*text != '\0') {
        int length = (int)strcspn(text, "\n");
        say(stdout, "%*s%.*s\n", length ? indent : 0, "", length, text);
        text += length + (text[length] == '\n');
    }
}

/* "    --epochs N    passes over the data". A long name, such as "    --learning-rate, --lr R", has a line to itself. */
static void print_option(const option_row *row)
{
    enum { COLUMN = 24 };
    int used = say(stdout, "    --%s", row->key);
    if (row->alias) used += say(stdout, ", --%s", row->alias);
    if (row->argument) used += say(stdout, " %s", row->argument);
    if (used >= COLUMN) putchar('\n');
    int first = (int)strcspn(row->doc, "\n");
    say(stdout, "%*s%.*s\n", used < COLUMN ? COLUMN - used : COLUMN, "", first, row->doc);
    if (row->doc[first] == '\n') print_lines(row->doc + first + 1, COLUMN);
}

static void print_manual(const command *page)
{
    say(stdout, "NAME\n    recurve %s - %-s\n\nSYNOPSIS\n    recurve %s %-s\n\nDESCRIPTION\n",
        page->name, page->summary, page->name, page->synopsis);
    print_lines(page->description, 4);
    say(stdout, "\nOPTIONS\n");
    const option_table table = options_of(page);
    for (int i = 0; i < table.count; i++) {
        if (table.heading[i]) say(stdout, "%-s  %s\n", i == 0 ? "" : "\n", table.heading[i]);
        print_option(table.row[i]);
    }
    print_option(&(option_row){.key = "help", .doc = "print this page"});
    say(stdout, "\nEXIT STATUS\n    0  success\n    1  %-s\n    2  the command line is wrong\n",
        page->failure);
    if (page->statuses) print_lines(page->statuses, 4);
    say(stdout, "\nEXAMPLE\n");
    print_lines(page->example, 4);
}

/* ---- messages ---- */

void options_print_message(const command *page, const char *message)
{
    const option_table table = options_of(page);
    char key[OPTION_TEXT];
    for (const char *at = message; *at != '\0';) {
        int length = *at == '`' ? (int)strcspn(at + 1, "`\n") : 0, i = 0;
        snprintf(key, sizeof key, "%.*s", length, at + 1);
        while (i < table.count && !is_named(table.row[i], key)) i++;
        if (length > 0 && at[length + 1] == '`' && i < table.count) {
            say(stderr, "--%s", table.row[i]->key);
            at += length + 2;
        } else {
            fputc(*at++, stderr);
        }
    }
}

/* ---- the command line ---- */

static const char *option_name(const void *list, int index)
{
    return ((const char(*)[OPTION_TEXT])list)[index];
}

/* Options of other libraries, for which the nearest name is no help; `name` begins with "--". */
static bool is_device(const char *name)
{
    static const char *const keys[] = {"device", "gpu", "cuda"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(name + 2, keys[i]) == 0) return true;
    return false;
}

/* Reports the option that getopt_long rejected. */
static void fail_option(const option_table *table, int code, char **argv, rv_error *error)
{
    const char *seen = argv[optind - 1];
    if (code == ':') {
        const option_row *row = table->row[optopt - OPTION_CODE];
        rv_fail(error, RV_ERROR_ARGUMENT, "--%s needs a value: --%s %s", row->key, row->key,
                row->argument);
        return;
    }
    if (optopt >= OPTION_CODE) {
        rv_fail(error, RV_ERROR_ARGUMENT, "%.100s: the option takes no value", seen);
        return;
    }
    if (optopt != 0) {
        rv_fail(error, RV_ERROR_ARGUMENT, "unknown option -%c; options are written out, as --help",
                optopt);
        return;
    }
    char name[OPTION_TEXT], known[MOST_OPTIONS][OPTION_TEXT];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(seen, "="), seen);
    bool threads = false;
    for (int i = 0; i < table->count; i++) {
        snprintf(known[i], OPTION_TEXT, "--%s", table->row[i]->key);
        threads = threads || is_named(table->row[i], "threads");
    }
    if (is_device(name)) {
        rv_fail(error, RV_ERROR_ARGUMENT, "unknown option %s; there is no device but the CPU%s",
                name, threads ? ": --threads N uses N of its cores" : "");
        return;
    }
    rv_fail_unknown("option", name, option_name, known, table->count, error);
}

/* The table for getopt_long: keys, aliases, and --help last. */
static void list_options(const option_table *table, struct option list[2 * MOST_OPTIONS + 2])
{
    for (int i = 0; i < table->count; i++) {
        const option_row *row = table->row[i];
        int takes = row->kind == RV_CONFIG_FLAG ? no_argument : required_argument;
        *list++ = (struct option){row->key, takes, NULL, OPTION_CODE + i};
        if (row->alias) *list++ = (struct option){row->alias, takes, NULL, OPTION_CODE + i};
    }
    *list++ = (struct option){"help", no_argument, NULL, OPTION_CODE + table->count};
    *list = (struct option){0};
}

static bool parse_operand(const command *page, int argc, char **argv, const char **operand,
                          rv_error *error)
{
    if (page->operand && optind < argc) {
        const char *word = argv[optind++];
        if (*operand)
            return rv_fail(error, RV_ERROR_ARGUMENT, "both \"%.100s\" and \"%.100s\" are given",
                           *operand, word);
        *operand = word;
    }
    const char *hint = page->operand                 ? ""
                       : own_row(page, "checkpoint") ? "; --output names the folder of a run"
                       : own_row(page, "models")     ? "; --models names the cells"
                                                     : "";
    return optind == argc || rv_fail(error, RV_ERROR_ARGUMENT, "unexpected argument \"%.100s\"%s",
                                     argv[optind], hint);
}

/* Parses the options. The operands are left at argv[optind] and after. */
static bool parse_options(const command *page, int argc, char **argv, void *values,
                          exit_status *result, rv_error *error)
{
    const option_table table = options_of(page);
    struct option list[2 * MOST_OPTIONS + 2];
    char label[OPTION_TEXT];
    list_options(&table, list);
    opterr = 0;
    optind = 0;
    *result = STATUS_USAGE;
    for (int code; (code = getopt_long(argc, argv, ":h", list, NULL)) != -1;) {
        if (code == 'h' || code == OPTION_CODE + table.count) {
            print_manual(page);
            *result = STATUS_OK;
            return false;
        }
        if (code < OPTION_CODE) {
            fail_option(&table, code, argv, error);
            return false;
        }
        const option_row *row = table.row[code - OPTION_CODE];
        snprintf(label, sizeof label, "--%s", row->key);
        if (!rv_config_row_set(row, label, optarg, values, error)) return false;
    }
    return true;
}

bool options_parse(const command *page, int argc, char **argv, void *values, const char **operand,
                   exit_status *result, rv_error *error)
{
    return parse_options(page, argc, argv, values, result, error) &&
           parse_operand(page, argc, argv, operand, error);
}

bool options_parse_files(const command *page, int argc, char **argv, void *values, char ***files,
                         int *count, exit_status *result, rv_error *error)
{
    if (!parse_options(page, argc, argv, values, result, error)) return false;
    *files = argv + optind;
    *count = argc - optind;
    return *count > 0 || page->operand ||
           rv_fail(error, RV_ERROR_ARGUMENT, "no %s given", page->files);
}
