/* What an experiment has found: a number for each net, as a table, as JSON and as a picture. */
#ifndef RV_TOOLS_COMMAND_EXPERIMENT_REPORT_H
#define RV_TOOLS_COMMAND_EXPERIMENT_REPORT_H

#include "tools/command/experiment_plan.h"

typedef enum experiment_form {
    EXPERIMENT_TABLE,
    EXPERIMENT_CSV, /* of all trials, as of a sweep */
    EXPERIMENT_JSON
} experiment_form;

/* Prints the result in this form, and draws the picture into PATH.svg and PATH.png unless `plot` is
 * NULL. `w` is the search. */
bool experiment_report(search *w, const experiment_plan *p, experiment_form form, const char *plot,
                       rv_error *error);

#endif
