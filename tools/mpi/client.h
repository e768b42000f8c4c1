/* The other ranks of a sweep: they train the trials that rank 0 gives them. */
#ifndef RV_TOOLS_MPI_CLIENT_H
#define RV_TOOLS_MPI_CLIENT_H

#include "tools/cli/command.h"

/* Waits for the plan of rank 0, and trains until no trial is left, or rank 0 says that there is
 * nothing to train. */
exit_status sweep_ask(rv_error *error);

#endif
