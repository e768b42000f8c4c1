/* Rank r's parent in the tree of ranks is r without its lowest bit. */
#include "train/trainer/ranks.h"

#include <string.h>

#include "tensor/memory.h"

bool rv_ranks_send(const rv_collective *c, int to, const void *bytes, size_t count, rv_error *error)
{
    return c->send(c->context, to, bytes, count, error) ||
           rv_fail(error, RV_ERROR_IO, "rank %d cannot send to rank %d", c->rank, to);
}

bool rv_ranks_receive(const rv_collective *c, int from, void *bytes, size_t count, rv_error *error)
{
    return c->receive(c->context, from, bytes, count, error) ||
           rv_fail(error, RV_ERROR_IO, "rank %d cannot receive from rank %d", c->rank, from);
}

/* The lowest bit of the rank; of rank 0 one that no rank has. */
static int lowest_bit(const rv_collective *c)
{
    int bit = 1;
    while (bit < c->size && !(c->rank & bit)) bit *= 2;
    return bit;
}

bool rv_ranks_broadcast(const rv_collective *c, void *bytes, size_t count, rv_error *error)
{
    if (!c) return true;
    int bit = lowest_bit(c);
    if (c->rank && !rv_ranks_receive(c, c->rank - bit, bytes, count, error)) return false;
    while (bit /= 2)
        if (c->rank + bit < c->size && !rv_ranks_send(c, c->rank + bit, bytes, count, error))
            return false;
    return true;
}

/* mine = merge(mine, theirs) up the tree, in the order of ranks; then all get the result. */
static bool reduce(const rv_collective *c, void *mine, void *theirs, size_t count,
                   void (*merge)(void *mine, const void *theirs, size_t count), rv_error *error)
{
    const int own = lowest_bit(c);
    for (int bit = 1; bit < own && c->rank + bit < c->size; bit *= 2) {
        if (!rv_ranks_receive(c, c->rank + bit, theirs, count, error)) return false;
        merge(mine, theirs, count);
    }
    return (c->rank == 0 || rv_ranks_send(c, c->rank - own, mine, count, error)) &&
           rv_ranks_broadcast(c, mine, count, error);
}

static void add(void *mine, const void *theirs, size_t count)
{
    double *to = mine;
    const double *from = theirs;
    for (size_t i = 0; i < count / sizeof *to; i++) to[i] += from[i];
}

bool rv_ranks_sum(const rv_collective *c, double *values, double *other, size_t count,
                  rv_error *error)
{
    return !c || reduce(c, values, other, count * sizeof *values, add, error);
}

typedef struct state {
    int rank;
    bool stop;
    rv_error error;
} state;

static void join(void *mine, const void *theirs, size_t count)
{
    state *to = mine;
    const state *from = theirs;
    (void)count;
    to->stop = to->stop || from->stop;
    if (to->error.code != RV_OK) return;
    to->rank = from->rank;
    to->error = from->error;
}

bool rv_ranks_agree(const rv_collective *c, bool *stop, rv_error *error)
{
    if (!c) return error->code == RV_OK;
    state mine, theirs;
    memset(&mine, 0, sizeof mine); /* also between its fields: all of it is sent */
    mine.rank = c->rank;
    mine.stop = *stop;
    mine.error = *error;
    rv_error broken = {0};
    if (!reduce(c, &mine, &theirs, sizeof mine, join, &broken))
        return rv_fail(error, broken.code, "%-s", broken.text);
    *stop = mine.stop;
    if (mine.error.code == RV_OK) return true;
    *error = (rv_error){0};
    return mine.rank == 0
               ? rv_fail(error, mine.error.code, "%-s", mine.error.text)
               : rv_fail(error, mine.error.code, "rank %d: %-s", mine.rank, mine.error.text);
}
