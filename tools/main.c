/* The `recurve` command: a table of subcommands. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tools/cli/command.h"
#include "tools/cli/names.h"

static const struct command {
    const char *name;
    const char *summary;
    command_run run;
} commands[] = {
    {"train", "train a recurrent net on digits, sequences, films, texts or files", train_run},
    {"compare", "train several cells and optimizers on the same data", compare_run},
    {"evaluate", "measure a trained model, with its confusion matrix", evaluate_run},
    {"sample", "write text with a trained character model", sample_run},
    {"profile", "time a training step, instruction by instruction", profile_run},
    {"gradcheck", "prove the gradients of ops and models by central differences", gradcheck_run},
    {"verify", "retell the article's derivation and find its mistakes", verify_run},
    {"check", "prove equations in files, and derivations by hand line by line", check_run},
    {"run", "compute the values and gradients of a model in a file", calculate_run},
    {"fmt", "bring files of equations into their canonical form", fmt_run},
    {"graph", "draw a model's equations, gradients and updates", graph_run},
    {"ops", "list the ops with their formulas", ops_run},
    {"models", "list the models with their equations", models_run},
    {"optimizers", "list the optimizers with their update equations", optimizers_run},
    {"tasks", "list the tasks that data can be generated for", tasks_run},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static const char *command_name(const void *list, int index)
{
    return ((const struct command *)list)[index].name;
}

static void print_help(void)
{
    puts("recurve - automatic differentiation for recurrent nets\n\n"
         "usage: recurve COMMAND [OPTION]...\n"
         "       recurve --help | --version\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("    %-12s%s\n", commands[i].name, commands[i].summary);
    puts("\n`recurve COMMAND --help` tells all about a command.\n"
         "Exit status: 0 all is well, 1 the run failed, 2 the command line was wrong.");
}

static const struct command *find_command(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    return NULL;
}

/* The exit status, unless results were lost on their way out (a full disk). */
static int finish(exit_status result)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return (int)result;
    fprintf(stderr, "recurve: cannot write to standard output: %s\n", strerror(errno));
    return result == STATUS_OK ? (int)STATUS_FAILED : (int)result;
}

static bool is_one_of(const char *name, const char *a, const char *b, const char *c)
{
    return name && (strcmp(name, a) == 0 || strcmp(name, b) == 0 || strcmp(name, c) == 0);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    if (is_one_of(name, "--help", "-h", "help")) {
        print_help();
        return finish(STATUS_OK);
    }
    if (is_one_of(name, "--version", "-V", "version")) {
        printf("recurve %s\n", rv_version());
        return finish(STATUS_OK);
    }

    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error like a full disk */
    rv_error error = {0};
    const struct command *command = name ? find_command(name) : NULL;
    if (!command) {
        if (!name)
            rv_fail(&error, RV_ERROR_ARGUMENT, "no command given");
        else
            fail_unknown("command", name, command_name, commands, COMMANDS, &error);
        fprintf(stderr, "recurve: %s\nTry 'recurve --help'.\n", error.text);
        return STATUS_USAGE;
    }

    exit_status result = command->run(argc - 1, argv + 1, &error);
    bool outside = error.code == RV_ERROR_IO || error.code == RV_ERROR_FORMAT ||
                   error.code == RV_ERROR_MEMORY; /* not the command line's fault */
    if (outside) result = STATUS_FAILED;
    if (error.code != RV_OK) fprintf(stderr, "recurve %s: %s\n", command->name, error.text);
    if (result == STATUS_USAGE) fprintf(stderr, "Try 'recurve %s --help'.\n", command->name);
    return finish(result);
}
