/* The instructions of a program, and the time that each takes. */
#ifndef RV_AUTOGRAD_PROFILE_H
#define RV_AUTOGRAD_PROFILE_H

#include "program.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_instruction {
    const rv_tape *tape; /* the rewritten tape, owned by the program */
    const int32_t *node; /* [nodes] in the order of computation: one, or a group of pointwise ops */
    int nodes;
    int threads; /* that share the work */
    /* Floating-point operations; a pointwise op counts 1 per element. 0: unknown. */
    double operations;
    double bytes; /* read and written; each operand counts once */
} rv_instruction;

/* Instruction i of rv_program_statistics(program).instructions. Its pointers are valid as long as
 * the program. */
rv_instruction rv_program_instruction(const rv_program *program, int64_t i);

/* When a lane of the program ran an instruction, in nanoseconds of the monotonic clock. Both are 0
 * if the lane has no part in it. */
typedef struct rv_span {
    int64_t begin, end;
    int thread; /* that ran it; not the lane's own if that was late */
} rv_span;

/* rv_run that also times every instruction. spans is [lanes][instructions], the counts of
 * rv_program_statistics; there is a lane for each thread. The time that a thread waits at a barrier
 * belongs to no span. */
rv_code rv_run_timed(rv_program *program, rv_span *spans);

#ifdef __cplusplus
}
#endif

#endif
