/* Writes safetensors files. The header keeps the archive's order. The data starts with the largest
 * elements, so that each tensor is aligned without gaps, which the format forbids. */
#include <cjson/cJSON.h>
#include <stdint.h>
#include <string.h>

#include "tensor/file_internal.h"
#include "tensor/little_endian_internal.h"
#include "tensor/memory.h"
#include "tensor/name_internal.h"
#include "tensor/needs_internal.h"
#include "tensor/safetensors.h"
#include "tensor/safetensors/header.h"
#include "tensor/safetensors/checksum.h"

typedef struct span {
    size_t begin, end; /* offsets into the data */
} span;

static const char *const dtype_names[] = {[RV_F32] = "F32", [RV_F64] = "F64", [RV_I32] = "I32"};

/* Checks that all names and keys are valid and distinct. */
static bool check_names(const rv_archive *archive, rv_error *error)
{
    for (size_t i = 0; i < archive->metadata_count; i++) {
        const rv_metadata *item = &archive->metadata[i];
        if (!rv_utf8_valid(item->key, strlen(item->key)) ||
            !rv_utf8_valid(item->value, strlen(item->value))) {
            return rv_fail(error, RV_ERROR_NAME, "metadata \"%.100s\" is not UTF-8", item->key);
        }
    }
    size_t most = archive->tensor_count + archive->metadata_count;
    const char **names = rv_alloc(most, sizeof *names);
    if (!names) return rv_fail_memory(error);
    for (size_t i = 0; i < archive->metadata_count; i++) {
        names[i] = archive->metadata[i].key;
    }
    const char *duplicate = rv_name_duplicate(names, archive->metadata_count);
    for (size_t i = 0; i < archive->tensor_count; i++) {
        names[i] = archive->tensors[i].name;
        if (!rv_name_check(names[i], error)) {
            rv_free(names);
            return false;
        }
    }
    if (!duplicate) {
        duplicate = rv_name_duplicate(names, archive->tensor_count);
    }
    if (duplicate) {
        rv_fail(error, RV_ERROR_NAME, "the archive has \"%.100s\" twice; expected distinct names",
                duplicate);
    }
    rv_free(names);
    return !duplicate;
}

/* A copy of the elements in the file's order; to be freed by rv_free. */
static void *converted(const rv_tensor *tensor, size_t bytes, size_t item_size)
{
    void *copy = rv_alloc(bytes, 1);
    if (!copy) return NULL;
    memcpy(copy, tensor->data, bytes);
    rv_little_endian_convert(copy, bytes / item_size, item_size);
    return copy;
}

/* Assigns an offset to every tensor, and lists the slices in the order of writing. On a
 * big-endian machine they are copies. */
static bool lay_out(const rv_archive *archive, span *spans, rv_bytes *slices, rv_error *error)
{
    size_t at = 0, listed = 0;
    for (size_t item_size = 8; item_size >= 4; item_size /= 2) {
        for (size_t i = 0; i < archive->tensor_count; i++) {
            const rv_tensor *tensor = &archive->tensors[i].tensor;
            if (rv_dtype_size(tensor->dtype) != item_size) continue;
            size_t bytes;
            if (!rv_shape_check(tensor->shape, item_size, &bytes, error)) {
                return false;
            }
            if (!tensor->data || bytes > PTRDIFF_MAX - at) {
                return rv_fail(error, RV_ERROR_ARGUMENT,
                               "tensor \"%.100s\" has no data, or makes the archive too large",
                               archive->tensors[i].name);
            }
            spans[i] = (span){at, at + bytes};
            const void *data = RV_BIG_ENDIAN ? converted(tensor, bytes, item_size) : tensor->data;
            if (!data) return rv_fail_memory(error);
            slices[listed++] = (rv_bytes){data, bytes};
            at += bytes;
        }
    }
    return listed == archive->tensor_count ||
           rv_fail(error, RV_ERROR_DTYPE, "a tensor of unknown dtype; expected f32, f64 or i32");
}

/* Returns false if `array` is NULL, so that one check at the end suffices. */
static bool add_number(cJSON *array, double value)
{
    cJSON *number = array ? cJSON_CreateNumber(value) : NULL;
    return cJSON_AddItemToArray(array, number);
}

static bool add_tensor(cJSON *root, const rv_named_tensor *item, span at)
{
    cJSON *object = cJSON_AddObjectToObject(root, item->name);
    bool ok = cJSON_AddStringToObject(object, "dtype", dtype_names[item->tensor.dtype]);
    cJSON *shape = cJSON_AddArrayToObject(object, "shape");
    for (int64_t i = 0; ok && i < item->tensor.shape.rank; i++) {
        ok = add_number(shape, (double)item->tensor.shape.dim[i]);
    }
    cJSON *offsets = cJSON_AddArrayToObject(object, "data_offsets");
    return ok && shape && add_number(offsets, (double)at.begin) &&
           add_number(offsets, (double)at.end);
}

/* The header's JSON, to be freed by cJSON_free; NULL when out of memory. */
static char *header_text(const rv_archive *archive, const span *spans)
{
    cJSON *root = cJSON_CreateObject();
    bool ok = root;
    if (ok && archive->metadata_count > 0) {
        cJSON *metadata = cJSON_AddObjectToObject(root, "__metadata__");
        for (size_t i = 0; ok && i < archive->metadata_count; i++) {
            const rv_metadata *item = &archive->metadata[i];
            ok = cJSON_AddStringToObject(metadata, item->key, item->value);
        }
    }
    for (size_t i = 0; ok && i < archive->tensor_count; i++) {
        ok = add_tensor(root, &archive->tensors[i], spans[i]);
    }
    char *text = ok ? cJSON_PrintUnformatted(root) : NULL;
    cJSON_Delete(root);
    return text;
}

/* The length, the JSON and spaces up to a multiple of RV_ALIGNMENT; to be freed by rv_free. */
static unsigned char *frame(const char *json, size_t *size, rv_error *error)
{
    size_t length = strlen(json);
    size_t total = (RV_HEADER_PREFIX + length + RV_ALIGNMENT - 1) / RV_ALIGNMENT * RV_ALIGNMENT;
    if (total - RV_HEADER_PREFIX > RV_HEADER_LIMIT) {
        rv_fail(error, RV_ERROR_ARGUMENT,
                "a header of %zu byte(s); expected at most %d: save fewer "
                "tensors, or use shorter names",
                length, (int)RV_HEADER_LIMIT);
        return NULL;
    }
    unsigned char *bytes = rv_alloc(total, 1);
    if (!bytes) {
        rv_fail_memory(error);
        return NULL;
    }
    uint64_t header_size = total - RV_HEADER_PREFIX;
    memcpy(bytes, &header_size, sizeof header_size);
    rv_little_endian_convert(bytes, 1, sizeof header_size);
    memcpy(bytes + RV_HEADER_PREFIX, json, length);
    memset(bytes + RV_HEADER_PREFIX + length, ' ', total - RV_HEADER_PREFIX - length);
    *size = total;
    return bytes;
}

bool rv_safetensors_put(rv_sink *sink, const rv_archive *archive, rv_error *error)
{
    if (!check_names(archive, error)) return false;
    span *spans = rv_alloc(archive->tensor_count, sizeof *spans);
    rv_bytes *slices = rv_alloc(archive->tensor_count + 1, sizeof *slices);
    unsigned char *header = NULL;
    bool ok = spans && slices ? lay_out(archive, spans, slices + 1, error) : rv_fail_memory(error);
    if (ok) {
        char *json = header_text(archive, spans);
        header = json ? frame(json, &slices[0].size, error) : NULL;
        ok = json ? !!header : rv_fail_memory(error);
        cJSON_free(json);
    }
    if (ok) {
        slices[0].bytes = header;
        ok = rv_checksum_put(header, slices, archive->tensor_count + 1, error) &&
             rv_sink_write(sink, slices, archive->tensor_count + 1, error);
    }
    for (size_t i = 1; RV_BIG_ENDIAN && slices && i <= archive->tensor_count; i++)
        rv_free((void *)slices[i].bytes);
    rv_free(spans);
    rv_free(slices);
    rv_free(header);
    return ok;
}

bool rv_safetensors_write(const char *path, const rv_archive *archive, rv_error *error)
{
    if (!RV_NEEDS(error, path, archive) || !rv_needs_archive(error, __func__, archive))
        return false;
    return rv_safetensors_put(&(rv_sink){.path = path}, archive, error);
}
