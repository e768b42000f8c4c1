/* The table of names: look-ups, growth, and names that were chosen to collide. */
#include "tensor/name_table_internal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace {

class NameTable : public ::testing::Test {
  protected:
    void TearDown() override { rv_name_table_free(&table_); }

    void add(const std::vector<std::string> &names)
    {
        for (size_t i = 0; i < names.size(); i++) {
            ASSERT_TRUE(rv_name_table_reserve(&table_, i + 1));
            EXPECT_EQ(rv_name_table_find(&table_, names[i].c_str()), SIZE_MAX);
            rv_name_table_add(&table_, names[i].c_str(), i);
        }
        for (size_t i = 0; i < names.size(); i++)
            EXPECT_EQ(rv_name_table_find(&table_, names[i].c_str()), i);
    }

    /* The most slots that a look-up can visit. */
    size_t longest_run() const
    {
        size_t run = 0, longest = 0;
        for (size_t i = 0; i < 2 * table_.size; i++) {
            run = table_.slots[i % table_.size].name ? run + 1 : 0;
            longest = std::max(longest, run);
        }
        return longest;
    }

    rv_name_table table_ = {};
};

TEST_F(NameTable, FindsWhatWasAdded)
{
    std::vector<std::string> names;
    EXPECT_EQ(rv_name_table_find(&table_, "a"), SIZE_MAX);
    for (int i = 0; i < 5000; i++) names.push_back("layer" + std::to_string(i));
    add(names);
    EXPECT_EQ(rv_name_table_find(&table_, "layer5000"), SIZE_MAX);
    EXPECT_EQ(rv_name_table_find(&table_, ""), SIZE_MAX);
}

TEST_F(NameTable, ChosenNamesDoNotCollide)
{
    enum { COUNT = 400, SLOTS = 1024 };
    std::vector<std::string> names;
    for (int i = 0; names.size() < COUNT; i++) {
        const std::string name = "w" + std::to_string(i);
        if (XXH3_64bits(name.data(), name.size()) % SLOTS == 0) names.push_back(name);
    }
    add(names);
    EXPECT_EQ(table_.size, SLOTS);
    EXPECT_LT(longest_run(), COUNT / 4u) << "a run of all names: the hash has no key";
}

TEST_F(NameTable, EachTableHasAKeyOfItsOwn)
{
    rv_name_table other = {};
    ASSERT_TRUE(rv_name_table_reserve(&table_, 1) && rv_name_table_reserve(&other, 1));
    EXPECT_NE(table_.key, other.key);
    const uint64_t key = table_.key;
    ASSERT_TRUE(rv_name_table_reserve(&table_, 100));
    EXPECT_EQ(table_.key, key);
    rv_name_table_free(&other);
}

} // namespace
