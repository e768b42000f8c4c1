/* Learning curves: loss and score over the epochs of one run, or of several in one picture. */
#ifndef RV_TOOLS_PLOT_CURVES_H
#define RV_TOOLS_PLOT_CURVES_H

#include "tools/plot/chart.h"
#include "recurve.h"

/* curves.svg and curves.png in the folder: training and validation. */
bool curves_draw(const char *folder, const rv_train_config *c, const rv_setup *e,
                 const rv_train_result *t, rv_error *error);

/* Runs of the same options but for their seeds: one curve, their mean, in a band from the least to the greatest. */
typedef struct curve_group {
    char label[CHART_LABEL];
    int colour, dash;
    const rv_train_result *runs; /* [count] */
    int count;
} curve_group;

/* NAME.svg and NAME.png in the folder: each run on the validation data. */
bool curves_draw_groups(const char *folder, const char *name, const char *title, const rv_setup *e,
                        const curve_group *groups, int count, rv_error *error);

/* "digits 0-9", "adding" or the name of a file. */
enum { DATA_TEXT = 80 };
const char *data_text(const rv_train_config *c, char text[DATA_TEXT]);

#endif
