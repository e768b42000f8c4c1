/* Synthetic tasks: the tests compute every answer again from the question. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "data/tasks.h"
#include "data/tensors.h"
#include "tests/data/sources.h"

namespace {

void open(Source *source, const char *name, rv_task_options options = {})
{
    ASSERT_TRUE(rv_source_task(&source->s, name, &options, &source->error)) << source->error.text;
}

TEST(Tasks, AreFoundByNameAndIndex)
{
    EXPECT_EQ(rv_task_count(), 9);
    for (int i = 0; i < rv_task_count(); i++) {
        const rv_task *task = rv_task_at(i);
        EXPECT_EQ(rv_task_find(task->name), task);
        if (i > 0) {
            EXPECT_LT(std::string(rv_task_at(i - 1)->name), task->name);
        }
        EXPECT_EQ(std::string(task->about).find('\n'), std::string::npos);
        EXPECT_FALSE(std::string(task->baseline).empty());
    }
    EXPECT_EQ(rv_task_at(-1), nullptr);
    EXPECT_EQ(rv_task_at(rv_task_count()), nullptr);
    EXPECT_EQ(rv_task_find("addition"), nullptr);
    EXPECT_EQ(rv_task_find(nullptr), nullptr);
}

TEST(Tasks, SamplesArePureFunctionsOfSeedEpochAndIndex)
{
    for (int i = 0; i < rv_task_count(); i++) {
        const std::string name = rv_task_at(i)->name;
        SCOPED_TRACE(name);
        Source one, same, other;
        rv_task_options options = {};
        open(&one, name.c_str());
        open(&same, name.c_str());
        options.seed = 1;
        open(&other, name.c_str(), options);
        const Sample first = sample(one.s, 3, 2);
        EXPECT_EQ(first.error.code, RV_OK) << first.error.text;
        EXPECT_EQ(sample(same.s, 3, 2), first);
        EXPECT_NE(sample(other.s, 3, 2).x, first.x);
        EXPECT_NE(sample(one.s, 4, 2).x, first.x);
        const bool memorized = name == "capacity" || name == "random-function";
        EXPECT_EQ(sample(one.s, 3, 3) == first, memorized);
        EXPECT_EQ(one.s.count, rv_task_at(i)->defaults.count);
    }
}

TEST(Tasks, RefuseInvalidOptions)
{
    const auto refuse = [](const char *name, rv_task_options options, rv_code code,
                           const char *part) {
        Source source;
        EXPECT_FALSE(rv_source_task(&source.s, name, &options, &source.error));
        expect_refused(source, code, {part});
    };
    refuse("addition", {}, RV_ERROR_NAME, "adding, arithmetic, capacity");
    refuse("adding", {-1, 0, 0, 0}, RV_ERROR_ARGUMENT, "-1 samples");
    refuse("adding", {0, 1, 0, 0}, RV_ERROR_ARGUMENT, "`length` 1");
    refuse("adding", {0, 0, 5, 0}, RV_ERROR_ARGUMENT, "`size` 5");
    refuse("adding", {0, INT64_MAX, 0, 0}, RV_ERROR_ARGUMENT, "`length`");
    refuse("arithmetic", {0, 9, 0, 0}, RV_ERROR_ARGUMENT, "`length` 9");
    refuse("arithmetic", {0, 0, 19, 0}, RV_ERROR_ARGUMENT, "at most 18");
    refuse("copy", {0, 20, 10, 0}, RV_ERROR_ARGUMENT, "at least 21");
    refuse("moving-digits", {0, 0, 7, 0}, RV_ERROR_ARGUMENT, "`size` 7");
    refuse("capacity", {0, 0, -1, 0}, RV_ERROR_ARGUMENT, "`size` -1");
}

TEST(Tasks, AddingSumsTheMarkedNumbers)
{
    for (int64_t steps : {2, 7, 100}) {
        Source source;
        open(&source, "adding", {0, steps, 0, 0});
        double error = 0;
        for (int64_t i = 0; i < 1000; i++) {
            const Sample s = sample(source.s, i);
            double sum = 0, first = 0, second = 0;
            for (int64_t t = 0; t < steps; t++) {
                const double value = s.x[2 * t], mark = s.x[2 * t + 1];
                EXPECT_TRUE(value >= 0 && value <= 1);
                sum += value * mark;
                (t < steps / 2 ? first : second) += mark;
            }
            EXPECT_EQ(first, 1);
            EXPECT_EQ(second, 1);
            EXPECT_FLOAT_EQ(s.y[0], sum);
            error += (s.y[0] - 1) * (s.y[0] - 1) / 1000;
        }
        EXPECT_NEAR(error, 1.0 / 6, .03);
    }
}

TEST(Tasks, ArithmeticAnswersAreTheSums)
{
    for (int64_t size : {1, 3, 18}) {
        Source source;
        open(&source, "arithmetic", {0, 0, size, 0});
        EXPECT_TRUE(source.s.lengths);
        std::set<size_t> digits;
        for (int64_t i = 0; i < 500; i++) {
            const Sample s = sample(source.s, i);
            std::string question, answer;
            for (double token : s.x) question += char(source.s.alphabet[int(token)]);
            for (double token : s.y) answer += char(source.s.alphabet[int(token)]);
            const size_t plus = question.find('+'), equals = question.find('=');
            const std::string a = question.substr(0, plus),
                              b = question.substr(plus + 1, equals - plus - 1),
                              sum = std::to_string(std::stoll(a) + std::stoll(b));
            EXPECT_EQ(a, std::to_string(std::stoll(a)));
            EXPECT_EQ(b, std::to_string(std::stoll(b)));
            EXPECT_LE(int64_t(std::max(a.size(), b.size())), size);
            digits.insert(a.size());
            std::string expected(equals, ' ');
            expected += sum;
            EXPECT_EQ(s.length, int32_t(expected.size()));
            expected.resize(answer.size(), ' ');
            EXPECT_EQ(answer, expected);
            EXPECT_EQ(question.substr(equals + 1), std::string(question.size() - equals - 1, ' '));
        }
        EXPECT_EQ(int64_t(digits.size()), size) << "every number of digits occurs";
    }
}

TEST(Tasks, CapacityAndRandomFunctionShowBitsAtTheFirstStep)
{
    for (const char *name : {"capacity", "random-function"}) {
        Source source;
        open(&source, name, {500, 4, 10, 0});
        double ones = 0, mean = 0, square = 0;
        for (int64_t i = 0; i < 500; i++) {
            const Sample s = sample(source.s, i);
            for (size_t j = 0; j < 10; j++) ones += s.x[j];
            for (size_t j = 0; j < 10; j++) EXPECT_TRUE(s.x[j] == 0 || s.x[j] == 1);
            for (size_t j = 10; j < 40; j++) EXPECT_EQ(s.x[j], 0);
            mean += s.y[0] / 500;
            square += s.y[0] * s.y[0] / 500;
        }
        EXPECT_NEAR(ones / 5000, .5, .05);
        EXPECT_NEAR(mean, source.s.classes == 2 ? .5 : 0, .1);
        EXPECT_NEAR(square, source.s.classes == 2 ? .5 : 1, .2);
    }
}

TEST(Tasks, CopyRepeatsTheSymbols)
{
    Source source;
    open(&source, "copy", {0, 12, 4, 0});
    for (int64_t i = 0; i < 100; i++) {
        const Sample s = sample(source.s, i);
        EXPECT_EQ(std::vector<double>(s.x.begin(), s.x.begin() + 4),
                  std::vector<double>(s.y.end() - 4, s.y.end()));
        for (size_t t = 0; t < 4; t++) EXPECT_TRUE(s.x[t] >= 1 && s.x[t] <= 8);
        for (size_t t = 4; t < 12; t++) EXPECT_EQ(s.x[t], t == 7 ? 9 : 0);
        for (size_t t = 0; t < 8; t++) EXPECT_EQ(s.y[t], 0);
    }
}

TEST(Tasks, MemoryRepeatsTheNumbers)
{
    Source source;
    open(&source, "memory", {0, 3, 5, 0});
    const Sample s = sample(source.s, 0);
    EXPECT_EQ(std::vector<double>(s.x.begin(), s.x.begin() + 5), s.y);
    EXPECT_EQ(std::count(s.x.begin() + 5, s.x.end(), 0), 10);
}

TEST(Tasks, ParityCountsTheOnes)
{
    Source source;
    open(&source, "parity", {0, 9, 0, 0});
    for (int64_t i = 0; i < 200; i++) {
        const Sample s = sample(source.s, i);
        EXPECT_EQ(s.y[0], std::count(s.x.begin(), s.x.end(), 1) % 2);
        EXPECT_EQ(std::count(s.x.begin(), s.x.end(), 0) + std::count(s.x.begin(), s.x.end(), 1), 9);
    }
}

TEST(Tasks, ParenthesesCountsTheOpenOnes)
{
    const size_t steps = 200, size = 3;
    Source source;
    open(&source, "parentheses", {0, int64_t(steps), int64_t(size), 0});
    double most = 0;
    for (int64_t i = 0; i < 50; i++) {
        const Sample s = sample(source.s, i);
        for (size_t stream = 0; stream < size; stream++) {
            std::string open;
            for (size_t t = 0; t < steps; t++) {
                const double *what = &s.x[(t * size + stream) * 3];
                EXPECT_EQ(what[0] + what[1] + what[2], 1);
                if (what[0] == 1 && open.size() < 9) open.push_back('(');
                if (what[1] == 1 && !open.empty()) open.pop_back();
                ASSERT_EQ(s.y[t * size + stream], double(open.size()));
                most = std::max(most, double(open.size()));
            }
        }
    }
    EXPECT_EQ(most, 9);
}

using Frame = std::vector<double>;

/* The positions at which every pixel of the frame is at least as bright as the digit's. */
std::set<std::pair<int, int>> positions(const Frame &frame, int size, const unsigned char *digit)
{
    std::set<std::pair<int, int>> found;
    for (int top = 0; top <= size - 8; top++) {
        for (int left = 0; left <= size - 8; left++) {
            bool fits = true;
            for (int i = 0; i < 64 && fits; i++)
                fits = frame[size_t((top + i / 8) * size + left + i % 8)] >= digit[i] / 16.0;
            if (fits) found.insert({top, left});
        }
    }
    return found;
}

bool shows(const Frame &frame, int size, const unsigned char *a, std::pair<int, int> at,
           const unsigned char *b, std::pair<int, int> bt)
{
    Frame made(frame.size());
    const auto put = [&](const unsigned char *digit, std::pair<int, int> where) {
        for (int i = 0; i < 64; i++) {
            double &pixel = made[size_t((where.first + i / 8) * size + where.second + i % 8)];
            pixel = std::max(pixel, digit[i] / 16.0);
        }
    };
    put(a, at);
    put(b, bt);
    return made == frame;
}

TEST(Tasks, MovingDigitsStayWholeAndMoveAtMostTwoPixels)
{
    const int size = 20;
    Source source;
    open(&source, "moving-digits", {0, 30, size, 0});
    const Sample s = sample(source.s, 1);
    const size_t pixels = size * size;
    EXPECT_TRUE(std::equal(s.x.begin() + pixels, s.x.end(), s.y.begin()))
        << "y holds the next frames";
    std::vector<Frame> frames;
    for (size_t t = 0; t < 30; t++)
        frames.emplace_back(s.x.begin() + t * pixels, s.x.begin() + (t + 1) * pixels);
    frames.emplace_back(s.y.end() - pixels, s.y.end());

    /* The digits that fit into every frame; two of them must make up all frames. */
    std::vector<const unsigned char *> digits;
    for (int64_t i = 0; i < RV_DIGITS; i++) {
        const unsigned char *digit = rv_digit(i, nullptr);
        if (std::all_of(frames.begin(), frames.end(),
                        [&](const Frame &f) { return !positions(f, size, digit).empty(); }))
            digits.push_back(digit);
    }
    ASSERT_GE(digits.size(), 2u);
    bool found = false;
    for (const auto *a : digits) {
        for (const auto *b : digits) {
            std::vector<std::pair<int, int>> path;
            bool moves = true;
            for (const Frame &frame : frames) {
                bool shown = false;
                for (auto at : positions(frame, size, a)) {
                    if (!path.empty() && (std::abs(path.back().first - at.first) > 2 ||
                                          std::abs(path.back().second - at.second) > 2))
                        continue;
                    for (auto bt : positions(frame, size, b)) {
                        if (shown || !shows(frame, size, a, at, b, bt)) continue;
                        shown = true;
                        path.push_back(at);
                    }
                }
                moves &= shown;
            }
            found |= moves && std::set<std::pair<int, int>>(path.begin(), path.end()).size() > 10;
        }
    }
    EXPECT_TRUE(found);
}

TEST(Tasks, MovingDigitsThatFillTheFrameStandStill)
{
    Source source;
    open(&source, "moving-digits", {0, 5, 8, 0});
    const Sample s = sample(source.s, 0);
    EXPECT_EQ(s.x, s.y);
}

/* The mean square error of `answer` over many samples. */
template <class Answer> double mean_square(const Source &source, int samples, Answer answer)
{
    double sum = 0, count = 0;
    for (int64_t i = 0; i < samples; i++) {
        const Sample s = sample(source.s, i);
        for (size_t j = 0; j < s.y.size(); j++) {
            const double error = s.y[j] - answer(s, j);
            sum += error * error;
            count++;
        }
    }
    return sum / count;
}

/* The mean square error of answering each number of y with its mean. */
double mean_error(const Source &source, int samples)
{
    std::vector<double> mean(size_t(rv_shape_count(source.s.y)));
    for (int64_t i = 0; i < samples; i++) {
        const Sample s = sample(source.s, i);
        for (size_t j = 0; j < mean.size(); j++) mean[j] += s.y[j] / samples;
    }
    return mean_square(source, samples, [&](const Sample &, size_t j) { return mean[j]; });
}

TEST(Tasks, ReachTheBaselinesOfTheTable)
{
    Source moving, parentheses, arithmetic;
    open(&moving, "moving-digits");
    EXPECT_NEAR(mean_error(moving, 500), .069, .001);
    EXPECT_GT(mean_square(moving, 500, [](const Sample &s, size_t j) { return s.x[j]; }), .08)
        << "repeating the last frame is no better";
    open(&parentheses, "parentheses");
    EXPECT_NEAR(mean_error(parentheses, 500), 3.7, .15);
    open(&arithmetic, "arithmetic");
    double right = 0, all = 0;
    for (int64_t i = 0; i < 2000; i++) {
        const Sample s = sample(arithmetic.s, i);
        right += double(std::count(s.y.begin(), s.y.begin() + s.length, 12));
        all += s.length;
    }
    EXPECT_NEAR(right / all, .65, .01);
}

} // namespace
