/* The parsed and checked header of a safetensors file. Not part of the public interface. */
#ifndef RV_TENSOR_SAFETENSORS_HEADER_H
#define RV_TENSOR_SAFETENSORS_HEADER_H

#include "tensor/file_internal.h"
#include "tensor/safetensors.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The size of the length before the header, and the largest length. Parsed JSON may take thirty
 * times its size, so the limit is lower than the reference reader's 100 MB. */
enum { RV_HEADER_PREFIX = 8, RV_HEADER_LIMIT = 16 << 20 };

/* A tensor as the header describes it. dtype is what its elements become: F16 and BF16 become f32,
 * integers i32. */
typedef struct rv_described {
    const char *name;
    rv_dtype dtype;
    char kind;        /* in the file: F, B (bfloat16), I, U; 0: unknown */
    size_t item_size; /* in the file */
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

/* Reads the header of a file of `size` bytes; only those before the data are read. On success names
 * are distinct, every shape passes rv_shape_check and matches its bytes, and the tensors cover the
 * data without gaps or overlaps. `path` is for messages. Free with rv_header_free, even on
 * failure. */
bool rv_header_read(rv_header *header, const char *path, const unsigned char *bytes, size_t size,
                    rv_error *error);
void rv_header_free(rv_header *header);

/* rv_safetensors_read, from a file or from memory. */
bool rv_safetensors_read_from(const rv_content *from, rv_archive *archive, rv_error *error);

/* rv_safetensors_write, to a file or to memory. */
bool rv_safetensors_put(rv_sink *sink, const rv_archive *archive, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
