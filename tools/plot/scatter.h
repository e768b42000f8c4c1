/* Points in panels side by side, such as each hyper-parameter against the objective. */
#ifndef RV_TOOLS_PLOT_SCATTER_H
#define RV_TOOLS_PLOT_SCATTER_H

#include <stdbool.h>

#include "tensor/error.h"

/* Points of one colour. A point with x or y NAN is left out. */
typedef struct scatter_series {
    const char *label; /* in the legend, which is that of the first panel; NULL: none */
    int count;
    const double *x, *y;
    const double *low, *high; /* [count] the ends of a bar through each point; NULL: none */
    bool joined;              /* by a line */
} scatter_series;

typedef struct scatter_panel {
    const char *across;    /* the label of the x axis */
    const char *const *of; /* the names of x = 0, 1, ..; NULL: x is a number */
    int names;
    bool log; /* a logarithmic x axis; only positive x are drawn */
    const scatter_series *series;
    int count;
} scatter_panel;

/* Writes PATH.svg and PATH.png. All panels share the y axis, which `up` names; it is logarithmic
 * with `log`. */
bool scatter_draw(const char *path, const char *title, const char *up, bool log,
                  const scatter_panel *panels, int count, rv_error *error);

#endif
