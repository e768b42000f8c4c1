/* How recording and compiling scale with the number of time steps, which should be linear. */
#ifndef RV_TOOLS_BENCH_SCALING_H
#define RV_TOOLS_BENCH_SCALING_H

#include <stdbool.h>

/* Prints a table of training steps of a tiny GRU, unrolled over 1 to 10,000 time steps. */
bool print_scaling(void);

#endif
