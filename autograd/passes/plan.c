/* Memory plan: values get offsets in one arena in the order they are made, and give their memory
 * back after their last reader. An op that may works in place; a value that is assigned to a
 * parameter is computed right into it when nobody needs the old one any more. */
#include <string.h>

#include "autograd/passes/passes.h"
#include "autograd/tape_internal.h"
#include "tensor/memory.h"

/* ---- the arena: free ranges, sorted by offset, never adjacent ---- */

typedef struct range {
    size_t offset, size;
} range;

typedef struct arena {
    range *free;
    size_t count, capacity;
    size_t end;        /* bytes the arena has so far */
    size_t live, most; /* bytes handed out: now, and at most */
} arena;

static size_t round_up(size_t size)
{
    return (size + RV_ALIGNMENT - 1) & ~(size_t)(RV_ALIGNMENT - 1);
}

static void take_out(arena *a, size_t i)
{
    memmove(a->free + i, a->free + i + 1, (--a->count - i) * sizeof *a->free);
}

/* The tightest free range that fits; else the arena grows, from its last range if that is free. */
static size_t arena_take(arena *a, size_t size)
{
    size_t best = a->count;
    for (size_t i = 0; i < a->count; i++)
        if (a->free[i].size >= size && (best == a->count || a->free[i].size < a->free[best].size))
            best = i;
    a->live += size;
    if (a->live > a->most) a->most = a->live;
    if (best < a->count) {
        range *r = &a->free[best];
        size_t offset = r->offset;
        r->offset += size;
        r->size -= size;
        if (!r->size) take_out(a, best);
        return offset;
    }
    size_t offset = a->end;
    if (a->count && a->free[a->count - 1].offset + a->free[a->count - 1].size == a->end)
        offset = a->free[--a->count].offset;
    a->end = offset + size;
    return offset;
}

static bool arena_give(arena *a, size_t offset, size_t size)
{
    a->live -= size;
    if (!size) return true;
    if (!rv_reserve(&a->free, &a->capacity, a->count + 1, sizeof *a->free)) return false;
    size_t low = 0, high = a->count;
    while (low < high) { /* the first range behind the offset */
        size_t middle = (low + high) / 2;
        if (a->free[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    bool joins_before = low && a->free[low - 1].offset + a->free[low - 1].size == offset;
    bool joins_after = low < a->count && offset + size == a->free[low].offset;
    if (joins_before) {
        a->free[low - 1].size += size;
        if (joins_after) {
            a->free[low - 1].size += a->free[low].size;
            take_out(a, low);
        }
    } else if (joins_after) {
        a->free[low].offset = offset;
        a->free[low].size += size;
    } else {
        memmove(a->free + low + 1, a->free + low, (a->count++ - low) * sizeof *a->free);
        a->free[low] = (range){offset, size};
    }
    return true;
}

/* ---- lifetimes ---- */

typedef struct planner {
    const rv_tape *tape;
    const bool *live;
    unsigned flags;
    rv_plan *plan;
    int32_t *owner; /* [nodes] whose memory a node is: itself, or what it is a view of */
    int32_t *last;  /* [nodes] the last reader of an owner; `count` when the run's end reads it */
    arena arena;
} planner;

static size_t bytes_of(const planner *p, int32_t id)
{
    const rv_type *type = &p->tape->nodes[id].type;
    int64_t count = p->plan->place[id].single ? 1 : rv_shape_count(type->shape);
    return round_up((size_t)count * rv_dtype_size(type->dtype));
}

/* Whether a node is only another look at its input's memory. */
static bool is_view(const planner *p, int32_t id)
{
    const rv_op *op = p->tape->nodes[id].op;
    return (op->kind == RV_OP_VIEW && !(p->flags & RV_REFERENCE)) ||
           (op->kind == RV_OP_VALUE && p->plan->place[id].single);
}

/* Uniform constants, and one element repeated, that nobody needs in full. */
static void find_single(planner *p, const int32_t *outputs, int count)
{
    const rv_tape *tape = p->tape;
    rv_place *place = p->plan->place;
    for (int32_t id = 0; id < tape->count && !(p->flags & RV_REFERENCE); id++) {
        const rv_node *node = &tape->nodes[id];
        bool uniform = false;
        bool repeats = node->op->kind == RV_OP_VALUE && node->op->rearranges && node->inputs == 1 &&
                       rv_shape_count(tape->nodes[node->in[0]].type.shape) == 1;
        place[id].single = repeats || (rv_constant_data(node, &uniform) && uniform);
        for (int k = 0; p->live[id] && k < node->inputs; k++)
            if (!node->op->pointwise || k >= 32) place[node->in[k]].single = false;
    }
    for (int i = 0; i < count; i++) place[outputs[i]].single = false;
}

static void read_at(planner *p, int32_t id, int32_t time)
{
    int32_t owner = p->owner[id];
    if (p->last[owner] < time) p->last[owner] = time;
}

static void find_lifetimes(planner *p, const int32_t *outputs, int count)
{
    const rv_tape *tape = p->tape;
    for (int32_t id = 0; id < tape->count; id++) {
        const rv_node *node = &tape->nodes[id];
        p->owner[id] = is_view(p, id) ? p->owner[node->in[0]] : id;
        p->last[id] = node->op->kind == RV_OP_LEAF ? tape->count : id;
        if (!p->live[id]) continue;
        if (node->op->kind == RV_OP_EFFECT)
            read_at(p, node->in[1], tape->count); /* the value; the target is only written */
        else
            for (int k = 0; k < node->inputs; k++) read_at(p, node->in[k], id);
    }
    for (int i = 0; i < count; i++) read_at(p, outputs[i], tape->count);
}

/* The last node that reads a parameter's old value, or -1. */
static void find_parameter_reads(const planner *p, const int32_t *outputs, int count,
                                 int32_t *reads)
{
    const rv_tape *tape = p->tape;
    for (int32_t id = 0; id < tape->count; id++) reads[id] = -1;
    for (int32_t id = 0; id < tape->count; id++) {
        const rv_node *node = &tape->nodes[id];
        bool effect = node->op->kind == RV_OP_EFFECT;
        for (int k = effect ? 1 : 0; p->live[id] && k < node->inputs; k++)
            reads[p->owner[node->in[k]]] = effect ? tape->count : id;
    }
    for (int i = 0; i < count; i++) reads[p->owner[outputs[i]]] = tape->count;
}

/* Whether node `id` may write over the memory of `owner`, if it reads that at all. */
static bool overwrites(const planner *p, int32_t id, int32_t owner)
{
    const rv_node *node = &p->tape->nodes[id];
    for (int k = 0; k < node->inputs; k++)
        if (p->owner[node->in[k]] == owner &&
            (k >= 32 || !(node->op->in_place >> k & 1) || p->plan->place[node->in[k]].single))
            return false;
    return true;
}

/* Assigned values that can be computed right in the store. */
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
        rv_place *place = &p->plan->place[value];
        if (tape->nodes[value].op->kind == RV_OP_LEAF || place->kind == RV_PLACE_STORE) continue;
        if (reads[target] < value || (reads[target] == value && overwrites(p, value, target)))
            *place = (rv_place){
                .kind = RV_PLACE_STORE, .entry = tape->nodes[effect].entry, .owner = true};
    }
    rv_free(reads);
    return true;
}

/* An input whose memory node `id` takes over, or -1. */
static int32_t dying_input(const planner *p, int32_t id)
{
    const rv_node *node = &p->tape->nodes[id];
    for (int k = 0; k < node->inputs && k < 32; k++) {
        int32_t owner = p->owner[node->in[k]];
        if (node->op->in_place >> k & 1 && p->last[owner] == id &&
            p->plan->place[owner].kind == RV_PLACE_ARENA && bytes_of(p, owner) == bytes_of(p, id) &&
            overwrites(p, id, owner))
            return owner;
    }
    return -1;
}

static bool release_dead_inputs(planner *p, int32_t id, int32_t taken_over)
{
    const rv_node *node = &p->tape->nodes[id];
    if (!(p->flags & RV_REUSE)) return true;
    for (int k = 0; k < node->inputs; k++) {
        int32_t owner = p->owner[node->in[k]];
        if (p->last[owner] != id || owner == taken_over) continue;
        p->last[owner] = -1; /* once */
        const rv_place *place = &p->plan->place[owner];
        if (place->kind == RV_PLACE_ARENA &&
            !arena_give(&p->arena, place->offset, bytes_of(p, owner)))
            return false;
    }
    return true;
}

static bool place_node(planner *p, int32_t id, size_t scratch)
{
    const rv_node *node = &p->tape->nodes[id];
    rv_place *place = &p->plan->place[id];
    int32_t taken_over = -1;
    if (is_view(p, id)) {
        bool single = place->single;
        *place = p->plan->place[p->owner[id]];
        place->owner = false;
        place->single = single;
    } else if (node->entry) {
        *place = (rv_place){.kind = RV_PLACE_STORE, .entry = node->entry, .owner = true};
    } else if (place->kind == RV_PLACE_NONE) {
        if (p->flags & RV_IN_PLACE) taken_over = dying_input(p, id);
        size_t offset = taken_over >= 0 ? p->plan->place[taken_over].offset
                                        : arena_take(&p->arena, bytes_of(p, id));
        place->kind = RV_PLACE_ARENA;
        place->offset = offset;
        place->owner = true;
    }
    if (scratch) {
        p->plan->scratch[id] = arena_take(&p->arena, round_up(scratch));
        if (!arena_give(&p->arena, p->plan->scratch[id], round_up(scratch))) return false;
    }
    if (!release_dead_inputs(p, id, taken_over)) return false;
    /* a value that nobody reads is alive only while it is made */
    if (p->last[id] == id && place->owner && place->kind == RV_PLACE_ARENA && p->flags & RV_REUSE)
        return arena_give(&p->arena, place->offset, bytes_of(p, id));
    return true;
}

/* Assignments happen one after the other, so a value that is itself in the store, where another
 * assignment may overwrite it, is copied to safety first. */
static void place_snapshots(planner *p)
{
    for (size_t i = 0; i < p->tape->effects.count; i++) {
        int32_t id = p->tape->effects.id[i];
        if (!p->live[id]) continue;
        int32_t value = p->owner[p->tape->nodes[id].in[1]];
        if (p->tape->nodes[value].op->kind == RV_OP_LEAF && p->tape->nodes[value].entry)
            p->plan->snapshot[id] = 1 + arena_take(&p->arena, bytes_of(p, value));
    }
}

bool rv_pass_plan(rv_tape *tape, const bool *live, const int32_t *outputs, int count,
                  const size_t *scratch_size, unsigned flags, rv_plan *plan)
{
    size_t nodes = (size_t)tape->count + 1;
    planner p = {.tape = tape, .live = live, .flags = flags, .plan = plan};
    *plan = (rv_plan){.place = rv_alloc(nodes, sizeof *plan->place),
                      .scratch = rv_alloc(nodes, sizeof *plan->scratch),
                      .snapshot = rv_alloc(nodes, sizeof *plan->snapshot)};
    p.owner = rv_alloc(nodes, sizeof *p.owner);
    p.last = rv_alloc(nodes, sizeof *p.last);
    bool ok = plan->place && plan->scratch && plan->snapshot && p.owner && p.last;
    if (ok) {
        find_single(&p, outputs, count);
        find_lifetimes(&p, outputs, count);
        if (flags & RV_IN_PLACE) ok = place_in_store(&p, outputs, count);
        /* leaves first: their content outlives a run, so their memory must have no other use */
        for (int pass = 0; pass < 2; pass++)
            for (int32_t id = 0; ok && id < tape->count; id++)
                if (live[id] && tape->nodes[id].op->kind != RV_OP_EFFECT &&
                    (tape->nodes[id].op->kind == RV_OP_LEAF) == (pass == 0))
                    ok = place_node(&p, id, scratch_size[id]);
        place_snapshots(&p);
        plan->arena_bytes = p.arena.end;
        plan->live_bytes = p.arena.most;
    }
    rv_free(p.owner);
    rv_free(p.last);
    rv_free(p.arena.free);
    if (ok) return true;
    rv_plan_free(plan);
    return rv_fail_memory(&tape->error);
}

void rv_plan_free(rv_plan *plan)
{
    rv_free(plan->place);
    rv_free(plan->scratch);
    rv_free(plan->snapshot);
    *plan = (rv_plan){0};
}
