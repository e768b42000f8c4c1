#include "tools/cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/names.h"

enum { MOST_OPTIONS = 80, OPTION_CODE = 256 }; /* above every letter */

/* ---- values ---- */

static bool parse_whole(const char *text, int64_t low, int64_t high, int64_t *value)
{
    const char *digits = text + (*text == '-');
    if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0') return false;
    errno = 0;
    intmax_t parsed = strtoimax(text, NULL, 10);
    if (errno != 0 || parsed < low || parsed > high) return false;
    *value = (int64_t)parsed;
    return true;
}

static bool parse_real(const char *text, double *value)
{
    if (*text == '\0' || text[strspn(text, "+-.0123456789eE")] != '\0') return false;
    char *end;
    *value = strtod(text, &end);
    return *end == '\0' && isfinite(*value);
}

bool option_set(const option_row *row, const char *label, const char *text, void *values,
                rv_error *error)
{
    void *value = (char *)values + row->offset;
    double real;
    switch (row->kind) {
    case OPTION_FLAG: *(bool *)value = true; return true;
    case OPTION_TEXT:
        *(const char **)value = text;
        return *text != '\0' ||
               rv_fail(error, RV_ERROR_ARGUMENT, "%s is empty, expected %s", label, row->argument);
    case OPTION_WHOLE:
        return parse_whole(text, row->low, row->high, value) ||
               rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s: got \"%.100s\", expected a whole number from %" PRId64 " to %" PRId64,
                       label, text, row->low, row->high);
    case OPTION_POSITIVE:
        if (!parse_real(text, &real) || !(real > 0))
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "%s: got \"%.100s\", expected a finite number above 0", label, text);
        *(double *)value = real;
        return true;
    case OPTION_NOT_NEGATIVE:
        if (!parse_real(text, &real) || !(real >= 0))
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "%s: got \"%.100s\", expected a finite number from 0", label, text);
        *(double *)value = real;
        return true;
    case OPTION_FRACTION:
        if (!parse_real(text, &real) || !(real >= 0 && real < 1))
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "%s: got \"%.100s\", expected a number from 0 to less than 1", label,
                           text);
        *(double *)value = real;
        return true;
    }
    return false;
}

/* ---- the manual page ---- */

/* Lines of text, each behind `indent` spaces. */
static void print_lines(const char *text, int indent)
{
    while (*text != '\0') {
        int length = (int)strcspn(text, "\n");
        printf("%*s%.*s\n", length ? indent : 0, "", length, text);
        text += length + (text[length] == '\n');
    }
}

/* "    --rate R      the learning rate", further lines below the first. */
static void print_option(const char *name, const char *argument, const char *doc)
{
    enum { COLUMN = 24 };
    int used = printf("    %s%s%s", name, argument ? " " : "", argument ? argument : "");
    int first = (int)strcspn(doc, "\n");
    printf("%*s%.*s\n", used < COLUMN ? COLUMN - used : 1, "", first, doc);
    if (doc[first] == '\n') print_lines(doc + first + 1, COLUMN);
}

static void print_manual(const command *page)
{
    printf("NAME\n    recurve %s - %s\n\nSYNOPSIS\n    recurve %s %s\n\nDESCRIPTION\n", page->name,
           page->summary, page->name, page->synopsis);
    print_lines(page->description, 4);
    puts("\nOPTIONS");
    for (const option_row *row = page->options; row < page->options + page->option_count; row++) {
        if (row->group) printf("%s  %s\n", row == page->options ? "" : "\n", row->group);
        print_option(row->name, row->argument, row->doc);
    }
    print_option("--help", NULL, "print this page");
    printf("\nEXIT STATUS\n    0  success\n    1  %s\n    2  the command line is wrong\n",
           page->failure);
    if (page->statuses) print_lines(page->statuses, 4);
    puts("\nEXAMPLE");
    print_lines(page->example, 4);
}

/* ---- the command line ---- */

static const char *option_name(const void *list, int index)
{
    return ((const option_row *)list)[index].name;
}

/* Names the option that getopt_long stopped at. */
static void fail_option(const command *page, int code, char **argv, rv_error *error)
{
    const char *seen = argv[optind - 1];
    if (code == ':') {
        const option_row *row = &page->options[optopt - OPTION_CODE];
        rv_fail(error, RV_ERROR_ARGUMENT, "%s needs a value: %s %s", row->name, row->name,
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
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(seen, "="), seen);
    fail_unknown("option", name, option_name, page->options, page->option_count, error);
}

/* getopt_long's table: ours, and --help as the last. */
static void list_options(const command *page, struct option table[MOST_OPTIONS + 2])
{
    for (int i = 0; i <= page->option_count; i++) {
        bool last = i == page->option_count;
        const option_row *row = last ? NULL : &page->options[i];
        bool flag = last || row->kind == OPTION_FLAG;
        table[i] = (struct option){last ? "help" : row->name + 2,
                                   flag ? no_argument : required_argument, NULL, OPTION_CODE + i};
    }
    table[page->option_count + 1] = (struct option){0};
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
    return optind == argc ||
           rv_fail(error, RV_ERROR_ARGUMENT, "unexpected argument \"%.100s\"", argv[optind]);
}

/* All but the arguments without dashes, which stand at argv[optind] then. */
static bool parse_options(const command *page, int argc, char **argv, void *values,
                          exit_status *result, rv_error *error)
{
    struct option table[MOST_OPTIONS + 2];
    list_options(page, table);
    opterr = 0;
    optind = 0;
    *result = STATUS_USAGE;
    for (int code; (code = getopt_long(argc, argv, ":h", table, NULL)) != -1;) {
        if (code == 'h' || code == OPTION_CODE + page->option_count) {
            print_manual(page);
            *result = STATUS_OK;
            return false;
        }
        if (code < OPTION_CODE) {
            fail_option(page, code, argv, error);
            return false;
        }
        const option_row *row = &page->options[code - OPTION_CODE];
        if (!option_set(row, row->name, optarg, values, error)) return false;
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
    return *count > 0 || rv_fail(error, RV_ERROR_ARGUMENT, "no %s given", page->files);
}
