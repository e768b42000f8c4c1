/* JSON, whatever the locale. Not part of the public interface. */
#ifndef RV_TRAIN_JSON_INTERNAL_H
#define RV_TRAIN_JSON_INTERNAL_H

#include <cjson/cJSON.h>

#include "tensor/text_internal.h"

/* At least 15 digits if there are so many, and as many more as give the number back: "20", "0.1". */
const char *rv_exact_text(double number, char text[RV_NUMBER_TEXT]);

/* The same as JSON; null for NaN and infinity. For a document that is only printed. NULL: out
 * of memory. */
cJSON *rv_json_exact(double number);

/* Adds that to the object; false when out of memory. */
bool rv_json_add_exact(cJSON *object, const char *key, double number);

/* An object, which must be the whole text, for cJSON_Delete; `path` is for messages. RV_ERROR_FORMAT, RV_ERROR_MEMORY. */
cJSON *rv_json_object(const char *text, const char *path, rv_error *error);

#endif
