#include "export/c/describe.h"

#include <stdio.h>
#include <string.h>

#include "autograd/element_internal.h"
#include "autograd/gradient.h"

enum { MOST_SHOWN = 8 }; /* operands */

/* Of a product of matrices: where the first operand is read for row i, and the second for column j,
 * of the result. */
typedef struct transposes {
    int64_t rank;
    rv_index row, column;
    bool transposed[2];
} transposes;

static rv_term see(rv_element *e, int k, const rv_index *at)
{
    transposes *t = e->context;
    const rv_index *wanted = k ? &t->column : &t->row;
    t->transposed[k] = wanted->terms && rv_index_equal(&at[t->rank - (k ? 2 : 1)], wanted);
    return 0;
}

static void find_transposes(const rv_c_plan *p, rv_writer *w, const rv_node *node,
                            bool transposed[2])
{
    rv_type in[2] = {rv_tape_node(p->tape, node->in[0])->type,
                     rv_tape_node(p->tape, node->in[1])->type};
    rv_element_pool pool = {0};
    rv_index at[RV_MAX_RANK];
    transposes t = {.rank = node->type.shape.rank};
    rv_element e = {.attr = node->attr,
                    .in = in,
                    .inputs = 2,
                    .out = node->type,
                    .at = at,
                    .input = see,
                    .context = &t,
                    .pool = &pool};
    for (int64_t d = 0; d < t.rank; d++) at[d] = rv_index_loop(&e, node->type.shape.dim[d]);
    t.row = at[t.rank - 2];
    t.column = at[t.rank - 1];
    node->op->element(&e);
    for (int k = 0; k < 2; k++) transposed[k] = t.transposed[k];
    w->failed = w->failed || pool.failed;
    rv_element_pool_free(&pool);
}

static void describe_value(const rv_c_plan *p, rv_writer *w, int32_t id, bool top, bool operand,
                           int depth)
{
    const rv_node *node = rv_tape_node(p->tape, id);
    double number;
    char text[32];
    const char *name = top ? NULL : rv_c_shown_name(p, id);
    const char *infix = !strcmp(node->op->name, "add")        ? " + "
                        : !strcmp(node->op->name, "subtract") ? " - "
                        : !strcmp(node->op->name, "multiply") ? "."
                        : !strcmp(node->op->name, "divide")   ? " / "
                        : !strcmp(node->op->name, "matmul")   ? " @ "
                                                              : NULL;
    if (rv_is_uniform((rv_var){(rv_tape *)(uintptr_t)p->tape, id}, &number)) {
        snprintf(text, sizeof text, "%g", number);
        rv_write(w, "%s", text);
    } else if (name) {
        rv_write(w, "%s", name);
    } else if (depth > 12) {
        rv_write(w, "..");
    } else if (node->op->rearranges && node->inputs == 1 && strcmp(node->op->name, "transpose")) {
        describe_value(p, w, node->in[0], false, operand, depth + 1);
    } else {
        bool sum = infix && (infix[1] == '+' || infix[1] == '-') && operand;
        bool transposed[2] = {false, false};
        if (infix && infix[1] == '@') find_transposes(p, w, node, transposed);
        if (!infix) rv_write(w, "%s", node->op->name);
        if (!infix || sum) rv_write(w, "(");
        for (int k = 0; k < node->inputs; k++) {
            if (k) rv_write(w, "%s", infix ? infix : ", ");
            if (k == 2 && node->inputs > MOST_SHOWN) { /* and the last one */
                rv_write(w, "..%s", infix ? infix : ", ");
                k = node->inputs - 1;
            }
            describe_value(p, w, node->in[k], false, infix, depth + 1);
            rv_write(w, k < 2 && transposed[k] ? "^T" : "");
        }
        if (!infix || sum) rv_write(w, ")");
    }
}

void rv_c_describe(const rv_c_plan *p, const int32_t *member, int members, rv_writer *w)
{
    for (int i = 0; i < members; i++) {
        rv_write(w, i ? "\n     * %s = " : "    /* %s = ", rv_c_shown_name(p, member[i]));
        describe_value(p, w, member[i], true, false, 0);
    }
    rv_write(w, " */\n");
}
