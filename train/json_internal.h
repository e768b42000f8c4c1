/* JSON in every locale. Not part of the public interface. */
#ifndef RV_TRAIN_JSON_INTERNAL_H
#define RV_TRAIN_JSON_INTERNAL_H

#include <cjson/cJSON.h>

#include "tensor/text_internal.h"

/* The number with 15 to 17 digits, the fewest that parse to the same bits, without trailing zeros:
 * "20", "0.1". */
const char *rv_exact_text(double number, char text[RV_NUMBER_TEXT]);

/* The same as JSON; null for NaN and infinity. For a document that is only printed. NULL: out
 * of memory. */
cJSON *rv_json_exact(double number);

/* Adds rv_json_exact(number) to the object. False when out of memory. */
bool rv_json_add_exact(cJSON *object, const char *key, double number);

/* The document as text, for rv_free: valid UTF-8 without characters that control a terminal, which are escaped. A byte of a
 * name that is no valid UTF-8 is written as the four characters \xff. Indented text ends with a newline. NULL when out of
 * memory. */
char *rv_json_text(const cJSON *document, bool indented);

/* Parses a text that is one JSON object. Free it with cJSON_Delete. Errors, RV_ERROR_FORMAT or
 * RV_ERROR_MEMORY, name the file `path`. */
cJSON *rv_json_object(const char *text, const char *path, rv_error *error);

#endif
