/* What all trials of a sweep have in common. */
#ifndef RV_TOOLS_SWEEP_PLAN_H
#define RV_TOOLS_SWEEP_PLAN_H

#include "recurve.h"

typedef struct sweep_plan {
    char *space;     /* the text of SPACE.json */
    char *options;   /* of the command line, as a config.json */
    char *folder;    /* that relative paths are relative to */
    char *objective; /* a metric's name */
    int64_t seed;    /* of the draws */
    int64_t halving; /* the factor of successive halving; 0: none */
    int64_t rung;    /* with halving: epochs of the first rung .. */
    int64_t epochs;  /* .. and of a whole run */
} sweep_plan;

enum { LEAST_HALVING = 2, MOST_HALVING = 100, MOST_RUNG = 1 << 20, MOST_EPOCHS = 1 << 30 };

void sweep_plan_free(sweep_plan *plan);

/* Whether the plans differ in more than the folder, which is another one on each machine. Then
 * `what` says in what: "--seed is 1, not 2", where 1 is that of `its`. */
enum { DIFFERENCE = 400 };
bool sweep_plan_differs(const sweep_plan *its, const sweep_plan *other, char what[DIFFERENCE]);

/* The configuration of a trial: the options of the plan, then its settings, and files where they
 * lie. Errors name the file `path`. Free with rv_train_config_free. */
bool sweep_plan_config(const sweep_plan *plan, const char *settings, const char *path,
                       rv_train_config *config, rv_error *error);

/* Without halving there is one rung and a bracket is one trial. */
enum { RUNGS = 32 };
typedef struct rungs {
    int64_t epochs[RUNGS]; /* at the end of each but the last, which ends with the run */
    int count;
    int64_t bracket; /* trials of a bracket */
} rungs;
rungs rungs_of(const sweep_plan *plan);

#endif
