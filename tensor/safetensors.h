/* safetensors: named tensors in one file. Layout: the header's length as a little-endian u64, a
 * JSON header {"name": {"dtype", "shape", "data_offsets"}, ..., "__metadata__": {string: string}},
 * the data. https://github.com/huggingface/safetensors */
#ifndef RV_TENSOR_SAFETENSORS_H
#define RV_TENSOR_SAFETENSORS_H

#include <stdbool.h>

#include "archive.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads F32 and F64; F16 and BF16 as f32; BOOL and integers as i32, which must hold them. Skips
 * tensors of the other types of the format. Trusts nothing in the file. An error names the file,
 * the offset or tensor, what was found and what was expected; *archive is then {0}. Memory: at most
 * five times the file's data (twice, if no element has fewer than 4 bytes) and 64 times its header,
 * which may have 16 MiB. Free with rv_archive_free. */
bool rv_safetensors_read(const char *path, rv_archive *archive, rv_error *error);

/* Writes the archive. The header keeps the archive's order; the data of larger elements come first,
 * so that all are aligned. Atomic: on failure an existing file stays untouched. RV_ERROR_NAME for a
 * duplicate name and for one that a store would refuse. */
bool rv_safetensors_write(const char *path, const rv_archive *archive, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
