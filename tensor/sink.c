/* Apart from file.c, so that tests which replace rv_file_write also replace it here. */
#include <string.h>

#include "tensor/file_internal.h"
#include "tensor/memory.h"

bool rv_sink_write(rv_sink *sink, const rv_bytes *slices, size_t count, rv_error *error)
{
    if (sink->path) return rv_file_write(sink->path, slices, count, error);
    size_t size = 0;
    for (size_t i = 0; i < count; i++) size += slices[i].size;
    unsigned char *at = sink->bytes = rv_alloc(size, 1);
    if (!at) return rv_fail_memory(error);
    sink->size = size;
    for (size_t i = 0; i < count; at += slices[i++].size)
        memcpy(at, slices[i].bytes, slices[i].size);
    return true;
}
