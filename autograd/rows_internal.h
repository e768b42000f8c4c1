/* Pointwise ops run as rows: several ops, one after the other, on a tile of elements that stays in the
 * nearest cache, then the next tile. */
#ifndef RV_AUTOGRAD_ROWS_INTERNAL_H
#define RV_AUTOGRAD_ROWS_INTERNAL_H

#include "autograd/op.h"

/* One op of a group. */
typedef struct rv_row_step {
    rv_row run;
    void *out;
    const void **in;
    int inputs;
    unsigned scalar; /* bit k: in[k] is one element */
    bool out_moves;  /* out goes on with the tiles; else it is the tile's own memory */
    bool *in_moves;  /* likewise in[k] */
} rv_row_step;

typedef struct rv_row_plan {
    int64_t blocks; /* of the whole tensors */
    int64_t tile;   /* blocks done at once */
    int steps;
    rv_row_step *step;
    const void **at; /* room for the operands of a tile */
} rv_row_plan;

enum {
    RV_TILE_BLOCKS = 64, /* 4 KiB an operand */
    RV_GROUP_MOST = 64   /* ops in a group */
};

/* Blocks of a tensor. */
int64_t rv_blocks(rv_type type);

/* A kernel for call->plan, an rv_row_plan. */
void rv_run_rows(const rv_call *call);

/* A plan for so many steps with so many operands in all, in one piece of memory (rv_free); step[i].in
 * and in_moves are left to be set by rv_row_operands. NULL without memory. */
rv_row_plan *rv_row_plan_new(int64_t blocks, int steps, int operands);

/* The same plan for another part: what it has in the `size` bytes at `tiles` lies `by` bytes further on. */
rv_row_plan *rv_row_plan_moved(const rv_row_plan *plan, const void *tiles, size_t size, size_t by);

/* The next `inputs` operands of the plan's memory for step i; steps must be set in order. */
void rv_row_operands(rv_row_plan *plan, int i, int inputs);

#endif
