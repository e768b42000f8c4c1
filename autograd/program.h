/* A compiled tape: a flat array of kernel calls over one planned arena. Running it allocates
 * nothing and takes no lock except to wake sleeping threads (invariant 6). */
#ifndef RV_AUTOGRAD_PROGRAM_H
#define RV_AUTOGRAD_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tape.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_program rv_program;

/* Compiles the nodes that the outputs and the assignments of the tape need. Returns NULL on error;
 * rv_tape_error(tape) then holds the first error since the tape was made, so this is the only call
 * that needs a check. Compiling an equal tape on the same store again returns the same program,
 * with the same input memory. Call rv_program_free once for each compilation, before the store is
 * freed. */
rv_program *rv_compile(rv_tape *tape, const rv_var *outputs, int count);

/* A set of bits that turn passes on. The results are the same without a pass, up to rounding. */
typedef enum rv_compile_flags {
    RV_SIMPLIFY = 1, /* fold constants, zeros and identities */
    RV_REUSE = 2,    /* share memory between values that do not live at the same time */
    RV_IN_PLACE = 4, /* let an op overwrite an input on its last use; update parameters in place */
    RV_EFFECTS = 8,  /* include the tape's assignments */
    RV_REFERENCE = 16, /* run the naive reference kernels */
    RV_FUSE = 32,      /* run adjacent pointwise ops as one instruction, tile by tile */
    RV_MERGE = 64,     /* accumulate products whose results are added */
    RV_CUT = 128,      /* cut every call that can be cut among the threads, even without a gain */
    RV_DEFAULT = RV_SIMPLIFY | RV_REUSE | RV_IN_PLACE | RV_EFFECTS | RV_FUSE | RV_MERGE,
    RV_VALUES = RV_DEFAULT & ~RV_EFFECTS, /* for evaluation: no assignments */
    RV_CHECKED = RV_REUSE | RV_EFFECTS    /* for rv_run_checked: every op as recorded */
} rv_compile_flags;

rv_program *rv_compile_with(rv_tape *tape, const rv_var *outputs, int count, unsigned flags);
void rv_program_free(rv_program *program);

/* Sets the number of threads, 1 to 64 including the caller, for programs that are compiled on this
 * store from now on. The default is 1. Programs compiled earlier keep their number. Results have
 * the same bits for any number. A program too small to gain runs on one thread, and so do the runs
 * of any other program while that is faster. Threads spin for some microseconds while they wait for
 * each other, so use no more than there are cores. The programs of one store run one at a time;
 * those of different stores may run at the same time. A child process after a fork starts threads
 * of its own when it runs a program, or runs it on one if the system refuses them. Returns false
 * for a number out of range, or if the system refuses a thread. */
bool rv_set_threads(rv_store *store, int threads, rv_error *error);
int rv_threads(const rv_store *store);

/* The memory of an input, which the caller fills before rv_run. It is zero at first and keeps its
 * content between runs. NULL if the tape has no input of that name. */
rv_tensor *rv_program_input(rv_program *program, const char *name);

/* Computes all outputs, then carries out the assignments. Returns RV_OK or, without any effect,
 * RV_ERROR_ARGUMENT for NULL or RV_ERROR_BUSY while another thread runs or compiles on the same
 * store. */
rv_code rv_run(rv_program *program);

/* Output k; NULL if there is none. The next run overwrites it. */
const rv_tensor *rv_program_output(const rv_program *program, int k);
/* The first element of output k, which is the value of a scalar; NaN if there is no output k. */
double rv_value(const rv_program *program, int k);

typedef struct rv_program_stats {
    int64_t instructions;
    size_t arena_bytes;
    size_t live_bytes; /* peak total size of the live values: no plan needs less */
    int threads;
} rv_program_stats;
rv_program_stats rv_program_statistics(const rv_program *program);

/* XXH3-128 of everything that a compilation depends on. Equal tapes have equal hashes. */
rv_hash rv_tape_hash(const rv_tape *tape, const rv_var *outputs, int count, unsigned flags);

#ifdef __cplusplus
}
#endif

#endif
