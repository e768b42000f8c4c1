/* recurve fmt */
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/command/commands.h"
#include "tools/cli/equations.h"
#include "train/text_file_internal.h"
#include "tools/cli/say.h"

typedef struct fmt_options {
    bool check, in_place;
    const char *include_path;
} fmt_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(fmt_options, field, name, argument, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(check, "check", NULL, FLAG, "write nothing; list the files that are not in canonical form"),
    ROW(in_place, "in-place", NULL, FLAG, "rewrite the files that are not in canonical form"),
    ROW(include_path, "include-path", "DIR[:DIR]..", TEXT, INCLUDE_PATH_DOC),
};

static exit_status run(int argc, char **argv, rv_error *error);

const command command_fmt = {
    .name = "fmt",
    .run = run,
    .summary = "bring files of equations into their canonical form",
    .synopsis = "FILE | FILE... --check | FILE... --in-place",
    .description =
        "Prints a file of the equation language in canonical form, with the indentation, spacing "
        "and\n"
        "parentheses of the built-in models. Comments are kept. A file with mistakes is never\n"
        "rewritten; its mistakes are printed.\n",
    OPTIONS(options),
    .failure = "a file has mistakes, or with --check is not in canonical form",
    .example = "recurve fmt my.rv\n"
               "recurve fmt --in-place models/*.rv\n",
    .files = "FILE",
};

/* Gives the file's text and its canonical form, both for rv_free. False and *error, or false when
 * the file has mistakes, which are printed. */
static bool format(const char *path, const char *folders, char **text, char **canonical,
                   rv_error *error)
{
    *canonical = NULL;
    *text = rv_text_file_read(path, error);
    rv_lang *lang = *text ? rv_lang_open(path, folders, error) : NULL;
    bool ok = lang && equations_are_right(lang);
    if (ok) *canonical = rv_lang_format(lang);
    if (ok && !*canonical) ok = rv_fail_memory(error);
    rv_lang_free(lang);
    return ok;
}

/* Whether the file is now in canonical form. */
static bool fmt(const fmt_options *o, const char *path, rv_error *error)
{
    char *text, *canonical;
    bool ok = format(path, o->include_path, &text, &canonical, error);
    bool same = ok && strcmp(text, canonical) == 0;
    if (ok && o->check && !same) say(stdout, "%s\n", path);
    if (ok && o->in_place && !same) ok = rv_text_file_write(path, canonical, error);
    if (ok && !o->check && !o->in_place) say_lines(stdout, canonical, strlen(canonical));
    rv_free(text);
    rv_free(canonical);
    return ok && (same || !o->check);
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    fmt_options o = {0};
    char **files;
    int count;
    if (!options_parse_files(&command_fmt, argc, argv, &o, &files, &count, &result, error))
        return result;
    bool several = count > 1 && !o.check && !o.in_place;
    if ((o.check && o.in_place) || several) {
        rv_fail(error, RV_ERROR_ARGUMENT, "%s",
                several ? "only one file can be printed; for several add --check or --in-place"
                        : "give only one of --check and --in-place");
        return STATUS_USAGE;
    }
    bool ok = true;
    for (int i = 0; i < count && error->code == RV_OK; i++) ok = fmt(&o, files[i], error) && ok;
    return ok ? STATUS_OK : STATUS_FAILED;
}
