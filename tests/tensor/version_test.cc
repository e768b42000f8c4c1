/* The version's number and text agree. */
#include "tensor/version.h"

#include <gtest/gtest.h>

#include <string>

namespace {

TEST(Version, TextHasTheNumbers)
{
    EXPECT_EQ(RV_VERSION_TEXT, std::to_string(RV_VERSION_MAJOR) + "." +
                                   std::to_string(RV_VERSION_MINOR) + "." +
                                   std::to_string(RV_VERSION_PATCH));
    EXPECT_STREQ(rv_version(), RV_VERSION_TEXT);
}

} // namespace
