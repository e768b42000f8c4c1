/* What recurve-mpi says of itself: its help, its manual page and its completion are made of it.
 * Needs no MPI. */
#ifndef RV_TOOLS_MPI_PAGES_H
#define RV_TOOLS_MPI_PAGES_H

#include "tools/cli/command.h"

/* The subcommands of `recurve` whose work the ranks share. */
enum { MPI_TRAIN, MPI_SWEEP, MPI_PAGES };
typedef struct mpi_page {
    const command *of;
    const char *summary;
} mpi_page;
extern const mpi_page mpi_pages[MPI_PAGES];

#define MPI_ABOUT "recurve on many machines, over MPI"
#define MPI_SYNOPSIS "COMMAND [OPTION]..."
#define MPI_DESCRIPTION \
    "The options are those of `recurve COMMAND`: see `recurve COMMAND --help`.\n" \
    "The first rank alone prints and writes files.\n"
extern const char *const mpi_examples[];
enum { MPI_EXAMPLES = 2 };

#endif
