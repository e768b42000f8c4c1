/* The struct of a program, for the files that make and run it. */
#ifndef RV_AUTOGRAD_PROGRAM_PROGRAM_H
#define RV_AUTOGRAD_PROGRAM_PROGRAM_H

#include "autograd/program.h"
#include "autograd/program/pace.h"
#include "autograd/program/thread_pool.h"

struct rv_program {
    rv_call **calls; /* [threads][count]: of each lane; they differ only in `part` and scratch */
    rv_call *alone;  /* [count] for one thread; calls[0] if there is no other */
    int64_t count;
    bool *barrier;       /* [count]: all parts of earlier calls must finish before this call */
    unsigned char *lane; /* [count]: the lane that has the call if it is not cut */
    int slices;          /* parts per lane, run one after the other, of a sliced call */
    rv_turn *turns;      /* [turn_count]: of every lane; NULL if each call is a single part */
    int64_t turn_count;
    int32_t *node;     /* the nodes of the calls, ids on `tape`, in the order of the calls */
    int32_t *node_end; /* [count]: end of the call's nodes in `node` */
    int threads;
    rv_thread_pool *pool; /* NULL for one thread */
    rv_pace pace;
    const void **operands; /* the input pointers of all calls */
    rv_type *operand_types;
    unsigned char *arena;
    rv_tensor *outputs;
    int output_count;
    rv_tensor *inputs; /* in the order of tape->inputs */
    rv_tape *tape;     /* the rewritten tape, with the names, shapes and attributes of the calls */
    size_t live_bytes, arena_bytes;
    rv_hash hash; /* of the original tape; the key in the cache */
    unsigned flags;
    int references; /* held by users and by the cache */
};

/* rv_compile_with without the cache: the caller does not share the program, so it may fill the
 * inputs. */
rv_program *rv_compile_apart(rv_tape *tape, const rv_var *outputs, int count, unsigned flags);

rv_program *rv_program_retain(rv_program *program);

/* Schedules, plans and assembles the live nodes of program->tape. Errors go on that tape. */
bool rv_program_assemble(rv_program *program, const bool *live, const int32_t *outputs, int count,
                         unsigned flags);

void rv_program_free_calls(rv_program *program);

/* Runs a turn of a lane. Unless NULL, `around` is called for each call and must run it. */
void rv_program_run_turn(const rv_program *program, int lane, const rv_turn *turn,
                         void (*around)(void *context, int64_t i, const rv_call *call),
                         void *context);

#endif
