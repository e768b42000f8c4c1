/* NumPy .npz archives as named tensors: the files that numpy.savez writes and numpy.load reads. */
#ifndef RV_DATA_NPZ_H
#define RV_DATA_NPZ_H

#include <stdint.h>

#include "../tensor/archive.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads all arrays of an archive as f64, whatever their names, of all types that rv_source_npy
 * accepts. To be freed by rv_archive_free. cache_bytes: the most memory that the arrays may take
 * together (a member takes up to twice that while it is read); 0: 256 MiB. Errors as in
 * data/files.h; *archive is {0} then. */
bool rv_npz_read(const char *path, uint64_t cache_bytes, rv_archive *archive, rv_error *error);

/* The same, or reads a safetensors file if the path ends in .safetensors. There cache_bytes has no
 * effect: see rv_safetensors_read for its memory. */
bool rv_arrays_read(const char *path, uint64_t cache_bytes, rv_archive *archive, rv_error *error);

/* Writes the archive's tensors as numpy.savez would, as f8, f4 and i4. Atomic: on failure an
 * existing file stays untouched. Equal tensors make equal bytes. RV_ERROR_NAME for a duplicate
 * name. */
bool rv_npz_write(const char *path, const rv_archive *archive, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
