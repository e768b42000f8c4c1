/* Messages are sent from copies, so that the sender goes on at once; MPI moves them while the
 * receiver waits or the sender calls MPI again. An error of MPI itself ends the job
 * (MPI_ERRORS_ARE_FATAL, the default). */
#include "tools/mpi/collective.h"

#include <mpi/mpi.h> /* in the folder of Debian's default MPI */
#include <stdlib.h>
#include <string.h>

#include "tools/cli/say.h"

enum { PIECE = 1 << 30 }; /* bytes of a message; MPI counts them as an int */

typedef struct sending {
    struct sending *next;
    MPI_Request request;
    char bytes[];
} sending;

static sending *oldest, **end = &oldest;

/* Frees the copies of messages up to the first that has not left; with `wait`, of all. */
static void finish(bool wait)
{
    while (oldest) {
        sending *one = oldest;
        int done = 1;
        if (wait)
            MPI_Wait(&one->request, MPI_STATUS_IGNORE);
        else
            MPI_Test(&one->request, &done, MPI_STATUS_IGNORE);
        if (!done) return;
        oldest = one->next;
        if (!oldest) end = &oldest;
        free(one);
    }
}

static bool send(void *context, int to, const void *bytes, size_t count, rv_error *error)
{
    (void)context;
    finish(false);
    for (size_t done = 0; done < count; done += PIECE) {
        const size_t size = count - done < PIECE ? count - done : PIECE;
        sending *one = malloc(sizeof *one + size);
        if (!one) { /* the receiver would wait forever */
            say(stderr, "recurve-mpi: out of memory for a message of %zu bytes\n", size);
            MPI_Abort(MPI_COMM_WORLD, 1);
            return rv_fail_memory(error);
        }
        memcpy(one->bytes, (const char *)bytes + done, size);
        MPI_Isend(one->bytes, (int)size, MPI_BYTE, to, 0, MPI_COMM_WORLD, &one->request);
        one->next = NULL;
        *end = one;
        end = &one->next;
    }
    return true;
}

static bool receive(void *context, int from, void *bytes, size_t count, rv_error *error)
{
    (void)context;
    (void)error;
    for (size_t done = 0; done < count; done += PIECE) {
        const size_t size = count - done < PIECE ? count - done : PIECE;
        MPI_Recv((char *)bytes + done, (int)size, MPI_BYTE, from, 0, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
    }
    finish(false);
    return true;
}

rv_collective mpi_join(int *argc, char ***argv)
{
    int level; /* threads of a program make no calls of MPI */
    rv_collective ranks = {.send = send, .receive = receive};
    MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &ranks.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks.size);
    return ranks;
}

int mpi_leave(int status)
{
    MPI_Bcast(&status, 1, MPI_INT, 0, MPI_COMM_WORLD);
    finish(true);
    MPI_Finalize();
    return status;
}
