/* The store: names, initial values, digests. */
#include "tensor/store_entries_internal.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/tensor/stores.h"

namespace {

TEST(Store, CreatesAnEntryOnceAndKeepsIt)
{
    Store store(9);
    EXPECT_EQ(rv_store_seed(store), 9u);
    EXPECT_EQ(rv_store_find(store, "w"), nullptr);
    rv_entry *w = store.get("w", RV_SHAPE(2, 3));
    EXPECT_STREQ(w->name, "w");
    EXPECT_EQ(w->role, RV_PARAMETER);
    const double before = rv_tensor_get(&w->tensor, 0);
    EXPECT_NE(before, 0);
    EXPECT_EQ(store.get("w", RV_SHAPE(2, 3)), w);
    EXPECT_EQ(rv_tensor_get(&w->tensor, 0), before);
    EXPECT_EQ(rv_store_find(store, "w"), w);
    EXPECT_EQ(rv_store_count(store), 1u);
    EXPECT_EQ(rv_store_at(store, 0), w);
    EXPECT_EQ(rv_store_at(store, 1), nullptr);
}

TEST(Store, AddressesStayFixedAsEntriesAreAdded)
{
    Store store;
    std::vector<rv_entry *> entries;
    std::vector<void *> data;
    for (int i = 0; i < 5000; i++) {
        entries.push_back(store.get("layer" + std::to_string(i), RV_SHAPE(2)));
        data.push_back(entries.back()->tensor.data);
    }
    EXPECT_EQ(rv_store_count(store), 5000u);
    for (size_t i = 0; i < 5000; i++) {
        ASSERT_EQ(rv_store_find(store, ("layer" + std::to_string(i)).c_str()), entries[i]);
        ASSERT_EQ(rv_store_at(store, i), entries[i]);
        ASSERT_EQ(entries[i]->tensor.data, data[i]);
    }
    EXPECT_EQ(rv_store_find(store, "layer5000"), nullptr);
}

TEST(Store, InitialValuesDoNotDependOnTheOrderOfCreation)
{
    Store forward, backward, alone;
    const std::vector<std::string> names = {"Wxg", "Wrecg", "Wxc", "Wrecc"};
    for (size_t i = 0; i < names.size(); i++) {
        forward.get(names[i], RV_SHAPE(5, 5));
        backward.get(names[names.size() - 1 - i], RV_SHAPE(5, 5));
    }
    alone.get("Wxc", RV_SHAPE(5, 5));
    for (const std::string &name : names) {
        const rv_tensor &a = rv_store_find(forward, name.c_str())->tensor;
        const rv_tensor &b = rv_store_find(backward, name.c_str())->tensor;
        EXPECT_EQ(std::memcmp(a.data, b.data, rv_tensor_bytes(&a)), 0) << name;
    }
    const rv_tensor &a = rv_store_find(forward, "Wxc")->tensor;
    EXPECT_EQ(std::memcmp(a.data, rv_store_at(alone, 0)->tensor.data, rv_tensor_bytes(&a)), 0);
    EXPECT_EQ(forward.digest(), backward.digest());
}

TEST(Store, InitialValuesDifferByNameAndSeed)
{
    Store one(1), two(2);
    const double a = rv_tensor_get(&one.get("a", RV_SHAPE(3))->tensor, 0);
    EXPECT_NE(a, rv_tensor_get(&one.get("b", RV_SHAPE(3))->tensor, 0));
    EXPECT_NE(a, rv_tensor_get(&two.get("a", RV_SHAPE(3))->tensor, 0));
}

TEST(Store, RefusesAnExistingNameWithAnotherShapeDtypeOrRole)
{
    Store store;
    rv_entry *w = store.get("w", RV_SHAPE(2, 3));
    const rv_error shape = store.refusal("w", RV_SHAPE(3, 2));
    EXPECT_EQ(shape.code, RV_ERROR_SHAPE);
    EXPECT_TRUE(says(shape, "\"w\"") && says(shape, "[2,3]") && says(shape, "[3,2]")) << shape.text;
    const rv_error dtype = store.refusal("w", RV_SHAPE(2, 3), RV_PARAMETER, RV_F64);
    EXPECT_EQ(dtype.code, RV_ERROR_DTYPE);
    EXPECT_TRUE(says(dtype, "f32") && says(dtype, "f64")) << dtype.text;
    EXPECT_EQ(store.refusal("w", RV_SHAPE(2, 3), RV_STATE).code, RV_ERROR_NAME);
    EXPECT_EQ(store.get("w", RV_SHAPE(2, 3)), w) << "the entry stays usable";
}

TEST(Store, RefusesNamesThatCannotBeSaved)
{
    Store store;
    for (const char *name : {"", "__metadata__", "\xff", "line\nbreak"})
        EXPECT_EQ(store.refusal(name, RV_SHAPE(1)).code, RV_ERROR_NAME) << name;
    EXPECT_EQ(store.refusal(nullptr, RV_SHAPE(1)).code, RV_ERROR_NAME);
    EXPECT_EQ(rv_store_count(store), 0u);
}

TEST(Store, InvalidShapesAndDtypesLeaveNoEntry)
{
    Store store;
    EXPECT_EQ(store.refusal("w", RV_SHAPE(0)).code, RV_ERROR_SHAPE);
    EXPECT_EQ(store.refusal("w", RV_SHAPE(1), RV_PARAMETER, static_cast<rv_dtype>(3)).code,
              RV_ERROR_DTYPE);
    EXPECT_EQ(rv_store_count(store), 0u);
    EXPECT_EQ(rv_store_find(store, "w"), nullptr);
}

TEST(Store, OfShapesTakesNoMemoryForValues)
{
    rv_error error = {};
    const auto get = [&error](rv_store *store, const char *name, rv_shape shape) {
        return rv_store_get(store, name, RV_PARAMETER, RV_F32, shape, rv_init_normal(0, 1), &error);
    };
    /* 2^58 bytes, more than a machine has, or with 32 bits half of what a tensor may have */
    const int64_t large = int64_t{1} << (sizeof(size_t) > 4 ? 28 : 14);
    rv_store *store = rv_store_new_shapes(PTRDIFF_MAX);
    const rv_entry *w = get(store, "w", RV_SHAPE(large, large));
    ASSERT_NE(w, nullptr) << error.text;
    EXPECT_EQ(w->tensor.data, nullptr);
    EXPECT_EQ(rv_tensor_count(&w->tensor), large * large);
    EXPECT_EQ(get(store, "w", RV_SHAPE(large, large)), w);
    EXPECT_EQ(get(store, "z", RV_SHAPE(0)), nullptr);
    EXPECT_EQ(error.code, RV_ERROR_SHAPE);
    rv_store_free(store);

    error = {};
    store = rv_store_new_shapes(100);
    EXPECT_NE(get(store, "a", RV_SHAPE(20)), nullptr);
    EXPECT_EQ(get(store, "b", RV_SHAPE(6)), nullptr);
    EXPECT_EQ(error.code, RV_ERROR_SHAPE);
    EXPECT_EQ(rv_store_count(store), 1u);
    rv_store_free(store);
}

TEST(Store, DigestDependsOnParametersAlone)
{
    Store store;
    const std::string empty = store.digest();
    EXPECT_EQ(empty.size(), 32u);
    rv_entry *w = store.get("w", RV_SHAPE(2, 3));
    const std::string before = store.digest();
    EXPECT_NE(before, empty);

    store.get("moment", RV_SHAPE(2, 3), RV_STATE);
    EXPECT_EQ(store.digest(), before) << "states do not count";

    const double value = rv_tensor_get(&w->tensor, 5);
    rv_tensor_set(&w->tensor, 5, value + 1);
    EXPECT_NE(store.digest(), before) << "values count";
    rv_tensor_set(&w->tensor, 5, value);
    EXPECT_EQ(store.digest(), before);

    Store reshaped, renamed, doubled;
    reshaped.get("w", RV_SHAPE(3, 2));
    std::memcpy(rv_store_at(reshaped, 0)->tensor.data, w->tensor.data, rv_tensor_bytes(&w->tensor));
    renamed.get("v", RV_SHAPE(2, 3));
    std::memcpy(rv_store_at(renamed, 0)->tensor.data, w->tensor.data, rv_tensor_bytes(&w->tensor));
    doubled.get("w", RV_SHAPE(2, 3), RV_PARAMETER, RV_F64);
    EXPECT_NE(reshaped.digest(), before);
    EXPECT_NE(renamed.digest(), before);
    EXPECT_NE(doubled.digest(), before);
}

TEST(Store, ReleasesAnAttachmentOnce)
{
    int released = 0;
    const auto release = [](void *object) { ++*static_cast<int *>(object); };
    int other = 0;
    {
        Store store;
        EXPECT_EQ(rv_store_attachment(store), nullptr);
        rv_store_attach(store, &released, release);
        EXPECT_EQ(rv_store_attachment(store), &released);
        rv_store_attach(store, &released, release);
        EXPECT_EQ(released, 0) << "the same object again";
        rv_store_attach(store, &other, release);
        EXPECT_EQ(released, 1);
    }
    EXPECT_EQ(released, 1);
    EXPECT_EQ(other, 1);
    rv_store_free(nullptr);
}

} // namespace
