// Nets with the weights of PyTorch and Keras compute what PyTorch and Keras compute: weights/ has
// nets as they were saved, with inputs and outputs (weights.py).
#include <gtest/gtest.h>

#include <cmath>

#include "data/weights.h"
#include "tensor/safetensors.h"
#include "lang/lang.h"
#include "lang/zoo.h"
#include "models/models.h"
#include "tests/files.h"
#include "tests/reference.h"
#include "tests/tapes.h"

namespace {

/* Convolutions and square matrices, in the names of a text: K, b, V, c. */
const char *const images = R"(model torch_conv(n=2)
  input x[n, 1, 4, 4], y[n, 8]
  parameter a[2, 1, 1], b[2, 1, 1], c[8]
  k = tanh(conv(x, K1[2, _, 3, 3]) + a)
  l = tanh(conv(k, K2[2, _, 3, 3], padding=1) + b)
  output = flatten(l) @ V[_, 8] + c
  loss = mean_squared_error(output, y)

model keras_conv(n=2, T=3)
  input x[n, T, 1, 4, 4], y[n, 2]
  parameter a[3, 1, 1], b[2]
  h = unroll lstm(x, units=2, kernel=3)
  output = global_average_pool(conv(h, K[3, _, 3, 2]) + a) @ V[_, 2] + b
  loss = mean_squared_error(output, y)
)";

struct Case {
    const char *name, *model;
    int64_t units, layers;
    bool bidirectional, each_step;
    int64_t hidden, embedding, classes; /* classes: tokens, too; 0: numbers */
    std::vector<const char *> files;
    const char *map;
};

const Case cases[] = {
    {"torch_lstm", "lstm", 4, 2, true, true, 0, 0, 0, {"torch_lstm.safetensors"}, nullptr},
    {"torch_gru",
     "torch-gru",
     4,
     1,
     true,
     false,
     5,
     3,
     6,
     {"torch_gru_1.safetensors", "torch_gru_2.safetensors"},
     nullptr},
    {"torch_rnn", "rnn", 3, 1, false, false, 0, 0, 0, {"torch_rnn.safetensors"}, nullptr},
    {"torch_conv",
     nullptr,
     1,
     1,
     false,
     false,
     0,
     0,
     0,
     {"torch_conv.safetensors"},
     "K2=conv2.weight,a=conv1.bias,b=conv2.bias"},
    {"keras_lstm", "lstm", 4, 2, true, true, 0, 0, 0, {"keras_lstm.npz"}, nullptr},
    {"keras_gru", "torch-gru", 4, 2, false, false, 0, 0, 0, {"keras_gru.npz"}, nullptr},
    {"keras_gru_before", "gru", 3, 1, false, false, 0, 0, 0, {"keras_gru_before.npz"}, nullptr},
    {"keras_rnn", "rnn", 4, 1, false, false, 0, 0, 0, {"keras_rnn.npz"}, nullptr},
    {"keras_conv", nullptr, 1, 1, false, false, 0, 0, 0, {"keras_conv.npz"}, nullptr},
    {"keras_embedding", "lstm", 4, 1, false, false, 0, 3, 6, {"keras_embedding.npz"}, nullptr},
};

void PrintTo(const Case &c, std::ostream *out) { *out << c.name; }

class Import : public testing::TestWithParam<Case> {
  protected:
    Import()
        : expected_(std::string("tests/oracles/weights/") +
                    (name().rfind("torch", 0) == 0 ? "torch" : "keras") + ".safetensors"),
          texts_(rv_lang_read(images, strlen(images), "images", nullptr, nullptr))
    {
    }
    ~Import() override { rv_lang_free(texts_); }

    std::string name() const { return GetParam().name; }

    /* Records the net, and returns its output. */
    rv_var record(Tape &tape)
    {
        const Case &c = GetParam();
        const rv_shape x = expected_.shapes().at(name() + "/x"),
                       y = expected_.shapes().at(name() + "/y");
        rv_net_options o = {};
        o.rnn.units = c.units;
        o.rnn.layers = static_cast<int>(c.layers);
        o.rnn.bias = true;
        o.rnn.bidirectional = c.bidirectional;
        o.sequence = true;
        o.each_step = c.each_step;
        o.hidden = c.hidden;
        o.embedding = c.embedding;
        o.tokens = o.classes = c.classes;
        o.y = {y.rank - 1, {y.dim[1], y.dim[2]}};
        rv_error error = {};
        const rv_model *model =
            c.model ? rv_model_find(c.model) : rv_lang_model(texts_, c.name, &error);
        EXPECT_NE(model, nullptr) << error.text;
        const rv_var in = rv_input_typed(tape, "x", c.classes ? RV_I32 : RV_F64, x);
        const rv_var target = c.classes ? rv_input_typed(tape, "y", RV_I32, RV_SHAPE(x.dim[0]))
                                        : rv_input(tape, "y", y);
        const rv_var output = rv_model_record(model, &o, in, target).output;
        EXPECT_EQ(tape.code(), RV_OK) << tape.error();
        return output;
    }

    Reference expected_;
    rv_lang *texts_;
};

TEST_P(Import, ComputesWhatThePeerComputes)
{
    Tape tape;
    const rv_var output = record(tape);
    std::vector<std::string> files;
    std::vector<const char *> paths;
    for (const char *file : GetParam().files)
        files.push_back(std::string("tests/oracles/weights/") + file);
    for (const std::string &file : files) paths.push_back(file.c_str());
    rv_weights_options options = {};
    options.map = GetParam().map;
    rv_error error = {};
    ASSERT_TRUE(rv_weights_import(tape.store(), paths.data(), static_cast<int>(paths.size()),
                                  &options, &error))
        << error.text;
    Program program(tape, {output});
    program.set("x", expected_.f64(name() + "/x")).run();
    const Values y = expected_.f64(name() + "/y"), seen = program.values();
    ASSERT_EQ(seen.size(), y.size());
    for (size_t i = 0; i < y.size(); i++) EXPECT_NEAR(seen[i], y[i], 1e-6) << i;
}

INSTANTIATE_TEST_SUITE_P(Nets, Import, testing::ValuesIn(cases),
                         [](const auto &info) { return std::string(info.param.name); });

/* ---- what does not fit ---- */

struct Tensor {
    std::string name;
    rv_shape shape;
    double value = 0; /* of its elements; 0: its number in the file, from 1 */
};
using Tensors = std::vector<Tensor>;

Tensors operator+(Tensors a, const Tensors &b)
{
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

class Layers : public WithFolder {
  protected:
    ~Layers() override { rv_store_free(store_); }

    static Tensors torch(const std::string &prefix, int64_t rows, int64_t inputs, int64_t units)
    {
        return {{prefix + "weight_ih_l0", RV_SHAPE(rows, inputs)},
                {prefix + "weight_hh_l0", RV_SHAPE(rows, units)},
                {prefix + "bias_ih_l0", RV_SHAPE(rows)},
                {prefix + "bias_hh_l0", RV_SHAPE(rows)}};
    }
    static Tensors linear(const std::string &name, int64_t outputs, int64_t inputs)
    {
        return {{name + ".weight", RV_SHAPE(outputs, inputs)}, {name + ".bias", RV_SHAPE(outputs)}};
    }

    std::string file(const Tensors &tensors) const
    {
        std::vector<rv_named_tensor> named;
        rv_archive archive = {};
        for (const Tensor &t : tensors) {
            named.push_back({t.name.c_str(), {}});
            EXPECT_TRUE(rv_tensor_new(&named.back().tensor, RV_F64, t.shape, nullptr));
            rv_tensor_fill(&named.back().tensor,
                           t.value != 0 ? t.value : static_cast<double>(named.size()));
        }
        archive.tensors = named.data();
        archive.tensor_count = named.size();
        EXPECT_TRUE(rv_safetensors_write(path("w.safetensors").c_str(), &archive, nullptr));
        for (rv_named_tensor &t : named) rv_tensor_free(&t.tensor);
        return path("w.safetensors");
    }

    /* A net of parameters that are 0. */
    void net(const Tensors &parameters)
    {
        for (const Tensor &t : parameters)
            EXPECT_TRUE(rv_store_get(store_, t.name.c_str(), RV_PARAMETER, RV_F32, t.shape,
                                     rv_init_constant(0), nullptr));
    }
    static Tensors gates(const std::string &scope, const std::vector<std::string> &names,
                         int64_t inputs, int64_t units)
    {
        Tensors all;
        for (const std::string &g : names)
            all = all + Tensors{{scope + "W" + g, RV_SHAPE(units, units)},
                                {scope + "U" + g, RV_SHAPE(inputs, units)},
                                {scope + "b" + g, RV_SHAPE(units)}};
        return all;
    }
    Tensors lstm(const std::string &scope, int64_t inputs, int64_t units) const
    {
        return gates(scope, {"i", "f", "o", "z"}, inputs, units);
    }

    bool import(const std::string &from, const char *map = nullptr, bool partial = false)
    {
        const char *one = from.c_str();
        rv_weights_options o = {};
        o.map = map;
        o.partial = partial;
        error_ = {};
        return rv_weights_import(store_, &one, 1, &o, &error_);
    }

    /* Expects this error after the file's name, and that the net is as before. */
    void refused(rv_code code, const std::string &text, const std::string &from,
                 const char *map = nullptr, bool partial = false)
    {
        EXPECT_FALSE(import(from, map, partial));
        EXPECT_EQ(error_.code, code) << error_.text;
        const std::string name = "\"" + from + "\": ", seen = error_.text;
        EXPECT_EQ(seen.rfind(name, 0) == 0 ? seen.substr(name.size()) : seen, text);
        for (size_t i = 0; i < rv_store_count(store_); i++) {
            EXPECT_FALSE(rv_store_at(store_, i)->loaded);
            EXPECT_EQ(rv_tensor_get(&rv_store_at(store_, i)->tensor, 0), 0);
        }
    }

    double first(const std::string &name) const
    {
        return rv_tensor_get(&rv_store_find(store_, name.c_str())->tensor, 0);
    }

    rv_store *store_ = rv_store_new(1);
    rv_error error_ = {};
};

TEST_F(Layers, OfAnotherShapeAreRefused)
{
    net(lstm("", 3, 2));
    refused(RV_ERROR_FORMAT,
            "\"rnn.weight_ih_l0\" is [8,4]; expected [8,3], since \"Ui\" of the net is [3,2] and "
            "this is a PyTorch LSTM; the weights are for 4 input(s) and the net has 3: import with "
            "the data "
            "that "
            "they were trained on",
            file(torch("rnn.", 8, 4, 2)));
}

TEST_F(Layers, WithoutATensorAreRefused)
{
    net(lstm("", 3, 2));
    Tensors all = torch("rnn.", 8, 3, 2);
    all.pop_back();
    refused(RV_ERROR_FORMAT,
            "beside \"rnn.weight_ih_l0\" there is no \"bias_hh\" for \"lstm\" of the net, which a "
            "PyTorch "
            "LSTM has",
            file(all));
}

TEST_F(Layers, OfAnotherKindAreRefused)
{
    net(gates("", {"r", "u", "c"}, 3, 2));
    refused(RV_ERROR_NAME,
            "\"rnn.weight_ih_l0\" is a PyTorch GRU, which is the model torch-gru "
            "here; the "
            "net has \"Uu\" [3,2], ..",
            file(torch("rnn.", 6, 3, 2)));
    refused(RV_ERROR_NAME,
            "\"gru/gru_cell/kernel:0\" is a Keras GRU, which is the model torch-gru here; "
            "the net has \"Uu\" [3,2], ..",
            file({{"gru/gru_cell/kernel:0", RV_SHAPE(3, 6)},
                  {"gru/gru_cell/recurrent_kernel:0", RV_SHAPE(2, 6)},
                  {"gru/gru_cell/bias:0", RV_SHAPE(2, 6)}}));
}

TEST_F(Layers, ThatTheNetLacksAreRefusedUnlessPartial)
{
    net(lstm("", 3, 2) + Tensors{{"new/weight", RV_SHAPE(1, 2)}, {"new/bias", RV_SHAPE(1)}});
    const std::string from = file(torch("rnn.", 8, 3, 2) + linear("head", 7, 2));
    refused(
        RV_ERROR_FORMAT,
        "\"head.weight\" is [7,2]; expected [1,2], since \"new/weight\" of the net is [1,2] "
        "and "
        "this is a PyTorch linear or convolutional layer; the weights are for 7 output(s) and the "
        "net has 1: import with the data that they were trained on, or `partial` for a new head",
        from);
    refused(
        RV_ERROR_NAME,
        "nothing fits \"new/weight\" [1,2], .. of the net; the names are those of PyTorch "
        "(weight_ih_l0, weight, ..) or Keras (kernel, ..), and there is \"rnn.bias_hh_l0\" [8], "
        "\"rnn.bias_ih_l0\" [8], \"rnn.weight_hh_l0\" [8,2], \"rnn.weight_ih_l0\" [8,3]",
        file(torch("rnn.", 8, 3, 2)));
    EXPECT_TRUE(import(file(torch("rnn.", 8, 3, 2) + linear("head", 7, 2)), nullptr, true))
        << error_.text;
    EXPECT_EQ(first("Wf"), 2);
    EXPECT_EQ(first("bf"), 3 + 4);
    EXPECT_EQ(first("new/weight"), 0);
}

TEST_F(Layers, ThatAreLeftOverAreRefused)
{
    net({{"fc/weight", RV_SHAPE(1, 2)}, {"fc/bias", RV_SHAPE(1)}});
    const std::string from = file(linear("head", 1, 2) + Tensors{{"norm.gain", RV_SHAPE(2)}});
    refused(RV_ERROR_FORMAT,
            "the net has no layer for \"norm.gain\" [2]; use another net, or leave such tensors "
            "out with `partial`",
            from);
    refused(RV_ERROR_NAME,
            "nothing fits \"fc/weight\" [1,2], .. of the net; the names are those of PyTorch "
            "(weight_ih_l0, weight, ..) or Keras (kernel, ..), and there is \"norm.gain\" [2]",
            file({{"norm.gain", RV_SHAPE(2)}}), nullptr, true);
}

/* The message names the option that makes the net that of the files. */
TEST_F(Layers, OfAnotherNumberDirectionOrSizeNameTheOption)
{
    const Tensors one = torch("rnn.", 8, 3, 2);
    Tensors second, back;
    for (Tensor t : torch("rnn.", 8, 2, 2)) {
        t.name.back() = '1';
        second.push_back(t);
    }
    for (Tensor t : one) {
        t.name += "_reverse";
        back.push_back(t);
    }
    net(lstm("", 3, 2));
    refused(RV_ERROR_FORMAT,
            "\"rnn.weight_ih_l0\" is [16,3]; expected [8,3], since \"Ui\" of the net is [3,2] and "
            "this is a PyTorch LSTM; give the net `units` 4",
            file(torch("rnn.", 16, 3, 4)));
    refused(RV_ERROR_FORMAT,
            "the net has no layer for \"rnn.bias_hh_l1\" [8]; give the net `layers` 2, or leave "
            "such tensors out with `partial`",
            file(one + second));
    refused(RV_ERROR_FORMAT,
            "the net has no layer for \"rnn.bias_hh_l0_reverse\" [8]; give the net "
            "`bidirectional`, or leave such tensors out with `partial`",
            file(one + back));
    net(lstm("second/", 2, 2));
    refused(RV_ERROR_NAME,
            "nothing fits \"second/Ui\" [2,2], .. of the net; give the net `layers` 1", file(one));
    net(lstm("backward/", 3, 2));
    refused(RV_ERROR_NAME,
            "nothing fits \"backward/Ui\" [3,2], .. of the net; leave out `bidirectional`",
            file(one + second));
}

TEST_F(Layers, OfTheHeadNameTheOption)
{
    net({{"fc1/weight", RV_SHAPE(4, 2)}, {"fc1/bias", RV_SHAPE(4)}});
    refused(RV_ERROR_FORMAT,
            "\"a.weight\" is [5,2]; expected [4,2], since \"fc1/weight\" of the net is [4,2] and "
            "this is a PyTorch linear or convolutional layer; give the net `head-units` 5",
            file(linear("a", 5, 2) + linear("b", 1, 5)));
    net({{"fc2/weight", RV_SHAPE(1, 4)}, {"fc2/bias", RV_SHAPE(1)}});
    refused(RV_ERROR_FORMAT,
            "\"a.weight\" is [1,2]; expected [4,2], since \"fc1/weight\" of the net is [4,2] and "
            "this is a PyTorch linear or convolutional layer; give the net `head-units` 0",
            file(linear("a", 1, 2)));
}

/* Names what was found, what is random, and what is left out. */
TEST_F(Layers, ReportWhatOnlyOneSideHas)
{
    net(lstm("", 3, 2) + Tensors{{"new/weight", RV_SHAPE(1, 2)}, {"new/bias", RV_SHAPE(1)}});
    const std::string from = file(torch("rnn.", 8, 3, 2) + linear("head", 7, 2));
    const char *one = from.c_str();
    std::string seen;
    rv_weights_options o = {};
    o.partial = true;
    o.context = &seen;
    o.found = [](void *context, const rv_weights_found *found) {
        *static_cast<std::string *>(context) += std::to_string(found->what) + "; ";
        for (const char *text : {found->ours, found->kind, found->theirs})
            *static_cast<std::string *>(context) += std::string(text ? text : "-") + "; ";
    };
    EXPECT_TRUE(rv_weights_import(store_, &one, 1, &o, &error_)) << error_.text;
    EXPECT_EQ(seen, "0; lstm; PyTorch LSTM; rnn.weight_ih_l0; 1; new; -; -; 2; -; -; head.bias; "
                    "2; -; -; head.weight; ");
}

TEST_F(Layers, OfWhichSeveralFitNeedAMap)
{
    net({{"fc/weight", RV_SHAPE(1, 2)}, {"fc/bias", RV_SHAPE(1)}});
    const std::string from = file(linear("actor", 1, 2) + linear("critic", 1, 2));
    refused(
        RV_ERROR_NAME,
        "\"fc\" of the net may be \"actor.weight\" or \"critic.weight\"; say which, such as `map` "
        "fc=actor",
        from);
    refused(RV_ERROR_ARGUMENT, "`map`: got \"fc\"; expected OURS=THEIRS,..", from, "fc");
    refused(RV_ERROR_ARGUMENT, "`map`: the net has no layer \"fd\"; it has fc", from, "fd=actor");
    refused(RV_ERROR_NAME,
            "`map`: \"acto\" does not fit \"fc\" of the net: \"fc/weight\" [1,2], ..", from,
            "fc=acto");
    EXPECT_TRUE(import(from, "fc=critic", true)) << error_.text;
    EXPECT_EQ(first("fc/weight"), 3);
}

TEST_F(Layers, AreFoundByName)
{
    net({{"critic/weight", RV_SHAPE(1, 2)}, {"critic/bias", RV_SHAPE(1)}});
    net({{"actor/weight", RV_SHAPE(1, 2)}, {"actor/bias", RV_SHAPE(1)}});
    EXPECT_TRUE(import(file(linear("net.actor", 1, 2) + linear("net.critic", 1, 2))))
        << error_.text;
    EXPECT_EQ(first("actor/weight"), 1);
    EXPECT_EQ(first("critic/weight"), 3);
}

/* The tenth follows the second. */
TEST_F(Layers, AreFoundByNumber)
{
    net(lstm("layer0/", 2, 2) + lstm("layer1/", 2, 2) + lstm("layer2/", 2, 2));
    EXPECT_TRUE(
        import(file(torch("rnn10.", 8, 2, 2) + torch("rnn.", 8, 2, 2) + torch("rnn2.", 8, 2, 2))))
        << error_.text;
    EXPECT_EQ(first("layer0/Ui"), 5);
    EXPECT_EQ(first("layer1/Ui"), 9);
    EXPECT_EQ(first("layer2/Ui"), 1);
}

TEST_F(Layers, HaveFiniteWeightsInTheTypeOfTheNet)
{
    net(lstm("", 3, 2) + Tensors{{"fc/weight", RV_SHAPE(1, 2)}, {"fc/bias", RV_SHAPE(1)}});
    Tensors head = linear("head", 1, 2), rnn = torch("rnn.", 8, 3, 2);
    for (const double value : {1e300, -3.5e38}) {
        head[1].value = value;
        char text[32];
        snprintf(text, sizeof text, "%g", value);
        refused(RV_ERROR_NUMBER,
                "with \"head.bias\", \"fc/bias\" of the net has the value " + std::string(text) +
                    "; expected a finite f32; import with `dtype` f64",
                file(rnn + head));
    }
    head[1].value = 3.4e38;
    rnn[3].value = NAN;
    refused(RV_ERROR_NUMBER,
            "with \"rnn.bias_hh_l0\", \"bi\" of the net has the value nan; expected a finite f32; "
            "save weights from before the training diverged",
            file(rnn + head));
    rnn[3].value = rnn[2].value = 3e38; // each of them is finite
    refused(RV_ERROR_NUMBER,
            "with \"rnn.bias_hh_l0\", \"bi\" of the net has the value 6e+38; expected a finite "
            "f32; import with `dtype` f64",
            file(rnn + head));
    rnn[3].value = -3e38;
    EXPECT_TRUE(import(file(rnn + head))) << error_.text;
    EXPECT_EQ(first("fc/bias"), 3.4e38F);
}

/* A bias of images and others, which the same tensors fit. */
TEST_F(Layers, OfDifferentShapesAreFoundByNumber)
{
    net({{"a", RV_SHAPE(2, 1, 1)}, {"b", RV_SHAPE(2)}, {"c", RV_SHAPE(2)}});
    EXPECT_TRUE(import(file({{"conv1.bias", RV_SHAPE(2)},
                             {"conv2.bias", RV_SHAPE(2)},
                             {"conv3.bias", RV_SHAPE(2)}}),
                       "c=conv3"))
        << error_.text;
    EXPECT_EQ(first("a"), 1);
    EXPECT_EQ(first("b"), 2);
    EXPECT_EQ(first("c"), 3);
}

TEST_F(Layers, AreReadFromFilesOfTheseKinds)
{
    net({{"fc/weight", RV_SHAPE(1, 2)}, {"fc/bias", RV_SHAPE(1)}});
    refused(RV_ERROR_FORMAT,
            "\"model.pt\" is a Python pickle, which could run code, and is not read; save an .npz "
            "file: "
            "numpy.savez(FILE, **{k: v.cpu().numpy() for k, v in model.state_dict().items()})",
            "model.pt");
    refused(RV_ERROR_FORMAT,
            "\"model.weights.h5\" is HDF5, which is not read; save an .npz file: numpy.savez(FILE, "
            "**{w.path: w.numpy() for w in model.weights})",
            "model.weights.h5");
    refused(RV_ERROR_FORMAT, "\"model.index.json\" is a list of files; give these",
            "model.index.json");
    const std::string from = file(linear("a", 1, 2));
    const char *twice[] = {from.c_str(), from.c_str()};
    error_ = {};
    EXPECT_FALSE(rv_weights_import(store_, twice, 2, nullptr, &error_));
    EXPECT_NE(strstr(error_.text, "are the same tensor of a layer; leave one out"), nullptr)
        << error_.text;
}

} // namespace
