/* Learning curves: loss and score over the epochs, of one run or of groups of runs. */
#ifndef RV_TOOLS_PLOT_CURVES_H
#define RV_TOOLS_PLOT_CURVES_H

#include "tools/plot/chart.h"
#include "recurve.h"

/* Writes curves.svg and curves.png in the folder: the training and validation curves of a run. */
bool curves_draw(const char *folder, const rv_train_config *c, const rv_setup *e,
                 const rv_train_result *t, rv_error *error);

/* Runs that differ only in their seeds, drawn as one curve: the mean, in a band from minimum to
 * maximum. */
typedef struct curve_group {
    char label[CHART_LABEL];
    int colour, dash;
    const rv_train_result *runs; /* [count] */
    int count;
} curve_group;

/* Writes NAME.svg and NAME.png in the folder: the validation curves of each group. */
bool curves_draw_groups(const char *folder, const char *name, const char *title, const rv_setup *e,
                        const curve_group *groups, int count, rv_error *error);

/* The name of the data: "digits 0-9", "adding" or the name of a file. */
enum { DATA_TEXT = 80 };
const char *data_text(const rv_train_config *c, char text[DATA_TEXT]);

#endif
