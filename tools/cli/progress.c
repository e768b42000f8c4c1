#include "tools/cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "tools/machine/timing.h"
#include "tools/cli/say.h"

progress progress_new(bool wanted, const char *title, int64_t epochs, int64_t first, int64_t count)
{
    return (progress){.shown = wanted && isatty(STDERR_FILENO),
                      .title = title,
                      .epochs = epochs,
                      .first = first,
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
    if (whole >= 3600) say(stderr, "%" PRId64 ":", whole / 3600);
    say(stderr, whole >= 3600 ? "%02" PRId64 ":%02" PRId64 : "%" PRId64 ":%02" PRId64,
        whole / 60 % 60, whole % 60);
}

/* "[####......]" */
static void print_bar(int64_t seen, int64_t count, int width)
{
    fputc('[', stderr);
    for (int i = 0; i < width; i++) fputc(i * count < seen * width ? '#' : '.', stderr);
    say(stderr, "] ");
}

bool progress_due(progress *p, double seconds)
{
    const double now = seconds_now();
    if (!p->shown || now - p->painted < seconds) return false;
    p->painted = now;
    return true;
}

void progress_paint(void *context, int64_t seen, double loss)
{
    progress *p = context;
    if (!progress_due(p, 0.1)) return;
    const double now = p->painted;
    bool titled = *p->title != '\0'; /* a title leaves less room */
    say(stderr, "\r%sepoch %" PRId64 "/%" PRId64 " ", p->title, p->epoch, p->epochs);
    print_bar(seen, p->samples, titled ? 10 : 30);
    if (!titled) say(stderr, "%3d %%  ", (int)(100 * seen / p->samples));
    say(stderr, "loss %.4g  ", loss);
    if (!titled) say(stderr, "%.0f samples/s  ", (double)seen / (now - p->started));
    double done = (double)(p->epoch - 1) + (double)seen / (double)p->samples;
    print_time((now - p->begun) * ((double)p->epochs - done) / (done - (double)p->first));
    say(stderr, " left \033[K");
}

void progress_paint_count(progress *p, int64_t done, int64_t count, int64_t first, const char *text)
{
    say(stderr, "\r");
    print_bar(done, count, 30);
    say(stderr, "%" PRId64 "/%" PRId64 "  %s", done, count, text);
    if (done > first) {
        print_time((seconds_now() - p->begun) * (double)(count - done) / (double)(done - first));
        say(stderr, " left ");
    }
    say(stderr, "\033[K");
}

void progress_clear(const progress *p)
{
    if (p->shown) say(stderr, "\r\033[K");
}
