/* A command's results as one JSON document. */
#ifndef RV_TOOLS_CLI_JSON_H
#define RV_TOOLS_CLI_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "tensor/shape.h"

/* A number, or null for one that is not finite, which JSON does not have. */
void json_add_number(cJSON *object, const char *name, double number);

/* The same, and null for an amount that is not above 0, which is unknown. */
void json_add_amount(cJSON *object, const char *name, double amount);

/* A list of the dimensions. */
void json_add_shape(cJSON *object, const char *name, rv_shape shape);

/* Prints the document on stdout and deletes it. NULL means out of memory. */
bool json_print(cJSON *document, rv_error *error);

#endif
