/* Packing: assigns each buffer an offset in one arena. Buffers whose lifetimes are disjoint may
 * overlap. */
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
    int32_t first, last; /* its lifetime: the first and the last moment, both included */
} rv_buffer;

typedef struct rv_packing {
    size_t bytes; /* of the arena */
    size_t live;  /* the peak of the bytes in use: a lower bound of `bytes` */
} rv_packing;

/* Sets the offsets for moments 0 .. moments-1 in O(n log n). False when out of memory. */
bool rv_pack(rv_buffer *buffer, int32_t count, int32_t moments, rv_packing *packing);

#ifdef __cplusplus
}
#endif

#endif
