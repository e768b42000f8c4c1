/* The thread pool of a store, and a list of its compiled programs, most recently used first. */
#include "autograd/program/cache.h"

#include <string.h>

#include "autograd/program/program.h"
#include "tensor/memory.h"
#include "tensor/store_entries_internal.h"

typedef struct cache {
    rv_program *program[RV_PROGRAM_CACHE_SIZE];
    int count;
    rv_thread_pool *pool;
} cache;

static void release(void *object)
{
    cache *c = object;
    for (int i = 0; i < c->count; i++) rv_program_free(c->program[i]);
    rv_thread_pool_free(c->pool);
    rv_free(c);
}

static cache *cache_of(rv_store *store)
{
    cache *c = rv_store_attachment(store);
    if (c) return c;
    c = rv_alloc(1, sizeof *c);
    if (c) rv_store_attach(store, c, release);
    return c;
}

int rv_threads(const rv_store *store) { return rv_thread_pool_size(rv_program_cache_pool(store)); }

rv_thread_pool *rv_program_cache_pool(const rv_store *store)
{
    const cache *c = rv_store_attachment(store);
    return c ? c->pool : NULL;
}

static bool change_pool(rv_store *store, int threads)
{
    cache *c = cache_of(store);
    rv_thread_pool *pool = threads > 1 && c ? rv_thread_pool_new(threads) : NULL;
    if (!c || (threads > 1 && !pool)) return false;
    rv_thread_pool_free(c->pool);
    c->pool = pool;
    return true;
}

bool rv_set_threads(rv_store *store, int threads, rv_error *error)
{
    if (!store) return rv_fail(error, RV_ERROR_ARGUMENT, "threads: no store; check what made it");
    if (threads < 1 || threads > RV_MOST_THREADS)
        return rv_fail(error, RV_ERROR_ARGUMENT, "threads: got %d, expected 1 to %d", threads,
                       RV_MOST_THREADS);
    if (!rv_store_enter(store, error)) return false;
    bool ok = rv_threads(store) == threads || change_pool(store, threads);
    rv_store_leave(store);
    return ok || rv_fail(error, RV_ERROR_MEMORY, "threads: cannot start %d; use fewer", threads);
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
        rv_hash seen = c->program[i]->hash;
        if (seen.low != hash.low || seen.high != hash.high) continue;
        move_to_front(c, i);
        return rv_program_retain(c->program[0]);
    }
    return NULL;
}

void rv_program_cache_add(rv_store *store, rv_program *program)
{
    cache *c = cache_of(store);
    if (!c) return;
    if (c->count == RV_PROGRAM_CACHE_SIZE) rv_program_free(c->program[--c->count]);
    c->program[c->count++] = rv_program_retain(program);
    move_to_front(c, c->count - 1);
}
