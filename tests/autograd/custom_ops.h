/* Ops that a user might write, well or badly: y = x^3 of any shape, with the gradient rule of the
 * test's choice. A descriptor must outlive the store, which keeps programs; these are static. */
#ifndef RV_TESTS_AUTOGRAD_CUSTOM_OPS_H
#define RV_TESTS_AUTOGRAD_CUSTOM_OPS_H

#include "autograd/op.h"
#include "autograd/tape.h"

using GradientRule = rv_var (*)(const rv_backward *, int);

inline bool infer_like_input(rv_inference *i)
{
    i->out = i->in[0];
    return true;
}

inline void cube_reference(const rv_call *c)
{
    rv_tensor x = rv_call_in(c, 0), y = rv_call_out(c);
    for (int64_t i = 0; i < rv_tensor_count(&y); i++) {
        const double v = rv_tensor_get(&x, i);
        rv_tensor_set(&y, i, v * v * v);
    }
}

/* Each rule needs a name of its own: to the tape the name is the op. */
inline rv_op cube_op(const char *name, GradientRule gradient)
{
    rv_op op = {};
    op.name = name;
    op.args = "x";
    op.formula = "y = x^3";
    op.doc = "the cube";
    op.inputs = 1;
    op.infer = infer_like_input;
    op.reference = cube_reference;
    op.gradient = gradient;
    return op;
}

inline rv_var record(const rv_op &op, rv_var x)
{
    return rv_record(nullptr, &op, nullptr, 0, &x, 1);
}

#endif
