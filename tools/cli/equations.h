/* Helpers for commands that read files of the equation language. */
#ifndef RV_TOOLS_CLI_EQUATIONS_H
#define RV_TOOLS_CLI_EQUATIONS_H

#include "recurve.h"

/* Whether the text has no errors; prints them to stderr otherwise. */
bool equations_are_right(const rv_lang *lang);

/* Whether a result may be written to `path`, which `option` gives and which may be NULL: not to a
 * file that is called as one of equations is. */
bool equations_are_spared(const char *option, const char *path, rv_error *error);

/* The names of the values that --in may set: inputs, parameters and constants. */
typedef struct known_names {
    char **at;
    int count;
    size_t capacity;
} known_names;

/* Appends the names of a recorded model. False when out of memory. */
bool known_names_add(known_names *known, const rv_tape *tape, rv_error *error);
void known_names_free(known_names *known);

/* Whether all arrays have known names; otherwise RV_ERROR_NAME for the first that does not.
 * RV_ERROR_FORMAT if a known name is that of a tensor which was skipped because of its type. */
bool known_names_check(const known_names *known, const rv_archive *given, rv_error *error);

#endif
