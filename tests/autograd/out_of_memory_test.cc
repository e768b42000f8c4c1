/* Memory that is out at any moment: an error or a right answer, no crash and (under the address
 * sanitizer) no leak. Linked with --wrap=pthread_create. */
#include <gtest/gtest.h>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "autograd/gradcheck.h"
#include "autograd/profile.h"
#include "tests/autograd/nets.h"
#include "tests/failing_memory.h"

/* The thread that the system refuses, counted from the first that is asked for; 0: none. */
static int denied = 0;

extern "C" int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                                     void *);
extern "C" int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                                     void *(*start)(void *), void *context)
{
    static int asked = 0;
    if (denied && ++asked == denied) return asked = 0, EAGAIN;
    return __real_pthread_create(thread, attr, start, context);
}

namespace {

struct Answer {
    bool made;
    rv_code code; /* of the tape, which may itself be missing */
    std::string text, bytes;
};

/* Does `work` with every single allocation failing, alone or with all that follow it. */
void sweep(const std::function<Answer()> &work)
{
    failing = -1;
    calls = 0;
    const Answer want = work();
    const int64_t allocations = calls;
    ASSERT_TRUE(want.made) << want.text;
    ASSERT_GT(allocations, 20);
    int64_t survived = 0;
    for (const bool all : {false, true})
        for (int64_t n = 0; n < allocations; n++) {
            and_all_after = all;
            calls = 0;
            failing = n;
            const Answer seen = work();
            failing = -1;
            survived += seen.made;
            if (seen.made) {
                ASSERT_EQ(seen.code, RV_OK) << "allocation " << n << ": " << seen.text;
                ASSERT_EQ(seen.bytes, want.bytes) << "allocation " << n;
            } else {
                ASSERT_EQ(seen.code, RV_ERROR_MEMORY) << "allocation " << n << ": " << seen.text;
                ASSERT_NE(seen.text, "") << "allocation " << n;
            }
        }
    EXPECT_LE(survived, 8) << "only a program that is not cached can do without";
}

Answer answer_of(rv_tape *tape, rv_store *store, rv_program *program)
{
    Answer a{program != nullptr, rv_tape_error(tape)->code, rv_tape_error(tape)->text, ""};
    if (program) {
        for (const char *name : {"x", "y"})
            if (rv_tensor *input = rv_program_input(program, name))
                rv_init_fill(input, rv_init_uniform(0, 1), 3);
        rv_run(program);
        a.bytes = bytes_of(*rv_program_output(program, 0));
        for (size_t i = 0; i < rv_store_count(store); i++)
            a.bytes += bytes_of(rv_store_at(store, i)->tensor);
    }
    rv_program_free(program);
    rv_tape_free(tape);
    if (store) rv_store_free(store);
    return a;
}

TEST(OutOfMemory, WhileTrainingARecurrentNet)
{
    sweep([] {
        rv_store *store = rv_store_new(1);
        rv_tape *tape = rv_tape_new(store, RV_F64);
        const rv_var loss = gated_net(tape, 2, 2);
        const bool minimized = rv_minimize(loss, rv_adam(0.01));
        EXPECT_EQ(minimized, tape && !rv_tape_error(tape)->code);
        return answer_of(tape, store, rv_compile(tape, &loss, 1));
    });
}

TEST(OutOfMemory, WhileCompilingForSeveralThreads)
{
    sweep([] {
        rv_store *store = rv_store_new(1);
        rv_error error = {};
        if (store && !rv_set_threads(store, 3, &error)) {
            rv_store_free(store);
            return Answer{false, error.code, error.text, ""};
        }
        rv_tape *tape = rv_tape_new(store, RV_F32);
        const rv_var loss = gated_net(tape, 2, 1);
        rv_minimize(loss, rv_momentum(0.01, 0.9));
        return answer_of(tape, store, rv_compile_with(tape, &loss, 1, RV_DEFAULT | RV_CUT));
    });
}

TEST(OutOfMemory, WhenTheSystemGivesNoMoreThreads)
{
    rv_store *store = rv_store_new(1);
    for (denied = 1; denied < 4; denied++) {
        rv_error error = {};
        EXPECT_FALSE(rv_set_threads(store, 4, &error));
        EXPECT_EQ(error.code, RV_ERROR_MEMORY);
        EXPECT_EQ(rv_threads(store), 1);
    }
    denied = 0;
    EXPECT_TRUE(rv_set_threads(store, 4, nullptr));
    rv_store_free(store);
}

/* The child of a fork has none of its parent's threads. It runs on one thread while the system
 * refuses any of them. */
TEST(OutOfMemory, WhenTheSystemGivesAChildProcessNoThreads)
{
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "the sanitizer supports no threads after a fork";
#endif
    rv_store *store = rv_store_new(1);
    ASSERT_TRUE(rv_set_threads(store, 4, nullptr));
    rv_tape *tape = rv_tape_new(store, RV_F32);
    const rv_var loss = gated_net(tape, 2, 2);
    rv_program *program = rv_compile_with(tape, &loss, 1, RV_DEFAULT | RV_CUT);
    ASSERT_EQ(rv_program_statistics(program).threads, 4);
    ASSERT_EQ(rv_run(program), RV_OK);
    const double want = rv_value(program, 0);
    std::vector<rv_span> spans(
        static_cast<size_t>(4 * rv_program_statistics(program).instructions));

    const pid_t child = fork();
    if (child == 0) {
        alarm(30);
        bool same = true;
        for (denied = 3; denied >= 0; denied--) // 0: all start
            for (const bool timed : {false, true}) {
                rv_tensor_fill(const_cast<rv_tensor *>(rv_program_output(program, 0)), 0);
                same = same && !(timed ? rv_run_timed(program, spans.data()) : rv_run(program));
                same = same && rv_value(program, 0) == want;
            }
        rv_program_free(program);
        rv_tape_free(tape);
        rv_store_free(store);
        _exit(same ? 0 : 1);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    rv_program_free(program);
    rv_tape_free(tape);
    rv_store_free(store);
}

TEST(OutOfMemory, WhileCompilingWithManyInputsViewsAndAssignments)
{
    sweep([] {
        rv_store *store = rv_store_new(1);
        rv_tape *tape = rv_tape_new(store, RV_F32);
        const rv_var p = rv_parameter(tape, "p", RV_SHAPE(4, 3), rv_init_uniform(-1, 1)),
                     q = rv_state(tape, "q", RV_SHAPE(4, 3), rv_init_uniform(-1, 1));
        rv_assign(p, q);
        rv_assign(q, p);
        std::vector<rv_var> terms;
        const rv_var x = rv_input(tape, "x", RV_SHAPE(12));
        rv_tensor ramp = {};
        const bool made = rv_tensor_new(&ramp, RV_F32, RV_SHAPE(12), nullptr);
        for (int i = 0; i < 12 && made; i++) {
            rv_tensor_set(&ramp, i, i);
            rv_scope_push(tape, "term");
            terms.push_back(rv_softmax(rv_multiply(rv_constant(tape, &ramp), rv_shift(x, i)), 0));
            rv_scope_pop(tape);
        }
        rv_tensor_free(&ramp);
        rv_var sum = {tape, -1};
        if (made)
            sum = rv_add_all(terms.data(), 12);
        else
            rv_tape_fail(tape, RV_ERROR_MEMORY, "the test's own");
        const rv_var outputs[] = {rv_matmul(rv_reshape(sum, RV_SHAPE(4, 3)), p, true, false),
                                  rv_one_hot(rv_cast(x, RV_I32), 5), p};
        return answer_of(tape, store, rv_compile(tape, outputs, 3));
    });
}

TEST(OutOfMemory, WhileCheckingAGradient)
{
    sweep([] {
        rv_store *store = rv_store_new(1);
        rv_tape *tape = rv_tape_new(store, RV_F64);
        const rv_var x = rv_input(tape, "x", RV_SHAPE(2, 3)),
                     w = rv_parameter(tape, "w", RV_SHAPE(3, 2), rv_init_uniform(-1, 1));
        const rv_var loss = rv_sum(rv_tanh(rv_matmul(x, w, false, false)), RV_ALL_AXES, false);
        const rv_var wrt[] = {x, w};
        rv_gradcheck_result result[2] = {};
        const bool right = rv_gradcheck(loss, wrt, 2, nullptr, result);
        EXPECT_EQ(right, tape && !rv_tape_error(tape)->code);
        Answer a = answer_of(tape, store, nullptr);
        a.made = right;
        a.bytes =
            right ? std::to_string(result[0].numeric) + std::to_string(result[1].numeric) : "";
        return a;
    });
}

TEST(OutOfMemory, WhileTheTapeGrows)
{
    sweep([] {
        rv_store *store = rv_store_new(1);
        rv_tape *tape = rv_tape_new(store, RV_F64);
        const rv_var x = rv_input(tape, "x", RV_SHAPE(3));
        rv_var y = x;
        for (int i = 0; i < 400; i++) {
            y = rv_shift(rv_tanh(y), i % 7);
            if (i % 10 == 0) rv_name(y, std::string(5000, 'n').c_str());
        }
        std::vector<rv_var> many(40, y);
        for (size_t i = 0; i < many.size(); i++) many[i] = rv_scale(y, static_cast<double>(i));
        y = rv_sum(rv_add_all(many.data(), 40), RV_ALL_AXES, false);
        rv_var g = {tape, -1};
        const bool ok = rv_gradient(y, &x, 1, &g);
        EXPECT_EQ(ok, !rv_is_null(g));
        return answer_of(tape, store, rv_compile(tape, &g, 1));
    });
}

} // namespace
