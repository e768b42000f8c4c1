#include "tools/signals/equation.h"

#include "tools/cli/say.h"

static void put_operand(FILE *to, const rv_tape *tape, int32_t id, bool shapes)
{
    const rv_node *node = rv_tape_node(tape, id);
    char shape[RV_SHAPE_TEXT];
    double value;
    rv_shape_text(node->type.shape, shape);
    if (rv_is_uniform((rv_var){(rv_tape *)(uintptr_t)tape, id}, &value)) {
        say(to, "%g", value);
        return;
    }
    while (node->op->kind == RV_OP_VIEW && !node->name) node = rv_tape_node(tape, node->in[0]);
    say(to, "%s", node->entry ? node->entry->name : node->name ? node->name : node->op->name);
    if (shapes) say(to, " %s", shape);
}

void equation_put(FILE *to, const rv_tape *tape, int32_t id, bool shapes)
{
    const rv_node *node = rv_tape_node(tape, id);
    say(to, "%s(", node->op->name);
    for (int k = 0; k < node->inputs; k++) {
        if (k > 0) say(to, ", ");
        put_operand(to, tape, node->in[k], shapes);
    }
    fputc(')', to);
}
