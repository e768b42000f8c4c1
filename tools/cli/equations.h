/* Files of the equation language as arguments, and names of values that may be given for them. */
#ifndef RV_TOOLS_CLI_EQUATIONS_H
#define RV_TOOLS_CLI_EQUATIONS_H

#include "recurve.h"

/* Whether the text has no mistakes; prints them to stderr if it has. */
bool equations_are_right(const rv_lang *lang);

/* The names of inputs, parameters and constants that --in may give values for. */
typedef struct known_names {
    char **at;
    int count;
    size_t capacity;
} known_names;

/* Appends the names of a recorded model; false when out of memory. */
bool known_names_add(known_names *known, const rv_tape *tape, rv_error *error);
void known_names_free(known_names *known);

/* RV_ERROR_NAME for the first array whose name is not known. */
bool known_names_check(const known_names *known, const rv_archive *given, rv_error *error);

#endif
