/* The header of a safetensors file, as checked data. Not part of the public interface. */
#ifndef RV_TENSOR_SAFETENSORS_HEADER_INTERNAL_H
#define RV_TENSOR_SAFETENSORS_HEADER_INTERNAL_H

#include "tensor/safetensors.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes before the header: its length. And its largest length: parsed, JSON may take thirty times
 * its size, so this is less than the 100 MB of the reference reader. */
enum { RV_HEADER_PREFIX = 8, RV_HEADER_LIMIT = 16 << 20 };

/* A tensor as the header describes it. item_size is the file's: 8 for I64, which becomes i32. */
typedef struct rv_described {
    const char *name;
    rv_dtype dtype;
    size_t item_size;
    rv_shape shape;
    size_t begin, end; /* offsets into the data */
} rv_described;

/* In the header's order; the strings belong to `json`. */
typedef struct rv_header {
    rv_described *tensors;
    size_t tensor_count;
    rv_metadata *metadata;
    size_t metadata_count;
    size_t data_at; /* offset of the data in the file */
    void *json;
} rv_header;

/* Reads the header of a whole file in memory, which must have a NUL after its last byte. When it
 * succeeds, names differ, every shape passes rv_shape_check and fits its bytes, and the tensors
 * cover the data without gap or overlap. `path` is for messages. For rv_header_free, either way. */
bool rv_header_read(rv_header *header, const char *path, const unsigned char *bytes, size_t size,
                    rv_error *error);
void rv_header_free(rv_header *header);

#ifdef __cplusplus
}
#endif

#endif
