/* A sweep whose workers are the ranks of an MPI job. */
#ifndef RV_TOOLS_MPI_SWEEP_H
#define RV_TOOLS_MPI_SWEEP_H

#include "tools/cli/command.h"
#include "train/collective.h"

/* `recurve sweep` on rank 0, which has the database and trains nothing; the other ranks train the
 * trials that it gives them. */
exit_status sweep_on_ranks(const rv_collective *ranks, int argc, char **argv, rv_error *error);

#endif
