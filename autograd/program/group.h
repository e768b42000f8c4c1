/* Groups of fused pointwise ops. A group runs all its ops on one tile of elements, which stays in
 * the first-level cache, then on the next tile. */
#ifndef RV_AUTOGRAD_PROGRAM_GROUP_H
#define RV_AUTOGRAD_PROGRAM_GROUP_H

#include "autograd/op.h"

/* One op of a group. */
typedef struct rv_row_step {
    rv_row run;
    void *out;
    const void **in;
    int inputs;
    unsigned scalar; /* bit k: in[k] is one element */
    bool out_moves;  /* out advances with the tiles; else it is memory that every tile reuses */
    bool *in_moves;  /* the same for in[k] */
} rv_row_step;

typedef struct rv_row_plan {
    int64_t blocks; /* of the whole tensors */
    int64_t tile;   /* blocks per tile */
    int steps;
    rv_row_step *step;
    const void **at; /* scratch for the operand addresses of an op on one tile */
} rv_row_plan;

enum {
    RV_TILE_BLOCKS = 64, /* 4 KiB per operand */
    RV_GROUP_MOST = 64   /* ops per group */
};

/* The number of blocks of a tensor. */
int64_t rv_blocks(rv_type type);

/* The kernel of a group. call->plan is an rv_row_plan. */
void rv_run_rows(const rv_call *call);

/* Makes a plan for `steps` ops with `operands` inputs in total, in one allocation (rv_free).
 * rv_row_operands sets step[i].in and in_moves. Returns NULL when out of memory. */
rv_row_plan *rv_row_plan_new(int64_t blocks, int steps, int operands);

/* Copies a plan for another thread: operands within the `size` bytes at `tiles` move by `by` bytes.
 * NULL when out of memory. */
rv_row_plan *rv_row_plan_moved(const rv_row_plan *plan, const void *tiles, size_t size, size_t by);

/* Gives step i the next `inputs` operands of the plan's memory. Call it for the steps in order. */
void rv_row_operands(rv_row_plan *plan, int i, int inputs);

#endif
