/* A best-fit allocator simulated over time. The arena is a linked list of blocks, free or in use.
 * At each moment, the buffers that begin take the smallest free block that fits, and the buffers
 * that end free theirs, which merge with free neighbours. A treap holds the free blocks, ordered by
 * size, then by offset. Block 0 is the null block. */
#include "autograd/passes/pack.h"

#include "tensor/memory.h"

typedef struct block {
    size_t offset, size;
    int32_t before, after; /* neighbours in the arena */
    int32_t left, right;   /* children in the treap */
    bool free;
} block;

typedef struct arena {
    block *block; /* [buffers + 1], since each allocation adds at most one block */
    int32_t count, end, tree;
} arena;

/* ---- the free blocks ---- */

static bool tighter(const arena *a, int32_t x, int32_t y)
{
    const block *p = &a->block[x], *q = &a->block[y];
    return p->size != q->size ? p->size < q->size : p->offset < q->offset;
}

/* The treap's heap key: a hash, so that the layout is deterministic. A parent's is the larger. */
static uint32_t priority(int32_t x)
{
    uint32_t bits = (uint32_t)x * 0x9E3779B1u;
    return (bits ^ bits >> 15) * 0x85EBCA77u;
}

static int32_t join(arena *a, int32_t low, int32_t high)
{
    if (!low || !high) return low + high;
    if (priority(low) > priority(high)) {
        a->block[low].right = join(a, a->block[low].right, high);
        return low;
    }
    a->block[high].left = join(a, low, a->block[high].left);
    return high;
}

static void split(arena *a, int32_t tree, int32_t x, int32_t *low, int32_t *high)
{
    if (!tree) {
        *low = *high = 0;
    } else if (tighter(a, tree, x)) {
        *low = tree;
        split(a, a->block[tree].right, x, &a->block[tree].right, high);
    } else {
        *high = tree;
        split(a, a->block[tree].left, x, low, &a->block[tree].left);
    }
}

static void set_free(arena *a, int32_t x)
{
    int32_t low, high;
    a->block[x].free = true;
    a->block[x].left = a->block[x].right = 0;
    split(a, a->tree, x, &low, &high);
    a->tree = join(a, join(a, low, x), high);
}

static void set_used(arena *a, int32_t x)
{
    int32_t *at = &a->tree;
    while (*at != x) at = tighter(a, x, *at) ? &a->block[*at].left : &a->block[*at].right;
    *at = join(a, a->block[x].left, a->block[x].right);
    a->block[x].free = false;
}

static int32_t tightest(const arena *a, size_t size)
{
    int32_t best = 0;
    for (int32_t x = a->tree; x;)
        if (a->block[x].size >= size) {
            best = x;
            x = a->block[x].left;
        } else {
            x = a->block[x].right;
        }
    return best;
}

/* ---- allocate and free ---- */

static int32_t insert_after(arena *a, int32_t x, size_t offset, size_t size)
{
    int32_t made = ++a->count, after = x ? a->block[x].after : 0;
    a->block[made] = (block){.offset = offset, .size = size, .before = x, .after = after};
    if (x) a->block[x].after = made;
    if (after) a->block[after].before = made;
    if (a->end == x) a->end = made;
    return made;
}

static void swallow_next(arena *a, int32_t x)
{
    block *b = &a->block[x], *next = &a->block[b->after];
    if (a->end == b->after) a->end = x;
    b->size += next->size;
    b->after = next->after;
    if (b->after) a->block[b->after].before = x;
}

static size_t bytes_of(const arena *a)
{
    return a->end ? a->block[a->end].offset + a->block[a->end].size : 0;
}

static int32_t allocate(arena *a, size_t size)
{
    int32_t x = tightest(a, size);
    if (x) {
        set_used(a, x);
        size_t rest = a->block[x].size - size;
        a->block[x].size = size;
        if (rest) set_free(a, insert_after(a, x, a->block[x].offset + size, rest));
    } else if (a->end && a->block[a->end].free) { /* the free block at the end grows */
        set_used(a, x = a->end);
        a->block[x].size = size;
    } else {
        x = insert_after(a, a->end, bytes_of(a), size);
    }
    return x;
}

static void release(arena *a, int32_t x)
{
    int32_t before = a->block[x].before, after = a->block[x].after;
    if (after && a->block[after].free) {
        set_used(a, after);
        swallow_next(a, x);
    }
    if (before && a->block[before].free) {
        set_used(a, before);
        swallow_next(a, before);
        x = before;
    }
    set_free(a, x);
}

/* ---- time ---- */

typedef struct timeline {
    rv_buffer *buffer;
    int32_t count, moments;
    int32_t *begin, *end;           /* [moments] 1 + the first buffer that begins or ends there */
    int32_t *begin_next, *end_next; /* [count] 1 + the next buffer in the same list */
    int32_t *block;                 /* [count] the block of a buffer */
    arena arena;
} timeline;

/* Assigns all offsets in one pass over the moments, forwards or backwards. */
static rv_packing sweep(timeline *t, bool backwards)
{
    arena *a = &t->arena;
    a->count = a->end = a->tree = 0;
    rv_packing seen = {0};
    size_t live = 0;
    for (int32_t moment = 0; moment < t->moments; moment++) {
        int32_t at = backwards ? t->moments - 1 - moment : moment;
        int32_t *begin_next = backwards ? t->end_next : t->begin_next;
        int32_t *end_next = backwards ? t->begin_next : t->end_next;
        for (int32_t b = (backwards ? t->end : t->begin)[at]; b; b = begin_next[b - 1]) {
            if (!t->buffer[b - 1].size) continue;
            t->block[b - 1] = allocate(a, t->buffer[b - 1].size);
            t->buffer[b - 1].offset = a->block[t->block[b - 1]].offset;
            live += t->buffer[b - 1].size;
        }
        if (live > seen.live) seen.live = live;
        for (int32_t b = (backwards ? t->begin : t->end)[at]; b; b = end_next[b - 1]) {
            if (!t->buffer[b - 1].size) continue;
            release(a, t->block[b - 1]);
            live -= t->buffer[b - 1].size;
        }
    }
    seen.bytes = bytes_of(a);
    return seen;
}

bool rv_pack(rv_buffer *buffer, int32_t count, int32_t moments, rv_packing *packing)
{
    size_t n = (size_t)count + 1, m = (size_t)moments + 1;
    timeline t = {.buffer = buffer, .count = count, .moments = moments};
    t.arena.block = rv_alloc(n, sizeof *t.arena.block);
    t.begin = rv_alloc(3 * n + 2 * m, sizeof *t.begin);
    bool ok = t.arena.block && t.begin;
    if (ok) {
        t.end = t.begin + m;
        t.begin_next = t.end + m;
        t.end_next = t.begin_next + n;
        t.block = t.end_next + n;
        for (int32_t b = count; b-- > 0;) {
            t.begin_next[b] = t.begin[buffer[b].first];
            t.begin[buffer[b].first] = b + 1;
            t.end_next[b] = t.end[buffer[b].last];
            t.end[buffer[b].last] = b + 1;
        }
        *packing = sweep(&t, false);
        /* if fragmentation wastes memory, the opposite direction often wastes less */
        if (packing->bytes > packing->live) {
            rv_packing other = sweep(&t, true);
            *packing = other.bytes < packing->bytes ? other : sweep(&t, false);
        }
    }
    rv_free(t.arena.block);
    rv_free(t.begin);
    return ok;
}
