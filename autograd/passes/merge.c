/* Merge: in a sum of products, such as a gate's x U + h W or a weight's gradient over all time steps, each
 * product is accumulated onto the one before instead of being written out and read again; and any
 * long sum is added up term by term. */
#include <stdlib.h>

#include "autograd/passes/passes.h"
#include "autograd/tape_internal.h"
#include "tensor/memory.h"

typedef struct merger {
    const rv_tape *from;
    int32_t *sum; /* [nodes] 1 + the sum that alone reads a product, or 0 */
    int32_t
        *chain; /* [nodes] of a sum: 1 + what its products have come to so far, on the new tape */
} merger;

/* Readers are counted up to 2, which is too many. */
static void find_sums(merger *m, const bool *live, const int32_t *outputs, int count,
                      unsigned char *readers)
{
    const rv_tape *tape = m->from;
    for (int i = 0; i < count; i++) readers[outputs[i]] = 2;
    for (int32_t id = 0; id < tape->count; id++)
        for (int k = 0; live[id] && k < tape->nodes[id].inputs; k++) {
            int32_t in = tape->nodes[id].in[k];
            if (readers[in] < 2) readers[in]++;
        }
    for (int32_t id = 0; id < tape->count; id++) {
        const rv_node *node = &tape->nodes[id];
        if (!live[id] || node->op != &rv_op_add) continue;
        for (int k = 0; k < node->inputs; k++)
            if (tape->nodes[node->in[k]].op->accumulate && readers[node->in[k]] == 1)
                m->sum[node->in[k]] = id + 1;
    }
}

/* The product, onto what its sum has come to. */
static rv_var add_product(merger *m, rv_tape *to, int32_t id, const rv_node *node, const rv_var *in)
{
    int32_t *chain = &m->chain[m->sum[id] - 1];
    rv_var made;
    if (*chain) {
        rv_var with[4];
        for (int k = 0; k < node->inputs; k++) with[k] = in[k];
        with[node->inputs] = (rv_var){to, *chain - 1};
        made = rv_record(to, node->op->accumulate, node->attr, node->attr_size, with,
                         node->inputs + 1);
    } else {
        made = rv_record(to, node->op, node->attr, node->attr_size, in, node->inputs);
    }
    *chain = made.id + 1;
    return made;
}

static int by_id(const void *a, const void *b)
{
    int32_t x = ((const rv_var *)a)->id, y = ((const rv_var *)b)->id;
    return (x > y) - (x < y);
}

/* The sum: what its products have come to, and its other terms, two at a time in the order they become known.
 * A partial sum can then be computed with the last of its terms, and no term need be kept for the end. */
static rv_var finish_sum(const merger *m, rv_tape *to, int32_t id, const rv_node *node,
                         const rv_var *in)
{
    rv_var *terms = rv_alloc((size_t)node->inputs + 1, sizeof *terms);
    rv_var sum = {to, -1};
    if (!terms) {
        rv_fail_memory(&to->error);
        return sum;
    }
    int count = 0;
    for (int k = 0; k < node->inputs; k++)
        if (m->sum[node->in[k]] != id + 1) terms[count++] = in[k];
    if (m->chain[id]) terms[count++] = (rv_var){to, m->chain[id] - 1};
    qsort(terms, (size_t)count, sizeof *terms, by_id);
    sum = terms[0];
    for (int k = 1; k < count; k++) sum = rv_add_all((rv_var[]){sum, terms[k]}, 2);
    rv_free(terms);
    return sum;
}

static rv_var merge(void *context, rv_tape *to, int32_t id, const rv_node *node, const rv_var *in)
{
    merger *m = context;
    if (m->sum[id]) return add_product(m, to, id, node, in);
    bool chained = m->chain[id] || (node->op == &rv_op_add && node->inputs > 2);
    return chained ? finish_sum(m, to, id, node, in) : (rv_var){to, -1};
}

rv_tape *rv_pass_merge(const rv_tape *from, int32_t *outputs, int count, unsigned flags,
                       rv_error *error)
{
    size_t nodes = (size_t)from->count + 1;
    merger m = {from, rv_alloc(nodes, sizeof *m.sum), rv_alloc(nodes, sizeof *m.chain)};
    bool *live = rv_alloc(nodes, sizeof *live);
    unsigned char *readers = rv_alloc(nodes, 1);
    rv_tape *to = NULL;
    if (m.sum && m.chain && live && readers) {
        rv_pass_prune(from, outputs, count, flags, live);
        find_sums(&m, live, outputs, count, readers);
        to = rv_pass_rewrite(from, outputs, count, flags, merge, &m, error);
    } else {
        rv_fail_memory(error);
    }
    rv_free(m.sum);
    rv_free(m.chain);
    rv_free(live);
    rv_free(readers);
    return to;
}
