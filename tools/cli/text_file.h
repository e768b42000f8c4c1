/* Texts as files: written atomically, read whole. */
#ifndef RV_TOOLS_CLI_TEXT_FILE_H
#define RV_TOOLS_CLI_TEXT_FILE_H

#include <stdbool.h>

#include "tensor/error.h"

/* The file appears whole or not at all. A NULL text means out of memory. */
bool text_file_write(const char *path, const char *text, rv_error *error);

/* For rv_free (tensor/memory.h). NULL and an error when it cannot be read or holds a NUL. */
char *text_file_read(const char *path, rv_error *error);

#endif
