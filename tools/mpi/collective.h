/* Ranks that are processes of an MPI job. */
#ifndef RV_TOOLS_MPI_COLLECTIVE_H
#define RV_TOOLS_MPI_COLLECTIVE_H

#include "recurve.h"

/* Joins the job: MPI_Init. The ranks are those of MPI_COMM_WORLD. Sending without memory ends the
 * job: MPI_Abort. */
rv_collective mpi_join(int *argc, char ***argv);

/* Waits for rank 0 and for what is still being sent, and leaves the job: MPI_Finalize. Returns rank
 * 0's exit status. */
int mpi_leave(int status);

#endif
