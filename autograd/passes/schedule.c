/* Schedule: orders the nodes that run, and groups connected pointwise ops. A group runs as one
 * instruction, tile by tile; values that only its members read never leave the tile.
 *
 * Levels keep groups free of cycles. A node's level is at least the number of non-pointwise ops on
 * the longest path to it and never decreases along a path; the level of a non-pointwise op is above
 * those of its inputs. A path between two pointwise nodes of one level therefore contains only
 * pointwise ops, so groups of connected nodes of one level and size cannot wait for each other. */
#include <string.h>

#include "autograd/passes/passes.h"
#include "autograd/program/fused_group.h"
#include "autograd/tape_internal.h"
#include "tensor/memory.h"

typedef struct scheduler {
    const rv_tape *tape;
    const bool *live;
    const rv_storage *storage;
    unsigned flags;

    /* [nodes] each */
    int32_t *source;    /* the node that a view refers to */
    int32_t *level;     /* see above */
    int32_t *wanted;    /* the latest level in time for the first reader */
    int32_t *last_read; /* the last level that reads it */
    int32_t *readers;   /* number of reads by nodes that run */
    int32_t *group;     /* union-find parent; a root is the first member of its group */
    int32_t *members;   /* of a root: number of members so far */
    int32_t *part;      /* of a root: the first member of its latest part */
    int32_t *waits;     /* of a root: number of reads from groups not yet in order */
    int32_t *heap;      /* roots that are ready, as a min-heap by key */
    int32_t *key;       /* of a ready root: its id, or that of a root it follows */
    int32_t *place;     /* of a product that accumulates: its place in a batch, see below */
    int32_t *due;       /* the id, or that of the last product of the batch */
    int32_t heap_size;
} scheduler;

static bool runs(const scheduler *s, int32_t id)
{
    const rv_op *op = s->tape->nodes[id].op;
    if (!s->live[id] || s->storage[id].single) return false;
    return op->kind == RV_OP_VALUE || (op->kind == RV_OP_VIEW && s->flags & RV_REFERENCE);
}

static bool fusible(const scheduler *s, int32_t id)
{
    return runs(s, id) && s->tape->nodes[id].op->pointwise && !(s->flags & RV_REFERENCE);
}

static int32_t root_of(const scheduler *s, int32_t id)
{
    while (s->group[id] != id) id = s->group[id] = s->group[s->group[id]];
    return id;
}

static bool alike(const scheduler *s, int32_t a, int32_t b)
{
    const rv_type *x = &s->tape->nodes[a].type, *y = &s->tape->nodes[b].type;
    return x->dtype == y->dtype && rv_shape_count(x->shape) == rv_shape_count(y->shape) &&
           s->level[a] == s->level[b];
}

static void find_source(scheduler *s, int32_t id)
{
    const rv_node *node = &s->tape->nodes[id];
    bool itself = runs(s, id) || !node->inputs || node->op->kind == RV_OP_EFFECT;
    s->source[id] = itself ? id : s->source[node->in[0]];
}

static void find_levels(scheduler *s)
{
    for (int32_t id = 0; id < s->tape->count; id++) {
        const rv_node *node = &s->tape->nodes[id];
        find_source(s, id);
        if (!s->live[id]) continue;
        for (int k = 0; k < node->inputs; k++)
            if (s->level[node->in[k]] > s->level[id]) s->level[id] = s->level[node->in[k]];
        if (runs(s, id) && !fusible(s, id)) s->level[id]++;
    }
}

/* Whether a node can be computed at a later level without extending the lifetime of an input: each
 * input is a leaf, or is read at that level anyway, or has no other reader and can wait as well. */
static bool can_wait(const scheduler *s, int32_t id, int32_t level, int depth)
{
    const rv_node *node = &s->tape->nodes[id];
    for (int k = 0; k < node->inputs; k++) {
        int32_t in = s->source[node->in[k]];
        bool stays = s->tape->nodes[in].op->kind == RV_OP_LEAF || s->last_read[in] >= level;
        bool follows = !stays && depth && fusible(s, in) && s->readers[in] == 1 &&
                       can_wait(s, in, level, depth - 1);
        if (!stays && !follows) return false;
    }
    return true;
}

static void find_last_reads(scheduler *s)
{
    for (int32_t id = 0; id < s->tape->count; id++) {
        const rv_node *node = &s->tape->nodes[id];
        s->wanted[id] = INT32_MAX;
        for (int k = 0; runs(s, id) && k < node->inputs; k++) {
            int32_t in = s->source[node->in[k]];
            s->readers[in]++;
            if (s->last_read[in] < s->level[id]) s->last_read[in] = s->level[id];
        }
    }
}

/* Moves a pointwise node to the level of its first reader if that extends no lifetime. Examples:
 * the derivative of a gate, which the backward pass reads, and a decayed moment in the update. */
static void delay(scheduler *s)
{
    enum { DEPTH = 4 };
    find_last_reads(s);
    for (int32_t id = s->tape->count - 1; id >= 0; id--) {
        const rv_node *node = &s->tape->nodes[id];
        if (!runs(s, id)) continue;
        int32_t wanted = s->wanted[id];
        bool late = fusible(s, id) && wanted != INT32_MAX && wanted > s->level[id] &&
                    can_wait(s, id, wanted, DEPTH);
        if (late) s->level[id] = wanted;
        int32_t before = s->level[id] - !fusible(s, id);
        for (int k = 0; k < node->inputs; k++) {
            int32_t in = s->source[node->in[k]];
            if (before < s->wanted[in]) s->wanted[in] = before;
            if (late && s->last_read[in] < wanted) s->last_read[in] = wanted;
        }
    }
}

static void find_groups(scheduler *s)
{
    for (int32_t id = 0; id < s->tape->count; id++) {
        const rv_node *node = &s->tape->nodes[id];
        s->group[id] = id;
        if (!fusible(s, id) || !(s->flags & RV_FUSE)) continue;
        for (int k = 0; k < node->inputs; k++) {
            int32_t other = s->source[node->in[k]];
            if (!fusible(s, other) || !alike(s, other, id)) continue;
            int32_t a = root_of(s, other), b = root_of(s, id);
            s->group[a < b ? b : a] = a < b ? a : b;
        }
    }
}

/* Splits large groups by tape order, so that no two parts wait for each other. A size limit during
 * the union could create such cycles. */
static void split_groups(scheduler *s)
{
    for (int32_t id = 0; id < s->tape->count; id++) s->group[id] = root_of(s, id);
    for (int32_t id = 0; id < s->tape->count; id++) {
        int32_t root = s->group[id];
        if (s->members[root]++ % RV_GROUP_MOST == 0) s->part[root] = id;
        s->group[id] = s->part[root];
    }
}

/* ---- batches ---- */

/* The product that accumulates onto this one's sum before it, or -1. */
static int32_t before_in_sum(const scheduler *s, int32_t id)
{
    const rv_node *node = &s->tape->nodes[id];
    int last = node->inputs - 1;
    if (!runs(s, id) || node->op->pointwise || last < 1 || last > 31) return -1;
    int32_t before = s->source[node->in[last]];
    const rv_op *op = s->tape->nodes[before].op;
    bool product = op == node->op || op->accumulate == node->op;
    return product && node->op->in_place >> last & 1 ? before : -1;
}

/* How many products accumulate onto one sum before another sum has its turn. Their operands, which
 * are kept for so long, are together no larger than the sum. */
static int batch_size(const scheduler *s, int32_t id)
{
    enum { MOST = 8 };
    const rv_node *node = &s->tape->nodes[id];
    size_t operands = 0, sum = rv_type_bytes(&node->type);
    for (int k = 0; k + 1 < node->inputs; k++)
        operands += rv_type_bytes(&s->tape->nodes[node->in[k]].type);
    return MOST * operands <= sum ? MOST : (int)(sum / operands);
}

/* The gradients of several weights over all time steps are sums of one product for each weight and
 * step. In tape order each sum would be read and written once in a step, when the others have
 * driven it out of the cache. So the products wait for those of a few more steps, and accumulate
 * onto one sum after the other. */
static void find_batches(scheduler *s)
{
    for (int32_t id = 0; id < s->tape->count; id++) {
        int32_t before = before_in_sum(s, id);
        s->due[id] = id;
        s->place[id] = before < 0 ? 0 : s->place[before] + 1;
        if (s->place[id] && s->place[id] >= batch_size(s, id)) s->place[id] = 0;
    }
    for (int32_t id = s->tape->count - 1; id >= 0; id--)
        if (s->place[id]) s->due[before_in_sum(s, id)] = s->due[id];
}

/* ---- topological order of the groups; of the ready ones, the earliest on the tape first ---- */

/* A copy of a value in another order, such as a packed matrix, runs at once after the value. The
 * products of a time step then find all their operands ready, behind one barrier instead of one for
 * each operand. */
static int32_t key_of(const scheduler *s, int32_t root, int32_t after)
{
    const rv_node *node = &s->tape->nodes[root];
    if (!node->op->rearranges || node->inputs != 1) return s->due[root];
    const rv_type *in = &s->tape->nodes[node->in[0]].type;
    return rv_shape_count(in->shape) == rv_shape_count(node->type.shape) ? after : root;
}

static bool earlier(const scheduler *s, int32_t a, int32_t b)
{
    return s->key[a] != s->key[b] ? s->key[a] < s->key[b] : a < b;
}

static void push(scheduler *s, int32_t root, int32_t key)
{
    int32_t at = s->heap_size++;
    s->key[root] = key;
    for (; at && earlier(s, root, s->heap[(at - 1) / 2]); at = (at - 1) / 2)
        s->heap[at] = s->heap[(at - 1) / 2];
    s->heap[at] = root;
}

static int32_t pop(scheduler *s)
{
    int32_t first = s->heap[0], last = s->heap[--s->heap_size], at = 0, child;
    for (; (child = 2 * at + 1) < s->heap_size; at = child) {
        if (child + 1 < s->heap_size && earlier(s, s->heap[child + 1], s->heap[child])) child++;
        if (!earlier(s, s->heap[child], last)) break;
        s->heap[at] = s->heap[child];
    }
    s->heap[at] = last;
    return first;
}

/* Linked lists in arrays, of 1 + an index: members of a group, and edges from it to those that wait
 * for it. */
typedef struct links {
    int32_t *next_member, *last_member;   /* [nodes] */
    int32_t *first_edge, *next_edge, *to; /* first_edge [nodes], the others [edges] */
    int32_t edges;
} links;

static void link_up(scheduler *s, links *l)
{
    for (int32_t id = 0; id < s->tape->count; id++) {
        if (!runs(s, id)) continue;
        const rv_node *node = &s->tape->nodes[id];
        int32_t root = root_of(s, id);
        if (root != id) l->next_member[l->last_member[root] - 1] = id + 1;
        l->last_member[root] = id + 1;
        for (int k = 0; k < node->inputs; k++) {
            int32_t source = s->source[node->in[k]];
            if (!runs(s, source) || root_of(s, source) == root) continue;
            int32_t from = root_of(s, source), edge = l->edges++;
            l->to[edge] = root;
            l->next_edge[edge] = l->first_edge[from];
            l->first_edge[from] = edge + 1;
            s->waits[root]++;
        }
    }
}

static void emit_order(scheduler *s, const links *l, rv_schedule *schedule)
{
    for (int32_t id = 0; id < s->tape->count; id++)
        if (runs(s, id) && s->group[id] == id && !s->waits[id]) push(s, id, s->due[id]);
    while (s->heap_size) {
        int32_t root = pop(s), first = schedule->count;
        for (int32_t id = root + 1; id; id = l->next_member[id - 1]) {
            schedule->position[id - 1] = schedule->count;
            schedule->id[schedule->count++] = id - 1;
        }
        for (int32_t at = first; at < schedule->count; at++) {
            schedule->first[at] = first;
            schedule->last[at] = schedule->count - 1;
            schedule->parts[at] = 1;
        }
        for (int32_t edge = l->first_edge[root]; edge; edge = l->next_edge[edge - 1]) {
            int32_t to = l->to[edge - 1];
            if (!--s->waits[to]) push(s, to, key_of(s, to, root));
        }
    }
}

bool rv_pass_schedule(rv_tape *tape, const bool *live, const rv_storage *storage, unsigned flags,
                      rv_schedule *schedule)
{
    size_t nodes = (size_t)tape->count + 1, edges = 1;
    for (int32_t id = 0; id < tape->count; id++) edges += (size_t)tape->nodes[id].inputs;
    *schedule = (rv_schedule){0};
    int32_t *memory = rv_alloc(16 * nodes + 2 * edges, sizeof *memory);
    int32_t *kept = rv_alloc(5 * nodes, sizeof *kept);
    if (!memory || !kept) {
        rv_free(memory);
        rv_free(kept);
        return rv_fail_memory(&tape->error);
    }
    schedule->id = kept;
    schedule->first = kept + nodes;
    schedule->last = kept + 2 * nodes;
    schedule->position = kept + 3 * nodes;
    schedule->parts = kept + 4 * nodes;
    for (int32_t id = 0; id < tape->count; id++) schedule->position[id] = -1;
    int32_t *next = memory;
    scheduler s = {.tape = tape, .live = live, .storage = storage, .flags = flags};
    links l = {0};
    int32_t **by_node[] = {&s.source,  &s.level,       &s.wanted,      &s.last_read,
                           &s.readers, &s.group,       &s.members,     &s.part,
                           &s.waits,   &s.heap,        &s.key,         &s.place,
                           &s.due,     &l.next_member, &l.last_member, &l.first_edge};
    for (size_t i = 0; i < sizeof by_node / sizeof *by_node; i++, next += nodes) *by_node[i] = next;
    l.next_edge = next;
    l.to = next + edges;
    find_levels(&s);
    if (flags & RV_FUSE) delay(&s);
    find_groups(&s);
    split_groups(&s);
    link_up(&s, &l);
    find_batches(&s);
    emit_order(&s, &l, schedule);
    rv_free(memory);
    return true;
}

void rv_schedule_free(rv_schedule *schedule)
{
    rv_free(schedule->id);
    *schedule = (rv_schedule){0};
}
