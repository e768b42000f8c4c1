/* Text for people. */
#ifndef RV_TOOLS_CLI_SAY_H
#define RV_TOOLS_CLI_SAY_H

#include <stdio.h>

#include "recurve.h"

/* fprintf, but in "%d sample(s)" and "%d batch(es)" the noun gets the ending that its number asks for. Prints at most
 * RV_ERROR_TEXT bytes. */
void say(FILE *to, const char *format, ...) RV_PRINTF(2, 3);

#endif
