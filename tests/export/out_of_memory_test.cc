/* Memory that is out at any moment of writing a net as C: an error or the same files, no crash and (under the address
 * sanitizer) no leak. */
#include <gtest/gtest.h>

#include <string>

#include "export/c.h"
#include "lang/zoo.h"
#include "tests/failing_memory.h"

namespace {

struct Answer {
    bool done;
    rv_code code;
    std::string texts;
};

Answer answer()
{
    rv_error error = {};
    rv_store *store = rv_store_new(1);
    rv_net_options o = {};
    o.rnn.units = 2;
    o.rnn.bias = true;
    o.sequence = true;
    o.y = RV_SHAPE(1);
    const rv_optimizer adam = rv_adam(0.01);
    rv_c_net net = {};
    net.model = rv_model_find("ugrnn");
    net.options = &o;
    net.x = {RV_F32, RV_SHAPE(2, 1)};
    net.y = {RV_F32, RV_SHAPE(1)};
    net.scale = 1;
    net.optimizer = &adam;
    net.prefix = "cell";
    rv_c_code code = {};
    Answer a = {store && rv_export_c(&net, store, &code, &error), error.code, ""};
    if (!store) a.code = RV_ERROR_MEMORY;
    if (a.done) a.texts = std::string(code.header) + code.source + code.test;
    rv_c_code_free(&code);
    rv_store_free(store);
    return a;
}

TEST(OutOfMemory, WhileANetIsWrittenAsC)
{
    failing = -1;
    calls = 0;
    const Answer want = answer();
    const int64_t allocations = calls;
    ASSERT_TRUE(want.done);
    ASSERT_GT(allocations, 500);
    int64_t failures = 0;
    for (int64_t n = 0; n < allocations; n += 1 + allocations / 600) {
        calls = 0;
        failing = n;
        const Answer seen = answer();
        failing = -1;
        if (seen.done)
            EXPECT_EQ(seen.texts, want.texts) << "allocation " << n;
        else
            EXPECT_EQ(seen.code, RV_ERROR_MEMORY) << "allocation " << n;
        failures += !seen.done;
    }
    EXPECT_GT(failures, 200);
}

} // namespace
