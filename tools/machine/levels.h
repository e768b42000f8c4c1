/* The levels of this machine's memory. */
#ifndef RV_TOOLS_MACHINE_LEVELS_H
#define RV_TOOLS_MACHINE_LEVELS_H

#include <stddef.h>

typedef struct memory_level {
    const char *name; /* "L1", "L2", "L3", "memory" */
    size_t holds;     /* at most, of one thread's bytes */
    size_t bytes; /* that one thread goes over to measure it: half of that, and of memory more than
                         all caches hold */
} memory_level;

enum { MEMORY_LEVELS = 4 };

/* For so many threads, which share the third one. */
void memory_levels(memory_level levels[MEMORY_LEVELS], int threads);

#endif
