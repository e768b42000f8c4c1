/* Draws pictures with gnuplot, which reads a script from stdin and writes the picture to stdout. It
 * is started without a shell, reads no start-up files, is passed no path names, and is stopped if
 * it takes too long. */
#ifndef RV_TOOLS_PLOT_GNUPLOT_H
#define RV_TOOLS_PLOT_GNUPLOT_H

#include <stdio.h>

#include "tensor/error.h"

/* Whether gnuplot can be started; if not, the error says how to install it. */
bool gnuplot_find(rv_error *error);

/* Writes text from outside as a gnuplot string: in its visible form (tensor/utf8_internal.h), with
 * an octal escape for each sign. gnuplot would execute what is between backquotes, and does not
 * read two quotes in a row as one in every position. */
void gnuplot_put_text(FILE *to, const char *text);

typedef struct gnuplot_picture {
    int width, height; /* in pixels; a PNG is drawn at twice the size */
    const char *body;  /* the script after `set terminal`; NULL is reported as out of memory */
    int seconds;       /* how long gnuplot may take; 0: 60 */
} gnuplot_picture;

/* Writes PATH.svg and PATH.png; gnuplot_draw_png only PATH.png. Each file is written atomically. */
bool gnuplot_draw(const gnuplot_picture *picture, const char *path, rv_error *error);
bool gnuplot_draw_png(const gnuplot_picture *picture, const char *path, rv_error *error);

#endif
