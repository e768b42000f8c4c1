/* Heat maps of values over time: one row per signal, time from left to right. */
#ifndef RV_TOOLS_PLOT_HEATMAP_H
#define RV_TOOLS_PLOT_HEATMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/error.h"

typedef enum heat_palette {
    HEAT_GREY,     /* white to black, over the range of the values */
    HEAT_FRACTION, /* values from 0 to 1 */
    HEAT_SIGNED    /* blue for negative values, white for 0, red for positive values */
} heat_palette;

enum { HEAT_SYMBOL = 24 };

/* If the width is 1, each step is a column of a heat map. Otherwise each step and channel is an
 * image. */
typedef struct heat_row {
    char symbol[HEAT_SYMBOL];
    heat_palette palette;
    int64_t steps, channels, height, width;
    const double *values;         /* [steps,channels,height,width] */
    const struct heat_row *scale; /* the row whose range of values the colours cover; NULL: this */
} heat_row;

typedef struct heat_picture {
    const char *title;
    const heat_row *rows;
    int count;
    int64_t steps, stride;   /* column k shows time step 1 + k stride */
    const char *const *name; /* [steps] labels of the columns; NULL: step numbers */
} heat_picture;

/* Writes PATH.png. */
bool heatmap_draw(const char *path, const heat_picture *picture, rv_error *error);

#endif
