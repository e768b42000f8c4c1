/* A process that takes trials from the database and trains them, until none is left. */
#ifndef RV_TOOLS_SWEEP_WORKER_H
#define RV_TOOLS_SWEEP_WORKER_H

#include "tools/sweep/trials.h"

typedef struct worker_job {
    const char *path;   /* of the database */
    trial_range range;  /* of the trials */
    int64_t threads;    /* of each run; 0: the default */
    bool (*stop)(void); /* whether to save and end; asked after each update */
} worker_job;

/* Trains trials. RV_OK: none is left, or it was stopped. The trial that it had is saved. */
bool worker_run(const worker_job *job, rv_error *error);

/* The configuration of a trial: the options of the plan, then its settings, and files where they lie. Free with
 * rv_train_config_free. */
bool worker_config(const sweep_plan *plan, const char *settings, const char *path,
                   rv_train_config *config, rv_error *error);

#endif
