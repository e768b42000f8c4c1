/* onnx_cases FOLDER: writes nets as ONNX models, in each form and dtype, beside inputs and the
 * results of this library; and ops with their gradients. onnx_models.py runs the models and
 * compares. */
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "export/onnx/graph.h"
#include "ops/samples_internal.h"
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

void write_file(const std::string &path, const unsigned char *bytes, size_t size)
{
    std::FILE *file = std::fopen(path.c_str(), "wb");
    if (!file || std::fwrite(bytes, 1, size, file) != size || std::fclose(file)) std::exit(1);
}

/* Tensors to be written, copied when they are added. */
class Tensors {
  public:
    ~Tensors()
    {
        for (rv_named_tensor &t : tensors_) rv_tensor_free(&t.tensor);
    }
    void add(const std::string &name, const rv_tensor &from)
    {
        rv_tensor copy = {};
        check(rv_tensor_new(&copy, from.dtype, from.shape, &error_), name, error_);
        for (int64_t i = 0; i < rv_tensor_count(&copy); i++)
            rv_tensor_set(&copy, i, rv_tensor_get(&from, i));
        names_.push_back(name);
        tensors_.push_back({nullptr, copy});
    }
    void write(const std::string &path)
    {
        for (size_t i = 0; i < tensors_.size(); i++) tensors_[i].name = names_[i].c_str();
        rv_archive archive = {};
        archive.tensors = tensors_.data();
        archive.tensor_count = tensors_.size();
        check(rv_safetensors_write(path.c_str(), &archive, &error_), path, error_);
    }

  private:
    std::vector<std::string> names_;
    std::vector<rv_named_tensor> tensors_;
    rv_error error_ = {};
};

class Case {
  public:
    Case(const std::string &folder, const Net &net, rv_dtype dtype)
        : path_(folder + "/" + net.name + "." + rv_dtype_name(dtype)), net_(net), dtype_(dtype),
          store_(rv_store_new(3))
    {
    }
    ~Case() { rv_store_free(store_); }

    void write()
    {
        if (net_.steps()) {
            write_model(RV_ONNX_STEP, "step");
            write_model(RV_ONNX_SCAN, "scan");
        }
        write_model(RV_ONNX_UNROLLED, "unrolled");
        if (dtype_ == RV_F32) write_model(RV_ONNX_TRAINING, "training");
        compute();
        tensors_.write(path_ + ".safetensors");
    }

  private:
    std::string path_;
    const Net &net_;
    rv_dtype dtype_;
    rv_store *store_;
    rv_error error_ = {};
    Tensors tensors_;

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
        write_file(path_ + "." + name + ".onnx", bytes, size);
        rv_free(bytes);
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
        tensors_.add("x", *rv_program_input(values, "x"));
        tensors_.add("y", *rv_program_input(values, "y"));
        tensors_.add("output", *rv_program_output(values, 0));
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
        tensors_.add("losses", losses);
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

    for (const char *cell : {"rnn", "lstm", "gru", "torch-gru"}) {
        Net layers(std::string(cell) + "+layers", cell);
        layers.options.rnn.layers = 2;
        all.push_back(layers);
    }

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
    tokens.name = "ugrnn+one_hot";
    tokens.options.embedding = 0;
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

/* ---- ops ---- */

/* An op on one of its samples, with the gradients of what it computes. */
void write_sample(const std::string &folder, const rv_op *op, int number, rv_dtype dtype)
{
    const rv_sample *s = &op->samples[number];
    const std::string path =
        folder + "/" + op->name + "." + std::to_string(number) + ".op." + rv_dtype_name(dtype);
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, dtype);
    rv_var x[RV_SAMPLE_INPUTS];
    std::vector<rv_var> results = {rv_sample_record(tape, op, s, x)}, real;
    for (int k = 0; k < rv_sample_inputs(op, s); k++)
        if (!(s->integer >> k & 1)) real.push_back(x[k]);
    if (!real.empty() && rv_dtype_of(results[0]) != RV_I32) {
        std::vector<rv_var> gradient(real.size());
        rv_error none = {};
        if (rv_gradient(rv_project(results[0], 3, "y"), real.data(), static_cast<int>(real.size()),
                        gradient.data()))
            results.insert(results.end(), gradient.begin(), gradient.end());
        else
            rv_tape_take_error(tape, &none); /* an op without a gradient */
    }
    rv_program *program =
        rv_compile_with(tape, results.data(), static_cast<int>(results.size()), RV_VALUES);
    check(program, path, *rv_tape_error(tape));
    rv_onnx model = {};
    rv_onnx_graph graph;
    Tensors tensors;
    const size_t begin = rv_onnx_begin(&model, op->name, op->formula);
    rv_onnx_graph_make(&graph, &model, tape, 1, nullptr, 0);
    for (int k = 0; k < rv_sample_inputs(op, s); k++) {
        rv_tensor *input = rv_program_input(program, rv_sample_input_name(k));
        rv_sample_values(s, k, 7, input);
        tensors.add("x" + std::to_string(k), *input);
        rv_onnx_graph_input(&graph, x[k], rv_onnx_name(&model, "x%d", k), nullptr);
    }
    rv_run(program);
    std::vector<const char *> names;
    for (size_t i = 0; i < results.size(); i++) {
        names.push_back(rv_onnx_name(&model, "y%d", static_cast<int>(i)));
        rv_onnx_graph_want(&graph, results[i], names[i]);
        tensors.add(names[i], *rv_program_output(program, static_cast<int>(i)));
    }
    rv_onnx_graph_write(&graph);
    for (size_t i = 0; i < results.size(); i++)
        rv_onnx_graph_output(&graph, results[i], names[i], nullptr);
    size_t size = 0;
    unsigned char *bytes = rv_onnx_end(&model, begin, &size);
    check(bytes, path, model.error);
    write_file(path + ".onnx", bytes, size);
    tensors.write(path + ".safetensors");
    rv_free(bytes);
    rv_onnx_graph_free(&graph);
    rv_onnx_free(&model);
    rv_program_free(program);
    rv_tape_free(tape);
    rv_store_free(store);
}

/* Whether the sample is one that ONNX lacks: a matrix in the order that the compiler makes of it,
 * random numbers. */
bool is_lacking(const rv_op *op, const rv_sample *s)
{
    const std::string name = op->name;
    const bool packed = s->attr && (name == "matmul" || name == "matmul_add") &&
                        static_cast<const int64_t *>(s->attr)[2];
    return packed || name == "random_uniform";
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
    for (int i = 0; i < rv_op_count(); i++)
        for (int k = 0; k < rv_op_at(i)->sample_count; k++)
            for (rv_dtype dtype : {RV_F32, RV_F64})
                if (!rv_op_at(i)->samples[k].error &&
                    !is_lacking(rv_op_at(i), &rv_op_at(i)->samples[k]))
                    write_sample(argv[1], rv_op_at(i), k, dtype);
    return 0;
}
