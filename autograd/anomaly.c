#include "autograd/anomaly.h"

#include <string.h>

#include "autograd/program/program.h"
#include "autograd/program/fused_group.h"
#include "autograd/tape_internal.h"
#include "tensor/text_internal.h"

/* ---- detection ---- */

static bool is_finite(const rv_extent *e) { return e->first < 0; }

/* Whether the op itself produced the NaN or infinity. NaN in the inputs explains NaN; NaN or
 * infinity in the inputs explains infinity. */
static bool made_here(const rv_extent *out, int64_t nans_before, int64_t infinities_before)
{
    return out->nans ? !nans_before : out->infinities && !nans_before && !infinities_before;
}

static rv_extent extent_of(rv_type type, const void *data, bool single)
{
    rv_tensor tensor = {type.dtype, single ? RV_SCALAR : type.shape, (void *)(uintptr_t)data};
    return rv_tensor_extent(&tensor);
}

/* Whether the call produced NaN or infinity. Its inputs are unchanged, because the program does not
 * work in place. */
static bool call_is_anomalous(const rv_program *program, const rv_call *call, rv_anomaly *a)
{
    const rv_node *node = rv_tape_node(a->tape, a->node);
    const rv_fused_op *fused =
        call->run == rv_run_fused_group ? ((const rv_fused_group *)call->plan)->op : NULL;
    const void *const *in = fused ? fused->in : call->in;
    int64_t nans = 0, infinities = 0;
    a->out = extent_of(node->type, call->out, false);
    if (is_finite(&a->out)) return false;
    for (int k = 0; k < node->inputs; k++) {
        bool single = fused && k < 32 && fused->scalar >> k & 1;
        rv_extent e = extent_of(program->tape->nodes[node->in[k]].type, in[k], single);
        nans += e.nans;
        infinities += e.infinities;
        if (k < RV_ANOMALY_INPUTS) a->in[k] = e;
    }
    return made_here(&a->out, nans, infinities);
}

/* Checks inputs and parameters. States and constants may hold infinity on purpose. */
static bool leaf_is_anomalous(const rv_program *program, rv_anomaly *a)
{
    const rv_tape *tape = program->tape;
    for (int32_t id = 0, input = 0; id < tape->count; id++) {
        const rv_node *node = &tape->nodes[id];
        bool parameter =
            node->entry && node->op->kind == RV_OP_LEAF && node->entry->role == RV_PARAMETER;
        if (node->op != &rv_op_input && !parameter) continue;
        a->node = id;
        a->out = rv_tensor_extent(parameter ? &node->entry->tensor : &program->inputs[input++]);
        if (!is_finite(&a->out)) return true;
    }
    return false;
}

/* ---- the report ---- */

/* Writes the coordinates of element `index` of a tensor. */
static const char *index_text(rv_shape shape, int64_t index, char words[RV_SHAPE_TEXT])
{
    rv_shape at = shape;
    for (int64_t d = shape.rank - 1; d >= 0; d--) {
        at.dim[d] = index % shape.dim[d];
        index /= shape.dim[d];
    }
    return rv_shape_text(at, words);
}

/* "NaN in 3 of 8 elements" */
static void put_nonfinite(rv_text *t, const rv_extent *e)
{
    rv_put(t, "%s in %lld of %lld element(s)", e->nans ? "NaN" : "infinity",
           (long long)(e->nans ? e->nans : e->infinities), (long long)e->count);
}

static void put_input(rv_text *t, const rv_anomaly *a, int k)
{
    const rv_node *node = rv_tape_node(a->tape, a->node);
    const rv_extent *e = &a->in[k];
    const char *args = node->op->args;
    char described[RV_NODE_TEXT];
    for (int i = 0; i < k && strchr(args, ' '); i++) args = strchr(args, ' ') + 1;
    if (*args != '.') rv_put(t, "%.*s ", (int)strcspn(args, " "), args);
    rv_put(t, "%s", rv_tape_describe(a->tape, node->in[k], described));
    if (!is_finite(e)) {
        rv_put(t, " with ");
        put_nonfinite(t, e);
    }
    if (e->low < e->high)
        rv_put(t, " from %g to %g", e->low, e->high);
    else if (e->low == e->high)
        rv_put(t, " %g", e->low);
}

static void report(const rv_anomaly *a, rv_error *error)
{
    const rv_node *node = rv_tape_node(a->tape, a->node);
    char words[RV_ERROR_TEXT], described[RV_NODE_TEXT], index[RV_SHAPE_TEXT], in[RV_ORIGIN_TEXT];
    bool leaf = node->op->kind == RV_OP_LEAF;
    rv_text t = {words, words + sizeof words};
    rv_put(&t, "%s%s%s: ", node->op->name, leaf ? " " : "",
           leaf ? rv_tape_describe(a->tape, a->node, described) : "");
    put_nonfinite(&t, &a->out);
    rv_put(&t, "%s%s, the first at %s", leaf ? "" : " of ", leaf ? "" : node->op->formula,
           index_text(node->type.shape, a->out.first, index));
    for (int k = 0; k < node->inputs && k < RV_ANOMALY_INPUTS; k++) {
        rv_put(&t, k ? ", " : " (");
        put_input(&t, a, k);
    }
    if (node->inputs > RV_ANOMALY_INPUTS) rv_put(&t, ", ..");
    if (!leaf && *rv_origin_text(node->origin, in)) rv_put(&t, ", in %s", in);
    rv_put(&t, leaf ? " before anything is computed" : ")");
    rv_fail(error, RV_ERROR_NUMBER, "%s", words);
}

/* ---- running ---- */

static bool is_effect(const rv_program *program, int64_t i)
{
    return program->tape->nodes[program->node[i]].op->kind == RV_OP_EFFECT;
}

/* Runs the program on the calling thread, with every call uncut, up to the first anomaly. */
static bool run_until_anomaly(const rv_program *program, rv_anomaly *a)
{
    a->tape = program->tape;
    if (leaf_is_anomalous(program, a)) return false;
    for (int64_t i = 0; i < program->count; i++) {
        rv_call whole = program->calls[0][i];
        whole.part = 0;
        whole.parts = 1;
        whole.run(&whole);
        a->node = program->node[i];
        if (!is_effect(program, i) && call_is_anomalous(program, &whole, a)) return false;
    }
    return true;
}

rv_code rv_run_checked(rv_program *program, rv_anomaly *found, rv_error *error)
{
    rv_anomaly a = {0};
    if (!program || program->flags & (RV_FUSE | RV_IN_PLACE)) {
        rv_fail(error, RV_ERROR_ARGUMENT, "run: %s; compile with RV_CHECKED",
                program ? "the program fuses ops or works in place" : "there is no program");
        return RV_ERROR_ARGUMENT;
    }
    if (!rv_store_enter(program->tape->store, error)) return RV_ERROR_BUSY;
    bool fine = run_until_anomaly(program, &a);
    rv_store_leave(program->tape->store);
    if (fine) return RV_OK;
    report(&a, error);
    if (found) *found = a;
    return RV_ERROR_NUMBER;
}
