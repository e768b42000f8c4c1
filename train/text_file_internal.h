/* Texts as files: written atomically, read whole. */
#ifndef RV_TRAIN_TEXT_FILE_INTERNAL_H
#define RV_TRAIN_TEXT_FILE_INTERNAL_H

#include <stdbool.h>

#include "tensor/error.h"

/* The file appears whole or not at all. A NULL text means out of memory. */
bool rv_text_file_write(const char *path, const char *text, rv_error *error);

/* For rv_free (tensor/memory.h). NULL and an error when it cannot be read or holds a NUL. */
char *rv_text_file_read(const char *path, rv_error *error);

#endif
