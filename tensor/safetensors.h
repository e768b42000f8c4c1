/* safetensors: named tensors in one file. Layout: u64 little-endian header length, a JSON header
 * {"name": {"dtype", "shape", "data_offsets"}, ..., "__metadata__": {string: string}}, the bytes.
 * https://github.com/huggingface/safetensors */
#ifndef RV_TENSOR_SAFETENSORS_H
#define RV_TENSOR_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>

#include "tensor/error.h"
#include "tensor/tensor.h"

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

/* What a file holds, in the order of its header, which need not be that of the bytes: the writer
 * puts the tensors of the largest elements first, so that all are aligned, and keeps the archive's
 * order in the header. */
typedef struct rv_archive {
    rv_named_tensor *tensors;
    size_t tensor_count;
    rv_metadata *metadata;
    size_t metadata_count;
} rv_archive;

/* Reads F32, F64, I32, and I64 whose values fit in i32. Nothing in the file is trusted: an error
 * names the file, the offset or tensor, what was found and what was expected, and leaves *archive
 * {0}. Memory: at most twice the file's data and 64 times its header, which has at most 16 MiB.
 * Free with rv_archive_free. */
bool rv_safetensors_read(const char *path, rv_archive *archive, rv_error *error);
void rv_archive_free(rv_archive *archive);
const rv_tensor *rv_archive_find(const rv_archive *archive, const char *name); /* NULL: unknown */
const char *rv_archive_metadata(const rv_archive *archive, const char *key);   /* NULL: unknown */

/* The file appears whole, or the one that was there stays untouched. The archive's pointers are
 * only read. RV_ERROR_NAME for a name that is there twice, or that a store would refuse. */
bool rv_safetensors_write(const char *path, const rv_archive *archive, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
