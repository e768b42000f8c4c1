#include <time.h>

#include "tensor/clock_internal.h"

int64_t rv_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

double rv_seconds(void) { return 1e-9 * (double)rv_nanoseconds(); }
