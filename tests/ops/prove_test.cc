/* rv_prove_op names what is wrong with an op. registry_test.cc proves the ops of the library with
 * it. */
#include "ops/prove.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "ops/ops.h"

namespace {

std::string refutation(const rv_op &op)
{
    rv_error error = {};
    const bool ok = rv_prove_op(&op, &error);
    EXPECT_EQ(ok, error.code == RV_OK) << error.text;
    return error.text;
}

rv_op spoilt(const char *name) { return *rv_op_find(name); }

void zeros(const rv_call *c)
{
    rv_tensor y = rv_call_out(c);
    rv_tensor_fill(&y, 0);
}

rv_var as_it_came(const rv_backward *b, int) { return b->dy; }

/* The first derivative has the right value, but cannot be differentiated. */
rv_var frozen(const rv_backward *b, int)
{
    return rv_multiply(b->dy, rv_stop_gradient(rv_scale(b->x[0], 2)));
}

/* Right, but not to be differentiated by dy. */
rv_var deaf(const rv_backward *b, int)
{
    return rv_multiply(rv_stop_gradient(b->dy), rv_scale(b->x[0], 2));
}

rv_kernel hides_nan(rv_call *)
{
    return [](const rv_call *c) {
        rv_tensor x = rv_call_in(c, 0), y = rv_call_out(c);
        for (int64_t i = 0; i < rv_tensor_count(&y); i++)
            rv_tensor_set(&y, i, std::fmax(rv_tensor_get(&x, i), 0));
    };
}

TEST(ProveOp, NamesWhatIsWrong)
{
    rv_op op = spoilt("tanh");
    op.reference = zeros;
    EXPECT_NE(refutation(op).find("f32 kernel differs from the reference"), std::string::npos);

    op = spoilt("tanh");
    op.gradient = as_it_came;
    EXPECT_NE(refutation(op).find("first derivative by x0"), std::string::npos);

    op = spoilt("square");
    op.gradient = frozen;
    EXPECT_NE(refutation(op).find("second derivative by x0"), std::string::npos);

    op = spoilt("square");
    op.gradient = deaf;
    EXPECT_NE(refutation(op).find("Jacobian-vector product is not"), std::string::npos);

    op = spoilt("tanh");
    rv_sample fine = op.samples[0];
    fine.error = "too good";
    op.samples = &fine;
    op.sample_count = 1;
    EXPECT_NE(refutation(op).find("should be refused with \"too good\""), std::string::npos);

    op = spoilt("tanh");
    op.sample_count = 0;
    EXPECT_NE(refutation(op).find("no samples"), std::string::npos);

    op = spoilt("tanh"); /* text cannot call it; nothing is wrong with the op */
    op.call = nullptr;
    EXPECT_EQ(refutation(op), "");

    op = spoilt("relu");
    op.pointwise = nullptr;
    op.select = hides_nan;
    EXPECT_NE(refutation(op).find("where inputs are NaN"), std::string::npos);

    op = spoilt("lerp");
    op.call = nullptr;
    EXPECT_NE(refutation(op).find("composite without a call"), std::string::npos);

    op = spoilt("conv2d");
    op.call = [](rv_arguments *a) {
        rv_option_value value[4] = {a->value[2], a->value[1], a->value[0], a->value[3]};
        rv_arguments swapped = *a;
        swapped.value = value; /* stride and dilation */
        return rv_op_find("conv2d")->call(&swapped);
    };
    EXPECT_NE(refutation(op).find("does not record the node"), std::string::npos);

    op = spoilt("elu");
    fine = op.samples[0];
    fine.options = nullptr;
    op.samples = &fine;
    op.sample_count = 1;
    EXPECT_NE(refutation(op).find("no values for its options"), std::string::npos);
}

} // namespace
