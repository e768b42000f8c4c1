/* Whether a program's runs are faster on one thread or on all, by their times. Bits do not depend
 * on it. */
#ifndef RV_AUTOGRAD_PROGRAM_PACE_H
#define RV_AUTOGRAD_PROGRAM_PACE_H

#include <stdbool.h>

enum { RV_PACE_RUNS = 5 };

/* Starts as zeros: on all threads. */
typedef struct rv_pace {
    bool alone;                  /* the next run uses one thread */
    bool trial;                  /* although that may be the slower way */
    int wait, patience;          /* runs until the next trial; lengths of a trial between trials */
    int run;                     /* of the current block */
    double sample[RV_PACE_RUNS]; /* times of the current block, in ascending order */
    double seconds[2]; /* medians of the latest blocks: on all threads, alone. 0: none yet */
} rv_pace;

/* Takes the time of a run that was done as `alone` says. */
void rv_pace_note(rv_pace *pace, double seconds);

#endif
