/* Line charts over epochs or time steps: panels side by side, each curve labelled where it ends. */
#ifndef RV_TOOLS_PLOT_CHART_H
#define RV_TOOLS_PLOT_CHART_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/error.h"

enum { CHART_LABEL = 64, CHART_COLOURS = 8, CHART_DASHES = 5 };

typedef struct chart_line {
    char label[CHART_LABEL];
    int colour, dash;             /* any from 0; they repeat */
    int64_t count;                /* points, at x = 1 .. count; a y that is NAN is none */
    const double *y, *low, *high; /* [count]; low and high NULL: no band around it */
    int64_t mark;                 /* the x that gets a dot; 0: none */
    bool bold;
} chart_line;

typedef enum chart_axis {
    CHART_LOG, /* of positive numbers */
    CHART_ACCURACY /* shares that are right: the logarithm of those wrong, so that 99 and 99.5 % are apart */
} chart_axis;

typedef struct chart_panel {
    const char *title;
    chart_axis axis;
    double
        finest; /* what is less than this above 0 (or, of an accuracy, below 1) counts as that; 0: zeros are no points */
    const chart_line *lines;
    int count;
    double low, high; /* what the axis spans at least; 0: what the lines need */
} chart_panel;

/* PATH.svg and PATH.png; `across` is what x counts. */
bool chart_draw(const char *path, const char *title, const char *across, const chart_panel *panels,
                int count, rv_error *error);

#endif
