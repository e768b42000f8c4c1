/* The programs are a short list, most recently used first. */
#include "autograd/program_cache_internal.h"

#include <string.h>

#include "tensor/memory.h"

typedef struct cache {
    rv_program *program[RV_PROGRAM_CACHE_SIZE];
    int count;
    rv_team *team;
} cache;

static void release(void *object)
{
    cache *c = object;
    for (int i = 0; i < c->count; i++) rv_program_free(c->program[i]);
    rv_team_free(c->team);
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

int rv_threads(const rv_store *store) { return rv_team_size(rv_program_cache_team(store)); }

rv_team *rv_program_cache_team(const rv_store *store)
{
    const cache *c = rv_store_attachment(store);
    return c ? c->team : NULL;
}

static bool change_team(rv_store *store, int threads)
{
    cache *c = cache_of(store);
    rv_team *team = threads > 1 && c ? rv_team_new(threads) : NULL;
    if (!c || (threads > 1 && !team)) return false;
    rv_team_free(c->team);
    c->team = team;
    return true;
}

bool rv_set_threads(rv_store *store, int threads, rv_error *error)
{
    if (!store) return rv_fail(error, RV_ERROR_ARGUMENT, "threads: no store; check what made it");
    if (threads < 1 || threads > RV_MOST_THREADS)
        return rv_fail(error, RV_ERROR_ARGUMENT, "threads: got %d, expected 1 to %d", threads,
                       RV_MOST_THREADS);
    if (!rv_store_enter(store, error)) return false;
    bool ok = rv_threads(store) == threads || change_team(store, threads);
    rv_store_leave(store);
    return ok || rv_fail(error, RV_ERROR_MEMORY,
                         "threads: the system has no memory for %d; use fewer", threads);
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
    cache *c = cache_of(store);
    if (!c) return;
    if (c->count == RV_PROGRAM_CACHE_SIZE) rv_program_free(c->program[--c->count]);
    c->program[c->count++] = rv_program_retain(program);
    move_to_front(c, c->count - 1);
}
