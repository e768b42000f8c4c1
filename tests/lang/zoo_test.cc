// The built-in texts: each is right, in canonical form, and the same program as the cell written in
// C.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/lang/cells_in_c.h"

namespace {

struct Options {
    const char *name;
    rv_rnn_options rnn;
};

// What a net of the cell costs, and its gradients and updates.
rv_hash hash_of(rv_store *store, rv_cell_step step, bool images, bool scalar,
                const rv_rnn_options &given, std::string *error)
{
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_rnn_options o = given;
    if (scalar) o.units = 1;
    const rv_shape shape = images     ? RV_SHAPE(2, 3, 1, 8, 8)
                           : scalar   ? RV_SHAPE(2, 3, 1)
                           : o.kernel ? RV_SHAPE(2, 3, 2, 5, 5)
                                      : RV_SHAPE(2, 3, 4);
    rv_var h = rv_unroll_sequence(step, rv_input(tape, "x", shape), o, nullptr);
    rv_var loss = rv_sum(rv_square(h), RV_ALL_AXES, false);
    rv_minimize(loss, rv_adam(1e-3));
    *error = rv_tape_error(tape)->text;
    const rv_hash hash = error->empty() ? rv_tape_hash(tape, &loss, 1, RV_DEFAULT) : rv_hash{0, 0};
    rv_tape_free(tape);
    return hash;
}

std::vector<Options> options()
{
    std::vector<Options> all(8);
    for (Options &o : all) {
        o.rnn.units = 3;
        o.rnn.bias = true;
    }
    all[0].name = "plain";
    all[1].name = "convolutions";
    all[1].rnn.kernel = 3;
    all[2].name = "without biases";
    all[2].rnn.bias = false;
    all[3].name = "normalized";
    all[3].rnn.layer_norm = true;
    all[4].name = "relu and another offset";
    all[4].rnn.activation = rv_relu;
    all[4].rnn.forget_shift = 0.5;
    all[5].name = "two layers both ways";
    all[5].rnn.layers = 2;
    all[5].rnn.bidirectional = true;
    all[5].rnn.name = "net";
    all[6].name = "dropout";
    all[6].rnn.dropout = all[6].rnn.recurrent_dropout = 0.1;
    all[7].name = "learned start, recomputed";
    all[7].rnn.learned_start = true;
    all[7].rnn.recompute = 2;
    return all;
}

TEST(Zoo, ATextIsTheSameProgramAsTheCellInC)
{
    for (const CellInC &cell : cells_in_c()) {
        rv_error error = {};
        const std::string path = std::string("models/") + cell.name + ".rv", name = cell.name;
        rv_lang *lang = rv_lang_load(path.c_str(), nullptr, &error);
        ASSERT_NE(lang, nullptr) << error.text;
        const rv_model *model = nullptr;
        for (int i = 0; i < rv_lang_model_count(lang); i++)
            if (!rv_lang_model_at(lang, i)->record) model = rv_lang_model_at(lang, i);
        ASSERT_NE(model, nullptr);
        for (Options &o : options()) {
            const bool images = name == "curnn" || name == "curnn_blog",
                       scalar = name == "update_gate";
            if (images && (o.rnn.layers > 1 || o.rnn.residual)) continue;
            if ((images || scalar) && o.rnn.kernel) continue;
            if (name == "curnn_blog") o.rnn.units = 1;
            std::string why, why_text, why_zoo;
            rv_store *store = rv_store_new(1);
            const rv_hash c = hash_of(store, cell.step, images, scalar, o.rnn, &why);
            const rv_hash zoo = hash_of(store, rv_zoo(cell.name), images, scalar, o.rnn, &why_zoo);
            o.rnn.user = model->user;
            const rv_hash text = hash_of(store, model->step, images, scalar, o.rnn, &why_text);
            EXPECT_EQ(why, "") << name << ", " << o.name;
            EXPECT_EQ(why_text, "") << name << ", " << o.name;
            EXPECT_EQ(why_zoo, "") << name << ", " << o.name;
            EXPECT_TRUE(c.low == text.low && c.high == text.high) << name << ", " << o.name;
            EXPECT_TRUE(zoo.low == text.low && zoo.high == text.high) << name << ", " << o.name;
            rv_store_free(store);
        }
        rv_lang_free(lang);
    }
}

// A cell inside a cell is rv_cell_inner in C: with the names of parameters, recurrent dropout and
// all options.
TEST(Zoo, ACellInsideACellIsTheSameProgramAsInC)
{
    const rv_cell_step highway = [](rv_cell *k, rv_var x, rv_var *h) {
        rv_states y = {};
        y.h[0] = h[0];
        rv_cell_inner(k, rv_zoo("gru"), nullptr, nullptr, x, &y);
        const rv_var t = rv_sigmoid(
            rv_cell_bias_from(k, rv_cell_map(k, h[0], "A"), "a", RV_SCALAR, rv_init_constant(-1)));
        h[0] = rv_lerp(h[0], y.h[0], t);
    };
    const rv_cell_step tower = [](rv_cell *k, rv_var x, rv_var *h) {
        rv_states low = {}, high = {};
        low.h[0] = h[0], low.h[1] = h[1], high.h[0] = h[2];
        rv_cell_inner(k, rv_zoo("lstm"), "low", nullptr, x, &low);
        rv_cell_inner(k, rv_zoo("gru"), "h2", nullptr, low.h[0], &high);
        h[0] = low.h[0], h[1] = low.h[1], h[2] = high.h[0];
    };
    const std::string text = "cell highway\n"
                             "  state h\n"
                             "  map A\n"
                             "  bias a = -1\n"
                             "  y = gru(x, h)\n"
                             "  t = sigmoid(A h + a)\n"
                             "  h' = t.y + (1 - t).h\n"
                             "cell tower\n"
                             "  state low, c, high\n"
                             "  map bz\n" // clashes
                             "  low', c' = lstm(x, low, c, name=\"low\")\n"
                             "  high' = gru(low', high, name=\"h2\")\n";
    rv_error error = {};
    rv_lang *lang = rv_lang_read(text.data(), text.size(), "inner", nullptr, &error);
    for (const auto &[name, step] : {std::pair<const char *, rv_cell_step>{"highway", highway},
                                     std::pair<const char *, rv_cell_step>{"tower", tower}}) {
        const rv_model *model = rv_lang_model(lang, name, &error);
        ASSERT_NE(model, nullptr) << error.text;
        for (Options &o : options()) {
            std::string why, why_text;
            rv_store *store = rv_store_new(1);
            const rv_hash c = hash_of(store, step, false, false, o.rnn, &why);
            o.rnn.user = model->user;
            const rv_hash t = hash_of(store, model->step, false, false, o.rnn, &why_text);
            EXPECT_EQ(why, "") << name << ", " << o.name;
            EXPECT_EQ(why_text, "") << name << ", " << o.name;
            EXPECT_TRUE(c.low == t.low && c.high == t.high) << name << ", " << o.name;
            rv_store_free(store);
        }
    }
    rv_lang_free(lang);
}

TEST(Zoo, TextsAreRightAndInCanonicalForm)
{
    for (int i = 0; i < rv_model_count(); i++) {
        const rv_model *model = rv_model_at(i);
        rv_error error = {};
        rv_lang *lang =
            rv_lang_read(model->text, std::strlen(model->text), model->name, nullptr, &error);
        ASSERT_NE(lang, nullptr) << error.text;
        rv_lang_check(lang);
        char *problems = rv_lang_problem_text(lang), *text = rv_lang_format(lang);
        EXPECT_STREQ(problems, "");
        EXPECT_STREQ(text, model->text);
        rv_free(problems);
        rv_free(text);
        rv_lang_free(lang);
    }
}

// What the table of models says of each besides its text is what the text says.
TEST(Zoo, TheTableAgreesWithTheTexts)
{
    for (int i = 0; i < rv_model_count(); i++) {
        const rv_model *model = rv_model_at(i);
        rv_error error = {};
        rv_lang *lang =
            rv_lang_read(model->text, std::strlen(model->text), model->name, nullptr, &error);
        ASSERT_NE(lang, nullptr) << error.text;
        const rv_model *text = nullptr; // the cell, or for a net of its own the model
        for (int k = 0; k < rv_lang_model_count(lang); k++) {
            const rv_model *m = rv_lang_model_at(lang, k);
            if (!text && !m->record == !model->record) text = m;
        }
        ASSERT_NE(text, nullptr) << model->name;
        EXPECT_EQ(text->kernel, model->kernel) << model->name;
        if (!model->record) {
            EXPECT_EQ(text->images, model->images) << model->name;
        }
        const bool usual = !model->state[0]; // "h" alone
        for (int s = 0; !model->record && s < RV_CELL_STATES; s++) {
            const char *table = usual && s == 0 ? "h" : model->state[s];
            EXPECT_STREQ(text->state[s], table) << model->name;
        }
        rv_lang_free(lang);
    }
}

// Every line of every derivation of a text is right.
void expect_right(rv_lang *lang)
{
    rv_error error = {};
    rv_lang_verdict *verdicts = nullptr;
    int count = 0;
    EXPECT_TRUE(rv_lang_prove(lang, nullptr, &verdicts, &count, &error)) << error.text;
    EXPECT_GT(count, 10);
    for (int i = 0; i < count; i++)
        EXPECT_EQ(verdicts[i].verdict, RV_RIGHT) << verdicts[i].name << ": " << verdicts[i].reason
                                                 << " " << verdicts[i].max_relative_error;
    rv_free(verdicts);
    rv_lang_free(lang);
}

TEST(Zoo, TheExamplesDerivationIsRight)
{
    rv_error error = {};
    rv_lang *lang = rv_lang_load("tools/examples/change_gate.rv", nullptr, &error);
    ASSERT_NE(lang, nullptr) << error.text;
    expect_right(lang);
}

TEST(Zoo, TheDocumentsExampleIsRight)
{
    std::ifstream file("docs/language.md");
    std::stringstream text;
    text << file.rdbuf();
    const size_t from = text.str().find("```\n") + 4, to = text.str().find("```\n", from);
    const std::string example = text.str().substr(from, to - from);
    rv_error error = {};
    rv_lang *lang = rv_lang_read(example.data(), example.size(), "language.md", nullptr, &error);
    ASSERT_NE(lang, nullptr) << error.text;
    expect_right(lang);
}

} // namespace
