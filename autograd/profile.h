/* What a program's instructions are, and how long each takes. */
#ifndef RV_AUTOGRAD_PROFILE_H
#define RV_AUTOGRAD_PROFILE_H

#include "autograd/program.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_instruction {
    const rv_tape *tape; /* the program's own, after all rewriting */
    const int32_t *node; /* what it computes, in order: one node, or a group of pointwise ones */
    int nodes;
    int threads;       /* that share it */
    double operations; /* floating-point operations that the result takes, of a pointwise op 1 for
                          each element; 0: not known */
    double bytes;      /* read and written, each operand once */
} rv_instruction;

/* Instruction i of rv_program_statistics(program).instructions; valid as long as the program. */
rv_instruction rv_program_instruction(const rv_program *program, int64_t i);

/* When a thread was at an instruction, in nanoseconds of a clock that never goes back; both 0: it had
 * no part in it. */
typedef struct rv_span {
    int64_t begin, end;
} rv_span;

/* rv_run with a look at the clock before and after each instruction. spans [threads][instructions], as
 * rv_program_statistics tells them; a thread waits for the others before an instruction's span. */
rv_code rv_run_timed(rv_program *program, rv_span *spans);

#ifdef __cplusplus
}
#endif

#endif
