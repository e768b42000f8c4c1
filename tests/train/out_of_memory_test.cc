/* A trainer that runs out of memory at any allocation: an error, no crash and no leak, those of
 * cJSON included. */
#include "tests/failing_memory.h"

#include "tests/files.h"
#include "train/trainer.h"

extern "C" {
#include "tensor/memory.h"
#include "train/trainer/inputs.h"
}

extern "C" int fsync(int) { return 0; } /* the disk need not be waited for */

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int64_t stride = 7; /* a tenth as fast */
#else
constexpr int64_t stride = 1;
#endif

class OutOfMemory : public WithFolder {
  protected:
    /* Trains an epoch, or resumes what is there for another one. */
    bool job(int64_t epochs, bool resume, int64_t leaves, rv_error *error)
    {
        const std::string folder = path("run");
        rv_train_config config = rv_train_config_new();
        config.net.model = "gru";
        config.net.units = config.net.head_units = 2;
        config.net.steps = 1;
        config.loop.batch_size = 200;
        config.loop.epochs = epochs;
        config.loop.leaves = leaves;
        config.loop.output = folder.c_str();
        config.loop.overwrite = !resume;
        rv_trainer *trainer = rv_trainer_new(&config, error);
        const bool ok = trainer &&
                        (!resume || rv_trainer_resume(trainer, nullptr, nullptr, error)) &&
                        rv_trainer_fit(trainer, error);
        rv_trainer_free(trainer);
        return ok;
    }

    void sweep(int64_t epochs, bool resume, int64_t leaves = 0, int64_t step = stride)
    {
        const int64_t live_before = live;
        int64_t survived = 0;
        bool reached = true;
        for (int64_t n = 0; reached; n += step) {
            SCOPED_TRACE(n);
            rv_error error = {};
            calls = 0;
            failing = n;
            const bool ok = job(epochs, resume, leaves, &error);
            reached = calls > n;
            failing = -1;
            survived += reached && ok;
            ASSERT_EQ(error.code, ok ? RV_OK : RV_ERROR_MEMORY) << error.text;
            ASSERT_EQ(live, live_before);
        }
        EXPECT_LE(survived, 10) << "only a program that is not cached can do without";
    }
};

TEST_F(OutOfMemory, Training) { sweep(1, false); }

/* Every eleventh allocation: most are those of the test above. */
TEST_F(OutOfMemory, TrainingWithLeaves) { sweep(1, false, 3, 11 * stride); }

/* A fit that ran out of memory and is repeated ends where it would have without: no update is left
 * out, and dropout draws the same masks. */
TEST_F(OutOfMemory, FittingAgain)
{
    rv_train_config config = rv_train_config_new();
    config.net.model = "gru";
    config.net.units = config.net.head_units = 2;
    config.net.steps = 1;
    config.net.dropout = 0.2;
    config.loop.batch_size = 200;
    config.loop.epochs = 2;
    for (const int64_t leaves : {0, 3}) {
        std::string whole;
        bool reached = true;
        config.loop.leaves = leaves;
        for (int64_t n = -1; reached; n += n < 0 ? 1 : 13 * stride) {
            SCOPED_TRACE(testing::Message() << leaves << " leaves, allocation " << n);
            rv_error error = {};
            rv_trainer *trainer = rv_trainer_new(&config, &error);
            ASSERT_NE(trainer, nullptr) << error.text;
            calls = 0;
            failing = n;
            bool ok = rv_trainer_fit(trainer, &error);
            reached = n < 0 || calls > n;
            failing = -1;
            if (!ok) ok = rv_trainer_fit(trainer, &(error = {}));
            ASSERT_TRUE(ok) << error.text;
            const rv_train_result *result = rv_trainer_result(trainer);
            if (n < 0) whole = result->digest;
            ASSERT_EQ(result->digest, whole);
            ASSERT_EQ(result->epochs, 2);
            rv_trainer_free(trainer);
        }
    }
}

/* Recording the files of a run, finding them among others of the same name, and checking them. */
TEST_F(OutOfMemory, FilesOfARun)
{
    const std::string given = file("x.csv", "1,2,0\n"), run = path("a/run");
    std::filesystem::create_directories(run);
    spit(path("a/x.csv"), "3,4,0\n");
    rv_train_config there = rv_train_config_new();
    const std::string data = std::filesystem::canonical(path("a/x.csv")).string(),
                      model = data + ":NAME";
    there.data.path = data.c_str();
    there.net.model = model.c_str();
    char *record = rv_inputs_json(&there, run.c_str(), nullptr);
    ASSERT_NE(record, nullptr);
    spit(run + "/inputs.json", record);
    const auto work = [&](rv_error *error) {
        rv_error changed = {};
        rv_train_config config = rv_train_config_new();
        config.data.path = given.c_str();
        config.net.model = "gone/x.csv:NAME";
        char *text = rv_inputs_json(&there, run.c_str(), error);
        const bool ok = text && rv_inputs_find(&config, run.c_str(), error) &&
                        rv_inputs_check(&config, text, "inputs", &changed, error);
        EXPECT_TRUE(!ok || (config.data.path == data && config.net.model == model));
        EXPECT_EQ(changed.code, RV_OK);
        rv_train_config_free(&config);
        rv_free(text);
        return ok;
    };
    bool reached = true;
    const int64_t live_before = live;
    for (int64_t n = 0; reached; n++) {
        SCOPED_TRACE(n);
        rv_error error = {};
        calls = 0;
        failing = n;
        const bool ok = work(&error);
        reached = calls > n;
        failing = -1;
        ASSERT_EQ(ok, !reached) << error.text;
        ASSERT_EQ(error.code, ok ? RV_OK : RV_ERROR_MEMORY) << error.text;
        ASSERT_EQ(live, live_before);
    }
    rv_free(record);
}

TEST_F(OutOfMemory, Resuming)
{
    rv_error error = {};
    ASSERT_TRUE(job(1, false, 0, &error)) << error.text;
    sweep(1, true);
}

} // namespace
