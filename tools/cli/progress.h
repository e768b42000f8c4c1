/* A progress bar on stderr, if that is a terminal. */
#ifndef RV_TOOLS_CLI_PROGRESS_H
#define RV_TOOLS_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct progress {
    bool shown;
    const char *title;            /* goes before the rest; "": nothing does */
    int64_t epoch, epochs, first; /* of them `first` were done before */
    int64_t samples;              /* of an epoch */
    double begun;                 /* times of the first epoch's start, */
    double started, painted;      /* of this epoch's, and of the last painting */
} progress;

progress progress_new(bool wanted, const char *title, int64_t epochs, int64_t first, int64_t count);
void progress_start(progress *p, int64_t epoch);
void progress_paint(void *p, int64_t seen, double loss); /* of the epoch; the mean so far */
void progress_clear(const progress *p);

#endif
