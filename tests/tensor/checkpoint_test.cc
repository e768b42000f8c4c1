/* Checkpoints: stores are restored bit for bit, and loading is atomic. */
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tensor/checkpoint.h"
#include "tensor/safetensors.h"
#include "tests/files.h"
#include "tests/tensor/stores.h"

namespace {

using Checkpoint = WithFolder;

/* A model with an optimizer: parameters and states of every dtype. */
void fill(Store &store)
{
    store.get("Wxg", RV_SHAPE(1, 1, 5, 5));
    store.get("step", RV_SCALAR, RV_STATE, RV_I32);
    store.get("rate", RV_SCALAR, RV_STATE, RV_F64);
    store.get("b", RV_SHAPE(7));
    store.get("adam.m/b", RV_SHAPE(7), RV_STATE);
}

bool save(const Store &store, const std::string &path)
{
    rv_error error = {};
    EXPECT_TRUE(rv_store_save(store, path.c_str(), &error)) << error.text;
    return error.code == RV_OK;
}

/* Loads a file that must be refused, and checks that the store is unchanged. */
rv_error refused_load(Store &store, const std::string &path)
{
    const std::string before = contents(store);
    rv_error error = {};
    EXPECT_FALSE(rv_store_load(store, path.c_str(), &error));
    EXPECT_EQ(contents(store), before);
    EXPECT_TRUE(says(error, path.c_str())) << error.text;
    return error;
}

TEST_F(Checkpoint, RestoresBitForBit)
{
    Store saved(1), fresh(2), other(3);
    fill(saved);
    fill(other);
    ASSERT_NE(contents(saved), contents(other));
    ASSERT_TRUE(save(saved, path("a")));
    rv_error error = {};
    ASSERT_TRUE(rv_store_load(fresh, path("a").c_str(), &error)) << error.text;
    EXPECT_EQ(contents(fresh), contents(saved)) << "created in order, with their roles";
    ASSERT_TRUE(rv_store_load(other, path("a").c_str(), &error)) << error.text;
    EXPECT_EQ(contents(other), contents(saved)) << "overwritten";
    EXPECT_EQ(rv_store_seed(other), 3u);
    EXPECT_EQ(listing(), std::vector<std::string>{"a"});
}

TEST_F(Checkpoint, KeepsTheCallersMetadata)
{
    Store saved(1), fresh(2);
    fill(saved);
    const std::string text =
        "{\"epoch\": 3,\n\t\"checksum\":\"00000000000000000000000000000000\"} \xC3\xA4";
    const rv_metadata metadata[] = {{"run", text.c_str()}, {"empty", ""}};
    rv_error error = {};
    ASSERT_TRUE(rv_store_save_with(saved, path("a").c_str(), metadata, 2, &error)) << error.text;
    ASSERT_TRUE(rv_store_load(fresh, path("a").c_str(), &error)) << error.text;
    EXPECT_EQ(contents(fresh), contents(saved));
    rv_archive archive;
    ASSERT_TRUE(rv_safetensors_read(path("a").c_str(), &archive, &error)) << error.text;
    EXPECT_STREQ(rv_archive_metadata(&archive, "run"), text.c_str());
    EXPECT_STREQ(rv_archive_metadata(&archive, "empty"), "");
    EXPECT_EQ(rv_archive_metadata(&archive, "none"), nullptr);
    rv_archive_free(&archive);
}

TEST_F(Checkpoint, RefusesReservedKeysAndInvalidUtf8)
{
    Store store(1);
    fill(store);
    for (const char *key : {"format", "checksum", "role:b", "\xFF"}) {
        const rv_metadata one = {key, "state"};
        rv_error error = {};
        EXPECT_FALSE(rv_store_save_with(store, path("a").c_str(), &one, 1, &error));
        EXPECT_EQ(error.code, RV_ERROR_NAME) << key;
    }
    EXPECT_TRUE(listing().empty());
}

TEST_F(Checkpoint, SavingIsDeterministic)
{
    Store store;
    fill(store);
    ASSERT_TRUE(save(store, path("a")));
    ASSERT_TRUE(save(store, path("b")));
    EXPECT_EQ(slurp(path("a")), slurp(path("b")));
}

TEST_F(Checkpoint, RecordsTheFormatAndTheRoles)
{
    Store store;
    fill(store);
    ASSERT_TRUE(save(store, path("a")));
    EXPECT_NE(
        slurp(path("a")).find(R"("role:step":"state","role:rate":"state","role:adam.m/b":"state"},)"
                              R"("Wxg":{"dtype":"F32")"),
        std::string::npos);
    EXPECT_NE(slurp(path("a")).find(R"({"__metadata__":{"format":"recurve 3","checksum":")"),
              std::string::npos);
}

TEST_F(Checkpoint, OverwritesInPlace)
{
    Store saved(1), store(2);
    saved.get("w", RV_SHAPE(4));
    ASSERT_TRUE(save(saved, path("a")));
    rv_entry *w = store.get("w", RV_SHAPE(4));
    void *data = w->tensor.data;
    store.get("state", RV_SHAPE(2), RV_STATE);
    ASSERT_TRUE(rv_store_load(store, path("a").c_str(), nullptr));
    EXPECT_EQ(rv_store_find(store, "w"), w);
    EXPECT_EQ(w->tensor.data, data);
    EXPECT_EQ(rv_store_count(store), 2u) << "a state that the file lacks stays";
}

TEST_F(Checkpoint, ConvertsToTheDtypeOfTheStore)
{
    Store saved(1), store(2);
    saved.get("w", RV_SHAPE(4), RV_PARAMETER, RV_F64);
    ASSERT_TRUE(save(saved, path("a")));
    rv_entry *w = store.get("w", RV_SHAPE(4), RV_PARAMETER, RV_F32);
    ASSERT_TRUE(rv_store_load(store, path("a").c_str(), nullptr));
    EXPECT_EQ(w->tensor.dtype, RV_F32);
    for (int i = 0; i < 4; i++)
        EXPECT_EQ(static_cast<float *>(w->tensor.data)[i],
                  static_cast<float>(rv_tensor_get(&rv_store_at(saved, 0)->tensor, i)));
}

TEST_F(Checkpoint, TensorsOfForeignFilesAreParameters)
{
    float values[] = {1, 2, 3};
    rv_named_tensor tensor = {"w", {RV_F32, RV_SHAPE(3), values}};
    rv_metadata metadata[] = {{"format", "pt"}, {"role:v", "whatever"}};
    const rv_archive archive = {&tensor, 1, metadata, 2};
    ASSERT_TRUE(rv_safetensors_write(path("a").c_str(), &archive, nullptr));
    Store store;
    rv_error error = {};
    ASSERT_TRUE(rv_store_load(store, path("a").c_str(), &error)) << error.text;
    ASSERT_EQ(rv_store_count(store), 1u);
    EXPECT_EQ(rv_store_at(store, 0)->role, RV_PARAMETER);
    EXPECT_EQ(rv_tensor_get(&rv_store_at(store, 0)->tensor, 2), 3);
}

TEST_F(Checkpoint, NamesMissingParameters)
{
    Store saved(1), store(2);
    saved.get("w", RV_SHAPE(4));
    ASSERT_TRUE(save(saved, path("a")));
    store.get("w", RV_SHAPE(4));
    store.get("Wrecc", RV_SHAPE(3, 3));
    store.get("Wrecg", RV_SHAPE(3, 3));
    const rv_error error = refused_load(store, path("a"));
    EXPECT_EQ(error.code, RV_ERROR_NAME);
    EXPECT_TRUE(says(error, "lacks 2 of the store's 3 parameters, such as \"Wrecc\" [3,3]; "))
        << error.text;
    EXPECT_TRUE(says(error, "it holds 1 tensor, the first \"w\"")) << error.text;
}

TEST_F(Checkpoint, HasAllParametersThatAreRequestedLater)
{
    Store saved(1), store(2);
    fill(saved);
    ASSERT_TRUE(save(saved, path("a")));
    rv_error error = {};
    const auto request = [&](const char *name, rv_role role) {
        error = {};
        return rv_store_get(store, name, role, RV_F32, RV_SHAPE(7), rv_init_uniform(-1, 1), &error);
    };
    ASSERT_TRUE(rv_store_load(store, path("a").c_str(), &error)) << error.text;
    const std::string loaded = contents(store);
    EXPECT_NE(request("b", RV_PARAMETER), nullptr) << error.text;
    EXPECT_EQ(request("bb", RV_PARAMETER), nullptr);
    EXPECT_EQ(error.code, RV_ERROR_NAME);
    EXPECT_STREQ(
        error.text,
        "parameter \"bb\" is not in the checkpoint that was loaded, which has \"b\"; correct "
        "the name, or load with rv_store_load_partial");
    EXPECT_EQ(request("head", RV_PARAMETER), nullptr);
    EXPECT_STREQ(error.text, "parameter \"head\" is not in the checkpoint that was loaded; correct "
                             "the name, or load with rv_store_load_partial");
    EXPECT_EQ(contents(store), loaded);
    EXPECT_NE(request("adam.v/b", RV_STATE), nullptr) << error.text;

    EXPECT_FALSE(rv_store_load_partial(store, path("none").c_str(), &error));
    EXPECT_EQ(request("head", RV_PARAMETER), nullptr) << "a failure changes nothing";
    ASSERT_TRUE(rv_store_load_partial(store, path("a").c_str(), &error)) << error.text;
    EXPECT_NE(request("head", RV_PARAMETER), nullptr) << error.text;
    EXPECT_FALSE(rv_store_find(store, "head")->loaded);
    EXPECT_TRUE(rv_store_find(store, "b")->loaded);
    EXPECT_TRUE(rv_store_find(store, "rate")->loaded);
    EXPECT_FALSE(rv_store_load(store, path("a").c_str(), &error)) << "it lacks head";
    EXPECT_TRUE(rv_store_load_partial(store, path("a").c_str(), &error)) << error.text;
}

TEST_F(Checkpoint, NamesBothShapesThatDiffer)
{
    Store saved(1), store(2);
    saved.get("new", RV_SHAPE(2));
    saved.get("a", RV_SHAPE(4));
    saved.get("b", RV_SHAPE(4, 2));
    ASSERT_TRUE(save(saved, path("f")));
    store.get("a", RV_SHAPE(4));
    store.get("b", RV_SHAPE(2, 4));
    const rv_error error = refused_load(store, path("f"));
    EXPECT_EQ(error.code, RV_ERROR_SHAPE);
    EXPECT_TRUE(says(error, "tensor \"b\": shape [4,2]; the store has [2,4]")) << error.text;
}

TEST_F(Checkpoint, RefusesInvalidMetadata)
{
    const rv_metadata wrong[] = {
        {"format", "recurve 1"}, {"role:w", "parameter"}, {"role:v", "state"}, {"role:", "state"}};
    float value = 1;
    rv_named_tensor tensor = {"w", {RV_F32, RV_SCALAR, &value}};
    for (const rv_metadata &item : wrong) {
        rv_metadata metadata[] = {
            item, {"format", "recurve 3"}, {"checksum", "00000000000000000000000000000000"}};
        const bool version = std::string(item.key) == "format";
        const rv_archive archive = {&tensor, 1, metadata, version ? 1u : 3u};
        ASSERT_TRUE(rv_safetensors_write(path("a").c_str(), &archive, nullptr));
        Store store;
        fill(store);
        EXPECT_EQ(refused_load(store, path("a")).code, RV_ERROR_FORMAT) << item.key;
    }
}

TEST_F(Checkpoint, DetectsEveryFlippedBit)
{
    Store saved(1), store(2);
    saved.get("w", RV_SHAPE(2, 3));
    saved.get("rate", RV_SCALAR, RV_STATE);
    store.get("w", RV_SHAPE(2, 3));
    ASSERT_TRUE(save(saved, path("a")));
    const std::string whole = slurp(path("a"));
    for (size_t bit = 0; bit < 8 * whole.size(); bit++) {
        std::string damaged = whole;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
        spit(path("a"), damaged);
        rv_error error = {};
        EXPECT_FALSE(rv_store_load(store, path("a").c_str(), &error)) << bit;
        EXPECT_NE(error.code, RV_OK) << bit;
    }
    EXPECT_EQ(rv_store_count(store), 1u);
}

TEST_F(Checkpoint, GetsANewChecksumWhenRewrittenAsAnArchive)
{
    Store store, again;
    store.get("w", RV_SHAPE(2));
    again.get("w", RV_SHAPE(2));
    rv_archive archive;
    rv_error error = {};
    ASSERT_TRUE(rv_store_save(store, path("a").c_str(), &error)) << error.text;
    ASSERT_TRUE(rv_safetensors_read(path("a").c_str(), &archive, &error)) << error.text;
    static_cast<float *>(archive.tensors[0].tensor.data)[0] = 7;
    EXPECT_TRUE(rv_safetensors_write(path("b").c_str(), &archive, &error)) << error.text;
    rv_archive_free(&archive);
    ASSERT_TRUE(rv_store_load(again, path("b").c_str(), &error)) << error.text;
    EXPECT_EQ(rv_tensor_get(&rv_store_find(again, "w")->tensor, 0), 7);
}

TEST_F(Checkpoint, IsRefusedWithoutItsChecksum)
{
    float value = 1;
    rv_named_tensor tensor = {"w", {RV_F32, RV_SCALAR, &value}};
    rv_metadata metadata = {"format", "recurve 3"};
    const rv_archive archive = {&tensor, 1, &metadata, 1};
    ASSERT_TRUE(rv_safetensors_write(path("a").c_str(), &archive, nullptr));
    Store store;
    fill(store);
    const rv_error error = refused_load(store, path("a"));
    EXPECT_TRUE(says(error, "has lost its checksum")) << error.text;
}

TEST_F(Checkpoint, ReportsAMissingFile)
{
    Store store;
    fill(store);
    EXPECT_EQ(refused_load(store, path("missing")).code, RV_ERROR_IO);
}

TEST_F(Checkpoint, RefusesATruncatedFile)
{
    Store saved(1), store(2);
    fill(saved);
    fill(store);
    ASSERT_TRUE(save(saved, path("a")));
    const std::string whole = slurp(path("a"));
    for (size_t length = 0; length < whole.size(); length++) {
        spit(path("a"), whole.substr(0, length));
        ASSERT_EQ(refused_load(store, path("a")).code, RV_ERROR_FORMAT) << length;
    }
}

TEST_F(Checkpoint, LoadsADamagedFileCompletelyOrNotAtAll)
{
    Store saved(1), store(2);
    fill(saved);
    fill(store);
    ASSERT_TRUE(save(saved, path("whole")));
    ASSERT_TRUE(save(store, path("before")));
    const std::string whole = slurp(path("whole")), before = contents(store);
    Lcg random;
    for (int round = 0; round < 500; round++) {
        std::string bytes = whole;
        const unsigned changes = 1 + random.below(8);
        for (unsigned i = 0; i < changes; i++)
            bytes[random.below(static_cast<unsigned>(bytes.size()))] =
                static_cast<char>(random.below(256));
        spit(path("a"), bytes);
        Store target;
        ASSERT_TRUE(rv_store_load(target, path("before").c_str(), nullptr));
        rv_error error = {};
        if (rv_store_load(target, path("a").c_str(), &error))
            ASSERT_GE(rv_store_count(target), rv_store_count(store));
        else
            ASSERT_EQ(contents(target), before);
    }
}

TEST_F(Checkpoint, SavingToAMissingFolderLeavesNoFile)
{
    Store store;
    fill(store);
    rv_error error = {};
    EXPECT_FALSE(rv_store_save(store, path("missing/a").c_str(), &error));
    EXPECT_EQ(error.code, RV_ERROR_IO);
    EXPECT_TRUE(says(error, path("missing/a").c_str())) << error.text;
    EXPECT_TRUE(listing().empty());
}

} // namespace
