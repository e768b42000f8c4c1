/* Time and memory grow with a file no faster than the file: for each part of each format, files of
 * doubled size are read. Memory is the peak of allocated bytes. Time is a count that does not
 * depend on the machine: calls of the C library's functions for strings, and the bytes that they
 * move. RECURVE_GROWTH=12 doubles 12 times instead of 5, or up to the limit of the format, and
 * measures the processor's time, too. */
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "data/npz.h"
#include "tensor/safetensors.h"
#include "data/weights.h"
#include "lang/lang.h"
#include "tensor/memory.h"
#include "tests/data/sources.h"
#include "tests/fuzz/fuzz.h"
#include "train/setup.h"

/* Linked with --wrap. */
static int64_t steps;

extern "C" {
int __real_strcmp(const char *a, const char *b);
int __real_strncmp(const char *a, const char *b, size_t size);
size_t __real_strlen(const char *a);
void *__real_memcpy(void *to, const void *from, size_t size);
int __real_memcmp(const void *a, const void *b, size_t size);

int __wrap_strcmp(const char *a, const char *b)
{
    steps++;
    return __real_strcmp(a, b);
}

int __wrap_strncmp(const char *a, const char *b, size_t size)
{
    steps++;
    return __real_strncmp(a, b, size);
}

size_t __wrap_strlen(const char *a)
{
    const size_t size = __real_strlen(a);
    steps += 1 + static_cast<int64_t>(size / 16);
    return size;
}

void *__wrap_memcpy(void *to, const void *from, size_t size)
{
    steps += 1 + static_cast<int64_t>(size / 16);
    return __real_memcpy(to, from, size);
}

int __wrap_memcmp(const void *a, const void *b, size_t size)
{
    steps += 1 + static_cast<int64_t>(size / 16);
    return __real_memcmp(a, b, size);
}
}

namespace {

constexpr size_t MIB = 1 << 20;
constexpr double STEEPEST = 1.2;

using Make = std::function<std::string(int)>;
using Read = std::function<void(const std::string &)>;

std::string many(int count, const std::function<std::string(int)> &line)
{
    std::string text;
    for (int i = 0; i < count; i++) text += line(i);
    return text;
}

std::string name(const char *prefix, int i) { return prefix + std::to_string(i); }

/* What one reading takes. */
struct Cost {
    double size, bytes, steps, seconds;
};

double seconds()
{
    timespec t = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

Cost measure(const std::string &text, const Read &read)
{
    const double start = seconds();
    memory_start();
    steps = 0;
    read(text);
    return {static_cast<double>(text.size()), static_cast<double>(memory_peak()),
            static_cast<double>(steps), seconds() - start};
}

/* The largest slope over two doublings: limits of a format end a growth that is too fast. */
double slope(const std::vector<Cost> &costs, double Cost::*of, double least)
{
    double most = 0;
    for (size_t k = 2; k < costs.size(); k++) {
        const Cost &a = costs[k - 2], &b = costs[k];
        most = std::max(most, std::log(std::max(b.*of, least) / std::max(a.*of, least)) /
                                  std::log(b.size / a.size));
    }
    return most;
}

/* The largest slopes that all tests of the program have seen. */
struct Summary {
    int series = 0, files = 0;
    double bytes = 0, steps = 0, factor = 0;
    ~Summary()
    {
        std::printf("%d kinds of files, %d files: memory grows like n^%.2f at most, the count like "
                    "n^%.2f; %.0f bytes for each of the file at most\n",
                    series, files, bytes, steps, factor);
    }
} summary;

void expect_growth(const std::string &what, const Make &make, const Read &read, double factor,
                   size_t most)
{
    const char *rounds = std::getenv("RECURVE_GROWTH");
    const int doublings = rounds ? std::atoi(rounds) : 5;
    std::vector<Cost> costs;
    for (int k = 0, n = 125; k <= doublings; k++, n *= 2) {
        const std::string text = make(n);
        if (text.size() > most) break;
        costs.push_back(measure(text, read));
        const Cost &c = costs.back();
        EXPECT_LE(c.bytes, factor * c.size + 2 * MIB) << what << ", " << n;
        summary.files++;
        summary.factor = std::max(summary.factor, (c.bytes - 2 * MIB) / c.size);
    }
    ASSERT_GE(costs.size(), 3u) << what;
    const double bytes = slope(costs, &Cost::bytes, MIB / 8),
                 count = slope(costs, &Cost::steps, 10000);
    EXPECT_LT(bytes, STEEPEST) << what << ": bytes";
    EXPECT_LT(count, STEEPEST) << what << ": steps";
    if (rounds) {
        EXPECT_LT(slope(costs, &Cost::seconds, 0.02), STEEPEST + 0.3) << what << ": seconds";
    }
    summary.series++;
    summary.bytes = std::max(summary.bytes, bytes);
    summary.steps = std::max(summary.steps, count);
}

class Growth : public WithFolder {
  protected:
    template <class Open> Read opening(const char *file_name, Open open)
    {
        return [this, file_name, open](const std::string &bytes) {
            const std::string at = file(file_name, bytes);
            rv_error error = {};
            memory_start();
            steps = 0;
            open(at.c_str(), &error);
        };
    }
};

// ---- the language ----

/* Reads, formats and reports; checks and records what is right, within limits. */
void read_language(const std::string &text)
{
    rv_error error = {};
    rv_lang *lang = rv_lang_read(text.data(), text.size(), "text.rv", nullptr, &error);
    ASSERT_NE(lang, nullptr) << error.text;
    rv_free(rv_lang_format(lang));
    rv_free(rv_lang_problem_text(lang));
    rv_lang_free(lang);
}

struct Kind {
    const char *name;
    Make make;
};

const std::vector<Kind> texts = {
    {"names",
     [](int n) { return "model m\n" + many(n, [](int i) { return name("  a", i) + "=1\n"; }); }},
    {"uses of names",
     [](int n) {
         return "model m\n" + many(n, [](int i) { return name("  a", i) + "=1\n"; }) +
                many(n, [](int i) { return name("  b", i) + name("=a", i) + "\n"; });
     }},
    {"definitions again",
     [](int n) {
         return "model m\n" + many(n, [](int i) { return name("  a", i) + "=1\n"; }) +
                many(n, [](int i) { return name("  b=a", i) + "\n"; });
     }},
    {"unknown names",
     [](int n) {
         return "model m\n" + many(n, [](int i) { return name("  a", i) + name("=zz", i) + "\n"; });
     }},
    {"unknown functions",
     [](int n) {
         return many(n, [](int i) { return name("function f", i) + "(x)=x\n"; }) + "model m\n" +
                many(n, [](int i) { return name("  a", i) + name("=g", i) + "(1)\n"; });
     }},
    {"unknown cells",
     [](int n) {
         return "model m\n  input x[1,1]\n" +
                many(n, [](int i) { return name("  a", i) + name("=unroll gru", i) + "(x)\n"; });
     }},
    {"unknown cells beside others",
     [](int n) {
         return many(n, [](int i) { return name("cell c", i) + "\n  state h\n  h'=h\n"; }) +
                "model m\n  input x[1,1]\n" +
                many(n, [](int i) { return name("  a", i) + name("=unroll d", i) + "(x)\n"; });
     }},
    {"functions again",
     [](int n) {
         return many(n, [](int i) { return name("function f", i) + "(x)=x\n"; }) +
                many(n, [](int i) { return name("function f", i) + "(x)=x\n"; });
     }},
    {"unknown options",
     [](int n) {
         return "model m\n  input x[1,1]\n" +
                many(n, [](int i) { return name("  a", i) + name("=sum(x, axis", i) + "=1)\n"; });
     }},
    {"functions",
     [](int n) { return many(n, [](int i) { return name("function f", i) + "(x)=x\n"; }); }},
    {"functions of functions",
     [](int n) {
         return "function f0(x)=x\n" + many(n, [](int i) {
                    return name("function f", i + 1) + name("(x)=f", i) + "(x)\n";
                });
     }},
    {"arguments",
     [](int n) {
         return "function f(" + many(n, [](int i) { return name("a", i) + ","; }) + "b)=b\n";
     }},
    {"cells",
     [](int n) {
         return many(n, [](int i) { return name("cell c", i) + "\n  state h\n  h'=h\n"; });
     }},
    {"aliases",
     [](int n) {
         return "cell a0=gru()\n" +
                many(n, [](int i) { return name("cell a", i + 1) + name("=a", i % 50) + "()\n"; });
     }},
    {"models",
     [](int n) {
         return many(
             n, [](int i) { return name("model m", i) + "\n  input x[1,1]\n  h=unroll gru(x)\n"; });
     }},
    {"sizes",
     [](int n) {
         return "model m(" + many(n, [](int i) { return name("s", i) + "=1,"; }) + "t=1)\n  x=1\n";
     }},
    {"inputs",
     [](int n) {
         return "model m\n" + many(n, [](int i) { return name("  input x", i) + "[1]\n"; });
     }},
    {"parameters",
     [](int n) {
         return "model m\n  input x[1]\n" +
                many(n, [](int i) { return name("  y", i) + name("=x.P", i) + "[1]\n"; });
     }},
    {"one unroll",
     [](int n) {
         return "model m\n  input x[1,1]\n" + many(n, [](int) { return "  a=unroll gru(x)\n"; });
     }},
    {"unrolls",
     [](int n) {
         return "model m\n  input x[1,1]\n" +
                many(n, [](int i) { return name("  a", i) + "=unroll gru(x)\n"; });
     }},
    {"names inside unrolls",
     [](int n) {
         return "model m\n  input x[1,1]\n" +
                many(n, [](int i) { return name("  a", i) + "=unroll gru(x)\n"; }) +
                many(n, [](int i) { return name("  b", i) + name("=a", i) + "_r[1]\n"; });
     }},
    {"unrolls of different cells",
     [](int n) {
         return many(n,
                     [](int i) {
                         return name("cell c", i) + "\n  state h\n" + name("  g", i) + "=x\n" +
                                name("  h'=g", i) + "\n";
                     }) +
                "model m\n  input x[1,1]\n" + many(n, [](int i) {
                    return name("  a", i) + name("=unroll c", i) + "(x)\n" + name("  b", i) +
                           name("=g", i) + "[1]\n";
                });
     }},
    {"models of a large cell",
     [](int n) {
         return "cell c\n  state h\n" + many(n, [](int i) { return name("  g", i) + "=x\n"; }) +
                "  h'=x\n" + many(n, [](int i) {
                    return name("model m", i) + "\n  input x[1,1]\n  h=unroll c(x)\n  "
                                                "loss=sum(h)\nderive loss\n  let a=1\n";
                });
     }},
    {"series",
     [](int n) {
         return "model m\n  h[0]=1\n" +
                many(n, [](int i) { return name("  h[", i + 1) + name("]=h", i) + "\n"; });
     }},
    {"loops",
     [](int n) {
         return "model m\n" + many(n, [](int) { return "  for t from 1 to 2\n    y=t\n"; });
     }},
    {"derivations",
     [](int n) {
         return "model m\n  loss=1\n" + many(n, [](int i) { return name("  a", i) + "=1\n"; }) +
                many(n, [](int) { return "derive loss\n  let x=1\n"; });
     }},
    {"lines of a derivation",
     [](int n) {
         return "model m\n  input x[1]\n" +
                many(n, [](int i) { return name("  a", i) + name("=x+", i) + "\n"; }) +
                "  loss=sum(x)\nderive loss\n" +
                many(n, [](int i) { return name("  da", i) + "=1\n"; });
     }},
    {"sums",
     [](int n) {
         return "model m\n" +
                many(n, [](int i) { return name("  a", i) + "=sum(t from 1 to 2: t)\n"; });
     }},
    {"numbers in a list",
     [](int n) { return "model m\n  x=[" + many(n, [](int) { return "1,"; }) + "1]\n"; }},
    {"arguments of a call",
     [](int n) { return "model m\n  x=concat(" + many(n, [](int) { return "1,"; }) + "1)\n"; }},
    {"options of a call",
     [](int n) {
         return "model m\n  input x[1]\n  y=sum(x" +
                many(n, [](int i) { return name(",o", i) + "=1"; }) + ")\n";
     }},
    {"terms", [](int n) { return "model m\n  x=1" + many(n, [](int) { return "+1"; }) + "\n"; }},
    {"wrong lines",
     [](int n) { return "cell c\n  state h\n" + many(n, [](int) { return "  h' = (\n"; }); }},
    {"wrong characters", [](int n) { return many(n, [](int) { return "? "; }); }},
    {"wrong blocks", [](int n) { return many(n, [](int) { return "?\n"; }); }},
    {"open brackets",
     [](int n) { return "model m\n  x=" + std::string(static_cast<size_t>(n), '(') + "\n"; }},
    {"comments", [](int n) { return many(n, [](int) { return "# a comment\n"; }); }},
    {"comments on a line", [](int n) { return many(n, [](int) { return "      # a comment"; }); }},
    {"comments in a body",
     [](int n) {
         return "model m\n" + many(n, [](int i) { return name("  a", i) + "=1 # one\n  # two\n"; });
     }},
    {"blanks",
     [](int n) { return "model m\n  x=" + std::string(static_cast<size_t>(n) * 20, ' ') + "1\n"; }},
    {"empty lines", [](int n) { return std::string(static_cast<size_t>(n) * 20, '\n'); }},
    {"a long title",
     [](int n) {
         return "model m\n  loss=1\nderive loss \"" +
                std::string(static_cast<size_t>(n) * 20, 'x') + "\"\n  let y=1\n";
     }},
    {"a long name",
     [](int n) { return "model " + std::string(static_cast<size_t>(n) * 20, 'x') + "\n  y=1\n"; }},
};

TEST_F(Growth, OfTexts)
{
    for (const Kind &k : texts) expect_growth(k.name, k.make, read_language, 200, MIB);
}

// ---- files of data ----

std::string safetensors(const std::string &header, size_t bytes)
{
    return little(uint64_t{header.size()}) + header + std::string(bytes, 'x');
}

TEST_F(Growth, OfCsv)
{
    const Read read = opening("a.csv", [](const char *path, rv_error *error) {
        Source s;
        rv_source_csv(&s.s, path, nullptr, error);
    });
    const std::vector<Kind> files = {
        {"rows", [](int n) { return many(n, [](int i) { return std::to_string(i) + ",1,0\n"; }); }},
        {"columns",
         [](int n) {
             return many(4, [n](int) { return many(n, [](int) { return "1,"; }) + "0\n"; });
         }},
        {"a header",
         [](int n) {
             return many(n, [](int i) { return name("a", i) + ","; }) + "y\n" +
                    many(n, [](int) { return "1,"; }) + "0\n";
         }},
        {"quotes", [](int n) { return many(n, [](int) { return "\"1\",\"0\"\n"; }); }},
        {"quotes without an end", [](int n) { return "\"" + many(n, [](int) { return "1,\n"; }); }},
        {"empty lines",
         [](int n) { return "1,0\n" + std::string(static_cast<size_t>(n) * 8, '\n') + "1,0\n"; }},
        {"a long field",
         [](int n) { return std::string(static_cast<size_t>(n) * 8, '1') + ",0\n"; }},
    };
    for (const Kind &k : files) expect_growth(k.name, k.make, read, 24, 64 * MIB);
}

TEST_F(Growth, OfArrays)
{
    const Read read_npy = opening("a.npy", [](const char *path, rv_error *error) {
        Source s;
        rv_source_npy(&s.s, path, path, nullptr, error);
    });
    const Read read_idx = opening("a.idx", [](const char *path, rv_error *error) {
        Source s;
        rv_source_idx(&s.s, path, path, nullptr, error);
    });
    const auto count = [](int n) { return std::to_string(n); };
    expect_growth(
        "npy numbers",
        [&](int n) {
            return npy("|u1", "(" + count(n * 8) + ",)",
                       std::string(static_cast<size_t>(n) * 8, 1));
        },
        read_npy, 24, 64 * MIB);
    expect_growth(
        "npy sizes",
        [&](int n) { return npy("|u1", "(" + many(n, [](int) { return "1,"; }) + ")", "1"); },
        read_npy, 24, 65000);
    expect_growth(
        "npy blanks",
        [&](int n) { return npy("|u1", "(1,)" + std::string(static_cast<size_t>(n), ' '), "1"); },
        read_npy, 24, 65000);
    expect_growth(
        "idx numbers",
        [&](int n) {
            return idx(8, {static_cast<uint32_t>(n * 8)},
                       std::string(static_cast<size_t>(n) * 8, 1));
        },
        read_idx, 24, 64 * MIB);
}

TEST_F(Growth, OfTextsToLearn)
{
    const Read read = opening("a.txt", [](const char *path, rv_error *error) {
        Source s;
        const rv_text_options options = {0, 8, nullptr, 0};
        rv_source_text(&s.s, path, &options, error);
    });
    expect_growth(
        "text",
        [](int n) { return many(n, [](int i) { return "line " + std::to_string(i) + "\n"; }); },
        read, 24, 64 * MIB);
}

TEST_F(Growth, OfSafetensors)
{
    const Read read = opening("a.safetensors", [](const char *path, rv_error *error) {
        rv_archive archive;
        if (rv_safetensors_read(path, &archive, error)) rv_archive_free(&archive);
    });
    const auto tensor = [](int i, int size) {
        return "\"" + name("t", i) + R"(":{"dtype":"U8","shape":[)" + std::to_string(size) +
               R"(],"data_offsets":[)" + std::to_string(i * size) + "," +
               std::to_string((i + 1) * size) + "]}";
    };
    expect_growth(
        "tensors",
        [&](int n) {
            return safetensors("{" + many(n, [&](int i) { return (i ? "," : "") + tensor(i, 1); }) +
                                   "}",
                               static_cast<size_t>(n));
        },
        read, 70, 64 * MIB);
    expect_growth(
        "a tensor",
        [&](int n) {
            return safetensors("{" + tensor(0, n * 8) + "}", static_cast<size_t>(n) * 8);
        },
        read, 70, 64 * MIB);
    expect_growth(
        "metadata",
        [&](int n) {
            return safetensors(
                R"({"__metadata__":{)" +
                    many(n, [](int i) { return (i ? ",\"" : "\"") + name("k", i) + R"(":"v")"; }) +
                    "}}",
                0);
        },
        read, 70, 64 * MIB);
}

/* Weights for a net of two layers, of which the files have many. */
TEST_F(Growth, OfWeights)
{
    const Read read = opening("a.safetensors", [](const char *path, rv_error *error) {
        rv_store *store = rv_store_new(1);
        rv_error refused = {};
        for (const char *parameter : {"a/weight", "b/weight"})
            rv_store_get(store, parameter, RV_PARAMETER, RV_F32, RV_SHAPE(1, 1),
                         rv_init_constant(0), error);
        EXPECT_FALSE(rv_weights_import(store, &path, 1, nullptr, &refused));
        EXPECT_EQ(refused.code, RV_ERROR_NAME) << refused.text; // which of them?
        rv_store_free(store);
    });
    expect_growth(
        "layers",
        [](int n) {
            return safetensors("{" +
                                   many(n,
                                        [](int i) {
                                            return (i ? ",\"" : "\"") + name("fc", i) +
                                                   R"(.weight":{"dtype":"U8","shape":[1,1],)" +
                                                   R"("data_offsets":[)" + std::to_string(i) + "," +
                                                   std::to_string(i + 1) + "]}";
                                        }) +
                                   "}",
                               static_cast<size_t>(n));
        },
        read, 70, 64 * MIB);
}

/* Weights for a net of many layers that are alike. Each layer is compared with the names of all,
 * but only once. */
TEST_F(Growth, OfWeightsOfManyLayers)
{
    constexpr double LARGE = 1.5;
    int layers = 0;
    const Read read = opening("a.safetensors", [&](const char *path, rv_error *error) {
        rv_store *store = rv_store_new(1);
        for (int i = 0; i < layers; i++)
            for (const char *gate : {"i", "f", "o", "z"})
                for (const char *parameter : {"W", "U", "b"})
                    rv_store_get(store, (name("l", i) + "/" + parameter + gate).c_str(),
                                 RV_PARAMETER, RV_F32,
                                 *parameter == 'b' ? RV_SHAPE(1) : RV_SHAPE(1, 1),
                                 rv_init_constant(0), error);
        rv_weights_options options = {};
        options.partial = true;
        EXPECT_TRUE(rv_weights_import(store, &path, 1, &options, error)) << error->text;
        EXPECT_TRUE(rv_store_find(store, (name("l", layers - 1) + "/bz").c_str())->loaded);
        rv_store_free(store);
    });
    std::vector<Cost> costs;
    for (layers = 8; layers <= 64; layers *= 2) {
        int tensors = 0;
        const auto tensor = [&tensors](const std::string &name, const char *shape) {
            const int begin = 4 * tensors++;
            return (begin ? ",\"" : "\"") + name + R"(":{"dtype":"U8","shape":)" + shape +
                   R"(,"data_offsets":[)" + std::to_string(begin) + "," +
                   std::to_string(begin + 4) + "]}";
        };
        std::string header = "{";
        for (int i = 0; i < layers; i++)
            for (const char *leaf : {"weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l"})
                header +=
                    tensor(name("rnn.", 0) + "." + name(leaf, i), *leaf == 'b' ? "[4]" : "[4,1]");
        for (int i = 0; i < 32 * layers; i++) // others, which lack the rest of a layer
            header += tensor(name("x", i) + ".weight_ih_l0", "[4,1]");
        const std::string text = safetensors(header + "}", 4 * static_cast<size_t>(tensors));
        costs.push_back(measure(text, read));
    }
    EXPECT_LT(slope(costs, &Cost::steps, 10000), LARGE);
    EXPECT_LT(slope(costs, &Cost::bytes, MIB / 8), STEEPEST);
}

TEST_F(Growth, OfConfigurations)
{
    const Read read = [](const std::string &text) {
        rv_train_config config = rv_train_config_new();
        rv_error error = {};
        rv_train_config_parse(&config, text.c_str(), "config.json", &error);
        rv_train_config_free(&config);
    };
    expect_growth(
        "keys",
        [](int n) {
            return "{" + many(n, [](int i) { return (i ? ",\"" : "\"") + name("k", i) + "\":1"; }) +
                   "}";
        },
        read, 70, MIB);
    expect_growth(
        "the same key",
        [](int n) {
            return "{" + many(n, [](int i) { return (i ? ",\"epochs\":1" : "\"epochs\":1"); }) +
                   "}";
        },
        read, 70, MIB);
    expect_growth(
        "a list", [](int n) { return "{\"epochs\":[" + many(n, [](int) { return "1,"; }) + "1]}"; },
        read, 70, MIB);
    expect_growth(
        "a text",
        [](int n) {
            return "{\"model\":\"" + std::string(static_cast<size_t>(n) * 8, 'x') + "\"}";
        },
        read, 70, MIB);
}

} // namespace
