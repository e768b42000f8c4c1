#include "autograd/program/fused_group.h"

#include "tensor/memory.h"

int64_t rv_blocks(rv_type type)
{
    int64_t per_block = RV_ALIGNMENT / (int64_t)rv_dtype_size(type.dtype);
    return (rv_shape_count(type.shape) + per_block - 1) / per_block;
}

rv_fused_group *rv_fused_group_new(int64_t blocks, int count, int operands)
{
    size_t n = (size_t)count, o = (size_t)operands;
    rv_fused_group *group =
        rv_alloc(1, sizeof *group + n * sizeof(rv_fused_op) + (n + 3 * o) * sizeof(void *) + o);
    if (!group) return NULL;
    group->blocks = blocks;
    /* a single op keeps nothing in the cache for another */
    group->tile = count == 1 || blocks < RV_TILE_BLOCKS ? blocks : RV_TILE_BLOCKS;
    group->count = count;
    group->op = (rv_fused_op *)(group + 1);
    group->at = (const void **)(group->op + n);
    group->far = group->at + o;
    if (count) {
        group->op[0].in = group->far + n + o;
        group->op[0].in_moves = (bool *)(group->op[0].in + o);
    }
    return group;
}

void rv_fused_group_operands(rv_fused_group *group, int i, int inputs)
{
    rv_fused_op *op = &group->op[i];
    op->inputs = inputs;
    if (i + 1 == group->count) return;
    op[1].in = op->in + inputs;
    op[1].in_moves = op->in_moves + inputs;
}

void rv_fused_group_fetch(rv_fused_group *group, const void *tensor)
{
    for (int i = 0; i < group->fars; i++)
        if (group->far[i] == tensor) return;
    group->far[group->fars++] = tensor;
    if (group->tile > RV_FAR_TILE_BLOCKS) group->tile = RV_FAR_TILE_BLOCKS;
}

static const void *moved(const void *at, const void *tiles, size_t size, size_t by)
{
    uintptr_t offset = (uintptr_t)at - (uintptr_t)tiles;
    return offset < size ? (const char *)at + by : at;
}

rv_fused_group *rv_fused_group_moved(const rv_fused_group *group, const void *tiles, size_t size,
                                     size_t by)
{
    int operands = 0;
    for (int i = 0; i < group->count; i++) operands += group->op[i].inputs;
    rv_fused_group *copy = rv_fused_group_new(group->blocks, group->count, operands);
    for (int i = 0; copy && i < group->count; i++) {
        const rv_fused_op *from = &group->op[i];
        rv_fused_op *to = &copy->op[i];
        rv_fused_group_operands(copy, i, from->inputs);
        to->run = from->run;
        to->scalar = from->scalar;
        to->out_moves = from->out_moves;
        to->out = (void *)(uintptr_t)moved(from->out, tiles, size, by);
        for (int k = 0; k < from->inputs; k++) {
            to->in[k] = moved(from->in[k], tiles, size, by);
            to->in_moves[k] = from->in_moves[k];
        }
    }
    for (int i = 0; copy && i < group->fars; i++) rv_fused_group_fetch(copy, group->far[i]);
    return copy;
}

/* Fetches blocks first .. end-1 of op i's share of the far tensors into the second-level cache. */
static void fetch(const rv_fused_group *group, int i, int64_t first, int64_t end)
{
    for (int k = group->fars * i / group->count; k < group->fars * (i + 1) / group->count; k++)
        for (int64_t b = first; b < end; b++)
            __builtin_prefetch((const char *)group->far[k] + b * RV_ALIGNMENT, 0, 2);
}

/* Runs the tile at block `first` of those that end before `last`. */
static void run_tile(const rv_fused_group *group, int64_t first, int64_t blocks, int64_t last)
{
    int64_t next = first + blocks, rest = last - next;
    for (int i = 0; i < group->count; i++) {
        const rv_fused_op *op = &group->op[i];
        size_t offset = (size_t)first * RV_ALIGNMENT;
        for (int k = 0; k < op->inputs; k++)
            group->at[k] = (const char *)op->in[k] + (op->in_moves[k] ? offset : 0);
        if (group->fars) fetch(group, i, next, next + (rest < blocks ? rest : blocks));
        op->run(blocks, (char *)op->out + (op->out_moves ? offset : 0), group->at, op->inputs,
                op->scalar);
    }
}

void rv_run_fused_group(const rv_call *call)
{
    const rv_fused_group *group = call->plan;
    if (group->blocks == group->tile && call->parts == 1) {
        const rv_fused_op *end = group->op + group->count;
        for (const rv_fused_op *op = group->op; op < end; op++)
            op->run(group->blocks, op->out, op->in, op->inputs, op->scalar);
        return;
    }
    int64_t first, last;
    rv_call_range(call, group->blocks, &first, &last);
    for (; first + group->tile <= last; first += group->tile)
        run_tile(group, first, group->tile, last);
    if (first < last) run_tile(group, first, last - first, last);
}
