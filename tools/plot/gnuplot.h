/* Pictures drawn by gnuplot: a script goes in, the picture comes out and is written as a file. gnuplot is started
 * without a shell, reads no start-up files and learns no path. */
#ifndef RV_TOOLS_PLOT_GNUPLOT_H
#define RV_TOOLS_PLOT_GNUPLOT_H

#include <stdio.h>

#include "tensor/error.h"

/* Whether gnuplot can be started; else an error that says how to get it. */
bool gnuplot_find(rv_error *error);

/* Writes text from anywhere as a string of gnuplot's, within which nothing is a command. Control characters
 * become '?'. */
void gnuplot_put_text(FILE *to, const char *text);

typedef struct gnuplot_picture {
    int width, height; /* pixels; a PNG has twice as many, and all in it is twice as large */
    const char *body;  /* what follows `set terminal`; NULL means out of memory */
} gnuplot_picture;

/* Draws it as PATH.svg and PATH.png, or as the latter alone. Each file appears whole or not at all. */
bool gnuplot_draw(const gnuplot_picture *picture, const char *path, rv_error *error);
bool gnuplot_draw_png(const gnuplot_picture *picture, const char *path, rv_error *error);

#endif
