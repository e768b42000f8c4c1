/* Memory plan: each value gets a buffer that lives until its last reader, and all buffers are
 * packed into one arena. Ops that allow it work in place. A value that is assigned to a parameter
 * is computed directly in the parameter's memory if nothing reads the old value any more. */
#include <string.h>

#include "autograd/passes/pack.h"
#include "autograd/passes/passes.h"
#include "autograd/program/fused_group.h"
#include "autograd/tape_internal.h"
#include "tensor/memory.h"

/* ---- values stored as one element ---- */

void rv_pass_single(const rv_tape *tape, const bool *live, const int32_t *outputs, int count,
                    unsigned flags, rv_storage *storage)
{
    for (int32_t id = 0; id < tape->count && !(flags & RV_REFERENCE); id++) {
        const rv_node *node = &tape->nodes[id];
        bool uniform = false;
        bool repeats = node->op->kind == RV_OP_VALUE && node->op->rearranges && node->inputs == 1 &&
                       rv_shape_count(tape->nodes[node->in[0]].type.shape) == 1;
        storage[id].single = repeats || (rv_constant_data(node, &uniform) && uniform);
        for (int k = 0; live[id] && k < node->inputs; k++)
            if (!node->op->pointwise || k >= 32) storage[node->in[k]].single = false;
    }
    for (int i = 0; i < count; i++) storage[outputs[i]].single = false;
}

/* ---- lifetimes, in positions of the schedule ---- */

typedef struct planner {
    const rv_tape *tape;
    const bool *live;
    const rv_schedule *schedule;
    unsigned flags;
    rv_plan *plan;
    int32_t *owner; /* [nodes] the node whose memory this one uses: itself, or a view's source */
    int32_t *last;  /* [nodes] of an owner: its last reader; schedule->count: the end of the run */
    rv_buffer *buffer; /* [buffers]; until `pack`, an arena offset is 1 + the index of a buffer */
    int32_t buffers;
} planner;

static size_t round_up(size_t size)
{
    return (size + RV_ALIGNMENT - 1) & ~(size_t)(RV_ALIGNMENT - 1);
}

static size_t bytes_of(const planner *p, int32_t id)
{
    const rv_type *type = &p->tape->nodes[id].type;
    int64_t count = p->plan->storage[id].single ? 1 : rv_shape_count(type->shape);
    return round_up((size_t)count * rv_dtype_size(type->dtype));
}

static bool is_leaf(const planner *p, int32_t id)
{
    return p->tape->nodes[id].op->kind == RV_OP_LEAF;
}

/* Whether a node uses its input's memory and does not run. */
static bool is_view(const planner *p, int32_t id)
{
    const rv_op *op = p->tape->nodes[id].op;
    return p->schedule->position[id] < 0 && (op->kind == RV_OP_VIEW || op->kind == RV_OP_VALUE);
}

static void read_at(planner *p, int32_t id, int32_t position)
{
    int32_t owner = p->owner[id];
    if (p->last[owner] < position) p->last[owner] = position;
}

static void find_lifetimes(planner *p, const int32_t *outputs, int count)
{
    const rv_tape *tape = p->tape;
    const int32_t end = p->schedule->count;
    for (int32_t id = 0; id < tape->count; id++) {
        const rv_node *node = &tape->nodes[id];
        int32_t position = p->schedule->position[id];
        p->owner[id] = p->live[id] && is_view(p, id) ? p->owner[node->in[0]] : id;
        p->last[id] = is_leaf(p, id) ? end : position;
        if (p->live[id] && node->op->kind == RV_OP_EFFECT)
            read_at(p, node->in[1], end); /* the value; the target is only written */
        for (int k = 0; position >= 0 && k < node->inputs; k++) read_at(p, node->in[k], position);
    }
    for (int i = 0; i < count; i++) read_at(p, outputs[i], end);
}

/* The last position that reads a parameter's old value, or -1. */
static void find_parameter_reads(const planner *p, const int32_t *outputs, int count,
                                 int32_t *reads)
{
    const rv_tape *tape = p->tape;
    const int32_t end = p->schedule->count;
    for (int32_t id = 0; id < tape->count; id++) reads[id] = -1;
    for (int32_t id = 0; id < tape->count; id++) {
        const rv_node *node = &tape->nodes[id];
        int32_t position = p->schedule->position[id];
        if (p->live[id] && node->op->kind == RV_OP_EFFECT) reads[p->owner[node->in[1]]] = end;
        for (int k = 0; position >= 0 && k < node->inputs; k++) {
            int32_t *read = &reads[p->owner[node->in[k]]];
            if (*read < position) *read = position;
        }
    }
    for (int i = 0; i < count; i++) reads[p->owner[outputs[i]]] = end;
}

/* ---- placement ---- */

/* Whether node `id` may overwrite the memory of `owner`: the op works in place on every input that
 * lies there. Reads by earlier members of the group are safe, because a group runs tile by tile. */
static bool overwrites(const planner *p, int32_t id, int32_t owner)
{
    const rv_node *node = &p->tape->nodes[id];
    for (int k = 0; k < node->inputs; k++)
        if (p->owner[node->in[k]] == owner &&
            (k >= 32 || !(node->op->in_place >> k & 1) || p->plan->storage[node->in[k]].single))
            return false;
    return true;
}

/* Places assigned values in the store where the old value is not read afterwards. */
static bool place_in_store(planner *p, const int32_t *outputs, int count)
{
    const rv_tape *tape = p->tape;
    int32_t *reads = rv_alloc((size_t)tape->count + 1, sizeof *reads);
    if (!reads) return false;
    find_parameter_reads(p, outputs, count, reads);
    for (size_t i = 0; i < tape->effects.count; i++) {
        int32_t effect = tape->effects.id[i];
        if (!p->live[effect]) continue;
        int32_t target = tape->nodes[effect].in[0], value = p->owner[tape->nodes[effect].in[1]];
        int32_t position = p->schedule->position[value];
        rv_storage *storage = &p->plan->storage[value];
        if (position < 0 || storage->kind == RV_STORAGE_STORE) continue;
        if (reads[target] < position || (reads[target] == position && overwrites(p, value, target)))
            *storage = (rv_storage){
                .kind = RV_STORAGE_STORE, .entry = tape->nodes[effect].entry, .owner = true};
    }
    rv_free(reads);
    return true;
}

static bool can_take_over(const planner *p, int32_t id, int32_t owner)
{
    return p->plan->storage[owner].kind == RV_STORAGE_ARENA &&
           bytes_of(p, owner) == bytes_of(p, id);
}

/* A value whose memory node `id` can take over, or -1: an input that dies here, if the op works in
 * place, or a value whose last reader is an earlier member of the group. */
static int32_t dying_value(const planner *p, int32_t id)
{
    const rv_schedule *s = p->schedule;
    const int32_t position = s->position[id], first = s->first[position];
    for (int32_t at = position; at >= first; at--) {
        const rv_node *node = &p->tape->nodes[s->id[at]];
        for (int k = 0; k < node->inputs && k < 32; k++) {
            int32_t owner = p->owner[node->in[k]], last = p->last[owner];
            bool dead = last >= first && last < position;
            bool dies = at == position && last == position && node->op->in_place >> k & 1;
            if ((dead || (dies && overwrites(p, id, owner))) && can_take_over(p, id, owner))
                return owner;
        }
    }
    return -1;
}

/* Makes a buffer that lives from one position of the schedule to another; returns 1 + its index. */
static size_t new_buffer(planner *p, size_t size, int32_t first, int32_t last)
{
    p->buffer[p->buffers++] = (rv_buffer){.size = size, .first = first, .last = last};
    return (size_t)p->buffers;
}

/* A group runs tile by tile, so the buffers of all members begin, and those they read end, at its
 * first position. */
static void place_arena(planner *p, int32_t id)
{
    const rv_schedule *s = p->schedule;
    int32_t moment = is_leaf(p, id) ? 0 : s->first[s->position[id]];
    rv_storage *storage = &p->plan->storage[id];
    int32_t from = p->flags & RV_IN_PLACE && !is_leaf(p, id) ? dying_value(p, id) : -1;
    storage->kind = RV_STORAGE_ARENA;
    storage->offset = from >= 0 ? p->plan->storage[from].offset
                                : new_buffer(p, bytes_of(p, id), moment, s->count);
    storage->owner = true;
    if (from >= 0) p->last[from] = -1; /* so that it is not released: the memory has a new owner */
}

static void place_view(planner *p, int32_t id)
{
    bool single = p->plan->storage[id].single;
    p->plan->storage[id] = p->plan->storage[p->owner[id]];
    p->plan->storage[id].owner = false;
    p->plan->storage[id].single = single;
}

static void release(planner *p, int32_t owner, int32_t moment)
{
    const rv_storage *storage = &p->plan->storage[owner];
    p->last[owner] = -1; /* released only once */
    if (storage->kind == RV_STORAGE_ARENA && p->flags & RV_REUSE)
        p->buffer[storage->offset - 1].last = moment;
}

/* Values that only their group reads get a tile in the lane's scratch; disjoint lifetimes share
 * one. */
static void place_tiles(planner *p, int32_t first, int32_t last)
{
    const rv_schedule *s = p->schedule;
    int32_t busy_until[RV_GROUP_MOST]; /* [slots] the last reader of the value in the slot */
    int slots = 0;
    int64_t blocks = rv_blocks(p->tape->nodes[s->id[first]].type);
    size_t tile = (size_t)(blocks < RV_TILE_BLOCKS ? blocks : RV_TILE_BLOCKS) * RV_ALIGNMENT;
    for (int32_t at = first; at <= last && first < last; at++) {
        int32_t id = s->id[at];
        rv_storage *storage = &p->plan->storage[id];
        if (storage->kind != RV_STORAGE_NONE || p->last[id] > last) continue;
        int slot = 0;
        while (slot < slots && busy_until[slot] >= at) slot++;
        if (slot == slots) slots++;
        busy_until[slot] = p->last[id];
        *storage =
            (rv_storage){.kind = RV_STORAGE_TILE, .offset = (size_t)slot * tile, .owner = true};
    }
    if (p->plan->scratch_bytes < (size_t)slots * tile)
        p->plan->scratch_bytes = (size_t)slots * tile;
}

static void place_group(planner *p, int32_t first, int32_t last)
{
    const rv_schedule *s = p->schedule;
    place_tiles(p, first, last);
    for (int32_t at = first; at <= last; at++)
        if (p->plan->storage[s->id[at]].kind == RV_STORAGE_NONE) place_arena(p, s->id[at]);
    for (int32_t at = first; at <= last; at++) {
        const rv_node *node = &p->tape->nodes[s->id[at]];
        for (int k = 0; k < node->inputs; k++) {
            int32_t owner = p->owner[node->in[k]];
            if (p->last[owner] >= first && p->last[owner] <= last) release(p, owner, first);
        }
        if (p->last[s->id[at]] == at) release(p, s->id[at], first); /* without readers */
    }
}

/* Assignments run one after the other at the end. If the value of one is itself a parameter, an
 * earlier assignment may overwrite it, so a snapshot is taken first. */
static void place_snapshots(planner *p)
{
    for (size_t i = 0; i < p->tape->effects.count; i++) {
        int32_t id = p->tape->effects.id[i];
        if (!p->live[id]) continue;
        int32_t value = p->owner[p->tape->nodes[id].in[1]];
        if (is_leaf(p, value) && p->tape->nodes[value].entry)
            p->plan->snapshot[id] =
                new_buffer(p, bytes_of(p, value), p->schedule->count, p->schedule->count);
    }
}

static void place_all(planner *p)
{
    const rv_tape *tape = p->tape;
    const rv_schedule *s = p->schedule;
    /* leaves first: their contents outlive a run, so no other value may use their memory */
    for (int32_t id = 0; id < tape->count; id++) {
        if (!p->live[id] || !is_leaf(p, id)) continue;
        if (tape->nodes[id].entry)
            p->plan->storage[id] = (rv_storage){
                .kind = RV_STORAGE_STORE, .entry = tape->nodes[id].entry, .owner = true};
        else
            place_arena(p, id);
    }
    for (int32_t at = 0; at < s->count; at = s->last[at] + 1) place_group(p, at, s->last[at]);
    place_snapshots(p);
}

/* Packs the buffers, and replaces buffer indices by offsets. */
static bool pack(planner *p, int threads)
{
    rv_plan *plan = p->plan;
    rv_packing packing;
    if (!rv_pack(p->buffer, p->buffers, p->schedule->count + 1, &packing)) return false;
    for (int32_t id = 0; id < p->tape->count; id++) {
        rv_storage *storage = &plan->storage[id];
        if (storage->kind == RV_STORAGE_ARENA)
            storage->offset = p->buffer[storage->offset - 1].offset;
        if (p->live[id] && is_view(p, id)) place_view(p, id);
        if (plan->snapshot[id]) plan->snapshot[id] = 1 + p->buffer[plan->snapshot[id] - 1].offset;
    }
    /* a lane's scratch does not move during a run, so that it stays in that thread's cache */
    plan->scratch_bytes = round_up(plan->scratch_bytes);
    plan->scratch = packing.bytes;
    plan->arena_bytes = packing.bytes + (size_t)threads * plan->scratch_bytes;
    plan->live_bytes = packing.live + (size_t)threads * plan->scratch_bytes;
    return true;
}

bool rv_pass_plan(rv_tape *tape, const bool *live, const int32_t *outputs, int count,
                  const rv_schedule *schedule, int threads, unsigned flags, rv_plan *plan)
{
    size_t nodes = (size_t)tape->count + 1;
    planner p = {.tape = tape, .live = live, .schedule = schedule, .flags = flags, .plan = plan};
    p.owner = rv_alloc(nodes, sizeof *p.owner);
    p.last = rv_alloc(nodes, sizeof *p.last);
    p.buffer = rv_alloc(2 * nodes, sizeof *p.buffer); /* a value and a snapshot each */
    bool ok = p.owner && p.last && p.buffer;
    if (ok) {
        find_lifetimes(&p, outputs, count);
        if (flags & RV_IN_PLACE) ok = place_in_store(&p, outputs, count);
        if (ok) place_all(&p);
        ok = ok && pack(&p, threads);
    }
    rv_free(p.owner);
    rv_free(p.last);
    rv_free(p.buffer);
    return ok || rv_fail_memory(&tape->error);
}

bool rv_plan_new(const rv_tape *tape, rv_plan *plan)
{
    size_t nodes = (size_t)tape->count + 1;
    *plan = (rv_plan){.storage = rv_alloc(nodes, sizeof *plan->storage),
                      .snapshot = rv_alloc(nodes, sizeof *plan->snapshot)};
    return plan->storage && plan->snapshot;
}

void rv_plan_free(rv_plan *plan)
{
    rv_free(plan->storage);
    rv_free(plan->snapshot);
    *plan = (rv_plan){0};
}
