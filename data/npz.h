/* NumPy's .npz archives as named tensors: what numpy.savez writes and numpy.load reads. */
#ifndef RV_DATA_NPZ_H
#define RV_DATA_NPZ_H

#include <stdint.h>

#include "tensor/safetensors.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All arrays of an archive, of any names and of all types that rv_source_npy takes, as f64; for
 * rv_archive_free. cache_bytes: they may take so much memory together, and a member twice that while it is read; 0: 256
 * MiB. Errors as those of data/files.h, and *archive is {0} then. */
bool rv_npz_read(const char *path, uint64_t cache_bytes, rv_archive *archive, rv_error *error);

/* The archive's tensors as numpy.savez would write them: f8, f4 and i4. The file appears whole, or the one that was
 * there stays untouched. Equal tensors make equal bytes. RV_ERROR_NAME for a name that is there twice. */
bool rv_npz_write(const char *path, const rv_archive *archive, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
