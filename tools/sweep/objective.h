/* What a sweep minimizes or maximizes: a metric of a run. */
#ifndef RV_TOOLS_SWEEP_OBJECTIVE_H
#define RV_TOOLS_SWEEP_OBJECTIVE_H

#include "recurve.h"

typedef enum objective_kind {
    OBJECTIVE_CURVE, /* a column of the learning curve, at its best epoch */
    OBJECTIVE_BITS,  /* of the task capacity, at the best epoch */
    OBJECTIVE_END    /* measured when the run has all its epochs */
} objective_kind;

typedef struct objective {
    const char *name; /* as in log.csv, or as `recurve train --json` prints it */
    objective_kind kind;
    bool greatest;        /* the greatest value is the best; else the least */
    bool labels, numbers; /* the data must have labels, or numbers */
    size_t offset;        /* in rv_epoch */
    double (*of)(const rv_trainer *trainer);
} objective;

int objective_count(void);
const objective *objective_at(int index); /* NULL for no index of the table */

/* NULL and an error that suggests a name when there is none. */
const objective *objective_find(const char *name, rv_error *error);

/* Whether runs like the trainer's have it. RV_ERROR_ARGUMENT says what to use instead. */
bool objective_check(const objective *o, const rv_trainer *trainer, bool halving, rv_error *error);

/* The value of the run so far, and the epoch it is of; NAN and 0 if it has none, such as the
 * accuracy of numbers. */
double objective_value(const objective *o, const rv_trainer *trainer, int64_t *epoch);

/* Bits that the answers to `samples` random questions hold, of which the fraction p is right:
 * b + b (p log2 p + (1 - p) log2(1 - p)). */
double objective_bits(double samples, double p);

/* SQL: trials that may be the best, and the order that has the best first. A run that diverged is
 * infeasible. */
#define TRIALS_CANDIDATE "objective NOT NULL AND state NOT IN ('diverged', 'failed')"
const char *objective_order(const objective *o);

#endif
