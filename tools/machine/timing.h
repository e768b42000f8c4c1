/* Timing something short again and again. */
#ifndef RV_TOOLS_MACHINE_TIMING_H
#define RV_TOOLS_MACHINE_TIMING_H

#include <stddef.h>

double seconds_now(void); /* of a clock that never goes back */

/* What is timed: a call of `run` is one step. */
typedef struct task {
    void (*run)(void *self);
    void *self;
} task;

/* Seconds per step. A sample is the mean of `inner` steps: one, or as many as take half a millisecond, since
 * the clock itself takes some 30 ns. */
typedef struct samples {
    double *seconds;
    size_t count, capacity;
    long inner; /* 0: not yet known */
} samples;

/* Runs the task for about so long, at least once, and appends what it measured; what does not fit is left
 * out. The first call works out `inner`, which warms up too. */
void samples_take(samples *s, task t, double seconds);

double samples_best(const samples *s);
double samples_median(samples *s); /* sorts them */

#endif
