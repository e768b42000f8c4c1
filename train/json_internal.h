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

/* Adds an item, which may be NULL. False when out of memory; the item is then freed. */
bool rv_json_add(cJSON *object, const char *key, cJSON *item);

/* Adds rv_json_exact(number) to the object. False when out of memory. */
bool rv_json_add_exact(cJSON *object, const char *key, double number);

/* Replaces each number of a parsed document by its rv_json_exact, because cJSON prints 15 digits
 * where that is nearly the number. False when out of memory. */
bool rv_json_exact_all(cJSON *document);

/* The document as text, for rv_free: valid UTF-8 without characters that control a terminal, which
 * are escaped. A byte of a name that is no valid UTF-8 is written as the four characters \xff.
 * Indented text ends with a newline. NULL when out of memory. */
char *rv_json_text(const cJSON *document, bool indented);

/* Parses a text that is one JSON object. Free it with cJSON_Delete. Errors, RV_ERROR_FORMAT or
 * RV_ERROR_MEMORY, name the file `path`. */
cJSON *rv_json_object(const char *text, const char *path, rv_error *error);

/* A document and the text of a file from which it was parsed. */
typedef struct rv_json {
    const char *text, *path;
    cJSON *root;
} rv_json;

/* Fails with RV_ERROR_FORMAT and the location of the item, or of its key, in the text: "FILE" line
 * 3, column 5: .. */
bool rv_json_fail(const rv_json *json, const cJSON *item, rv_error *error, const char *format, ...)
    RV_PRINTF(4, 5);

/* A value for a message: "adam", 4, true, a list, an object. */
const char *rv_json_shown(const cJSON *item, char text[RV_ERROR_TEXT / 4]);

#endif
