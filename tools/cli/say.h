/* Text for people and for files that programs read. Everything that the command prints goes through
 * these functions (and json_print), so that no name, title or file from outside controls the
 * terminal, forges a line or breaks a format. */
#ifndef RV_TOOLS_CLI_SAY_H
#define RV_TOOLS_CLI_SAY_H

#include <stdio.h>

#include "recurve.h"
#include "tools/cli/say.h"

/* fprintf with the conversions of rv_fail (tensor/error.h): %s shows text on one line, "\x1b" in
 * the place of control characters and invalid UTF-8; %-s keeps newlines and tabs. In "%d sample(s)"
 * and "%d batch(es)" the noun gets the ending that its number asks for. Returns the number of
 * bytes, as fprintf does. */
int say(FILE *to, const char *format, ...) RV_PRINTF(2, 3);

/* Prints a text of any size like %-s. */
void say_lines(FILE *to, const char *text, size_t size);

/* Prints a cell of a table of comma-separated values, in quotes if it needs them (RFC 4180). */
void say_cell(FILE *to, const char *text);

#endif
