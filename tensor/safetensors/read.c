/* Reads safetensors files. The whole header is checked before the first tensor is allocated, so
 * tensors never take more memory than the file has bytes. */
#include "tensor/safetensors.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "tensor/file_internal.h"
#include "tensor/memory.h"
#include "tensor/safetensors/header.h"
#include "tensor/safetensors/checksum.h"

/* Copies the elements from the file, and narrows I64 to i32 if every value fits. */
static bool read_elements(rv_tensor *tensor, const rv_described *from, const unsigned char *bytes,
                          const char *path, rv_error *error)
{
    if (from->item_size == rv_dtype_size(tensor->dtype)) {
        memcpy(tensor->data, bytes, from->end - from->begin);
        return true;
    }
    int32_t *out = tensor->data;
    int64_t count = rv_tensor_count(tensor);
    for (int64_t i = 0; i < count; i++) {
        int64_t value;
        memcpy(&value, bytes + (size_t)i * sizeof value, sizeof value);
        if (value < INT32_MIN || value > INT32_MAX) {
            return rv_fail(error, RV_ERROR_FORMAT,
                           "\"%s\", tensor \"%.100s\": element %" PRId64 " is %" PRId64
                           "; expected I64 values that fit in 32 bits",
                           path, from->name, i, value);
        }
        out[i] = (int32_t)value;
    }
    return true;
}

static bool read_tensors(rv_archive *archive, const rv_header *header, const unsigned char *data,
                         const char *path, rv_error *error)
{
    archive->tensors = rv_alloc(header->tensor_count, sizeof *archive->tensors);
    if (!archive->tensors) return rv_fail_memory(error);
    for (size_t i = 0; i < header->tensor_count; i++) {
        const rv_described *from = &header->tensors[i];
        rv_named_tensor *to = &archive->tensors[archive->tensor_count++];
        to->name = rv_string_copy(from->name);
        if (!to->name) return rv_fail_memory(error);
        if (!rv_tensor_new(&to->tensor, from->dtype, from->shape, error) ||
            !read_elements(&to->tensor, from, data + from->begin, path, error)) {
            return false;
        }
    }
    return true;
}

static bool read_metadata(rv_archive *archive, const rv_header *header, rv_error *error)
{
    archive->metadata = rv_alloc(header->metadata_count, sizeof *archive->metadata);
    if (!archive->metadata) return rv_fail_memory(error);
    for (size_t i = 0; i < header->metadata_count; i++) {
        rv_metadata *to = &archive->metadata[archive->metadata_count++];
        to->key = rv_string_copy(header->metadata[i].key);
        to->value = rv_string_copy(header->metadata[i].value);
        if (!to->key || !to->value) return rv_fail_memory(error);
    }
    return true;
}

bool rv_safetensors_read(const char *path, rv_archive *archive, rv_error *error)
{
    *archive = (rv_archive){0};
    unsigned char *bytes;
    size_t size;
    if (!rv_file_read(path, &bytes, &size, error)) return false;
    rv_header header;
    bool ok = rv_header_read(&header, path, bytes, size, error) &&
              rv_checksum_check(&header, bytes, size, path, error) &&
              read_tensors(archive, &header, bytes + header.data_at, path, error) &&
              read_metadata(archive, &header, error);
    rv_header_free(&header);
    rv_free(bytes);
    if (!ok) {
        rv_archive_free(archive);
    }
    return ok;
}

void rv_archive_free(rv_archive *archive)
{
    if (!archive) return;
    for (size_t i = 0; i < archive->tensor_count; i++) {
        rv_free((char *)archive->tensors[i].name);
        rv_tensor_free(&archive->tensors[i].tensor);
    }
    for (size_t i = 0; i < archive->metadata_count; i++) {
        rv_free((char *)archive->metadata[i].key);
        rv_free((char *)archive->metadata[i].value);
    }
    rv_free(archive->tensors);
    rv_free(archive->metadata);
    *archive = (rv_archive){0};
}

const rv_tensor *rv_archive_find(const rv_archive *archive, const char *name)
{
    for (size_t i = 0; i < archive->tensor_count; i++) {
        if (strcmp(archive->tensors[i].name, name) == 0) {
            return &archive->tensors[i].tensor;
        }
    }
    return NULL;
}

const char *rv_archive_metadata(const rv_archive *archive, const char *key)
{
    for (size_t i = 0; i < archive->metadata_count; i++)
        if (strcmp(archive->metadata[i].key, key) == 0) return archive->metadata[i].value;
    return NULL;
}
