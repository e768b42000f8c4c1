#include "train/trainer/leaf.h"

#include <math.h>
#include <string.h>

#include "autograd/anomaly.h"
#include "ops/ops.h"
#include "ops/random_internal.h"
#include "optim/minimize_internal.h"
#include "tensor/clock_internal.h"
#include "tensor/memory.h"

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
static rv_tape *record_leaf(const rv_leaf_programs *l, int64_t n, rv_var *loss, rv_var **w,
                            rv_var **g, int *count)
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
static bool make_leaf(const rv_leaf_programs *l, int64_t n, unsigned flags, rv_batch_program *b,
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

bool rv_leaf_programs_make(rv_leaf_programs *l, const rv_setup *s, rv_store *store, int64_t n,
                           int64_t *numbers, rv_error *error)
{
    rv_var loss, *w, *g;
    *l = (rv_leaf_programs){.setup = s, .store = store};
    rv_tape *tape = record_leaf(l, n, &loss, &w, &g, &l->parameters);
    if (!tape) return rv_fail_memory(error);
    const rv_error *failed = rv_tape_error(tape);
    bool ok = failed->code == RV_OK || rv_fail(error, failed->code, "%-s", failed->text);
    if (ok && !(l->w = rv_alloc((size_t)l->parameters, sizeof *l->w))) ok = rv_fail_memory(error);
    *numbers = RV_NODE_HEAD;
    for (int k = 0; ok && k < l->parameters; k++) {
        l->w[k] = rv_tape_node(tape, w[k].id)->entry;
        *numbers += rv_tensor_count(&l->w[k]->tensor);
    }
    rv_free(w);
    rv_free(g);
    rv_tape_free(tape);
    return ok;
}

void rv_leaf_programs_free(rv_leaf_programs *l)
{
    for (int k = 0; k < RV_LEAF_SIZES; k++) rv_batch_program_free(&l->of_size[k]);
    rv_free(l->w);
}

size_t rv_leaf_programs_bytes(const rv_leaf_programs *l)
{
    size_t bytes = 0;
    for (int k = 0; k < RV_LEAF_SIZES; k++)
        if (l->of_size[k].program)
            bytes += rv_program_statistics(l->of_size[k].program).arena_bytes;
    return bytes;
}

/* The program for a leaf of n samples. */
static const rv_batch_program *fit_leaf(rv_leaf_programs *l, int64_t n, rv_error *error)
{
    rv_batch_program *b = NULL;
    for (int k = 0; k < RV_LEAF_SIZES; k++) {
        if (l->of_size[k].program && l->of_size[k].size == n) return &l->of_size[k];
        if (!b && !l->of_size[k].program) b = &l->of_size[k];
    }
    if (!b) b = &l->of_size[l->replaced++ % RV_LEAF_SIZES];
    rv_batch_program_free(b);
    const double started = rv_seconds();
    bool ok = make_leaf(l, n, RV_VALUES, b, error);
    l->recording += rv_seconds() - started;
    return ok ? b : NULL;
}

/* ---- a leaf ---- */

static rv_tensor rows_of(rv_tensor t, int64_t first, int64_t count)
{
    const size_t row = rv_tensor_bytes(&t) / (size_t)t.shape.dim[0];
    t.data = (char *)t.data + (size_t)first * row;
    t.shape.dim[0] = count;
    return t;
}

/* The samples of a leaf; count 0: none. */
static rv_batch leaf_of(const rv_leaf_programs *l, const rv_batch *batch, int64_t leaf)
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

/* What a leaf's mean counts for: its samples or, with an answer at each time step, its time
 * steps. */
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

bool rv_leaf_run(rv_leaf_programs *l, const rv_batch *batch, int64_t leaf, int64_t count,
                 rv_tensor *node, rv_error *error)
{
    rv_batch part = leaf_of(l, batch, leaf);
    if (part.count == 0) {
        memset(node->data, 0, rv_tensor_bytes(node));
        return true;
    }
    const rv_batch_program *b = fit_leaf(l, part.count, error);
    rv_random_set_count(l->store, count + leaf);
    if (!b || !rv_batch_program_run(b, &part, error)) return false;
    const double weight = weight_of(l->setup, &part);
    rv_tensor_set(node, RV_NODE_WEIGHT, weight);
    scale(node, RV_NODE_LOSS, rv_program_output(b->program, 0), weight);
    int64_t at = RV_NODE_HEAD;
    for (int k = 1; k <= l->parameters; k++) {
        const rv_tensor *g = rv_program_output(b->program, k);
        scale(node, at, g, weight);
        at += rv_tensor_count(g);
    }
    return true;
}

bool rv_leaf_check(const rv_leaf_programs *l, const rv_batch *batch, int64_t leaf, int64_t count,
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
