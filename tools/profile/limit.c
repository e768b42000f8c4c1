#include "tools/profile/limit.h"

#include <math.h>

#include "tools/machine/peak.h"

/* A vector register holds half as many f64 as f32. */
double machine_operations(rv_dtype dtype, int threads, double seconds)
{
    return peak_operations(threads, seconds) / (dtype == RV_F64 ? 2 : 1);
}

double product_operations(const rv_program *program)
{
    double operations = 0;
    for (int64_t i = 0; i < rv_program_statistics(program).instructions; i++) {
        rv_instruction one = rv_program_instruction(program, i);
        const rv_node *node = rv_tape_node(one.tape, one.node[0]);
        bool product = !node->op->pointwise && node->inputs > 1; /* not a group, nor a sum */
        if (product) operations += one.operations;
    }
    return operations;
}

machine machine_new(rv_dtype dtype, int threads, double seconds)
{
    machine m = {.threads = threads, .seconds = seconds};
    m.operations = machine_operations(dtype, threads, seconds);
    memory_levels(m.level, threads);
    return m;
}

static double bytes_per_second(machine *m, int level)
{
    if (m->bytes[level] > 0) return m->bytes[level];
    double best = 0;
    for (int kind = 0; kind < TRAFFICS; kind++)
        best = fmax(best, peak_bytes((traffic)kind, m->threads, m->level[level].bytes, m->seconds));
    return m->bytes[level] = best;
}

double machine_least(machine *m, double operations, double bytes, const char **bound)
{
    int level = 0;
    while (bytes / m->threads > (double)m->level[level].holds) level++;
    double computing = operations / m->operations, moving = bytes / bytes_per_second(m, level);
    *bound = computing > moving ? "FMA" : m->level[level].name;
    return fmax(computing, moving);
}
