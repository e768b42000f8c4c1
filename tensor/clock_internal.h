/* The monotonic clock. */
#ifndef RV_TENSOR_CLOCK_INTERNAL_H
#define RV_TENSOR_CLOCK_INTERNAL_H

#include <stdint.h>

int64_t rv_nanoseconds(void);
double rv_seconds(void);

#endif
