#include "autograd/origin.h"

#include <string.h>

#include "autograd/tape_internal.h"
#include "tensor/text_internal.h"

const rv_origin rv_origin_top = {
    .phase = RV_PHASE_FORWARD, .layer = -1, .direction = -1, .step = -1, .scope = ""};

/* ---- scopes ---- */

static bool equal(const rv_origin *a, const rv_origin *b)
{
    return a->phase == b->phase && a->layer == b->layer && a->direction == b->direction &&
           a->step == b->step && a->scope == b->scope;
}

void rv_tape_set_origin(rv_tape *tape, rv_origin origin)
{
    if (equal(tape->origin[tape->depth], &origin)) return;
    rv_origin *copy = rv_tape_alloc(tape, sizeof *copy);
    if (!copy) return;
    *copy = origin;
    tape->origin[tape->depth] = copy;
}

void rv_origin_push(rv_tape *tape, rv_origin origin)
{
    if (!tape) return;
    const rv_origin *outer = tape->origin[tape->depth];
    const char *name = origin.scope ? origin.scope : "";
    if (tape->depth + 1 == RV_SCOPE_DEPTH) {
        rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                     "scope: \"%s\" in \"%s\" is nested deeper than %d; pop scopes", name,
                     outer->scope, RV_SCOPE_DEPTH - 1);
        return;
    }
    tape->origin[++tape->depth] = outer;
    char joined[256];
    rv_join(joined, sizeof joined, outer->scope, *outer->scope && *name ? "/" : "", name, NULL);
    origin.scope = *name ? rv_tape_string(tape, joined) : outer->scope;
    if (origin.scope) rv_tape_set_origin(tape, origin);
}

void rv_scope_push(rv_tape *tape, const char *name)
{
    rv_origin origin = rv_current_origin(tape);
    origin.scope = name;
    rv_origin_push(tape, origin);
}

void rv_scope_pop(rv_tape *tape)
{
    if (tape && tape->depth > 0) tape->depth--;
}

rv_origin rv_current_origin(const rv_tape *tape)
{
    return tape ? *tape->origin[tape->depth] : rv_origin_top;
}

/* ---- phases and text ---- */

rv_phase rv_phase_of(const rv_node *node)
{
    if (!node) return RV_PHASE_FORWARD;
    return node->op->kind == RV_OP_EFFECT ? RV_PHASE_UPDATE : node->origin->phase;
}

const char *rv_phase_name(rv_phase phase)
{
    if ((unsigned)phase >= RV_PHASES) return "unknown";
    static const char *const names[RV_PHASES] = {"forward", "gradient", "update"};
    return names[phase];
}

const char *rv_origin_text(const rv_origin *origin, char text[RV_ORIGIN_TEXT])
{
    if (!origin || !origin->scope || !text) return "";
    bool forward = origin->phase == RV_PHASE_FORWARD;
    rv_print(text, RV_ORIGIN_TEXT, "%s%s%s", forward ? "" : rv_phase_name(origin->phase),
             !forward && *origin->scope ? "/" : "", origin->scope);
    return text;
}

/* ---- names of the values in a cell's step ---- */

rv_var rv_name_state(rv_var x, int s, const char *name)
{
    bool free_node = !rv_is_null(x) && !x.tape->nodes[x.id].state;
    if (free_node && s >= 0 && s < INT32_MAX) x.tape->nodes[x.id].state = s + 1;
    return rv_name(x, name);
}

rv_var rv_name_argument(rv_var x, const char *g)
{
    static const char before[] = "pre-";
    const size_t start = sizeof before - 1, size = g ? strlen(g) + 1 : 0;
    if (!g || rv_is_null(x)) return x;
    rv_node *node = &x.tape->nodes[x.id];
    char *name = node->name && node->gate ? NULL : rv_tape_alloc(x.tape, start + size);
    if (!name) return x;
    memcpy(name, before, start);
    memcpy(name + start, g, size);
    if (!node->name) node->name = name;
    if (!node->gate) node->gate = name + start;
    return x;
}
