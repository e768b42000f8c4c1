/* The workloads for a browser: peers/with_recurve.js calls these. */
#include <math.h>

#include "tools/bench/workloads.h"

double bench_load(const char *name);
void bench_step(void);

static contender net;

/* Loads a workload in place of the previous one. Returns the number that contenders must agree on;
 * NaN on error. */
double bench_load(const char *name)
{
    bool training;
    double check;
    rv_error error = {0};
    const workload *w = workload_find(name, &training);
    contender_free(&net);
    return w && contender_new(&net, w, training, 1, &error) && contender_check(&net, &check, &error)
               ? check
               : NAN;
}

void bench_step(void) { rv_run(net.program); }
