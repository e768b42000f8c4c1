/* Line charts over epochs or time steps, with panels side by side and a label at the end of each
 * curve. */
#ifndef RV_TOOLS_PLOT_CHART_H
#define RV_TOOLS_PLOT_CHART_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/error.h"

enum { CHART_LABEL = 64, CHART_COLOURS = 8, CHART_DASHES = 5 };

typedef struct chart_line {
    char label[CHART_LABEL];
    int colour, dash;             /* 0 or more; taken modulo the number of colours or dashes */
    int64_t count;                /* points, at x = 1 .. count; those with y = NAN are left out */
    const double *y, *low, *high; /* [count]; low and high are NULL if there is no band */
    int64_t mark;                 /* x of a dot on the curve; 0: none */
    bool bold;
} chart_line;

typedef enum chart_axis {
    CHART_LOG,     /* logarithmic, for positive numbers */
    CHART_ACCURACY /* for accuracies, 0 to 1: logarithmic in 1 - accuracy */
} chart_axis;

typedef struct chart_panel {
    const char *title;
    chart_axis axis;
    /* Smaller values are drawn at this one; on an accuracy axis, smaller 1 - value. 0: zeros are
     * left out. */
    double finest;
    const chart_line *lines;
    int count;
    double low, high; /* values that the axis must include; 0: none */
} chart_panel;

/* Writes PATH.svg and PATH.png; `across` is the label of the x axis. */
bool chart_draw(const char *path, const char *title, const char *across, const chart_panel *panels,
                int count, rv_error *error);

#endif
