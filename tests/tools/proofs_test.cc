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
        EXPECT_TRUE(cJSON_IsTrue(cJSON_GetObjectItem(row, "ok")))
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
    EXPECT_CONTAINS(outcome.out, "WRONG");
    EXPECT_CONTAINS(outcome.out, "1 gradients, 1 wrong");
}

TEST(Verify, LibraryDifferencesAndCorrectedDerivationAgreeAndThePublishedOneErrsAsStated)
{
    for (const char *seed : {"1", "2", "3", "61", "115"}) {
        SCOPED_TRACE(seed);
        const Outcome outcome = recurve(std::string("verify curnn-blog --json --seed ") + seed);
        EXPECT_EQ(outcome.status, 0) << outcome.out;
        const Json json(outcome.out);
        for (const char *setting : {"weights", "lively_weights"}) {
            const cJSON *weights = cJSON_GetObjectItem(json.root(), setting), *row;
            EXPECT_EQ(cJSON_GetArraySize(weights), 6);
            cJSON_ArrayForEach(row, weights)
            {
                const std::string name = Json::text(row, "name");
                SCOPED_TRACE(name);
                EXPECT_LE(Json::number(row, "autodiff_vs_differences"), 1e-7);
                EXPECT_LE(Json::number(row, "corrected_vs_autodiff"), 1e-12);
                if (name == "W1" || name == "W2")
                    EXPECT_LE(Json::number(row, "published_vs_autodiff"), 1e-12);
                else
                    EXPECT_GE(Json::number(row, "published_vs_autodiff"), 1);
            }
        }
        const cJSON *mistakes = cJSON_GetObjectItem(json.root(), "mistakes"), *row;
        EXPECT_EQ(cJSON_GetArraySize(mistakes), 5);
        int id = 0;
        cJSON_ArrayForEach(row, mistakes)
        {
            EXPECT_EQ(Json::number(row, "id"), ++id);
            EXPECT_NE(Json::text(row, "what"), "");
            EXPECT_GE(Json::number(row, "error_before"), 1e-2);
            EXPECT_LE(Json::number(row, "error_after"), 1e-12);
        }
    }
}

TEST(Verify, TellsTheStoryInWords)
{
    const Outcome outcome = recurve("verify curnn-blog");
    EXPECT_EQ(outcome.status, 0);
    EXPECT_CONTAINS(outcome.out, "right      1 - c^2");
    EXPECT_CONTAINS(outcome.out, "\nVerified: ");
}

} // namespace
