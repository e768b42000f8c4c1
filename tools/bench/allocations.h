/* Counts what the whole program asks of malloc and its kin. */
#ifndef RV_TOOLS_BENCH_ALLOCATIONS_H
#define RV_TOOLS_BENCH_ALLOCATIONS_H

long allocations(void); /* so far; -1 where they cannot be counted */

#endif
