#include "tools/profile/instruction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/say.h"
#include "tools/signals/equation.h"

enum { NAMED_OPS = 4 }; /* names listed for a group */

/* Writes the first few distinct op names of a group, in order. */
static void put_group(FILE *to, const rv_instruction *one)
{
    int named = 0;
    for (int i = 0; i < one->nodes; i++) {
        const rv_op *op = rv_tape_node(one->tape, one->node[i])->op;
        int before = 0;
        while (before < i && rv_tape_node(one->tape, one->node[before])->op != op) before++;
        if (before < i) continue;
        if (++named > NAMED_OPS) break;
        say(to, "%s%s", named > 1 ? ", " : "", op->name);
    }
    say(to, "%s (%d ops)", named > NAMED_OPS ? ".." : "", one->nodes);
}

/* NULL: out of memory. */
static char *words(const rv_instruction *one, bool shapes)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to) return NULL;
    if (one->nodes > 1)
        put_group(to, one);
    else
        equation_put(to, one->tape, one->node[0], shapes);
    if (fclose(to) == 0) return text;
    free(text);
    return NULL;
}

static bool same_origin(const rv_node *a, const rv_node *b)
{
    return rv_phase_of(a) == rv_phase_of(b) && strcmp(a->origin->scope, b->origin->scope) == 0;
}

/* A node of the origin that most nodes have. */
static const rv_node *representative(const rv_instruction *one)
{
    const rv_node *found = NULL;
    for (int i = 0, most = 0; i < one->nodes; i++) {
        const rv_node *node = rv_tape_node(one->tape, one->node[i]);
        int same = 0;
        for (int k = i; k < one->nodes; k++)
            same += same_origin(node, rv_tape_node(one->tape, one->node[k]));
        if (same > most) {
            most = same;
            found = node;
        }
    }
    return found;
}

bool instruction_words_make(instruction_words *w, const rv_instruction *one, rv_error *error)
{
    const rv_node *most = representative(one);
    const rv_node *last = rv_tape_node(one->tape, one->node[one->nodes - 1]);
    w->phase = rv_phase_of(most);
    w->scope = most->origin->scope;
    w->kind = last->op->pointwise ? "pointwise" : last->op->name;
    w->short_text = words(one, false);
    w->text = words(one, true);
    w->shape = last->type.shape;
    return (w->short_text && w->text) || rv_fail_memory(error);
}

void instruction_words_free(instruction_words *w)
{
    free(w->short_text);
    free(w->text);
}
