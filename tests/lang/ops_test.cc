// Every registered op can be called from a text, and is then the node that its public function
// records.
#include <gtest/gtest.h>

#include <sstream>

#include "lang/lang.h"
#include "tests/ops/calls.h"

namespace {

// "[2, 3]"
std::string list_text(const int64_t *values, int64_t count)
{
    std::ostringstream text;
    text << "[";
    for (int64_t i = 0; i < count; i++) text << (i ? ", " : "") << values[i];
    text << "]";
    return text.str();
}

std::string option_text(const rv_option &option, const rv_option_value &v)
{
    std::ostringstream text;
    text.precision(17); // enough for any double
    text << ", " << option.name << "=";
    switch (option.kind) {
    case RV_OPTION_LIST: text << list_text(v.list, v.count); break;
    case RV_OPTION_WORD: text << v.word; break;
    case RV_OPTION_FLAG: text << (v.number != 0 ? "true" : "false"); break;
    default: text << v.number;
    }
    return text.str();
}

// A model with the row's inputs, and y = the call.
std::string text_of(const Row &row)
{
    std::ostringstream text;
    const rv_op *op = rv_op_find(row.name);
    text << "model m\n";
    for (size_t k = 0; k < row.x.size(); k++) {
        const rv_shape shape = rv_shape_of(row.x[k]);
        text << "  input x" << k << list_text(shape.dim, shape.rank)
             << (rv_dtype_of(row.x[k]) == RV_I32 ? " ~ integer(0, 3)\n" : "\n");
    }
    text << "  y = " << row.name << "(";
    for (size_t k = 0; k < row.x.size(); k++) text << (k ? ", x" : "x") << k;
    for (int i = 0; i < op->option_count; i++) {
        const auto given = row.given.find(op->options[i].name);
        if (given != row.given.end()) text << option_text(op->options[i], given->second);
    }
    text << ")\n";
    return text.str();
}

TEST(Ops, AreCalledByNameFromAText)
{
    Calls calls;
    for (const Rows rows : families) {
        Tape own;
        for (const Row &row : rows(own)) {
            const std::string text = text_of(row);
            calls.add(row);
            rv_error error = {};
            rv_lang *lang = rv_lang_read(text.data(), text.size(), "op", nullptr, &error);
            ASSERT_NE(lang, nullptr) << error.text;
            EXPECT_TRUE(rv_lang_check(lang)) << text;
            Tape c, t;
            Vars x;
            for (size_t k = 0; k < row.x.size(); k++)
                x.push_back(rv_input_typed(c, ("x" + std::to_string(k)).c_str(),
                                           rv_dtype_of(row.x[k]), rv_shape_of(row.x[k])));
            const rv_hash expected = rv_tape_node(c, call(row.name, x, row.given).id)->hash;
            rv_lang_recording *r = rv_lang_record(rv_lang_model(lang, nullptr, &error), t, nullptr);
            ASSERT_NE(r, nullptr) << t.error() << text;
            const rv_var y = rv_lang_value_of(r, "y");
            ASSERT_FALSE(rv_is_null(y)) << text;
            const rv_hash hash = rv_tape_node(t, y.id)->hash;
            EXPECT_TRUE(hash.low == expected.low && hash.high == expected.high) << text;
            rv_lang_recording_free(r);
            rv_lang_free(lang);
        }
    }
    calls.expect_all();
}

} // namespace
