/* Which digits to tell apart, as text: "0,1", "0-9", "0-3,7". */
#ifndef RV_TOOLS_CLI_CLASSES_H
#define RV_TOOLS_CLI_CLASSES_H

#include <stdbool.h>

#include "tensor/error.h"

enum { DIGITS = 10 };

/* The digits in the order they are written; at least two, none of them twice. */
bool classes_parse(const char *text, int classes[DIGITS], int *count, rv_error *error);

#endif
