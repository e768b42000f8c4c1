/* A process that takes trials and trains them, until none is left. */
#ifndef RV_TOOLS_SWEEP_WORKER_H
#define RV_TOOLS_SWEEP_WORKER_H

#include "tools/sweep/trials.h"

typedef struct worker_job {
    int64_t threads;    /* of each run; 0: the default */
    bool (*stop)(void); /* whether to save and end; asked after each update */
} worker_job;

/* Trains trials of the source. RV_OK: none is left, or it was stopped. The trial that it had is
 * saved. */
bool worker_run(const worker_job *job, const trial_source *source, rv_error *error);

#endif
