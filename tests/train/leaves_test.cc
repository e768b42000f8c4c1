/* Leaves: an update is the same, bit for bit, for any number of ranks that share the leaves of its
 * batch. */
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "recurve.h"
#include "tests/files.h"

namespace {

/* Ranks that are threads: a queue of messages for each pair. */
class Team {
  public:
    explicit Team(int size) : size_(size), queues_(static_cast<size_t>(size * size)), seats_(size)
    {
        for (int r = 0; r < size; r++) {
            seats_[r] = {this, r};
            ranks_.push_back({r, size, send, receive, &seats_[r]});
        }
    }
    const rv_collective *rank(int r) const { return &ranks_[static_cast<size_t>(r)]; }
    int64_t bytes() const { return bytes_; }

    /* Called by a rank before it sends or receives. */
    std::function<void(int rank)> before = [](int) {};

    /* From now on no message arrives. */
    void break_down()
    {
        const std::lock_guard<std::mutex> hold(mutex_);
        broken_ = true;
        changed_.notify_all();
    }

  private:
    struct Seat {
        Team *team;
        int rank;
    };
    using Message = std::vector<char>;

    std::deque<Message> &queue(int from, int to)
    {
        return queues_[static_cast<size_t>(from * size_ + to)];
    }
    static bool send(void *context, int to, const void *bytes, size_t count, rv_error *error)
    {
        const Seat *seat = static_cast<Seat *>(context);
        Team *team = seat->team;
        team->before(seat->rank);
        const std::lock_guard<std::mutex> hold(team->mutex_);
        if (team->broken_) return rv_fail(error, RV_ERROR_IO, "the team has broken down");
        const char *first = static_cast<const char *>(bytes);
        team->queue(seat->rank, to).emplace_back(first, first + count);
        team->bytes_ += static_cast<int64_t>(count);
        team->changed_.notify_all();
        return true;
    }
    static bool receive(void *context, int from, void *bytes, size_t count, rv_error *error)
    {
        const Seat *seat = static_cast<Seat *>(context);
        Team *team = seat->team;
        team->before(seat->rank);
        std::unique_lock<std::mutex> hold(team->mutex_);
        std::deque<Message> &queue = team->queue(from, seat->rank);
        const auto arrived = [&] { return team->broken_ || !queue.empty(); };
        if (!team->changed_.wait_for(hold, std::chrono::seconds(60), arrived)) {
            ADD_FAILURE() << "rank " << seat->rank << " waits for rank " << from << " in vain";
            team->broken_ = true;
        } else if (!team->broken_ && queue.front().size() != count) {
            ADD_FAILURE() << "rank " << seat->rank << " expects another message of rank " << from;
            team->broken_ = true;
        }
        if (team->broken_) {
            team->changed_.notify_all();
            return rv_fail(error, RV_ERROR_IO, "the team has broken down");
        }
        if (count > 0) memcpy(bytes, queue.front().data(), count);
        queue.pop_front();
        return true;
    }

    int size_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::deque<Message>> queues_;
    std::vector<Seat> seats_;
    std::vector<rv_collective> ranks_;
    std::atomic<int64_t> bytes_{0};
    bool broken_ = false;
};

/* What a rank's training came to. */
struct Outcome {
    std::string digest, error;
    double validation = 0;
    bool interrupted = false, diverged = false;
    int64_t epochs = 0, batch = 0;
};

/* A part of the program that tries to take a store while its rank exchanges messages, after some
 * updates. */
struct Intruder {
    int updates, most; /* before the first try; tries */
    rv_store *store = nullptr;
    int tries = 0, entries = 0;
    bool inside = false;

    void message()
    {
        if (inside) rv_store_leave(store);
        inside = false;
        if (!store || tries == most) return;
        tries++;
        inside = rv_store_enter(store, nullptr);
        entries += inside;
    }
};

struct Job {
    rv_train_config config = rv_train_config_new();
    bool resume = false;
    /* Rank `rank` stops after its n-th update; 0: never. */
    int rank = 0;
    int64_t stop = 0;
    const rv_source *data = nullptr;
    /* That rank removes this folder after its first update. */
    const char *remove = nullptr;
    /* Its store is taken by another after its n-th update. */
    int64_t busy = 0;
    Intruder *intruder = nullptr;
    bool again = false; /* fails first, and is fitted again without what made it fail */
};

/* What is wrong with sample 17. */
enum class Sample { FINE, GONE, TOO_LARGE /* for the square of an error */ };
std::atomic<Sample> sample_is{Sample::GONE};

struct Wish {
    int64_t left;
    const char *remove;
    int64_t busy;
    Intruder *intruder;
};
bool wishes(void *context, const rv_trainer *trainer)
{
    Wish *wish = static_cast<Wish *>(context);
    if (wish->remove) std::filesystem::remove_all(wish->remove);
    wish->remove = nullptr;
    if (wish->intruder && --wish->intruder->updates == 0)
        wish->intruder->store = rv_trainer_store(trainer);
    if (--wish->busy == 0) {
        EXPECT_TRUE(rv_store_enter(rv_trainer_store(trainer), nullptr));
    }
    return --wish->left != 0;
}

Outcome train(const Job &job, const rv_collective *collective)
{
    Outcome o;
    rv_error error = {};
    rv_train_parts parts = {};
    parts.collective = collective;
    parts.data = job.data;
    const bool chosen = (collective ? collective->rank : 0) == job.rank;
    Wish wish = {chosen ? job.stop : 0, chosen ? job.remove : nullptr, chosen ? job.busy : 0,
                 chosen ? job.intruder : nullptr};
    rv_trainer *trainer = rv_trainer_new_with(&job.config, &parts, &error);
    EXPECT_NE(trainer, nullptr) << error.text;
    if (trainer && rv_trainer_observe(trainer, {wishes, nullptr, &wish}, &error) &&
        (!job.resume || rv_trainer_resume(trainer, nullptr, nullptr, &error)) &&
        !rv_trainer_fit(trainer, &error) && job.again) {
        EXPECT_NE(error.code, RV_OK);
        if (chosen && job.busy > 0) rv_store_leave(rv_trainer_store(trainer));
        sample_is = Sample::FINE;
        error = {};
        rv_trainer_fit(trainer, &error);
    }
    if (trainer) {
        const rv_train_result *r = rv_trainer_result(trainer);
        o = {r->digest,   error.text, r->validation.loss, r->interrupted,
             r->diverged, r->epochs,  r->at.batch};
    }
    rv_trainer_free(trainer);
    return o;
}

/* 0: without a collective. */
std::vector<Outcome> train_on(int ranks, const Job &job)
{
    if (ranks == 0) return {train(job, nullptr)};
    Team team(ranks);
    if (job.intruder) {
        team.before = [&](int rank) {
            if (rank == job.rank) job.intruder->message();
        };
    }
    std::vector<Outcome> outcomes(static_cast<size_t>(ranks));
    std::vector<std::thread> threads;
    for (int r = 0; r < ranks; r++)
        threads.emplace_back(
            [&, r] { outcomes[static_cast<size_t>(r)] = train(job, team.rank(r)); });
    for (std::thread &thread : threads) thread.join();
    return outcomes;
}

/* 300 samples to train on: batches of 64, and a last one of 44 whose leaves are of other sizes. */
Job small_job()
{
    Job job;
    rv_train_config &c = job.config;
    c.net.model = "gru";
    c.net.units = 8;
    c.data.classes = "0-2";
    c.data.validation = 200;
    c.optimizer.name = "adam";
    c.loop.epochs = 2;
    c.loop.batch_size = 64;
    c.loop.leaves = 16;
    return job;
}

/* With all that an update may have: dropout, noise, accumulation, clipping, averages, a
 * schedule. */
Job rich_job()
{
    Job job = small_job();
    rv_train_config &c = job.config;
    c.net.dropout = 0.2;
    c.net.recurrent_dropout = 0.1;
    c.data.noise = 0.1;
    c.data.shift = 1;
    c.optimizer.accumulate = 2;
    c.optimizer.clip_norm = 0.5;
    c.optimizer.clip_value = 0.1;
    c.optimizer.average = 0.9;
    c.optimizer.weight_decay = 1e-4;
    c.optimizer.schedule = "cosine";
    return job;
}

TEST(Leaves, AreTheSameForAnyNumberOfRanks)
{
    for (const Job &job : {small_job(), rich_job()}) {
        const Outcome alone = train_on(0, job)[0];
        EXPECT_EQ(alone.error, "");
        EXPECT_NE(alone.digest, "");
        for (const int ranks : {1, 2, 3, 4, 7, 8, 16}) {
            SCOPED_TRACE(ranks);
            for (const Outcome &o : train_on(ranks, job)) {
                EXPECT_EQ(o.error, "");
                EXPECT_EQ(o.digest, alone.digest);
                EXPECT_EQ(o.validation, alone.validation);
            }
        }
    }
}

/* Sequences of different lengths, an answer at each step: leaves count by their time steps, and the
 * gradient is that of the batch that is not cut, up to rounding. */
TEST(Leaves, ComputeTheGradientOfTheBatch)
{
    for (const char *task : {"digits", "adding", "parentheses", "copy"}) {
        SCOPED_TRACE(task);
        Job job;
        rv_train_config &c = job.config;
        c.data.task = task;
        if (strcmp(task, "digits") != 0) c.data.samples = 120;
        c.net.model = "gru";
        c.net.units = 4;
        c.loop.dtype = "f64";
        c.optimizer.name = "sgd";
        c.optimizer.learning_rate = 0.01;
        c.loop.epochs = 1;
        c.loop.batch_size = 48;
        const Outcome whole = train_on(0, job)[0];
        for (const int64_t leaves : {1, 5}) {
            SCOPED_TRACE(leaves);
            c.loop.leaves = leaves;
            const Outcome cut = train_on(0, job)[0];
            EXPECT_EQ(cut.error, "");
            EXPECT_NEAR(cut.validation, whole.validation, 1e-10);
            for (const Outcome &o : train_on(leaves > 1 ? 3 : 1, job))
                EXPECT_EQ(o.digest, cut.digest);
        }
    }
}

class Ranks : public WithFolder {};

TEST_F(Ranks, ResumeWithAnotherNumber)
{
    const std::string whole = train_on(0, rich_job())[0].digest;
    int next = 0;
    for (const auto &[before, after] : std::vector<std::pair<int, int>>{{3, 2}, {0, 4}, {8, 0}})
        for (const int64_t stop : {1, 4, 5, 7}) {
            SCOPED_TRACE(std::to_string(before) + " then " + std::to_string(after));
            const std::string folder = path(std::to_string(next++));
            Job job = rich_job();
            job.config.loop.output = folder.c_str();
            job.rank = before > 1 ? 1 : 0;
            job.stop = stop;
            for (const Outcome &o : train_on(before, job)) {
                EXPECT_EQ(o.error, "");
                EXPECT_TRUE(o.interrupted);
            }
            job.stop = 0;
            job.resume = true;
            for (const Outcome &o : train_on(after, job)) {
                EXPECT_EQ(o.error, "");
                EXPECT_EQ(o.digest, whole);
            }
        }
}

/* y is the sum of x; in epoch 2 sample 17 may be amiss. */
bool read_or_fail(const rv_source *, uint64_t epoch, int64_t index, void *x, void *y,
                  int32_t *length, rv_error *error)
{
    const Sample is = epoch == 2 && index == 17 ? sample_is.load() : Sample::FINE;
    if (is == Sample::GONE) return rv_fail(error, RV_ERROR_IO, "sample 17 is gone");
    float sum = 0;
    for (int64_t i = 0; i < 4; i++)
        sum += static_cast<float *>(x)[i] =
            static_cast<float>(rv_random_uniform(1, static_cast<uint64_t>(4 * index + i)));
    *static_cast<float *>(y) = is == Sample::TOO_LARGE ? 1e30F : sum;
    *length = 4;
    return true;
}

Job job_that_fails(rv_source *source)
{
    Job job = small_job();
    *source = {};
    source->name = "sums";
    source->count = 100;
    source->x = {2, {4, 1}};
    source->y = {1, {1}};
    source->sequence = true;
    source->read = read_or_fail;
    job.data = source;
    job.config.data = rv_train_config_new().data;
    job.config.data.validation = 0;
    job.config.loop.batch_size = 20;
    return job;
}

TEST_F(Ranks, FailTogether)
{
    rv_source source;
    Job job = job_that_fails(&source);
    const std::string folder = path("run");
    for (const int ranks : {0, 2, 5}) {
        SCOPED_TRACE(ranks);
        const std::vector<Outcome> outcomes = train_on(ranks, job);
        for (const Outcome &o : outcomes) {
            EXPECT_NE(o.error.find("sample 17 is gone"), std::string::npos) << o.error;
            EXPECT_EQ(o.error, outcomes[0].error);
            EXPECT_EQ(o.epochs, 1);
            EXPECT_EQ(o.batch, outcomes[0].batch);
        }
    }
}

/* A batch that fails is repeated, with the dropout masks that it would have had, whether it is cut
 * into leaves or not: a sample that cannot be read, one whose loss is infinite, and a store that is
 * taken in an epoch or at its end. */
TEST_F(Ranks, FitAgainAfterAFailure)
{
    struct Kind {
        Sample sample;
        int64_t busy;
    };
    rv_source source;
    for (const int64_t leaves : {0, 16}) {
        Job job = job_that_fails(&source);
        job.config.net.dropout = 0.2;
        job.config.loop.leaves = leaves;
        job.config.loop.anomaly = true;
        sample_is = Sample::FINE;
        const std::string whole = train_on(0, job)[0].digest;
        job.again = true;
        for (const Kind &kind :
             {Kind{Sample::GONE, 0}, {Sample::TOO_LARGE, 0}, {Sample::FINE, 7}, {Sample::FINE, 5}})
            for (const int ranks : leaves ? std::vector<int>{0, 1, 3} : std::vector<int>{0})
                for (const int rank : {0, ranks > 1 ? 1 : 0}) {
                    SCOPED_TRACE(testing::Message()
                                 << leaves << " leaves, " << ranks << " ranks, sample "
                                 << static_cast<int>(kind.sample) << ", rank " << rank
                                 << " busy after " << kind.busy);
                    sample_is = kind.sample;
                    job.busy = kind.busy;
                    job.rank = rank;
                    for (const Outcome &o : train_on(ranks, job)) {
                        EXPECT_EQ(o.error, "");
                        EXPECT_EQ(o.digest, whole);
                    }
                }
    }
    sample_is = Sample::GONE;
}

/* Ranks that have agreed on an update all make it: nobody takes the store of one of them in
 * between. */
TEST(Leaves, KeepTheStoreWhileRanksExchange)
{
    const Job job = small_job();
    const std::string whole = train_on(0, job)[0].digest;
    for (const int rank : {0, 1}) {
        SCOPED_TRACE(rank);
        Job watched = job;
        Intruder intruder{1, 3};
        watched.rank = rank;
        watched.intruder = &intruder;
        for (const Outcome &o : train_on(2, watched)) {
            EXPECT_EQ(o.error, "");
            EXPECT_EQ(o.digest, whole);
        }
        EXPECT_EQ(intruder.tries, 3);
        EXPECT_EQ(intruder.entries, 0);
    }
}

/* The same in an update whose loss is infinite, after which ranks exchange more. */
TEST_F(Ranks, DivergeTogetherWhileTheStoreIsWanted)
{
    rv_source source;
    sample_is = Sample::TOO_LARGE;
    for (const bool anomaly : {false, true}) {
        Job job = job_that_fails(&source);
        job.config.loop.anomaly = anomaly;
        const Outcome alone = train_on(0, job)[0];
        EXPECT_TRUE(alone.diverged) << alone.error;
        ASSERT_GT(alone.batch, 0) << "an update of epoch 2 before that of sample 17";
        for (const int rank : {0, 1}) {
            SCOPED_TRACE(rank);
            Intruder intruder{6, 100};
            job.rank = rank;
            job.intruder = &intruder;
            const std::vector<Outcome> outcomes = train_on(2, job);
            for (const Outcome &o : outcomes) {
                EXPECT_TRUE(o.diverged) << o.error;
                EXPECT_EQ(o.error, outcomes[0].error);
                EXPECT_EQ(o.batch, alone.batch);
            }
            EXPECT_GE(intruder.tries, 2 * alone.batch);
        }
    }
    sample_is = Sample::GONE;
}

TEST_F(Ranks, DivergeTogether)
{
    for (const bool anomaly : {false, true}) {
        Job job = small_job();
        job.config.optimizer.name = "sgd";
        job.config.optimizer.learning_rate = 3e38;
        job.config.optimizer.clip_norm = 0;
        job.config.loop.anomaly = anomaly;
        const Outcome alone = train_on(0, job)[0];
        EXPECT_TRUE(alone.diverged) << alone.error;
        for (const int ranks : {2, 3})
            for (const Outcome &o : train_on(ranks, job)) {
                EXPECT_EQ(o.error, alone.error);
                EXPECT_TRUE(o.diverged);
                EXPECT_EQ(o.batch, alone.batch);
            }
    }
}

/* A folder that cannot be made fails on rank 0 alone, before anything is exchanged. */
TEST_F(Ranks, FailWhereTheFolderDoes)
{
    const std::string file = path("file");
    spit(file, "");
    const std::string folder = file + "/run";
    Job job = small_job();
    job.config.loop.output = folder.c_str();
    for (const Outcome &o : train_on(3, job)) EXPECT_NE(o.error.find("/run"), std::string::npos);
}

/* Only rank 0 notices, at the end of the epoch. */
TEST_F(Ranks, FailWhenTheFolderVanishes)
{
    const std::string folder = path("run");
    Job job = small_job();
    job.config.loop.output = job.remove = folder.c_str();
    for (const int ranks : {2, 5})
        for (const Outcome &o : train_on(ranks, job))
            EXPECT_NE(o.error.find("/run"), std::string::npos) << o.error;
}

TEST_F(Ranks, OnlyTheFirstWrites)
{
    const std::string one = path("one"), four = path("four");
    Job job = small_job();
    job.config.loop.output = one.c_str();
    train_on(0, job);
    job.config.loop.output = four.c_str();
    train_on(4, job);
    for (const char *name : {"/config.json", "/best.safetensors"})
        EXPECT_EQ(slurp(one + name), slurp(four + name)) << name;
}

TEST(Leaves, RefuseWhatTheyCannotDo)
{
    const auto refused = [](const Job &job, int ranks) {
        Team team(ranks);
        rv_train_parts parts = {};
        parts.collective = team.rank(0);
        rv_error error = {};
        rv_trainer *trainer = rv_trainer_new_with(&job.config, &parts, &error);
        EXPECT_EQ(trainer, nullptr);
        rv_trainer_free(trainer);
        return std::string(error.text);
    };
    Job job = small_job();
    EXPECT_EQ(refused(job, 17),
              "`leaves`: got 16, but 17 ranks share the leaves of a batch; "
              "start at most 16 ranks or, for a new run, give more `leaves`, such as 68");
    job.config.loop.leaves = 65;
    EXPECT_EQ(refused(job, 2), "`leaves`: got 65, expected at most the 64 samples of a batch");
    job.config.loop.leaves = 0;
    EXPECT_EQ(refused(job, 2), "2 ranks share the leaves of a batch, and this run has none; start "
                               "1 rank or, for a new run, give `leaves`, such as 8");
}

/* A rank that finds the others gone fails, too. */
TEST(Leaves, FailWhenTheTeamBreaksDown)
{
    Job job = small_job();
    Team team(2);
    Outcome first;
    std::thread thread([&] { first = train(job, team.rank(0)); });
    team.break_down();
    thread.join();
    EXPECT_EQ(first.error, "the team has broken down");
}

} // namespace
