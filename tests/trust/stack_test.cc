/* Nothing needs more than 256 KiB of stack: neither texts and files that nest everything that can
 * be nested, up to the limits and beyond, nor the rest of the public API. Reports the largest use.
 * RECURVE_NESTS sets the number of random texts; the default is 100. */
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "recurve.h"
#include "tests/files.h"
#include "tests/small_stack.h"
#include "tests/trust/main_job.h"

namespace {

std::string many(int count, const std::function<std::string(int)> &piece)
{
    std::string text;
    for (int i = 0; i < count; i++) text += piece(i);
    return text;
}

std::string many(int count, const std::string &piece)
{
    return many(count, [&](int) { return piece; });
}

std::string number(int i) { return std::to_string(i); }

class Stack : public WithFolder {
  protected:
    Stack()
    {
        const char *wanted = std::getenv("RECURVE_NESTS");
        rounds_ = wanted ? std::atoi(wanted) : 100;
    }

    /* Does the work with a small stack, and keeps the largest use of it. */
    void measure(const std::string &what, const std::function<void()> &work)
    {
        const size_t bytes = on_small_stack(work);
        if (bytes <= largest_) return;
        largest_ = bytes;
        of_ = what;
    }

    /* An eighth is left for the program that calls. */
    void TearDown() override
    {
        printf("largest stack: %zu bytes of %zu, of %s\n", largest_, SMALL_STACK, of_.c_str());
        EXPECT_LE(largest_, SMALL_STACK / 8 * 7);
        WithFolder::TearDown();
    }

    /* All that can be done with a text. Returns what is wrong with it. */
    static std::string read(const std::string &text, bool repair = false)
    {
        rv_error error = {};
        rv_lang *lang = rv_lang_read(text.data(), text.size(), "deep.rv", nullptr, &error);
        if (!lang) return error.text;
        rv_free(rv_lang_format(lang));
        rv_lang_check(lang);
        char *problems = rv_lang_problem_text(lang);
        std::string wrong = problems ? problems : "out of memory";
        rv_free(problems);
        for (int i = 0; wrong.empty() && i < rv_lang_model_count(lang); i++)
            run(*rv_lang_model_at(lang, i));
        rv_lang_proof_options options = {};
        options.repair = repair;
        options.seed = 1;
        rv_lang_verdict *verdicts = nullptr;
        int count = 0;
        if (wrong.empty()) rv_lang_prove(lang, &options, &verdicts, &count, &error);
        rv_free(verdicts);
        rv_lang_free(lang);
        return wrong;
    }

    static void run(const rv_model &model)
    {
        rv_store *store = rv_store_new(1);
        rv_tape *tape = rv_tape_new(store, RV_F32);
        rv_lang_recording *recording = rv_lang_record(&model, tape, nullptr);
        if (recording) {
            rv_var loss = rv_lang_value_of(recording, "loss");
            if (!rv_is_null(loss)) {
                rv_minimize(loss, rv_adam(0.1));
                rv_free(rv_dot(tape, &loss, 1));
                rv_program *program = rv_compile(tape, &loss, 1);
                int inputs = 0;
                const rv_named_tensor *input = rv_lang_inputs(recording, &inputs);
                for (int i = 0; program && i < inputs; i++)
                    rv_feed(program, input[i].name, &input[i].tensor, nullptr);
                if (program) rv_run(program);
                rv_program_free(program);
            }
        }
        rv_lang_recording_free(recording);
        rv_tape_free(tape);
        rv_store_free(store);
    }

    /* Expects that a text is right, or that it is refused for its depth. */
    std::string expect_read(const std::string &what, const std::string &text, bool right)
    {
        std::string wrong;
        measure(what, [&] { wrong = read(text); });
        EXPECT_EQ(wrong.empty(), right) << what << "\n"
                                        << wrong.substr(0, 600) << text.substr(0, 600);
        if (!right) {
            EXPECT_NE(wrong.find("nested"), std::string::npos) << what << "\n"
                                                               << wrong.substr(0, 600);
        }
        return wrong;
    }

    int rounds_;
    size_t largest_ = 0;
    std::string of_ = "none";
};

/* What can stand around an expression, a number or a matrix [1, 1], so that the result is one
 * again. Each production of the grammar that contains an expression is here. */
struct Wrap {
    const char *before, *after;
};
const std::vector<Wrap> matrices = {
    {"(", ")"},
    {"-", ""},
    {"tanh(", ")"},
    {"f(", ")"},
    {"g(", ")"},
    {"(", " + x)"},
    {"(x + ", ")"},
    {"(", " - x)"},
    {"x.", ""},
    {"(", ".x)"},
    {"(x / ", ")"},
    {"(x @ ", ")"},
    {"(", " @ x)"},
    {"x^", ""},
    {"(", ")^2"},
    {"(", ")'"},
    {"(", ")[0:1]"},
    {"x[0:size(", ", 0)]"},
    {"broadcast(x, shape=[1, size(", ", 1)])"},
    {"clamp(x, -1, size(", ", 0))"},
    {"sum(x, axes=[size(", ", 0)], keep=true)"},
    {"reshape(", ", shape=[1, 1])"},
    {"sum(t from 1 to 1: ", ")"},
    {"sum(t from 1 to size(", ", 0): x)"},
    {"(x.[[size(", ", 1)]])"},
    {"maximum(x, ", ")"},
    {"((1 - x).", " + x.x)"},
    {"sum(", ", axes=[0], keep=true)"},
};
const std::vector<Wrap> states = {{"W ", ""},     {"s(", ")"},      {"(", " + b)"}, {"p.(", ")"},
                                  {"tanh(", ")"}, {"(W h + ", ")"}, {"-", ""},      {"(", ")"}};
const int LIMIT = 200; /* LANG_DEEPEST */

std::string nest(const std::vector<Wrap> &wraps, const std::vector<size_t> &order, int depth)
{
    std::string before, after;
    for (int i = 0; i < depth; i++) {
        const Wrap &w = wraps[order[static_cast<size_t>(i) % order.size()]];
        before += w.before;
        after.insert(0, w.after);
    }
    return before + "x" + after;
}

std::string model_of(const std::string &value)
{
    return "function f(x) = exp(x)\nfunction g(x)\n  y = sigmoid(x)\n  return 2.y\n"
           "model m\n  input x[1,1]\n  parameter w[1,1]\n  y = " +
           value +
           "\n  loss = sum(y.w)\n"
           "derive loss\n  dy = " +
           value + "\n  dw = y\n";
}

std::string cell_of(const std::string &value)
{
    return "cell c\n  state h\n  map W\n  bias b\n  gain p\n  activation s = tanh\n  h' = h + " +
           value + "\nmodel m\n  input x[1,1]\n  h = unroll c(x) for 2 steps\n  loss = sum(h)\n";
}

/* The greatest depth at which a text is not refused for it, below `above`. */
int deepest(const std::function<std::string(int)> &text, int above)
{
    int low = 0;
    while (above - low > 1) {
        const int middle = (low + above) / 2;
        rv_error error = {};
        const std::string t = text(middle);
        rv_lang *lang = rv_lang_read(t.data(), t.size(), "deep.rv", nullptr, &error);
        rv_lang_check(lang);
        char *wrong = rv_lang_problem_text(lang);
        (strstr(wrong, "nested") ? above : low) = middle;
        rv_free(wrong);
        rv_lang_free(lang);
    }
    return low;
}

TEST_F(Stack, OfExpressions)
{
    const struct {
        const std::vector<Wrap> *wraps;
        std::string (*text)(const std::string &);
    } kinds[] = {{&matrices, model_of}, {&states, cell_of}};
    for (const auto &kind : kinds)
        for (size_t i = 0; i < kind.wraps->size(); i++) {
            const auto text = [&](int depth) { return kind.text(nest(*kind.wraps, {i}, depth)); };
            const std::string what =
                (*kind.wraps)[i].before + std::string("..") + (*kind.wraps)[i].after;
            expect_read(what, text(30), true);
            const int most = deepest(text, 2 * LIMIT);
            EXPECT_GE(most, 40) << what;
            measure(what, [&] { read(text(most)); });
            expect_read(what, text(most + 1), false);
            expect_read(what, text(10000), false);
        }
}

/* Brackets around long sums, whose trees are higher than they are deep in brackets, and all kinds
 * mixed. */
TEST_F(Stack, OfMixedExpressions)
{
    Lcg random;
    const auto below = [&](size_t bound) { return random.below(static_cast<unsigned>(bound)); };
    expect_read(
        "a triangle of sums",
        model_of(many(LIMIT, "(") + "x" + many(LIMIT, [](int i) { return many(i, "+x") + ")"; })),
        false);
    for (const char *chain : {"'", "[0:1]", "+x", ".x", "@x"})
        expect_read(chain, model_of(many(10, "(") + "x" + many(10, many(30, chain) + ")")), false);
    for (int round = 0; round < rounds_; round++) {
        const bool cell = below(4) == 0;
        const std::vector<Wrap> &wraps = cell ? states : matrices;
        std::vector<size_t> order;
        for (size_t n = 2 + below(4); n > 0; n--) order.push_back(below(wraps.size()));
        const auto text = [&](int depth) {
            return (cell ? cell_of : model_of)(nest(wraps, order, depth));
        };
        const int most = deepest(text, 2 * LIMIT);
        EXPECT_GE(most, 40) << text(3);
        measure("mixed expressions", [&] { read(text(most)); });
    }
}

std::string indented(int depth, const std::string &line)
{
    return std::string(static_cast<size_t>(depth), ' ') + line + "\n";
}

TEST_F(Stack, OfLoops)
{
    for (const char *lead : {"", "derive loss\n"}) {
        const bool derivation = *lead;
        const std::string head = std::string("model m\n  input x[1,1]\n  loss = sum(x)\n") + lead;
        const auto text = [&](int loops, int depth) {
            return head +
                   many(loops,
                        [](int i) {
                            return indented(i + 2, "for t" + number(i) + " from 1 to 1");
                        }) +
                   indented(loops + 2, std::string(derivation ? "let v = " : "v = ") +
                                           nest(matrices, {2}, depth));
        };
        expect_read("20 loops", text(20, 20), true);
        expect_read("loops", text(LIMIT - 5, 1), true);
        expect_read("loops and calls", text(LIMIT / 2, LIMIT / 2 - 5), true);
        expect_read("too many loops", text(LIMIT / 2, LIMIT / 2 + 5), false);
        expect_read("too many loops", text(LIMIT + 5, 1), false);
        expect_read("too many loops", text(1400, 1), false);
    }
}

/* Functions that call functions, whose bodies nest on their own. */
TEST_F(Stack, OfFunctions)
{
    for (size_t i = 0; i < matrices.size(); i++) {
        const Wrap &w = matrices[i];
        if (!strcmp(w.before, "f(") || !strcmp(w.before, "g(")) continue;
        for (const int inner : {1, 3, 20}) {
            const auto text = [&](int functions) {
                return many(functions,
                            [&](int k) {
                                const std::string call =
                                    k ? "c" + number(k - 1) + "(x)" : "tanh(x)";
                                return "function c" + number(k) +
                                       "(x)\n  y = " + nest(matrices, {i}, inner) + "\n  return " +
                                       w.before + call + w.after + "\n";
                            }) +
                       "model m\n  input x[1,1]\n  loss = sum(c" + number(functions - 1) + "(x))\n";
            };
            const std::string what = "functions of " + std::string(w.before);
            expect_read(what, text(20), true);
            expect_read(what, text(inner == 1 ? 900 : 250), false);
            const int most = deepest(text, LIMIT + 50);
            measure(what, [&] { read(text(most)); });
        }
    }
}

/* Cells inside cells. */
TEST_F(Stack, OfCells)
{
    const auto text = [&](int cells) {
        return many(cells,
                    [&](int k) {
                        return "cell c" + number(k) + "\n  state h\n  map W" + number(k) +
                               "\n  y = " + (k ? "c" + number(k - 1) + "(x, h)" : "tanh(h)") +
                               "\n  h' = tanh(y + W" + number(k) + " x)\n";
                    }) +
               "model m\n  input x[1,1]\n  h = unroll c" + number(cells - 1) +
               "(x) for 2 steps\n  loss = sum(h)\n";
    };
    expect_read("cells", text(20), true);
    expect_read("cells", text(400), false);
    const int most = deepest(text, LIMIT + 50);
    EXPECT_GT(most, 30);
    measure("cells", [&] { read(text(most)); });
}

/* Aliases of cells, and files that include files, the last of which nests as deeply as it may. */
TEST_F(Stack, OfFiles)
{
    const std::string deep = model_of(nest(matrices, {2}, LIMIT - 4));
    for (const int files : {10, 16, 17, 40}) {
        for (int i = 0; i < files; i++)
            file(number(i) + ".rv", "include \"" + number(i + 1) + ".rv\"\nmodel n" + number(i) +
                                        "\n  input x[1,1]\n  loss = sum(" +
                                        nest(matrices, {2}, LIMIT - 4) + ")\n");
        file(number(files) + ".rv", deep);
        measure("files", [&] {
            rv_error error = {};
            rv_lang *lang = rv_lang_open(path("0.rv").c_str(), nullptr, &error);
            ASSERT_NE(lang, nullptr) << error.text;
            EXPECT_EQ(rv_lang_check(lang), files < 17);
            rv_lang_free(lang);
        });
    }
    for (const int aliases : {90, 3000})
        measure("aliases", [&] {
            read("cell a0\n  state h\n  h' = tanh(h + x)\n" +
                 many(aliases,
                      [](int i) {
                          return "cell a" + number(i + 1) + " = a" + number(i) + "(layers=1)\n";
                      }) +
                 "model m\n  input x[1,1]\n  h = unroll a" + number(aliases) +
                 "(x) for 2 steps\n  loss = sum(h)\n");
        });
}

/* Long lists are no depth. */
TEST_F(Stack, OfLongLists)
{
    const std::string list = "[" + many(20000, "1,") + "1]";
    for (const std::string &line :
         {"let a = sum(" + list + " - " + list + ")\n  dy = 2.a", "dy = sum(" + list + ").x",
          "dy = x.sum(" + list + ").(1 - sum(" + list + "))",
          std::string("dy = 2.concat(") + many(60, "x, ") + "x)",
          std::string("let a = 3.x\n") + many(300, [](int i) {
              return "  let a" + number(i) + " = " + (i ? "a" + number(i - 1) : "a") + " + 1.x\n";
          }) + "  dy = a299"})
        measure("lists", [&] {
            read("model m\n  input x[2]\n  y = tanh(x)\n  loss = sum(y)\nderive loss\n  " + line +
                     "\n",
                 true);
        });
    measure("arguments", [&] {
        read("function f(" + many(4000, [](int i) { return "a" + number(i) + ","; }) + "b) = b\n" +
             "model m\n  input x[2]\n  loss = sum(f(" + many(4000, "1,") + "x))\n");
    });
}

/* One equation of many operations, with reshapes between them. */
void deep_step(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var y = rv_add(rv_cell_map(k, h[0], "W"), rv_cell_map(k, x, "U"));
    const rv_shape shape = rv_shape_of(y);
    const int64_t one[] = {0, 1}, less[] = {0, -1};
    for (int i = 0; i < 300; i++) {
        y = i % 3 == 0   ? rv_pad(rv_pad(y, one, less, nullptr), less, one, nullptr)
            : i % 3 == 1 ? rv_reshape(rv_transpose(rv_reshape(y, RV_SHAPE(3, -1)), nullptr), shape)
                         : rv_sin(rv_add(y, x));
    }
    h[0] = y;
}

TEST_F(Stack, OfNetsAsCAndOnnx)
{
    measure("a net as C and as ONNX", [] {
        rv_model model = {};
        model.name = "deep";
        model.step = deep_step;
        rv_net_options o = {};
        o.rnn.units = 6;
        o.sequence = true;
        o.y = RV_SHAPE(1);
        const rv_optimizer optimizer = rv_adam(0.01);
        rv_exported_net net = {};
        net.model = &model;
        net.options = &o;
        net.x = {RV_F32, RV_SHAPE(3, 6)};
        net.y = {RV_F32, RV_SHAPE(1)};
        net.scale = 1;
        net.optimizer = &optimizer;
        rv_error error = {};
        rv_c_code code = {};
        rv_store *store = rv_store_new(1);
        EXPECT_TRUE(rv_export_c(&net, nullptr, store, &code, &error)) << error.text;
        rv_c_code_free(&code);
        for (rv_onnx_form form : {RV_ONNX_SCAN, RV_ONNX_TRAINING}) {
            const rv_onnx_options options = {form, 1};
            size_t size = 0;
            unsigned char *bytes = rv_export_onnx(&net, &options, store, &size, &error);
            EXPECT_NE(bytes, nullptr) << error.text;
            rv_free(bytes);
        }
        rv_store_free(store);
    });
}

TEST_F(Stack, OfJson)
{
    for (const int depth : {1, 15, 16, 17, 999, 1001, 100000})
        for (const char *bracket : {"[", "{\"a\":"}) {
            const std::string close(static_cast<size_t>(depth), *bracket == '[' ? ']' : '}');
            const std::string value = many(depth, bracket) + (*bracket == '[' ? "" : "1") + close;
            const std::string json = "{\"dropout\":" + value + "}";
            const std::string header = "{\"x\":" + value + "}";
            const uint64_t size = header.size();
            const std::string whole = file(
                "deep.safetensors", std::string(reinterpret_cast<const char *>(&size), 8) + header);
            measure("a configuration", [&] {
                rv_error error = {};
                rv_train_config config = rv_train_config_new();
                EXPECT_FALSE(rv_train_config_parse(&config, json.c_str(), "c.json", &error));
                EXPECT_EQ(!strstr(error.text, "nested"), depth < 16) << error.text;
                rv_train_config_free(&config);
            });
            measure("safetensors", [&] {
                rv_error error = {};
                rv_store *store = rv_store_new(1);
                EXPECT_FALSE(rv_store_load(store, whole.c_str(), &error));
                EXPECT_EQ(!strstr(error.text, "nested"), depth < 16) << error.text;
                rv_store_free(store);
            });
        }
}

/* Data files with headers that nest. */
TEST_F(Stack, OfData)
{
    for (const char *bracket : {"(", "[", "{", "'", "\"", "{'descr':", "-"})
        for (const int depth : {10, 10000}) {
            std::string header = "{'descr': " + many(depth, bracket);
            header.resize(std::max<size_t>(header.size(), 118), ' ');
            header += "\n";
            const uint32_t size = static_cast<uint32_t>(header.size());
            const std::string npy = file(
                "deep.npy", "\x93NUMPY\x02" + std::string(1, '\0') +
                                std::string(reinterpret_cast<const char *>(&size), 4) + header);
            const std::string csv =
                file("deep.csv", many(depth, bracket) + "," + many(depth, bracket) + "\n1,2\n");
            measure("npy", [&] {
                rv_error error = {};
                rv_source source = {};
                EXPECT_FALSE(rv_source_npy(&source, npy.c_str(), npy.c_str(), nullptr, &error));
            });
            measure("csv", [&] {
                rv_error error = {};
                rv_source source = {};
                if (rv_source_csv(&source, csv.c_str(), nullptr, &error)) rv_source_close(&source);
            });
        }
}

/* The rest of the public API: long tapes, all built-in models, training, saving, resuming. */
TEST_F(Stack, OfPrograms)
{
    measure("a long tape", [&] {
        rv_store *store = rv_store_new(1);
        rv_tape *tape = rv_tape_new(store, RV_F64);
        const rv_var x = rv_parameter(tape, "x", RV_SHAPE(2), rv_init_constant(1));
        rv_var y = x;
        for (int i = 0; i < 20000; i++) y = i % 3 ? rv_tanh(y) : rv_add(y, rv_square(x));
        rv_var loss = rv_sum(y, 1, false), g;
        EXPECT_TRUE(rv_gradient(loss, &x, 1, &g));
        rv_var outputs[] = {loss, g};
        rv_free(rv_dot(tape, outputs, 2));
        rv_program *program = rv_compile(tape, outputs, 2);
        EXPECT_NE(program, nullptr) << rv_tape_error(tape)->text;
        rv_run(program);
        rv_program_free(program);
        rv_tape_free(tape);
        rv_store_free(store);
    });
    for (int i = 0; i < rv_model_count(); i++)
        measure(rv_model_at(i)->name, [&] {
            rv_store *store = rv_store_new(1);
            rv_tape *tape = rv_tape_new(store, RV_F64);
            const rv_var loss = rv_model_specimen(rv_model_at(i), tape);
            rv_gradcheck_result worst;
            EXPECT_TRUE(rv_gradcheck(loss, nullptr, 0, nullptr, &worst)) << rv_model_at(i)->name;
            rv_tape_free(tape);
            rv_store_free(store);
        });
    measure("the main job", [&] {
        const Job job = do_main_job(path("job.safetensors"));
        EXPECT_TRUE(job.done) << job.error.text;
    });
    const std::string folder = path("run");
    for (const int epochs : {1, 2})
        measure("a training run", [&] {
            rv_error error = {};
            rv_train_config config = rv_train_config_new();
            config.net.model = "curnn";
            config.loop.batch_size = 50;
            config.loop.epochs = epochs;
            config.loop.output = folder.c_str();
            rv_trainer *trainer = rv_trainer_new(&config, &error);
            ASSERT_NE(trainer, nullptr) << error.text;
            if (epochs > 1) {
                EXPECT_TRUE(rv_trainer_resume(trainer, nullptr, nullptr, &error)) << error.text;
            }
            EXPECT_TRUE(rv_trainer_fit(trainer, &error)) << error.text;
            rv_trainer_free(trainer);
        });
    measure("a derivation", [&] {
        rv_error error = {};
        rv_lang *lang = rv_lang_load("models/curnn_blog.rv", nullptr, &error);
        ASSERT_NE(lang, nullptr) << error.text;
        rv_lang_proof_options options = {};
        options.repair = true;
        rv_lang_verdict *verdicts = nullptr;
        int count = 0;
        EXPECT_TRUE(rv_lang_prove(lang, &options, &verdicts, &count, &error)) << error.text;
        rv_free(verdicts);
        rv_lang_free(lang);
    });
}

} // namespace
