#include "autograd/rows.h"

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
    const rv_row_step *end = plan->step + plan->steps;
    if (plan->blocks == plan->tile) {
        for (const rv_row_step *step = plan->step; step < end; step++)
            step->run(plan->blocks, step->out, step->in, step->inputs, step->scalar);
        return;
    }
    int64_t first = 0;
    for (; first + plan->tile <= plan->blocks; first += plan->tile)
        run_tile(plan, first, plan->tile);
    if (first < plan->blocks) run_tile(plan, first, plan->blocks - first);
}
