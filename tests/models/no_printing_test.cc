/* Recording and compiling a net print nothing, not even a text for an error that does not happen:
 * printf's code and tables are pages that a new process would have to read first. */
#include <gtest/gtest.h>

#include <cstdarg>
#include <cstdio>
#include <string>

#include "lang/zoo.h"
#include "models/models.h"
#include "optim/optim.h"
#include "tests/tapes.h"

#if defined(__USE_FORTIFY_LEVEL) && __USE_FORTIFY_LEVEL > 0

static int printed = 0;

/* What snprintf is in a hardened build. This one precedes the C library's. */
extern "C" int __snprintf_chk(char *text, size_t size, int, size_t, const char *format,
                              ...) noexcept
{
    printed++;
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, size, format, arguments);
    va_end(arguments);
    return length;
}

namespace {

TEST(NoPrinting, IsSeen)
{
    char text[RV_SHAPE_TEXT];
    printed = 0;
    rv_shape_text(RV_SHAPE(2, 3), text);
    EXPECT_STREQ(text, "[2,3]");
    EXPECT_GT(printed, 0);
}

TEST(NoPrinting, InATrainingStep)
{
    for (const char *cell : {"curnn", "gru", "lstm"}) {
        Tape t(RV_F32);
        rv_rnn_options o = {};
        o.units = 2;
        o.bias = true;
        const bool image = std::string(cell) == "curnn";
        const rv_var x = t.input("x", image ? RV_SHAPE(1, 1, 8, 8) : RV_SHAPE(1, 3, 8));
        printed = 0;
        const rv_var h = image ? rv_unroll_with(rv_zoo(cell), x, 2, o)
                               : rv_unroll_sequence(rv_zoo(cell), x, o, nullptr);
        const rv_var loss = rv_sigmoid_cross_entropy(rv_linear(rv_flatten(h), "fc", 1),
                                                     t.input("y", RV_SHAPE(1, 1)));
        EXPECT_TRUE(rv_minimize(loss, rv_adam(1e-3))) << t.error();
        const Program p(t, {loss});
        EXPECT_EQ(printed, 0) << cell;
    }
}

} // namespace

#else

TEST(NoPrinting, InATrainingStep)
{
    GTEST_SKIP() << "only a hardened build calls a printf that the test can count";
}

#endif
