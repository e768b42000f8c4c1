/* Threads with separate stores need no locks. Meant for the thread sanitizer. */
#include <thread>

#include "tests/trust/main_job.h"

namespace {

const int many = 4;

/* Runs `work` in several threads at once. */
template <class Work> void everywhere(Work work)
{
    std::vector<std::thread> threads;
    for (int i = 0; i < many; i++) threads.emplace_back(work, i);
    for (std::thread &thread : threads) thread.join();
}

std::string file_of(const char *name, int thread)
{
    return testing::TempDir() + "/" + name + std::to_string(thread);
}

TEST(Threads, DoTheMainJobConcurrently)
{
    const Job alone = do_main_job(file_of("alone", 0));
    ASSERT_TRUE(alone.done) << alone.error.text;
    everywhere([&](int thread) {
        const Job job = do_main_job(file_of("job", thread));
        EXPECT_TRUE(job.done) << job.error.text;
        EXPECT_EQ(job.end, alone.end);
    });
}

/* Reads, checks, proves and repairs texts, unrolls built-in cells, and reports errors. */
TEST(Threads, ReadAndProveTexts)
{
    everywhere([](int) {
        rv_error error = {};
        rv_lang *lang = rv_lang_load("models/curnn_blog.rv", nullptr, &error);
        ASSERT_NE(lang, nullptr) << error.text;
        rv_lang_proof_options options = {};
        options.repair = true;
        rv_lang_verdict *verdicts = nullptr;
        int count = 0, wrong = 0;
        EXPECT_TRUE(rv_lang_prove(lang, &options, &verdicts, &count, &error)) << error.text;
        for (int i = 0; i < count; i++) wrong += verdicts[i].verdict == RV_WRONG;
        EXPECT_EQ(wrong, 5);
        rv_free(verdicts);
        rv_lang_free(lang);
        EXPECT_EQ(rv_lang_load("models/none.rv", nullptr, &error), nullptr);
        for (int i = 0; i < rv_model_count(); i++) {
            rv_store *store = rv_store_new(1);
            rv_tape *tape = rv_tape_new(store, RV_F64);
            const rv_var loss = rv_model_specimen(rv_model_at(i), tape);
            rv_gradcheck_result worst;
            EXPECT_TRUE(rv_gradcheck(loss, nullptr, 0, nullptr, &worst)) << rv_model_at(i)->name;
            rv_tape_free(tape);
            rv_store_free(store);
        }
    });
}

/* Each with its own thread pool, and a loader that prefetches in another thread. */
TEST(Threads, HaveThreadPoolsAndLoaders)
{
    everywhere([](int thread) {
        rv_error error = {};
        rv_source task = {};
        ASSERT_TRUE(rv_source_task(&task, "adding", nullptr, &error)) << error.text;
        rv_loader_options options = {};
        options.batch_size = 16;
        options.prefetch = 2;
        rv_loader *loader = rv_loader_new(&task, &options, &error);
        rv_store *store = rv_store_new(static_cast<uint64_t>(thread));
        ASSERT_TRUE(rv_set_threads(store, 2, &error)) << error.text;
        rv_tape *tape = rv_tape_new(store, RV_F32);
        rv_net_options net = {};
        net.rnn.units = 8;
        net.sequence = true;
        net.y = task.y;
        const rv_shape x = RV_SHAPE(16, task.x.dim[0], task.x.dim[1]);
        const rv_var loss = rv_model_record(rv_model_find("gru"), &net, rv_input(tape, "x", x),
                                            rv_input(tape, "y", RV_SHAPE(16, 1)))
                                .loss;
        rv_minimize(loss, rv_adam(1e-3));
        rv_program *step = rv_compile_with(tape, &loss, 1, RV_DEFAULT | RV_CUT);
        ASSERT_NE(step, nullptr) << rv_tape_error(tape)->text;
        EXPECT_TRUE(rv_loader_start(loader, 1, 0, &error));
        for (int i = 0; i < 3; i++) {
            EXPECT_TRUE(rv_feed_batch(step, rv_loader_next(loader, &error), &error)) << error.text;
            EXPECT_EQ(rv_run(step), RV_OK);
        }
        rv_program_free(step);
        rv_tape_free(tape);
        rv_store_free(store);
        rv_loader_free(loader);
        rv_source_close(&task);
    });
}

} // namespace
