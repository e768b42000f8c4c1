/* Helpers for results printed as one JSON document. */
#ifndef RV_TOOLS_CLI_JSON_H
#define RV_TOOLS_CLI_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "tensor/shape.h"

/* Adds a number. JSON has no infinities or NaN, so those become null. */
void json_add_number(cJSON *object, const char *name, double number);

/* The same, but an amount that is not positive is unknown and becomes null. */
void json_add_amount(cJSON *object, const char *name, double amount);

/* Adds the dimensions as a list. */
void json_add_shape(cJSON *object, const char *name, rv_shape shape);

/* Prints the document on stdout and deletes it. A NULL document is reported as out of memory. */
bool json_print(cJSON *document, rv_error *error);

#endif
