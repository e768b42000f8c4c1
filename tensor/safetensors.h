/* safetensors: named tensors in one file. Layout: the header's length as a little-endian u64, a
 * JSON header {"name": {"dtype", "shape", "data_offsets"}, ..., "__metadata__": {string: string}},
 * the data. https://github.com/huggingface/safetensors */
#ifndef RV_TENSOR_SAFETENSORS_H
#define RV_TENSOR_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
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

/* The content of a file, in the order of its header. The order of the data may differ: the writer
 * keeps the archive's order in the header but writes tensors with larger elements first, so that
 * all are aligned. */
typedef struct rv_archive {
    rv_named_tensor *tensors;
    size_t tensor_count;
    rv_metadata *metadata;
    size_t metadata_count;
    const char **skipped; /* names of tensors of types that are not read, such as F8_E4M3 */
    size_t skipped_count;
} rv_archive;

/* Reads F32 and F64; F16 and BF16 as f32; BOOL and integers as i32, which must hold them. Skips
 * tensors of the other types of the format. Trusts nothing in the file. An error names the file, the offset or
 * tensor, what was found and what was expected; *archive is then {0}. Memory: at most five times
 * the file's data (twice, if no element has fewer than 4 bytes) and 64 times its header, which may
 * have 16 MiB. Free with rv_archive_free. */
bool rv_safetensors_read(const char *path, rv_archive *archive, rv_error *error);
void rv_archive_free(rv_archive *archive);
const rv_tensor *rv_archive_find(const rv_archive *archive, const char *name); /* NULL: unknown */
const char *rv_archive_metadata(const rv_archive *archive, const char *key);   /* NULL: unknown */

/* Writes the archive. Atomic: on failure an existing file stays untouched. RV_ERROR_NAME for a
 * duplicate name and for one that a store would refuse. */
bool rv_safetensors_write(const char *path, const rv_archive *archive, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
