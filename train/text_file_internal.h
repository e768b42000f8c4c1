/* Text files: written atomically, read whole. Not part of the public interface. */
#ifndef RV_TRAIN_TEXT_FILE_INTERNAL_H
#define RV_TRAIN_TEXT_FILE_INTERNAL_H

#include <stdbool.h>

#include "tensor/error.h"

enum { RV_TEXT_FILE_LIMIT = 1 << 20 }; /* bytes */

/* Writes the file whole or not at all. NULL text: reports out of memory. */
bool rv_text_file_write(const char *path, const char *text, rv_error *error);

/* The whole text. Free it with rv_free (tensor/memory.h). NULL and an error when it cannot be read,
 * is larger than the limit or holds a NUL byte. */
char *rv_text_file_read(const char *path, rv_error *error);

#endif
