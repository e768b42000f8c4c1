/* The limits of this machine, measured when asked for. */
#ifndef RV_TOOLS_PROFILE_LIMIT_H
#define RV_TOOLS_PROFILE_LIMIT_H

#include "recurve.h"
#include "tools/machine/levels.h"

/* Peak floating-point operations per second of this many threads; a multiply-add counts as two.
 * Measures for about this many seconds. */
double machine_operations(rv_dtype dtype, int threads, double seconds);

/* Floating-point operations of all products in a run of the program. */
double product_operations(const rv_program *program);

typedef struct machine {
    int threads;
    double seconds;    /* to measure each number */
    double operations; /* per second */
    memory_level level[MEMORY_LEVELS];
    /* Per second, the fastest of read, write and copy. 0: not measured. */
    double bytes[MEMORY_LEVELS];
} machine;

machine machine_new(rv_dtype dtype, int threads, double seconds);

/* The shortest time, in seconds, in which the machine can do this many operations on this many
 * bytes. *bound is set to what limits it: "FMA", or the level of memory that holds the bytes, which
 * is measured when first needed. */
double machine_least(machine *m, double operations, double bytes, const char **bound);

#endif
