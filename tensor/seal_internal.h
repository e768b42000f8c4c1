/* A file's own digest among its metadata. Not part of the public interface. */
#ifndef RV_TENSOR_SEAL_INTERNAL_H
#define RV_TENSOR_SEAL_INTERNAL_H

#include "tensor/file_internal.h"
#include "tensor/safetensors_header_internal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An archive whose metadata have RV_SEAL_KEY with the value RV_SEAL_BLANK is sealed when it is written: the value becomes
 * the XXH3-128, as hex digits, of the whole file with the blank in its place. */
#define RV_SEAL_KEY "seal"
#define RV_SEAL_BLANK "00000000000000000000000000000000"
enum { RV_SEAL_DIGITS = sizeof RV_SEAL_BLANK - 1 };

/* Seals what is to be written, slices[0] the header; nothing happens where there is no blank. False: no memory. */
bool rv_seal_put(unsigned char *header, const rv_bytes *slices, size_t count, rv_error *error);

/* Whether a file that has a seal is what was sealed; its seal is blank afterwards. RV_ERROR_FORMAT. */
bool rv_seal_check(rv_header *header, unsigned char *bytes, size_t size, const char *path,
                   rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
