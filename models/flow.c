#include "models/flow.h"

#include <string.h>

#include "autograd/gradient.h"
#include "ops/ops.h"
#include "tensor/memory.h"

/* The name of the parameter or state that a node is, or is a probe of; NULL: neither. */
static const char *name_of(const rv_tape *tape, int32_t id, bool *state)
{
    const rv_node *node = rv_tape_node(tape, id);
    int64_t number = rv_probe_number(node);
    bool used = number >= 0 && number < id; /* a step's number is below its nodes' ids */
    const rv_entry *entry = used ? rv_tape_node(tape, node->in[0])->entry : node->entry;
    *state = used && node->state;
    return *state ? node->name : entry && entry->role == RV_PARAMETER ? entry->name : NULL;
}

static int row_of(rv_flow *f, const char *name, bool state)
{
    int i = 0;
    while (i < f->count && (f->state[i] != state || strcmp(f->name[i], name) != 0)) i++;
    if (i == f->count) f->count++;
    f->name[i] = name;
    f->state[i] = state;
    return i;
}

/* The nodes whose gradients are taken, their gradients, and the row of each in the table of
 * norms. */
typedef struct nodes {
    rv_var *x, *gradient;
    int *row;
    int count;
} nodes;

static bool find_nodes(rv_flow *f, rv_var loss, nodes *n)
{
    size_t most = (size_t)loss.id + 1;
    n->x = rv_alloc(most, sizeof *n->x);
    n->gradient = rv_alloc(most, sizeof *n->gradient);
    n->row = rv_alloc(most, sizeof *n->row);
    f->name = rv_alloc(most, sizeof *f->name);
    f->state = rv_alloc(most, sizeof *f->state);
    if (!n->x || !n->gradient || !n->row || !f->name || !f->state) return false;
    for (int32_t id = 0; id <= loss.id; id++) {
        bool state;
        const char *name = name_of(loss.tape, id, &state);
        if (!name) continue;
        int64_t step = rv_probe_number(rv_tape_node(loss.tape, id)) + 1;
        if (step > f->steps) f->steps = step;
        n->x[n->count] = (rv_var){loss.tape, id};
        n->row[n->count++] = row_of(f, name, state);
    }
    f->norm = rv_alloc((size_t)f->count, (size_t)(f->steps + 1) * sizeof *f->norm);
    return f->norm;
}

/* Two nets on one tape may share a step and a name; then their squares are added. Squares are f64,
 * because those of a vanishing or exploding gradient exceed the range of f32. */
static void record_norms(rv_flow *f, const nodes *n)
{
    rv_tape *tape = n->x[0].tape;
    int64_t all = f->count * (f->steps + 1);
    for (int64_t i = 0; i < all; i++) f->norm[i] = (rv_var){tape, -1};
    for (int k = 0; k < n->count; k++) {
        int64_t step = rv_probe_number(rv_tape_node(tape, n->x[k].id)) + 1;
        rv_var *sum = &f->norm[n->row[k] * (f->steps + 1) + step];
        rv_var square = rv_sum(rv_square(rv_cast(n->gradient[k], RV_F64)), RV_ALL_AXES, false);
        *sum = rv_is_null(*sum) ? square : rv_add(*sum, square);
    }
    for (int64_t i = 0; i < all; i++)
        if (!rv_is_null(f->norm[i])) f->norm[i] = rv_sqrt(f->norm[i]);
}

bool rv_flow_make(rv_flow *f, rv_var loss)
{
    if (!f) return false;
    nodes n = {0};
    *f = (rv_flow){0};
    if (rv_is_null(loss)) return false;
    bool ok = find_nodes(f, loss, &n);
    if (!ok) rv_tape_fail(loss.tape, RV_ERROR_MEMORY, "flow: out of memory");
    if (ok && !n.count) {
        rv_tape_fail(loss.tape, RV_ERROR_ARGUMENT,
                     "flow: the loss depends on no parameter; check what made it");
        ok = false;
    }
    ok = ok && rv_gradient(loss, n.x, n.count, n.gradient);
    if (ok) record_norms(f, &n);
    rv_free(n.x);
    rv_free(n.gradient);
    rv_free(n.row);
    return ok && !rv_tape_error(loss.tape)->code;
}

void rv_flow_free(rv_flow *f)
{
    if (!f) return;
    rv_free(f->name);
    rv_free(f->state);
    rv_free(f->norm);
    *f = (rv_flow){0};
}
