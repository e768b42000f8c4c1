/* Memory: alignment, zeros and overflow checks. */
#include "tensor/memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

namespace {

TEST(Memory, IsZeroedAndAligned)
{
    for (size_t bytes : {size_t{1}, size_t{63}, size_t{64}, size_t{65}, size_t{4096},
                         size_t{1} << 22, (size_t{5} << 20) + 1}) {
        auto *memory = static_cast<unsigned char *>(rv_alloc(bytes, 1));
        ASSERT_NE(memory, nullptr);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % RV_ALIGNMENT, 0u);
        for (size_t i = 0; i < bytes; i++) ASSERT_EQ(memory[i], 0);
        rv_free(memory);
    }
}

TEST(Memory, SizeZeroGivesAValidPointer)
{
    void *memory = rv_alloc(0, 8);
    EXPECT_NE(memory, nullptr);
    rv_free(memory);
    rv_free(nullptr);
}

TEST(Memory, RefusesSizesThatOverflow)
{
    EXPECT_EQ(rv_alloc(SIZE_MAX / 2, 3), nullptr);
    EXPECT_EQ(rv_alloc(SIZE_MAX, 1), nullptr);
    EXPECT_EQ(rv_alloc(static_cast<size_t>(PTRDIFF_MAX), 1), nullptr);
}

TEST(Memory, ReserveKeepsItemsAndZeroesNewOnes)
{
    int *items = nullptr;
    size_t capacity = 0;
    for (size_t count = 0; count < 1000; count++) {
        ASSERT_TRUE(rv_reserve(&items, &capacity, count + 1, sizeof *items));
        ASSERT_GT(capacity, count);
        ASSERT_EQ(items[count], 0);
        items[count] = static_cast<int>(count);
    }
    for (int i = 0; i < 1000; i++) ASSERT_EQ(items[i], i);
    EXPECT_LE(capacity, 2048u);
    rv_free(items);
}

TEST(Memory, AFailedReserveLeavesTheArrayIntact)
{
    int *items = nullptr;
    size_t capacity = 0;
    ASSERT_TRUE(rv_reserve(&items, &capacity, 4, sizeof *items));
    items[3] = 7;
    int *before = items;
    const size_t capacity_before = capacity;
    EXPECT_FALSE(rv_reserve(&items, &capacity, SIZE_MAX / 2, sizeof *items));
    EXPECT_EQ(items, before);
    EXPECT_EQ(capacity, capacity_before);
    EXPECT_EQ(items[3], 7);
    rv_free(items);
}

TEST(Memory, CopiesStrings)
{
    char text[] = "gate";
    char *copy = rv_string_copy(text);
    text[0] = 'G';
    EXPECT_STREQ(copy, "gate");
    rv_free(copy);
}

} // namespace
