/* The proofs that the command prints: gradients against differences, and the article's mistakes. */
#include <gtest/gtest.h>

#include <string>

#include "tests/tools/command.h"

namespace {

TEST(Gradcheck, EveryOpAndEveryModelIsRight)
{
    const Outcome outcome = recurve("gradcheck --all --json");
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    const Json json(outcome.out);
    std::string names;
    const cJSON *row;
    cJSON_ArrayForEach(row, json.root())
    {
        const std::string name = Json::text(row, "name"), parameter = Json::text(row, "parameter");
        EXPECT_STREQ(cJSON_GetObjectItem(row, "verdict")->valuestring, "right")
            << name << " " << parameter << ": " << Json::text(row, "reason");
        const cJSON *error = cJSON_GetObjectItem(row, "max_relative_error");
        EXPECT_TRUE(cJSON_IsNull(error) || error->valuedouble <= 1e-7) << name << " " << parameter;
        names += " " + name + "/" + parameter + " ";
    }
    const Json ops(recurve("ops --json").out), models(recurve("models --json").out);
    for (const Json *list : {&ops, &models}) {
        const cJSON *item;
        cJSON_ArrayForEach(item, list->root())
            EXPECT_CONTAINS(names, " " + Json::text(item, "name") + "/");
    }
    EXPECT_CONTAINS(names, " conv2d/w ");
    EXPECT_CONTAINS(names, " curnn/Wrecg ");
}

TEST(Gradcheck, OneOpOrOneModelAlone)
{
    const Outcome op = recurve("gradcheck --op lerp"), model = recurve("gradcheck --model ugrnn");
    EXPECT_EQ(op.status, 0);
    EXPECT_EQ(model.status, 0);
    EXPECT_CONTAINS(op.out, "3 gradients, 0 wrong");
    EXPECT_CONTAINS(model.out, "ugrnn");
    EXPECT_EQ(model.out.find("lerp"), std::string::npos);
}

TEST(Gradcheck, AnErrorAboveTheToleranceIsStatus1)
{
    const Outcome outcome = recurve("gradcheck --op tanh --tolerance 1e-15");
    EXPECT_EQ(outcome.status, 1);
    EXPECT_CONTAINS(outcome.out, "undecided: differences with steps of 1e-03 and less");
    EXPECT_CONTAINS(outcome.out, "1 gradient, 0 wrong, 1 undecided");
}

TEST(Verify, LibraryDifferencesAndCorrectedDerivationAgreeAndThePublishedOneErrsAsStated)
{
    const char *const mistakes[] = {"dC2", "dhp2", "dh1", "dC1", "dG1"};
    for (const char *seed : {"1", "2", "3", "61", "115"}) {
        SCOPED_TRACE(seed);
        const Outcome outcome = recurve(std::string("verify curnn-blog --json --seed ") + seed);
        EXPECT_EQ(outcome.status, 0) << outcome.out;
        const Json json(outcome.out);
        const cJSON *weights = cJSON_GetObjectItem(json.root(), "weights"), *row;
        EXPECT_EQ(cJSON_GetArraySize(weights), 6);
        cJSON_ArrayForEach(row, weights)
        {
            const std::string name = Json::text(row, "name");
            SCOPED_TRACE(name);
            EXPECT_LE(Json::number(row, "autodiff_vs_differences"), 1e-7);
            EXPECT_LE(Json::number(row, "corrected_vs_autodiff"), 1e-12);
            if (name == "W1" || name == "W2") {
                EXPECT_LE(Json::number(row, "published_vs_autodiff"), 1e-12);
                EXPECT_NEAR(Json::number(row, "ratio"), 1, 1e-12);
            } else {
                EXPECT_GE(Json::number(row, "published_vs_autodiff"), 0.99);
                EXPECT_GE(Json::number(row, "ratio"), 10);
            }
        }
        const cJSON *list = cJSON_GetObjectItem(json.root(), "mistakes");
        ASSERT_EQ(cJSON_GetArraySize(list), 5);
        int id = 0;
        cJSON_ArrayForEach(row, list)
        {
            EXPECT_EQ(Json::text(row, "name"), mistakes[id++]);
            EXPECT_EQ(Json::text(row, "derivation"), "as published");
            EXPECT_GE(Json::number(row, "max_relative_error"), 1e-2);
            EXPECT_NE(Json::text(row, "repair"), "");
        }
    }
}

TEST(Verify, ShowsEachMistakeAndHowItIsRight)
{
    const Outcome outcome = recurve("verify curnn-blog");
    EXPECT_EQ(outcome.status, 0);
    for (const char *part :
         {"# mistake 1: the slope of arctan", "right | dh1 = crop1(dhp2) + g2.dh2",
          "15 lines, 5 wrong", "\nVerified: "})
        EXPECT_CONTAINS(outcome.out, part);
    EXPECT_EQ(outcome.out.find("corrected\""), std::string::npos);
}

} // namespace
