/* Rules for names, and for the text that they come from. Not part of the public interface. */
#ifndef RV_TENSOR_NAME_INTERNAL_H
#define RV_TENSOR_NAME_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "tensor/error.h"
#include "tensor/utf8_internal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether JSON text is valid UTF-8 without NUL, \u0000 and \u without four hex digits. */
bool rv_json_plain(const char *text, size_t size);

/* Whether at most RV_JSON_DEEPEST brackets are nested. cJSON calls itself for each, on the caller's
 * stack. */
enum { RV_JSON_DEEPEST = 16 };
bool rv_json_flat(const char *text, size_t size);

/* A name is valid UTF-8 without control characters, not empty, and not "__metadata__", which
 * safetensors reserves. So every name in a store can be saved. RV_ERROR_NAME otherwise. */
bool rv_name_check(const char *name, rv_error *error);

/* "Did you mean ..?": the nearest to `seen` of all names tried, or NULL if none is near. Initialize
 * to {.seen = ..}; with NULL nothing is tried. */
typedef struct rv_guess {
    const char *seen, *nearest;
    int distance;
} rv_guess;
void rv_guess_try(rv_guess *guess, const char *known);

/* A name that occurs more than once, or NULL. Sorts the array. */
const char *rv_name_duplicate(const char **names, size_t count);

#ifdef __cplusplus
}
#endif

#endif
