/* Counts what the whole program asks of malloc and its kin. */
#ifndef RECURVE_TOOLS_BENCH_ALLOCATIONS_H
#define RECURVE_TOOLS_BENCH_ALLOCATIONS_H

long allocations(void); /* so far; -1 where they cannot be counted */

#endif
