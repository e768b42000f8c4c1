/* Counts the program's calls of malloc, calloc, realloc and the like. */
#ifndef RV_TOOLS_BENCH_ALLOCATIONS_H
#define RV_TOOLS_BENCH_ALLOCATIONS_H

long allocations(void); /* so far; -1 where they cannot be counted */

#endif
