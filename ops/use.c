/* use: one use of a value, apart from the others, so that gradients can be taken at it alone. */
#include "ops/descriptors_internal.h"
#include "ops/options_internal.h"

typedef struct use_attr {
    int64_t number;
} use_attr;

/* ---- shape rule ---- */

static bool infer(rv_inference *i)
{
    i->out = i->in[0];
    return true;
}

/* ---- reference ---- */

static void reference(const rv_call *c)
{
    rv_tensor x = rv_call_in(c, 0), y = rv_call_out(c);
    for (int64_t i = 0; i < rv_tensor_count(&y); i++) rv_tensor_set(&y, i, rv_tensor_get(&x, i));
}

/* ---- gradient, and what a program computes: x itself ---- */

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

static const use_attr third = {3};
static const rv_sample samples[] = {
    {.in = {{2, {3, 5}}}, .low = -2, .high = 2, .attr = &third, .attr_size = sizeof third}};

static const rv_option options[] = {
    {"number", RV_OPTION_WHOLE, true, 0, "of the use: each is a value of its own"}};

static rv_var call(const rv_var *x, int inputs, const rv_option_value *given)
{
    rv_given g = rv_given_to(&rv_op_use, x, inputs, given);
    const int64_t number = rv_given_whole(&g, 0);
    return g.ok ? rv_use(x[0], number) : rv_refused(&g);
}

const rv_op rv_op_use = {
    .name = "use",
    .args = "x",
    .formula = "y = x",
    .doc = "one use of x, apart from its other uses: gradients can be taken at it",
    .kind = RV_OP_VIEW,
    .inputs = 1,
    .infer = infer,
    .reference = reference,
    .gradient = gradient,
    RV_LINEAR,
    .rearranges = true,
    .simplify = simplify,
    .call = call,
    RV_OPTIONS(options),
    RV_SAMPLES(samples),
};

rv_var rv_use(rv_var x, int64_t number)
{
    return rv_record(x.tape, &rv_op_use, &(use_attr){number}, sizeof(use_attr), &x, 1);
}

int64_t rv_use_number(const rv_node *node)
{
    return node->op == &rv_op_use ? ((const use_attr *)node->attr)->number : -1;
}
