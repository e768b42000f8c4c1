/* The limits of this machine, measured on the spot. */
#ifndef RV_TOOLS_PROFILE_LIMIT_H
#define RV_TOOLS_PROFILE_LIMIT_H

#include "tensor/tensor.h"
#include "tools/machine/levels.h"

/* Floating-point operations per second of so many threads, a multiply-add being two; measured for about so
 * many seconds. */
double machine_operations(rv_dtype dtype, int threads, double seconds);

typedef struct machine {
    int threads;
    double seconds;    /* for each number */
    double operations; /* per second */
    memory_level level[MEMORY_LEVELS];
    double
        bytes[MEMORY_LEVELS]; /* per second, read, written or copied, whichever is most; 0: nobody
                                    asked yet */
} machine;

machine machine_new(rv_dtype dtype, int threads, double seconds);

/* The least seconds that so many operations on so many bytes take, and what keeps them from being less:
 * "FMA", or the level of memory that holds the bytes, which is measured when first asked for. */
double machine_least(machine *m, double operations, double bytes, const char **bound);

#endif
