#include "tools/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "tools/bench/timing.h"

progress progress_new(bool wanted, const char *title, int64_t epochs, int64_t count)
{
    return (progress){.shown = wanted && isatty(STDERR_FILENO),
                      .title = title,
                      .epochs = epochs,
                      .samples = count,
                      .begun = seconds_now()};
}

void progress_start(progress *p, int64_t epoch)
{
    p->epoch = epoch;
    p->started = p->painted = seconds_now();
}

/* "1:02:03" or "2:03" */
static void print_time(double seconds)
{
    int64_t whole = (int64_t)seconds;
    if (whole >= 3600) fprintf(stderr, "%" PRId64 ":", whole / 3600);
    fprintf(stderr, whole >= 3600 ? "%02" PRId64 ":%02" PRId64 : "%" PRId64 ":%02" PRId64,
            whole / 60 % 60, whole % 60);
}

void progress_paint(void *context, int64_t seen, double cost)
{
    enum { WIDTH = 30 };
    progress *p = context;
    double now = p->shown ? seconds_now() : 0;
    if (!p->shown || now - p->painted < 0.1) return;
    p->painted = now;
    char bar[WIDTH + 1];
    for (int i = 0; i < WIDTH; i++) bar[i] = i * p->samples < seen * WIDTH ? '#' : '.';
    bar[WIDTH] = '\0';
    double done = (double)(p->epoch - 1) + (double)seen / (double)p->samples;
    fprintf(stderr, "\r%sepoch %" PRId64 "/%" PRId64 " [%s] %3d %%  cost %.4g  %.0f samples/s  ",
            p->title, p->epoch, p->epochs, bar, (int)(100 * seen / p->samples), cost,
            (double)seen / (now - p->started));
    print_time((now - p->begun) * ((double)p->epochs - done) / done);
    fputs(" left ", stderr);
}

void progress_clear(const progress *p)
{
    if (p->shown) fputs("\r\033[K", stderr);
}
