/* Memory that is out at any moment of recording an optimizer with all extras or of an L-BFGS: an
 * error or the same answer, no crash and (under the address sanitizer) no leak. */
#include <gtest/gtest.h>

#include <functional>

#include "optim/lbfgs.h"
#include "optim/optim.h"
#include "tests/failing_memory.h"
#include "tests/tapes.h"

namespace {

struct Answer {
    bool done;
    rv_code code; /* of the tape */
    Values values;
};

/* What `work` makes of a small net's loss and its parameters. */
Answer answer(const std::function<bool(rv_var loss)> &work)
{
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F32);
    const rv_var h = rv_tanh(rv_linear(rv_full(tape, RV_SHAPE(3, 4), 0.5), "fc1", 5));
    const rv_var y = rv_linear(h, "fc2", 2), loss = rv_mean_squared_error(y, rv_tanh(y));
    Answer a = {work(loss), rv_tape_error(tape)->code, {}};
    if (!tape) a.code = RV_ERROR_MEMORY;
    for (size_t i = 0; a.done && i < rv_store_count(store); i++)
        for (const double v : values_of(rv_store_at(store, i)->tensor)) a.values.push_back(v);
    rv_tape_free(tape);
    rv_store_free(store);
    return a;
}

void sweep(const std::function<bool(rv_var loss)> &work)
{
    failing = -1;
    calls = 0;
    const Answer want = answer(work);
    const int64_t allocations = calls;
    ASSERT_TRUE(want.done);
    ASSERT_GT(allocations, 20);
    for (int64_t n = 0; n < allocations; n++) {
        calls = 0;
        failing = n;
        const Answer seen = answer(work);
        failing = -1;
        if (seen.done)
            EXPECT_EQ(seen.values, want.values) << "allocation " << n;
        else
            EXPECT_EQ(seen.code, RV_ERROR_MEMORY) << "allocation " << n;
    }
}

TEST(OutOfMemory, WhileOptimizersWithAllExtrasAreRecorded)
{
    for (int i = 0; i < rv_optimizer_count(); i++) {
        SCOPED_TRACE(rv_optimizer_at(i)->name);
        sweep([i](rv_var loss) {
            rv_optimizer o = *rv_optimizer_at(i);
            o.accumulate = 2;
            o.clip_value = 1;
            o.clip_norm = 1;
            o.weight_decay = 0.1;
            o.average = 0.9;
            o.schedule = rv_warm_up(2, rv_one_cycle(20));
            if (!rv_minimize(loss, o)) return false;
            rv_program *program = rv_compile(loss.tape, &loss, 1);
            if (program) rv_run(program);
            if (program) rv_run(program);
            rv_program_free(program);
            return program != nullptr;
        });
    }
}

TEST(OutOfMemory, WhileLbfgsMinimizes)
{
    sweep([](rv_var loss) { return rv_lbfgs(loss, nullptr, nullptr); });
}

} // namespace
