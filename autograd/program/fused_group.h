/* Groups of fused pointwise ops. A group runs all its ops on one tile of elements, which stays in
 * the first-level cache, then on the next tile. */
#ifndef RV_AUTOGRAD_PROGRAM_FUSED_GROUP_H
#define RV_AUTOGRAD_PROGRAM_FUSED_GROUP_H

#include "autograd/op.h"

/* One op of a group. */
typedef struct rv_fused_op {
    rv_pointwise_kernel run;
    void *out;
    const void **in;
    int inputs;
    unsigned scalar; /* bit k: in[k] is one element */
    bool out_moves;  /* out advances with the tiles; else it is memory that every tile reuses */
    bool *in_moves;  /* the same for in[k] */
} rv_fused_op;

typedef struct rv_fused_group {
    int64_t blocks; /* of the whole tensors */
    int64_t tile;   /* blocks per tile; of a single op all */
    int count;
    rv_fused_op *op;  /* [count] */
    const void **at;  /* scratch for the operand addresses of an op on one tile */
    const void **far; /* [fars] tensors that advance with the tiles and are not in the cache */
    int fars;
} rv_fused_group;

enum {
    RV_TILE_BLOCKS = 64,     /* 4 KiB per operand */
    RV_FAR_TILE_BLOCKS = 16, /* if the next tile is fetched, which takes as much of the cache */
    RV_GROUP_MOST = 64       /* ops per group */
};

/* The number of blocks of a tensor. */
int64_t rv_blocks(rv_type type);

/* The kernel of a group. call->plan is its rv_fused_group. */
void rv_run_fused_group(const rv_call *call);

/* Makes a group of `count` ops with `operands` inputs in total, in one allocation (rv_free).
 * rv_fused_group_operands sets op[i].in and in_moves. Returns NULL when out of memory. */
rv_fused_group *rv_fused_group_new(int64_t blocks, int count, int operands);

/* Copies a group for another thread: operands within the `size` bytes at `tiles` move by `by`
 * bytes. NULL when out of memory. */
rv_fused_group *rv_fused_group_moved(const rv_fused_group *group, const void *tiles, size_t size,
                                     size_t by);

/* Has a tensor fetched, tile by tile, while the group runs on the tile before. A tile of each
 * tensor is a run of its own, of which a processor does not know the next. */
void rv_fused_group_fetch(rv_fused_group *group, const void *tensor);

/* Gives op i the next `inputs` operands of the group's memory. Call it for the ops in order. */
void rv_fused_group_operands(rv_fused_group *group, int i, int inputs);

#endif
