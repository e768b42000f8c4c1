// Google Benchmark of single kernels: programs of one instruction, at the shapes of the workloads
// and at some that show where a kernel changes its ways. `tools/dev bench --kernels
// --benchmark_filter=matmul`
#include <benchmark/benchmark.h>

#include <functional>
#include <string>
#include <vector>

#include "recurve.h"

namespace {

using Inputs = std::vector<rv_shape>;
using Record = std::function<rv_var(rv_tape *, const std::vector<rv_var> &)>;

// Runs record's program on inputs in 0.1 .. 1; the rate counts so many operations and bytes.
void run(benchmark::State &state, const Inputs &shapes, const Record &record, double operations)
{
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F32);
    std::vector<rv_var> inputs;
    for (size_t i = 0; i < shapes.size(); i++)
        inputs.push_back(rv_input(tape, ("x" + std::to_string(i)).c_str(), shapes[i]));
    rv_var out = record(tape, inputs);
    rv_program *program = rv_compile_with(tape, &out, 1, RV_VALUES);
    if (program == nullptr) {
        state.SkipWithError(rv_tape_error(tape)->text);
    } else {
        double bytes = 4.0 * static_cast<double>(rv_shape_count(rv_shape_of(out)));
        for (size_t i = 0; i < shapes.size(); i++) {
            rv_tensor *input = rv_program_input(program, ("x" + std::to_string(i)).c_str());
            if (input != nullptr) rv_init_fill(input, rv_init_uniform(0.1, 1), i);
            if (input != nullptr) bytes += static_cast<double>(rv_tensor_bytes(input));
        }
        for (auto _ : state) rv_run(program);
        using benchmark::Counter;
        if (operations > 0)
            state.counters["FLOP/s"] = Counter(operations, Counter::kIsIterationInvariantRate);
        state.counters["B/s"] = Counter(bytes, Counter::kIsIterationInvariantRate);
        state.counters["instructions"] =
            static_cast<double>(rv_program_statistics(program).instructions);
    }
    rv_program_free(program);
    rv_tape_free(tape);
    rv_store_free(store);
}

void add(const std::string &name, const Inputs &shapes, const Record &record, double operations)
{
    benchmark::RegisterBenchmark(
        name.c_str(), [=](benchmark::State &state) { run(state, shapes, record, operations); });
}

std::string text(rv_shape shape)
{
    char buffer[RV_SHAPE_TEXT];
    return rv_shape_text(shape, buffer);
}

// [m,k] [k,n]: a step's product, the gradient of its state, of its weights.
void add_matmuls()
{
    struct {
        int64_t m, n, k;
    } sizes[] = {{32, 256, 256},     {32, 512, 256}, {32, 768, 256}, {32, 1024, 256},
                 {1600, 512, 64},    {1, 32, 16},    {128, 32, 16},  {128, 128, 128},
                 {1024, 1024, 1024}, {1, 1024, 256}};
    for (auto s : sizes)
        for (int transposed = 0; transposed < 3; transposed++) {
            bool a = transposed == 1, b = transposed == 2;
            rv_shape left = a ? RV_SHAPE(s.k, s.m) : RV_SHAPE(s.m, s.k);
            rv_shape right = b ? RV_SHAPE(s.n, s.k) : RV_SHAPE(s.k, s.n);
            std::string name =
                "matmul/" + text(left) + (a ? "'" : "") + text(right) + (b ? "'" : "");
            add(
                name, {left, right},
                [=](rv_tape *, const std::vector<rv_var> &x) {
                    return rv_matmul(x[0], x[1], a, b);
                },
                2.0 * static_cast<double>(s.m * s.n * s.k));
        }
}

// The products of some time steps, [m,k] [k,n] each, with one B or with one A' of their own: their
// sum.
void add_shared_matmuls()
{
    enum { STEPS = 8 };
    struct {
        int64_t m, n, k;
        bool transpose_a;
    } sizes[] = {{32, 256, 256, false},
                 {32, 256, 64, false},
                 {256, 256, 32, true},
                 {64, 1024, 1024, false},
                 {1024, 1024, 64, true}};
    for (auto s : sizes) {
        rv_shape left = s.transpose_a ? RV_SHAPE(STEPS, s.k, s.m) : RV_SHAPE(STEPS, s.m, s.k);
        add(
            "matmul/shared/" + text(left) + (s.transpose_a ? "'" : "") + text(RV_SHAPE(s.k, s.n)),
            {left, RV_SHAPE(s.k, s.n)},
            [=](rv_tape *, const std::vector<rv_var> &x) {
                std::vector<rv_var> products;
                for (int step = 0; step < STEPS; step++) {
                    rv_var a = rv_reshape(rv_slice_axis(x[0], 0, step, 1),
                                          RV_SHAPE(left.dim[1], left.dim[2]));
                    products.push_back(rv_matmul(a, x[1], s.transpose_a, false));
                }
                return rv_add_all(products.data(), STEPS);
            },
            2.0 * STEPS * static_cast<double>(s.m * s.n * s.k));
    }
}

// x, w, and the ring of zeros around x: y, and the cotangents of x and w from dy.
void add_convolutions()
{
    struct {
        rv_shape x, w;
        int64_t ring;
    } sizes[] = {{RV_SHAPE(16, 32, 32, 32), RV_SHAPE(64, 32, 3, 3), 1},
                 {RV_SHAPE(16, 3, 32, 32), RV_SHAPE(64, 3, 3, 3), 1},
                 {RV_SHAPE(128, 1, 8, 8), RV_SHAPE(2, 1, 5, 5), 0},
                 {RV_SHAPE(1, 1, 8, 8), RV_SHAPE(2, 1, 5, 5), 0},
                 {RV_SHAPE(1, 1, 4, 4), RV_SHAPE(2, 1, 3, 3), 1},
                 {RV_SHAPE(16, 64, 32, 32), RV_SHAPE(64, 64, 3, 3), 1},
                 {RV_SHAPE(16, 64, 32, 32), RV_SHAPE(64, 64, 1, 1), 0}};
    static const char *const names[] = {"conv2d/", "conv2d_input_gradient/",
                                        "conv2d_weight_gradient/"};
    for (auto s : sizes)
        for (int what = 0; what < 3; what++) {
            rv_conv2d_options options = {};
            options.top = options.bottom = options.left = options.right = s.ring;
            rv_shape y = s.x;
            y.dim[1] = s.w.dim[0];
            for (int d = 2; d < 4; d++) y.dim[d] += 2 * s.ring - s.w.dim[d] + 1;
            auto record = [=](rv_tape *, const std::vector<rv_var> &x) {
                rv_var out = rv_conv2d(x[0], x[1], options);
                if (what > 0) rv_vjp(out, x[2], &x[static_cast<size_t>(what - 1)], 1, &out);
                return out;
            };
            add(names[what] + text(s.x) + text(s.w), {s.x, s.w, y}, record,
                2.0 *
                    static_cast<double>(rv_shape_count(y) * s.w.dim[1] * s.w.dim[2] * s.w.dim[3]));
        }
}

void add_pointwise()
{
    struct {
        const char *name;
        rv_var (*one)(rv_var);
        rv_var (*two)(rv_var, rv_var);
    } ops[] = {{"sigmoid", rv_sigmoid, nullptr},   {"tanh", rv_tanh, nullptr},
               {"exp", rv_exp, nullptr},           {"log", rv_log, nullptr},
               {"arctan", rv_arctan, nullptr},     {"softplus", rv_softplus, nullptr},
               {"sqrt", rv_sqrt, nullptr},         {"add", nullptr, rv_add},
               {"multiply", nullptr, rv_multiply}, {"divide", nullptr, rv_divide}};
    for (auto op : ops)
        for (int64_t size : {16, 8192, 1 << 20}) {
            auto record = [=](rv_tape *, const std::vector<rv_var> &x) {
                return op.one ? op.one(x[0]) : op.two(x[0], x[1]);
            };
            add(std::string(op.name) + "/" + std::to_string(size),
                Inputs(op.one ? 1 : 2, RV_SHAPE(size)), record, 0);
        }
}

} // namespace

int main(int argc, char **argv)
{
    add_matmuls();
    add_shared_matmuls();
    add_convolutions();
    add_pointwise();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
