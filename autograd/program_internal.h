/* The inside of a program, for the files that make and run it. */
#ifndef RV_AUTOGRAD_PROGRAM_INTERNAL_H
#define RV_AUTOGRAD_PROGRAM_INTERNAL_H

#include "autograd/program.h"
#include "autograd/thread_pool_internal.h"

struct rv_program {
    rv_call **calls; /* [threads][count]; the workers' calls differ in `part` only */
    int64_t count;
    bool *barrier;         /* [count]: all parts of earlier calls must be done before this call */
    unsigned char *worker; /* [count]: the worker that runs a call that is not cut */
    int slices;    /* parts that each worker runs, one after the other, of a call cut into slices */
    int32_t *node; /* the scheduled nodes of program->tape, and the assignments that copy */
    int32_t
        *node_end; /* [count]: the end in `node` of a call's nodes; the next call's begin there */
    int threads;
    rv_thread_pool *pool;  /* NULL for one thread */
    const void **operands; /* the calls' input pointers, one after the other */
    rv_type *operand_types;
    unsigned char *arena;
    rv_tensor *outputs;
    int output_count;
    rv_tensor *inputs; /* in the order of tape->inputs */
    rv_tape *tape;     /* the rewritten tape: names, shapes and attributes of the calls */
    size_t live_bytes, arena_bytes;
    rv_hash hash; /* of the tape that was compiled, by which the cache finds it */
    unsigned flags;
    int references; /* the users' and the cache's */
};

/* rv_compile_with, but a program that is not shared through the cache, so its inputs may be filled. */
rv_program *rv_compile_apart(rv_tape *tape, const rv_var *outputs, int count, unsigned flags);

rv_program *rv_program_retain(rv_program *program);

/* Schedules, plans and assembles the live nodes of program->tape. Errors are kept on that tape. */
bool rv_program_assemble(rv_program *program, const bool *live, const int32_t *outputs, int count,
                         unsigned flags);

/* A kernel: out is in[0]. */
void rv_copy_bytes(const rv_call *call);

void rv_program_free_calls(rv_program *program);

/* Runs a worker's calls from `first` to the next barrier, slice by slice, and returns that barrier's index. `around`,
 * unless NULL, runs each call instead. */
int64_t rv_program_run_until_barrier(const rv_program *program, int worker, int64_t first,
                                     void (*around)(void *context, int64_t i, const rv_call *call),
                                     void *context);

#endif
