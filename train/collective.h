/* How the processes, or threads, of one training run exchange bytes. The library has no
 * implementation: recurve-mpi has one for MPI (tools/mpi). Each rank has a trainer with the same
 * configuration, and all call rv_trainer_fit. */
#ifndef RV_TRAIN_COLLECTIVE_H
#define RV_TRAIN_COLLECTIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "../tensor/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Messages from one rank to another arrive in the order in which they were sent, and both agree on
 * their size. A failure is final: the caller then has to end the other ranks, which may wait for
 * this one. */
typedef struct rv_collective {
    int rank, size; /* rank in 0 .. size-1 */

    /* Sends without waiting for the receiver. The bytes are the caller's again when it returns. */
    bool (*send)(void *context, int to, const void *bytes, size_t count, rv_error *error);
    /* Waits for the next message from a rank. */
    bool (*receive)(void *context, int from, void *bytes, size_t count, rv_error *error);
    void *context;
} rv_collective;

#ifdef __cplusplus
}
#endif

#endif
