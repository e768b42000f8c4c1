/* A progress bar on stderr, if that is a terminal. */
#ifndef RV_TOOLS_CLI_PROGRESS_H
#define RV_TOOLS_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct progress {
    bool shown;
    const char *title;            /* printed before the rest; may be "" */
    int64_t epoch, epochs, first; /* first: number of epochs done by earlier runs */
    int64_t samples;              /* per epoch */

    /* times of the start of the run, the start of the epoch, and the last paint */
    double begun, started, painted;
} progress;

progress progress_new(bool wanted, const char *title, int64_t epochs, int64_t first, int64_t count);
void progress_start(progress *p, int64_t epoch);

/* Repaints the bar, at most ten times a second. `seen` samples of the epoch are done; `loss` is
 * their mean loss. */
void progress_paint(void *p, int64_t seen, double loss);

/* Whether so many seconds have passed since the last paint. Then one is due, and counts as
 * painted. */
bool progress_due(progress *p, double seconds);

/* The same for things that are counted, such as trials: `done` of `count`, of which `first` were
 * done before; then `text`. Call it when progress_due. */
void progress_paint_count(progress *p, int64_t done, int64_t count, int64_t first,
                          const char *text);
void progress_clear(const progress *p);

#endif
