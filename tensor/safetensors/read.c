/* Reads safetensors files. The header is read and checked before any data, so a file that is none
 * is refused by its first bytes, and tensors never take more memory than the file has bytes. */
#include "tensor/safetensors.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tensor/file_internal.h"
#include "tensor/half_internal.h"
#include "tensor/little_endian_internal.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"
#include "tensor/safetensors/header.h"
#include "tensor/safetensors/checksum.h"

/* A little-endian integer of 1 to 8 bytes; false unless an i32 holds it. */
static bool read_integer(const rv_described *from, const unsigned char *bytes, int64_t *value)
{
    uint64_t bits = rv_little_endian(bytes, from->item_size);
    int unused = 64 - 8 * (int)from->item_size;
    *value = from->kind == 'I' ? (int64_t)(bits << unused) >> unused : (int64_t)bits;
    return *value <= INT32_MAX && *value >= (from->kind == 'I' ? INT32_MIN : 0);
}

static void read_halves(float *out, int64_t count, const rv_described *from,
                        const unsigned char *bytes)
{
    for (int64_t i = 0; i < count; i++) {
        uint16_t bits = (uint16_t)rv_little_endian(bytes + 2 * i, sizeof bits);
        out[i] = from->kind == 'B' ? rv_float_of_bfloat(bits) : rv_float_of_half(bits);
    }
}

/* Copies the elements from the file, or converts them. */
static bool read_elements(rv_tensor *tensor, const rv_described *from, const unsigned char *bytes,
                          const char *path, rv_error *error)
{
    int64_t count = rv_tensor_count(tensor), value;
    if (tensor->dtype != RV_I32 && from->item_size == 2) {
        read_halves(tensor->data, count, from, bytes);
        return true;
    }
    if (tensor->dtype != RV_I32) {
        memcpy(tensor->data, bytes, from->end - from->begin);
        rv_little_endian_convert(tensor->data, (size_t)count, from->item_size);
        return true;
    }
    int32_t *out = tensor->data;
    for (int64_t i = 0; i < count; i++) {
        if (!read_integer(from, bytes + (size_t)i * from->item_size, &value)) {
            char seen[24];
            snprintf(seen, sizeof seen, from->kind == 'I' ? "%" PRId64 : "%" PRIu64, value);
            return rv_fail(error, RV_ERROR_FORMAT,
                           "\"%s\", tensor \"%.100s\": element %" PRId64
                           " is %s; expected integers that fit in 32 bits",
                           path, from->name, i, seen);
        }
        out[i] = (int32_t)value;
    }
    return true;
}

static bool read_tensors(rv_archive *archive, const rv_header *header, const unsigned char *data,
                         const char *path, rv_error *error)
{
    archive->tensors = rv_alloc(header->tensor_count, sizeof *archive->tensors);
    archive->skipped = rv_alloc(header->tensor_count, sizeof *archive->skipped);
    if (!archive->tensors || !archive->skipped) return rv_fail_memory(error);
    for (size_t i = 0; i < header->tensor_count; i++) {
        const rv_described *from = &header->tensors[i];
        if (from->kind == '\0') {
            const char **name = &archive->skipped[archive->skipped_count++];
            *name = rv_string_copy(from->name);
            if (!*name) return rv_fail_memory(error);
            continue;
        }
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

/* Reads the bytes before the data; those of the header only if its length is possible. */
static unsigned char *read_head(rv_file *file, size_t *size, rv_error *error)
{
    unsigned char start[RV_HEADER_PREFIX] = {0};
    size_t prefix = file->size < RV_HEADER_PREFIX ? file->size : RV_HEADER_PREFIX;
    if (!rv_file_next(file, start, prefix, error)) return NULL;
    uint64_t length = rv_little_endian(start, RV_HEADER_PREFIX);
    size_t most = file->size - prefix;
    most = most < RV_HEADER_LIMIT ? most : RV_HEADER_LIMIT;
    *size = prefix + (length <= most ? (size_t)length : 0);
    unsigned char *bytes = rv_alloc(*size + 1, 1);
    if (!bytes) {
        rv_fail_memory(error);
        return NULL;
    }
    memcpy(bytes, start, prefix);
    if (rv_file_next(file, bytes + prefix, *size - prefix, error)) return bytes;
    rv_free(bytes);
    return NULL;
}

/* Reads and converts what a valid header describes. */
static bool read_data(rv_file *file, rv_header *header, unsigned char *head, rv_archive *archive,
                      rv_error *error)
{
    const size_t size = file->size - header->data_at;
    unsigned char *data = rv_alloc(size, 1);
    if (!data)
        return rv_fail(error, RV_ERROR_MEMORY, "out of memory for the %zu byte(s) of \"%s\"", size,
                       file->path);
    bool ok = rv_file_next(file, data, size, error) && rv_file_end(file, error) &&
              rv_checksum_check(header, head, (rv_bytes){data, size}, file->path, error) &&
              read_tensors(archive, header, data, file->path, error) &&
              read_metadata(archive, header, error);
    rv_free(data);
    return ok;
}

static bool read_archive(rv_file *file, rv_archive *archive, rv_error *error)
{
    size_t size;
    rv_header header;
    unsigned char *head = read_head(file, &size, error);
    if (!head) return false;
    bool ok = rv_header_read(&header, file->path, head, file->size, error) &&
              read_data(file, &header, head, archive, error);
    rv_header_free(&header);
    rv_free(head);
    return ok;
}

bool rv_safetensors_read_from(const rv_content *from, rv_archive *archive, rv_error *error)
{
    *archive = (rv_archive){0};
    rv_file file;
    if (!rv_file_open_from(&file, from, error)) return false;
    bool ok = read_archive(&file, archive, error);
    rv_file_close(&file);
    if (!ok) rv_archive_free(archive);
    return ok;
}

bool rv_safetensors_read(const char *path, rv_archive *archive, rv_error *error)
{
    if (!RV_NEEDS(error, path, archive)) return false;
    return rv_safetensors_read_from(&(rv_content){.path = path}, archive, error);
}
