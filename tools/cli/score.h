/* How well a net does, in one number with its unit. */
#ifndef RV_TOOLS_CLI_SCORE_H
#define RV_TOOLS_CLI_SCORE_H

#include "recurve.h"

/* "98.00 %" of labels, "2.310 bits per character" of a text, or "error 0.0012", the mean squared one. */
enum { SCORE_TEXT = 64 };
const char *score_text(const rv_source *data, double loss, double accuracy, double error,
                       char text[SCORE_TEXT]);

#endif
