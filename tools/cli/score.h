/* A net's score as text: one number with its unit. */
#ifndef RV_TOOLS_CLI_SCORE_H
#define RV_TOOLS_CLI_SCORE_H

#include "recurve.h"

/* "98.00 %" (accuracy) for labels, "2.310 bits per character" for text, "error 0.0012" (mean
 * squared) for numbers. */
enum { SCORE_TEXT = 64 };
const char *score_text(const rv_source *data, double loss, double accuracy, double error,
                       char text[SCORE_TEXT]);

#endif
