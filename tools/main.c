/* The `recurve` command. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "train/setup/lookup.h"
#include "tools/command/commands.h"
#include "tools/cli/say.h"

static const char *command_name(const void *list, int index)
{
    return ((const command *const *)list)[index]->name;
}

static void print_help(void)
{
    say(stdout, "recurve - " COMMANDS_ABOUT "\n\n"
                "usage: recurve COMMAND [OPTION]...\n"
                "       recurve --help | --version\n\n");
    for (int i = 0; i < command_count; i++)
        say(stdout, "    %-12s%s\n", commands[i]->name, commands[i]->summary);
    say(stdout, "\n`recurve COMMAND --help` describes a command and its options.\n"
                "Exit status: 0 success, 1 the command failed, 2 the command line is wrong.\n");
}

static bool is_one_of(const char *name, const char *a, const char *b, const char *c)
{
    return name && (strcmp(name, a) == 0 || strcmp(name, b) == 0 || strcmp(name, c) == 0);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    keep_standard_streams();
    if (is_one_of(name, "--help", "-h", "help")) {
        print_help();
        return finish_output(STATUS_OK);
    }
    if (is_one_of(name, "--version", "-V", "version")) {
        say(stdout, "recurve %s\n", rv_version());
        return finish_output(STATUS_OK);
    }

    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error like a full disk */
    rv_error error = {0};
    const command *chosen = name ? command_find(name) : NULL;
    if (!chosen) {
        if (!name)
            rv_fail(&error, RV_ERROR_ARGUMENT, "no command given");
        else
            rv_fail_unknown("command", name, command_name, commands, command_count, &error);
        say(stderr, "recurve: %-s\nTry 'recurve --help'.\n", error.text);
        return STATUS_USAGE;
    }

    return finish_output(run_command(chosen, argc - 1, argv + 1));
}
