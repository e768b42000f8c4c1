/* Trains the net of a workload many times from the same numbers, each time with another learning
 * rate, as a sweep does. tools/bench/run compares it with peers that train many such nets at
 * once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/workloads.h"
#include "tools/machine/timing.h"

enum { RATES = 8 };

/* A trial from nothing: a store, recording, compiling, updates. *loss is the mean loss of all
 * updates. */
static bool train(const workload *base, int trial, int updates, double *loss, rv_error *error)
{
    workload w = *base;
    contender c;
    w.rate *= 1 + trial % RATES;
    if (!contender_new(&c, &w, true, 1, error)) return false;
    *loss = 0;
    for (int i = 0; i < updates; i++) {
        rv_run(c.program);
        *loss += rv_value(c.program, 0) / updates;
    }
    contender_free(&c);
    return true;
}

int main(int argc, char **argv)
{
    bool training;
    rv_error error = {0};
    const int updates = argc == 4 ? atoi(argv[2]) : 0, count = argc == 4 ? atoi(argv[3]) : 0;
    if (updates < 1 || count < 1) {
        fprintf(stderr, "usage: trials WORKLOAD UPDATES COUNT\n");
        return 2;
    }
    const workload *w = workload_find(argv[1], &training);
    double first = 0, loss, start = seconds_now();
    bool ok = w && training && train(w, 0, updates, &loss, &error);
    first = seconds_now() - start;
    start = seconds_now();
    if (ok) printf("{\"first\": %.9g, \"losses\": [", first);
    for (int i = 0; i < count && ok; i++) {
        ok = train(w, i, updates, &loss, &error);
        if (ok) printf("%s%.9g", i ? ", " : "", loss);
    }
    if (ok)
        printf("], \"seconds\": %.9g}\n", (seconds_now() - start) / count);
    else
        fprintf(stderr, "trials: %s\n", w && training ? error.text : "no such workload");
    return ok ? 0 : 1;
}
