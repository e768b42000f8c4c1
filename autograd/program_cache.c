/* A short list, most recently used first. */
#include "autograd/program_cache.h"

#include <string.h>

#include "tensor/memory.h"

typedef struct cache {
    rv_program *program[RV_PROGRAM_CACHE_SIZE];
    int count;
} cache;

static void release(void *object)
{
    cache *c = object;
    for (int i = 0; i < c->count; i++) rv_program_free(c->program[i]);
    rv_free(c);
}

static void move_to_front(cache *c, int i)
{
    rv_program *program = c->program[i];
    memmove(c->program + 1, c->program, (size_t)i * sizeof *c->program);
    c->program[0] = program;
}

rv_program *rv_program_cache_find(rv_store *store, rv_hash hash)
{
    cache *c = rv_store_attachment(store);
    for (int i = 0; c && i < c->count; i++) {
        rv_hash seen = rv_program_hash(c->program[i]);
        if (seen.low != hash.low || seen.high != hash.high) continue;
        move_to_front(c, i);
        return rv_program_retain(c->program[0]);
    }
    return NULL;
}

void rv_program_cache_add(rv_store *store, rv_program *program)
{
    cache *c = rv_store_attachment(store);
    if (!c) {
        c = rv_alloc(1, sizeof *c);
        if (!c) return;
        rv_store_attach(store, c, release);
    }
    if (c->count == RV_PROGRAM_CACHE_SIZE) rv_program_free(c->program[--c->count]);
    c->program[c->count++] = rv_program_retain(program);
    move_to_front(c, c->count - 1);
}
