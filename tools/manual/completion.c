/* The tables of completion.bash and completion.zsh. A value's name in the help says how it is
 * completed. */
#include <stdio.h>
#include <string.h>

#include "tools/manual/manual.h"
#include "tools/mpi/pages.h"
#include "tools/sweep/objective.h"

/* _recurve_MODEL='curnn antisymmetric-rnn ..' */
#define PRINT_NAMES(variable, what, more) \
    do { \
        fputs("_recurve_" variable "='", stdout); \
        for (int i = 0; i < what##_count(); i++) \
            printf("%s%s", i > 0 ? " " : "", what##_at(i)->name); \
        puts(more "'"); \
    } while (false)

/* ---- bash ---- */

/* train) rows='MODEL --task=TASK --sequence ..' ;; */
static void print_rows(const command *page)
{
    const option_table table = options_of(page);
    const char *operand = page->operand ? page->operand : page->files;
    printf("        %s) rows='%s", page->name, operand ? operand : "");
    for (int i = 0; i < table.count; i++) {
        const option_row *row = table.row[i];
        for (const char *key = row->key; key; key = key == row->alias ? NULL : row->alias)
            printf(" --%s%s%s", key, row->argument ? "=" : "", row->argument ? row->argument : "");
    }
    puts(" --help' ;;");
}

static void print_tables(void)
{
    PRINT_NAMES("MODEL", rv_model, "");
    PRINT_NAMES("OPTIMIZER", rv_optimizer, "");
    PRINT_NAMES("TASK", rv_task, " digits");
    PRINT_NAMES("OP", rv_op, "");
    PRINT_NAMES("METRIC", objective, "");
}

void print_bash_tables(void)
{
    print_tables();
    fputs("_recurve_commands='", stdout);
    for (int i = 0; i < command_count; i++) printf("%s%s", i > 0 ? " " : "", commands[i]->name);
    fputs("'\n_recurve_mpi_commands='", stdout);
    for (int i = 0; i < MPI_PAGES; i++) printf("%s%s", i > 0 ? " " : "", mpi_pages[i].of->name);
    puts("'\n_recurve_rows()\n{\n    case $1 in");
    for (int i = 0; i < command_count; i++) print_rows(commands[i]);
    puts("        *) rows='' ;;\n    esac\n}");
}

/* ---- zsh ---- */

/* Text in single quotes, in which _arguments reads brackets and colons. */
static void print_escaped(const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            printf("%s%c", strchr("[]:\\", *text) ? "\\" : "", *text == '\n' ? ' ' : *text);
    }
}

/* ':TASK: _recurve_value TASK', what completes a value. */
static void print_action(const char *argument)
{
    putchar(':');
    print_escaped(argument);
    fputs(": _recurve_value \"", stdout);
    print_escaped(argument);
    putchar('"');
}

/* '--task=[..]:TASK: _recurve_value "TASK"' */
static void print_spec(const option_row *row, const char *key)
{
    printf("            '--%s%s[", key, row->argument ? "=" : "");
    print_escaped(row->doc);
    putchar(']');
    if (row->argument) print_action(row->argument);
    puts("'");
}

/* train) specs=(..) ;; */
static void print_specs(const command *page)
{
    const option_table table = options_of(page);
    printf("        %s) specs=(\n", page->name);
    for (int i = 0; i < table.count; i++) {
        const option_row *row = table.row[i];
        print_spec(row, row->key);
        if (row->alias) print_spec(row, row->alias);
    }
    puts("            '--help[print help]'");
    if (page->operand || page->files) {
        printf("            '%s", page->files ? "*" : "1");
        print_action(page->operand ? page->operand : page->files);
        puts("'");
    }
    puts("        ) ;;");
}

/* 'train:train a recurrent net' */
static void print_described(const command *page, const char *summary)
{
    printf("    '%s:", page->name);
    print_escaped(summary);
    puts("'");
}

void print_zsh_tables(void)
{
    puts("#compdef recurve recurve-mpi");
    print_tables();
    puts("_recurve_commands=(");
    for (int i = 0; i < command_count; i++) print_described(commands[i], commands[i]->summary);
    puts(")\n_recurve_mpi_commands=(");
    for (int i = 0; i < MPI_PAGES; i++) print_described(mpi_pages[i].of, mpi_pages[i].summary);
    puts(")\n_recurve_specs()\n{\n    case $1 in");
    for (int i = 0; i < command_count; i++) print_specs(commands[i]);
    puts("        *) specs=() ;;\n    esac\n}");
}
