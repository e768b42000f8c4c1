/* A command's results as one JSON document. */
#ifndef RECURVE_TOOLS_JSON_H
#define RECURVE_TOOLS_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "tensor/error.h"

/* Prints the document on stdout and deletes it. NULL is an error: memory was out. */
bool json_print(cJSON *document, rv_error *error);

#endif
