/* Calls of every op by name, with options, and the node that its public function records. */
#ifndef RV_TESTS_OPS_CALLS_H
#define RV_TESTS_OPS_CALLS_H

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

#include "autograd/recompute.h"
#include "ops/options.h"
#include "ops/samples_internal.h"
#include "tests/tapes.h"

using Vars = std::vector<rv_var>;
using Options = std::map<std::string, rv_option_value>;

inline rv_option_value number(double value)
{
    rv_option_value v = {};
    v.number = value;
    return v;
}

inline rv_option_value list(const std::vector<int64_t> &values)
{
    rv_option_value v = {};
    v.count = static_cast<int>(values.size());
    for (size_t i = 0; i < values.size(); i++) v.list[i] = values[i];
    return v;
}

inline rv_option_value word(const char *text)
{
    rv_option_value v = {};
    v.word = text;
    return v;
}

/* Values for the options of an op, from the descriptor alone: the value given by name, or else the default. */
inline std::vector<rv_option_value> filled(const rv_op &op, Options given)
{
    std::vector<rv_option_value> values;
    for (int i = 0; i < op.option_count; i++) {
        const auto found = given.find(op.options[i].name);
        values.push_back(found == given.end() ? number(op.options[i].default_value)
                                              : found->second);
        if (found != given.end()) given.erase(found);
    }
    EXPECT_TRUE(given.empty()) << op.name << " has no option " << given.begin()->first;
    return values;
}

inline rv_var call(const char *name, const Vars &x, const Options &given = {})
{
    const rv_op *op = rv_op_find(name);
    EXPECT_NE(op, nullptr) << name;
    if (!op) return {nullptr, -1};
    const std::vector<rv_option_value> values = filled(*op, given);
    return rv_op_call(op, x.data(), static_cast<int>(x.size()), values.data());
}

/* Records an op that has no public function, with the attributes of a node. */
inline rv_var with_attributes(const char *name, rv_var of, const Vars &x)
{
    const rv_node node = *rv_tape_node(of.tape, of.id);
    return rv_record(nullptr, rv_op_find(name), node.attr, node.attr_size, x.data(),
                     static_cast<int>(x.size()));
}

struct Row {
    const char *name;
    Vars x;
    Options given;
    rv_var expected;
};

inline rv_conv2d_options geometry(int64_t down, int64_t across, std::vector<int64_t> sides,
                                  int64_t dilation, int64_t groups)
{
    rv_conv2d_options o = {};
    o.stride[0] = down, o.stride[1] = across;
    o.top = sides[0], o.bottom = sides[1], o.left = sides[2], o.right = sides[3];
    o.dilation[0] = o.dilation[1] = dilation;
    o.groups = groups;
    return o;
}

inline std::vector<Row> pointwise_rows(Tape &t)
{
    const rv_var x = t.input("x", RV_SHAPE(3, 4)), y = t.input("y", RV_SHAPE(4)),
                 z = t.input("z", RV_SHAPE(3, 1));
    return {
#define UNARY(name, ...) {#name, {x}, {}, rv_##name(x)},
#define BINARY(name, ...) {#name, {x, y}, {}, rv_##name(x, y)},
#define TERNARY(name, ...) {#name, {x, y, z}, {}, rv_##name(x, y, z)},
#include "ops/pointwise.def"
#undef UNARY
#undef BINARY
#undef TERNARY
        {"add", {y, x}, {}, rv_add(y, x)},
        {"add", {x, y, z}, {}, rv_add(rv_add(x, y), z)},
        {"lerp", {x, y, z}, {}, rv_lerp(x, y, z)},
        {"cast", {x}, {{"dtype", word("f32")}}, rv_cast(x, RV_F32)},
        {"stop_gradient", {x}, {}, rv_stop_gradient(x)},
        {"control_dependency", {x, y}, {}, rv_control_dependency(x, y)},
        {"probe", {x}, {{"number", number(3)}}, rv_probe(x, 3)},
        {"clamp", {x}, {{"low", number(-1)}, {"high", number(2)}}, rv_clamp(x, -1, 2)},
        {"silu", {x}, {}, rv_silu(x)},
        {"gelu", {x}, {}, rv_gelu(x)},
        {"hard_sigmoid", {x}, {}, rv_hard_sigmoid(x)},
        {"elu", {x}, {}, rv_elu(x, 1)},
        {"elu", {x}, {{"alpha", number(2)}}, rv_elu(x, 2)},
        {"leaky_relu", {x}, {}, rv_leaky_relu(x, 0.01)},
        {"leaky_relu", {x}, {{"slope", number(0.2)}}, rv_leaky_relu(x, 0.2)},
    };
}

inline std::vector<Row> shape_rows(Tape &t)
{
    const rv_var x = t.input("x", RV_SHAPE(2, 3, 4)), y = t.input("y", RV_SHAPE(2, 5, 4));
    const int order[] = {1, 2, 0};
    const int64_t start[] = {0, 1, 0}, size[] = {2, 2, 2}, step[] = {1, 1, 3};
    const int64_t before[] = {1, 0, -1}, after[] = {0, 2, 0}, between[] = {0, 1, 0};
    const int64_t none[] = {0, 0, 0};
    const rv_var padded = rv_pad(x, before, after, between), like = t.input("p", RV_SHAPE(3, 7, 3));
    return {
        {"reshape", {x}, {{"shape", list({6, -1})}}, rv_reshape(x, RV_SHAPE(6, 4))},
        {"transpose", {x}, {}, rv_transpose(x, nullptr)},
        {"transpose", {x}, {{"axes", list({1, -1, 0})}}, rv_transpose(x, order)},
        {"broadcast", {x}, {{"shape", list({5, 2, 3, 4})}}, rv_broadcast(x, RV_SHAPE(5, 2, 3, 4))},
        {"flip", {x}, {{"axes", list({0, -1})}}, rv_flip(x, 5)},
        {"slice",
         {x},
         {{"start", list({0, 1, 0})}, {"size", list({2, 2, 2})}, {"step", list({1, 1, 3})}},
         rv_slice(x, start, size, step)},
        {"slice",
         {x},
         {{"start", list({0, 1, 0})}, {"size", list({2, 2, 2})}},
         rv_slice(x, start, size, nullptr)},
        {"concat", {x, y}, {{"axis", number(1)}}, rv_concat(Vars{x, y}.data(), 2, 1)},
        {"concat", {x, x}, {}, rv_concat(Vars{x, x}.data(), 2, 0)},
        {"stack", {x, x}, {{"axis", number(-1)}}, rv_stack(Vars{x, x}.data(), 2, 3)},
        {"pad",
         {x},
         {{"before", list({1, 0, -1})}, {"after", list({0, 2, 0})}, {"between", list({0, 1, 0})}},
         padded},
        {"pad", {x}, {{"after", list({0, 2, 0})}}, rv_pad(x, none, after, nullptr)},
        {"pad_add",
         {x, like},
         {{"before", list({1, 0, -1})}, {"after", list({0, 2, 0})}, {"between", list({0, 1, 0})}},
         with_attributes("pad_add", padded, {x, like})},
        {"sum", {x}, {}, rv_sum(x, RV_ALL_AXES, false)},
        {"sum", {x}, {{"axes", list({0, -1})}, {"keep", number(1)}}, rv_sum(x, 5, true)},
        {"mean", {x}, {{"axes", list({-1})}}, rv_mean(x, RV_LAST_AXIS, false)},
        {"max", {x}, {{"axes", list({1})}}, rv_max(x, 2, false)},
        {"log_sum_exp", {x}, {{"keep", number(1)}}, rv_log_sum_exp(x, RV_ALL_AXES, true)},
        {"cumulative_sum", {x}, {}, rv_cumulative_sum(x, 0, false)},
        {"cumulative_sum",
         {x},
         {{"axis", number(-1)}, {"reverse", number(1)}},
         rv_cumulative_sum(x, 2, true)},
        {"softmax", {x}, {}, rv_softmax(x, -1)},
        {"softmax", {x}, {{"axis", number(0)}}, rv_softmax(x, 0)},
        {"log_softmax", {x}, {{"axis", number(1)}}, rv_log_softmax(x, 1)},
        {"global_average_pool", {x}, {}, rv_global_average_pool(x)},
        {"max_pool2d", {x}, {{"size", number(2)}}, rv_max_pool2d(x, 2, 2)},
        {"average_pool2d",
         {x},
         {{"size", number(2)}, {"stride", number(1)}},
         rv_average_pool2d(x, 2, 1)},
    };
}

inline std::vector<Row> table_rows(Tape &t)
{
    const rv_var x = t.input("x", RV_SHAPE(3, 4)), u = t.input("u", RV_SHAPE(3, 4)),
                 i = rv_input_typed(t, "i", RV_I32, RV_SHAPE(3)),
                 wide = t.input("w", RV_SHAPE(2, 3, 4));
    const rv_var linear = rv_linear(x, "linear", 5), norm = rv_layer_norm(x, "norm"),
                 random = rv_random(t, "random", RV_SHAPE(2, 5));
    const rv_var count = {t, rv_tape_node(t, random.id)->in[0]};
    const auto parameter = [&](const char *name, rv_shape shape) {
        return rv_parameter(t, name, shape, rv_init_constant(0));
    };
    /* The stream of a name, with another seed. */
    const rv_node stream = *rv_tape_node(t, random.id);
    std::vector<unsigned char> attr(stream.attr_size);
    const uint64_t seed = 7;
    std::memcpy(attr.data(), stream.attr, attr.size());
    std::memcpy(attr.data(), &seed, sizeof seed);
    return {
        {"gather", {x, i}, {}, rv_gather(x, i)},
        {"scatter_add", {x, i}, {{"rows", number(6)}}, rv_scatter_add(x, i, 6)},
        {"one_hot", {i}, {{"classes", number(4)}}, rv_one_hot(i, 4)},
        {"sequence_mask", {i}, {{"steps", number(6)}}, rv_sequence_mask(i, 6)},
        {"random_uniform",
         {count},
         {{"seed", number(7)}, {"shape", list({2, 5})}},
         rv_record(nullptr, rv_op_find("random_uniform"), attr.data(), attr.size(), &count, 1)},
        {"dropout", {x}, {{"rate", number(0.3)}, {"name", word("d")}}, rv_dropout(x, 0.3, "d")},
        {"dropout",
         {x, rv_random(t, "d", RV_SHAPE(3, 4))},
         {{"rate", number(0.3)}},
         rv_dropout(x, 0.3, "d")},
        {"linear",
         {x, parameter("linear/weight", RV_SHAPE(5, 4)), parameter("linear/bias", RV_SHAPE(5))},
         {},
         linear},
        {"layer_norm",
         {x, parameter("norm/gain", RV_SHAPE(4)), parameter("norm/bias", RV_SHAPE(4))},
         {},
         norm},
        {"matmul", {x, u}, {{"transpose_b", number(1)}}, rv_matmul(x, u, false, true)},
        {"matmul", {x, wide}, {{"transpose_a", number(1)}}, rv_matmul(x, wide, true, false)},
        {"mean_squared_error", {x, u}, {}, rv_mean_squared_error(x, u)},
        {"mean_absolute_error", {x, u}, {}, rv_mean_absolute_error(x, u)},
        {"huber", {x, u}, {}, rv_huber(x, u, 1)},
        {"huber", {x, u}, {{"delta", number(2)}}, rv_huber(x, u, 2)},
        {"sigmoid_cross_entropy", {x, u}, {}, rv_sigmoid_cross_entropy(x, u)},
        {"softmax_cross_entropy", {x, i}, {}, rv_softmax_cross_entropy(x, i)},
        {"softmax_cross_entropy_smooth",
         {x, i},
         {{"smoothing", number(0.1)}},
         rv_softmax_cross_entropy_smooth(x, i, 0.1)},
    };
}

inline std::vector<Row> product_rows(Tape &t)
{
    const rv_var x = t.input("x", RV_SHAPE(2, 4, 9, 8)), w = t.input("w", RV_SHAPE(6, 2, 3, 3));
    const rv_var v = t.input("v", RV_SHAPE(4, 3, 3, 2)), z = t.input("z", RV_SHAPE(6, 2, 3, 3));
    const rv_var a = t.input("a", RV_SHAPE(2, 3, 4)), b = t.input("b", RV_SHAPE(4, 5)),
                 c = t.input("c", RV_SHAPE(2, 3, 5)), e = t.input("e", RV_SHAPE(3, 4, 2, 3));
    const rv_conv2d_options o = geometry(2, 1, {1, 1, 2, 2}, 1, 2),
                            uneven = geometry(2, 2, {1, 0, 2, 0}, 2, 1), plain = {};
    const Options given = {
        {"stride", list({2, 1})}, {"padding", list({1, 2})}, {"groups", number(2)}};
    const auto with = [&](std::vector<int64_t> size) {
        Options all = given;
        all["size"] = list(size);
        return all;
    };
    const rv_var y = rv_conv2d(x, w, o), dy = t.input("dy", rv_shape_of(y));
    rv_var dw = {t, -1};
    EXPECT_TRUE(rv_vjp(y, dy, &w, 1, &dw));
    const rv_var product = rv_matmul(a, b, false, false);
    const rv_var full_b = {t, rv_tape_node(t, product.id)->in[1]};
    return {
        {"conv2d", {x, w}, given, y},
        {"conv2d",
         {x, e},
         {{"stride", list({2})}, {"padding", list({1, 0, 2, 0})}, {"dilation", list({2})}},
         rv_conv2d(x, e, uneven)},
        {"conv2d_input_gradient", {dy, w}, with({9, 8}), rv_conv2d_input_gradient(dy, w, o, 9, 8)},
        {"conv2d_weight_gradient", {x, dy}, with({3}), dw},
        {"conv2d_weight_gradient_add",
         {x, dy, z},
         with({3, 3}),
         with_attributes("conv2d_weight_gradient_add", dw, {x, dy, z})},
        {"conv2d_transpose", {x, v}, {}, rv_conv2d_transpose(x, v, plain)},
        {"conv2d_transpose",
         {x, v},
         {{"stride", list({2})}, {"padding", list({1, 0, 2, 0})}, {"dilation", list({2})}},
         rv_conv2d_transpose(x, v, uneven)},
        {"matmul", {a, b}, {}, product},
        {"matmul_add", {a, b, c}, {}, with_attributes("matmul_add", product, {a, full_b, c})},
    };
}

/* Whether the samples of an op determine a call: a composite's samples hold option values. Those of another op hold
 * attributes, which determine a call only if the op has no options. */
inline bool samples_are_calls(const rv_op &op)
{
    return op.kind == RV_OP_COMPOSITE || op.option_count == 0;
}

/* A composite's option values, by name. */
inline Options options_of(const rv_op &op, const rv_sample &sample)
{
    Options given;
    const auto *value = static_cast<const rv_option_value *>(sample.attr);
    for (int i = 0; i < op.option_count; i++) {
        const rv_option_kind kind = op.options[i].kind;
        if ((kind != RV_OPTION_LIST || value[i].count > 0) &&
            (kind != RV_OPTION_WORD || value[i].word))
            given[op.options[i].name] = value[i];
    }
    return given;
}

/* The samples of every op, so that an op that is added as one file needs no row here. */
inline std::vector<Row> sample_rows(Tape &t)
{
    std::vector<Row> rows;
    for (int i = 0; i < rv_op_count(); i++) {
        const rv_op *op = rv_op_at(i);
        for (int s = 0; samples_are_calls(*op) && s < op->sample_count; s++) {
            const rv_sample &sample = op->samples[s];
            if (sample.error) continue;
            Vars x;
            for (int k = 0; k < rv_sample_inputs(op, &sample); k++)
                x.push_back(rv_input_typed(t, ("x" + std::to_string(t.count())).c_str(),
                                           sample.integer >> k & 1 ? RV_I32 : rv_tape_dtype(t),
                                           sample.in[k]));
            const int inputs = static_cast<int>(x.size());
            const rv_var expected =
                op->kind == RV_OP_COMPOSITE
                    ? rv_op_call(op, x.data(), inputs,
                                 static_cast<const rv_option_value *>(sample.attr))
                    : rv_record(t, op, sample.attr, sample.attr_size, x.data(), inputs);
            rows.push_back({op->name, x, options_of(*op, sample), expected});
        }
    }
    return rows;
}

using Rows = std::vector<Row> (*)(Tape &);
inline const Rows families[] = {pointwise_rows, shape_rows, table_rows, product_rows, sample_rows};

/* Expects that rows called every op, except those whose options only a row of their own could give. */
inline void expect_every_op(const std::set<std::string> &seen)
{
    for (int i = 0; i < rv_op_count(); i++) {
        const rv_op *op = rv_op_at(i);
        EXPECT_TRUE(seen.count(op->name) || !samples_are_calls(*op)) << op->name;
    }
}

#endif
