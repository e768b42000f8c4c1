#include "tools/mpi/sweep.h"

#include "tools/command/crew.h"
#include "tools/mpi/client.h"
#include "tools/mpi/server.h"

exit_status sweep_on_ranks(const rv_collective *ranks, int argc, char **argv, rv_error *error)
{
    if (ranks->rank > 0) return sweep_ask(error);
    const exit_status result = sweep_with(sweep_serve, argc, argv, error);
    sweep_dismiss();
    return result;
}
