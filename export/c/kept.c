/* Which values inside a step are kept for its gradient. */
#include "export/c/kept.h"

#include <stdio.h>
#include <string.h>

#include "autograd/gradient.h"
#include "autograd/tape_internal.h"
#include "ops/ops.h"
#include "tensor/memory.h"

/* Without rearrangements, which an index undoes. */
static int32_t source_of(const rv_tape *tape, int32_t id)
{
    const rv_node *node = rv_tape_node(tape, id);
    for (; node->op->rearranges && node->inputs == 1; node = rv_tape_node(tape, id))
        id = node->in[0];
    return id;
}

static bool is_given(const rv_c_parts *p, int32_t id)
{
    bool given = rv_tape_node(p->tape, id)->op->kind == RV_OP_LEAF;
    for (int i = 0; i < p->prepared; i++) given = given || p->prepare[i].value.id == id;
    for (int i = 0; i < p->kept; i++) given = given || p->keep[i].value.id == id;
    return given || rv_is_uniform((rv_var){p->tape, id}, NULL);
}

static void keep(rv_c_parts *p, int32_t id)
{
    if (is_given(p, id) || p->kept == RV_C_MOST_KEPT) return;
    const char *symbol = rv_tape_node(p->tape, id)->name;
    rv_c_kept *k = &p->keep[p->kept];
    *k = (rv_c_kept){.value = {p->tape, id}};
    k->count = rv_c_count(k->value);
    rv_c_name(symbol ? symbol : "v", k->name);
    for (int i = 0, number = 1; i < p->kept; i++) {
        if (strcmp(p->keep[i].name, k->name)) continue;
        snprintf(k->name, RV_C_NAME, "v%d", ++number);
        i = -1;
    }
    p->kept++;
}

bool rv_c_find_kept(rv_c_parts *p, rv_error *error)
{
    rv_var ahead[RV_C_MOST_STATES + 1],
        back[RV_C_MOST_STATES + RV_C_MOST_PREPARED + RV_C_MOST_PARAMETERS];
    int n = 0, m = 0;
    for (int s = 0; s < p->states; s++) ahead[n++] = p->state[s].after;
    ahead[n++] = p->top;
    for (int s = 0; s < p->states; s++) back[m++] = p->state[s].at_before;
    for (int i = 0; i < p->prepared; i++) back[m++] = p->prepare[i].in_step;
    for (int i = 0; i < p->parameters; i++) back[m++] = p->parameter[i].in_step;
    bool *forward = rv_tape_reached(p->tape, ahead, n, NULL, 0);
    bool *gradient = rv_tape_reached(p->tape, back, m, NULL, 0);
    bool ok = (forward && gradient) || rv_fail_memory(error);
    for (int32_t id = 0; ok && id < rv_tape_count(p->tape); id++) {
        const rv_node *node = rv_tape_node(p->tape, id);
        for (int k = 0; k < node->inputs && gradient[id] && !forward[id]; k++)
            if (forward[node->in[k]]) keep(p, source_of(p->tape, node->in[k]));
    }
    rv_free(forward);
    rv_free(gradient);
    return ok;
}
