#include "train/trainer/leaves.h"

#include <math.h>

#include "autograd/anomaly.h"
#include "autograd/program_internal.h"
#include "ops/ops.h"
#include "ops/random_internal.h"
#include "optim/minimize_internal.h"
#include "tensor/memory.h"
#include "train/trainer/leaf.h"
#include "train/trainer/ranks.h"
#include "train/trainer/tree.h"

struct rv_leaves {
    rv_leaf_programs leaf;
    rv_tree tree;
    rv_program *update; /* its input is the root's numbers */
};

/* ---- the program of an update ---- */

/* The parameter's mean gradient: its numbers in the sums, divided by the weight of all leaves. */
static rv_var mean_gradient(rv_var sums, rv_var weight, int64_t *at, rv_shape shape)
{
    rv_var part = rv_slice_axis(sums, 0, *at, rv_shape_count(shape));
    *at += rv_shape_count(shape);
    return rv_reshape(rv_divide(part, weight), shape);
}

static rv_program *compile_update(const rv_leaves *l, unsigned flags, rv_error *error)
{
    const rv_setup *s = l->leaf.setup;
    const int count = l->leaf.parameters;
    rv_tape *tape = rv_tape_new(l->leaf.store, s->dtype);
    rv_var *w = rv_alloc((size_t)count, sizeof *w), *g = rv_alloc((size_t)count, sizeof *g);
    rv_program *program = NULL;
    bool ok = (tape && w && g) || rv_fail_memory(error);
    if (ok) {
        rv_var sums = rv_input(tape, "sums", l->tree.node.shape);
        rv_var weight = rv_maximum(rv_slice_axis(sums, 0, RV_NODE_WEIGHT, 1), rv_scalar(tape, 1));
        rv_var loss = rv_divide(rv_slice_axis(sums, 0, RV_NODE_LOSS, 1), weight);
        int64_t at = RV_NODE_HEAD;
        for (int k = 0; k < count; k++) {
            rv_shape shape = l->leaf.w[k]->tensor.shape;
            w[k] = rv_parameter(tape, l->leaf.w[k]->name, shape, rv_init_constant(0));
            g[k] = mean_gradient(sums, weight, &at, shape);
        }
        if (!rv_tape_error(tape)->code) rv_minimize_update(&s->optimizer, w, g, count);
        program = rv_compile_with(tape, &loss, 1, flags);
        if (!program) rv_fail(error, rv_tape_error(tape)->code, "%-s", rv_tape_error(tape)->text);
    }
    rv_free(w);
    rv_free(g);
    rv_tape_free(tape);
    return program;
}

/* ---- making it ---- */

static bool make(rv_leaves *l, const rv_setup *s, rv_store *store, int64_t n, rv_error *error)
{
    int64_t numbers = 0;
    if (!rv_leaf_programs_make(&l->leaf, s, store, n / s->leaves, &numbers, error) ||
        !rv_tree_make(&l->tree, s, numbers, error) ||
        !(l->update = compile_update(l, RV_DEFAULT, error)))
        return false;
    l->tree.sums = rv_program_input(l->update, "sums");
    return true;
}

rv_leaves *rv_leaves_new(const rv_setup *s, rv_store *store, int64_t n, rv_error *error)
{
    rv_leaves *l = rv_alloc(1, sizeof *l);
    if (!l) {
        rv_fail_memory(error);
        return NULL;
    }
    if (make(l, s, store, n, error)) return l;
    rv_leaves_free(l);
    return NULL;
}

void rv_leaves_free(rv_leaves *l)
{
    if (!l) return;
    rv_leaf_programs_free(&l->leaf);
    rv_tree_free(&l->tree);
    rv_program_free(l->update);
    rv_free(l);
}

size_t rv_leaves_bytes(const rv_leaves *l)
{
    return rv_program_statistics(l->update).arena_bytes + rv_leaf_programs_bytes(&l->leaf);
}

/* ---- NaN and infinity ---- */

static bool check_update(const rv_leaves *l, rv_error *error)
{
    rv_program *slow = compile_update(l, RV_CHECKED, error);
    bool ok = slow && rv_tensor_copy(rv_program_input(slow, "sums"), l->tree.sums, error) &&
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
    rv_nan_guard_restore(guard, l->leaf.store);
    for (int64_t leaf = l->tree.first; leaf < l->tree.last && why.code == RV_OK; leaf++)
        rv_leaf_check(&l->leaf, batch, leaf, count, &why);
    rv_random_set_count(l->leaf.store, count);
    if (rv_ranks_agree(l->leaf.setup->collective, &stop, &why) && check_update(l, &why))
        rv_nan_guard_fail(&why);
    rv_nan_guard_restore(guard, l->leaf.store);
    return rv_fail(error, why.code, "%s: %-s", words, why.text);
}

/* ---- an update ---- */

/* Sums this rank's leaves into the tree, and sets l->tree.sums to the root's numbers. A rank that
 * has failed sends what it has, so that no other waits. A rank that is well enters its store before
 * it says so: an update that all agree on cannot fail. False only if the ranks can no longer
 * exchange anything. */
static bool sum_leaves(rv_leaves *l, const rv_batch *batch, int64_t count, bool stop, bool *entered,
                       rv_error *failed, rv_error *error)
{
    for (int64_t leaf = l->tree.first; leaf < l->tree.last; leaf++) {
        bool ok = failed->code == RV_OK &&
                  rv_leaf_run(&l->leaf, batch, leaf, count, &l->tree.node, failed);
        if (ok && leaf == l->tree.last - 1) ok = *entered = rv_store_enter(l->leaf.store, failed);
        rv_tensor_set(&l->tree.node, RV_NODE_TROUBLE, !ok || (stop && leaf == l->tree.first));
        if (!rv_tree_add(&l->tree, leaf, error)) return false;
    }
    return rv_tree_finish(&l->tree, error);
}

/* Whether no rank has failed; else all have the same error. */
static bool agree(rv_leaves *l, const rv_batch *batch, int64_t count, bool *stop, bool *entered,
                  rv_error *error)
{
    rv_error broken = {0};
    if (!sum_leaves(l, batch, count, *stop, entered, error, &broken))
        return rv_fail(error, broken.code, "%-s", broken.text);
    return rv_tensor_get(l->tree.sums, RV_NODE_TROUBLE) == 0 ||
           rv_ranks_agree(l->leaf.setup->collective, stop, error);
}

bool rv_leaves_update(rv_leaves *l, rv_nan_guard *guard, const rv_batch *batch, const char *words,
                      double *loss, double *recording, bool *stop, rv_error *error)
{
    const rv_setup *s = l->leaf.setup;
    const int64_t count = rv_random_count(l->leaf.store);
    bool entered = false;
    l->leaf.recording = 0;
    if (error->code == RV_OK && s->anomaly) rv_nan_guard_keep(guard, l->leaf.store, error);
    const bool ok = agree(l, batch, count, stop, &entered, error);
    *recording = l->leaf.recording;
    /* A failure leaves no trace. */
    rv_random_set_count(l->leaf.store, ok ? count + s->leaves : count);
    if (ok) rv_run_entered(l->update);
    if (entered) rv_store_leave(l->leaf.store);
    if (!ok) return false;
    *loss = rv_value(l->update, 0);
    return !s->anomaly || (isfinite(*loss) && !rv_nan_guard_damaged(guard, l->leaf.store)) ||
           name_the_op(l, guard, batch, count, words, error);
}
