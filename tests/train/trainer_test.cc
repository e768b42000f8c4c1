/* The trainer as a C program uses it. */
#include "train/trainer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tensor/memory.h"
#include "tests/files.h"

extern "C" {
#include "train/trainer/trainer.h"
}

namespace {

using Trainer = std::unique_ptr<rv_trainer, void (*)(rv_trainer *)>;

rv_train_config small_config()
{
    rv_train_config config = rv_train_config_new();
    config.net.model = "gru";
    config.net.units = 8;
    config.net.dropout = 0.1;
    config.optimizer.name = "adam";
    config.loop.epochs = 3;
    return config;
}

Trainer make(const rv_train_config &config)
{
    rv_error error = {};
    Trainer trainer(rv_trainer_new(&config, &error), rv_trainer_free);
    EXPECT_NE(trainer, nullptr) << error.text;
    return trainer;
}

std::string fit(rv_trainer *trainer)
{
    rv_error error = {};
    EXPECT_TRUE(rv_trainer_fit(trainer, &error)) << error.text;
    return rv_trainer_result(trainer)->digest;
}

TEST(Trainer, LearnsAndFillsInDefaults)
{
    const rv_train_config config = rv_train_config_new();
    const Trainer trainer = make(config);
    fit(trainer.get());
    const rv_train_result *r = rv_trainer_result(trainer.get());
    EXPECT_EQ(r->validation.accuracy, 1);
    EXPECT_EQ(r->epochs, 10);
    EXPECT_LT(r->history[9].loss, r->history[0].loss);
    EXPECT_STREQ(rv_trainer_config(trainer.get())->net.model, "curnn");
}

struct Stop {
    int64_t after, updates;
};

bool count_update(void *context, const rv_trainer *)
{
    auto *stop = static_cast<Stop *>(context);
    return ++stop->updates != stop->after;
}

class Resume : public WithFolder {};

TEST_F(Resume, AfterAnInterruptionAtAnyUpdateTheBitsAreTheSame)
{
    rv_train_config config = small_config();
    const std::string whole = fit(make(config).get());
    for (const int64_t after : {1, 29, 30, 31, 61, 89}) {
        SCOPED_TRACE(after);
        const std::string folder = path(std::to_string(after));
        config.loop.output = folder.c_str();
        rv_error error = {};
        {
            Stop stop = {after, 0};
            const Trainer first = make(config);
            ASSERT_TRUE(rv_trainer_observe(first.get(), {count_update, nullptr, &stop}, &error));
            fit(first.get());
            EXPECT_TRUE(rv_trainer_result(first.get())->interrupted);
            EXPECT_EQ(stop.updates, after);
        }
        const Trainer second = make(config);
        ASSERT_TRUE(rv_trainer_resume(second.get(), nullptr, nullptr, &error)) << error.text;
        EXPECT_EQ(fit(second.get()), whole);
    }
}

TEST_F(Resume, AnInterruptedTrainerGoesOn)
{
    const rv_train_config config = small_config();
    Stop stop = {40, 0};
    const Trainer trainer = make(config);
    ASSERT_TRUE(rv_trainer_observe(trainer.get(), {count_update, nullptr, &stop}, nullptr));
    fit(trainer.get());
    EXPECT_EQ(fit(trainer.get()), fit(make(config).get()));
}

/* The bytes of a run that was interrupted after 40 updates. */
std::string packed(const rv_train_config &config)
{
    Stop stop = {40, 0};
    rv_error error = {};
    unsigned char *bytes = nullptr;
    size_t size = 0;
    const Trainer trainer = make(config);
    EXPECT_TRUE(rv_trainer_observe(trainer.get(), {count_update, nullptr, &stop}, &error));
    fit(trainer.get());
    EXPECT_TRUE(rv_trainer_pack(trainer.get(), &bytes, &size, &error)) << error.text;
    const std::string text(reinterpret_cast<const char *>(bytes), size);
    rv_free(bytes);
    return text;
}

bool unpack(rv_trainer *trainer, const std::string &bytes, rv_error *error)
{
    return rv_trainer_unpack(trainer, reinterpret_cast<const unsigned char *>(bytes.data()),
                             bytes.size(), error);
}

TEST(Packed, ARunResumesFromBytesInMemory)
{
    const rv_train_config config = small_config();
    const std::string bytes = packed(config), whole = fit(make(config).get());
    const Trainer second = make(config);
    rv_error error = {};
    ASSERT_TRUE(unpack(second.get(), bytes, &error)) << error.text;
    EXPECT_EQ(rv_trainer_result(second.get())->at.learned, 400);
    EXPECT_EQ(fit(second.get()), whole);
}

TEST(Packed, DamagedBytesChangeNothing)
{
    const rv_train_config config = small_config();
    const std::string bytes = packed(config);
    const Trainer trainer = make(config);
    for (size_t at = 0; at < bytes.size(); at += 97) {
        SCOPED_TRACE(at);
        rv_error cut = {}, flipped = {};
        std::string damaged = bytes;
        damaged[at] ^= 4;
        EXPECT_FALSE(unpack(trainer.get(), bytes.substr(0, at), &cut));
        EXPECT_FALSE(unpack(trainer.get(), damaged, &flipped));
        EXPECT_EQ(std::string(cut.text).rfind("\"checkpoint\"", 0), 0u) << cut.text;
        EXPECT_EQ(rv_trainer_result(trainer.get())->at.learned, 0);
    }
    EXPECT_EQ(fit(trainer.get()), fit(make(config).get()));
}

/* At the end of each epoch, as an observer sees it: '=' for unchanged parameters, else '.'. */
bool note_unchanged(void *context, const rv_trainer *trainer)
{
    *static_cast<std::string *>(context) += rv_trainer_result(trainer)->unchanged ? '=' : '.';
    return true;
}

std::string unchanged_epochs(rv_trainer *trainer)
{
    std::string epochs;
    EXPECT_TRUE(rv_trainer_observe(trainer, {nullptr, note_unchanged, &epochs}, nullptr));
    fit(trainer);
    return epochs;
}

using Settings = std::vector<std::pair<const char *, const char *>>;

rv_train_config with(const Settings &settings)
{
    rv_error error = {};
    rv_train_config config = small_config();
    for (const auto &[key, value] : settings)
        EXPECT_TRUE(rv_train_config_set(&config, key, value, &error)) << error.text;
    return config;
}

TEST(Unchanged, UpdatesThatChangeNoParameterAreReported)
{
    const std::pair<const char *, Settings> runs[] = {
        {"===", {{"learning-rate", "1e-30"}}},
        {"===", {{"learning-rate", "1e-30"}, {"optimizer", "momentum"}}},
        {"===", {{"learning-rate", "1e-20"}, {"dtype", "f64"}}},
        {"===", {{"clip-norm", "1e-30"}, {"optimizer", "sgd"}}},
        {"===", {{"learning-rates", "*=0"}}},
        {"===", {{"freeze", "fc*"}, {"learning-rates", "*=0"}}},
        {"..=", {{"accumulate", "1000"}}},
        {".==", {{"batch-size", "1000"}, {"warm-up", "1000"}, {"learning-rate", "1e-30"}}},
    };
    for (const auto &[expected, settings] : runs) {
        const Trainer trainer = make(with(settings));
        EXPECT_EQ(unchanged_epochs(trainer.get()), expected) << settings[0].first;
    }
}

TEST(Unchanged, OrdinaryRunsReportNothing)
{
    const Settings runs[] = {
        {},
        {{"learning-rate", "1e-8"}},
        {{"learning-rate", "1e-12"}, {"dtype", "f64"}},
        {{"schedule", "cosine"}},
        {{"schedule", "cosine"}, {"batch-size", "1000"}},
        {{"schedule", "one-cycle"}},
        {{"warm-up", "2"}, {"batch-size", "1000"}},
        {{"accumulate", "40"}},
        {{"accumulate", "2"}, {"batch-size", "1000"}},
        {{"freeze", "W*"}},
    };
    for (const Settings &settings : runs) {
        const Trainer trainer = make(with(settings));
        EXPECT_EQ(unchanged_epochs(trainer.get()), "...") << testing::PrintToString(settings);
    }
}

TEST(Unchanged, FreezingAllParametersIsAnError)
{
    rv_error error = {};
    EXPECT_FALSE(rv_trainer_fit(make(with({{"freeze", "*"}})).get(), &error));
    EXPECT_EQ(error.code, RV_ERROR_ARGUMENT);
    EXPECT_NE(std::string(error.text).find("frozen; leave one"), std::string::npos) << error.text;
}

/* The last batch alone completes no update. */
TEST_F(Resume, ReportsUnchangedParametersAsIfItHadNotBeenInterrupted)
{
    for (const bool unchanged : {false, true}) {
        rv_train_config config = with({{"accumulate", "40"}});
        if (unchanged) config.optimizer.learning_rate = 1e-30;
        const std::string folder = path(unchanged ? "unchanged" : "changed");
        config.loop.output = folder.c_str();
        Stop stop = {89, 0};
        Trainer first = make(config);
        const Trainer second = make(config);
        ASSERT_TRUE(rv_trainer_observe(first.get(), {count_update, nullptr, &stop}, nullptr));
        fit(first.get());
        first.reset();
        ASSERT_TRUE(rv_trainer_resume(second.get(), nullptr, nullptr, nullptr));
        EXPECT_EQ(unchanged_epochs(second.get()), unchanged ? "=" : ".");
    }
}

TEST_F(Resume, AnotherConfigurationIsRefusedByName)
{
    rv_train_config config = small_config();
    const std::string folder = path("run");
    config.loop.output = folder.c_str();
    fit(make(config).get());
    config.net.units = 9;
    rv_error error = {};
    EXPECT_FALSE(rv_trainer_resume(make(config).get(), nullptr, nullptr, &error));
    EXPECT_NE(std::string(error.text).find("`units`"), std::string::npos) << error.text;
}

TEST(Trainer, TwoOnTwoThreadsGiveTheBitsOfOne)
{
    const rv_train_config config = small_config();
    const std::string alone = fit(make(config).get());
    std::string other[2];
    std::thread one([&] { other[0] = fit(make(config).get()); });
    std::thread two([&] { other[1] = fit(make(config).get()); });
    one.join();
    two.join();
    EXPECT_EQ(other[0], alone);
    EXPECT_EQ(other[1], alone);
}

TEST(Trainer, ErrorsNameTheOption)
{
    rv_error error = {};
    rv_train_config config = small_config();
    config.net.dropout = 1;
    EXPECT_EQ(rv_trainer_new(&config, &error), nullptr);
    EXPECT_EQ(error.code, RV_ERROR_ARGUMENT);
    EXPECT_NE(std::string(error.text).find("`dropout`"), std::string::npos) << error.text;
    error = {};
    EXPECT_FALSE(rv_train_config_set(&config, "dropuot", "0.1", &error));
    EXPECT_NE(std::string(error.text).find("did you mean \"dropout\"?"), std::string::npos)
        << error.text;
    EXPECT_TRUE(rv_train_config_set(&config, "lr", "0.5", nullptr));
    EXPECT_EQ(config.optimizer.learning_rate, 0.5);
}

// By its title, or as a model of its own.
TEST(Trainer, TrainsAModelOfATextByItsDerivations)
{
    const std::string text = "model logistic(n=2)\n"
                             "  input x[n, 1, 8, 8], y[n, 1] ~ uniform(0, 1)\n"
                             "  output = flatten(x) @ W[_, 1]\n"
                             "  loss = sigmoid_cross_entropy(output, y)\n"
                             "derive loss \"right\"\n"
                             "  dW = flatten(x)' @ (sigmoid(output) - y) / n\n"
                             "derive loss \"summed\"\n"
                             "  dW = flatten(x)' @ (sigmoid(output) - y)\n";
    rv_error error = {};
    rv_lang *lang = rv_lang_read(text.data(), text.size(), "logistic.rv", nullptr, &error);
    ASSERT_NE(lang, nullptr) << error.text;
    const auto digest = [&](const rv_model *model, const char *gradients) {
        rv_train_config config = rv_train_config_new();
        rv_train_parts parts = {};
        config.optimizer.gradients = gradients;
        config.loop.epochs = 2;
        parts.model = model;
        const Trainer trainer(rv_trainer_new_with(&config, &parts, &error), rv_trainer_free);
        EXPECT_NE(trainer, nullptr) << error.text;
        return trainer ? fit(trainer.get()) : error.text;
    };
    const rv_model *model = rv_lang_model(lang, nullptr, &error);
    const std::string summed = digest(model, "summed");
    EXPECT_EQ(digest(rv_lang_derived(model, "summed", &error), nullptr), summed);
    EXPECT_EQ(digest(model, nullptr), digest(model, "autodiff"));
    EXPECT_NE(digest(model, "right"), summed);
    EXPECT_NE(digest(model, nullptr), summed);
    rv_lang_free(lang);
}

TEST(Config, IsReadBackFromItsJson)
{
    rv_train_config config = small_config(), back = rv_train_config_new();
    config.optimizer.learning_rate = 0.1;
    char *json = rv_train_config_json(&config);
    ASSERT_TRUE(rv_train_config_parse(&back, json, "config", nullptr)) << json;
    EXPECT_EQ(rv_train_config_difference(&config, &back), nullptr);
    rv_free(json);
    rv_train_config_free(&back);
}

} // namespace
