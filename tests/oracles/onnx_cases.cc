/* onnx_cases FOLDER: writes nets as ONNX models, in each form and dtype, beside inputs and the results of this library.
 * onnx_models.py runs the models and compares. */
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "recurve.h"

namespace {

enum { BATCH = 5, UPDATES = 20 };

void check(bool good, const std::string &what, const rv_error &error)
{
    if (good) return;
    std::fprintf(stderr, "%s: %s\n", what.c_str(), error.text);
    std::exit(1);
}

/* A net around a cell, and what its data are like. */
struct Net {
    std::string name;
    const rv_model *model;
    rv_net_options options = {};
    rv_shape x = {}, y = {}; /* of a sample */
    rv_optimizer optimizer = rv_adam(0.01);

    Net(const std::string &called, const char *cell) : name(called), model(rv_model_find(cell))
    {
        options.rnn.units = 4;
        options.rnn.bias = true;
        options.sequence = !model->images;
        options.steps = 3;
        options.hidden = 3;
        options.classes = 2;
        x = model->images   ? RV_SHAPE(1, 8, 8)
            : model->kernel ? RV_SHAPE(3, 2, 4, 4)
                            : RV_SHAPE(4, 3);
        if (name == "update-gate") { /* a whole net, which says what its data are */
            options.classes = 0;
            x = RV_SHAPE(3, 1);
            y = options.y = RV_SHAPE(1);
        }
    }
    bool steps() const
    {
        const rv_rnn_options &rnn = options.rnn;
        return model->step && !rnn.bidirectional && !rnn.reverse && !options.pool;
    }
};

/* A net on a tape of its own, with inputs for a batch. */
struct Recorded {
    rv_tape *tape;
    rv_net net;
};

Recorded record(const Net &n, rv_store *store, rv_dtype dtype)
{
    rv_tape *tape = rv_tape_new(store, dtype);
    rv_shape x = {1, {BATCH}}, y = x;
    for (int64_t d = 0; d < n.x.rank; d++) x.dim[x.rank++] = n.x.dim[d];
    for (int64_t d = 0; d < n.y.rank; d++) y.dim[y.rank++] = n.y.dim[d];
    rv_net_options o = n.options;
    o.rnn.lengths = {tape, -1};
    const rv_dtype tokens = o.tokens ? RV_I32 : dtype, labels = o.classes ? RV_I32 : dtype;
    return {tape, rv_model_record(n.model, &o, rv_input_typed(tape, "x", tokens, x),
                                  rv_input_typed(tape, "y", labels, y))};
}

void fill(rv_tensor *x, int64_t below, unsigned seed)
{
    for (int64_t i = 0; i < rv_tensor_count(x); i++) {
        seed = seed * 1664525u + 1013904223u;
        const double u = (seed >> 8) * 0x1p-24;
        rv_tensor_set(x, i,
                      below ? static_cast<double>(static_cast<int64_t>(u * below)) : 2 * u - 1);
    }
}

class Case {
  public:
    Case(const std::string &folder, const Net &net, rv_dtype dtype)
        : path_(folder + "/" + net.name + "." + rv_dtype_name(dtype)), net_(net), dtype_(dtype),
          store_(rv_store_new(3))
    {
    }
    ~Case()
    {
        for (rv_tensor &t : kept_) rv_tensor_free(&t);
        rv_store_free(store_);
    }

    void write()
    {
        if (net_.steps()) {
            write_model(RV_ONNX_STEP, "step");
            write_model(RV_ONNX_SCAN, "scan");
        }
        write_model(RV_ONNX_UNROLLED, "unrolled");
        if (dtype_ == RV_F32) write_model(RV_ONNX_TRAINING, "training");
        compute();
        const rv_archive archive = {tensors_.data(), tensors_.size(), nullptr, 0};
        check(rv_safetensors_write((path_ + ".safetensors").c_str(), &archive, &error_), path_,
              error_);
    }

  private:
    std::string path_;
    const Net &net_;
    rv_dtype dtype_;
    rv_store *store_;
    rv_error error_ = {};
    std::vector<rv_named_tensor> tensors_;
    std::vector<rv_tensor> kept_;

    void write_model(rv_onnx_form form, const std::string &name)
    {
        rv_exported_net e = {};
        e.model = net_.model;
        e.options = &net_.options;
        e.x = {net_.options.tokens ? RV_I32 : dtype_, net_.x};
        e.y = {net_.options.classes ? RV_I32 : dtype_, net_.y};
        e.scale = 1;
        e.optimizer = &net_.optimizer;
        e.dtype = dtype_;
        const rv_onnx_options options = {form, form == RV_ONNX_TRAINING ? BATCH : 0};
        size_t size = 0;
        unsigned char *bytes = rv_export_onnx(&e, &options, store_, &size, &error_);
        check(bytes, path_ + " " + name, error_);
        std::FILE *file = std::fopen((path_ + "." + name + ".onnx").c_str(), "wb");
        if (!file || std::fwrite(bytes, 1, size, file) != size || std::fclose(file)) std::exit(1);
        rv_free(bytes);
    }

    void keep(const char *name, const rv_tensor &from)
    {
        rv_tensor copy = {};
        check(rv_tensor_new(&copy, from.dtype, from.shape, &error_), path_, error_);
        for (int64_t i = 0; i < rv_tensor_count(&copy); i++)
            rv_tensor_set(&copy, i, rv_tensor_get(&from, i));
        kept_.push_back(copy);
        tensors_.push_back({name, copy});
    }

    void compute()
    {
        const int64_t tokens = net_.options.tokens, classes = net_.options.classes;
        Recorded r = record(net_, store_, dtype_);
        rv_program *values = rv_compile_with(r.tape, &r.net.output, 1, RV_VALUES);
        check(values, path_, *rv_tape_error(r.tape));
        fill(rv_program_input(values, "x"), tokens, 1);
        fill(rv_program_input(values, "y"), classes, 2);
        rv_run(values);
        keep("x", *rv_program_input(values, "x"));
        keep("y", *rv_program_input(values, "y"));
        keep("output", *rv_program_output(values, 0));
        if (dtype_ == RV_F32) train(r);
        rv_program_free(values);
        rv_tape_free(r.tape);
    }

    void train(const Recorded &r)
    {
        rv_tensor losses = {};
        check(rv_tensor_new(&losses, RV_F64, RV_SHAPE(UPDATES), &error_), path_, error_);
        check(rv_minimize(r.net.loss, net_.optimizer), path_, *rv_tape_error(r.tape));
        rv_program *step = rv_compile(r.tape, &r.net.loss, 1);
        check(step, path_, *rv_tape_error(r.tape));
        fill(rv_program_input(step, "x"), net_.options.tokens, 1);
        fill(rv_program_input(step, "y"), net_.options.classes, 2);
        for (int i = 0; i < UPDATES; i++) {
            rv_run(step);
            rv_tensor_set(&losses, i, rv_value(step, 0));
        }
        keep("losses", losses);
        rv_tensor_free(&losses);
        rv_program_free(step);
    }
};

std::vector<Net> nets()
{
    std::vector<Net> all;
    for (int i = 0; i < rv_model_count(); i++)
        all.emplace_back(rv_model_at(i)->name, rv_model_at(i)->name);

    Net deep("lstm+layers+skip+layer_norm", "lstm");
    deep.options.rnn.layers = 3;
    deep.options.rnn.skip = deep.options.rnn.layer_norm = true;
    all.push_back(deep);

    Net each("gru+residual+learned_start+each_step", "gru"); /* the head reads a sum, no state */
    each.options.rnn.layers = 2;
    each.options.rnn.residual = each.options.rnn.learned_start = true;
    each.options.each_step = true;
    each.options.classes = 5;
    each.y = each.options.y = RV_SHAPE(4);
    all.push_back(each);

    Net last("gru+residual", "gru");
    last.options.rnn.layers = 2;
    last.options.rnn.residual = true;
    all.push_back(last);

    Net tokens("ugrnn+embedding", "ugrnn");
    tokens.x = RV_SHAPE(5);
    tokens.options.tokens = 7;
    tokens.options.embedding = 3;
    tokens.options.classes = 4;
    all.push_back(tokens);

    Net both("lstm+bidirectional+pool", "lstm");
    both.options.rnn.bidirectional = both.options.pool = true;
    all.push_back(both);

    Net numbers("conv_lstm+images+adafactor", "conv-lstm");
    numbers.options.classes = 0;
    numbers.y = numbers.options.y = RV_SHAPE(2, 4, 4);
    numbers.optimizer = *rv_optimizer_find("adafactor");
    all.push_back(numbers);

    for (int i = 0; i < rv_optimizer_count(); i++) {
        Net trained(std::string("ugrnn+") + rv_optimizer_at(i)->name, "ugrnn");
        trained.optimizer = *rv_optimizer_at(i);
        trained.optimizer.clip_norm = 0.5;
        all.push_back(trained);
    }
    return all;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: onnx_cases FOLDER\n");
        return 2;
    }
    for (const Net &net : nets())
        for (rv_dtype dtype : {RV_F32, RV_F64}) Case(argv[1], net, dtype).write();
    return 0;
}
