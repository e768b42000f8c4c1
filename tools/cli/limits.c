#include "tools/cli/limits.h"

#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bool limits_reached(void *context)
{
    const work_limits *l = context;
    return l->seconds > 0 && now() >= l->end;
}

static int64_t most(const work_limits *l)
{
    return l->numbers > 0 ? l->numbers : (int64_t)1000000000000;
}

bool limits_proceed(void *context, int64_t numbers)
{
    work_limits *l = context;
    if (l->computed <= most(l) && numbers > most(l) - l->computed)
        l->computed = most(l) + 1;
    else if (l->computed <= most(l))
        l->computed += numbers;
    return l->computed <= most(l) && !limits_reached(l);
}

rv_lang_limits limits_start(work_limits *l)
{
    l->end = now() + l->seconds;
    return (rv_lang_limits){.numbers = l->numbers, .stop = limits_reached, .context = l};
}

void limits_explain(const work_limits *l, rv_error *error)
{
    rv_error stopped = {0};
    if (limits_reached((void *)(uintptr_t)l))
        rv_fail(&stopped, RV_ERROR_LIMIT, "stopped after %g s, as `limit-seconds` asks",
                l->seconds);
    else if (l->computed > most(l))
        rv_fail(&stopped, RV_ERROR_LIMIT,
                "this takes more than %.1e numbers; make the model smaller, or set "
                "`limit-numbers`",
                (double)most(l));
    if (stopped.code != RV_OK) *error = stopped;
}
