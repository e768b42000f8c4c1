/* usage: manual --pages        the names of the manual pages, a line each
 *        manual --page NAME    a page, such as recurve-train, in the man macros
 *        manual --bash         the tables of completion.bash
 *        manual --zsh          those of completion.zsh */
#include "tools/manual/manual.h"

#include <stdio.h>
#include <string.h>

static const char prefix[] = "recurve-";

static bool print_page(const char *name)
{
    bool of_command = strncmp(name, prefix, sizeof prefix - 1) == 0;
    const command *page = of_command ? command_find(name + sizeof prefix - 1) : NULL;
    if (page)
        print_command_page(page);
    else if (strcmp(name, "recurve") == 0)
        print_overview_page();
    else if (strcmp(name, "recurve-mpi") == 0)
        print_mpi_page();
    else
        return false;
    return true;
}

static void print_names(void)
{
    puts("recurve\nrecurve-mpi");
    for (int i = 0; i < command_count; i++) printf("%s%s\n", prefix, commands[i]->name);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    bool ok = true;
    if (strcmp(what, "--pages") == 0)
        print_names();
    else if (strcmp(what, "--bash") == 0)
        print_bash_tables();
    else if (strcmp(what, "--zsh") == 0)
        print_zsh_tables();
    else
        ok = argc == 3 && strcmp(what, "--page") == 0 && print_page(argv[2]);
    if (!ok) fprintf(stderr, "usage: manual --pages | --page NAME | --bash | --zsh\n");
    return ok ? finish_output(STATUS_OK) : STATUS_USAGE;
}
