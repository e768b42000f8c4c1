/* Reverse-mode differentiation. A node's cotangent is a sum of terms, one from each use of the
 * node. The sweep visits the nodes from y down to the first. All uses of a node have higher ids, so
 * its terms are complete when the sweep reaches it. The sweep sums them, and the op's gradient
 * rule turns the sum into a term for each input. Rules record ordinary ops on the same tape, so
 * gradients can be differentiated again (invariant 4). */
#include "autograd/element_internal.h"
#include "autograd/gradient.h"

#include "autograd/recompute.h"
#include "autograd/replay_internal.h"
#include "autograd/tape_internal.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"

/* A term of a node's cotangent. The terms of a node are a linked list. */
typedef struct term {
    int32_t var;  /* id of the term's value */
    int32_t next; /* 1 + index of the previous term of the node; 0: none */
} term;

/* What the sweep knows of a node. */
typedef struct visit {
    bool depends;   /* on some wrt; cotangents of other nodes are not computed */
    int32_t latest; /* 1 + index of the node's latest term; 0: none */
    int32_t whole;  /* 1 + id of the summed cotangent; 0: none yet */
} visit;

typedef struct sweep {
    rv_tape *tape;
    int32_t first, count; /* of the nodes: first .. count-1, from the first wrt to the last y */
    visit *visits;        /* [count - first] */
    term *terms;
    size_t term_count, term_capacity;
    rv_replay replay; /* of the segment that the sweep is in (recompute.h) */
} sweep;

static bool differentiable(rv_dtype dtype) { return dtype == RV_F32 || dtype == RV_F64; }

/* NULL: the sweep does not cover the node, which depends on no wrt. */
static visit *visit_of(const sweep *s, int32_t id)
{
    return id >= s->first && id < s->count ? &s->visits[id - s->first] : NULL;
}

static bool depends(const sweep *s, int32_t id)
{
    const visit *v = visit_of(s, id);
    return v && v->depends;
}

/* Finds out which nodes are covered, and which of them depend on some wrt. */
static bool mark_dependent(sweep *s, const rv_var *wrt, int count)
{
    s->first = s->count;
    for (int i = 0; i < count; i++)
        if (wrt[i].id < s->first) s->first = wrt[i].id;
    s->visits = rv_alloc((size_t)(s->count - s->first) + 1, sizeof *s->visits);
    if (!s->visits) return rv_fail_memory(&s->tape->error);
    for (int i = 0; i < count; i++)
        if (wrt[i].id < s->count) visit_of(s, wrt[i].id)->depends = true;
    for (int32_t id = s->first; id < s->count; id++) {
        const rv_node *node = &s->tape->nodes[id];
        visit *v = visit_of(s, id);
        for (int k = 0; k < node->inputs && !v->depends; k++)
            v->depends = depends(s, node->in[k]) && differentiable(node->type.dtype);
    }
    return true;
}

/* Adds a term to the list of node `to`. */
static bool add_term(sweep *s, int32_t to, rv_var cotangent)
{
    if (!rv_reserve(&s->terms, &s->term_capacity, s->term_count + 1, sizeof *s->terms))
        return rv_fail_memory(&s->tape->error);
    visit *v = visit_of(s, to);
    s->terms[s->term_count++] = (term){cotangent.id, v->latest};
    v->latest = (int32_t)s->term_count;
    return true;
}

/* The cotangent of a node: the sum of its terms. No other function sums cotangents. The order is
 * fixed, from the node's first use on the tape to its last. */
static rv_var sum_terms(sweep *s, int32_t id)
{
    int count = 0;
    const int32_t latest = visit_of(s, id)->latest;
    for (int32_t i = latest; i; i = s->terms[i - 1].next) count++;
    rv_var few[8], *all = few;
    if (count > 8 && !(all = rv_alloc((size_t)count, sizeof *all))) {
        rv_fail_memory(&s->tape->error);
        return (rv_var){s->tape, -1};
    }
    count = 0;
    for (int32_t i = latest; i; i = s->terms[i - 1].next)
        all[count++] = (rv_var){s->tape, s->terms[i - 1].var};
    rv_var sum = rv_add_all(all, count);
    if (all != few) rv_free(all);
    return sum;
}

/* Whether d can be a cotangent of x: same tape, dtype and shape. */
static bool is_cotangent_of(rv_var x, rv_var d)
{
    return d.tape == x.tape && rv_dtype_of(d) == rv_dtype_of(x) &&
           rv_shape_equal(rv_shape_of(d), rv_shape_of(x));
}

/* Refuses a term of the wrong type, which means that the op's gradient rule is wrong. */
static bool check_term(const rv_op *op, int k, rv_var x, rv_var given)
{
    char want[RV_SHAPE_TEXT], seen[RV_SHAPE_TEXT];
    if (is_cotangent_of(x, given)) return true;
    return rv_fail(
        &x.tape->error, RV_ERROR_GRADIENT,
        "gradient: the rule of %s gives input %d a cotangent %s %s%s, the input is %s %s; fix "
        "the rule",
        op->name, k, rv_dtype_name(rv_dtype_of(given)), rv_shape_text(rv_shape_of(given), seen),
        given.tape == x.tape ? "" : " of another tape", rv_dtype_name(rv_dtype_of(x)),
        rv_shape_text(rv_shape_of(x), want));
}

/* Calls the op's gradient rule for each input that depends on some wrt, and adds the result to the
 * input's terms. In a segment, the rule sees the replayed y and x. */
static bool pass_back(sweep *s, int32_t id, rv_var dy, rv_var *x)
{
    rv_tape *tape = s->tape;
    const rv_node node = tape->nodes[id]; /* a copy, because rules may reallocate the nodes */
    if (node.op->zero_gradient) return true;
    if (!rv_replay_for(&s->replay, tape, id, dy)) return false;
    for (int k = 0; k < node.inputs; k++)
        x[k] = (rv_var){tape, rv_replayed(&s->replay, node.in[k])};
    rv_backward backward = {.y = {tape, rv_replayed(&s->replay, id)},
                            .dy = dy,
                            .x = x,
                            .inputs = node.inputs,
                            .attr = node.attr};
    for (int k = 0; k < node.inputs; k++) {
        if (!depends(s, node.in[k]) || !differentiable(tape->nodes[node.in[k]].type.dtype))
            continue;
        if (!node.op->gradient)
            return rv_fail(
                &tape->error, RV_ERROR_GRADIENT,
                "gradient: %s has no gradient rule; give its descriptor one, or stop the "
                "gradient before it (rv_stop_gradient)",
                node.op->name);
        rv_var given = node.op->gradient(&backward, k);
        if (tape->error.code) return false;
        if (rv_is_null(given)) continue; /* zero */
        if (!check_term(node.op, k, x[k], given) || !add_term(s, node.in[k], given)) return false;
    }
    return true;
}

/* Visits the nodes from y down to the first, and skips those without terms. */
static bool sweep_back(sweep *s)
{
    int most = 1;
    for (int32_t id = s->first; id < s->count; id++)
        if (s->tape->nodes[id].inputs > most) most = s->tape->nodes[id].inputs;
    rv_var *x = rv_alloc((size_t)most, sizeof *x);
    bool ok = x || rv_fail_memory(&s->tape->error);

    for (int32_t id = s->count - 1; ok && id >= s->first; id--) {
        if (!visit_of(s, id)->latest) continue;
        rv_origin origin = *s->tape->nodes[id].origin;
        origin.phase = RV_PHASE_GRADIENT;
        rv_tape_set_origin(s->tape, origin);
        rv_var dy = sum_terms(s, id);
        visit_of(s, id)->whole = dy.id + 1;
        ok = !rv_is_null(dy) && pass_back(s, id, dy, x);
    }
    rv_free(x);
    return ok;
}

static rv_var zeros_like(rv_var x)
{
    rv_dtype dtype = rv_dtype_of(x);
    if (dtype == x.tape->dtype) return rv_full(x.tape, rv_shape_of(x), 0);
    if (!differentiable(dtype))
        return rv_tape_fail(x.tape, RV_ERROR_DTYPE,
                            "gradient: asked for with respect to a value of dtype %s; cast it to "
                            "%s",
                            rv_dtype_name(dtype), rv_dtype_name(x.tape->dtype));
    rv_tensor zeros; /* rv_full would have the dtype of the tape */
    rv_var made = {x.tape, -1};
    if (rv_tensor_new(&zeros, dtype, rv_shape_of(x), &x.tape->error))
        made = rv_constant(x.tape, &zeros);
    rv_tensor_free(&zeros);
    return made;
}

/* Checks that d can stand for a change of x or of a cotangent; `d_is` and `x_is` are their names in
 * the message. */
static bool check_vector(rv_error *error, rv_var x, const char *x_is, rv_var d, const char *d_is)
{
    char seen[RV_SHAPE_TEXT], want[RV_SHAPE_TEXT];
    if (rv_is_null(d))
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "gradient: the %s is a null var; check what made it", d_is);
    return is_cotangent_of(x, d) ||
           rv_fail(error, RV_ERROR_SHAPE,
                   "gradient: the %s is %s %s%s, %s is %s %s; give one of %s's type", d_is,
                   rv_dtype_name(rv_dtype_of(d)), rv_shape_text(rv_shape_of(d), seen),
                   d.tape == x.tape ? "" : " on another tape", x_is, rv_dtype_name(rv_dtype_of(x)),
                   rv_shape_text(rv_shape_of(x), want), x_is);
}

/* Checks what is differentiated, by what. Returns false with an error on the tape. */
static bool check_request(rv_var y, const rv_var *wrt, int count, const rv_var *gradient)
{
    if (!y.tape || y.tape->error.code) return false;
    rv_error *error = &y.tape->error;
    if (!RV_NEEDS_ARRAY(error, wrt, count) || !RV_NEEDS_ARRAY(error, gradient, count)) return false;
    if (rv_is_null(y))
        return rv_fail(error, RV_ERROR_ARGUMENT, "gradient: y is a null var; check what made it");
    for (int i = 0; i < count; i++)
        if (rv_is_null(wrt[i]) || wrt[i].tape != y.tape)
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "gradient: wrt[%d] is not a value of this tape; check what made it", i);
    return true;
}

/* gradient[i] = sum_k (d y[k] / d wrt[i])' dy[k]. The arguments are checked. */
static bool sum_of_vjps(const rv_var *y, const rv_var *dy, int outputs, const rv_var *wrt,
                        int count, rv_var *gradient)
{
    rv_tape *tape = y[0].tape;
    sweep s = {.tape = tape};
    for (int k = 0; k < outputs; k++)
        if (s.count <= y[k].id) s.count = y[k].id + 1;
    bool ok = mark_dependent(&s, wrt, count);
    if (ok) {
        rv_scope_push(tape, ""); /* sweep_back sets its origin */
        for (int k = 0; ok && k < outputs; k++)
            if (depends(&s, y[k].id)) ok = add_term(&s, y[k].id, dy[k]);
        ok = ok && sweep_back(&s);
        rv_scope_pop(tape);
    }
    for (int i = 0; i < count; i++) {
        gradient[i] = (rv_var){tape, -1};
        if (ok && wrt[i].id < s.count) gradient[i].id = visit_of(&s, wrt[i].id)->whole - 1;
    }
    rv_free(s.visits);
    rv_free(s.terms);
    rv_free(s.replay.again);
    for (int i = 0; ok && i < count; i++) {
        if (rv_is_null(gradient[i])) gradient[i] = zeros_like(wrt[i]);
        ok = !rv_is_null(gradient[i]);
    }
    for (int i = 0; !ok && i < count; i++) gradient[i] = (rv_var){tape, -1};
    return ok;
}

bool rv_vjp(rv_var y, rv_var dy, const rv_var *wrt, int count, rv_var *gradient)
{
    for (int i = 0; gradient && i < count; i++) gradient[i] = (rv_var){y.tape, -1};
    return check_request(y, wrt, count, gradient) &&
           check_vector(&y.tape->error, y, "y", dy, "cotangent") &&
           sum_of_vjps(&y, &dy, 1, wrt, count, gradient);
}

/* Checks a direction: a v[i] for each wrt[i]. */
static bool check_direction(const rv_var *wrt, const rv_var *v, int count)
{
    if (count && !RV_NEEDS(&wrt[0].tape->error, v)) return false;
    for (int i = 0; i < count; i++)
        if (!check_vector(&wrt[i].tape->error, wrt[i], "wrt", v[i], "direction")) return false;
    return true;
}

/* The cotangents g(u) = J' u are linear in u, so their vjp with v is J v. Only the node u counts,
 * not its value. As it depends on y, y does not depend on it. */
rv_var rv_jvp(rv_var y, const rv_var *wrt, const rv_var *v, int count)
{
    rv_var product = {y.tape, -1};
    if (!check_request(y, wrt, count, wrt) || !check_direction(wrt, v, count)) return product;
    rv_var u = rv_control_dependency(zeros_like(y), y);
    rv_var *g = rv_alloc((size_t)count + 1, sizeof *g);
    if (!g) rv_fail_memory(&y.tape->error);
    if (g && !rv_is_null(u) && count && sum_of_vjps(&y, &u, 1, wrt, count, g))
        sum_of_vjps(g, v, count, &u, 1, &product);
    rv_free(g);
    return count ? product : u;
}

bool rv_hvp(rv_var y, const rv_var *wrt, const rv_var *v, int count, rv_var *product)
{
    for (int i = 0; product && i < count; i++) product[i] = (rv_var){y.tape, -1};
    if (!check_request(y, wrt, count, product)) return false;
    rv_var *g = rv_alloc((size_t)count + 1, sizeof *g);
    if (!g && y.tape) rv_fail_memory(&y.tape->error);
    bool ok = g && rv_gradient(y, wrt, count, g) && check_direction(wrt, v, count) &&
              (!count || sum_of_vjps(g, v, count, wrt, count, product));
    rv_free(g);
    return ok;
}

bool rv_gradient(rv_var y, const rv_var *wrt, int count, rv_var *gradient)
{
    char shape[RV_SHAPE_TEXT];
    if (!rv_is_null(y) && rv_shape_count(rv_shape_of(y)) != 1)
        rv_tape_fail(y.tape, RV_ERROR_SHAPE,
                     "gradient: y has shape %s, expected one element; sum it first, or use rv_vjp",
                     rv_shape_text(rv_shape_of(y), shape));
    if (!rv_is_null(y) && rv_dtype_of(y) != y.tape->dtype)
        rv_tape_fail(y.tape, RV_ERROR_DTYPE,
                     "gradient: y is %s on a tape of %s; cast it to the tape's dtype",
                     rv_dtype_name(rv_dtype_of(y)), rv_dtype_name(y.tape->dtype));
    return rv_vjp(y, rv_full(y.tape, rv_shape_of(y), 1), wrt, count, gradient);
}

int rv_parameters(rv_var y, rv_var *found, int most)
{
    if (!rv_is_null(y) && !RV_NEEDS_ARRAY(&y.tape->error, found, most)) return -1;
    bool *needed = rv_is_null(y) ? NULL : rv_alloc((size_t)y.id + 1, sizeof *needed);
    int count = 0;
    if (!needed) {
        if (!rv_is_null(y)) rv_fail_memory(&y.tape->error);
        return -1;
    }
    needed[y.id] = true;
    for (int32_t id = y.id; id >= 0; id--) {
        const rv_node *node = &y.tape->nodes[id];
        for (int k = 0; needed[id] && k < node->inputs; k++) needed[node->in[k]] = true;
    }
    for (int32_t id = 0; id <= y.id; id++) {
        const rv_entry *entry = y.tape->nodes[id].entry;
        if (!needed[id] || !entry || entry->role != RV_PARAMETER) continue;
        if (count < most) found[count] = (rv_var){y.tape, id};
        count++;
    }
    rv_free(needed);
    return count;
}

/* ---- stop_gradient: y = x, a constant to gradients ---- */

static const rv_sample stop_gradient_samples[] = {{.in = {{2, {3, 5}}}, .low = -2, .high = 2}};

static rv_var call_stop_gradient(rv_arguments *a) { return rv_stop_gradient(a->x[0]); }

static rv_term element(rv_element *e) { return rv_term_input(e, 0, e->at); }

const rv_op rv_op_stop_gradient = {
    .name = "stop_gradient",
    .args = "x",
    .formula = "y = x, dy/dx = 0",
    .doc = "x, taken as a constant by gradients",
    .kind = RV_OP_VIEW,
    .inputs = 1,
    .infer = rv_infer_same,
    .element = element,
    .reference = rv_copy_bytes,
    .zero_gradient = true,
    .rearranges = true,
    .call = call_stop_gradient,
    RV_SAMPLES(stop_gradient_samples),
};

rv_var rv_stop_gradient(rv_var x)
{
    return rv_record(x.tape, &rv_op_stop_gradient, NULL, 0, &x, 1);
}
