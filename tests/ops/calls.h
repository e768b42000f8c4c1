/* Calls of every op by name, with options, and the node that each must record. */
#ifndef RV_TESTS_OPS_CALLS_H
#define RV_TESTS_OPS_CALLS_H

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

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

/* A value for each option of an op: the one given by name, or else the default. */
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

struct Row {
    const char *name;
    Vars x;
    Options given;
    rv_var expected;
};

/* Calls that no sample makes: of inputs that broadcast, and of a random mask. */
inline std::vector<Row> own_rows(Tape &t)
{
    const rv_var x = t.input("x", RV_SHAPE(3, 4)), y = t.input("y", RV_SHAPE(4)),
                 z = t.input("z", RV_SHAPE(3, 1)), wide = t.input("w", RV_SHAPE(2, 3, 4));
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
        {"matmul", {x, wide}, {{"transpose_a", number(1)}}, rv_matmul(x, wide, true, false)},
        {"dropout", {x}, {{"rate", number(0.3)}, {"name", word("d")}}, rv_dropout(x, 0.3, "d")},
    };
}

/* Whether the value is that of an omitted option. */
inline bool is_default(const rv_option &option, const rv_option_value &value)
{
    if (option.kind == RV_OPTION_LIST) return value.count == 0;
    if (option.kind == RV_OPTION_WORD) return !value.word;
    return value.number == option.default_value;
}

/* The values that are not those of omitted options, by name. */
inline Options options_of(const rv_op &op, const rv_option_value *value)
{
    Options given;
    for (int i = 0; value && i < op.option_count; i++)
        if (!is_default(op.options[i], value[i])) given[op.options[i].name] = value[i];
    return given;
}

/* The samples of every op, except those whose attributes no options give. */
inline std::vector<Row> sample_rows(Tape &t)
{
    std::vector<Row> rows;
    for (int i = 0; i < rv_op_count(); i++) {
        const rv_op *op = rv_op_at(i);
        for (int s = 0; s < op->sample_count; s++) {
            const rv_sample &sample = op->samples[s];
            if (sample.error || (op->option_count > 0 && !sample.options)) continue;
            Vars x;
            for (int k = 0; k < rv_sample_inputs(op, &sample); k++)
                x.push_back(rv_input_typed(t, ("x" + std::to_string(t.count())).c_str(),
                                           sample.integer >> k & 1 ? RV_I32 : rv_tape_dtype(t),
                                           sample.in[k]));
            const rv_var expected = rv_sample_record_on(t, op, &sample, x.data());
            rows.push_back({op->name, x, options_of(*op, sample.options), expected});
        }
    }
    return rows;
}

using Rows = std::vector<Row> (*)(Tape &);
inline const Rows families[] = {own_rows, sample_rows};

/* The ops that rows call, and the options that they give. */
class Calls {
  public:
    void add(const Row &row)
    {
        ops_.insert(row.name);
        for (const auto &[option, value] : row.given) options_.insert({row.name, option});
    }
    void expect_all() const
    {
        for (int i = 0; i < rv_op_count(); i++) {
            const rv_op *op = rv_op_at(i);
            EXPECT_TRUE(ops_.count(op->name)) << op->name;
            for (int k = 0; k < op->option_count; k++)
                EXPECT_TRUE(options_.count({op->name, op->options[k].name}))
                    << "no sample of " << op->name << " gives " << op->options[k].name;
        }
    }

  private:
    std::set<std::string> ops_;
    std::set<std::pair<std::string, std::string>> options_;
};

#endif
