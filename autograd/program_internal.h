/* A program's memory, for the files that make and run it. */
#ifndef RV_AUTOGRAD_PROGRAM_INTERNAL_H
#define RV_AUTOGRAD_PROGRAM_INTERNAL_H

#include "autograd/program.h"
#include "autograd/thread_pool_internal.h"

struct rv_program {
    rv_call **calls; /* [threads][count]: the same for every worker but for its part */
    int64_t count;
    bool *meets; /* [count] whether all parts of earlier calls must be done before a call */
    unsigned char *worker; /* [count] who does a call that is not cut */
    int slices;    /* parts that a worker does of a call cut so thinly, one after the other */
    int32_t *node; /* the scheduled nodes of program->tape, and the assignments that copy */
    int32_t
        *node_end; /* [count] where in `node` those of a call end, and those of the next begin */
    int threads;
    rv_team *team;         /* NULL for one thread */
    const void **operands; /* the calls' input pointers, one after the other */
    rv_type *operand_types;
    unsigned char *arena;
    rv_tensor *outputs;
    int output_count;
    rv_tensor *inputs; /* in the order of tape->inputs */
    rv_tape *tape;     /* the rewritten tape: names, shapes and attributes of the calls */
    size_t live_bytes, arena_bytes;
    rv_hash hash;
    unsigned flags;
    int references; /* the users' and the cache's */
};

/* Schedules, plans and assembles the live nodes of program->tape. Errors are kept on that tape. */
bool rv_program_assemble(rv_program *program, const bool *live, const int32_t *outputs, int count,
                         unsigned flags);

/* A kernel: out is in[0]. */
void rv_copy_bytes(const rv_call *call);

void rv_program_free_calls(rv_program *program);

/* The calls first .. of a worker up to the next meeting, slice by slice; returns where that is. `around`,
 * unless NULL, runs a call in its stead. */
int64_t rv_program_run_until_meeting(const rv_program *program, int worker, int64_t first,
                                     void (*around)(void *context, int64_t i, const rv_call *call),
                                     void *context);

#endif
