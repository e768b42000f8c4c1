/* Named tensors: the content of a file, or values that are given to a function. */
#ifndef RV_TENSOR_ARCHIVE_H
#define RV_TENSOR_ARCHIVE_H

#include <stddef.h>

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_named_tensor {
    const char *name;
    rv_tensor tensor;
} rv_named_tensor;

typedef struct rv_metadata {
    const char *key, *value;
} rv_metadata;

/* The content of a file, in the order of its header. */
typedef struct rv_archive {
    rv_named_tensor *tensors;
    size_t tensor_count;
    rv_metadata *metadata;
    size_t metadata_count;
    const char **skipped; /* names of tensors of types that are not read, such as F8_E4M3 */
    size_t skipped_count;
} rv_archive;

void rv_archive_free(rv_archive *archive);
const rv_tensor *rv_archive_find(const rv_archive *archive, const char *name); /* NULL: unknown */
const char *rv_archive_metadata(const rv_archive *archive, const char *key);   /* NULL: unknown */

#ifdef __cplusplus
}
#endif

#endif
