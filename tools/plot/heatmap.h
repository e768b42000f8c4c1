/* Values over time as colours: a row for each signal, time across. */
#ifndef RV_TOOLS_PLOT_HEATMAP_H
#define RV_TOOLS_PLOT_HEATMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/error.h"

typedef enum heat_palette {
    HEAT_GREY,     /* from white to black, over the values' range */
    HEAT_FRACTION, /* a fraction, 0 to 1 */
    HEAT_SIGNED    /* from blue over white, 0, to red */
} heat_palette;

enum { HEAT_SYMBOL = 24 };

/* If the width is 1, the steps are the columns of a heat map; else each step and channel is an image. */
typedef struct heat_row {
    char symbol[HEAT_SYMBOL];
    heat_palette palette;
    int64_t steps, channels, height, width;
    const double *values; /* [steps,channels,height,width] */
} heat_row;

typedef struct heat_picture {
    const char *title;
    const heat_row *rows;
    int count;
    int64_t steps, stride;   /* of the columns; column k is labelled 1 + k stride, */
    const char *const *name; /* [steps], or with these names; may be NULL */
} heat_picture;

/* Writes PATH.png. */
bool heatmap_draw(const char *path, const heat_picture *picture, rv_error *error);

#endif
