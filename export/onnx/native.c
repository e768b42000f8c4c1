#include "export/onnx/native.h"

#include <stdio.h>
#include <string.h>

#include "ops/ops.h"
#include "tensor/memory.h"

/* ---- the step's parameters and inputs ---- */

typedef struct layer {
    const rv_step *step;
    char prefix[24]; /* of the names of parameters */
    rv_var x, h, c;  /* before the step; c: of LSTM */
    rv_native_layer *found;
} layer;

/* The parameter of that name and rank; else null. */
static rv_var parameter(const layer *l, const char *symbol, const char *gate, int64_t rank)
{
    char name[64];
    rv_tape *tape = l->step->tape;
    snprintf(name, sizeof name, "%s%s%s", l->prefix, symbol, gate);
    for (int32_t id = 0; id < rv_tape_count(tape); id++) {
        const rv_node *node = rv_tape_node(tape, id);
        if (node->op == &rv_op_parameter && !strcmp(node->entry->name, name) &&
            node->type.shape.rank == rank)
            return (rv_var){tape, id};
    }
    return (rv_var){tape, -1};
}

/* The value that has the same elements in the same order. */
static int32_t unshaped(const rv_tape *tape, int32_t id)
{
    for (;;) {
        const rv_node *node = rv_tape_node(tape, id);
        if (strcmp(node->op->name, "reshape") && strcmp(node->op->name, "slice")) return id;
        if (rv_shape_count(node->type.shape) !=
            rv_shape_count(rv_tape_node(tape, node->in[0])->type.shape))
            return id;
        id = node->in[0];
    }
}

/* What is multiplied by a parameter: the x of the layer's equations. Null unless that is `of`. */
static rv_var factor(const rv_tape *tape, rv_var of, rv_var by)
{
    for (int32_t id = rv_tape_count(tape) - 1; id >= 0 && by.id >= 0; id--) {
        const rv_node *node = rv_tape_node(tape, id);
        if (!strcmp(node->op->name, "matmul") && node->in[1] == by.id &&
            unshaped(tape, node->in[0]) == unshaped(tape, of.id) &&
            rv_shape_equal(rv_tape_node(tape, node->in[0])->type.shape, rv_shape_of(of)))
            return (rv_var){of.tape, node->in[0]};
    }
    return (rv_var){of.tape, -1};
}

static const rv_entry *entry_of(rv_var x)
{
    return x.id < 0 ? NULL : rv_tape_node(x.tape, x.id)->entry;
}

/* ---- equations ---- */

typedef struct gate {
    rv_var w, u, b, x; /* x as it is multiplied by u */
} gate;

typedef struct node_kind {
    const char *type;
    int gates, states;
    const char *name[RV_NATIVE_GATES]; /* of the gates, in the order of ONNX */
    bool linear_before_reset;          /* with a bias "bh" of the last gate, behind W h */
    rv_var (*next)(const layer *l, const gate *g);
} node_kind;

static rv_var of_h(const gate *g, rv_var h) { return rv_matmul(h, g->w, false, false); }
static rv_var of_x(const gate *g) { return rv_matmul(g->x, g->u, false, false); }

/* W h + U x + b */
static rv_var sum(const gate *g, rv_var h) { return rv_add(rv_add(of_h(g, h), of_x(g)), g->b); }

/* Each returns the next h. */

static rv_var rnn(const layer *l, const gate *g) { return rv_tanh(sum(g, l->h)); }

static rv_var lstm(const layer *l, const gate *g)
{
    rv_var i = rv_sigmoid(sum(&g[0], l->h)), o = rv_sigmoid(sum(&g[1], l->h));
    rv_var f = rv_sigmoid(sum(&g[2], l->h)), z = rv_tanh(sum(&g[3], l->h));
    rv_var c = rv_add(rv_multiply(f, l->c), rv_multiply(i, z));
    return rv_multiply(o, rv_tanh(c));
}

static rv_var gru(const layer *l, const gate *g)
{
    rv_var u = rv_sigmoid(sum(&g[0], l->h)), r = rv_sigmoid(sum(&g[1], l->h));
    rv_var c = rv_tanh(sum(&g[2], rv_multiply(r, l->h)));
    return rv_lerp(c, l->h, u);
}

static rv_var torch_gru(const layer *l, const gate *g)
{
    rv_var u = rv_sigmoid(sum(&g[0], l->h)), r = rv_sigmoid(sum(&g[1], l->h));
    rv_var reset = rv_multiply(r, rv_add(of_h(&g[2], l->h), parameter(l, "b", "h", 1)));
    rv_var c = rv_tanh(rv_add(rv_add(of_x(&g[2]), g[2].b), reset));
    return rv_lerp(c, l->h, u);
}

static const node_kind kinds[] = {{"RNN", 1, 1, {""}, false, rnn},
                                  {"LSTM", 4, 2, {"i", "o", "f", "z"}, false, lstm},
                                  {"GRU", 3, 1, {"u", "r", "c"}, false, gru},
                                  {"GRU", 3, 1, {"u", "r", "c"}, true, torch_gru}};

/* Whether w has this many columns, and as many rows as x has columns. */
static bool fits(rv_var x, rv_var w, int64_t columns)
{
    rv_shape s = rv_shape_of(x), of = rv_shape_of(w);
    return x.id >= 0 && w.id >= 0 && s.rank == 2 && s.dim[1] == of.dim[0] && of.dim[1] == columns;
}

/* The parameters of the gates; false if the layer lacks one or has it in another shape. */
static bool find_gates(const layer *l, const node_kind *kind, gate *g)
{
    rv_shape h = rv_shape_of(l->h);
    rv_native_layer *found = l->found;
    for (int i = 0; i < kind->gates; i++) {
        const char *name = kind->name[i];
        g[i] = (gate){parameter(l, "W", name, 2),
                      parameter(l, "U", name, 2),
                      parameter(l, "b", name, 1),
                      {l->step->tape, -1}};
        g[i].x = factor(l->step->tape, l->x, g[i].u);
        if (!fits(l->h, g[i].w, h.dim[1]) || !fits(g[i].x, g[i].u, h.dim[1]) || g[i].b.id < 0 ||
            rv_shape_of(g[i].b).dim[0] != h.dim[1])
            return false;
        found->of_h[i] = entry_of(g[i].w);
        found->of_x[i] = entry_of(g[i].u);
        found->bias[i] = entry_of(g[i].b);
    }
    rv_var bias_of_h = parameter(l, "b", "h", 1);
    if (!kind->linear_before_reset) return true;
    found->bias_of_h[kind->gates - 1] = entry_of(bias_of_h);
    return bias_of_h.id >= 0 && rv_shape_of(bias_of_h).dim[0] == h.dim[1];
}

/* Whether each layer is of the kind, starts at zero and reads the one below. */
static bool is_of_kind(const rv_step *step, const node_kind *kind, rv_native *native)
{
    int count = step->states / kind->states, layers = step->state[step->states - 1].layer + 1;
    if (count != layers || step->states != layers * kind->states) return false;
    rv_var below = step->x;
    gate gates[RV_NATIVE_GATES];
    for (int i = 0; i < layers; i++) {
        const rv_step_state *s = &step->state[i * kind->states];
        layer l = {.step = step,
                   .x = below,
                   .h = s[0].before,
                   .c = s[kind->states - 1].before,
                   .found = &native->layer[i]};
        if (layers > 1) snprintf(l.prefix, sizeof l.prefix, "layer%d/", i);
        for (int k = 0; k < kind->states; k++) {
            double start;
            if (!rv_is_uniform(s[k].first, &start) || start != 0) return false;
        }
        if (!find_gates(&l, kind, gates) || kind->next(&l, gates).id != s[0].after.id) return false;
        below = s[0].after;
    }
    return below.id == step->top.id;
}

rv_native rv_native_find(const rv_step *step)
{
    rv_native native = {0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        native = (rv_native){.gates = kinds[i].gates,
                             .linear_before_reset = kinds[i].linear_before_reset,
                             .layers = step->state[step->states - 1].layer + 1};
        if (!is_of_kind(step, &kinds[i], &native)) continue;
        native.type = kinds[i].type;
        return native;
    }
    return (rv_native){0};
}

/* ---- the nodes ---- */

/* The parameters of all gates as one tensor: matrices transposed [1,gates units,inputs]. */
static const char *write_matrices(rv_onnx *m, const char *name, const rv_entry *const *of,
                                  int gates)
{
    rv_tensor all = {0};
    int64_t inputs = of[0]->tensor.shape.dim[0], units = of[0]->tensor.shape.dim[1];
    if (!rv_tensor_new(&all, of[0]->tensor.dtype, RV_SHAPE(1, gates * units, inputs), &m->error))
        return "";
    for (int64_t g = 0; g < gates; g++)
        for (int64_t j = 0; j < units; j++)
            for (int64_t i = 0; i < inputs; i++)
                rv_tensor_set(&all, (g * units + j) * inputs + i,
                              rv_tensor_get(&of[g]->tensor, i * units + j));
    rv_onnx_tensor(m, name, &all);
    rv_tensor_free(&all);
    return name;
}

/* The biases behind x and those behind h, [1,2 gates units]. */
static const char *write_biases(rv_onnx *m, const char *name, const rv_native_layer *l, int gates)
{
    rv_tensor all = {0};
    int64_t units = l->bias[0]->tensor.shape.dim[0];
    if (!rv_tensor_new(&all, l->bias[0]->tensor.dtype, RV_SHAPE(1, 2 * gates * units), &m->error))
        return "";
    for (int64_t g = 0; g < gates; g++)
        for (int64_t j = 0; j < units; j++) {
            const rv_entry *of_h = l->bias_of_h[g];
            rv_tensor_set(&all, g * units + j, rv_tensor_get(&l->bias[g]->tensor, j));
            if (of_h) rv_tensor_set(&all, (gates + g) * units + j, rv_tensor_get(&of_h->tensor, j));
        }
    rv_onnx_tensor(m, name, &all);
    rv_tensor_free(&all);
    return name;
}

const char *rv_native_write(rv_onnx *m, const rv_native *native, const char *x)
{
    for (int i = 0; i < native->layers; i++) {
        const rv_native_layer *l = &native->layer[i];
        bool top = i + 1 == native->layers;
        char prefix[24] = "";
        if (native->layers > 1) snprintf(prefix, sizeof prefix, "layer%d/", i);
        const char *w = rv_onnx_name(m, "%sW", prefix), *r = rv_onnx_name(m, "%sR", prefix);
        const char *b = rv_onnx_name(m, "%sB", prefix);
        const char *y = rv_onnx_name(m, top ? "%sY_h" : "%sY", prefix);
        const char *h = rv_onnx_name(m, top ? "%sh[time]" : "%sh by time", prefix);
        write_matrices(m, w, l->of_x, native->gates);
        write_matrices(m, r, l->of_h, native->gates);
        write_biases(m, b, l, native->gates);
        rv_onnx_set(m, "hidden_size", l->bias[0]->tensor.shape.dim[0]);
        if (native->linear_before_reset) rv_onnx_set(m, "linear_before_reset", 1);
        rv_onnx_node_with(m, native->type, (const char *[]){x, w, r, b}, 4,
                          (const char *[]){top ? "" : y, y}, 1 + top);
        rv_onnx_node(m, "Squeeze", (const char *[]){y, rv_onnx_ints(m, &(int64_t){!top}, 1)}, 2, h);
        x = h;
    }
    return x;
}
