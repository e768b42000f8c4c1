/* The trials of a sweep, and what becomes of each:
 *
 *     waiting   no process trains it; it may have a checkpoint
 *     running   its worker trains it, or was killed: then it counts as waiting
 *     paused    at the end of a rung of successive halving, until all of its bracket are there
 *     stopped   it was not among the best of its bracket
 *     diverged  a loss was not finite: infeasible
 *     failed    the settings do not fit together, or the machine cannot train it, as `message` says
 *     done      it has all its epochs
 *
 * Successive halving by a factor f trains brackets of f^k consecutive trials for r epochs. The best
 * 1/f of a bracket continue to f r epochs, the best 1/f of these to f^2 r, and so on. A bracket
 * decides when all of its trials are at the end of a rung, so neither the number of workers nor
 * their speed changes the result. */
#ifndef RV_TOOLS_SWEEP_TRIALS_H
#define RV_TOOLS_SWEEP_TRIALS_H

#include "tools/sweep/database.h"
#include "tools/sweep/objective.h"
#include "tools/sweep/space.h"

typedef struct trial_range {
    int64_t first, last; /* both included */
} trial_range;

/* Adds those trials of the range that the database lacks. */
bool trials_add(database *d, const sweep_plan *plan, const space *s, const rv_train_config *given,
                trial_range range, rv_error *error);

/* A trial that a worker has taken. */
typedef struct trial {
    int64_t number, rung;
    int64_t written; /* rows of its learning curve that the database has */
    char *settings;
    unsigned char *checkpoint; /* NULL: it begins */
    size_t size;
    bool lost; /* another process has changed it */
} trial;

/* Takes a trial of the range: first one whose worker was killed, then the highest rung, then the
 * lowest number. A trial that has ended a worker before, or found no memory, is the last, so that
 * it delays no other. Returns false if there is none; *left then says whether one may still come.
 * Free with trial_free. */
bool trials_take(database *d, trial_range range, trial *t, bool *left, rv_error *error);
void trial_free(trial *t);

/* Writes the state of a trial's run, with what its learning curve has gained. `bytes` is the
 * checkpoint, or NULL. A trial at the end of a rung decides its bracket, if it is the last one.
 * Nothing is written, and t->lost is set, if the trial is no longer that of this worker. */
typedef struct trial_result {
    const char *state, *message, *digest; /* message, digest NULL: none */
    int64_t epochs, best_epoch, parameters;
    double objective, seconds;
    const rv_epoch *rows; /* of the learning curve: those from trial.written on */
    int64_t row_count;
    const unsigned char *bytes;
    size_t size;
} trial_result;
bool trials_write(database *d, const sweep_plan *plan, const objective *o, trial *t,
                  const trial_result *result, rv_error *error);

/* Returns a trial that the machine could not train. After ATTEMPTS without a new epoch it has
 * failed, with the message. */
enum { ATTEMPTS = 3 };
bool trials_retry(database *d, const sweep_plan *plan, const objective *o, const trial *t,
                  const char *message, rv_error *error);

/* Decides each bracket whose trials have all come to the end of a rung, as after a merge. Within a
 * transaction. */
bool trials_decide(database *d, const sweep_plan *plan, const objective *o, rv_error *error);

/* The best trial of the range. *number is -1 if there is none yet. */
bool trials_best(database *d, const objective *o, trial_range range, int64_t *number, double *value,
                 rv_error *error);

/* How many trials of the range are in each group. */
typedef struct trial_counts {
    int64_t all, open, done, stopped, diverged, failed;
} trial_counts;
bool trials_count(database *d, trial_range range, trial_counts *counts, rv_error *error);

/* ---- for a worker ---- */

/* What a worker asks of a sweep. The database answers or, where it is another machine's, a process
 * there. */
typedef struct trial_source {
    void *self;
    const sweep_plan *plan;
    const char *path; /* of the database, for messages */
    bool (*take)(void *self, trial *t, bool *left, rv_error *error);
    bool (*write)(void *self, trial *t, const trial_result *result, rv_error *error);
    bool (*retry)(void *self, const trial *t, const char *message, rv_error *error);
} trial_source;

/* A sweep in an open database, which this process has joined. */
typedef struct local_sweep {
    database *database;
    const sweep_plan *plan;
    const objective *objective;
    trial_range range;
} local_sweep;
trial_source local_source(local_sweep *sweep);

#endif
