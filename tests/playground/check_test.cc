// What the page shows of a text: mistakes at their place, shapes, verdicts.
#include <chrono>
#include <map>
#include <vector>

#include "tests/playground/page.h"

namespace {

class Check : public testing::Test {
  protected:
    ~Check() override { page_close(); }
};

Answer ask(const std::string &name, const std::string &text, const std::string &more = "")
{
    return Answer(name, "{\"text\": " + as_json(text) + more + "}");
}

int size_of(const cJSON *list) { return cJSON_GetArraySize(list); }

const std::string mine = R"(cell mine
  state h
  map W, U
  g = sigmoid(W h + U x)
  h' = g.h + (1 - g).tanh(U x)
)";

TEST_F(Check, ProblemsHaveAPlaceAndAFix)
{
    // U+1D54F takes two UTF-16 units, as the page counts.
    const Answer answer = ask("check", "cell c\n  state h\n  𝕏é = x\n  h' = 𝕏é.tnah(x)\n");
    const cJSON *problems = answer.list("problems");
    ASSERT_EQ(size_of(problems), 1);
    const cJSON *p = cJSON_GetArrayItem(problems, 0);
    EXPECT_EQ(Answer::text(p, "message"), "there is no op or function \"tnah\"");
    EXPECT_EQ(Answer::text(p, "hint"), "did you mean \"tanh\"?");
    EXPECT_EQ(Answer::number(p, "line"), 4);
    EXPECT_EQ(Answer::number(p, "column"), 12);
    EXPECT_EQ(Answer::number(p, "length"), 4);
    const cJSON *fix = cJSON_GetArrayItem(cJSON_GetObjectItem(p, "fixes"), 0);
    EXPECT_EQ(Answer::text(fix, "text"), "tanh");
    EXPECT_EQ(Answer::number(fix, "column"), 12);
    EXPECT_EQ(Answer::number(fix, "length"), 4);
}

TEST_F(Check, NoTextBreaksACheck)
{
    for (const char *text :
         {"", "\n\n", "cell", "cell c", "cell c\n  state", "model m\n  y = x[", "#",
          "derive loss\n  dx = 1", "\xF0\x9D\x95", "cell c\n  state h\n  h' = "}) {
        const Answer answer = ask("check", text);
        EXPECT_NE(answer.list("problems"), nullptr) << text;
        ask("format", text);
        ask("prove", text);
    }
}

// name -> shape as text, of hints on a line.
std::map<std::string, std::string> shapes_on(const Answer &answer, int line)
{
    std::map<std::string, std::string> shapes;
    const cJSON *hint;
    cJSON_ArrayForEach(hint, answer.list("shapes"))
    {
        if (Answer::number(hint, "line") != line) continue;
        char *shape = cJSON_PrintUnformatted(cJSON_GetObjectItem(hint, "shape"));
        EXPECT_EQ(shapes.count(Answer::text(hint, "name")), 0u);
        shapes[Answer::text(hint, "name")] = shape;
        cJSON_free(shape);
    }
    return shapes;
}

TEST_F(Check, ShapesAreThoseOfTheModel)
{
    const Answer answer = ask("check", mine + R"(
model m(n=3, T=2)
  input x[n, T, 5], y[n, 1]
  h = unroll mine(x, units=7)
  output = h @ V[_, 1]
)");
    using Shapes = std::map<std::string, std::string>;
    EXPECT_EQ(shapes_on(answer, 4), (Shapes{{"g", "[3,7]"}}));
    EXPECT_EQ(shapes_on(answer, 8), (Shapes{{"x", "[3,2,5]"}, {"y", "[3,1]"}}));
    EXPECT_EQ(shapes_on(answer, 10)["output"], "[3,1]");
    EXPECT_EQ(shapes_on(answer, 0)["W"], "[7,7]");
}

TEST_F(Check, ShapesOfACellAreThoseOfANetAroundIt)
{
    EXPECT_EQ(shapes_on(ask("check", mine), 4)["g"], "[2,4]");
    EXPECT_EQ(shapes_on(ask("check", mine, R"(, "settings": {"units": "6"})"), 4)["g"], "[2,6]");
    const std::string images = "cell c\n  state h\n  a = conv(x, W[5, 5])\n  h' = a\n";
    EXPECT_EQ(shapes_on(ask("check", images), 3)["a"], "[2,1,4,4]");
    // A wrong cell has none; the one above it keeps its own.
    const Answer answer = ask("check", mine + "cell d\n  state h\n  h' = W h\n");
    EXPECT_EQ(size_of(answer.list("problems")), 1);
    EXPECT_EQ(shapes_on(answer, 4)["g"], "[2,4]");
    const cJSON *entries = answer.list("entries");
    ASSERT_EQ(size_of(entries), 2);
    EXPECT_EQ(Answer::text(cJSON_GetArrayItem(entries, 1), "name"), "d");
    EXPECT_EQ(Answer::text(cJSON_GetArrayItem(entries, 1), "kind"), "cell");
    EXPECT_EQ(Answer::number(cJSON_GetArrayItem(entries, 1), "line"), 6);
}

TEST_F(Check, FormatIsThatOfTheCommand)
{
    const Answer answer = ask("format", "cell   c\n    state h\n    h'=x+  1 # a\n");
    EXPECT_EQ(Answer::text(answer.result(), "text"), "cell c\n  state h\n  h' = x + 1  # a\n");
}

const std::string wrong = R"(model m(n=2)
  input x[n, 2], w[2]
  a = tanh(w.x)
  loss = sum(a.a)

derive loss "slips"
  da = 3.a
  dw = sum(da.(1 - a^2).x, axes=[0])
)";

TEST_F(Check, LinesGetVerdictsAndRepairs)
{
    const Answer answer = ask("prove", wrong, R"(, "repair": true, "seed": 1)");
    const cJSON *v, *found[2] = {};
    cJSON_ArrayForEach(v, answer.list("verdicts"))
    {
        if (cJSON_IsTrue(cJSON_GetObjectItem(v, "gradient"))) continue;
        found[Answer::number(v, "line") == 8] = v;
    }
    ASSERT_TRUE(found[0] && found[1]);
    EXPECT_EQ(Answer::text(found[0], "verdict"), "wrong");
    EXPECT_EQ(Answer::text(found[0], "name"), "da");
    EXPECT_EQ(Answer::text(found[0], "derivation"), "slips");
    EXPECT_NEAR(Answer::number(found[0], "ratio"), 1.5, 1e-6);
    EXPECT_NEAR(Answer::number(found[0], "cosine"), 1, 1e-9);
    EXPECT_EQ(Answer::text(found[0], "repair"), "da = 2.a");
    EXPECT_EQ(Answer::text(found[1], "verdict"), "right");
    const Answer refused = ask("prove", "model m\n  y = nothing\n");
    EXPECT_NE(refused.error().find("nothing"), std::string::npos);
}

// Work on a text ends, whatever it asks for.
TEST_F(Check, EndlessTextsAreStopped)
{
    const std::string loops = "cell c\n  state h\n  y[0] = h\n  for k from 1 to 100000\n"
                              "    y[k] = tanh(sum(i from 1 to 100000: y[k - 1]))\n"
                              "  h' = y[100000]\n";
    const std::string huge = "model m(n=200000)\n  input x[n, n]\n  loss = sum(x)\n";
    for (const std::string &text : {loops, huge}) {
        const auto start = std::chrono::steady_clock::now();
        const Answer answer = ask("check", text);
        EXPECT_GE(size_of(answer.list("problems")), 1);
        EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
    }
}

TEST_F(Check, TheCatalogueIsComplete)
{
    const Answer answer("catalogue", "{}");
    const cJSON *entry;
    EXPECT_EQ(size_of(answer.list("ops")), rv_op_count());
    EXPECT_EQ(size_of(answer.list("cells")), rv_model_count());
    EXPECT_EQ(size_of(answer.list("optimizers")), rv_optimizer_count());
    EXPECT_GE(size_of(answer.list("gallery")), 18);
    for (const char *list : {"cells", "gallery"}) {
        cJSON_ArrayForEach(entry, answer.list(list))
        {
            EXPECT_NE(Answer::text(entry, "doc"), "") << Answer::text(entry, "name");
            const Answer checked = ask("check", Answer::text(entry, "text"));
            EXPECT_EQ(size_of(checked.list("problems")), 0) << Answer::text(entry, "name");
        }
    }
}

} // namespace
