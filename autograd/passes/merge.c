/* Merge: rewrites sums and products.
 *
 * In a sum of products, such as a gate's x U + h W or a weight's gradient over all time steps, each
 * product accumulates onto the previous one, which saves a write and a read of every partial
 * result. An operand that several products share is prepared once. A sum of many terms becomes a
 * chain of two-term additions. */
#include <stdlib.h>
#include <string.h>

#include "autograd/passes/passes.h"
#include "autograd/tape_internal.h"
#include "tensor/memory.h"

enum { MOST_OPERANDS = 4 }; /* of a product, without the addend */

/* A product to be recorded, with room for the addend as its last input. */
typedef struct product {
    const rv_op *op;
    const void *attr;
    size_t attr_size;
    int inputs;
    rv_var in[MOST_OPERANDS + 1];
} product;

/* The latest product that reads an operand prepared: 1 + its ids, or 0. */
typedef struct preparation {
    int32_t from, to; /* on the old and on the new tape */
} preparation;

typedef struct merger {
    const rv_tape *from;
    int32_t *sum; /* [nodes] of a product: 1 + the sum that is its only reader, or 0 */
    int32_t
        *so_far;  /* [nodes] of a sum: 1 + the partial sum of its products on the new tape, or 0 */
    bool *shared; /* [nodes] of a product: whether another one has the same second operand */
    preparation *latest; /* [nodes] of an operand */
    int32_t more;        /* nodes that the new tape has in addition, about */
} merger;

static bool is_product(const rv_node *node)
{
    return node->op->accumulate && node->inputs <= MOST_OPERANDS;
}

static void find_sums(merger *m, const bool *live, const int32_t *outputs, int count,
                      unsigned char *readers)
{
    enum { MANY = 2 };
    const rv_tape *tape = m->from;
    for (int i = 0; i < count; i++) readers[outputs[i]] = MANY;
    for (int32_t id = 0; id < tape->count; id++)
        for (int k = 0; live[id] && k < tape->nodes[id].inputs; k++) {
            int32_t in = tape->nodes[id].in[k];
            if (readers[in] < MANY) readers[in]++;
        }
    for (int32_t id = 0; id < tape->count; id++) {
        const rv_node *node = &tape->nodes[id];
        if (!live[id] || node->op != &rv_op_add) continue;
        int32_t terms = 0, products = 0;
        for (int k = 0; k < node->inputs; k++) {
            const rv_node *in = &tape->nodes[node->in[k]];
            bool alone = is_product(in) && readers[node->in[k]] == 1;
            if (alone) m->sum[node->in[k]] = id + 1;
            terms += !alone || in->op->pointwise;
            products += alone && in->op->pointwise; /* recorded twice (add_term) */
        }
        m->more += products + (terms > 2 ? terms - 2 : 0);
    }
}

static bool same_attributes(const rv_node *a, const rv_node *b)
{
    return a->op == b->op && a->attr_size == b->attr_size &&
           (!a->attr_size || !memcmp(a->attr, b->attr, a->attr_size));
}

/* Marks products with the same op, attributes and second operand. Only the latest products of an
 * operand are compared. latest [nodes]: 1 + the latest product with this second operand;
 * before [nodes]: 1 + the previous product with the same second operand. */
static void find_shared(merger *m, const bool *live, int32_t *latest, int32_t *before)
{
    enum { LOOKS = 8 };
    for (int32_t id = 0; id < m->from->count; id++) {
        const rv_node *node = &m->from->nodes[id];
        bool prepares = node->op->prepare && !node->op->pointwise;
        if (!live[id] || !prepares || node->inputs < 2 || node->inputs > MOST_OPERANDS) continue;
        int32_t other = before[id] = latest[node->in[1]];
        latest[node->in[1]] = id + 1;
        for (int look = 0; other && look < LOOKS; look++, other = before[other - 1])
            if (same_attributes(node, &m->from->nodes[other - 1])) {
                enum { PREPARED = 3 }; /* nodes of an operand and of its first product */
                m->more += m->shared[other - 1] ? 0 : PREPARED;
                m->shared[id] = m->shared[other - 1] = true;
                break;
            }
    }
}

/* ---- products ---- */

static product to_record(const rv_node *node, const rv_var *in)
{
    product p = {node->op, node->attr, node->attr_size, node->inputs, {{0}}};
    memcpy(p.in, in, (size_t)node->inputs * sizeof *in);
    return p;
}

static bool same_types(const rv_tape *tape, const rv_node *a, const rv_node *b)
{
    const rv_type *x = &tape->nodes[a->in[0]].type, *y = &tape->nodes[b->in[0]].type;
    return x->dtype == y->dtype && rv_shape_equal(x->shape, y->shape);
}

/* The node's product on its new inputs. A shared second operand is prepared if the op says it pays,
 * which depends on the attributes and the type of the first operand: it is asked once for products
 * that have these in common. */
static product product_of(const merger *m, rv_tape *to, int32_t id, const rv_node *node,
                          const rv_var *in)
{
    if (!m->shared[id]) return to_record(node, in);
    preparation *latest = &m->latest[node->in[1]];
    const rv_node *before = latest->from ? &m->from->nodes[latest->from - 1] : NULL;
    bool again = before && node->inputs == 2 && same_attributes(before, node) &&
                 same_types(m->from, before, node);
    rv_var prepared = again ? (rv_var){to, latest->to - 1} : node->op->prepare(node->attr, in);
    if (prepared.id < 0) return to_record(node, in);
    const rv_node *made = &to->nodes[prepared.id];
    rv_var inputs[MOST_OPERANDS];
    for (int k = 0; k < made->inputs; k++) inputs[k] = (rv_var){to, made->in[k]};
    if (again)
        inputs[0] = in[0];
    else if (made->inputs == 2 && made->in[0] == in[0].id)
        *latest = (preparation){id + 1, prepared.id + 1};
    return to_record(made, inputs);
}

/* Records the product, accumulated onto the partial sum of `sum` (-1: none). */
static rv_var record(merger *m, rv_tape *to, int32_t sum, product *p)
{
    bool add = sum >= 0 && m->so_far[sum];
    if (add) p->in[p->inputs] = (rv_var){to, m->so_far[sum] - 1};
    rv_var made = rv_record(to, add ? p->op->accumulate : p->op, p->attr, p->attr_size, p->in,
                            p->inputs + add);
    if (sum >= 0) m->so_far[sum] = made.id + 1;
    return made;
}

/* ---- sums ---- */

typedef struct term {
    rv_var value;
    bool product; /* a pointwise product that only this sum reads */
} term;

static int by_id(const void *a, const void *b)
{
    int32_t x = ((const term *)a)->value.id, y = ((const term *)b)->value.id;
    return (x > y) - (x < y);
}

/* Adds a term. A pointwise product, recorded as a plain node so far, is replaced by the op's
 * accumulating form. */
static rv_var add_term(rv_tape *to, rv_var sum, const term *next)
{
    if (!next->product) return rv_add_all((rv_var[]){sum, next->value}, 2);
    const rv_node *node = &to->nodes[next->value.id];
    rv_var in[MOST_OPERANDS + 1];
    for (int k = 0; k < node->inputs; k++) in[k] = (rv_var){to, node->in[k]};
    in[node->inputs] = sum;
    return rv_record(to, node->op->accumulate, node->attr, node->attr_size, in, node->inputs + 1);
}

/* Adds the partial sum of the products and the other terms, one at a time in tape order. Each
 * partial sum can then be computed as soon as its last term is known, so no term stays alive until
 * the end. */
static rv_var finish_sum(const merger *m, rv_tape *to, int32_t id, const rv_node *node,
                         const rv_var *in)
{
    term few[8], *terms = few;
    rv_var sum = {to, -1};
    if (node->inputs >= 8 && !(terms = rv_alloc((size_t)node->inputs + 1, sizeof *terms))) {
        rv_fail_memory(&to->error);
        return sum;
    }
    int count = 0;
    for (int k = 0; k < node->inputs; k++) {
        bool alone = m->sum[node->in[k]] == id + 1; /* a product that only this sum reads */
        bool pointwise = alone && m->from->nodes[node->in[k]].op->pointwise;
        if (!alone || pointwise) terms[count++] = (term){in[k], pointwise};
    }
    if (m->so_far[id]) terms[count++] = (term){{to, m->so_far[id] - 1}, false};
    qsort(terms, (size_t)count, sizeof *terms, by_id);
    if (count > 1 && terms[0].product) { /* a product needs an addend, so it cannot be first */
        term first = terms[0];
        terms[0] = terms[1];
        terms[1] = first;
    }
    sum = terms[0].value;
    for (int k = 1; k < count; k++) sum = add_term(to, sum, &terms[k]);
    if (terms != few) rv_free(terms);
    return sum;
}

static rv_var merge(void *context, rv_tape *to, int32_t id, const rv_node *node, const rv_var *in)
{
    merger *m = context;
    if (node->op == &rv_op_add && node->inputs > 1) return finish_sum(m, to, id, node, in);
    if ((!m->sum[id] || node->op->pointwise) && !m->shared[id]) return (rv_var){to, -1};
    product made = product_of(m, to, id, node, in);
    return to->error.code ? (rv_var){to, -1} : record(m, to, m->sum[id] - 1, &made);
}

rv_tape *rv_pass_merge(const rv_tape *from, int32_t *outputs, int count, unsigned flags,
                       rv_error *error)
{
    size_t nodes = (size_t)from->count + 1;
    merger m = {from,
                rv_alloc(nodes, sizeof *m.sum),
                rv_alloc(nodes, sizeof *m.so_far),
                rv_alloc(nodes, sizeof *m.shared),
                rv_alloc(nodes, sizeof *m.latest),
                0};
    bool *live = rv_alloc(nodes, sizeof *live);
    unsigned char *readers = rv_alloc(nodes, 1);
    int32_t *latest = rv_alloc(2 * nodes, sizeof *latest);
    rv_tape *to = NULL;
    if (m.sum && m.so_far && m.shared && m.latest && live && readers && latest) {
        rv_pass_prune(from, outputs, count, flags, live);
        find_sums(&m, live, outputs, count, readers);
        find_shared(&m, live, latest, latest + nodes);
        to = rv_pass_rewrite(from, outputs, count, flags, merge, &m, m.more, error);
    } else {
        rv_fail_memory(error);
    }
    rv_free(m.sum);
    rv_free(m.so_far);
    rv_free(m.shared);
    rv_free(m.latest);
    rv_free(live);
    rv_free(readers);
    rv_free(latest);
    return to;
}
