/* Draws pictures with gnuplot, which reads a script from stdin and writes the picture to stdout. It is started without a
 * shell, reads no start-up files, and is passed no path names. */
#ifndef RV_TOOLS_PLOT_GNUPLOT_H
#define RV_TOOLS_PLOT_GNUPLOT_H

#include <stdio.h>

#include "tensor/error.h"

/* Whether gnuplot can be started; if not, the error says how to install it. */
bool gnuplot_find(rv_error *error);

/* Writes untrusted text as a quoted gnuplot string, which cannot contain commands. Control characters become '?'. */
void gnuplot_put_text(FILE *to, const char *text);

typedef struct gnuplot_picture {
    int width, height; /* in pixels; a PNG is drawn at twice the size */
    const char *body;  /* the script after `set terminal`; NULL is reported as out of memory */
} gnuplot_picture;

/* Writes PATH.svg and PATH.png; gnuplot_draw_png only PATH.png. Each file is written atomically. */
bool gnuplot_draw(const gnuplot_picture *picture, const char *path, rv_error *error);
bool gnuplot_draw_png(const gnuplot_picture *picture, const char *path, rv_error *error);

#endif
