/* A net of Hugging Face in several files: NAME.safetensors.index.json says in which file each
 * tensor is. */
#ifndef RV_TOOLS_COMMAND_SHARDS_H
#define RV_TOOLS_COMMAND_SHARDS_H

#include <stddef.h>

#include "tensor/error.h"

typedef struct file_list {
    char **at;
    size_t count, capacity;
} file_list;

/* The paths, with the files that an index lists in its place, each once. Free the list also on
 * failure. */
bool shards_expand(char **paths, int count, file_list *files, rv_error *error);
void file_list_free(file_list *files);

#endif
