#include "tools/machine.h"

#include <math.h>

#include "tools/bench/peak.h"

#define SECONDS 0.1 /* for each number */

/* A vector holds half as many f64 as f32. */
double machine_operations(rv_dtype dtype, int threads)
{
    return peak_operations(threads, SECONDS) / (dtype == RV_F64 ? 2 : 1);
}

machine machine_measure(rv_dtype dtype, int threads)
{
    machine m = {.threads = threads, .operations = machine_operations(dtype, threads)};
    memory_levels(m.level, threads);
    for (int i = 0; i < MEMORY_LEVELS; i++)
        for (int kind = 0; kind < TRAFFICS; kind++)
            m.bytes[i] = fmax(m.bytes[i], peak_bytes((traffic)kind, threads, m.level[i].bytes,
                                                     SECONDS / TRAFFICS));
    return m;
}

double machine_seconds(const machine *m, double operations, double bytes, const char **limit)
{
    int level = 0;
    while (bytes / m->threads > (double)m->level[level].holds) level++;
    double computing = operations / m->operations, moving = bytes / m->bytes[level];
    *limit = computing > moving ? "FMA" : m->level[level].name;
    return fmax(computing, moving);
}
