/* Nets as ONNX models: each cell of the zoo, in each form, is a graph that obeys the rules of the
 * format. That the models compute what this library does is tested with other programs
 * (tests/oracles/onnx_models.py). */
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "export/onnx.h"
#include "export/onnx/protobuf.h"
#include "lang/zoo.h"
#include "ops/ops.h"

namespace {

/* A message: its fields by number, in order. Reads the wire format without the code under test. */
struct Message {
    std::map<int, std::vector<std::string>> text;
    std::map<int, std::vector<int64_t>> number;
    bool whole = true;

    Message() = default;
    explicit Message(const std::string &bytes)
    {
        for (size_t at = 0; at < bytes.size() && whole;) {
            const uint64_t key = varint(bytes, &at), value = varint(bytes, &at);
            const int field = static_cast<int>(key >> 3);
            if ((key & 7) == 0) {
                number[field].push_back(static_cast<int64_t>(value));
            } else {
                whole = whole && (key & 7) == 2 && value <= bytes.size() - at;
                if (!whole) return;
                text[field].push_back(bytes.substr(at, value));
                at += value;
            }
        }
    }
    std::string one(int field) const { return text.count(field) ? text.at(field).at(0) : ""; }
    int64_t integer(int field) const { return number.count(field) ? number.at(field).at(0) : 0; }
    std::vector<std::string> all(int field) const
    {
        return text.count(field) ? text.at(field) : std::vector<std::string>();
    }

  private:
    uint64_t varint(const std::string &bytes, size_t *at)
    {
        uint64_t value = 0;
        for (int shift = 0; *at < bytes.size() && shift < 64; shift += 7) {
            const auto byte = static_cast<unsigned char>(bytes[(*at)++]);
            value |= static_cast<uint64_t>(byte & 127) << shift;
            if (byte < 128) return value;
        }
        whole = false;
        return 0;
    }
};

/* The names of a graph's inputs or outputs, with their shapes: "h[batch,4]". */
std::vector<std::string> values(const Message &graph, int field)
{
    std::vector<std::string> names;
    for (const std::string &bytes : graph.all(field)) {
        const Message value(bytes);
        std::string text = value.one(1) + "[";
        for (const std::string &dim :
             Message(Message(Message(value.one(2)).one(1)).one(2)).all(1)) {
            const Message d(dim);
            if (text.back() != '[') text += ",";
            text += d.text.count(2) ? d.one(2) : std::to_string(d.integer(1));
        }
        names.push_back(text + "]");
    }
    return names;
}

/* The inputs that each op may have in opset 17, least and most; as far as this library writes
 * it. */
const std::map<std::string, std::pair<size_t, size_t>> arity = {
    {"Abs", {1, 1}},         {"Add", {2, 2}},           {"Atan", {1, 1}},
    {"Cast", {1, 1}},        {"Clip", {1, 3}},          {"Concat", {1, 9999}},
    {"Conv", {2, 3}},        {"ConvTranspose", {2, 3}}, {"Cos", {1, 1}},
    {"CumSum", {2, 2}},      {"Div", {2, 2}},           {"Equal", {2, 2}},
    {"Erf", {1, 1}},         {"Exp", {1, 1}},           {"Expand", {2, 2}},
    {"Floor", {1, 1}},       {"Gather", {2, 2}},        {"Gemm", {2, 3}},
    {"GRU", {4, 4}},         {"LSTM", {4, 4}},          {"RNN", {4, 4}},
    {"Squeeze", {2, 2}},     {"Identity", {1, 1}},      {"Less", {2, 2}},
    {"LessOrEqual", {2, 2}}, {"Log", {1, 1}},           {"MatMul", {2, 2}},
    {"Max", {2, 2}},         {"Min", {2, 2}},           {"Mul", {2, 2}},
    {"Neg", {1, 1}},         {"Pad", {2, 3}},           {"Pow", {2, 2}},
    {"ReduceMax", {1, 1}},   {"ReduceSum", {1, 2}},     {"Relu", {1, 1}},
    {"Reshape", {2, 2}},     {"Round", {1, 1}},         {"Scan", {1, 9999}},
    {"Shape", {1, 1}},       {"Sigmoid", {1, 1}},       {"Sign", {1, 1}},
    {"Sin", {1, 1}},         {"Slice", {4, 5}},         {"Softplus", {1, 1}},
    {"Sqrt", {1, 1}},        {"Sub", {2, 2}},           {"Sum", {1, 9999}},
    {"Tanh", {1, 1}},        {"Transpose", {1, 1}},     {"Unsqueeze", {2, 2}},
    {"Where", {3, 3}}};

/* Checks a graph, and the graphs in its nodes, which also see the values around them: each value
 * has a name of its own and is there before it is read. */
void check(const Message &graph, std::set<std::string> known, std::set<std::string> *taken)
{
    std::set<std::string> stored, used;
    auto define = [&](const std::string &name) {
        EXPECT_TRUE(known.insert(name).second) << name << " is defined twice";
        taken->insert(name);
    };
    for (const std::string &bytes : graph.all(5)) {
        const Message tensor(bytes);
        size_t size = tensor.integer(2) == 7 || tensor.integer(2) == 11 ? 8 : 4;
        if (tensor.number.count(1))
            for (int64_t dim : tensor.number.at(1)) size *= static_cast<size_t>(dim);
        EXPECT_EQ(tensor.one(9).size(), size) << tensor.one(8);
        stored.insert(tensor.one(8));
        define(tensor.one(8));
    }
    for (const std::string &input : graph.all(11))
        if (!stored.count(Message(input).one(1))) define(Message(input).one(1));
    for (const std::string &bytes : graph.all(1)) {
        const Message node(bytes);
        const std::string type = node.one(4);
        ASSERT_TRUE(node.whole && arity.count(type)) << type;
        EXPECT_GE(node.all(1).size(), arity.at(type).first) << type;
        EXPECT_LE(node.all(1).size(), arity.at(type).second) << type;
        for (const std::string &in : node.all(1)) {
            EXPECT_TRUE(known.count(in)) << type << " reads " << in << ", which is not there yet";
            used.insert(in);
        }
        for (const std::string &attribute : node.all(5))
            if (Message(attribute).text.count(6))
                check(Message(Message(attribute).one(6)), known, taken);
        for (const std::string &out : node.all(2)) {
            if (out.empty()) continue; /* left out */
            EXPECT_FALSE(taken->count(out)) << out << " is defined twice";
            define(out);
        }
    }
    for (const std::string &output : graph.all(12))
        EXPECT_TRUE(known.count(Message(output).one(1))) << Message(output).one(1);
}

/* A small net around a cell, to be exported. */
class Net {
  public:
    explicit Net(const rv_model *model) : store_(rv_store_new(3)), optimizer_(rv_adam(0.01))
    {
        options_.rnn.units = 4;
        options_.rnn.bias = true;
        options_.sequence = !model->images;
        options_.steps = 2;
        options_.classes = 2;
        net_.model = model;
        net_.options = &options_;
        net_.scale = 1;
        net_.optimizer = &optimizer_;
        net_.x = {RV_F32, model->images   ? RV_SHAPE(1, 8, 8)
                          : model->kernel ? RV_SHAPE(3, 2, 4, 4)
                                          : RV_SHAPE(3, 5)};
        net_.y = {RV_I32, RV_SCALAR};
    }
    ~Net() { rv_store_free(store_); }
    rv_net_options &options() { return options_; }
    rv_exported_net &net() { return net_; }

    bool write(rv_onnx_form form, int64_t batch = 0)
    {
        const rv_onnx_options o = {form, batch};
        size_t size = 0;
        error_ = {};
        unsigned char *bytes = rv_export_onnx(&net_, &o, store_, &size, &error_);
        bytes_.assign(reinterpret_cast<char *>(bytes), bytes ? size : 0);
        rv_free(bytes);
        return bytes;
    }
    size_t size() const { return bytes_.size(); }
    std::string error() const { return error_.text; }
    Message graph() const { return Message(Message(bytes_).one(7)); }
    std::vector<std::string> inputs() const { return values(graph(), 11); }
    std::vector<std::string> outputs() const { return values(graph(), 12); }

    /* The ops of the graph, with their first outputs: "Sigmoid r". */
    std::set<std::string> nodes() const
    {
        std::set<std::string> all;
        for (const std::string &node : graph().all(1))
            all.insert(Message(node).one(4) + " " + Message(node).one(2));
        return all;
    }
    void check_rules() const
    {
        const Message model(bytes_);
        std::set<std::string> taken;
        EXPECT_EQ(model.integer(1), 8);
        EXPECT_EQ(Message(model.one(8)).integer(2), 17);
        check(graph(), {}, &taken);
    }

  private:
    rv_store *store_;
    rv_optimizer optimizer_;
    rv_net_options options_ = {};
    rv_exported_net net_ = {};
    std::string bytes_;
    rv_error error_ = {};
};

using Names = std::vector<std::string>;

TEST(Onnx, of_each_cell_obeys_the_rules_in_each_form)
{
    int cells = 0;
    for (int i = 0; i < rv_model_count(); i++) {
        const rv_model *model = rv_model_at(i);
        if (!model->step) continue; /* a whole net */
        Net net(model);
        for (rv_onnx_form form : {RV_ONNX_STEP, RV_ONNX_SCAN, RV_ONNX_UNROLLED, RV_ONNX_TRAINING}) {
            ASSERT_TRUE(net.write(form)) << model->name << ": " << net.error();
            SCOPED_TRACE(std::string(model->name) + ", form " + std::to_string(form));
            net.check_rules();
        }
        cells++;
    }
    EXPECT_GE(cells, 35);
}

TEST(Onnx, of_a_step_has_states_in_and_out_under_their_names)
{
    Net lstm(rv_model_find("lstm"));
    ASSERT_TRUE(lstm.write(RV_ONNX_STEP)) << lstm.error();
    EXPECT_EQ(lstm.inputs(), (Names{"x[batch,5]", "h[batch,4]", "c[batch,4]"}));
    EXPECT_EQ(lstm.outputs(), (Names{"output[batch,1]", "h'[batch,4]", "c'[batch,4]"}));
    EXPECT_TRUE(lstm.nodes().count("Sigmoid f"));
    EXPECT_NE(lstm.graph().one(10).find("state h, c"), std::string::npos); /* the equations */

    lstm.options().rnn.layers = 2;
    lstm.options().rnn.learned_start = true;
    ASSERT_TRUE(lstm.write(RV_ONNX_STEP, 7)) << lstm.error();
    EXPECT_EQ(lstm.inputs(), (Names{"x[7,5]", "layer0/h[7,4]", "layer0/c[7,4]", "layer1/h[7,4]",
                                    "layer1/c[7,4]"}));
    EXPECT_EQ(lstm.outputs()[5], "layer0/h[0][7,4]"); /* where it starts */
}

TEST(Onnx, of_sequences_has_free_sizes_and_names_with_steps)
{
    Net gru(rv_model_find("gru"));
    ASSERT_TRUE(gru.write(RV_ONNX_SCAN)) << gru.error();
    EXPECT_EQ(gru.inputs(), (Names{"x[batch,time,5]"}));
    EXPECT_EQ(gru.outputs(), (Names{"output[batch,1]"}));
    ASSERT_TRUE(gru.write(RV_ONNX_UNROLLED)) << gru.error();
    EXPECT_EQ(gru.inputs(), (Names{"x[batch,3,5]"}));
    EXPECT_TRUE(gru.nodes().count("Tanh c[3]"));
    EXPECT_TRUE(gru.nodes().count("Gather x[2]"));
    size_t size[2];
    for (int64_t steps : {3, 500}) { /* the model does not grow */
        gru.net().x.shape = RV_SHAPE(steps, 5);
        gru.options().each_step = true;
        gru.net().y.shape = gru.options().y = RV_SHAPE(steps);
        ASSERT_TRUE(gru.write(RV_ONNX_SCAN)) << gru.error();
        EXPECT_EQ(gru.outputs(), (Names{"output[batch,time,1]"}));
        size[steps > 3] = gru.size();
    }
    EXPECT_EQ(size[0], size[1]);
}

/* What tokens are compared with is the same for each sample. */
TEST(Onnx, of_tokens_has_any_number_of_samples)
{
    for (int64_t embedding : {0, 2}) {
        Net gru(rv_model_find("gru"));
        gru.net().x = {RV_I32, RV_SHAPE(3)};
        gru.options().tokens = 5;
        gru.options().embedding = embedding;
        for (rv_onnx_form form : {RV_ONNX_STEP, RV_ONNX_SCAN, RV_ONNX_TRAINING, RV_ONNX_UNROLLED}) {
            ASSERT_TRUE(gru.write(form)) << gru.error();
            gru.check_rules();
        }
        EXPECT_EQ(gru.inputs(), (Names{"x[batch,3]"}));
    }
}

/* Numbers the samples: 0, 1, .. */
void numbered_step(rv_cell *k, rv_var x, rv_var *h)
{
    rv_tensor number = {};
    const int64_t samples = rv_shape_of(x).dim[0];
    ASSERT_TRUE(rv_tensor_new(&number, rv_tape_dtype(x.tape), RV_SHAPE(samples, 1), nullptr));
    for (int64_t i = 0; i < samples; i++) rv_tensor_set(&number, i, static_cast<double>(i));
    h[0] = rv_add(rv_cell_map(k, x, "U"), rv_multiply(h[0], rv_constant(x.tape, &number)));
    rv_tensor_free(&number);
}

/* Each sample has the same numbers, which depend on how many samples there are. */
void shared_step(rv_cell *k, rv_var x, rv_var *h)
{
    rv_tensor shares = {};
    rv_var z = rv_cell_map(k, x, "U");
    const rv_shape shape = rv_shape_of(z);
    ASSERT_TRUE(rv_tensor_new(&shares, rv_tape_dtype(x.tape), shape, nullptr));
    for (int64_t i = 0; i < rv_tensor_count(&shares); i++)
        rv_tensor_set(&shares, i,
                      static_cast<double>(1 + i % shape.dim[1]) /
                          static_cast<double>(shape.dim[0]));
    h[0] = rv_add(z, rv_multiply(h[0], rv_constant(x.tape, &shares)));
    rv_tensor_free(&shares);
}

/* Whether a net becomes this node, as a sequence. */
bool is_native(Net *net, const std::string &type)
{
    EXPECT_TRUE(net->write(RV_ONNX_SCAN)) << net->error();
    net->check_rules();
    for (const std::string &node : net->graph().all(1))
        if (Message(node).one(4) == type) return true;
    return false;
}

TEST(Onnx, of_a_cell_that_ONNX_has_is_its_node)
{
    const std::map<std::string, std::string> nodes = {{"rnn", "RNN"},
                                                      {"lstm", "LSTM"},
                                                      {"chrono-lstm", "LSTM"},
                                                      {"gru", "GRU"},
                                                      {"torch-gru", "GRU"}};
    for (int i = 0; i < rv_model_count(); i++) {
        const rv_model *model = rv_model_at(i);
        if (!model->step) continue;
        Net net(model);
        const bool has = nodes.count(model->name);
        EXPECT_TRUE(is_native(&net, has ? nodes.at(model->name) : "Scan")) << model->name;
    }
    Net deep(rv_model_find("lstm")), skip(rv_model_find("lstm"));
    deep.options().rnn.layers = skip.options().rnn.layers = 3;
    EXPECT_TRUE(is_native(&deep, "LSTM"));
    skip.options().rnn.skip = true; /* a layer that reads more than the one below */
    EXPECT_TRUE(is_native(&skip, "Scan"));
    deep.options().rnn.learned_start = true;
    EXPECT_TRUE(is_native(&deep, "Scan"));
    Net bias(rv_model_find("gru"));
    bias.options().rnn.bias = false;
    EXPECT_TRUE(is_native(&bias, "Scan"));
}

TEST(Onnx, of_a_training_step_returns_what_it_is_given)
{
    Net net(rv_model_find("ugrnn"));
    ASSERT_TRUE(net.write(RV_ONNX_TRAINING, 6)) << net.error();
    const Names in = net.inputs(), out = net.outputs();
    EXPECT_EQ(in[0], "x[6,3,5]");
    EXPECT_EQ(in[1], "y[6]");
    EXPECT_EQ(out[0], "loss[]");
    for (size_t i = 2; i < in.size(); i++) {
        std::string after = in[i];
        after.insert(after.find('['), "'");
        EXPECT_EQ(std::count(out.begin(), out.end(), after), 1) << after;
    }
    EXPECT_GE(in.size(), 3u * 8); /* parameters and two states of Adam */
}

TEST(Onnx, says_why_a_net_does_not_have_a_form)
{
    Net net(rv_model_find("gru"));
    net.options().rnn.bidirectional = true;
    EXPECT_FALSE(net.write(RV_ONNX_STEP));
    EXPECT_NE(
        net.error().find("ONNX: a net that reads backward in time needs the whole sequence, so it "
                         "cannot be computed step by step; use a cell in one direction, "
                         "without pool, or the form of the unrolled sequence"),
        std::string::npos)
        << net.error();
    EXPECT_TRUE(net.write(RV_ONNX_UNROLLED)) << net.error();
    net.net().optimizer = nullptr;
    EXPECT_FALSE(net.write(RV_ONNX_TRAINING));
    EXPECT_NE(net.error().find("without an optimizer"), std::string::npos) << net.error();
    EXPECT_FALSE(net.write(static_cast<rv_onnx_form>(4)));
    EXPECT_FALSE(net.write(RV_ONNX_UNROLLED, -1));
    net.net().dtype = RV_I32;
    EXPECT_FALSE(net.write(RV_ONNX_UNROLLED));
}

void random_step(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var noise = rv_random(x.tape, "noise", rv_shape_of(h[0]));
    h[0] = rv_add(rv_cell_map(k, x, "U"), rv_add(h[0], noise));
}

/* Divides by the number of samples. */
void mean_step(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var mean = rv_mean(rv_cell_map(k, x, "U"), 1, true);
    h[0] = rv_tanh(rv_add(mean, h[0]));
}

TEST(Onnx, names_an_op_that_it_lacks_and_samples_that_depend_on_each_other)
{
    rv_model model = {};
    model.name = "own";
    model.step = random_step;
    Net net(&model);
    EXPECT_FALSE(net.write(RV_ONNX_STEP));
    EXPECT_NE(net.error().find("the op \"random_uniform\" has no counterpart"), std::string::npos)
        << net.error();
    model.step = mean_step;
    EXPECT_FALSE(net.write(RV_ONNX_UNROLLED));
    EXPECT_NE(net.error().find("depends on the number of samples; set that with `batch-size`"),
              std::string::npos)
        << net.error();
    EXPECT_TRUE(net.write(RV_ONNX_UNROLLED, 4)) << net.error();
    net.check_rules();
    for (rv_cell_step step : {numbered_step, shared_step}) {
        model.step = step;
        EXPECT_FALSE(net.write(RV_ONNX_UNROLLED));
        EXPECT_NE(net.error().find("a constant depends on the number of samples"),
                  std::string::npos)
            << net.error();
        EXPECT_TRUE(net.write(RV_ONNX_UNROLLED, 4)) << net.error();
    }
}

/* Names that belong to others. */
void named_step(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var y = rv_name(rv_cell_map(k, x, "output"), "x");
    y = rv_name(rv_scale(y, 0.5), "0.5");
    h[0] = rv_name(rv_tanh(rv_add(y, rv_scale(h[0], 0.25))), "[1]\x1b\xff");
}

TEST(Onnx, gives_each_value_a_name_of_its_own)
{
    rv_model model = {};
    model.step = named_step;
    Net net(&model);
    for (rv_onnx_form form : {RV_ONNX_STEP, RV_ONNX_SCAN, RV_ONNX_UNROLLED, RV_ONNX_TRAINING}) {
        ASSERT_TRUE(net.write(form)) << net.error();
        net.check_rules();
    }
    for (const std::string &node : net.nodes()) EXPECT_EQ(node.find('\x1b'), std::string::npos);
}

TEST(Protobuf, reads_as_it_was_written)
{
    rv_protobuf p = {};
    const std::vector<int64_t> numbers = {0, 1, 127, 128, 16383, 16384, INT64_MAX, INT64_MIN, -1};
    for (int64_t n : numbers) rv_protobuf_integer(&p, 1, n);
    for (size_t size : {0, 1, 127, 128, 20000}) {
        const size_t outer = rv_protobuf_begin(&p, 20), inner = rv_protobuf_begin(&p, 3);
        rv_protobuf_text(&p, 2, std::string(size, 'x').c_str());
        rv_protobuf_end(&p, inner);
        rv_protobuf_end(&p, outer);
    }
    ASSERT_FALSE(p.failed);
    const Message message(std::string(reinterpret_cast<char *>(p.at), p.length));
    ASSERT_TRUE(message.whole);
    EXPECT_EQ(message.number.at(1), numbers);
    ASSERT_EQ(message.all(20).size(), 5u);
    EXPECT_EQ(Message(Message(message.all(20)[3]).one(3)).one(2), std::string(128, 'x'));
    EXPECT_EQ(Message(Message(message.all(20)[4]).one(3)).one(2), std::string(20000, 'x'));
    rv_free(p.at);
}

} // namespace
