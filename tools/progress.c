#include "tools/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "tools/bench/timing.h"

progress progress_new(bool wanted, int64_t epochs, int64_t images)
{
    return (progress){wanted && isatty(STDERR_FILENO), 0, epochs, images, 0, 0};
}

void progress_start(progress *p, int64_t epoch)
{
    p->epoch = epoch;
    p->started = p->painted = seconds_now();
}

void progress_paint(void *context, int64_t seen)
{
    enum { WIDTH = 30 };
    progress *p = context;
    double now = p->shown ? seconds_now() : 0;
    if (!p->shown || now - p->painted < 0.1) return;
    p->painted = now;
    char bar[WIDTH + 1];
    for (int i = 0; i < WIDTH; i++) bar[i] = i * p->images < seen * WIDTH ? '#' : '.';
    bar[WIDTH] = '\0';
    fprintf(stderr, "\repoch %" PRId64 "/%" PRId64 " [%s] %3d %%  %.0f images/s ", p->epoch,
            p->epochs, bar, (int)(100 * seen / p->images), (double)seen / (now - p->started));
}

void progress_clear(const progress *p)
{
    if (p->shown) fputs("\r\033[K", stderr);
}
