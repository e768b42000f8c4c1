#include "autograd/program/group.h"

#include "tensor/memory.h"

int64_t rv_blocks(rv_type type)
{
    int64_t per_block = RV_ALIGNMENT / (int64_t)rv_dtype_size(type.dtype);
    return (rv_shape_count(type.shape) + per_block - 1) / per_block;
}

rv_row_plan *rv_row_plan_new(int64_t blocks, int steps, int operands)
{
    size_t s = (size_t)steps, o = (size_t)operands;
    rv_row_plan *plan =
        rv_alloc(1, sizeof *plan + s * sizeof(rv_row_step) + 2 * o * sizeof(void *) + o);
    if (!plan) return NULL;
    plan->blocks = blocks;
    plan->tile = blocks < RV_TILE_BLOCKS ? blocks : RV_TILE_BLOCKS;
    plan->steps = steps;
    plan->step = (rv_row_step *)(plan + 1);
    plan->at = (const void **)(plan->step + s);
    if (steps) {
        plan->step[0].in = plan->at + o;
        plan->step[0].in_moves = (bool *)(plan->step[0].in + o);
    }
    return plan;
}

void rv_row_operands(rv_row_plan *plan, int i, int inputs)
{
    rv_row_step *step = &plan->step[i];
    step->inputs = inputs;
    if (i + 1 == plan->steps) return;
    step[1].in = step->in + inputs;
    step[1].in_moves = step->in_moves + inputs;
}

static const void *moved(const void *at, const void *tiles, size_t size, size_t by)
{
    uintptr_t offset = (uintptr_t)at - (uintptr_t)tiles;
    return offset < size ? (const char *)at + by : at;
}

rv_row_plan *rv_row_plan_moved(const rv_row_plan *plan, const void *tiles, size_t size, size_t by)
{
    int operands = 0;
    for (int i = 0; i < plan->steps; i++) operands += plan->step[i].inputs;
    rv_row_plan *copy = rv_row_plan_new(plan->blocks, plan->steps, operands);
    for (int i = 0; copy && i < plan->steps; i++) {
        const rv_row_step *from = &plan->step[i];
        rv_row_step *to = &copy->step[i];
        rv_row_operands(copy, i, from->inputs);
        to->run = from->run;
        to->scalar = from->scalar;
        to->out_moves = from->out_moves;
        to->out = (void *)(uintptr_t)moved(from->out, tiles, size, by);
        for (int k = 0; k < from->inputs; k++) {
            to->in[k] = moved(from->in[k], tiles, size, by);
            to->in_moves[k] = from->in_moves[k];
        }
    }
    return copy;
}

static void run_tile(const rv_row_plan *plan, int64_t first, int64_t blocks)
{
    for (int s = 0; s < plan->steps; s++) {
        const rv_row_step *step = &plan->step[s];
        size_t offset = (size_t)first * RV_ALIGNMENT;
        for (int k = 0; k < step->inputs; k++)
            plan->at[k] = (const char *)step->in[k] + (step->in_moves[k] ? offset : 0);
        step->run(blocks, (char *)step->out + (step->out_moves ? offset : 0), plan->at,
                  step->inputs, step->scalar);
    }
}

void rv_run_rows(const rv_call *call)
{
    const rv_row_plan *plan = call->plan;
    if (plan->blocks == plan->tile && call->parts == 1) {
        const rv_row_step *end = plan->step + plan->steps;
        for (const rv_row_step *step = plan->step; step < end; step++)
            step->run(plan->blocks, step->out, step->in, step->inputs, step->scalar);
        return;
    }
    int64_t first, last;
    rv_call_range(call, plan->blocks, &first, &last);
    for (; first + plan->tile <= last; first += plan->tile) run_tile(plan, first, plan->tile);
    if (first < last) run_tile(plan, first, last - first);
}
