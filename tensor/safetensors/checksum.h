/* A checksum of a whole file in its metadata. Not part of the public interface. */
#ifndef RV_TENSOR_SAFETENSORS_CHECKSUM_H
#define RV_TENSOR_SAFETENSORS_CHECKSUM_H

#include "tensor/file_internal.h"
#include "tensor/safetensors/header.h"

#ifdef __cplusplus
extern "C" {
#endif

/* If an archive's metadata has RV_CHECKSUM_KEY with the value RV_CHECKSUM_BLANK, writing the
 * archive replaces the value by the XXH3-128, in hex digits, of the whole file with the blank
 * value. */
#define RV_CHECKSUM_KEY "checksum"
#define RV_CHECKSUM_BLANK "00000000000000000000000000000000"
enum { RV_CHECKSUM_DIGITS = sizeof RV_CHECKSUM_BLANK - 1 };

/* Puts the checksum of the slices into the header, which is slices[0], if it has a blank one. False
 * when out of memory. */
bool rv_checksum_put(unsigned char *header, const rv_bytes *slices, size_t count, rv_error *error);

/* Verifies the checksum of a file, if it has one, and replaces it by the blank value in `head`, the
 * bytes before the data. RV_ERROR_FORMAT if the file is damaged. */
bool rv_checksum_check(rv_header *header, unsigned char *head, rv_bytes data, const char *path,
                       rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
