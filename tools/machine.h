/* The limits of this machine, measured on the spot. */
#ifndef RECURVE_TOOLS_MACHINE_H
#define RECURVE_TOOLS_MACHINE_H

#include "tensor/tensor.h"
#include "tools/bench/levels.h"

/* Floating-point operations per second of so many threads; a multiply-add is two. */
double machine_operations(rv_dtype dtype, int threads);

typedef struct machine {
    int threads;
    double operations; /* per second */
    memory_level level[MEMORY_LEVELS];
    double bytes[MEMORY_LEVELS]; /* per second, read, written or copied, whichever is most */
} machine;

machine machine_measure(rv_dtype dtype, int threads);

/* The least seconds that so many operations on so many bytes take, and what keeps them from being less:
 * "FMA", or the level of memory that holds the bytes. */
double machine_seconds(const machine *m, double operations, double bytes, const char **limit);

#endif
