/* A tape as a Graphviz graph: what is drawn, once each, and in which colour. */
#include <gtest/gtest.h>

#include <string>

#include "export/dot.h"
#include "ops/ops.h"
#include "optim/optim.h"
#include "tensor/memory.h"

namespace {

class Dot : public testing::Test {
  protected:
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F32);

    ~Dot() override
    {
        rv_tape_free(tape);
        rv_store_free(store);
    }

    std::string draw(rv_var output)
    {
        char *text = rv_dot(tape, &output, 1);
        EXPECT_NE(text, nullptr);
        const std::string result = text ? text : "";
        rv_free(text);
        return result;
    }

    rv_var parameter(const char *name)
    {
        return rv_parameter(tape, name, RV_SHAPE(2, 3), rv_init_uniform(-1, 1));
    }
};

int count(const std::string &text, const std::string &part)
{
    int found = 0;
    for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at++) found++;
    return found;
}

/* The line that makes the node of this label. */
std::string node(const std::string &text, const std::string &label)
{
    const size_t at = text.find("[label=\"" + label);
    EXPECT_NE(at, std::string::npos) << label << " in\n" << text;
    return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

/* The colour of that node's line, as of the legend's. */
std::string colour(const std::string &line)
{
    const size_t at = line.find("fillcolor=");
    return at == std::string::npos ? "" : line.substr(at, line.find(']', at) - at);
}

TEST_F(Dot, LabelsSayOpNameAndShape)
{
    const rv_var x = rv_input(tape, "x", RV_SHAPE(2, 3));
    const std::string text = draw(rv_name(rv_tanh(rv_multiply(x, parameter("w"))), "y"));
    EXPECT_EQ(text.find("digraph"), 0u);
    EXPECT_EQ(text.substr(text.size() - 2), "}\n");
    for (const char *label :
         {"x\\n[2,3]\"", "w\\n[2,3]\"", "multiply\\n[2,3]\"", "tanh\\ny\\n[2,3]\""})
        EXPECT_EQ(count(text, std::string("[label=\"") + label), 1) << text;
    EXPECT_EQ(count(text, " -> "), 3);
}

TEST_F(Dot, OnlyWhatTheOutputsAndAssignmentsNeed)
{
    const rv_var w = parameter("w"), unused = rv_exp(parameter("unused"));
    rv_assign(w, rv_negate(w));
    ASSERT_FALSE(rv_is_null(unused));
    const std::string text = draw(rv_sum(parameter("v"), RV_ALL_AXES, false));
    EXPECT_EQ(count(text, "unused"), 0);
    EXPECT_EQ(count(text, "[label=\"exp"), 0);
    EXPECT_EQ(count(text, "[label=\"negate"), 1);
    EXPECT_EQ(count(text, "[label=\"assign\\nw\\n"), 1);
}

TEST_F(Dot, PhasesHaveTheColoursOfTheLegend)
{
    const rv_var loss = rv_sum(rv_square(rv_tanh(parameter("w"))), RV_ALL_AXES, false);
    const std::string forward = draw(loss);
    EXPECT_EQ(count(forward, "label=\"forward\""), 1);
    EXPECT_EQ(count(forward, "label=\"gradient\""), 0);
    EXPECT_EQ(count(forward, "label=\"update\""), 0);

    ASSERT_TRUE(rv_minimize(loss, rv_sgd(0.1)));
    const std::string text = draw(loss);
    EXPECT_EQ(colour(node(text, "tanh")), colour(node(text, "forward\"")));
    EXPECT_EQ(colour(node(text, "assign")), colour(node(text, "update\"")));
    EXPECT_EQ(colour(node(text, "w\\n")), colour(node(text, "parameter")));
    EXPECT_GT(count(text, colour(node(text, "gradient\""))), 1);
    EXPECT_NE(colour(node(text, "gradient\"")), colour(node(text, "forward\"")));
    EXPECT_NE(colour(node(text, "update\"")), colour(node(text, "forward\"")));
}

TEST_F(Dot, AScopeThatOnlyBeginsLikeAPhaseIsForward)
{
    rv_scope_push(tape, "update_gate");
    const std::string text = draw(rv_exp(parameter("w")));
    rv_scope_pop(tape);
    EXPECT_EQ(count(text, "label=\"update\""), 0);
    EXPECT_EQ(count(text, "label=\"forward\""), 1);
}

TEST_F(Dot, EqualNumbersAreDrawnWhereTheyAreUsed)
{
    const rv_var w = parameter("w");
    const std::string text = draw(rv_multiply(rv_scale(w, 0.25), rv_scale(rv_exp(w), 0.25)));
    EXPECT_EQ(count(text, "[label=\"0.25\", shape=plaintext"), 2) << text;
}

TEST_F(Dot, OperandsAreToldApartWhereTheirOrderMatters)
{
    const rv_var v = parameter("v"), w = parameter("w");
    const std::string text = draw(rv_divide(rv_multiply(v, w), w));
    EXPECT_EQ(count(text, "headlabel=\"x\""), 1) << text;
    EXPECT_EQ(count(text, "headlabel=\"y\""), 1) << text;
}

TEST_F(Dot, NamesFromAnywhereAreEscaped)
{
    const std::string text = draw(rv_name(rv_exp(parameter("a \"b\" \\ c")), "]; }"));
    EXPECT_EQ(count(text, "a \\\"b\\\" \\\\ c\\n"), 1) << text;
}

/* Every line is a statement whose strings are closed, of visible characters, and without an entity
 * that a name wrote. */
TEST_F(Dot, NamesOfControlCharactersAndDamagedUtf8AreShown)
{
    const std::string name = "\x1b]52;c;aGk=\a\nforged;\xc2\x9b\xff\xce\"];\\N\\&lt;{}<b>";
    const std::string text = draw(rv_exp(rv_input(tape, name.c_str(), RV_SHAPE(2))));
    EXPECT_NE(text.find("\"\\\\x1b]52;c;aGk=\\\\x07\\\\x0aforged;\\\\u009b\\\\xff\\\\xce\\\"];"
                        "\\\\N\\\\&amp;lt;{}<b>\\n[2]\""),
              std::string::npos)
        << text;
    bool quoted = false;
    for (size_t i = 0; i < text.size(); i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        EXPECT_FALSE(quoted && text[i] == '\n') << text.substr(0, i);
        EXPECT_TRUE(text[i] == '\n' || (text[i] >= ' ' && text[i] < 127)) << text.substr(0, i);
    }
    EXPECT_FALSE(quoted);
}

TEST_F(Dot, ANullOutputDrawsNothing)
{
    const std::string text = draw(rv_var{tape, -1});
    EXPECT_EQ(text.find("digraph"), 0u);
    EXPECT_EQ(count(text, "[label="), 0);
}

} // namespace
