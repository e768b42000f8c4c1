/* The memory hierarchy of this machine. */
#ifndef RV_TOOLS_MACHINE_LEVELS_H
#define RV_TOOLS_MACHINE_LEVELS_H

#include <stddef.h>

typedef struct memory_level {
    const char *name; /* "L1", "L2", "L3", "memory" */
    size_t holds;     /* bytes of one thread, at most */
    size_t bytes;     /* accessed to measure it: half of `holds`; of memory, more than all caches */
} memory_level;

enum { MEMORY_LEVELS = 4 };

/* For this many threads, which share the third level. */
void memory_levels(memory_level levels[MEMORY_LEVELS], int threads);

#endif
