/* Writes a tape as Graphviz text: one box per node, coloured by its phase, below its inputs. */
#include "export/dot.h"

#include <string.h>

#include "export/text_internal.h"
#include "tensor/memory.h"
#include "tensor/utf8_internal.h"

/* A name in a quoted string, in which Graphviz reads \ as an escape and & as an entity. */
static void put_escaped(rv_writer *w, const char *name)
{
    char shown[RV_VISIBLE];
    while (*name != '\0') {
        name += rv_visible(name, strlen(name), shown);
        bool escaped = strchr("\"\\", shown[0]);
        rv_write(w, "%s%s%s", escaped ? "\\" : "", shown, shown[0] == '&' ? "amp;" : "");
    }
}

/* ---- phases ---- */

typedef enum phase {
    LEAF_INPUT,
    LEAF_PARAMETER,
    LEAF_CONSTANT,
    FORWARD, /* this and the following are in the order of rv_phase */
    GRADIENT,
    UPDATE
} phase;

static const struct style {
    const char *what, *shape, *fill;
} styles[] = {
    [LEAF_INPUT] = {"input", "ellipse", "#ffffff"},
    [LEAF_PARAMETER] = {"parameter or state", "box", "#fff2b3"},
    [LEAF_CONSTANT] = {"constant", "plaintext", "none"},
    [FORWARD] = {"forward", "box", "#cfe3f7"},
    [GRADIENT] = {"gradient", "box", "#f7d0cb"},
    [UPDATE] = {"update", "box", "#cdeccd"},
};

enum { PHASES = sizeof styles / sizeof *styles };

static phase phase_of(const rv_node *node)
{
    if (node->op == &rv_op_constant) return LEAF_CONSTANT;
    if (node->op == &rv_op_parameter) return LEAF_PARAMETER;
    if (node->op->kind == RV_OP_LEAF) return LEAF_INPUT;
    return (phase)(FORWARD + (int)rv_phase_of(node));
}

/* Sets needed[id] for each node that an output or an assignment depends on. */
static void mark_needed(const rv_tape *tape, const rv_var *outputs, int count, bool *needed)
{
    for (int i = 0; i < count; i++)
        if (!rv_is_null(outputs[i]) && outputs[i].tape == tape) needed[outputs[i].id] = true;
    for (int32_t id = rv_tape_count(tape) - 1; id >= 0; id--) {
        const rv_node *node = rv_tape_node(tape, id);
        needed[id] = needed[id] || node->op->kind == RV_OP_EFFECT;
        for (int k = 0; needed[id] && k < node->inputs; k++) needed[node->in[k]] = true;
    }
}

/* ---- drawing ---- */

static void put_style(rv_writer *w, phase p)
{
    rv_write(w, "shape=%s, style=\"rounded,filled\", fillcolor=\"%s\"", styles[p].shape,
             styles[p].fill);
}

/* The value of a constant whose elements are all equal; false for other nodes. */
static bool uniform_value(const rv_tape *tape, int32_t id, double *value)
{
    return rv_is_uniform((rv_var){(rv_tape *)(uintptr_t)tape, id}, value);
}

/* The label is the op, the name and the shape. */
static void put_node(rv_writer *w, const rv_tape *tape, int32_t id)
{
    const rv_node *node = rv_tape_node(tape, id);
    char shape[RV_SHAPE_TEXT];
    const char *name = node->name ? node->name : node->entry ? node->entry->name : NULL;
    rv_write(w, "  n%d [label=\"", (int)id);
    if (node->op->kind != RV_OP_LEAF || !name) rv_write(w, "%s\\n", node->op->name);
    if (name) {
        put_escaped(w, name);
        rv_write(w, "\\n");
    }
    rv_write(w, "%s\", ", rv_shape_text(node->type.shape, shape));
    put_style(w, phase_of(node));
    rv_write(w, "];\n");
}

/* Labels the edge with the operand's name, word k of op->args, if the order of operands matters. */
static void put_edge_end(rv_writer *w, const rv_node *node, int k)
{
    const char *word = node->op->args;
    for (int i = 0; i < k; i++) word += strcspn(word, " ") + !!strchr(word, ' ');
    if (node->inputs > 1 && node->op->inputs > 1 && !node->op->commutative)
        rv_write(w, " [headlabel=\"%.*s\"]", (int)strcspn(word, " "), word);
    rv_write(w, ";\n");
}

/* A uniform constant is one node of the tape, but is drawn as a small node at each use, which
 * avoids long edges across the drawing. An assignment has no edge from its target, because its
 * label names it. */
static void put_edges(rv_writer *w, const rv_tape *tape, int32_t id)
{
    const rv_node *node = rv_tape_node(tape, id);
    bool effect = node->op->kind == RV_OP_EFFECT;
    for (int k = effect ? 1 : 0; k < node->inputs; k++) {
        double value;
        if (uniform_value(tape, node->in[k], &value)) {
            rv_write(w, "  c%d_%d [label=\"%g\", shape=plaintext, height=0.2, width=0.2];\n",
                     (int)id, k, value);
            rv_write(w, "  c%d_%d", (int)id, k);
        } else {
            rv_write(w, "  n%d", (int)node->in[k]);
        }
        rv_write(w, " -> n%d", (int)id);
        put_edge_end(w, node, effect ? 0 : k);
    }
}

static void put_legend(rv_writer *w, const bool *seen)
{
    rv_write(w, "  subgraph cluster_legend {\n    label=\"legend\"; style=dotted;\n");
    for (int p = 0; p < PHASES; p++) {
        if (!seen[p]) continue;
        rv_write(w, "    legend%d [label=\"%s\", ", p, styles[p].what);
        put_style(w, (phase)p);
        rv_write(w, "];\n");
    }
    rv_write(w, "  }\n");
}

char *rv_dot(const rv_tape *tape, const rv_var *outputs, int count)
{
    if (!outputs) count = 0;
    bool *needed = rv_alloc((size_t)rv_tape_count(tape) + 1, sizeof *needed);
    bool seen[PHASES] = {false};
    rv_writer w = {.failed = !needed};
    rv_write(&w, "digraph tape {\n  node [fontname=\"sans-serif\", fontsize=10];\n"
                 "  edge [arrowsize=0.6, color=\"#666666\", fontsize=8, fontcolor=\"#666666\", "
                 "labeldistance=1.7, labelangle=35];\n");
    if (needed) mark_needed(tape, outputs, count, needed);
    for (int32_t id = 0; !w.failed && id < rv_tape_count(tape); id++) {
        double value;
        if (!needed[id]) continue;
        seen[phase_of(rv_tape_node(tape, id))] = true;
        if (uniform_value(tape, id, &value)) continue;
        put_node(&w, tape, id);
        put_edges(&w, tape, id);
    }
    put_legend(&w, seen);
    rv_write(&w, "}\n");
    rv_free(needed);
    if (!w.failed) return w.at;
    rv_free(w.at);
    return NULL;
}
