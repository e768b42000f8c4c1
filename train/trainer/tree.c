#include "train/trainer/tree.h"

#include <string.h>

#include "train/trainer/ranks.h"

_Static_assert(1 << (RV_TREE_LEVELS - 1) >= RV_TRAIN_LEAVES, "a level per bit");

/* Node k of level j holds leaves k 2^j .. (k+1) 2^j - 1. A node without a right sibling is its
 * parent. */

static int64_t rank_of(const rv_setup *s, int64_t leaf)
{
    const rv_collective *c = s->collective;
    return c ? ((leaf + 1) * c->size - 1) / s->leaves : 0;
}

void rv_tree_range(const rv_setup *s, int64_t *first, int64_t *last)
{
    const rv_collective *c = s->collective;
    *first = c ? c->rank * s->leaves / c->size : 0;
    *last = c ? (c->rank + 1) * s->leaves / c->size : s->leaves;
}

bool rv_tree_make(rv_tree *t, const rv_setup *s, int64_t numbers, rv_error *error)
{
    *t = (rv_tree){.setup = s};
    rv_tree_range(s, &t->first, &t->last);
    bool ok = rv_tensor_new(&t->node, s->dtype, RV_SHAPE(numbers), error) &&
              rv_tensor_new(&t->other, s->dtype, RV_SHAPE(numbers), error);
    for (int k = 0; ok && t->last - t->first > INT64_C(1) << k; k++)
        ok = rv_tensor_new(&t->left[k], s->dtype, RV_SHAPE(numbers), error);
    return ok;
}

void rv_tree_free(rv_tree *t)
{
    for (int k = 0; k < RV_TREE_LEVELS; k++) rv_tensor_free(&t->left[k]);
    rv_tensor_free(&t->node);
    rv_tensor_free(&t->other);
}

/* to[first .. last-1] += from[the same] */
static void add(rv_tensor *to, const rv_tensor *from, int64_t first, int64_t last)
{
    if (to->dtype == RV_F64) {
        double *t = to->data;
        const double *f = from->data;
        for (int64_t i = first; i < last; i++) t[i] += f[i];
    } else {
        float *t = to->data;
        const float *f = from->data;
        for (int64_t i = first; i < last; i++) t[i] += f[i];
    }
}

/* Numbers of a message. Nodes travel in pieces, so that one piece climbs while the next is on its
 * way: of 32 KiB in f32, which Open MPI sends over TCP without a handshake. */
enum { PIECE = 1 << 13 };

static void swap(rv_tensor *a, rv_tensor *b)
{
    const rv_tensor kept = *a;
    *a = *b;
    *b = kept;
}

static rv_tensor piece_of(const rv_tensor *node, int64_t first)
{
    const int64_t count = rv_tensor_count(node), left = count - first;
    const size_t size = rv_tensor_bytes(node) / (size_t)count;
    return (rv_tensor){.dtype = node->dtype,
                       .shape = RV_SHAPE(left < PIECE ? left : PIECE),
                       .data = (char *)node->data + (size_t)first * size};
}

/* Adds a piece of a sibling, this rank's or one that its rank sends, to that of t->node. */
static bool add_piece(rv_tree *t, int level, int64_t sibling, int64_t at, rv_error *error)
{
    const bool own = sibling >= t->first && sibling < t->last;
    const rv_tensor other = piece_of(&t->other, at);
    if (!own && !rv_ranks_receive(t->setup->collective, (int)rank_of(t->setup, sibling), other.data,
                                  rv_tensor_bytes(&other), error))
        return false;
    add(&t->node, own ? &t->left[level] : &t->other, at, at + rv_tensor_count(&other));
    return true;
}

/* Sends a piece of t->node to the rank of its parent; or as the root to all. */
static bool send_piece(rv_tree *t, int64_t to, int64_t at, rv_error *error)
{
    const rv_collective *c = t->setup->collective;
    const rv_tensor node = piece_of(&t->node, at), sums = piece_of(t->sums, at);
    const size_t bytes = rv_tensor_bytes(&node);
    if (to >= 0) return rv_ranks_send(c, (int)to, node.data, bytes, error);
    memcpy(sums.data, node.data, bytes);
    return rv_ranks_broadcast(c, sums.data, bytes, error);
}

/* Takes t->node, node k of a level, up to the root, or to a node whose parent is another rank's,
 * and sends it. Most of the siblings on the way come from other ranks. Each piece of the last one
 * is sent on before the next is received. */
static bool join_ranks(rv_tree *t, int level, int64_t k, rv_error *error)
{
    const int64_t leaves = t->setup->leaves, count = rv_tensor_count(&t->node);
    int64_t to = -1, last = -1;
    int last_level = 0;
    for (; INT64_C(1) << level < leaves; level++, k /= 2) {
        const int64_t sibling = (k ^ 1) << level;
        if (sibling >= leaves) continue;
        if (sibling < t->first) {
            to = rank_of(t->setup, sibling);
            break;
        }
        for (int64_t at = 0; last >= 0 && at < count; at += PIECE)
            if (!add_piece(t, last_level, last, at, error)) return false;
        last = sibling;
        last_level = level;
    }
    for (int64_t at = 0; at < count; at += PIECE)
        if ((last >= 0 && !add_piece(t, last_level, last, at, error)) ||
            !send_piece(t, to, at, error))
            return false;
    return true;
}

bool rv_tree_add(rv_tree *t, int64_t leaf, rv_error *error)
{
    const int64_t leaves = t->setup->leaves;
    int level = 0;
    int64_t k = leaf;
    for (; INT64_C(1) << level < leaves; level++, k /= 2) {
        const int64_t sibling = (k ^ 1) << level;
        if (sibling >= leaves) continue;
        if (sibling < t->first || sibling >= t->last) break;
        if (k % 2 == 0) {
            swap(&t->left[level], &t->node);
            return true;
        }
        add(&t->node, &t->left[level], 0, rv_tensor_count(&t->node));
    }
    return join_ranks(t, level, k, error);
}

bool rv_tree_finish(const rv_tree *t, rv_error *error)
{
    const rv_collective *c = t->setup->collective;
    for (int64_t at = 0; c && c->rank && at < rv_tensor_count(t->sums); at += PIECE) {
        const rv_tensor sums = piece_of(t->sums, at);
        if (!rv_ranks_broadcast(c, sums.data, rv_tensor_bytes(&sums), error)) return false;
    }
    return true;
}
