/* recurve-mpi: subcommands of `recurve` whose work the processes of an MPI job share. A subcommand
 * is a row of `mpi_pages` and one of `programs`. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/say.h"
#include "tools/command/commands.h"
#include "tools/mpi/collective.h"
#include "tools/mpi/pages.h"
#include "tools/mpi/sweep.h"
#include "train/setup/lookup.h"

/* Every rank runs it, with the same arguments. What ranks other than the first print is lost, and
 * the exit status is the first rank's. */
typedef exit_status program(const rv_collective *ranks, int argc, char **argv, rv_error *error);
static program *const programs[MPI_PAGES] = {
    [MPI_TRAIN] = train_with, [MPI_SWEEP] = sweep_on_ranks};

static int chosen = -1; /* index */
static rv_collective ranks;

static exit_status run_chosen(int argc, char **argv, rv_error *error)
{
    return programs[chosen](&ranks, argc, argv, error);
}

static const char *page_name(const void *list, int index)
{
    return ((const mpi_page *)list)[index].of->name;
}

static void print_help(void)
{
    say(stdout, "recurve-mpi - " MPI_ABOUT "\n\n"
                "usage: mpirun -n RANKS recurve-mpi " MPI_SYNOPSIS "\n"
                "       recurve-mpi --help | --version\n\n");
    for (int i = 0; i < MPI_PAGES; i++)
        say(stdout, "    %-12s%s\n", mpi_pages[i].of->name, mpi_pages[i].summary);
    say(stdout, "\n" MPI_DESCRIPTION "\n");
    for (int i = 0; i < MPI_EXAMPLES; i++) say(stdout, "    %s\n", mpi_examples[i]);
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
    keep_standard_streams();
    if (is_help(name)) {
        print_help();
        return finish_output(STATUS_OK);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        say(stdout, "recurve-mpi %s\n", rv_version());
        return finish_output(STATUS_OK);
    }
    for (int i = 0; i < MPI_PAGES; i++)
        if (strcmp(mpi_pages[i].of->name, name) == 0) chosen = i;
    if (chosen < 0) {
        if (!is_first()) return STATUS_USAGE;
        if (argc < 2)
            rv_fail(&error, RV_ERROR_ARGUMENT, "no command given");
        else
            rv_fail_unknown("command", name, page_name, mpi_pages, MPI_PAGES, &error);
        say(stderr,
            "recurve-mpi: %-s\nTry 'recurve-mpi --help'; other commands are those of `recurve`, on "
            "one process.\n",
            error.text);
        return STATUS_USAGE;
    }
    if (argc > 2 && is_help(argv[2]))
        return finish_output(run_command(mpi_pages[chosen].of, argc - 1, argv + 1));
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
    command page = *mpi_pages[chosen].of;
    page.run = run_chosen;
    return mpi_leave(finish_output(run_command(&page, argc - 1, argv + 1)));
}
