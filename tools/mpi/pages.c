#include "tools/mpi/pages.h"

#include "tools/command/commands.h"

const mpi_page mpi_pages[MPI_PAGES] = {
    [MPI_TRAIN] = {&command_train, "train a net; the ranks share the leaves of each batch"},
    [MPI_SWEEP] = {&command_sweep, "search hyper-parameters; the ranks train the trials"},
};

const char *const mpi_examples[MPI_EXAMPLES] = {
    "mpirun -n 4 recurve-mpi train --leaves 16 --output /tmp/run",
    "mpirun -n 2 recurve-mpi train --resume /tmp/run --epochs 40",
};
