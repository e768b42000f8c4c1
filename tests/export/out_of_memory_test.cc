/* Memory that is out at any moment of writing a net as C or as an ONNX model: an error or the same
 * files, no crash and (under the address sanitizer) no leak. */
#include <gtest/gtest.h>

#include <string>

#include "export/c.h"
#include "export/onnx.h"
#include "lang/zoo.h"
#include "tests/failing_memory.h"

namespace {

struct Answer {
    bool done;
    rv_code code;
    std::string texts;
};

/* What `write` makes of a small net around a cell: its text, unless it fails. */
template <typename Write> Answer answer(const char *cell, const Write &write)
{
    rv_error error = {};
    rv_store *store = rv_store_new(1);
    rv_net_options o = {};
    o.rnn.units = 2;
    o.rnn.bias = true;
    o.sequence = true;
    o.y = RV_SHAPE(1);
    const rv_optimizer adam = rv_adam(0.01);
    rv_exported_net net = {};
    net.model = rv_model_find(cell);
    net.options = &o;
    net.x = {RV_F32, RV_SHAPE(2, 1)};
    net.y = {RV_F32, RV_SHAPE(1)};
    net.scale = 1;
    net.optimizer = &adam;
    std::string texts;
    Answer a = {store && write(&net, store, &texts, &error), error.code, ""};
    if (!store) a.code = RV_ERROR_MEMORY;
    a.texts = texts;
    rv_store_free(store);
    return a;
}

/* Fails each allocation, or some hundreds of them if there are many. */
template <typename Write> void fail_each(const char *cell, const Write &write)
{
    enum { MOST = 600 };
    failing = -1;
    calls = 0;
    const Answer want = answer(cell, write);
    const int64_t allocations = calls;
    ASSERT_TRUE(want.done);
    ASSERT_GT(allocations, 200);
    int64_t failures = 0;
    for (int64_t n = 0; n < allocations; n += 1 + allocations / MOST) {
        calls = 0;
        failing = n;
        const Answer seen = answer(cell, write);
        failing = -1;
        if (seen.done)
            EXPECT_EQ(seen.texts, want.texts) << "allocation " << n;
        else
            EXPECT_EQ(seen.code, RV_ERROR_MEMORY) << "allocation " << n;
        failures += !seen.done;
    }
    EXPECT_GT(failures, 200);
}

void fail_each_of_c(bool bidirectional)
{
    fail_each("ugrnn", [bidirectional](const rv_exported_net *given, rv_store *store,
                                       std::string *texts, rv_error *error) {
        rv_c_code code = {};
        rv_net_options options = *given->options;
        rv_exported_net net_ = *given, *net = &net_;
        const rv_c_options how = {"cell", !bidirectional};
        options.rnn.bidirectional = bidirectional;
        net->options = &options;
        const bool done = rv_export_c(net, &how, store, &code, error);
        if (done) *texts = std::string(code.header) + code.source + code.test;
        rv_c_code_free(&code);
        return done;
    });
}

TEST(OutOfMemory, WhileANetIsWrittenAsC)
{
    fail_each_of_c(false);
    fail_each_of_c(true); /* as values of whole sequences */
}

void fail_each_of(const char *cell, rv_onnx_form form)
{
    fail_each(cell, [form](const rv_exported_net *net, rv_store *store, std::string *texts,
                           rv_error *error) {
        const rv_onnx_options options = {form, 0};
        size_t size = 0;
        unsigned char *bytes = rv_export_onnx(net, &options, store, &size, error);
        if (bytes) texts->assign(reinterpret_cast<char *>(bytes), size);
        rv_free(bytes);
        return bytes != nullptr;
    });
}

TEST(OutOfMemory, WhileANetIsWrittenAsOnnx)
{
    fail_each_of("ugrnn", RV_ONNX_SCAN); /* which contains a step */
    fail_each_of("gru", RV_ONNX_SCAN);   /* a node of ONNX */
    fail_each_of("ugrnn", RV_ONNX_TRAINING);
}

} // namespace
