/* What a sweep has found: as a table, CSV, JSON and the configuration of its best trial. */
#ifndef RV_TOOLS_COMMAND_SWEEP_REPORT_H
#define RV_TOOLS_COMMAND_SWEEP_REPORT_H

#include "tools/sweep/worker.h"

typedef struct sweep_report {
    database *database;
    const sweep_plan *plan;
    const space *space;
    const objective *objective;
    trial_range range;
} sweep_report;

/* Prints the best trials, `most` of them or, if it is 0, all, best first, with the settings that
 * the space draws. */
bool sweep_print_table(const sweep_report *r, int64_t most, rv_error *error);

bool sweep_print_csv(const sweep_report *r, rv_error *error);
bool sweep_print_json(const sweep_report *r, rv_error *error);

/* Prints the configuration of the best trial for `recurve train --config`. RV_ERROR_ARGUMENT: there
 * is none. */
bool sweep_print_best(const sweep_report *r, rv_error *error);

/* Draws each setting that the space draws against the objective, into PATH.svg and PATH.png. */
bool sweep_draw(const sweep_report *r, const char *path, rv_error *error);

/* "57 of 200 trial(s) done, 3 diverged, 1 failed: .." */
bool sweep_print_counts(const sweep_report *r, rv_error *error);

#endif
