#include "tensor/archive.h"

#include <string.h>

#include "tensor/memory.h"
#include "tensor/needs_internal.h"

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
    for (size_t i = 0; i < archive->skipped_count; i++) rv_free((char *)archive->skipped[i]);
    rv_free(archive->tensors);
    rv_free(archive->metadata);
    rv_free(archive->skipped);
    *archive = (rv_archive){0};
}

const rv_tensor *rv_archive_find(const rv_archive *archive, const char *name)
{
    if (!archive || !name || !rv_needs_archive(NULL, "", archive)) return NULL;
    for (size_t i = 0; i < archive->tensor_count; i++) {
        if (strcmp(archive->tensors[i].name, name) == 0) {
            return &archive->tensors[i].tensor;
        }
    }
    return NULL;
}

const char *rv_archive_metadata(const rv_archive *archive, const char *key)
{
    if (!archive || !key || !rv_needs_archive(NULL, "", archive)) return NULL;
    for (size_t i = 0; i < archive->metadata_count; i++)
        if (strcmp(archive->metadata[i].key, key) == 0) return archive->metadata[i].value;
    return NULL;
}
