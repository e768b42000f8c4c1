/* Packing: buffers, each needed for a span of time, get their places in one arena. */
#ifndef RV_AUTOGRAD_PASSES_PACK_H
#define RV_AUTOGRAD_PASSES_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_buffer {
    size_t size, offset; /* in bytes; packing sets the offset */
    int32_t first, last; /* the moments between which it is needed, both included */
} rv_buffer;

typedef struct rv_packing {
    size_t bytes; /* of the arena */
    size_t live;  /* needed at once, at most */
} rv_packing;

/* Sets the offsets, for moments 0 .. moments-1, in time n log n. False without memory. */
bool rv_pack(rv_buffer *buffer, int32_t count, int32_t moments, rv_packing *packing);

#ifdef __cplusplus
}
#endif

#endif
