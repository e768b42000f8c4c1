/* What a tensor may be called, and text that names come from. Not part of the public interface. */
#ifndef RV_TENSOR_NAME_INTERNAL_H
#define RV_TENSOR_NAME_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "tensor/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the bytes are UTF-8: shortest forms only, no surrogates, nothing above U+10FFFF. */
bool rv_utf8_valid(const char *text, size_t size);

/* Whether JSON text is UTF-8, and free of NUL, of \u0000 and of \u without four hex digits. */
bool rv_json_plain(const char *text, size_t size);

/* A name is UTF-8 without control characters, not empty, and not "__metadata__", which safetensors
 * keeps for itself: every name the store takes can be saved. RV_ERROR_NAME otherwise. */
bool rv_name_check(const char *name, rv_error *error);

/* "Did you mean ..?": of the names that were tried the nearest to what was seen, or NULL when none is near. Start it as
 * {.seen = ..}. */
typedef struct rv_guess {
    const char *seen, *nearest;
    int distance;
} rv_guess;
void rv_guess_try(rv_guess *guess, const char *known);

/* A name that occurs twice, or NULL. Sorts the array. */
const char *rv_name_twice(const char **names, size_t count);

#ifdef __cplusplus
}
#endif

#endif
