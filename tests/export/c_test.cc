/* Nets as C: each cell of the zoo is compiled and run, and computes and learns what this library
 * does. */
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "export/c.h"
#include "lang/lang.h"
#include "lang/zoo.h"
#include "models/models.h"
#include "ops/ops.h"
#include "tests/files.h"

namespace {

/* A small net around a cell, to be exported. */
class Net {
  public:
    explicit Net(const rv_model *model) : store_(rv_store_new(3)), optimizer_(rv_adam(0.01))
    {
        options_.rnn.units = 4;
        options_.rnn.bias = true;
        options_.sequence = !model->images;
        options_.steps = 2;
        options_.hidden = 3;
        options_.classes = 2;
        net_.model = model;
        net_.options = &options_;
        net_.scale = 1;
        net_.optimizer = &optimizer_;
        net_.x = {RV_F32, model->images   ? RV_SHAPE(1, 8, 8)
                          : model->kernel ? RV_SHAPE(3, 2, 4, 4)
                                          : RV_SHAPE(4, 3)};
        net_.y = {RV_I32, RV_SCALAR};
    }
    ~Net()
    {
        rv_c_code_free(&code_);
        rv_store_free(store_);
    }
    rv_net_options &options() { return options_; }
    rv_exported_net &net() { return net_; }
    bool write()
    {
        rv_c_code_free(&code_);
        error_ = {};
        return rv_export_c(&net_, &how_, store_, &code_, &error_);
    }
    rv_c_options &how() { return how_; }
    const rv_c_code &code() const { return code_; }
    std::string error() const { return error_.text; }

  private:
    rv_store *store_;
    rv_optimizer optimizer_;
    rv_net_options options_ = {};
    rv_exported_net net_ = {};
    rv_c_options how_ = {};
    rv_c_code code_ = {};
    rv_error error_ = {};
};

class C : public WithFolder {
  protected:
    /* Compiles the files, without a warning, and runs the test among them, or another program. */
    template <typename Written>
    int run(const Written &net, const std::string &compiler = "cc -std=c99 -O0",
            const std::string &program = "")
    {
        file("net.h", net.code().header);
        file("net.c", net.code().source);
        file("net_test.c", program.empty() ? net.code().test : program);
        std::string command =
            "cd " + path("") + " && " + compiler +
            " -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror net.c "
            "net_test.c -lm -o net_test && ./net_test > log || { cat log; false; }";
        return std::system(command.c_str());
    }
};

const rv_model *find(const char *name) { return rv_model_find(name); }

TEST_F(C, of_each_cell_computes_and_learns_what_this_library_does)
{
    int cells = 0;
    for (int i = 0; i < rv_model_count(); i++) {
        const rv_model *model = rv_model_at(i);
        if (!model->step) continue; /* a whole net */
        Net net(model);
        ASSERT_TRUE(net.write()) << model->name << ": " << net.error();
        EXPECT_EQ(run(net), 0) << model->name;
        cells++;
    }
    EXPECT_GE(cells, 35);
}

/* Of the header, also with a long prefix. */
TEST_F(C, has_comments_of_at_most_100_characters)
{
    Net net(find("gru"));
    net.how().prefix = "a_prefix_of_thirty_one_letters_";
    ASSERT_TRUE(net.write()) << net.error();
    int comments = 0;
    std::istringstream in(net.code().header);
    for (std::string line; std::getline(in, line);) {
        if (line.rfind("/* ", 0) != 0 && line.rfind(" * ", 0) != 0) continue;
        EXPECT_LE(line.size(), 100u) << line;
        EXPECT_NE(line, " * */");
        comments++;
    }
    EXPECT_GT(comments, 5);
}

/* It takes more memory, but fewer operations, and is otherwise the same. */
TEST_F(C, keeps_values_for_the_gradient)
{
    for (const char *cell : {"curnn", "lstm", "slstm", "mamba", "conv-lstm"}) {
        Net net(find(cell));
        ASSERT_TRUE(net.write()) << net.error();
        const rv_c_code again = net.code();
        net.how().keep = true;
        ASSERT_TRUE(net.write()) << net.error();
        EXPECT_EQ(run(net), 0) << cell;
        EXPECT_LT(net.code().sample, again.sample) << cell;
        EXPECT_GT(net.code().memory, again.memory) << cell;
        EXPECT_EQ(net.code().memory_to_infer, again.memory_to_infer) << cell;
    }
}

TEST_F(C, of_nets_with_options_is_right_too)
{
    Net stacked(find("gru")); /* kept values of two layers, and of a head that reads no state */
    stacked.options().rnn.layers = 2;
    stacked.options().rnn.residual = stacked.options().each_step = true;
    stacked.net().y = {RV_I32, RV_SHAPE(4)};
    stacked.options().y = RV_SHAPE(4);
    stacked.how().keep = true;
    ASSERT_TRUE(stacked.write()) << stacked.error();
    EXPECT_EQ(run(stacked), 0);

    Net deep(find("lstm"));
    deep.options().rnn.layers = 3;
    deep.options().rnn.skip = deep.options().rnn.layer_norm = true;
    ASSERT_TRUE(deep.write()) << deep.error();
    EXPECT_EQ(run(deep), 0);

    Net residual(find("gru")); /* the head reads a sum, no state */
    residual.options().rnn.layers = 2;
    residual.options().rnn.residual = residual.options().rnn.learned_start = true;
    residual.options().each_step = true;
    residual.net().y = {RV_I32, RV_SHAPE(4)};
    residual.options().y = RV_SHAPE(4);
    ASSERT_TRUE(residual.write()) << residual.error();
    EXPECT_EQ(run(residual), 0);

    Net image(find("lstm")); /* the same x at each step */
    image.options().sequence = false;
    image.options().rnn.layers = 2;
    image.options().steps = 3;
    image.net().x = {RV_F32, RV_SHAPE(3)};
    ASSERT_TRUE(image.write()) << image.error();
    EXPECT_NE(std::string(image.code().source).find("prepare(net, x)"), std::string::npos);
    EXPECT_EQ(run(image), 0);

    Net tokens(find("ugrnn"));
    tokens.net().x = {RV_I32, RV_SHAPE(5)};
    tokens.options().tokens = 7;
    tokens.options().embedding = 3;
    tokens.options().classes = 4;
    ASSERT_TRUE(tokens.write()) << tokens.error();
    EXPECT_EQ(run(tokens), 0);
}

TEST_F(C, trains_with_every_optimizer)
{
    for (int i = 0; i < rv_optimizer_count(); i++) {
        Net net(find("curnn")); /* a convolutional net with a head of two layers */
        rv_optimizer optimizer = *rv_optimizer_at(i);
        optimizer.weight_decay = 0.1;
        optimizer.clip_norm = 0.5;
        net.net().optimizer = &optimizer;
        net.options().rnn.bias =
            false; /* the offset of its gate is not learned, and must not decay */
        if (std::string(optimizer.name) == "adafactor") {
            EXPECT_FALSE(net.write());
            EXPECT_NE(net.error().find("looks at a whole parameter"), std::string::npos);
            continue;
        }
        ASSERT_TRUE(net.write()) << optimizer.name << ": " << net.error();
        EXPECT_EQ(run(net), 0) << optimizer.name;
    }
}

/* A state that is drawn, and constants, are no parameters. */
void constant_step(rv_cell *k, rv_var x, rv_var *h)
{
    rv_cell_state(k, h, 0, RV_SHAPE(4), rv_init_uniform(-1, 1));
    rv_var sum = rv_cell_map(k, x, "U");
    for (int i = 0; i < 20; i++) sum = rv_add(sum, rv_scale(rv_sin(rv_scale(h[0], i + 1)), 0.1));
    h[0] = rv_tanh(sum); /* the gradient of h[0] is a sum of 20 terms */
}

TEST_F(C, leaves_constants_alone)
{
    rv_model model = {};
    model.name = "constant";
    model.step = constant_step;
    Net net(&model);
    rv_optimizer optimizer = rv_adamw(0.01, 0.5);
    net.net().optimizer = &optimizer;
    ASSERT_TRUE(net.write()) << net.error();
    EXPECT_EQ(run(net), 0);
}

TEST_F(C, has_no_undefined_behaviour_and_no_unused_parts)
{
    Net net(find("gru"));
    ASSERT_TRUE(net.write()) << net.error();
    EXPECT_EQ(run(net, "cc -std=c99 -O1 -fsanitize=address,undefined -fno-sanitize-recover"), 0);
    EXPECT_EQ(run(net, "cc -std=c99 -O1 -DNET_REAL=double"), 0);
    EXPECT_EQ(run(net, "cc -std=c99 -O2 -ffast-math"), 0);
    const bool has_clang = !std::system("command -v clang >/dev/null"); /* of tools/dev lint */
    if (has_clang) {
        EXPECT_EQ(run(net, "clang -std=c99 -O1"), 0);
    }
    const std::string in = "cd " + path("") + " && ";
    EXPECT_EQ(std::system(
                  (in + "echo '#include \"net.h\"' >sketch.cc && echo 'static net trained; "
                        "int main() { net_init(&trained); }' >>sketch.cc && cc -std=c99 -c "
                        "net.c && c++ -Wall -Wextra -Werror sketch.cc net.o -o sketch && ./sketch")
                      .c_str()),
              0);
    net.net().optimizer = nullptr;
    ASSERT_TRUE(net.write()) << net.error();
    EXPECT_EQ(run(net), 0);
    EXPECT_EQ(std::string(net.code().header).find("gradient"), std::string::npos);
}

/* The same parameter maps x and the state. */
void shared_step(rv_cell *k, rv_var x, rv_var *h)
{
    h[0] = rv_tanh(rv_add(rv_cell_map(k, h[0], "W"), rv_cell_map(k, x, "W")));
}

TEST_F(C, counts_the_gradient_of_a_shared_parameter_once)
{
    rv_model model = {};
    model.name = "shared";
    model.step = shared_step;
    Net net(&model);
    net.options().sequence = false;
    net.net().x = {RV_F32, RV_SHAPE(4)};
    ASSERT_TRUE(net.write()) << net.error();
    EXPECT_EQ(run(net), 0);
}

/* One equation of many operations. */
void deep_step(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var y = rv_add(rv_cell_map(k, h[0], "W"), rv_cell_map(k, x, "U"));
    rv_name(y, "*/ int end of a comment");
    for (int i = 0; i < 300; i++) y = i % 3 ? rv_sin(y) : rv_add(rv_scale(y, 0.7), y);
    h[0] = y;
}

TEST_F(C, of_a_long_equation_is_right)
{
    rv_model model = {};
    model.name = "*/ #error";
    model.step = deep_step;
    Net net(&model);
    ASSERT_TRUE(net.write()) << net.error();
    EXPECT_EQ(run(net), 0);
}

/* Learns, saves, learns on; loads, learns on: the same net. Then damages what was saved in each
 * way. */
const char *const saving = R"(
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "net.h"

static struct net net, before;
static uint8_t saved[NET_SAVE_BYTES], bytes[NET_SAVE_BYTES + 1], once[NET_SAVE_BYTES];

static void train(void)
{
    net_real x[NET_STEPS * NET_X], output[NET_OUTPUT];
    const int32_t y = 1;
    for (int i = 0; i < NET_STEPS * NET_X; i++) x[i] = (net_real)(i % 3) / 2;
    for (int i = 0; i < 3; i++) net_train(&net, x, &y, 1);
    net_step(&net, x, output);
}

static int refused(uint32_t count)
{
    memcpy(&before, &net, sizeof net);
    return !net_load(&net, bytes, count) && !memcmp(&before, &net, sizeof net);
}

/* Whether bytes with that change, and a checksum that is right, are refused. */
static int refused_with(uint32_t at)
{
    uint8_t *end = bytes + sizeof saved - 4;
    uint32_t c = 0xffffffff;
    memcpy(bytes, saved, sizeof saved);
    bytes[at] ^= 1;
    for (uint32_t i = 0; i < sizeof saved - 4; i++)
        for (int bit = 0; bit < 8; bit++) c = c >> 1 ^ ((c ^ bytes[i] >> bit) & 1 ? 0xedb88320 : 0);
    for (int i = 0; i < 4; i++) end[i] = (uint8_t)(~c >> 8 * i);
    return refused(sizeof saved);
}

int main(void)
{
    int wrong = sizeof net != MEMORY * sizeof(net_real) || NET_SAVE_BYTES != 20 + SAVED * sizeof(net_real);
    float first;
    net_init(&net);
    train();
    net_save(&net, saved);
    memcpy(&first, saved + 16, 4);
    wrong += first != (float)net.parameters.all[0];
    train();
    net_save(&net, once);
    wrong += !net_load(&net, saved, sizeof saved);
    train();
    net_save(&net, bytes);
    wrong += memcmp(once, bytes, sizeof once) != 0;
    wrong += memcmp(saved, bytes, sizeof saved) == 0;
    memcpy(bytes, saved, sizeof saved);
    for (uint32_t i = 0; i < sizeof saved; i++)
        for (int change = 1; change < 256; change++) {
            bytes[i] = (uint8_t)(saved[i] ^ change);
            wrong += !refused(sizeof saved);
            bytes[i] = saved[i];
        }
    for (uint32_t count = 0; count <= sizeof bytes; count++)
        wrong += count != sizeof saved && !refused(count);
    for (uint32_t i = 0; i < 16; i++) wrong += !refused_with(i);
    wrong += refused_with(16);
    FILE *file = fopen("other", "rb"); /* a net of the same sizes */
    if (file) {
        wrong += fread(bytes, 1, sizeof saved, file) != sizeof saved;
        fclose(file);
        wrong += !refused(sizeof saved);
    }
    file = fopen("other", "wb");
    wrong += !file || fwrite(saved, 1, sizeof saved, file) != sizeof saved || fclose(file);
    if (wrong) printf("%d wrong\n", wrong);
    return wrong;
}
)";

TEST_F(C, loads_what_it_saved_and_refuses_all_else)
{
    rv_model model = *find("rnn");
    for (const char *name : {"rnn", "elman"}) {
        model.name = name;
        Net net(&model);
        net.net().x.shape = RV_SHAPE(2, 1);
        net.options().rnn.units = 1;
        net.options().hidden = 0;
        ASSERT_TRUE(net.write()) << net.error();
        const rv_c_code trains = net.code();
        const std::string sizes = " -DMEMORY=" + std::to_string(trains.memory) +
                                  " -DSAVED=" + std::to_string(trains.saved);
        EXPECT_EQ(run(net, "cc -std=c99 -O2" + sizes, saving), 0) << name;
        const int64_t to_infer = trains.memory_to_infer;
        net.net().optimizer = nullptr;
        ASSERT_TRUE(net.write()) << net.error();
        EXPECT_EQ(net.code().memory, to_infer);
    }
    EXPECT_FALSE(slurp(path("other")).empty());
}

TEST_F(C, does_not_grow_with_the_number_of_steps)
{
    Net net(find("lstm"));
    size_t text[2] = {}, code[2] = {};
    for (int i = 0; i < 2; i++) {
        net.net().x.shape = RV_SHAPE(i ? 500 : 5, 3);
        ASSERT_TRUE(net.write()) << net.error();
        text[i] = std::string(net.code().source).size();
        file("net.h", net.code().header);
        file("net.c", net.code().source);
        const std::string in = "cd " + path("") + " && ";
        ASSERT_EQ(
            std::system((in + "cc -std=c99 -O2 -c net.c && size net.o | tail -1 > size").c_str()),
            0);
        code[i] = std::stoul(slurp(path("size")));
    }
    EXPECT_EQ(text[0], text[1]);
    EXPECT_GT(code[0], 1000u);
    EXPECT_NEAR(static_cast<double>(code[0]), static_cast<double>(code[1]), 64); /* constants */
}

/* The stack is that of a few functions, each of a few variables, however large the net is. */
TEST_F(C, is_clean_for_cppcheck_and_takes_little_stack)
{
    for (const char *cell : {"lstm", "curnn"}) {
        Net net(find(cell));
        rv_optimizer adam = rv_adam(0.01);
        adam.clip_norm = 1;
        net.net().optimizer = &adam;
        ASSERT_TRUE(net.write()) << net.error();
        EXPECT_EQ(run(net, "cc -std=c99 -O2 -fstack-usage"), 0);
        std::istringstream functions(slurp(path("net_test-net.su")) + slurp(path("net.su")));
        int count = 0, sum = 0, bytes;
        std::string name, kind;
        while (functions >> name >> bytes >> kind) {
            EXPECT_EQ(kind, "static") << name; /* known to the compiler */
            sum += bytes;
            count++;
        }
        EXPECT_GT(count, 5);
        EXPECT_LT(sum, 2048) << cell;
        /* no writable data, no allocation */
        const std::string object = "cd " + path("") + " && cc -std=c99 -O2 -c net.c && ";
        EXPECT_EQ(std::system((object + "size net.o | awk 'NR == 2 { exit $2 + $3 > 0 }'").c_str()),
                  0);
        EXPECT_NE(std::system((object + "nm -u net.o | grep -E 'alloc|free|print'").c_str()), 0);
        EXPECT_EQ(std::system(("cd " + path("") +
                               " && cppcheck -q --std=c99 --error-exitcode=1 net.c "
                               "--enable=warning,style,performance,portability 1>&2")
                                  .c_str()),
                  0)
            << cell;
    }
}

TEST_F(C, takes_a_name_and_refuses_what_is_none)
{
    Net net(find("rnn"));
    net.how().prefix = "cell_1";
    ASSERT_TRUE(net.write()) << net.error();
    EXPECT_NE(std::string(net.code().header).find("void cell_1_step(struct cell_1 *net"),
              std::string::npos);
    EXPECT_NE(std::string(net.code().source).find("#include \"cell_1.h\""), std::string::npos);
    for (const char *wrong :
         {"int", "", "1a", "a-b", "../x", "Net", "a234567890123456789012345678901234"}) {
        net.how().prefix = wrong;
        EXPECT_FALSE(net.write()) << wrong;
        EXPECT_NE(net.error().find("is not a valid C identifier"), std::string::npos)
            << net.error();
    }
}

TEST_F(C, of_nets_without_a_meaning_step_by_step_is_of_whole_sequences)
{
    Net both(find("gru"));
    both.options().rnn.bidirectional = true;
    both.options().rnn.units = 2;
    both.net().x.shape = RV_SHAPE(26, 1); /* sums of more terms than one expression has */
    ASSERT_TRUE(both.write()) << both.error();
    EXPECT_EQ(run(both), 0);
    EXPECT_STREQ(both.code().no_step, "a net that reads backward in time needs the whole sequence");
    EXPECT_EQ(std::string(both.code().header).find("net_step("), std::string::npos);

    Net pooled(find("lstm"));
    pooled.options().pool = true;
    pooled.net().x = {RV_I32, RV_SHAPE(3)};
    pooled.options().tokens = 2;
    pooled.options().embedding = 3;
    ASSERT_TRUE(pooled.write()) << pooled.error();
    EXPECT_EQ(run(pooled, "cc -std=c99 -O0 -fsanitize=address,undefined -fno-sanitize-recover"), 0);

    Net film(find("conv-lstm"));
    film.options().rnn.reverse = true;
    film.net().optimizer = nullptr;
    ASSERT_TRUE(film.write()) << film.error();
    EXPECT_EQ(run(film), 0);

    both.net().x.shape = RV_SHAPE(3000, 1);
    EXPECT_FALSE(both.write());
    EXPECT_NE(both.error().find("shorten its sequence"), std::string::npos) << both.error();
}

/* A model of a text, recorded as `recurve run` records it. */
class Text {
  public:
    Text(const std::string &text, const std::vector<const char *> &outputs)
        : lang_(rv_lang_read(text.data(), text.size(), "text.rv", nullptr, &error_)),
          store_(rv_store_new(5)), tape_(rv_tape_new(store_, RV_F32)),
          momentum_(rv_momentum(0.1, 0.9))
    {
        const rv_model *model = lang_ ? rv_lang_model(lang_, nullptr, &error_) : nullptr;
        recording_ = model ? rv_lang_record(model, tape_, nullptr) : nullptr;
        EXPECT_NE(recording_, nullptr) << rv_tape_error(tape_)->text << error_.text;
        std::vector<rv_var> vars;
        for (const char *name : outputs) vars.push_back(rv_lang_value_of(recording_, name));
        rv_exported_values values = {};
        values.name = "text";
        values.output_name = outputs.data();
        values.output = vars.data();
        values.outputs = static_cast<int>(outputs.size());
        values.loss = rv_lang_value_of(recording_, "loss");
        values.optimizer = &momentum_;
        done_ = recording_ && rv_export_c_values(&values, nullptr, &code_, &error_);
    }
    ~Text()
    {
        rv_c_code_free(&code_);
        rv_lang_recording_free(recording_);
        rv_tape_free(tape_);
        rv_store_free(store_);
        rv_lang_free(lang_);
    }
    bool done() const { return done_; }
    const rv_c_code &code() const { return code_; }
    std::string error() const { return error_.text; }

  private:
    rv_error error_ = {};
    rv_lang *lang_;
    rv_store *store_;
    rv_tape *tape_;
    rv_optimizer momentum_;
    rv_lang_recording *recording_ = nullptr;
    rv_c_code code_ = {};
    bool done_ = false;
};

TEST_F(C, of_a_text_has_its_inputs_and_outputs_by_name)
{
    Text two(R"(
model two(n=2)
  input x[n, 3], X[n, 3], int[n, 2], i[n, 2], sum2[n, 2], net[n, 2], kind[n] ~ integer(0, 1)
  a1 = x @ W[_, 4] + X @ U[_, 4]
  g = sigmoid(concat(a1, int . i, axis=1) @ V[_, 2]) + sum2 - net
  loss = softmax_cross_entropy(g, kind) + 0.1 . sum(a1^2)
)",
             {"g", "a1", "loss", "x", "a1"});
    ASSERT_TRUE(two.done()) << two.error();
    EXPECT_EQ(run(two), 0);
    EXPECT_NE(
        std::string(two.code().header)
            .find("void net_run(struct net *net, const net_real *x, const net_real *X_2, const "
                  "net_real *int_, const net_real *i_, const net_real *sum2_, const net_real "
                  "*net_, const int32_t *kind, net_real *g, net_real *a1_, net_real *loss_, "
                  "net_real *x_3, net_real *a1__2);"),
        std::string::npos)
        << two.code().header;

    Text names("model names\n  input tanh[2, 3], expf[2, 3], lanes[2, 3]\n"
               "  y = tanh(tanh) + exp(expf) + lanes\n",
               {"y"});
    ASSERT_TRUE(names.done()) << names.error();
    EXPECT_EQ(run(names), 0);

    Text filter("model filter\n  input x[8]\n  y = (x[1:8] + x[0:7]) / 2\n", {"y"});
    ASSERT_TRUE(filter.done()) << filter.error(); /* nothing to learn, nothing to save */
    EXPECT_EQ(run(filter), 0);
    EXPECT_EQ(std::string(filter.code().header).find("save"), std::string::npos);

    Text pooling(R"(
cell mine
  state h
  map W, U
  h' = tanh(W h + U x)
model film(n=1, T=30)
  input x[n, T, 1, 6, 6], y[n, T, 3]
  hs = unroll mine(stack(t from 1 to T: flatten(max_pool2d(x[:, t - 1], 2)), axis=1), units=3) all steps
  d = grad(sum(hs^2), W)
  loss = sum((hs - y)^2) + sum(d^2)
)",
                 {"hs", "d"});
    ASSERT_TRUE(pooling.done()) << pooling.error();
    EXPECT_EQ(run(pooling), 0);
}

TEST_F(C, of_a_text_names_the_op_that_has_no_loops)
{
    Text noise("model noise\n  input x[2]\n  y = x + random_uniform(x, shape=[2])\n", {"y"});
    EXPECT_FALSE(noise.done());
    EXPECT_NE(noise.error().find("the op random_uniform cannot be written as loops"),
              std::string::npos)
        << noise.error();
}

} // namespace
