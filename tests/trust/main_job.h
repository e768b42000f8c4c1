/* A typical use of the library: digits, a loader, a net around CURNN, Adam, some updates, an
 * evaluation, a checkpoint, and resuming from it in a new store. */
#ifndef RV_TESTS_TRUST_MAIN_JOB_H
#define RV_TESTS_TRUST_MAIN_JOB_H

#include <gtest/gtest.h>

#include <string>

#include "recurve.h"
#include "tests/tensor/stores.h"

/* A training run: store, data and programs. A function that fails leaves the store unchanged. */
class Trainer {
  public:
    explicit Trainer(uint64_t seed) : store_(rv_store_new(seed)) {}
    Trainer(const Trainer &) = delete;
    Trainer &operator=(const Trainer &) = delete;
    ~Trainer()
    {
        rv_program_free(measure_);
        rv_program_free(step_);
        rv_loader_free(loader_);
        rv_source_close(&digits_);
        rv_store_free(store_);
    }
    rv_store *store() const { return store_; }

    bool open(rv_error *error)
    {
        const int classes[] = {0, 1};
        const rv_loader_options options = {BATCH, 1, false, false, true, 1};
        if (!store_ || !rv_source_digits(&digits_, classes, 2, error))
            return store_ ? false : rv_fail_memory(error);
        return (loader_ = rv_loader_new(&digits_, &options, error)) != nullptr;
    }

    bool compile(rv_error *error)
    {
        rv_tape *tape = rv_tape_new(store_, RV_F32);
        rv_net_options options = {};
        options.rnn.units = 1;
        options.rnn.bias = true;
        options.steps = 2;
        options.hidden = 3;
        options.classes = 2;
        const rv_var x = rv_input(tape, "x", RV_SHAPE(BATCH, 1, 8, 8)),
                     y = rv_input_typed(tape, "y", RV_I32, RV_SHAPE(BATCH));
        const rv_net net = rv_model_record(rv_model_find("curnn"), &options, x, y);
        rv_minimize(net.loss, rv_adam(0.01));
        const std::string before = contents(store_);
        step_ = rv_compile(tape, &net.loss, 1);
        measure_ = step_ ? rv_compile_with(tape, &net.loss, 1, RV_VALUES) : nullptr;
        EXPECT_EQ(contents(store_), before);
        if (!measure_) rv_fail(error, rv_tape_error(tape)->code, "%s", rv_tape_error(tape)->text);
        rv_tape_free(tape);
        return measure_ != nullptr;
    }

    /* Some updates, then the loss of the next batch. */
    bool train(rv_error *error)
    {
        if (!rv_loader_start(loader_, 0, 0, error)) return false;
        for (int i = 0; i < UPDATES; i++) {
            if (!rv_feed_batch(step_, rv_loader_next(loader_, error), error)) return false;
            rv_run(step_);
        }
        if (!rv_feed_batch(measure_, rv_loader_next(loader_, error), error)) return false;
        rv_run(measure_);
        return true;
    }
    double loss() const { return rv_value(measure_, 0); }

    bool load(const std::string &path, rv_error *error)
    {
        const std::string before = contents(store_);
        const bool ok = rv_store_load(store_, path.c_str(), error);
        if (!ok) {
            EXPECT_EQ(contents(store_), before);
        }
        return ok;
    }

  private:
    enum { BATCH = 4, UPDATES = 3 };

    rv_store *store_;
    rv_source digits_ = {};
    rv_loader *loader_ = nullptr;
    rv_program *step_ = nullptr, *measure_ = nullptr;
};

/* The results of the job. */
struct Job {
    bool done = false;
    rv_error error = {};
    std::string saved, end; /* the stores' contents */
    double loss = 0;
};

inline Job do_main_job(const std::string &checkpoint)
{
    Job job;
    {
        Trainer run(1);
        if (!run.open(&job.error) || !run.compile(&job.error) || !run.train(&job.error) ||
            !rv_store_save(run.store(), checkpoint.c_str(), &job.error))
            return job;
        job.saved = contents(run.store());
    }
    Trainer next(2);
    if (!next.open(&job.error) || !next.compile(&job.error) || !next.load(checkpoint, &job.error))
        return job;
    EXPECT_EQ(contents(next.store()), job.saved);
    if (!next.train(&job.error)) return job;
    job.end = contents(next.store());
    job.loss = next.loss();
    job.done = true;
    return job;
}

#endif
