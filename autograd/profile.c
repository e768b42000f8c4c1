#include "autograd/profile.h"

#include <string.h>

#include "autograd/program/program.h"
#include "autograd/program/fused_group.h"
#include "autograd/tape_internal.h"
#include "tensor/clock_internal.h"
#include "tensor/memory.h"

/* The bytes of memory that a group reads and writes. A tensor counts at most once for reading and
 * once for writing. Tile memory and single elements do not count. */
static double group_bytes(const rv_fused_group *group)
{
    int64_t pieces = 0;
    for (int i = 0; i < group->count; i++) {
        const rv_fused_op *op = &group->op[i];
        pieces += op->out_moves;
        for (int k = 0; k < op->inputs; k++) {
            bool again = !op->in_moves[k];
            for (int j = 0; j <= i && !again; j++) {
                const rv_fused_op *before = &group->op[j];
                again = j < i && before->out_moves && before->out == op->in[k];
                for (int l = 0; l < (j < i ? before->inputs : k) && !again; l++)
                    again = before->in_moves[l] && before->in[l] == op->in[k];
            }
            pieces += !again;
        }
    }
    return (double)(pieces * group->blocks * RV_ALIGNMENT);
}

rv_instruction rv_program_instruction(const rv_program *program, int64_t i)
{
    if (!program || i < 0 || i >= program->count) return (rv_instruction){0};
    const rv_call *call = &program->calls[0][i];
    int32_t first = i ? program->node_end[i - 1] : 0;
    rv_instruction made = {.tape = program->tape,
                           .node = program->node + first,
                           .nodes = program->node_end[i] - first,
                           .threads = call->parts > 1 ? program->threads : 1,
                           .operations = call->operations};
    if (call->run == rv_run_fused_group) {
        made.bytes = group_bytes(call->plan);
        made.operations = (double)made.nodes * (double)rv_shape_count(call->out_type.shape);
        return made;
    }
    made.bytes = (double)rv_type_bytes(&call->out_type);
    for (int k = 0; k < call->inputs; k++) made.bytes += (double)rv_type_bytes(&call->in_type[k]);
    return made;
}

typedef struct timing {
    const rv_program *program;
    rv_span *spans;
} timing;

typedef struct timed_turn {
    rv_span *spans; /* of the lane */
    int thread;
} timed_turn;

/* Runs a call, or one slice of it, and adds the time to its span. */
static void run_call(void *turn, int64_t i, const rv_call *call)
{
    rv_span *span = ((const timed_turn *)turn)->spans + i;
    const int64_t begin = rv_nanoseconds();
    call->run(call);
    const int64_t took = rv_nanoseconds() - begin;
    if (!span->begin) *span = (rv_span){.begin = begin, .end = begin};
    span->end += took;
    span->thread = ((const timed_turn *)turn)->thread;
}

static void run_turn(void *context, int lane, const rv_turn *turn, int thread)
{
    const timing *t = context;
    timed_turn timed = {t->spans + lane * t->program->count, thread};
    rv_program_run_turn(t->program, lane, turn, run_call, &timed);
}

/* Slices of several calls interleave: lays their spans end to end. */
static void lay_out(const rv_program *program, rv_span *spans)
{
    int64_t end = 0;
    for (int64_t i = 0; i < program->count; i++) {
        if (!spans[i].begin) continue;
        if (spans[i].begin < end) spans[i].end += end - spans[i].begin, spans[i].begin = end;
        end = spans[i].end;
    }
}

rv_code rv_run_timed(rv_program *program, rv_span *spans)
{
    if (!program || !spans) return RV_ERROR_ARGUMENT;
    if (!rv_store_enter(program->tape->store, NULL)) return RV_ERROR_BUSY;
    memset(spans, 0, (size_t)(program->threads * program->count) * sizeof *spans);
    timing t = {program, spans};
    if (program->threads > 1)
        rv_thread_pool_run(program->pool,
                           &(rv_job){program->turns, program->turn_count, run_turn, &t});
    else if (program->turns)
        for (int64_t k = 0; k < program->turn_count; k++) run_turn(&t, 0, &program->turns[k], 0);
    else
        run_turn(&t, 0, &(rv_turn){.end = program->count}, 0);
    for (int lane = 0; lane < program->threads && program->slices > 1; lane++)
        lay_out(program, spans + lane * program->count);
    rv_store_leave(program->tape->store);
    return RV_OK;
}
