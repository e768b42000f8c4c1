/* recurve-mpi: subcommands of `recurve` whose work the processes of an MPI job share. A subcommand
 * is a row of `programs`. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/say.h"
#include "tools/command/commands.h"
#include "tools/mpi/collective.h"
#include "tools/mpi/sweep.h"
#include "train/setup/lookup.h"

/* Every rank runs it, with the same arguments. What ranks other than the first print is lost, and
 * the exit status is the first rank's. */
typedef struct program {
    const command *page;
    exit_status (*run)(const rv_collective *ranks, int argc, char **argv, rv_error *error);
    const char *summary;
} program;

static const program programs[] = {
    {&command_train, train_with, "train a net; the ranks share the leaves of each batch"},
    {&command_sweep, sweep_on_ranks, "search hyper-parameters; the ranks train the trials"},
};
enum { PROGRAMS = sizeof programs / sizeof *programs };

static const program *chosen;
static rv_collective ranks;

static exit_status run_chosen(int argc, char **argv, rv_error *error)
{
    return chosen->run(&ranks, argc, argv, error);
}

static const char *program_name(const void *list, int index)
{
    return ((const program *)list)[index].page->name;
}

static void print_help(void)
{
    say(stdout, "recurve-mpi - recurve on many machines, over MPI\n\n"
                "usage: mpirun -n RANKS recurve-mpi COMMAND [OPTION]...\n"
                "       recurve-mpi --help | --version\n\n");
    for (int i = 0; i < PROGRAMS; i++)
        say(stdout, "    %-12s%s\n", programs[i].page->name, programs[i].summary);
    say(stdout, "\nThe options are those of `recurve COMMAND`: see `recurve COMMAND --help`.\n"
                "The first rank alone prints and writes files.\n\n"
                "    mpirun -n 4 recurve-mpi train --leaves 16 --output /tmp/run\n"
                "    mpirun -n 2 recurve-mpi train --resume /tmp/run --epochs 40\n");
}

/* Whether a launcher has started this process: mpirun, or srun of Slurm. */
static bool is_launched(void)
{
    return getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMIX_RANK") || getenv("PMI_RANK");
}

/* Whether this is the first rank, before it joins the others, as far as the launcher has said. */
static bool is_first(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i])) return strcmp(getenv(names[i]), "0") == 0;
    return true;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static void be_silent(void)
{
    if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
        exit(STATUS_FAILED);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    rv_error error = {0};
    if (is_help(name)) {
        print_help();
        return finish_output(STATUS_OK);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        say(stdout, "recurve-mpi %s\n", rv_version());
        return finish_output(STATUS_OK);
    }
    for (int i = 0; i < PROGRAMS; i++)
        if (strcmp(programs[i].page->name, name) == 0) chosen = &programs[i];
    if (!chosen) {
        if (!is_first()) return STATUS_USAGE;
        if (argc < 2)
            rv_fail(&error, RV_ERROR_ARGUMENT, "no command given");
        else
            rv_fail_unknown("command", name, program_name, programs, PROGRAMS, &error);
        say(stderr,
            "recurve-mpi: %-s\nTry 'recurve-mpi --help'; other commands are those of `recurve`, on "
            "one process.\n",
            error.text);
        return STATUS_USAGE;
    }
    if (argc > 2 && is_help(argv[2]))
        return finish_output(run_command(chosen->page, argc - 1, argv + 1));
    if (!is_launched()) {
        say(stderr,
            "recurve-mpi: no MPI launcher has started this process; start it as `mpirun -n 4 "
            "recurve-mpi %s ..`, or use `recurve %s` on one process\n",
            name, name);
        return STATUS_USAGE;
    }

    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error like a full disk */
    ranks = mpi_join(&argc, &argv);
    if (ranks.rank > 0) be_silent();
    command page = *chosen->page;
    page.run = run_chosen;
    return mpi_leave(finish_output(run_command(&page, argc - 1, argv + 1)));
}
