#include "export/c/plan.h"

#include <stdio.h>
#include <string.h>

#include "autograd/gradient.h"
#include "tensor/memory.h"

/* ---- which values are stored ---- */

const rv_c_given *rv_c_given_of(const rv_c_plan *p, int32_t id)
{
    for (int i = 0; i < p->f->givens; i++)
        if (p->f->given[i].value.id == id) return &p->f->given[i];
    return NULL;
}

const rv_c_result *rv_c_result_of(const rv_c_plan *p, int32_t id)
{
    for (int i = 0; i < p->f->results; i++)
        if (p->f->result[i].value.id == id) return &p->f->result[i];
    return NULL;
}

static bool is_number(const rv_c_plan *p, int32_t id)
{
    return rv_is_uniform((rv_var){(rv_tape *)(uintptr_t)p->tape, id}, NULL);
}

/* Whether y's elements are those of x, at another index. */
static bool reorders(const rv_node *node) { return node->op->rearranges && node->inputs == 1; }

/* Whether an element of y reads each element of its inputs at most once, at an index inside. */
static bool reads_once(const rv_op *op)
{
    return op->value || op == &rv_op_add || !strcmp(op->name, "sum") || !strcmp(op->name, "max") ||
           !strcmp(op->name, "concat");
}

static bool is_padding(const rv_op *op) { return !strcmp(op->name, "pad"); }

/* Whether the elements of a node are sums of products. */
static bool multiplies(const rv_c_plan *p, const rv_node *node)
{
    bool product = !strcmp(node->op->name, "matmul");
    if (!product && strncmp(node->op->name, "conv2d", 6)) return false;
    int64_t count = rv_shape_count(node->type.shape);
    int64_t columns = node->type.shape.dim[node->type.shape.rank - 1];
    int64_t operand = rv_shape_count(rv_tape_node(p->tape, node->in[0])->type.shape);
    return count > 1 && !(product && operand == count / columns); /* not of one term */
}

static void mark_needed(rv_c_plan *p)
{
    for (int i = 0; i < p->f->results; i++) p->needed[p->f->result[i].value.id] = true;
    for (int32_t id = rv_tape_count(p->tape) - 1; id >= 0; id--) {
        const rv_node *node = rv_tape_node(p->tape, id);
        if (!p->needed[id] || rv_c_given_of(p, id)) continue;
        for (int k = 0; k < node->inputs; k++) {
            p->needed[node->in[k]] = true;
            p->readers[node->in[k]]++;
            p->reader[node->in[k]] = id;
        }
    }
}

static bool is_own(const rv_c_plan *p, int32_t id)
{
    return rv_tape_node(p->tape, id)->op->kind == RV_OP_LEAF || rv_c_given_of(p, id) ||
           rv_c_result_of(p, id);
}

bool rv_c_has_pieces(const rv_c_plan *p, int32_t id)
{
    const rv_node *node = rv_tape_node(p->tape, id);
    if (node->op == &rv_op_add) return node->inputs > RV_C_MOST_NESTED;
    return !strcmp(node->op->name, "scan") ||
           (!strcmp(node->op->name, "concat") && node->inputs > 1);
}

/* Products have loops of their own. They can be added to an array one after the other. */
static void find_products(rv_c_plan *p)
{
    for (int32_t id = 0; id < rv_tape_count(p->tape); id++) {
        const rv_node *node = rv_tape_node(p->tape, id);
        bool all = node->op == &rv_op_add;
        for (int k = 0; all && k < node->inputs; k++) {
            int32_t in = node->in[k];
            all = p->products[in] && p->readers[in] == 1 && !is_own(p, in);
        }
        p->products[id] = p->needed[id] && (all || multiplies(p, node));
    }
}

static void choose_stored(rv_c_plan *p)
{
    for (int32_t id = 0; id < rv_tape_count(p->tape); id++) {
        const rv_node *node = rv_tape_node(p->tape, id);
        if (!p->needed[id] || is_number(p, id)) continue;
        bool once = p->readers[id] == 1 && reads_once(rv_tape_node(p->tape, p->reader[id])->op);
        bool inlined = reorders(node) || is_padding(node->op) ||
                       (once && (!p->products[id] || p->products[p->reader[id]]));
        bool named = (node->name && !node->gate) || rv_c_has_pieces(p, id);
        int depth = 0;
        for (int k = 0; k < node->inputs; k++)
            if (!p->stored[node->in[k]] && p->depth[node->in[k]] > depth)
                depth = p->depth[node->in[k]];
        p->depth[id] = depth + node->inputs;
        p->stored[id] = is_own(p, id) || !inlined || (named && !reorders(node)) ||
                        p->depth[id] > RV_C_MOST_NESTED;
    }
}

bool rv_c_is_computed(const rv_c_plan *p, int32_t id)
{
    return p->stored[id] && !rv_c_given_of(p, id) &&
           rv_tape_node(p->tape, id)->op->kind != RV_OP_LEAF;
}

/* Orders the stored nodes so that products and pointwise equations alternate as seldom as they can.
 * Products have an even round, others an odd one, not before that of what they read. */
static bool find_order(rv_c_plan *p, rv_error *error)
{
    int32_t count = rv_tape_count(p->tape), most = 0;
    int32_t *round = rv_alloc((size_t)count, sizeof *round);
    int32_t *start = rv_alloc((size_t)count + 3, sizeof *start);
    for (int32_t id = 0; round && start && id < count; id++) {
        const rv_node *node = rv_tape_node(p->tape, id);
        if (!p->needed[id] || rv_c_given_of(p, id)) continue;
        for (int k = 0; k < node->inputs; k++)
            if (round[node->in[k]] > round[id]) round[id] = round[node->in[k]];
        if (!rv_c_is_computed(p, id)) continue;
        if (round[id] % 2 == p->products[id]) round[id]++;
        if (round[id] > most) most = round[id];
        start[round[id] + 1]++;
        p->ordered++;
    }
    for (int32_t r = 0; round && start && r < most; r++) start[r + 1] += start[r];
    for (int32_t id = 0; round && start && id < count; id++) {
        if (!rv_c_is_computed(p, id) || !p->needed[id]) continue;
        int32_t at = start[round[id]]++;
        p->order[at] = id;
        p->when[id] = at + 1;
    }
    bool ok = round && start;
    rv_free(round);
    rv_free(start);
    return ok || rv_fail_memory(error);
}

static void find_last_reads(rv_c_plan *p)
{
    for (int32_t id = rv_tape_count(p->tape) - 1; id >= 0; id--) {
        const rv_node *node = rv_tape_node(p->tape, id);
        if (!p->needed[id] || rv_c_given_of(p, id)) continue;
        int32_t at = p->stored[id] ? p->when[id] : p->last_read[id];
        for (int k = 0; k < node->inputs; k++)
            if (p->last_read[node->in[k]] < at) p->last_read[node->in[k]] = at;
    }
}

/* ---- names ---- */

/* Makes p->name[id] a name that no other value of the function has. */
static void make_unique(rv_c_plan *p, int32_t id)
{
    char plain[RV_C_NAME];
    memcpy(plain, p->name[id], sizeof plain);
    for (int number = 2; rv_name_table_find(&p->taken, p->name[id]) != SIZE_MAX; number++)
        snprintf(p->name[id], RV_C_NAME, "%.*s_%d", RV_C_NAME - 12, plain, number);
    rv_name_table_add(&p->taken, p->name[id], 0);
}

/* Takes the name of an argument of the function. */
static void take(rv_c_plan *p, const char *array)
{
    if (*array == '(') array = strchr(array, ')') + 1;
    if (!strpbrk(array, ".>") && rv_name_table_find(&p->taken, array) == SIZE_MAX)
        rv_name_table_add(&p->taken, array, 0);
}

/* Whether the files that an exported net consists of use the name themselves. */
static bool is_reserved(const char *name)
{
    static const char *const reserved[] = {
        "p",    "dp",    "s",    "d",     "x",    "y",     "h",      "top",     "net", "next",
        "loss", "d_top", "real", "scale", "kept", "total", "output", "initial", "w"};
    bool found = rv_c_is_made(name);
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        found = found || !strcmp(name, reserved[i]);
    return found;
}

static void name_value(rv_c_plan *p, int32_t id)
{
    const rv_node *node = rv_tape_node(p->tape, id);
    if (node->name)
        rv_c_name(node->name, p->name[id]);
    else
        snprintf(p->name[id], RV_C_NAME, "t%d", ++p->unnamed);
    if (node->name && is_reserved(p->name[id])) strcat(p->name[id], "_");
    make_unique(p, id);
}

/* What comments call a value. */
const char *rv_c_shown_name(const rv_c_plan *p, int32_t id)
{
    const rv_c_given *g = rv_c_given_of(p, id);
    const rv_c_result *r = rv_c_result_of(p, id);
    const rv_node *node = rv_tape_node(p->tape, id);
    if (g) return g->name;
    if (r) return r->name;
    if (node->name && !node->gate && !strchr(node->name, '*'))
        return node->name; /* not the end of a comment */
    return p->stored[id] ? p->name[id] : NULL;
}

/* ---- all ---- */

bool rv_c_plan_make(rv_c_plan *p, const rv_c_function *f, rv_error *error)
{
    *p = (rv_c_plan){.f = f, .tape = f->result[0].value.tape};
    size_t nodes = (size_t)rv_tape_count(p->tape);
    p->needed = rv_alloc(nodes, sizeof *p->needed);
    p->stored = rv_alloc(nodes, sizeof *p->stored);
    p->products = rv_alloc(nodes, sizeof *p->products);
    p->depth = rv_alloc(nodes, sizeof *p->depth);
    p->readers = rv_alloc(nodes, sizeof *p->readers);
    p->reader = rv_alloc(nodes, sizeof *p->reader);
    p->order = rv_alloc(nodes, sizeof *p->order);
    p->when = rv_alloc(nodes, sizeof *p->when);
    p->last_read = rv_alloc(nodes, sizeof *p->last_read);
    p->name = rv_alloc(nodes, sizeof *p->name);
    if (!p->needed || !p->stored || !p->products || !p->depth || !p->readers || !p->reader ||
        !p->order || !p->when || !p->last_read || !p->name)
        return rv_fail_memory(error);
    mark_needed(p);
    find_products(p);
    choose_stored(p);
    if (!find_order(p, error)) return false;
    find_last_reads(p);
    if (!rv_name_table_reserve(&p->taken, nodes + (size_t)f->givens + (size_t)f->results))
        return rv_fail_memory(error);
    for (int i = 0; i < f->givens; i++) take(p, f->given[i].array);
    for (int i = 0; i < f->results; i++) take(p, f->result[i].array);
    for (int32_t id = 0; id < (int32_t)nodes; id++)
        if (p->stored[id] && !rv_c_given_of(p, id)) name_value(p, id);
    return true;
}

void rv_c_plan_free(rv_c_plan *p)
{
    rv_free(p->needed);
    rv_free(p->stored);
    rv_free(p->products);
    rv_free(p->depth);
    rv_free(p->readers);
    rv_free(p->reader);
    rv_free(p->order);
    rv_free(p->when);
    rv_free(p->last_read);
    rv_free(p->name);
    rv_name_table_free(&p->taken);
}
