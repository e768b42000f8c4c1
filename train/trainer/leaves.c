#include "train/trainer/leaves.h"

#include <math.h>
#include <string.h>

#include "autograd/anomaly.h"
#include "autograd/program_internal.h"
#include "ops/ops.h"
#include "ops/random_internal.h"
#include "optim/minimize_internal.h"
#include "tensor/clock_internal.h"
#include "tensor/memory.h"
#include "train/trainer/ranks.h"

/* A node's sums: these numbers, then the gradients, one parameter after the other. */
enum { WEIGHT, LOSS, TROUBLE, HEAD }; /* TROUBLE: the ranks that failed or want to stop */

/* Levels of the tree, and programs for leaves: full and smaller batches have leaves of two sizes each. */
enum { LEVELS = 11, SIZES = 4 };
_Static_assert(1 << (LEVELS - 1) >= RV_TRAIN_LEAVES, "a level per bit");

struct rv_leaves {
    const rv_setup *setup;
    rv_store *store;
    int64_t first, last; /* leaves of this rank */
    rv_entry **w;        /* [parameters], of the store */
    int parameters;
    rv_batch_program leaf[SIZES];
    int replaced;
    double recording; /* seconds spent on recording and compiling in this update */
    rv_program *update;
    rv_tensor *sums;                     /* its input: the root's numbers */
    rv_tensor node, other, left[LEVELS]; /* numbers of nodes; left[k] waits for its sibling */
};

/* ---- the programs ---- */

/* A state that a run changes would depend on which leaves a rank has. */
static void check_states(rv_tape *tape)
{
    for (int32_t id = 0; id < rv_tape_count(tape); id++) {
        const rv_node *node = rv_tape_node(tape, id);
        if (node->op != &rv_op_assign || rv_random_is_count(node->entry)) continue;
        rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                     "`leaves`: the net changes its state \"%s\" in each batch, and leaves keep "
                     "none; leave the option out",
                     node->entry->name);
        return;
    }
}

/* Records the gradients of a leaf of n samples. Returns the tape. NULL: out of memory. */
static rv_tape *record_leaf(const rv_leaves *l, int64_t n, rv_var *loss, rv_var **w, rv_var **g,
                            int *count)
{
    rv_net net;
    *w = *g = NULL;
    *count = 0;
    rv_tape *tape = rv_setup_record(l->setup, l->store, n, true, &net);
    if (!tape) return NULL;
    check_states(tape);
    *loss = net.loss;
    if (!rv_tape_error(tape)->code)
        *w = rv_minimize_gradients(net.loss, &l->setup->optimizer, g, count);
    return tape;
}

/* Outputs: the loss, then the gradients. */
static bool make_leaf(const rv_leaves *l, int64_t n, unsigned flags, rv_batch_program *b,
                      rv_error *error)
{
    int count;
    rv_var loss, *w, *g;
    rv_tape *tape = record_leaf(l, n, &loss, &w, &g, &count);
    if (!tape) return rv_fail_memory(error);
    rv_var *outputs = rv_alloc((size_t)count + 1, sizeof *outputs);
    bool ok = outputs || rv_fail_memory(error);
    if (ok) {
        outputs[0] = loss;
        for (int k = 0; k < count; k++) outputs[k + 1] = g[k];
        ok = rv_batch_program_compile(b, tape, n, outputs, count + 1, flags, error);
    }
    rv_free(outputs);
    rv_free(w);
    rv_free(g);
    rv_tape_free(tape);
    return ok;
}

/* The parameter's mean gradient: its numbers in the sums, divided by the weight of all leaves. */
static rv_var mean_gradient(rv_var sums, rv_var weight, int64_t *at, rv_shape shape)
{
    rv_var part = rv_slice_axis(sums, 0, *at, rv_shape_count(shape));
    *at += rv_shape_count(shape);
    return rv_reshape(rv_divide(part, weight), shape);
}

static rv_program *compile_update(const rv_leaves *l, unsigned flags, rv_error *error)
{
    const int count = l->parameters;
    rv_tape *tape = rv_tape_new(l->store, l->setup->dtype);
    rv_var *w = rv_alloc((size_t)count, sizeof *w), *g = rv_alloc((size_t)count, sizeof *g);
    rv_program *program = NULL;
    bool ok = (tape && w && g) || rv_fail_memory(error);
    if (ok) {
        rv_var sums = rv_input(tape, "sums", l->node.shape);
        rv_var weight = rv_maximum(rv_slice_axis(sums, 0, WEIGHT, 1), rv_scalar(tape, 1));
        rv_var loss = rv_divide(rv_slice_axis(sums, 0, LOSS, 1), weight);
        int64_t at = HEAD;
        for (int k = 0; k < count; k++) {
            rv_shape shape = l->w[k]->tensor.shape;
            w[k] = rv_parameter(tape, l->w[k]->name, shape, rv_init_constant(0));
            g[k] = mean_gradient(sums, weight, &at, shape);
        }
        if (!rv_tape_error(tape)->code) rv_minimize_update(&l->setup->optimizer, w, g, count);
        program = rv_compile_with(tape, &loss, 1, flags);
        if (!program) rv_fail(error, rv_tape_error(tape)->code, "%-s", rv_tape_error(tape)->text);
    }
    rv_free(w);
    rv_free(g);
    rv_tape_free(tape);
    return program;
}

/* ---- making them ---- */

/* The parameters that the optimizer updates, and how many numbers a node has. */
static bool find_parameters(rv_leaves *l, int64_t n, int64_t *numbers, rv_error *error)
{
    rv_var loss, *w, *g;
    rv_tape *tape = record_leaf(l, n, &loss, &w, &g, &l->parameters);
    if (!tape) return rv_fail_memory(error);
    const rv_error *failed = rv_tape_error(tape);
    bool ok = failed->code == RV_OK || rv_fail(error, failed->code, "%-s", failed->text);
    if (ok && !(l->w = rv_alloc((size_t)l->parameters, sizeof *l->w))) ok = rv_fail_memory(error);
    *numbers = HEAD;
    for (int k = 0; ok && k < l->parameters; k++) {
        l->w[k] = rv_tape_node(tape, w[k].id)->entry;
        *numbers += rv_tensor_count(&l->w[k]->tensor);
    }
    rv_free(w);
    rv_free(g);
    rv_tape_free(tape);
    return ok;
}

static bool make(rv_leaves *l, int64_t n, rv_error *error)
{
    int64_t numbers = 0;
    const rv_dtype dtype = l->setup->dtype;
    rv_leaves_range(l->setup, &l->first, &l->last);
    if (!find_parameters(l, n / l->setup->leaves, &numbers, error)) return false;
    bool ok = rv_tensor_new(&l->node, dtype, RV_SHAPE(numbers), error) &&
              rv_tensor_new(&l->other, dtype, RV_SHAPE(numbers), error);
    for (int k = 0; ok && l->last - l->first > INT64_C(1) << k; k++)
        ok = rv_tensor_new(&l->left[k], dtype, RV_SHAPE(numbers), error);
    if (!ok || !(l->update = compile_update(l, RV_DEFAULT, error))) return false;
    l->sums = rv_program_input(l->update, "sums");
    return true;
}

rv_leaves *rv_leaves_new(const rv_setup *s, rv_store *store, int64_t n, rv_error *error)
{
    rv_leaves *l = rv_alloc(1, sizeof *l);
    if (!l) {
        rv_fail_memory(error);
        return NULL;
    }
    l->setup = s;
    l->store = store;
    if (make(l, n, error)) return l;
    rv_leaves_free(l);
    return NULL;
}

void rv_leaves_free(rv_leaves *l)
{
    if (!l) return;
    for (int k = 0; k < SIZES; k++) rv_batch_program_free(&l->leaf[k]);
    for (int k = 0; k < LEVELS; k++) rv_tensor_free(&l->left[k]);
    rv_tensor_free(&l->node);
    rv_tensor_free(&l->other);
    rv_program_free(l->update);
    rv_free(l->w);
    rv_free(l);
}

size_t rv_leaves_bytes(const rv_leaves *l)
{
    size_t bytes = rv_program_statistics(l->update).arena_bytes;
    for (int k = 0; k < SIZES; k++)
        if (l->leaf[k].program) bytes += rv_program_statistics(l->leaf[k].program).arena_bytes;
    return bytes;
}

/* The program for a leaf of n samples. */
static const rv_batch_program *fit_leaf(rv_leaves *l, int64_t n, rv_error *error)
{
    rv_batch_program *b = NULL;
    for (int k = 0; k < SIZES; k++) {
        if (l->leaf[k].program && l->leaf[k].size == n) return &l->leaf[k];
        if (!b && !l->leaf[k].program) b = &l->leaf[k];
    }
    if (!b) b = &l->leaf[l->replaced++ % SIZES];
    rv_batch_program_free(b);
    const double started = rv_seconds();
    bool ok = make_leaf(l, n, RV_VALUES, b, error);
    l->recording += rv_seconds() - started;
    return ok ? b : NULL;
}

/* ---- a leaf ---- */

static int64_t rank_of(const rv_leaves *l, int64_t leaf)
{
    const rv_collective *c = l->setup->collective;
    return c ? ((leaf + 1) * c->size - 1) / l->setup->leaves : 0;
}

void rv_leaves_range(const rv_setup *s, int64_t *first, int64_t *last)
{
    const rv_collective *c = s->collective;
    *first = c ? c->rank * s->leaves / c->size : 0;
    *last = c ? (c->rank + 1) * s->leaves / c->size : s->leaves;
}

static rv_tensor rows_of(rv_tensor t, int64_t first, int64_t count)
{
    const size_t row = rv_tensor_bytes(&t) / (size_t)t.shape.dim[0];
    t.data = (char *)t.data + (size_t)first * row;
    t.shape.dim[0] = count;
    return t;
}

/* The samples of a leaf; count 0: none. */
static rv_batch leaf_of(const rv_leaves *l, const rv_batch *batch, int64_t leaf)
{
    const int64_t n = batch->count, leaves = l->setup->leaves;
    const int64_t first = n * leaf / leaves, count = n * (leaf + 1) / leaves - first;
    rv_batch part = *batch;
    part.count = count;
    part.x = rows_of(batch->x, first, count);
    part.y = rows_of(batch->y, first, count);
    part.length = rows_of(batch->length, first, count);
    return part;
}

/* What a leaf's mean counts for: its samples or, with an answer at each time step, its time steps. */
static double weight_of(const rv_setup *s, const rv_batch *leaf)
{
    if (!s->data.each_step || !s->data.lengths) return (double)leaf->count;
    double sum = 0;
    for (int64_t i = 0; i < leaf->count; i++)
        sum += fmin(rv_tensor_get(&leaf->length, i), (double)s->data.y.dim[0]);
    return sum;
}

/* to[at ..] = weight from */
static void scale(rv_tensor *to, int64_t at, const rv_tensor *from, double weight)
{
    const int64_t count = rv_tensor_count(from);
    if (to->dtype == RV_F64) {
        double *t = (double *)to->data + at;
        const double *f = from->data;
        for (int64_t i = 0; i < count; i++) t[i] = weight * f[i];
    } else {
        float *t = (float *)to->data + at, w = (float)weight;
        const float *f = from->data;
        for (int64_t i = 0; i < count; i++) t[i] = w * f[i];
    }
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

/* Runs a leaf and writes its numbers into l->node. Its random numbers are those of run `count` + leaf. */
static bool run_leaf(rv_leaves *l, const rv_batch *batch, int64_t leaf, int64_t count,
                     rv_error *error)
{
    rv_batch part = leaf_of(l, batch, leaf);
    if (part.count == 0) {
        memset(l->node.data, 0, rv_tensor_bytes(&l->node));
        return true;
    }
    const rv_batch_program *b = fit_leaf(l, part.count, error);
    rv_random_set_count(l->store, count + leaf);
    if (!b || !rv_batch_program_run(b, &part, error)) return false;
    const double weight = weight_of(l->setup, &part);
    rv_tensor_set(&l->node, WEIGHT, weight);
    scale(&l->node, LOSS, rv_program_output(b->program, 0), weight);
    int64_t at = HEAD;
    for (int k = 1; k <= l->parameters; k++) {
        const rv_tensor *g = rv_program_output(b->program, k);
        scale(&l->node, at, g, weight);
        at += rv_tensor_count(g);
    }
    return true;
}

/* ---- the tree ---- */

/* Node k of level j holds leaves k 2^j .. (k+1) 2^j - 1. A node without a right sibling is its parent. */

/* Numbers of a message. Nodes travel in pieces, so that one piece climbs while the next is on its way: of 32 KiB in f32,
 * which Open MPI sends over TCP without a handshake. */
enum { PIECE = 1 << 13 };

static void swap(rv_tensor *a, rv_tensor *b)
{
    rv_tensor t = *a;
    *a = *b;
    *b = t;
}

static rv_tensor piece_of(const rv_tensor *node, int64_t first)
{
    const int64_t left = rv_tensor_count(node) - first;
    return rows_of(*node, first, left < PIECE ? left : PIECE);
}

/* Adds a piece of a sibling, this rank's or one that its rank sends, to that of l->node. */
static bool add_piece(rv_leaves *l, int level, int64_t sibling, int64_t at, rv_error *error)
{
    const bool own = sibling >= l->first && sibling < l->last;
    const rv_tensor other = piece_of(&l->other, at);
    if (!own && !rv_ranks_receive(l->setup->collective, (int)rank_of(l, sibling), other.data,
                                  rv_tensor_bytes(&other), error))
        return false;
    add(&l->node, own ? &l->left[level] : &l->other, at, at + rv_tensor_count(&other));
    return true;
}

/* Sends a piece of l->node to the rank of its parent; or as the root to all. */
static bool send_piece(rv_leaves *l, int64_t to, int64_t at, rv_error *error)
{
    const rv_collective *c = l->setup->collective;
    const rv_tensor node = piece_of(&l->node, at), sums = piece_of(l->sums, at);
    const size_t bytes = rv_tensor_bytes(&node);
    if (to >= 0) return rv_ranks_send(c, (int)to, node.data, bytes, error);
    memcpy(sums.data, node.data, bytes);
    return rv_ranks_broadcast(c, sums.data, bytes, error);
}

/* Takes l->node, node k of a level, up to the root, or to a node whose parent is another rank's, and sends it. Most of the
 * siblings on the way come from other ranks. Each piece of the last one is sent on before the next is received. */
static bool join_ranks(rv_leaves *l, int level, int64_t k, rv_error *error)
{
    const int64_t leaves = l->setup->leaves, count = rv_tensor_count(&l->node);
    int64_t to = -1, last = -1;
    int last_level = 0;
    for (; INT64_C(1) << level < leaves; level++, k /= 2) {
        const int64_t sibling = (k ^ 1) << level;
        if (sibling >= leaves) continue;
        if (sibling < l->first) {
            to = rank_of(l, sibling);
            break;
        }
        for (int64_t at = 0; last >= 0 && at < count; at += PIECE)
            if (!add_piece(l, last_level, last, at, error)) return false;
        last = sibling;
        last_level = level;
    }
    for (int64_t at = 0; at < count; at += PIECE)
        if ((last >= 0 && !add_piece(l, last_level, last, at, error)) ||
            !send_piece(l, to, at, error))
            return false;
    return true;
}

/* Adds l->node, the numbers of a leaf of this rank, to the nodes of this rank, as far as they are complete. */
static bool climb(rv_leaves *l, int64_t leaf, rv_error *error)
{
    const int64_t leaves = l->setup->leaves;
    int level = 0;
    int64_t k = leaf;
    for (; INT64_C(1) << level < leaves; level++, k /= 2) {
        const int64_t sibling = (k ^ 1) << level;
        if (sibling >= leaves) continue;
        if (sibling < l->first || sibling >= l->last) break;
        if (k % 2 == 0) {
            swap(&l->left[level], &l->node);
            return true;
        }
        add(&l->node, &l->left[level], 0, rv_tensor_count(&l->node));
    }
    return join_ranks(l, level, k, error);
}

/* Sums this rank's leaves into the tree, and sets l->sums to the root's numbers. A rank that has failed sends what it has,
 * so that no other waits. A rank that is well enters its store before it says so: an update that all agree on cannot fail.
 * False only if the ranks can no longer exchange anything. */
static bool sum_leaves(rv_leaves *l, const rv_batch *batch, int64_t count, bool stop, bool *entered,
                       rv_error *failed, rv_error *error)
{
    const rv_collective *c = l->setup->collective;
    for (int64_t leaf = l->first; leaf < l->last; leaf++) {
        bool ok = failed->code == RV_OK && run_leaf(l, batch, leaf, count, failed);
        if (ok && leaf == l->last - 1) ok = *entered = rv_store_enter(l->store, failed);
        rv_tensor_set(&l->node, TROUBLE, !ok || (stop && leaf == l->first));
        if (!climb(l, leaf, error)) return false;
    }
    for (int64_t at = 0; c && c->rank && at < rv_tensor_count(l->sums); at += PIECE) {
        const rv_tensor sums = piece_of(l->sums, at);
        if (!rv_ranks_broadcast(c, sums.data, rv_tensor_bytes(&sums), error)) return false;
    }
    return true;
}

/* ---- NaN and infinity ---- */

/* Runs a program op by op. It ends before it assigns anything. */
static bool check_leaf(const rv_leaves *l, const rv_batch *batch, int64_t leaf, int64_t count,
                       rv_error *error)
{
    rv_batch part = leaf_of(l, batch, leaf);
    rv_batch_program slow = {0};
    if (part.count == 0) return true;
    rv_random_set_count(l->store, count + leaf);
    bool ok = make_leaf(l, part.count, RV_CHECKED, &slow, error) &&
              rv_batch_program_feed(&slow, &part, error) &&
              rv_run_checked(slow.program, NULL, error) == RV_OK;
    rv_batch_program_free(&slow);
    return ok;
}

static bool check_update(const rv_leaves *l, rv_error *error)
{
    rv_program *slow = compile_update(l, RV_CHECKED, error);
    bool ok = slow && rv_tensor_copy(rv_program_input(slow, "sums"), l->sums, error) &&
              rv_run_checked(slow, NULL, error) == RV_OK;
    rv_program_free(slow);
    return ok;
}

/* Undoes the update, and finds the op at fault: in a leaf of some rank, or in the update. */
static bool name_the_op(rv_leaves *l, rv_nan_guard *guard, const rv_batch *batch, int64_t count,
                        const char *words, rv_error *error)
{
    rv_error why = {0};
    bool stop = false;
    rv_nan_guard_restore(guard, l->store);
    for (int64_t leaf = l->first; leaf < l->last && why.code == RV_OK; leaf++)
        check_leaf(l, batch, leaf, count, &why);
    rv_random_set_count(l->store, count);
    if (rv_ranks_agree(l->setup->collective, &stop, &why) && check_update(l, &why))
        rv_nan_guard_fail(&why);
    rv_nan_guard_restore(guard, l->store);
    return rv_fail(error, why.code, "%s: %-s", words, why.text);
}

/* ---- an update ---- */

/* Whether no rank has failed; else all have the same error. */
static bool agree(rv_leaves *l, const rv_batch *batch, int64_t count, bool *stop, bool *entered,
                  rv_error *error)
{
    rv_error broken = {0};
    if (!sum_leaves(l, batch, count, *stop, entered, error, &broken))
        return rv_fail(error, broken.code, "%-s", broken.text);
    return rv_tensor_get(l->sums, TROUBLE) == 0 ||
           rv_ranks_agree(l->setup->collective, stop, error);
}

bool rv_leaves_update(rv_leaves *l, rv_nan_guard *guard, const rv_batch *batch, const char *words,
                      double *loss, double *recording, bool *stop, rv_error *error)
{
    const rv_setup *s = l->setup;
    const int64_t count = rv_random_count(l->store);
    bool entered = false;
    l->recording = 0;
    if (error->code == RV_OK && s->anomaly) rv_nan_guard_keep(guard, l->store, error);
    const bool ok = agree(l, batch, count, stop, &entered, error);
    *recording = l->recording;
    rv_random_set_count(l->store, ok ? count + s->leaves : count); /* a failure leaves no trace */
    if (ok) rv_run_entered(l->update);
    if (entered) rv_store_leave(l->store);
    if (!ok) return false;
    *loss = rv_value(l->update, 0);
    return !s->anomaly || (isfinite(*loss) && !rv_nan_guard_damaged(guard, l->store)) ||
           name_the_op(l, guard, batch, count, words, error);
}
