/* Timing of short tasks by repetition. */
#ifndef RV_TOOLS_MACHINE_TIMING_H
#define RV_TOOLS_MACHINE_TIMING_H

#include <stddef.h>

double seconds_now(void); /* of a monotonic clock */

/* The task to time: a call of `run` is one step. */
typedef struct task {
    void (*run)(void *self);
    void *self;
} task;

/* Seconds per step. A sample is the mean of `inner` steps: one, or enough for half a millisecond,
 * because reading the clock takes about 30 ns. */
typedef struct samples {
    double *seconds;
    size_t count, capacity;
    long inner; /* 0: not yet known */
} samples;

/* Runs the task for about this many seconds, at least once, and appends the samples that fit. The
 * first call determines `inner`, and warms up. */
void samples_take(samples *s, task t, double seconds);

double samples_best(const samples *s);
double samples_median(samples *s); /* sorts them */

#endif
