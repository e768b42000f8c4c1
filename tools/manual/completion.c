/* The tables of completion.bash. A value's name in the help says how it is completed. */
#include <stdio.h>

#include "tools/manual/manual.h"

/* _recurve_MODEL='curnn antisymmetric-rnn ..' */
#define PRINT_NAMES(variable, what) \
    do { \
        fputs("_recurve_" variable "='", stdout); \
        for (int i = 0; i < rv_##what##_count(); i++) \
            printf("%s%s", i > 0 ? " " : "", rv_##what##_at(i)->name); \
        puts("'"); \
    } while (false)

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

void print_completion_tables(void)
{
    PRINT_NAMES("MODEL", model);
    PRINT_NAMES("OPTIMIZER", optimizer);
    PRINT_NAMES("TASK", task);
    PRINT_NAMES("OP", op);
    fputs("_recurve_commands='", stdout);
    for (int i = 0; i < command_count; i++) printf("%s%s", i > 0 ? " " : "", commands[i]->name);
    puts("'\n_recurve_rows()\n{\n    case $1 in");
    for (int i = 0; i < command_count; i++) print_rows(commands[i]);
    puts("        *) rows='' ;;\n    esac\n}");
}
