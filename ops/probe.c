/* probe: y = x as a node of its own, at which a gradient can be taken. Programs compute x
 * itself. */
#include "autograd/element_internal.h"
#include "ops/ops.h"
#include "ops/options.h"

typedef struct probe_attr {
    int64_t number;
} probe_attr;

/* ---- element ---- */

static rv_term element(rv_element *e) { return rv_term_input(e, 0, e->at); }

/* ---- gradient, simplification to x ---- */

static rv_var gradient(const rv_backward *b, int k)
{
    (void)k;
    return b->dy;
}

static rv_var simplify(const void *attr, const rv_var *x)
{
    (void)attr;
    return x[0];
}

/* ---- samples, descriptor, constructor ---- */

static const probe_attr third = {3};
static const rv_sample samples[] = {{.in = {{2, {3, 5}}},
                                     .low = -2,
                                     .high = 2,
                                     .attr = &third,
                                     .attr_size = sizeof third,
                                     RV_GIVEN(RV_NUMBER(3))}};

static const rv_option options[] = {
    {"number", RV_OPTION_WHOLE, true, 0, "from 0; each is a node of its own"}};

static rv_var call(rv_arguments *a) { return rv_probe(a->x[0], rv_option_whole(a, 0)); }

const rv_op rv_op_probe = {
    .name = "probe",
    .args = "x",
    .formula = "y = x",
    .doc = "x as a node of its own, at which a gradient can be taken",
    .kind = RV_OP_VIEW,
    .inputs = 1,
    .infer = rv_infer_same,
    .element = element,
    .reference = rv_copy_bytes,
    .gradient = gradient,
    RV_LINEAR,
    .rearranges = true,
    .simplify = simplify,
    .call = call,
    RV_OPTIONS(options),
    RV_SAMPLES(samples),
};

rv_var rv_probe(rv_var x, int64_t number)
{
    return rv_record(x.tape, &rv_op_probe, &(probe_attr){number}, sizeof(probe_attr), &x, 1);
}

int64_t rv_probe_number(const rv_node *node)
{
    if (!node) return -1;
    return node->op == &rv_op_probe ? ((const probe_attr *)node->attr)->number : -1;
}
