/* Line charts over epochs or time steps: panels side by side, each curve labelled where it ends. */
#ifndef RV_TOOLS_PLOT_CHART_H
#define RV_TOOLS_PLOT_CHART_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/error.h"

enum { CHART_LABEL = 64, CHART_COLOURS = 8, CHART_DASHES = 5 };

typedef struct chart_line {
    char label[CHART_LABEL];
    int colour, dash; /* any from 0; they repeat */
    int64_t count;    /* of points, at x = 1 .. count; a point with y = NAN is left out */
    const double *y, *low, *high; /* [count]; low and high are NULL if there is no band */
    int64_t mark;                 /* the x of a dot; 0: no dot */
    bool bold;
} chart_line;

typedef enum chart_axis {
    CHART_LOG,     /* logarithmic, for positive numbers */
    CHART_ACCURACY /* for fractions of right answers: logarithmic in the fraction of wrong ones */
} chart_axis;

typedef struct chart_panel {
    const char *title;
    chart_axis axis;
    /* Values (of an accuracy, 1 - value) are drawn as at least this; 0: zeros are left out. */
    double finest;
    const chart_line *lines;
    int count;
    double low, high; /* the axis includes these values unless they are 0 */
} chart_panel;

/* Writes PATH.svg and PATH.png; `across` is the label of the x axis. */
bool chart_draw(const char *path, const char *title, const char *across, const chart_panel *panels,
                int count, rv_error *error);

#endif
