#include "tools/machine/timing.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double sample(task t, long inner)
{
    double start = seconds_now();
    for (long i = 0; i < inner; i++) t.run(t.self);
    return (seconds_now() - start) / (double)inner;
}

/* A long step is a sample by itself. The first runs of a short one are slow: count again when
 * warm. */
static long calibrate(task t)
{
    const double enough = 0.5e-3;
    double once = sample(t, 1);
    for (int i = 0; i < 3 && once < enough; i++) {
        long inner = (long)(enough / fmax(once, 1e-9)) + 1;
        once = sample(t, inner);
    }
    return once < enough ? (long)(enough / fmax(once, 1e-9)) + 1 : 1;
}

void samples_take(samples *s, task t, double seconds)
{
    double start = seconds_now();
    if (!s->inner) s->inner = calibrate(t);
    do {
        double one = sample(t, s->inner);
        if (s->count < s->capacity) s->seconds[s->count++] = one;
    } while (seconds_now() - start < seconds);
}

double samples_best(const samples *s)
{
    double best = INFINITY;
    for (size_t i = 0; i < s->count; i++) best = fmin(best, s->seconds[i]);
    return best;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double samples_median(samples *s)
{
    qsort(s->seconds, s->count, sizeof *s->seconds, by_size);
    size_t half = s->count / 2;
    return s->count % 2 ? s->seconds[half]
           : s->count   ? (s->seconds[half - 1] + s->seconds[half]) / 2
                        : NAN;
}
