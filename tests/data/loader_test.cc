/* The loader: the same batches for any prefetch. */
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "data/files.h"
#include "data/loader.h"
#include "data/tasks.h"
#include "tests/data/sources.h"

namespace {

using Loader = std::unique_ptr<rv_loader, decltype(&rv_loader_free)>;

Loader load(const rv_source &source, rv_loader_options options, rv_error *error = nullptr)
{
    return {rv_loader_new(&source, &options, error), rv_loader_free};
}

/* x is the index, y the epoch; reading sample *context, unless NULL, fails. */
rv_source numbered(int64_t count, const int64_t *broken = nullptr)
{
    rv_source s = {};
    s.name = "numbered";
    s.count = count;
    s.x = s.y = RV_SHAPE(1);
    s.context = const_cast<int64_t *>(broken);
    s.read = [](const rv_source *source, uint64_t epoch, int64_t index, void *x, void *y, int32_t *,
                rv_error *error) {
        *static_cast<float *>(x) = static_cast<float>(index);
        *static_cast<float *>(y) = static_cast<float>(epoch);
        const auto *bad = static_cast<const int64_t *>(source->context);
        if (bad == nullptr || *bad != index) return true;
        return rv_fail(error, RV_ERROR_IO, "sample %d is broken", int(index));
    };
    return s;
}

/* The remaining batches of the epoch. */
std::vector<std::vector<double>> rest(rv_loader *loader, rv_error *error = nullptr)
{
    std::vector<std::vector<double>> batches;
    while (const rv_batch *batch = rv_loader_next(loader, error))
        batches.push_back(numbers(batch->x));
    return batches;
}

std::vector<double> all(const std::vector<std::vector<double>> &batches)
{
    std::vector<double> values;
    for (const auto &batch : batches) values.insert(values.end(), batch.begin(), batch.end());
    return values;
}

const std::vector<double> ten = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

TEST(Loader, InOrderReturnsSuccessiveSamples)
{
    for (int prefetch : {0, 1, 3}) {
        const rv_source source = numbered(10);
        const Loader loader = load(source, {4, 0, true, false, false, prefetch});
        EXPECT_EQ(rv_loader_batches(loader.get()), 3);
        for (uint64_t epoch : {7, 8}) {
            ASSERT_TRUE(rv_loader_start(loader.get(), epoch, 0, nullptr));
            for (int64_t number = 0; number < 3; number++) {
                const rv_batch *batch = rv_loader_next(loader.get(), nullptr);
                ASSERT_NE(batch, nullptr);
                EXPECT_EQ(batch->epoch, epoch);
                EXPECT_EQ(batch->number, number);
                EXPECT_EQ(batch->count, number < 2 ? 4 : 2);
                EXPECT_TRUE(rv_shape_equal(batch->x.shape, RV_SHAPE(batch->count, 1)));
                EXPECT_EQ(rv_tensor_get(&batch->x, 0), double(4 * number));
                EXPECT_EQ(rv_tensor_get(&batch->y, batch->count - 1), double(epoch));
                EXPECT_EQ(numbers(batch->length), std::vector<double>(size_t(batch->count), 1));
            }
            rv_error error = {};
            EXPECT_EQ(rv_loader_next(loader.get(), &error), nullptr);
            EXPECT_EQ(rv_loader_next(loader.get(), &error), nullptr);
            EXPECT_EQ(error.code, RV_OK);
        }
    }
}

TEST(Loader, ShufflesAsAFunctionOfEpochAndSeed)
{
    const rv_source source = numbered(10);
    const Loader a = load(source, {3, 5, false, false, false, 0}),
                 b = load(source, {3, 5, false, false, false, 2}),
                 c = load(source, {3, 6, false, false, false, 0});
    std::vector<std::vector<std::vector<double>>> epochs;
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        ASSERT_TRUE(rv_loader_start(a.get(), epoch, 0, nullptr));
        epochs.push_back(rest(a.get()));
        std::vector<double> sorted = all(epochs.back());
        std::sort(sorted.begin(), sorted.end());
        EXPECT_EQ(sorted, ten);
    }
    EXPECT_NE(epochs[0], epochs[1]);
    EXPECT_NE(epochs[1], epochs[2]);
    for (uint64_t epoch : {2, 0, 1, 1}) {
        ASSERT_TRUE(rv_loader_start(b.get(), epoch, 0, nullptr));
        EXPECT_EQ(rest(b.get()), epochs[epoch]);
    }
    EXPECT_NE(rest(c.get()), epochs[0]);
}

TEST(Loader, StartsAtAnyBatchOfAnEpoch)
{
    const rv_source source = numbered(100);
    for (int prefetch : {0, 2}) {
        const Loader loader = load(source, {7, 1, false, false, false, prefetch});
        ASSERT_TRUE(rv_loader_start(loader.get(), 3, 0, nullptr));
        const auto batches = rest(loader.get());
        for (int64_t first = 0; first <= 15; first++) {
            ASSERT_TRUE(rv_loader_start(loader.get(), 3, first, nullptr));
            EXPECT_EQ(rest(loader.get()),
                      std::vector<std::vector<double>>(batches.begin() + first, batches.end()));
        }
        for (int64_t bad : {-1, 16}) {
            rv_error error = {};
            EXPECT_FALSE(rv_loader_start(loader.get(), 3, bad, &error));
            EXPECT_EQ(error.code, RV_ERROR_ARGUMENT);
        }
    }
}

TEST(Loader, CanBeRestartedAtAnyTime)
{
    const rv_source source = numbered(1000);
    const Loader plain = load(source, {10, 1, false, false, false, 0}),
                 prefetching = load(source, {10, 1, false, false, false, 3});
    for (uint64_t epoch = 0; epoch < 200; epoch++) {
        ASSERT_TRUE(rv_loader_start(plain.get(), epoch, 0, nullptr));
        ASSERT_TRUE(rv_loader_start(prefetching.get(), epoch, 0, nullptr));
        for (uint64_t i = 0; i < epoch % 5; i++)
            EXPECT_EQ(numbers(rv_loader_next(plain.get(), nullptr)->x),
                      numbers(rv_loader_next(prefetching.get(), nullptr)->x));
    }
}

TEST(Loader, DropsAPartialLastBatchOnRequest)
{
    const rv_source source = numbered(10);
    const Loader loader = load(source, {4, 0, true, false, true, 0});
    EXPECT_EQ(rv_loader_batches(loader.get()), 2);
    EXPECT_EQ(all(rest(loader.get())), (std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7}));
    const Loader large = load(source, {40, 0, true, false, false, 0});
    EXPECT_EQ(all(rest(large.get())), ten) << "the batch size is capped";
}

TEST(Loader, ContiguousRowsWalkThroughTheirParts)
{
    const rv_source source = numbered(11);
    for (int prefetch : {0, 1}) {
        const Loader loader = load(source, {3, 0, false, true, false, prefetch});
        EXPECT_EQ(rest(loader.get()),
                  (std::vector<std::vector<double>>{{0, 3, 6}, {1, 4, 7}, {2, 5, 8}}));
    }
}

TEST(Loader, ReportsErrorsOfTheThread)
{
    const int64_t broken = 5;
    const rv_source source = numbered(10, &broken);
    for (int prefetch : {0, 1, 4}) {
        const Loader loader = load(source, {2, 0, true, false, false, prefetch});
        for (uint64_t epoch : {0, 1}) {
            rv_error error = {};
            ASSERT_TRUE(rv_loader_start(loader.get(), epoch, 0, nullptr));
            EXPECT_EQ(all(rest(loader.get(), &error)), (std::vector<double>{0, 1, 2, 3}));
            EXPECT_EQ(error.code, RV_ERROR_IO);
            EXPECT_STREQ(error.text, "sample 5 is broken");
            rv_error later = {};
            EXPECT_EQ(rv_loader_next(loader.get(), &later), nullptr);
            EXPECT_EQ(later.code, RV_OK) << "the epoch has ended";
        }
        rv_error error = {};
        ASSERT_TRUE(rv_loader_start(loader.get(), 2, 3, nullptr));
        EXPECT_EQ(all(rest(loader.get(), &error)), (std::vector<double>{6, 7, 8, 9}));
        EXPECT_EQ(error.code, RV_OK);
    }
}

/* A part that is not read cannot fail: sample 9 is the second half of the last batch. */
TEST(Loader, ReadsAPartOfEachBatch)
{
    const int64_t broken = 9;
    const rv_source source = numbered(10, &broken);
    for (const int prefetch : {0, 2}) {
        rv_error error = {};
        const Loader middle = load(source, {4, 0, true, false, false, prefetch, 4, 1, 3});
        const auto batches = rest(middle.get(), &error);
        EXPECT_EQ(error.code, RV_OK) << error.text;
        ASSERT_EQ(batches.size(), 3u);
        EXPECT_EQ(batches[0][1], 1);
        EXPECT_EQ(batches[1][2], 6);
        EXPECT_EQ(batches[2].size(), 2u);
        EXPECT_EQ(batches[2][0], 8);
        const Loader end = load(source, {4, 0, true, false, false, prefetch, 4, 2, 4});
        EXPECT_EQ(rest(end.get(), &error).size(), 2u);
        EXPECT_EQ(error.code, RV_ERROR_IO);
    }
}

TEST(Loader, RefusesInvalidOptions)
{
    const rv_source source = numbered(10);
    const rv_loader_options refused[] = {
        {0, 0, false, false, false, 0},         {-1, 0, false, false, false, 0},
        {1, 0, false, false, false, -1},        {1, 0, false, false, false, 65},
        {11, 0, false, true, false, 0},         {11, 0, false, false, true, 0},
        {1, 0, true, false, false, 0, -1},      {1, 0, true, false, false, 0, 4, 3, 2},
        {1, 0, true, false, false, 0, 4, 0, 5}, {1, 0, true, false, false, 0, INT64_MAX, 0, 1}};
    for (const auto &options : refused) {
        rv_error error = {};
        EXPECT_EQ(load(source, options, &error), nullptr);
        EXPECT_EQ(error.code, RV_ERROR_ARGUMENT) << error.text;
    }
    rv_source empty = source;
    empty.count = 0;
    EXPECT_EQ(load(empty, {1, 0, false, false, false, 0}), nullptr);
    rv_source large = source;
    large.count = INT64_MAX;
    large.x = RV_SHAPE(INT64_C(1) << 50);
    rv_error error = {};
    EXPECT_EQ(load(large, {1 << 20, 0, true, false, false, 0}, &error), nullptr);
    EXPECT_EQ(error.code, RV_ERROR_SHAPE);
    rv_loader_free(nullptr);
}

TEST(Loader, PrefetchesAllTasksUnchanged)
{
    for (int i = 0; i < rv_task_count(); i++) {
        const rv_task_options options = {50, 0, 0, 3};
        Source task;
        ASSERT_TRUE(rv_source_task(&task.s, rv_task_at(i)->name, &options, nullptr));
        const Loader plain = load(task.s, {8, 1, false, false, false, 0}),
                     prefetching = load(task.s, {8, 1, false, false, false, 2});
        int64_t count = 0;
        while (const rv_batch *a = rv_loader_next(plain.get(), nullptr)) {
            const rv_batch *b = rv_loader_next(prefetching.get(), nullptr);
            ASSERT_NE(b, nullptr);
            EXPECT_EQ(numbers(a->x), numbers(b->x));
            EXPECT_EQ(numbers(a->y), numbers(b->y));
            EXPECT_EQ(numbers(a->length), numbers(b->length));
            count += a->count;
        }
        EXPECT_EQ(count, 50);
    }
}

class Texts : public WithFolder {};

TEST_F(Texts, ContiguousRowsContinueTheText)
{
    std::string text;
    for (int i = 0; i < 1000; i++) text += static_cast<char>('a' + i * i % 23);
    Source source;
    const rv_text_options options = {0, 5, nullptr, 0};
    ASSERT_TRUE(rv_source_text(&source.s, file("text", text).c_str(), &options, nullptr));
    const Loader loader = load(source.s, {4, 0, false, true, false, 1});
    std::string lanes[4];
    while (const rv_batch *batch = rv_loader_next(loader.get(), nullptr))
        for (int64_t i = 0; i < 20; i++)
            lanes[i / 5] += char(source.s.alphabet[int(rv_tensor_get(&batch->x, i))]);
    for (size_t lane = 0; lane < 4; lane++) EXPECT_EQ(lanes[lane], text.substr(lane * 245, 245));
}

TEST(Loader, RefusesNull)
{
    rv_source source = {};
    rv_error error = {};
    EXPECT_EQ(rv_loader_new(nullptr, nullptr, &error), nullptr);
    EXPECT_NE(std::string(error.text).find("the source is NULL"), std::string::npos) << error.text;
    EXPECT_EQ(rv_loader_new(&source, nullptr, nullptr), nullptr);
    EXPECT_EQ(rv_loader_bytes(nullptr), 0u);
}

} // namespace
