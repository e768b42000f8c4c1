// What an op of the library must show (invariant 8): all parts of a descriptor, the proof of
// rv_prove_op, and the algebra that its descriptor claims. prove() returns what is missing or
// wrong, in words.
#pragma once

#include <cmath>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "autograd/gradient.h"
#include "autograd/program.h"
#include "ops/ops.h"
#include "ops/prove.h"
#include "ops/samples_internal.h"
#include "tensor/archive.h"

namespace proof {

using Complaints = std::vector<std::string>;

// A store and a tape on which one sample is recorded, evaluated and differentiated.
class Subject {
  public:
    Subject(const rv_op &op, const rv_sample &sample, rv_dtype dtype)
        : op_(op), sample_(sample), store_(rv_store_new(1)), tape_(rv_tape_new(store_, dtype))
    {
        y = rv_sample_record(tape_, &op, &sample, x);
        inputs = rv_sample_inputs(&op, &sample);
    }
    ~Subject()
    {
        for (rv_named_tensor &value : values_) rv_tensor_free(&value.tensor);
        rv_tape_free(tape_);
        rv_store_free(store_);
    }
    Subject(const Subject &) = delete;
    Subject &operator=(const Subject &) = delete;

    rv_tape *tape() const { return tape_; }
    std::string error() const { return rv_tape_error(tape_)->text; }

    // The values of the inputs, a pure function of the sample.
    const std::vector<rv_named_tensor> &values()
    {
        for (int k = static_cast<int>(values_.size()); k < inputs; k++) {
            rv_named_tensor value = {rv_sample_input_name(k), {}};
            rv_tensor_new(&value.tensor, rv_dtype_of(x[k]), rv_shape_of(x[k]), nullptr);
            rv_sample_values(&sample_, k, 7, &value.tensor);
            values_.push_back(value);
        }
        return values_;
    }

    // The values with some that are NaN, infinite or tiny.
    void make_special(uint64_t seed)
    {
        values();
        for (int k = 0; k < inputs; k++) {
            rv_tensor *x = &values_[static_cast<size_t>(k)].tensor;
            rv_sample_values(&sample_, k, seed, x);
            rv_sample_special(k, seed, x);
        }
    }

    // Evaluates vars of the tape; empty on error.
    std::vector<std::vector<double>> evaluate(const std::vector<rv_var> &vars)
    {
        std::vector<std::vector<double>> results;
        rv_program *program =
            rv_compile_with(tape_, vars.data(), static_cast<int>(vars.size()), RV_VALUES);
        if (!program) return results;
        for (const rv_named_tensor &value : values())
            rv_tensor_copy(rv_program_input(program, value.name), &value.tensor, nullptr);
        rv_run(program);
        for (size_t i = 0; i < vars.size(); i++) {
            const rv_tensor *out = rv_program_output(program, static_cast<int>(i));
            results.emplace_back();
            for (int64_t j = 0; j < rv_tensor_count(out); j++)
                results.back().push_back(rv_tensor_get(out, j));
        }
        rv_program_free(program);
        return results;
    }

    // The reference kernel's result. A composite's reference is called only here.
    std::vector<double> reference() { return reference(values()); }
    std::vector<double> reference(const std::vector<rv_named_tensor> &operands)
    {
        std::vector<const void *> in;
        std::vector<rv_type> types;
        for (const rv_named_tensor &value : operands) {
            in.push_back(value.tensor.data);
            types.push_back({value.tensor.dtype, value.tensor.shape});
        }
        rv_tensor out;
        rv_tensor_new(&out, rv_dtype_of(y), rv_shape_of(y), nullptr);
        rv_call call = {};
        call.out = out.data;
        call.in = in.data();
        call.attr = op_.kind == RV_OP_COMPOSITE ? sample_.options : sample_.attr;
        call.in_type = types.data();
        call.out_type = {out.dtype, out.shape};
        call.inputs = inputs;
        op_.reference(&call);
        std::vector<double> result;
        for (int64_t j = 0; j < rv_tensor_count(&out); j++)
            result.push_back(rv_tensor_get(&out, j));
        rv_tensor_free(&out);
        return result;
    }

    // A fixed random constant of a var's type.
    rv_var direction(rv_var like, const char *name)
    {
        rv_tensor r;
        rv_tensor_new(&r, rv_dtype_of(like), rv_shape_of(like), nullptr);
        rv_init_fill(&r, rv_init_uniform(0.5, 1.5), rv_seed(3, name));
        rv_var constant = rv_constant(tape_, &r);
        rv_tensor_free(&r);
        return constant;
    }

    rv_var inner(rv_var a, rv_var b) { return rv_sum(rv_multiply(a, b), RV_ALL_AXES, false); }

    rv_var x[RV_SAMPLE_INPUTS], y;
    int inputs;

  private:
    const rv_op &op_;
    const rv_sample &sample_;
    rv_store *store_;
    rv_tape *tape_;
    std::vector<rv_named_tensor> values_;
};

inline double largest(const std::vector<double> &v)
{
    double most = 0;
    for (double e : v)
        if (std::isfinite(e)) most = std::fmax(most, std::fabs(e));
    return most;
}

// Largest difference, relative to the largest element; infinite for different sizes, and where one
// is NaN or infinite and the other is not equal.
inline double difference(const std::vector<double> &a, const std::vector<double> &b)
{
    double most = 0;
    if (a.size() != b.size()) return INFINITY;
    for (size_t i = 0; i < a.size(); i++) {
        if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
        if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return INFINITY;
        most = std::fmax(most, std::fabs(a[i] - b[i]));
    }
    return most / std::fmax(1e-3, std::fmax(largest(a), largest(b)));
}

inline std::string number(double value)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}

inline void check_complete(const rv_op &op, Complaints *c)
{
    int good = 0;
    for (int i = 0; i < op.sample_count; i++) good += !op.samples[i].error;
    if (!op.name || !*op.name) c->push_back("has no name");
    if (!op.formula || !*op.formula) c->push_back("has no formula");
    if (!op.doc || !*op.doc) c->push_back("has no doc line");
    if (!op.args || !*op.args) c->push_back("names no inputs");
    if (!op.reference) c->push_back("has no reference kernel");
    if (!good) c->push_back("has no sample");
    if (op.kind == RV_OP_VALUE && !op.select && !op.pointwise) c->push_back("has no kernel");
    if (op.kind != RV_OP_COMPOSITE && !op.gradient && !op.zero_gradient)
        c->push_back("has no gradient rule");
    if (!op.call) c->push_back("has no call");
    std::set<std::string> names;
    for (int i = 0; i < op.option_count; i++) {
        const rv_option &option = op.options[i];
        if (!option.name || !*option.name || !names.insert(option.name).second)
            c->push_back("has an option without a name of its own");
        if (!option.doc || !*option.doc) c->push_back("has an option without a doc line");
    }
}

// Ops whose kernels may compute inf or NaN where the reference is finite, or NaN where it is inf.
// None hides a NaN.
const std::set<std::string> kSpreadsInfinity = {
    // some methods multiply weights by the zeros around x, or transform whole tiles
    "conv2d", "conv2d_input_gradient", "conv2d_transpose", "conv2d_weight_gradient",
    "conv2d_weight_gradient_add", "true_conv2d",
    // -ln p of the label and the mean of the logits are infinite with opposite signs
    "softmax_cross_entropy_smooth"};

inline void check_kernel(const rv_op &op, const rv_sample &sample, rv_dtype dtype, Complaints *c)
{
    Subject s(op, sample, dtype);
    auto seen = s.evaluate({s.y});
    if (seen.empty()) return c->push_back("cannot be computed: " + s.error());
    double error = difference(seen[0], s.reference()),
           bound = rv_dtype_of(s.y) == RV_F64 && dtype == RV_F64 ? 2e-14 : 4e-6;
    if (!(error <= bound))
        c->push_back(std::string(rv_dtype_name(dtype)) + " kernel differs from the reference by " +
                     number(error));
    for (uint64_t seed = 0; error <= bound && seed < 8; seed++) {
        s.make_special(seed);
        std::vector<double> kernel = s.evaluate({s.y})[0], reference = s.reference();
        for (size_t i = 0; kSpreadsInfinity.count(op.name) && i < kernel.size(); i++)
            if (!std::isnan(reference[i]) && !std::isfinite(kernel[i])) reference[i] = kernel[i];
        error = difference(kernel, reference);
        if (!(error <= bound))
            c->push_back(std::string(rv_dtype_name(dtype)) +
                         " kernel differs from the reference where inputs are NaN, infinite or "
                         "tiny, seed " +
                         std::to_string(seed));
    }
}

// A NaN reaches every element of the result that depends on it: every one that some other number in
// its place would change. Says for which inputs it does not.
inline std::set<int> inputs_whose_nan_is_hidden(const rv_op &op, const rv_sample &sample)
{
    std::set<int> hidden;
    Subject s(op, sample, RV_F64);
    std::vector<rv_named_tensor> values = s.values();
    const std::vector<double> before = s.reference();
    for (int k = 0; k < s.inputs; k++) {
        rv_tensor *x = &values[static_cast<size_t>(k)].tensor;
        const int64_t count = rv_tensor_count(x);
        for (int64_t i = 0; x->dtype != RV_I32 && i < count; i += 1 + count / 16) {
            const double was = rv_tensor_get(x, i);
            std::vector<bool> depends(before.size());
            const rv_tensor &next = values[static_cast<size_t>((k + 1) % s.inputs)].tensor;
            const double nearby = rv_tensor_get(&next, i % rv_tensor_count(&next));
            for (const double other : {-was, was + 1, was - 1, 10.0, -10.0, 0.0, nearby}) {
                rv_tensor_set(x, i, other);
                const std::vector<double> after = s.reference();
                for (size_t j = 0; j < before.size(); j++)
                    depends[j] = depends[j] || before[j] != after[j];
            }
            rv_tensor_set(x, i, NAN);
            const std::vector<double> result = s.evaluate({s.y})[0];
            for (size_t j = 0; j < before.size(); j++)
                if (depends[j] && !std::isnan(result[j])) hidden.insert(k);
            rv_tensor_set(x, i, was);
        }
    }
    return hidden;
}

// <A x, u> = <x, A'u> in every input the op is linear in, and in all of them together.
inline void check_adjoint(const rv_op &op, const rv_sample &sample, Complaints *c)
{
    if (!op.linear && !op.linear_jointly) return;
    Subject s(op, sample, RV_F64);
    if (sample.integer) return;
    rv_var u = s.direction(s.y, "u"), left = s.inner(s.y, u);
    std::vector<rv_var> cotangent(static_cast<size_t>(s.inputs)), sides = {left};
    if (!rv_vjp(s.y, u, s.x, s.inputs, cotangent.data()))
        return c->push_back("has no adjoint: " + s.error());
    for (int k = 0; k < s.inputs; k++)
        sides.push_back(s.inner(s.x[k], cotangent[static_cast<size_t>(k)]));
    auto value = s.evaluate(sides);
    double together = 0;
    auto close = [&](double side) {
        return std::fabs(side - value[0][0]) <= 1e-12 * std::fmax(1, std::fabs(side));
    };
    for (int k = 0; k < s.inputs; k++) {
        double side = value[static_cast<size_t>(k) + 1][0];
        together += side;
        if (op.linear >> k & 1 && !close(side))
            c->push_back("input " + std::to_string(k) + ": <A x, u> = " + number(value[0][0]) +
                         " but <x, A'u> = " + number(side));
    }
    if (op.linear_jointly && !close(together)) c->push_back("<A x, u> differs from <x, A'u>");
}

// x[k] = 0 or 1 returns the other operand, where the descriptor says so; likewise commutativity. By
// the reference kernel, since recording and the passes believe the descriptor.
inline void check_algebra(const rv_op &op, const rv_sample &sample, Complaints *c)
{
    if (op.kind == RV_OP_COMPOSITE || rv_sample_inputs(&op, &sample) != 2 || sample.integer) return;
    Subject s(op, sample, RV_F64);
    for (int k = 0; k < 2; k++)
        for (double unit : {0.0, 1.0}) {
            unsigned mask = unit == 0 ? op.zero_is_unit : op.one_is_unit;
            if (!(mask >> k & 1)) continue;
            std::vector<rv_named_tensor> operands = s.values();
            std::vector<double> other;
            for (int64_t i = 0; i < rv_tensor_count(&operands[1 - k].tensor); i++)
                other.push_back(rv_tensor_get(&operands[1 - k].tensor, i));
            rv_tensor_new(&operands[k].tensor, RV_F64, rv_shape_of(s.x[k]), nullptr);
            rv_tensor_fill(&operands[k].tensor, unit);
            if (s.reference(operands) != other)
                c->push_back(number(unit) + " is not a unit of input " + std::to_string(k));
            rv_tensor_free(&operands[k].tensor);
        }
    std::vector<rv_named_tensor> swapped = {s.values()[1], s.values()[0]};
    if (op.commutative && s.reference(swapped) != s.reference()) c->push_back("does not commute");
}

inline Complaints prove(const rv_op &op)
{
    Complaints complaints;
    rv_error error = {};
    check_complete(op, &complaints);
    if (!complaints.empty()) return complaints;
    if (!rv_prove_op(&op, &error)) complaints.emplace_back(error.text);
    for (int i = 0; i < op.sample_count; i++) {
        const rv_sample &sample = op.samples[i];
        size_t before = complaints.size();
        if (sample.error) continue;
        check_kernel(op, sample, RV_F32, &complaints);
        check_kernel(op, sample, RV_F64, &complaints);
        check_algebra(op, sample, &complaints);
        if (!op.zero_gradient) check_adjoint(op, sample, &complaints);
        for (size_t j = before; j < complaints.size(); j++)
            complaints[j] = "sample " + std::to_string(i) + ": " + complaints[j];
    }
    return complaints;
}

} // namespace proof
