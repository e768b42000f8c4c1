/* Rank 0 of a sweep: it has the database, and answers what the other ranks ask. It trains
 * nothing. */
#ifndef RV_TOOLS_MPI_SERVER_H
#define RV_TOOLS_MPI_SERVER_H

#include "tools/command/search.h"

/* Sends the plan, and answers until every other rank has left: a search_engine, in the place of the
 * processes that `recurve sweep` starts. */
exit_status sweep_serve(search *w, rv_error *error);

/* Lets the other ranks go if there was nothing to train. */
void sweep_dismiss(void);

#endif
