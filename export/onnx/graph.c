#include "export/onnx/graph.h"

#include <stdio.h>
#include <string.h>

#include "autograd/gradient.h"
#include "autograd/recompute.h"
#include "ops/attributes_internal.h"
#include "ops/ops.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"

/* ---- the two tapes ---- */

/* Whether two nodes are the same equation, for different numbers of samples. */
static bool correspond(const rv_node *a, const rv_node *b)
{
    bool uniform_a = false, uniform_b = false;
    const void *data_a = rv_constant_data(a, &uniform_a), *data_b = rv_constant_data(b, &uniform_b);
    if (a->op != b->op || a->inputs != b->inputs || a->type.shape.rank != b->type.shape.rank ||
        a->entry != b->entry || uniform_a != uniform_b)
        return false;
    for (int k = 0; k < a->inputs; k++)
        if (a->in[k] != b->in[k]) return false;
    if (!data_a || !data_b || !(uniform_a || rv_shape_equal(a->type.shape, b->type.shape)))
        return !data_a == !data_b; /* elements of as many samples: see same_for_each */
    const int64_t count = uniform_a ? 1 : rv_shape_count(a->type.shape);
    return !memcmp(data_a, data_b, (size_t)count * rv_dtype_size(a->type.dtype));
}

static void compare(rv_onnx_graph *g)
{
    int32_t count = rv_tape_count(g->tape);
    bool same = count == rv_tape_count(g->other);
    for (int32_t id = 0; same && id < count; id++)
        same = correspond(rv_tape_node(g->tape, id), rv_tape_node(g->other, id));
    if (!same)
        rv_onnx_fail(g->model, RV_ERROR_ARGUMENT,
                     "ONNX: the net computes a sample in a way that depends on the number of "
                     "samples; set that with `batch-size`");
}

void rv_onnx_graph_make(rv_onnx_graph *g, rv_onnx *model, const rv_tape *tape, int64_t samples,
                        const rv_tape *other, int64_t other_samples)
{
    *g = (rv_onnx_graph){.model = model,
                         .tape = tape,
                         .other = other,
                         .samples = samples,
                         .other_samples = other_samples};
    size_t count = (size_t)rv_tape_count(tape);
    g->name = rv_alloc(count, sizeof *g->name);
    g->wish = rv_alloc(count, sizeof *g->wish);
    g->needed = rv_alloc(count, sizeof *g->needed);
    g->owner = rv_alloc(count, sizeof *g->owner);
    if (!g->name || !g->wish || !g->needed || !g->owner)
        rv_fail_memory(&model->error);
    else if (other)
        compare(g);
}

void rv_onnx_graph_free(rv_onnx_graph *g)
{
    rv_free(g->name);
    rv_free(g->wish);
    rv_free(g->needed);
    rv_free(g->owner);
}

/* ---- sizes ---- */

rv_onnx_size rv_onnx_size_of(rv_onnx_graph *g, int32_t id, int64_t d)
{
    int64_t size = rv_tape_node(g->tape, id)->type.shape.dim[d];
    int64_t other = g->other ? rv_tape_node(g->other, id)->type.shape.dim[d] : size;
    if (size == other) return (rv_onnx_size){size, NULL};
    if (size % g->samples || size / g->samples * g->other_samples != other)
        rv_onnx_fail(
            g->model, RV_ERROR_ARGUMENT,
            "ONNX: a size is %lld for %lld sample(s) and %lld for %lld, no multiple of their "
            "number; set that with `batch-size`",
            (long long)size, (long long)g->samples, (long long)other, (long long)g->other_samples);
    return (rv_onnx_size){size / g->samples, "batch"};
}

/* `size` times the number of samples, [1]. */
static const char *multiple(rv_onnx *m, int64_t size)
{
    if (size == 1) return rv_onnx_batch(m);
    const char *out = rv_onnx_name(m, "%lld*batch", (long long)size);
    rv_onnx_node(m, "Mul", (const char *[]){rv_onnx_batch(m), rv_onnx_ints(m, &size, 1)}, 2, out);
    return out;
}

const char *rv_onnx_shape_of(rv_onnx_graph *g, int32_t id, bool reshape)
{
    rv_onnx *m = g->model;
    const char *part[RV_MAX_RANK], *out;
    int64_t fixed[RV_MAX_RANK], rank = rv_tape_node(g->tape, id)->type.shape.rank;
    int parts = 0, free = 0;
    for (int64_t d = 0; d < rank; d++) {
        rv_onnx_size s = rv_onnx_size_of(g, id, d);
        fixed[d] = s.free ? -1 : s.size;
        free += s.free != NULL;
    }
    if (!free || (free == 1 && reshape)) return rv_onnx_ints(m, fixed, (int)rank);
    for (int64_t d = 0; d < rank; d++) {
        rv_onnx_size s = rv_onnx_size_of(g, id, d);
        part[parts++] = s.free ? multiple(m, s.size) : rv_onnx_ints(m, &s.size, 1);
    }
    rv_onnx_set(m, "axis", 0);
    rv_onnx_node(m, "Concat", part, parts, out = rv_onnx_name(m, "shape"));
    return out;
}

/* Describes an input or output of the graph, `field` of it. */
static void describe(rv_onnx_graph *g, int field, rv_var x, const char *name, const char *time)
{
    rv_onnx_size size[RV_MAX_RANK + 1];
    int64_t rank = 0;
    for (int64_t d = 0; d < rv_shape_of(x).rank; d++) {
        if (d == 1 && time) size[rank++] = (rv_onnx_size){1, time};
        size[rank++] = rv_onnx_size_of(g, x.id, d);
    }
    if (rank == 1 && time) size[rank++] = (rv_onnx_size){1, time};
    rv_onnx_value(g->model, field, name, rv_dtype_of(x), size, rank);
}

/* ---- inputs and outputs ---- */

void rv_onnx_graph_give(rv_onnx_graph *g, rv_var x, const char *name)
{
    if (!g->model->error.code && !rv_is_null(x)) g->name[x.id] = name;
}

void rv_onnx_graph_input(rv_onnx_graph *g, rv_var x, const char *name, const char *time)
{
    if (g->model->error.code || rv_is_null(x)) return;
    g->name[x.id] = name;
    describe(g, RV_GRAPH_INPUT, x, name, time);
}

void rv_onnx_graph_want(rv_onnx_graph *g, rv_var x, const char *name)
{
    if (g->model->error.code || rv_is_null(x)) return;
    g->needed[x.id] = true;
    if (!g->wish[x.id]) g->wish[x.id] = name;
}

/* ---- operands: ONNX broadcasts them, so what is broadcast here is read as it was before ---- */

typedef struct operand {
    int32_t id;
    bool number; /* a constant whose elements are all `value` */
    double value;
} operand;

static bool is_alias(const rv_op *op)
{
    return op == &rv_op_stop_gradient || op == &rv_op_control_dependency ||
           !strcmp(op->name, "probe");
}

static bool is_reshape(const rv_node *node) { return !strcmp(node->op->name, "reshape"); }

/* Whether only this graph has the value: it has no name that a reader would miss. */
static bool may_skip(const rv_onnx_graph *g, int32_t id)
{
    return !g->name[id] && !g->wish[id] && !rv_tape_node(g->tape, id)->name;
}

static bool same_shape(const rv_onnx_graph *g, int32_t a, int32_t b)
{
    return rv_shape_equal(rv_tape_node(g->tape, a)->type.shape,
                          rv_tape_node(g->tape, b)->type.shape) &&
           (!g->other || rv_shape_equal(rv_tape_node(g->other, a)->type.shape,
                                        rv_tape_node(g->other, b)->type.shape));
}

/* The value that has the same elements in another shape. */
static int32_t unshaped(const rv_onnx_graph *g, int32_t id)
{
    for (const rv_node *node = rv_tape_node(g->tape, id);
         may_skip(g, id) && (is_alias(node->op) || is_reshape(node));
         node = rv_tape_node(g->tape, id))
        id = node->in[0];
    return id;
}

static int32_t plain(const rv_onnx_graph *g, int32_t id)
{
    int32_t of = unshaped(g, id);
    return same_shape(g, of, id) ? of : id;
}

static operand original(const rv_onnx_graph *g, int32_t id)
{
    operand o = {.id = plain(g, id)};
    for (const rv_node *node = rv_tape_node(g->tape, o.id);
         may_skip(g, o.id) && !strcmp(node->op->name, "broadcast");
         node = rv_tape_node(g->tape, o.id))
        o.id = plain(g, node->in[0]);
    o.number = rv_is_uniform((rv_var){(rv_tape *)(uintptr_t)g->tape, o.id}, &o.value);
    return o;
}

int32_t rv_onnx_element(const rv_onnx_graph *g, const rv_node *node, int64_t *axis, int64_t *index)
{
    int32_t from = is_reshape(node) ? unshaped(g, node->in[0]) : -1;
    const rv_node *slice = from < 0 ? NULL : rv_tape_node(g->tape, from);
    if (!slice || strcmp(slice->op->name, "slice") || !may_skip(g, from)) return -1;
    const rv_slice_attr *attr = slice->attr;
    const rv_shape *x = &rv_tape_node(g->tape, slice->in[0])->type.shape;
    rv_shape rest = {0};
    *axis = -1;
    for (int64_t d = 0; d < x->rank; d++) {
        if (*axis < 0 && attr->size[d] == 1 && x->dim[d] > 1) {
            *axis = d;
            *index = attr->start[d];
        } else {
            if (attr->size[d] != x->dim[d]) return -1;
            rest.dim[rest.rank++] = x->dim[d];
        }
    }
    return *axis >= 0 && rv_shape_equal(rest, node->type.shape) ? slice->in[0] : -1;
}

/* Operand k of a node, of which the first `whole` are read as they are. */
static operand operand_of(const rv_onnx_graph *g, const rv_node *node, int k, int whole)
{
    int64_t axis, index;
    if (k >= whole) return original(g, node->in[k]);
    int32_t of = rv_onnx_element(g, node, &axis, &index);
    if (of >= 0) return (operand){.id = plain(g, of)};
    return (operand){.id = is_reshape(node) ? unshaped(g, node->in[k]) : plain(g, node->in[k])};
}

/* Whether the operands have the node's shape when ONNX broadcasts them, the first `whole` of them
 * not as they originally were. */
static bool spans(const rv_onnx_graph *g, const rv_node *node, int whole)
{
    const rv_shape *out = &node->type.shape;
    bool reached[RV_MAX_RANK] = {false}, all = true;
    for (int k = 0; k < node->inputs; k++) {
        operand o = operand_of(g, node, k, whole);
        rv_shape s = o.number ? RV_SCALAR : rv_tape_node(g->tape, o.id)->type.shape;
        for (int64_t d = 1; d <= s.rank; d++)
            if (s.dim[s.rank - d] == out->dim[out->rank - d]) reached[out->rank - d] = true;
    }
    for (int64_t d = 0; d < out->rank; d++) all = all && reached[d];
    return all;
}

/* How many operands of a node ONNX reads as they are: all but of a pointwise op, whose operands
 * have the node's shape, so that one is enough to give it that. */
static int whole_of(const rv_onnx_graph *g, const rv_node *node)
{
    return !node->op->pointwise ? node->inputs : !spans(g, node, 0);
}

/* ---- what is needed, and for what ---- */

static void find_needed(rv_onnx_graph *g)
{
    for (int32_t id = rv_tape_count(g->tape) - 1; id >= 0; id--) {
        const rv_node *node = rv_tape_node(g->tape, id);
        if (!g->needed[id] || g->name[id]) continue;
        int whole = whole_of(g, node);
        for (int k = 0; k < node->inputs; k++) {
            operand o = operand_of(g, node, k, whole);
            if (!o.number) g->needed[o.id] = true;
        }
    }
}

static bool is_named(const rv_onnx_graph *g, int32_t id)
{
    return g->wish[id] || rv_tape_node(g->tape, id)->name;
}

/* The value that all users of an unnamed one are computed for. */
static void find_owners(rv_onnx_graph *g)
{
    enum { UNUSED = -2 };
    int32_t count = rv_tape_count(g->tape);
    for (int32_t id = 0; id < count; id++) g->owner[id] = UNUSED;
    for (int32_t id = count - 1; id >= 0; id--) {
        const rv_node *node = rv_tape_node(g->tape, id);
        if (!g->needed[id]) continue;
        int32_t owner = is_named(g, id) ? id : g->owner[id];
        int whole = whole_of(g, node);
        for (int k = 0; k < node->inputs; k++) {
            operand o = operand_of(g, node, k, whole);
            int32_t *of = &g->owner[o.id];
            if (o.number || rv_phase_of(rv_tape_node(g->tape, o.id)) != rv_phase_of(node)) continue;
            *of = *of == UNUSED || *of == owner ? owner : -1;
        }
    }
}

/* ---- names ---- */

/* "layer0/" of the scope "layer0/step 3". */
static int scope_length(const rv_origin *origin)
{
    const char *step = origin->step >= 0 ? strstr(origin->scope, "step ") : NULL;
    return (int)(step ? (size_t)(step - origin->scope) : strlen(origin->scope));
}

/* A value of that symbol in the scope of a node. */
static const char *scoped(rv_onnx_graph *g, const rv_origin *o, const char *symbol)
{
    int length = scope_length(o);
    char step[24] = "";
    const char *phase = o->phase == RV_PHASE_FORWARD ? "" : rv_phase_name(o->phase);
    const char *slash = length && o->scope[length - 1] != '/' ? "/" : "";
    if (g->steps && o->step >= 0) snprintf(step, sizeof step, "[%d]", (int)o->step + 1);
    return rv_onnx_name(g->model, "%s%s%.*s%s%s%s", phase, *phase ? "/" : "", length, o->scope,
                        slash, symbol, step);
}

/* The ONNX name of a node's value: what it is called, or the op, below the value that it is
 * computed for. */
static const char *name_value(rv_onnx_graph *g, int32_t id)
{
    const rv_node *node = rv_tape_node(g->tape, id);
    int32_t owner = g->owner[id];
    if (g->wish[id]) return g->wish[id];
    if (node->name) return scoped(g, node->origin, node->name);
    int64_t axis, index;
    int32_t x = rv_onnx_element(g, node, &axis, &index);
    if (x >= 0 && axis == 1 && rv_tape_node(g->tape, x)->op == &rv_op_input)
        return rv_onnx_name(g->model, "%s[%lld]", g->name[x], (long long)index + 1);
    if (owner < 0) return scoped(g, node->origin, node->op->name);
    const rv_node *of = rv_tape_node(g->tape, owner);
    char symbol[300];
    rv_print(symbol, sizeof symbol, "%.200s/%.64s", g->wish[owner] ? g->wish[owner] : of->name,
             node->op->name);
    return g->wish[owner] ? rv_onnx_name(g->model, "%s", symbol) : scoped(g, of->origin, symbol);
}

/* ---- leaves ---- */

static rv_tensor constant_of(const rv_tape *tape, int32_t id)
{
    bool uniform;
    const rv_node *node = rv_tape_node(tape, id);
    return (rv_tensor){node->type.dtype, node->type.shape,
                       (void *)(uintptr_t)rv_constant_data(node, &uniform)};
}

/* The place of element i in a tensor of one sample; *first: whether it is of the first sample. */
static int64_t place_in(rv_shape one, rv_shape all, int64_t i, bool *first)
{
    int64_t at = 0, stride = 1;
    *first = true;
    for (int64_t d = all.rank - 1; d >= 0; i /= all.dim[d--]) {
        const int64_t k = i % all.dim[d];
        *first = *first && k < one.dim[d];
        if (k < one.dim[d]) at += k * stride;
        stride *= one.dim[d];
    }
    return at;
}

/* Whether each sample of a constant has the elements *one. */
static bool repeats(const rv_tensor *all, const rv_tensor *one)
{
    bool first, same = true;
    for (int64_t i = 0; same && i < rv_tensor_count(all); i++)
        same = rv_tensor_get(one, place_in(one->shape, all->shape, i, &first)) ==
               rv_tensor_get(all, i);
    return same;
}

/* The elements of a constant for one sample, into *one, which is new. False if samples differ, or
 * depend on their number. */
static bool same_for_each(rv_onnx_graph *g, int32_t id, const rv_tensor *all, rv_tensor *one)
{
    rv_shape shape = all->shape;
    const rv_tensor other = constant_of(g->other, id);
    for (int64_t d = 0; d < shape.rank; d++) {
        const rv_onnx_size s = rv_onnx_size_of(g, id, d);
        if (s.free && s.size != 1) return false;
        if (s.free) shape.dim[d] = 1;
    }
    if (!rv_tensor_new(one, all->dtype, shape, &g->model->error)) return false;
    for (int64_t i = 0; i < rv_tensor_count(all); i++) {
        bool first;
        const int64_t at = place_in(shape, all->shape, i, &first);
        if (first) rv_tensor_set(one, at, rv_tensor_get(all, i));
    }
    return repeats(all, one) && repeats(&other, one);
}

/* The elements of a constant, whose axes of free sizes must repeat. */
static const char *write_constant(rv_onnx_graph *g, int32_t id)
{
    const rv_node *node = rv_tape_node(g->tape, id);
    const rv_tensor tensor = constant_of(g->tape, id);
    double value;
    if (rv_is_uniform((rv_var){(rv_tape *)(uintptr_t)g->tape, id}, &value)) {
        const char *number = rv_onnx_number(g->model, node->type.dtype, value), *out;
        if (!node->type.shape.rank) return number;
        const char *shape = rv_onnx_shape_of(g, id, false);
        out = name_value(g, id);
        rv_onnx_node(g->model, "Expand", (const char *[]){number, shape}, 2, out);
        return out;
    }
    bool free = false;
    for (int64_t d = 0; d < node->type.shape.rank; d++)
        free = free || rv_onnx_size_of(g, id, d).free;
    if (!free)
        return g->model->error.code ? "" : rv_onnx_tensor(g->model, name_value(g, id), &tensor);
    rv_tensor one = {0};
    const char *out = "";
    if (same_for_each(g, id, &tensor, &one)) {
        const char *of_one = rv_onnx_tensor(g->model, rv_onnx_name(g->model, "constant"), &one),
                   *shape = rv_onnx_shape_of(g, id, false);
        out = name_value(g, id);
        rv_onnx_node(g->model, "Expand", (const char *[]){of_one, shape}, 2, out);
    } else {
        rv_onnx_fail(g->model, RV_ERROR_ARGUMENT,
                     "ONNX: a constant depends on the number of samples; set that with "
                     "`batch-size`");
    }
    rv_tensor_free(&one);
    return out;
}

/* ---- writing ---- */

static void write_op(rv_onnx_graph *g, int32_t id)
{
    enum { FEW = 4 };
    rv_onnx *m = g->model;
    const rv_node *node = rv_tape_node(g->tape, id);
    const char *few[FEW],
        **in = node->inputs <= FEW ? few : rv_alloc((size_t)node->inputs, sizeof *in);
    if (!in) {
        rv_fail_memory(&m->error);
        return;
    }
    int whole = whole_of(g, node);
    for (int k = 0; k < node->inputs; k++) {
        operand o = operand_of(g, node, k, whole);
        in[k] = o.number
                    ? rv_onnx_number(m, rv_tape_node(g->tape, node->in[k])->type.dtype, o.value)
                    : g->name[o.id];
    }
    rv_onnx_call call = {.graph = g, .model = m, .node = node, .id = id, .in = in};
    call.out = g->name[id] = name_value(g, id);
    if (!rv_onnx_op(&call))
        rv_onnx_fail(m, RV_ERROR_ARGUMENT,
                     "ONNX: the op \"%s\" has no counterpart there; write the equation without it",
                     node->op->name);
    if (in != few) rv_free(in);
}

static void write_value(rv_onnx_graph *g, int32_t id)
{
    const rv_node *node = rv_tape_node(g->tape, id);
    if (node->op == &rv_op_parameter)
        g->name[id] = rv_onnx_stored(g->model, node->entry);
    else if (node->op == &rv_op_constant)
        g->name[id] = write_constant(g, id);
    else if (is_alias(node->op))
        g->name[id] = g->name[plain(g, node->in[0])];
    else if (node->op == &rv_op_input)
        rv_onnx_fail(g->model, RV_ERROR_ARGUMENT,
                     "ONNX: the net reads the input \"%s\", expected \"x\" alone; use another net",
                     node->name);
    else
        write_op(g, id);
}

void rv_onnx_graph_write(rv_onnx_graph *g)
{
    if (g->model->error.code) return;
    find_needed(g);
    find_owners(g);
    int32_t count = rv_tape_count(g->tape);
    for (int32_t id = 0; id < count && !g->model->error.code; id++) /* they keep their names */
        if (g->needed[id] && !g->name[id] && rv_tape_node(g->tape, id)->op == &rv_op_parameter)
            write_value(g, id);
    for (int32_t id = 0; id < count && !g->model->error.code; id++)
        if (g->needed[id] && !g->name[id]) write_value(g, id);
}

void rv_onnx_graph_rename(rv_onnx_graph *g, rv_var x, const char *name)
{
    if (g->model->error.code || rv_is_null(x)) return;
    if (strcmp(g->name[x.id], name)) rv_onnx_node(g->model, "Identity", &g->name[x.id], 1, name);
}

void rv_onnx_graph_output(rv_onnx_graph *g, rv_var x, const char *name, const char *time)
{
    rv_onnx_graph_rename(g, x, name);
    if (!g->model->error.code && !rv_is_null(x)) describe(g, RV_GRAPH_OUTPUT, x, name, time);
}
