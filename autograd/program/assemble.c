/* Assembly: turns the scheduled and planned nodes into kernel calls with addresses. */
#include <string.h>

#include "autograd/passes/passes.h"
#include "autograd/program/program.h"
#include "autograd/program/fused_group.h"
#include "autograd/tape_internal.h"
#include "tensor/memory.h"

typedef struct assembly {
    rv_program *program;
    rv_tape *tape;
    const bool *live;
    unsigned flags;
    rv_schedule schedule;
    rv_plan plan;
    int64_t instructions; /* in the schedule: a node or a group each */
    size_t operand;       /* next free operand */
    int32_t emitted;      /* number of nodes emitted so far */
} assembly;

/* ---- choosing kernels ---- */

static bool is_fused(const rv_op *op, unsigned flags)
{
    return op->pointwise && !(flags & RV_REFERENCE);
}

static rv_kernel prepare_pointwise(rv_call *call, const rv_op *op)
{
    rv_fused_group *group = rv_fused_group_new(rv_blocks(call->out_type), 1, call->inputs);
    if (!group) return NULL;
    call->plan = group;
    rv_fused_group_operands(group, 0, call->inputs);
    group->op[0].run = op->pointwise(call->out_type.dtype);
    return rv_run_fused_group;
}

bool rv_call_prepare(rv_call *call, const rv_op *op, const void *attr, const rv_type *in,
                     int inputs, rv_type out, unsigned flags, rv_error *error)
{
    *call = (rv_call){.attr = attr, .in_type = in, .inputs = inputs, .out_type = out, .parts = 1};
    bool fast = (op->pointwise || op->select) && !(flags & RV_REFERENCE);
    call->run = !fast           ? op->reference
                : op->pointwise ? prepare_pointwise(call, op)
                                : op->select(call);
    if (call->run) return true;
    if (fast) return rv_fail_memory(error);
    return rv_fail(error, RV_ERROR_ARGUMENT, "%s: has no kernel; give its descriptor a reference",
                   op->name);
}

void rv_call_bind(rv_call *call, void *out, const void *const *in)
{
    call->out = out;
    call->in = in;
    if (call->run != rv_run_fused_group) return;
    rv_fused_op *op = ((const rv_fused_group *)call->plan)->op;
    op->out = out;
    op->out_moves = true;
    for (int k = 0; k < call->inputs; k++) {
        op->in[k] = in[k];
        op->in_moves[k] = true;
    }
}

/* Selects the kernels. This comes before planning, because the plan needs their scratch sizes. */
static bool prepare_calls(assembly *a)
{
    rv_type *types = a->program->operand_types;
    rv_call *call = a->program->calls[0];
    for (int32_t at = 0; at < a->schedule.count; at = a->schedule.last[at] + 1, call++) {
        const rv_node *node = &a->tape->nodes[a->schedule.id[at]];
        if (is_fused(node->op, a->flags)) continue;
        for (int k = 0; k < node->inputs; k++) types[k] = a->tape->nodes[node->in[k]].type;
        if (!rv_call_prepare(call, node->op, node->attr, types, node->inputs, node->type, a->flags,
                             &a->tape->error))
            return false;
        types += node->inputs;
        if (node->op->in_place & ~call->sliced)
            call->most_parts = 0; /* a part could read what another part has overwritten */
        if (a->plan.scratch_bytes < call->scratch_size) a->plan.scratch_bytes = call->scratch_size;
    }
    return true;
}

/* The work of an instruction, which starts at index `at` of the schedule. */
static rv_work work_of(const assembly *a, int32_t at, const rv_call *call)
{
    const rv_node *node = &a->tape->nodes[a->schedule.id[at]];
    if (is_fused(node->op, a->flags))
        return rv_work_of_group(&node->type, a->schedule.last[at] - at + 1);
    return rv_work_of_call(call);
}

/* Cuts the instructions into parts. The cutter sees all of them before it decides on any. */
static void cut_work(assembly *a)
{
    rv_cutting c = {.threads = a->program->threads, .flags = a->flags};
    const rv_schedule *s = &a->schedule;
    const rv_call *call = a->program->calls[0];
    for (int32_t at = 0; at < s->count; at = s->last[at] + 1) {
        rv_work work = work_of(a, at, call++);
        rv_cutting_see(&c, &work);
    }
    rv_cutting_done(&c);
    bool cut = false;
    call = a->program->calls[0];
    for (int32_t at = 0; at < s->count; at = s->last[at] + 1) {
        rv_work work = work_of(a, at, call++);
        s->parts[at] = rv_cutting_parts(&c, &work);
        cut = cut || s->parts[at] > 1;
    }
    a->program->threads = cut ? c.threads : 1;
    a->program->slices = cut ? c.slices : 1;
}

/* ---- addresses ---- */

static void *address(const assembly *a, int32_t id)
{
    const rv_storage *storage = &a->plan.storage[id];
    return storage->kind == RV_STORAGE_STORE ? storage->entry->tensor.data
                                             : a->program->arena + storage->offset;
}

static rv_tensor tensor_at(const assembly *a, int32_t id)
{
    const rv_type *type = &a->tape->nodes[id].type;
    return (rv_tensor){type->dtype, type->shape, address(a, id)};
}

static void write_constants(assembly *a)
{
    for (int32_t id = 0; id < a->tape->count; id++) {
        bool uniform;
        const void *data = rv_constant_data(&a->tape->nodes[id], &uniform);
        if (!data || !a->live[id]) continue;
        rv_tensor to = tensor_at(a, id);
        if (a->plan.storage[id].single) to.shape = RV_SCALAR;
        size_t size = rv_dtype_size(to.dtype), bytes = rv_tensor_bytes(&to);
        for (size_t at = 0; at < bytes; at += uniform ? size : bytes)
            memcpy((char *)to.data + at, data, uniform ? size : bytes);
    }
}

/* ---- calls ---- */

/* The program's next call, which computes `count` nodes or carries out an assignment. */
static rv_call *emit(assembly *a, const int32_t *nodes, int32_t count)
{
    rv_program *program = a->program;
    memcpy(program->node + a->emitted, nodes, (size_t)count * sizeof *nodes);
    a->emitted += count;
    program->node_end[program->count] = a->emitted;
    return &program->calls[0][program->count++];
}

static void emit_node(assembly *a, int32_t at)
{
    int32_t id = a->schedule.id[at];
    const rv_node *node = &a->tape->nodes[id];
    rv_call *call = emit(a, &id, 1);
    call->out = address(a, id);
    call->scratch = a->program->arena + a->plan.scratch;
    call->parts = a->schedule.parts[at];
    call->in = a->program->operands + a->operand;
    for (int k = 0; k < node->inputs; k++)
        a->program->operands[a->operand++] = address(a, node->in[k]);
}

/* Sets an operand of a group: tile memory, a single element, or a tensor that advances with the
 * tiles. */
static void set_operand(const assembly *a, int32_t id, size_t tiles, const void **at, bool *moves,
                        bool *single)
{
    const rv_storage *storage = &a->plan.storage[id];
    *single = storage->single;
    *moves = !storage->single && storage->kind != RV_STORAGE_TILE;
    *at = (const char *)address(a, id) + (storage->kind == RV_STORAGE_TILE ? tiles : 0);
}

static bool emit_group(assembly *a, int32_t first, int32_t last)
{
    const int32_t *id = a->schedule.id;
    int operands = 0;
    for (int32_t at = first; at <= last; at++) operands += a->tape->nodes[id[at]].inputs;
    rv_type type = a->tape->nodes[id[first]].type;
    rv_fused_group *group = rv_fused_group_new(rv_blocks(type), last - first + 1, operands);
    if (!group) return rv_fail_memory(&a->tape->error);
    size_t tiles = a->plan.scratch;
    for (int32_t at = first; at <= last; at++) {
        const rv_node *node = &a->tape->nodes[id[at]];
        rv_fused_op *op = &group->op[at - first];
        const void *out;
        bool single;
        op->run = node->op->pointwise(node->type.dtype);
        rv_fused_group_operands(group, at - first, node->inputs);
        set_operand(a, id[at], tiles, &out, &op->out_moves, &single);
        op->out = (void *)(uintptr_t)out;
        for (int k = 0; k < node->inputs; k++) {
            set_operand(a, node->in[k], tiles, &op->in[k], &op->in_moves[k], &single);
            if (single) op->scalar |= 1u << k;
        }
    }
    *emit(a, id + first, last - first + 1) = (rv_call){.run = rv_run_fused_group,
                                                       .plan = group,
                                                       .out_type = type,
                                                       .out = group->op[0].out,
                                                       .scratch = a->program->arena + tiles,
                                                       .scratch_size = a->plan.scratch_bytes,
                                                       .parts = a->schedule.parts[first]};
    return true;
}

static bool emit_values(assembly *a)
{
    bool ok = true;
    for (int32_t at = 0; ok && at < a->schedule.count; at = a->schedule.last[at] + 1) {
        int32_t id = a->schedule.id[at];
        if (is_fused(a->tape->nodes[id].op, a->flags))
            ok = emit_group(a, at, a->schedule.last[at]);
        else
            emit_node(a, at);
    }
    return ok;
}

static void emit_copy(assembly *a, int32_t effect, void *to, const void *from)
{
    const rv_type *type = &a->tape->nodes[effect].type;
    if (to == from) return;
    const void **in = a->program->operands + a->operand++;
    *in = from;
    *emit(a, &effect, 1) = (rv_call){.run = rv_copy_bytes,
                                     .out = to,
                                     .in = in,
                                     .in_type = type,
                                     .out_type = *type,
                                     .inputs = 1,
                                     .parts = 1};
}

static void emit_assignments(assembly *a)
{
    for (int pass = 0; pass < 2; pass++) /* first take all snapshots, then overwrite */
        for (size_t i = 0; i < a->tape->effects.count; i++) {
            int32_t id = a->tape->effects.id[i];
            if (!a->live[id]) continue;
            const rv_node *node = &a->tape->nodes[id];
            size_t snapshot = a->plan.snapshot[id];
            void *safe = a->program->arena + snapshot - (snapshot ? 1 : 0);
            const void *value = address(a, node->in[1]);
            if (pass == 0 && snapshot) emit_copy(a, id, safe, value);
            if (pass == 1) emit_copy(a, id, node->entry->tensor.data, snapshot ? safe : value);
        }
}

/* ---- the lanes ---- */

/* Whether the lane has call i, or a part of it. */
static bool has(const rv_program *program, int lane, size_t i)
{
    return program->calls[0][i].parts > 1 || program->lane[i] == lane;
}

/* Copies the calls of lane 0 for another lane, with its own part numbers and scratch. */
static bool copy_calls(rv_program *program, int lane, size_t scratch_bytes)
{
    size_t count = (size_t)program->count, by = (size_t)lane * scratch_bytes;
    rv_call *calls = program->calls[lane] = rv_alloc(count + 1, sizeof *calls);
    bool ok = calls;
    if (ok) memcpy(calls, program->calls[0], count * sizeof *calls);
    for (size_t i = 0; calls && i < count; i++) {
        rv_call *call = &calls[i];
        if (!has(program, lane, i)) continue;
        call->part = call->parts > 1 ? lane : 0;
        if (call->run == rv_run_fused_group) {
            const rv_fused_group *group = call->plan;
            call->plan = ok ? rv_fused_group_moved(group, call->scratch, scratch_bytes, by) : NULL;
            ok = ok && call->plan;
        }
        if (call->scratch) call->scratch = (char *)call->scratch + by;
    }
    return ok;
}

/* Copies the calls of lane 0 for one thread without others, which cuts them into slices alone. */
static bool copy_alone(rv_program *program)
{
    size_t count = (size_t)program->count;
    rv_call *calls = program->alone = rv_alloc(count + 1, sizeof *calls);
    if (!calls) return false;
    memcpy(calls, program->calls[0], count * sizeof *calls);
    for (size_t i = 0; i < count; i++)
        if (calls[i].parts <= program->threads) calls[i].parts = 1;
    return true;
}

/* ---- what groups fetch ---- */

static bool group_touches(const rv_fused_group *group, const void *at)
{
    for (int i = 0; i < group->count; i++) {
        const rv_fused_op *op = &group->op[i];
        if (op->out == at) return true;
        for (int k = 0; k < op->inputs; k++)
            if (op->in[k] == at) return true;
    }
    return false;
}

/* Whether one of the calls first .. end-1 reads or writes the tensor. */
static bool is_touched(const rv_call *calls, int64_t first, int64_t end, const void *at)
{
    for (int64_t i = first; i < end; i++) {
        const rv_call *call = &calls[i];
        bool fused = call->run == rv_run_fused_group;
        if (fused && group_touches(call->plan, at)) return true;
        if (call->out == at) return true;
        for (int k = 0; k < call->inputs && !fused; k++)
            if (call->in[k] == at) return true;
    }
    return false;
}

/* What a group fetches: the tensors that no call since the last barrier has brought to the cache, of
 * a sliced group; those that none of the last few calls has, of a group of large tensors. (A group
 * of few ops reads its tensors nearly without interruption, as processors foresee.) */
static void find_far(const rv_program *program)
{
    enum { FEWEST_OPS = 4, LARGE = (64 << 10) / RV_ALIGNMENT, LOOKS = 6 };
    const rv_call *calls = program->calls[0];
    int64_t barrier = 0;
    for (int64_t i = 0; i < program->count; i++) {
        if (program->barrier[i]) barrier = i;
        if (calls[i].run != rv_run_fused_group) continue;
        rv_fused_group *group = (rv_fused_group *)(uintptr_t)calls[i].plan;
        const bool sliced = calls[i].parts > program->threads;
        if (group->count < FEWEST_OPS || (!sliced && group->blocks < LARGE)) continue;
        const int64_t since = sliced ? barrier : i < LOOKS ? 0 : i - LOOKS;
        for (int j = 0; j < group->count; j++) {
            const rv_fused_op *op = &group->op[j];
            for (int k = 0; k < op->inputs; k++)
                if (op->in_moves[k] && !is_touched(calls, since, i, op->in[k]))
                    rv_fused_group_fetch(group, op->in[k]);
            if (op->out_moves && !is_touched(calls, since, i, op->out))
                rv_fused_group_fetch(group, op->out);
        }
    }
}

static bool divide_calls(rv_program *program, size_t scratch_bytes)
{
    program->alone = program->calls[0];
    const bool whole = program->threads * program->slices == 1;
    bool ok = whole || rv_pass_partition(program->calls[0], program->count, program->threads,
                                         program->barrier, program->lane);
    if (ok) find_far(program);
    if (whole) return true;
    for (int lane = 1; ok && lane < program->threads; lane++)
        ok = copy_calls(program, lane, scratch_bytes);
    if (program->threads > 1) ok = ok && copy_alone(program);
    return ok && rv_pass_turns(program->calls[0], program->count, program->threads, program->slices,
                               program->barrier, &program->turns, &program->turn_count);
}

void rv_program_free_calls(rv_program *program)
{
    if (program->calls && program->alone != program->calls[0]) rv_free(program->alone);
    for (int lane = program->threads - 1; program->calls && lane >= 0; lane--) {
        rv_call *calls = program->calls[lane];
        for (int64_t i = 0; calls && i < program->count; i++)
            if (lane == 0 || (calls[i].run == rv_run_fused_group && has(program, lane, (size_t)i)))
                rv_free((void *)(uintptr_t)calls[i].plan);
        rv_free(calls);
    }
    rv_free(program->calls);
}

/* ---- the whole program ---- */

/* Room for what the schedule and the assignments need, each of which may be two copies. */
static bool make_room(assembly *a, int count)
{
    rv_program *program = a->program;
    const rv_schedule *s = &a->schedule;
    const size_t copies = 2 * a->tape->effects.count, nodes = (size_t)s->count + copies + 1;
    size_t operands = copies + 1;
    for (int32_t at = 0; at < s->count; at = s->last[at] + 1, a->instructions++) {
        const rv_node *node = &a->tape->nodes[s->id[at]];
        if (!is_fused(node->op, a->flags)) operands += (size_t)node->inputs;
    }
    const size_t calls = (size_t)a->instructions + copies + 1;
    program->calls = rv_alloc((size_t)program->threads, sizeof *program->calls);
    if (program->calls) program->calls[0] = rv_alloc(calls, sizeof *program->calls[0]);
    program->barrier = rv_alloc(calls, sizeof *program->barrier);
    program->lane = rv_alloc(calls, sizeof *program->lane);
    program->node = rv_alloc(nodes, sizeof *program->node);
    program->node_end = rv_alloc(calls, sizeof *program->node_end);
    program->operands = rv_alloc(operands, sizeof *program->operands);
    program->operand_types = rv_alloc(operands, sizeof *program->operand_types);
    program->outputs = rv_alloc((size_t)count + 1, sizeof *program->outputs);
    program->inputs = rv_alloc(a->tape->inputs.count + 1, sizeof *program->inputs);
    return (program->calls && program->calls[0] && program->barrier && program->lane &&
            program->node && program->node_end && program->operands && program->operand_types &&
            program->outputs && program->inputs) ||
           rv_fail_memory(&a->tape->error);
}

static bool lay_out(assembly *a, const int32_t *outputs, int count)
{
    if (!rv_plan_new(a->tape, &a->plan)) return rv_fail_memory(&a->tape->error);
    rv_pass_single(a->tape, a->live, outputs, count, a->flags, a->plan.storage);
    if (!rv_pass_schedule(a->tape, a->live, a->plan.storage, a->flags, &a->schedule) ||
        !make_room(a, count) || !prepare_calls(a))
        return false;
    cut_work(a);
    if (!rv_pass_plan(a->tape, a->live, outputs, count, &a->schedule, a->program->threads, a->flags,
                      &a->plan))
        return false;
    a->program->arena = rv_alloc(1, a->plan.arena_bytes);
    return a->program->arena || rv_fail_memory(&a->tape->error);
}

bool rv_program_assemble(rv_program *program, const bool *live, const int32_t *outputs, int count,
                         unsigned flags)
{
    assembly a = {.program = program, .tape = program->tape, .live = live, .flags = flags};
    bool ok = lay_out(&a, outputs, count);
    if (ok) {
        write_constants(&a);
        ok = emit_values(&a);
    }
    if (ok) {
        emit_assignments(&a);
        ok = divide_calls(program, a.plan.scratch_bytes) || rv_fail_memory(&a.tape->error);
    }
    if (ok) {
        program->output_count = count;
        for (int i = 0; i < count; i++) program->outputs[i] = tensor_at(&a, outputs[i]);
        for (size_t i = 0; i < a.tape->inputs.count; i++)
            program->inputs[i] = tensor_at(&a, a.tape->inputs.id[i]);
        program->arena_bytes = a.plan.arena_bytes;
        program->live_bytes = a.plan.live_bytes;
    }
    if (!ok && program->calls && program->calls[0]) /* those prepared, but not counted yet */
        for (int64_t i = program->count; i < a.instructions; i++)
            rv_free((void *)(uintptr_t)program->calls[0][i].plan);
    rv_schedule_free(&a.schedule);
    rv_plan_free(&a.plan);
    return ok;
}
