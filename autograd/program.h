/* The program a tape compiles to: a flat array of kernel calls over one planned arena. Running it
 * allocates nothing and takes no lock, but to wake threads that sleep (invariant 6). */
#ifndef RV_AUTOGRAD_PROGRAM_H
#define RV_AUTOGRAD_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_program rv_program;

/* Compiles what the outputs and all assignments of the tape need. NULL on error, which is then
 * rv_tape_error(tape): the only place an error must be checked. A second compilation of an equal
 * tape on the same store returns the same program, inputs' memory included. rv_program_free once for
 * each compilation, before the store is freed. */
rv_program *rv_compile(rv_tape *tape, const rv_var *outputs, int count);

/* Passes and choices, a set of bits. Answers are the same with and without each. */
typedef enum rv_compile_flags {
    RV_SIMPLIFY = 1, /* fold constants, zeros and identities */
    RV_REUSE = 2,    /* share memory between values that do not live at the same time */
    RV_IN_PLACE = 4, /* let an op write over an input that dies there; update parameters in place */
    RV_EFFECTS = 8,  /* include the tape's assignments */
    RV_REFERENCE = 16, /* run the naive reference kernels */
    RV_FUSE = 32,      /* run neighbouring pointwise ops as one instruction, tile by tile */
    RV_MERGE = 64,     /* accumulate products that meet in a sum */
    RV_CUT = 128,      /* share out among threads whatever can be, even if it gains nothing */
    RV_DEFAULT = RV_SIMPLIFY | RV_REUSE | RV_IN_PLACE | RV_EFFECTS | RV_FUSE | RV_MERGE,
    RV_VALUES = RV_DEFAULT & ~RV_EFFECTS, /* compute, change nothing: for evaluation */
    RV_CHECKED = RV_REUSE | RV_EFFECTS    /* every op as it was recorded: for rv_run_checked */
} rv_compile_flags;

rv_program *rv_compile_with(rv_tape *tape, const rv_var *outputs, int count, unsigned flags);
void rv_program_free(rv_program *program);

/* How many threads, the caller's among them, are to run the programs that are compiled on this store from
 * now on; those that are compiled already keep theirs. 1 at first, 64 at most. Any number gives the
 * same bits; a program too small to gain runs on one. Threads wait for each other by spinning: have no
 * more than there are idle cores. A store's programs run one at a time, those of different stores at any; a
 * child process has none of its parent's threads. False for a number out of range or when the system
 * gives no more. */
bool rv_set_threads(rv_store *store, int threads, rv_error *error);
int rv_threads(const rv_store *store);

/* The memory of an input, to be filled before rv_run; zeros at first, it keeps its content between
 * runs. NULL when the tape has no input of that name. */
rv_tensor *rv_program_input(rv_program *program, const char *name);

/* Computes all outputs, then carries out the assignments. RV_OK; RV_ERROR_ARGUMENT for NULL; RV_ERROR_BUSY, having done
 * nothing, while another thread runs or compiles on the same store. */
rv_code rv_run(rv_program *program);

/* Output k, valid until the next run. */
const rv_tensor *rv_program_output(const rv_program *program, int k);
/* Its first element: the value of a scalar. */
double rv_value(const rv_program *program, int k);

typedef struct rv_program_stats {
    int64_t instructions;
    size_t arena_bytes;
    size_t live_bytes; /* the most that is alive at once: no plan can do with less */
    int threads;
} rv_program_stats;
rv_program_stats rv_program_statistics(const rv_program *program);

/* XXH3-128 of what a compilation would depend on: equal tapes have equal hashes. */
rv_hash rv_tape_hash(const rv_tape *tape, const rv_var *outputs, int count, unsigned flags);

#ifdef __cplusplus
}
#endif

#endif
