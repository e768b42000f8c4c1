#include "tests/lang/random_model.h"

#include <cstdio>
#include <cstdlib>
#include <random>

namespace {

// ---- trees ----

enum class Op {
    NUMBER,
    NAME,
    ALONG, // a bias or a gain
    NEGATE,
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
    MATMUL,
    POWER,
    PRIME,
    INDEX,
    MAP,
    CALL
};

struct Node;
using Tree = std::shared_ptr<const Node>;

struct Function {
    std::string name;
    std::vector<std::string> arguments;
    std::vector<Sizes> argument_shapes;
    std::string number; /* the argument that calls give a number for */
    std::vector<std::pair<std::string, Tree>> lines;
    Tree result;
};

// One place of an index: all, one element, or a window.
struct Slice {
    int64_t first = 0, size = 0;
    bool one = false;
    std::string text;
};

struct Node {
    Op op = Op::NUMBER;
    std::vector<Tree> kids;
    Sizes shape;
    double low = -1, high = 1; // what its elements lie between
    bool number = false;       // folded, of this value:
    double value = 0;
    std::string name, text; // looked up, and written
    std::vector<Slice> slices;
    std::vector<std::pair<std::string, std::string>> options; // name (may be empty), text
    std::vector<int64_t> list;                                // axes or a shape
    double p = 0, q = 0;
    bool flag = false;
    bool sized = false; // a parameter that an index would give sizes to
    std::shared_ptr<const Function> function;
};

double bound_of(const Tree &t) { return std::max(std::fabs(t->low), std::fabs(t->high)); }

// ---- evaluation ----

struct Equation {
    std::string target;
    bool next = false; // of a state
    bool slopes = false;
    Tree value;
};

struct State {
    std::string name;
    int start = 0; // 0: zeros; 1: a number; 2: drawn
    double number = 0;
};

struct Cell {
    std::string name, input = "x";
    std::vector<State> states;
    std::vector<Equation> equations;
};

enum class What { DEFINE, ELEMENT, LOOP, UNROLL };

struct Statement {
    What what = What::DEFINE;
    Equation equation;
    int64_t time = 0; // ELEMENT: t + time, outside of loops time
    int64_t from = 0, to = 0;
    std::vector<Statement> body;
    // UNROLL
    std::shared_ptr<const Cell> cell;
    Tree input;
    std::vector<Tree> initial; // of each state, or null
    int64_t steps = 0;
    bool sequence = false;
    std::string prefix;
    Sizes state_shape;
};

// A gate and its slope.
struct Curve {
    const char *name;
    double (*value)(double x, double p);
    double (*slope)(double x, double p);
    double most; // |x|
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double bell(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * M_PI); }
double normal(double x) { return (1 + std::erf(x / std::sqrt(2.0))) / 2; }

const Curve curves[] = {
    {"tanh", [](double x, double) { return std::tanh(x); },
     [](double x, double) { return 1 / (std::cosh(x) * std::cosh(x)); }, 3},
    {"sigmoid", [](double x, double) { return sigmoid(x); },
     [](double x, double) { return sigmoid(x) * sigmoid(-x); }, 5},
    {"arctan", [](double x, double) { return std::atan(x); },
     [](double x, double) { return 1 / (1 + x * x); }, 5},
    {"sin", [](double x, double) { return std::sin(x); },
     [](double x, double) { return std::cos(x); }, 4},
    {"cos", [](double x, double) { return std::cos(x); },
     [](double x, double) { return -std::sin(x); }, 4},
    {"erf", [](double x, double) { return std::erf(x); },
     [](double x, double) { return 2 / std::sqrt(M_PI) * std::exp(-x * x); }, 2},
    {"exp", [](double x, double) { return std::exp(x); },
     [](double x, double) { return std::exp(x); }, 2},
    {"expm1", [](double x, double) { return std::expm1(x); },
     [](double x, double) { return std::exp(x); }, 2},
    {"softplus", [](double x, double) { return std::log1p(std::exp(x)); },
     [](double x, double) { return sigmoid(x); }, 5},
    {"relu", [](double x, double) { return x > 0 ? x : 0; },
     [](double x, double) { return x > 0 ? 1.0 : 0; }, 10},
    {"square", [](double x, double) { return x * x; }, [](double x, double) { return 2 * x; }, 4},
    {"silu", [](double x, double) { return x * sigmoid(x); },
     [](double x, double) { return sigmoid(x) + x * sigmoid(x) * sigmoid(-x); }, 5},
    {"gelu", [](double x, double) { return x * normal(x); },
     [](double x, double) { return normal(x) + x * bell(x); }, 3},
    {"negate", [](double x, double) { return -x; }, [](double, double) { return -1.0; }, 10},
    {"elu", [](double x, double a) { return x > 0 ? x : a * std::expm1(x); },
     [](double x, double a) { return x > 0 ? 1 : a * std::exp(x); }, 4},
    {"leaky_relu", [](double x, double s) { return x > 0 ? x : s * x; },
     [](double x, double s) { return x > 0 ? 1 : s; }, 10},
    {"sqrt", [](double x, double) { return std::sqrt(x); },
     [](double x, double) { return 0.5 / std::sqrt(x); }, 0},
    {"log", [](double x, double) { return std::log(x); }, [](double x, double) { return 1 / x; },
     0},
};
enum { ELU = 14, LEAKY_RELU, SQRT, LOG, CURVES };

const Curve *curve_of(const std::string &name)
{
    for (const Curve &c : curves)
        if (name == c.name) return &c;
    return nullptr;
}

class Evaluation {
  public:
    explicit Evaluation(const std::map<std::string, Array> &leaves)
    {
        for (const auto &leaf : leaves) leaves_[leaf.first] = named(leaf.first, leaf.second, true);
    }
    Array named(const std::string &name, Array value, bool slopes)
    {
        NamedValue v{name, {}, -1, value.origin};
        if (slopes) {
            v.first = directions_;
            for (Dual &element : value.at) {
                Dual own;
                own.slope.assign(static_cast<size_t>(++directions_), 0);
                own.slope.back() = 1;
                add_to(&element, own, 1);
            }
        }
        if (v.origin < 0 || slopes) value.origin = static_cast<int>(result.all.size());
        v.value = value;
        result.all.push_back(v);
        return value;
    }
    void run(const std::vector<Statement> &statements, int64_t t)
    {
        for (const Statement &s : statements) {
            if (s.what == What::DEFINE)
                values_[s.equation.target] =
                    named(s.equation.target, value(s.equation.value, t), s.equation.slopes);
            if (s.what == What::ELEMENT) {
                const std::string name = timed(s.equation.target, t + s.time);
                values_[name] = named(name, value(s.equation.value, t), s.equation.slopes);
            }
            for (int64_t k = s.from; s.what == What::LOOP && k != s.to;) {
                run(s.body, k);
                k += s.to > s.from ? 1 : -1;
            }
            if (s.what == What::UNROLL) unroll(s);
        }
    }
    static std::string timed(const std::string &name, int64_t t)
    {
        return name + "[" + std::to_string(t) + "]";
    }
    const Array &find(const std::string &name) const
    {
        auto v = values_.find(name);
        if (v != values_.end()) return v->second;
        v = leaves_.find(prefix_ + name);
        if (v == leaves_.end()) throw std::logic_error("no " + prefix_ + name);
        return v->second;
    }

    ModelValues result;

  private:
    void unroll(const Statement &s)
    {
        const Array x = value(s.input, 0);
        std::vector<Array> h;
        for (size_t k = 0; k < s.cell->states.size(); k++) {
            const State &state = s.cell->states[k];
            Array start(s.state_shape, state.start == 1 ? state.number : 0);
            if (state.start == 2 && !s.initial[k])
                start = broadcast_to(leaves_.at(s.prefix + state.name + "/start"), s.state_shape);
            if (s.initial[k]) {
                const Array given = value(s.initial[k], 0);
                start = given.shape == s.state_shape ? given : broadcast_to(given, s.state_shape);
            }
            h.push_back(named(timed(state.name, 0), start, false));
        }
        auto outside = values_;
        prefix_ = s.prefix;
        for (int64_t t = 1; t <= s.steps; t++) {
            values_ = {{s.cell->input, x}};
            if (s.sequence) {
                Sizes shape = x.shape;
                shape.erase(shape.begin() + 1);
                values_[s.cell->input] = made_of(shape, [&](const Sizes &i) {
                    Sizes from = i;
                    from.insert(from.begin() + 1, t - 1);
                    return element(x, from);
                });
            }
            for (size_t k = 0; k < h.size(); k++) values_[s.cell->states[k].name] = h[k];
            for (const Equation &e : s.cell->equations)
                outside[timed(e.target, t)] = values_[e.target + (e.next ? "'" : "")] =
                    named(timed(e.target, t), value(e.value, 0), e.slopes);
            for (size_t k = 0; k < h.size(); k++) h[k] = values_[s.cell->states[k].name + "'"];
        }
        prefix_ = "";
        values_ = outside;
        values_[s.equation.target] = named(s.equation.target, h[0], false);
    }

    Array value(const Tree &t, int64_t time)
    {
        if (t->number) {
            Array y;
            y.at[0] = t->value;
            return y;
        }
        Array y = value_of(*t, time);
        if (t->op != Op::NAME && !(t->op == Op::CALL && t->name == "same")) y.origin = -1;
        if (y.shape != t->shape) throw std::logic_error("shape of " + t->name);
        return y;
    }

    Array value_of(const Node &n, int64_t time)
    {
        const auto kid = [&](size_t k) { return value(n.kids[k], time); };
        switch (n.op) {
        case Op::NAME: return n.flag ? find(timed(n.name, time + n.list[0])) : find(n.name);
        case Op::ALONG:
            if (n.flag) return Array(n.shape, n.p); // there are no biases
            return reshaped(find(n.name), n.shape);
        case Op::NEGATE: return each(kid(0), [](const Dual &a) { return Dual(0) - a; });
        case Op::ADD: return each(kid(0), kid(1), [](auto &a, auto &b) { return a + b; });
        case Op::SUBTRACT: return each(kid(0), kid(1), [](auto &a, auto &b) { return a - b; });
        case Op::MULTIPLY: return each(kid(0), kid(1), [](auto &a, auto &b) { return a * b; });
        case Op::DIVIDE: return each(kid(0), kid(1), [](auto &a, auto &b) { return a / b; });
        case Op::POWER: return each(kid(0), kid(1), raise);
        case Op::MATMUL: return times(kid(0), kid(1));
        case Op::PRIME: {
            std::vector<int64_t> axes(n.shape.size());
            for (size_t d = 0; d < axes.size(); d++) axes[d] = static_cast<int64_t>(d);
            std::swap(axes[axes.size() - 1], axes[axes.size() - 2]);
            return permuted(kid(0), axes);
        }
        case Op::INDEX: return sliced(n, kid(0));
        case Op::MAP: return mapped(n, kid(0));
        default: return called(n, time);
        }
    }

    static Array sliced(const Node &n, const Array &x)
    {
        return made_of(n.shape, [&](const Sizes &i) {
            Sizes from;
            size_t d = 0;
            for (const Slice &s : n.slices) from.push_back(s.first + (s.one ? 0 : i[d++]));
            while (d < i.size()) from.push_back(i[d++]);
            return element(x, from);
        });
    }

    Array mapped(const Node &n, const Array &x) const
    {
        if (x.shape.size() == 2) return times(x, find(n.name));
        const int64_t ring = n.list[0];
        return correlated(padded(x, {0, 0, ring, ring}, {0, 0, ring, ring}), find(n.name));
    }

    Array user_function(const Node &n, int64_t time)
    {
        std::map<std::string, Array> inner;
        for (size_t k = 0; k < n.kids.size(); k++)
            inner[n.function->arguments[k]] = value(n.kids[k], time);
        std::swap(inner, values_);
        for (const auto &line : n.function->lines) values_[line.first] = value(line.second, 0);
        Array y = value(n.function->result, 0);
        std::swap(inner, values_);
        return y;
    }

    Array called(const Node &n, int64_t time)
    {
        if (n.function) return user_function(n, time);
        std::vector<Array> x;
        for (const Tree &k : n.kids) x.push_back(value(k, time));
        if (const Curve *c = curve_of(n.name))
            return each(x[0], [&](const Dual &a) {
                return chain(c->value(a.value, n.p), a, c->slope(a.value, n.p));
            });
        if (n.name == "clamp")
            return each(x[0], [&](const Dual &a) {
                return a.value < n.p ? Dual(n.p) : a.value > n.q ? Dual(n.q) : a;
            });
        if (n.name == "maximum" || n.name == "minimum") {
            const bool most = n.name == "maximum";
            return each(x[0], x[1], [&](const Dual &a, const Dual &b) {
                return (a.value > b.value) == most ? a : b;
            });
        }
        if (n.name == "lerp")
            return each(each(x[0], x[2], [](auto &a, auto &w) { return (Dual(1) - w) * a; }),
                        each(x[1], x[2], [](auto &b, auto &w) { return w * b; }),
                        [](auto &a, auto &b) { return a + b; });
        if (n.name == "sum" || n.name == "mean" || n.name == "log_sum_exp") return reduced(n, x[0]);
        if (n.name == "softmax" || n.name == "log_softmax") {
            Array e = each(x[0], exponential), sum = sum_keeping(e, n.list);
            if (n.name == "softmax") return each(e, sum, [](auto &a, auto &b) { return a / b; });
            return each(x[0], each(sum, logarithm), [](auto &a, auto &b) { return a - b; });
        }
        if (n.name == "mean_squared_error") {
            Array d = each(x[0], x[1], [](auto &a, auto &b) { return (a - b) * (a - b); });
            Array sum = reshaped(sum_keeping(d, all_axes(d.shape)), {});
            return each(sum,
                        [&](const Dual &a) { return a / Dual(static_cast<double>(d.count())); });
        }
        if (n.name == "cumulative_sum") return accumulated(n, x[0]);
        if (n.name == "flip") return flipped(x[0], n.list);
        if (n.name == "rot180") return flipped(x[0], {2, 3});
        if (n.name == "reshape" || n.name == "flatten") return reshaped(x[0], n.shape);
        if (n.name == "broadcast") return broadcast_to(x[0], n.shape);
        if (n.name == "transpose") return permuted(x[0], n.list);
        if (n.name == "concat" || n.name == "stack") return joined(n, x);
        if (n.name == "pad1") return padded(x[0], {0, 0, 1, 1}, {0, 0, 1, 1});
        if (n.name == "crop1") return padded(x[0], {0, 0, -1, -1}, {0, 0, -1, -1});
        if (n.name == "conv") return correlated(x[0], x[1]);
        if (n.name == "true_conv") return correlated(x[0], flipped(x[1], {2, 3}));
        if (n.name == "full_conv") {
            const Sizes ring = {0, 0, x[1].shape[2] - 1, x[1].shape[3] - 1};
            return correlated(padded(x[0], ring, ring), flipped(x[1], {2, 3}));
        }
        if (n.name == "matmul") {
            if (n.flag) x[1] = permuted(x[1], {1, 0});
            return times(x[0], x[1]);
        }
        if (n.name == "same") return x[0];
        throw std::logic_error("no function " + n.name);
    }

    static std::vector<int64_t> all_axes(const Sizes &shape)
    {
        std::vector<int64_t> axes;
        for (size_t d = 0; d < shape.size(); d++) axes.push_back(static_cast<int64_t>(d));
        return axes;
    }

    static Array reduced(const Node &n, const Array &x)
    {
        const bool logarithmic = n.name == "log_sum_exp";
        Array sum = sum_keeping(logarithmic ? each(x, exponential) : x, n.list);
        if (logarithmic) sum = each(sum, logarithm);
        const double size = static_cast<double>(x.count()) / static_cast<double>(sum.count());
        if (n.name == "mean") sum = each(sum, [&](const Dual &a) { return a / Dual(size); });
        return reshaped(sum, n.shape);
    }

    static Array accumulated(const Node &n, const Array &x)
    {
        const auto axis = static_cast<size_t>(n.list[0]);
        return made_of(n.shape, [&](const Sizes &i) {
            Dual sum;
            Sizes from = i;
            for (int64_t k = 0; k < x.shape[axis]; k++) {
                from[axis] = k;
                if (n.flag ? k >= i[axis] : k <= i[axis]) sum = sum + element(x, from);
            }
            return sum;
        });
    }

    static Array joined(const Node &n, const std::vector<Array> &x)
    {
        const auto axis = static_cast<size_t>(n.list[0]);
        return made_of(n.shape, [&](const Sizes &i) {
            Sizes from = i;
            if (n.name == "stack") {
                from.erase(from.begin() + static_cast<long>(axis));
                return element(x[static_cast<size_t>(i[axis])], from);
            }
            size_t k = 0;
            while (from[axis] >= x[k].shape[axis]) from[axis] -= x[k++].shape[axis];
            return element(x[k], from);
        });
    }

    std::map<std::string, Array> leaves_, values_;
    std::string prefix_;
    int directions_ = 0;
};

// ---- text ----

class Random {
  public:
    explicit Random(unsigned seed) : engine_(seed) {}
    int64_t below(int64_t n) { return static_cast<int64_t>(engine_() % static_cast<uint64_t>(n)); }
    int64_t from(int64_t low, int64_t high) { return low + below(high - low + 1); }
    bool chance(int percent) { return below(100) < percent; }
    template <class T> const T &one_of(const std::vector<T> &of)
    {
        return of[static_cast<size_t>(below(static_cast<int64_t>(of.size())))];
    }

  private:
    std::mt19937_64 engine_;
};

// Trees as text, with the brackets that they need and some more.
class Writer {
  public:
    explicit Writer(Random *random) : random_(random) {}

    // The expression where an operand of this strength is needed: 1 sum, 2 product, 3 sign, 4 power, 5 map,
    // 6 with index or prime, 7 name.
    std::string write(const Tree &t, int strength)
    {
        int own;
        std::string text = bare(*t, &own);
        if (own < strength || random_->chance(6)) text = bracketed(text);
        return text;
    }
    std::string call(const std::string &name, const std::vector<Tree> &arguments,
                     const std::vector<std::pair<std::string, std::string>> &options)
    {
        std::string text = name + "(";
        std::vector<std::string> items;
        depth_++;
        for (const Tree &a : arguments) items.push_back(write(a, 1));
        for (const auto &o : options)
            items.push_back(o.first.empty() ? o.second : o.first + gap() + "=" + gap() + o.second);
        for (size_t i = 0; i < items.size(); i++) text += (i ? "," : "") + gap() + items[i];
        depth_--;
        return text + gap() + ")";
    }
    // Some space, in brackets now and then a new line.
    std::string gap()
    {
        if (depth_ > 0 && random_->chance(1))
            return random_->chance(50) ? "\n        " : "  # more\n          ";
        return std::string(random_->chance(80) ? 0 : random_->chance(80) ? 1 : 3, ' ');
    }
    std::string space() { return random_->chance(70) ? " " : gap(); }

  private:
    std::string bracketed(const std::string &text) { return "(" + gap() + text + gap() + ")"; }

    std::string both(const Node &n, const char *sign, int left, int right)
    {
        const std::string a = write(n.kids[0], left), b = write(n.kids[1], right);
        const bool digits = std::isdigit(static_cast<unsigned char>(b[0])) && *sign == '.';
        const std::string before = digits && a.back() != ' ' ? " " : space();
        return a + before + sign + space() + b;
    }

    std::string bare(const Node &n, int *own)
    {
        *own = 7;
        switch (n.op) {
        case Op::NUMBER:
        case Op::NAME:
        case Op::ALONG: return n.text;
        case Op::NEGATE: *own = 3; return "-" + gap() + write(n.kids[0], 3);
        case Op::ADD: *own = 1; return both(n, "+", 1, 2);
        case Op::SUBTRACT: *own = 1; return both(n, "-", 1, 2);
        case Op::MULTIPLY: *own = 2; return both(n, random_->chance(70) ? "." : "*", 2, 3);
        case Op::DIVIDE: *own = 2; return both(n, "/", 2, 3);
        case Op::MATMUL: *own = 2; return both(n, "@", 2, 3);
        case Op::POWER: *own = 4; return both(n, "^", 6, 3);
        case Op::PRIME: *own = 6; return write(n.kids[0], 6) + "'";
        case Op::INDEX: *own = 6; return index(n);
        case Op::MAP: {
            const std::string x = write(n.kids[0], 5);
            const bool call = x[0] == '(';
            *own = call ? 7 : 5;
            return n.name + (call && random_->chance(50) ? "" : " ") + x;
        }
        default: return call(n.text, n.kids, n.options);
        }
    }

    std::string index(const Node &n)
    {
        std::string text = write(n.kids[0], 6) + "[";
        for (size_t i = 0; i < n.slices.size(); i++)
            text += (i ? "," + gap() : "") + n.slices[i].text;
        return text + "]";
    }

    Random *random_;
    int depth_ = 0;
};

} // namespace

// ---- making them up ----

namespace {

struct Variable {
    Tree tree;
    bool used = false;
};

class Maker {
  public:
    Maker(unsigned seed, RandomModel::Kind kind) : random_(seed), writer_(&random_)
    {
        batch_ = random_.from(2, 3);
        if (kind == RandomModel::CELLS || kind == RandomModel::IMAGE_CELLS) {
            unrolled(kind == RandomModel::IMAGE_CELLS);
            if (random_.chance(30)) unrolled(kind == RandomModel::IMAGE_CELLS);
        } else {
            const int count = static_cast<int>(random_.from(2, 4));
            for (int k = 0; k < count; k++) define(some_shape(kind == RandomModel::IMAGES), 4);
        }
        if (kind == RandomModel::SERIES) series();
        if (random_.chance(60)) define(some_shape(false), 3);
        loss();
        assemble();
    }

    std::string text;
    std::vector<Statement> statements;
    std::vector<Weight> flat;
    std::vector<std::string> drawn;

  private:
    enum class Where { MODEL, FUNCTION, CELL };

    // ---- names, numbers ----

    std::string fresh(char letter)
    {
        const int k = names_[letter]++;
        std::string name(1, letter);
        name += static_cast<char>('a' + k % 26);
        if (k >= 26) name += static_cast<char>('a' + k / 26);
        return name;
    }

    Tree literal(const std::string &text)
    {
        auto n = std::make_shared<Node>();
        n->number = true;
        n->text = text;
        n->value = n->low = n->high = std::strtod(text.c_str(), nullptr);
        return n;
    }
    Tree literal(double value)
    {
        char text[40];
        std::snprintf(text, sizeof text, "%.10g", value);
        return literal(std::string(text));
    }
    // One that no other line has: so the value that it ends with is no other node of the tape.
    Tree unique() { return literal(0.5 + 0.0137 * static_cast<double>(++uniques_)); }

    Tree folded(Op op, std::vector<Tree> kids, double value)
    {
        auto n = std::make_shared<Node>();
        n->op = op;
        n->kids = std::move(kids);
        n->number = true;
        n->value = n->low = n->high = value;
        return n;
    }

    // A number, mostly made of others: from 0.3 to 4, or below zero.
    Tree number(int depth, bool positive)
    {
        static const char *const texts[] = {"2", "1", "0.5", "1.5", "3", "7.5e-1", "0.25e1", "2.0"};
        if (where_ == Where::MODEL && random_.chance(15)) {
            auto n = std::make_shared<Node>();
            n->op = Op::NAME;
            n->text = n->name = "n";
            n->number = true;
            n->value = n->low = n->high = static_cast<double>(batch_);
            return n;
        }
        if (random_.chance(10) && !variables().empty()) {
            const Tree of = random_.one_of(variables()).tree;
            const auto rank = static_cast<int64_t>(of->shape.size());
            const int64_t axis = rank > 0 ? random_.below(rank) : 0;
            auto n = std::make_shared<Node>();
            n->op = Op::CALL;
            n->text = "size";
            n->kids = {of};
            n->options = {{"", std::to_string(random_.chance(40) ? axis - rank : axis)}};
            n->number = true;
            if (rank > 0) n->value = static_cast<double>(of->shape[static_cast<size_t>(axis)]);
            n->low = n->high = n->value;
            if (n->value > 0) return n;
        }
        if (depth <= 0 || random_.chance(40)) return literal(texts[random_.below(8)]);
        Tree a = number(depth - 1, false), b = number(depth - 1, false), made;
        switch (random_.below(6)) {
        case 0: made = folded(Op::ADD, {a, b}, a->value + b->value); break;
        case 1: made = folded(Op::SUBTRACT, {a, b}, a->value - b->value); break;
        case 2: made = folded(Op::MULTIPLY, {a, b}, a->value * b->value); break;
        case 3: made = folded(Op::DIVIDE, {a, b}, a->value / b->value); break;
        case 4: made = folded(Op::NEGATE, {a}, -a->value); break;
        default:
            if (a->value > 0) made = folded(Op::POWER, {a, b}, std::pow(a->value, b->value));
        }
        const bool ok = made && std::fabs(made->value) >= 0.3 && std::fabs(made->value) <= 4 &&
                        (!positive || made->value > 0);
        return ok ? made : literal(texts[random_.below(8)]);
    }

    // ---- nodes ----

    Tree node(Op op, std::vector<Tree> kids, Sizes shape, double low, double high)
    {
        auto n = std::make_shared<Node>();
        n->op = op;
        n->kids = std::move(kids);
        n->shape = std::move(shape);
        n->low = low;
        n->high = high;
        return n;
    }
    std::shared_ptr<Node> call(const std::string &name, std::vector<Tree> kids, Sizes shape,
                               double low, double high)
    {
        auto n = std::make_shared<Node>();
        n->op = Op::CALL;
        n->name = n->text = name;
        n->kids = std::move(kids);
        n->shape = std::move(shape);
        n->low = low;
        n->high = high;
        return n;
    }
    Tree add(Tree a, Tree b)
    {
        return node(Op::ADD, {a, b}, together(a->shape, b->shape), a->low + b->low,
                    a->high + b->high);
    }
    Tree subtract(Tree a, Tree b)
    {
        return node(Op::SUBTRACT, {a, b}, together(a->shape, b->shape), a->low - b->high,
                    a->high - b->low);
    }
    Tree multiply(Tree a, Tree b)
    {
        const double c[] = {a->low * b->low, a->low * b->high, a->high * b->low, a->high * b->high};
        return node(Op::MULTIPLY, {a, b}, together(a->shape, b->shape), *std::min_element(c, c + 4),
                    *std::max_element(c, c + 4));
    }
    Tree divide(Tree a, Tree b) // b away from zero
    {
        const double c[] = {a->low / b->low, a->low / b->high, a->high / b->low, a->high / b->high};
        return node(Op::DIVIDE, {a, b}, together(a->shape, b->shape), *std::min_element(c, c + 4),
                    *std::max_element(c, c + 4));
    }
    Tree curve(int which, Tree x)
    {
        const Curve &c = curves[which];
        if (c.most > 0) x = within(x, c.most);
        auto n = call(c.name, {x}, x->shape, 0, 0);
        if (which == ELU) n->p = 1;
        if (which == LEAKY_RELU) n->p = 0.01;
        if ((which == ELU || which == LEAKY_RELU) && random_.chance(60)) {
            n->p = 0.3;
            n->options.push_back(
                {random_.chance(60) ? which == ELU ? "alpha" : "slope" : "", "0.3"});
        }
        n->low = n->high = c.value(x->low, n->p);
        for (int k = 0; k <= 32; k++) { // and a little more, for what lies between
            const double y = c.value(x->low + (x->high - x->low) * k / 32, n->p);
            n->low = std::min(n->low, y);
            n->high = std::max(n->high, y);
        }
        if (which < SQRT) {
            const double more = 0.02 * (n->high - n->low) + 1e-3;
            const bool positive = n->low > 0;
            n->low = positive ? n->low * 0.9 : n->low - more;
            n->high += more;
        }
        return n;
    }

    // Made smaller if it may be larger.
    Tree within(Tree x, double most)
    {
        const double bound = bound_of(x);
        if (bound <= most) return x;
        const double by = bound / most;
        const Tree small = literal(std::floor(100 / by) / 100 > 0.1 ? std::floor(100 / by) / 100
                                                                    : std::floor(1e4 / by) / 1e4);
        if (random_.chance(70)) return multiply(small, x);
        return divide(x, literal(std::ceil(by * 10) / 10));
    }
    // From 0.2 on.
    Tree positive(Tree x)
    {
        if (x->low >= 0.2) return x;
        switch (random_.below(3)) {
        case 0: return add(literal(0.5), curve(10, x)); // 0.5 + square(x)
        case 1: return curve(6, x);                     // exp
        default: return add(curve(1, x), literal(0.25));
        }
    }

    // ---- leaves ----

    std::vector<Variable> &variables() { return scopes_.back(); }

    Tree name_of(const std::string &name, const Sizes &shape, double low, double high)
    {
        auto n = std::make_shared<Node>();
        n->op = Op::NAME;
        n->name = n->text = name;
        n->shape = shape;
        n->low = low;
        n->high = high;
        return n;
    }

    std::string sizes_text(const Sizes &shape, bool batch)
    {
        std::string text = "[";
        for (size_t d = 0; d < shape.size(); d++) {
            const bool n = batch && shape[d] == batch_ && random_.chance(50);
            text +=
                (d ? random_.chance(70) ? ", " : "," : "") + (n ? "n" : std::to_string(shape[d]));
        }
        return text + "]";
    }

    Tree declared(const Sizes &shape)
    {
        if (where_ == Where::FUNCTION) {
            const std::string name = fresh('a');
            function_->arguments.push_back(name);
            function_->argument_shapes.push_back(shape);
            return name_of(name, shape, -1, 1);
        }
        if (where_ == Where::CELL) {
            const std::string name = fresh('p');
            cell_text_ += "  parameter " + name + (shape.empty() ? "" : sizes_text(shape, false)) +
                          " ~ uniform(-1, 1)\n";
            return name_of(name, shape, -1, 1);
        }
        const int64_t which = random_.below(10);
        const std::string name = fresh(which < 4 ? 'x' : 'p');
        if (which < 4 && !shape.empty()) {
            declarations_ += "  input " + name + sizes_text(shape, true) +
                             (random_.chance(30) ? " ~ uniform(-1, 1)\n" : "\n");
        } else if (which < 7 || shape.empty() || shape.size() == 1 || shape.size() > 2) {
            declarations_ += "  parameter " + name +
                             (shape.empty() ? "" : sizes_text(shape, true)) +
                             (random_.chance(50) ? " ~ uniform(-1, 1)\n" : " ~ uniform(-1,0.9)\n");
        } else if (which == 7) {
            declarations_ += "  constant " + name + sizes_text(shape, true) + " ~ uniform(-1, 1)\n";
            drawn.push_back(name);
        } else { /* made where it is used */
            return sized(name, shape, sizes_text(shape, true));
        }
        return name_of(name, shape, -1, 1);
    }

    // A parameter made where it is used; elsewhere it has all its sizes.
    Tree sized(const std::string &name, const Sizes &shape, const std::string &sizes)
    {
        auto later = std::make_shared<Node>(*name_of(name, shape, -1, 1));
        later->sized = true;
        auto now = std::make_shared<Node>(*later);
        later->text = name + sizes_text(shape, true);
        now->text = name + sizes;
        variables().push_back({later, true});
        return now;
    }

    // Something that has a name.
    Tree leaf(const Sizes &shape)
    {
        std::vector<Variable *> known;
        for (Variable &v : variables())
            if (v.tree->shape == shape) known.push_back(&v);
        const bool state = where_ == Where::CELL && shape == cell_shape_;
        if (known.empty() || (!state && random_.chance(30))) {
            Tree made = declared(shape);
            if (!made->sized) variables().push_back({made, true});
            return made;
        }
        Variable *v = known[static_cast<size_t>(random_.below(static_cast<int64_t>(known.size())))];
        v->used = true;
        return v->tree;
    }

    // ---- expressions ----

    // A shape that broadcasts to this one.
    Sizes smaller(Sizes shape)
    {
        if (random_.chance(40)) return shape;
        const int64_t drop = random_.below(static_cast<int64_t>(shape.size()) + 1);
        shape.erase(shape.begin(), shape.begin() + drop);
        for (int64_t &d : shape)
            if (random_.chance(30)) d = 1;
        return shape;
    }

    // Two values one of which has the shape, the other at most.
    std::pair<Tree, Tree> two(const Sizes &shape, int depth, bool numbers)
    {
        Tree a = expression(shape, depth - 1), b;
        if (numbers && random_.chance(25))
            b = number(2, false);
        else
            b = expression(smaller(shape), depth - 1 - static_cast<int>(random_.below(2)));
        if (random_.chance(50)) std::swap(a, b);
        return {a, b};
    }

    Tree expression(const Sizes &shape, int depth)
    {
        if (depth <= 0) return leaf(shape);
        Tree made =
            where_ == Where::CELL ? cell_production(shape, depth) : production(shape, depth);
        return within(made, 20);
    }

    Tree arithmetic(const Sizes &shape, int depth)
    {
        const auto ab = two(shape, depth, true);
        const Tree &a = ab.first, &b = ab.second;
        switch (random_.below(4)) {
        case 0: return add(a, b);
        case 1: return subtract(a, b);
        case 2: return multiply(a, b);
        default:
            if (b->number) return divide(a, b);
            if (a->number) return divide(a, positive(b));
            return divide(a, positive(b));
        }
    }

    Tree power(const Sizes &shape, int depth)
    {
        Tree x = expression(shape, depth - 1);
        switch (random_.below(6)) {
        case 0: {
            x = within(x, 3);
            const double most = bound_of(x) * bound_of(x);
            return node(Op::POWER, {x, literal("2")}, shape, 0, most);
        }
        case 1: {
            x = within(x, 2);
            const double most = std::pow(bound_of(x), 3);
            return node(Op::POWER, {x, literal("3")}, shape, -most, most);
        }
        case 2: { // right to left: x^(2^2)
            x = within(x, 1.5);
            return node(Op::POWER, {x, folded(Op::POWER, {literal("2"), literal("2")}, 4)}, shape,
                        0, std::pow(bound_of(x), 4));
        }
        case 3: { // 2^x
            x = within(x, 2);
            if (random_.chance(40)) x = node(Op::NEGATE, {x}, shape, -x->high, -x->low);
            return node(Op::POWER, {literal("1.5"), x}, shape, std::pow(1.5, x->low),
                        std::pow(1.5, x->high));
        }
        default: {
            x = positive(within(x, 2));
            Tree y =
                random_.chance(60) ? number(2, false) : within(expression(smaller(shape), 1), 1);
            const double c[] = {std::pow(x->low, y->low), std::pow(x->low, y->high),
                                std::pow(x->high, y->low), std::pow(x->high, y->high)};
            return node(Op::POWER, {x, y}, shape, *std::min_element(c, c + 4),
                        *std::max_element(c, c + 4));
        }
        }
    }

    Tree product(const Sizes &shape, int depth)
    {
        const size_t r = shape.size();
        const int64_t inner = random_.from(1, 3);
        Sizes left = shape, right = {inner, shape[r - 1]};
        left[r - 1] = inner;
        if (r == 3 && random_.chance(40)) right = {shape[0], inner, shape[2]};
        Tree a = expression(left, depth - 1), b;
        const bool hole = where_ == Where::MODEL && right.size() == 2 && random_.chance(20);
        if (hole) {
            const std::string name = fresh('p');
            b = sized(name, right, "[_, " + std::to_string(right[1]) + "]");
        } else {
            b = expression(right, depth - 1);
        }
        const double most = bound_of(a) * bound_of(b) * static_cast<double>(inner);
        if (r == 2 && !hole && random_.chance(15)) {
            auto n =
                call("matmul", {a, node(Op::PRIME, {b}, {right[1], right[0]}, b->low, b->high)},
                     shape, -most, most);
            n->flag = true;
            n->options.push_back({"transpose_b", "true"});
            return n;
        }
        return node(Op::MATMUL, {a, b}, shape, -most, most);
    }

    Tree primed(const Sizes &shape, int depth)
    {
        Sizes from = shape;
        std::swap(from[from.size() - 1], from[from.size() - 2]);
        Tree x = expression(from, depth - 1);
        return node(Op::PRIME, {x}, shape, x->low, x->high);
    }

    Tree indexed(const Sizes &shape, int depth)
    {
        Sizes from;
        std::vector<Slice> slices;
        size_t d = 0;
        while (d < shape.size() || slices.empty() ||
               (from.size() < 4 && random_.chance(20) && !slices.empty())) {
            Slice s;
            s.one = d == shape.size() || (from.size() < 3 && random_.chance(25));
            const int64_t more = random_.below(3);
            const int64_t size = s.one ? random_.from(1, 3) : shape[d] + more;
            if (s.one) {
                s.first = random_.below(size);
                s.text = std::to_string(random_.chance(30) ? s.first - size : s.first);
            } else {
                s.first = random_.below(more + 1);
                s.size = shape[d++];
                const int64_t end = s.first + s.size;
                const bool open = end == size && random_.chance(70);
                const std::string gap = random_.chance(20) ? " " : "";
                s.text = (s.first == 0 && random_.chance(70) ? "" : std::to_string(s.first)) + gap +
                         ":" + gap +
                         (open                               ? ""
                          : end < size && random_.chance(30) ? std::to_string(end - size)
                                                             : std::to_string(end));
                if (s.text == ":" && random_.chance(20)) s.text = "_";
            }
            from.push_back(size);
            slices.push_back(s);
            if (from.size() == 4 && d < shape.size()) return leaf(shape);
        }
        while (slices.size() > 1 && (slices.back().text == ":" || slices.back().text == "_"))
            slices.pop_back(); // what is not said is all
        Tree x = expression(from, depth - 1);
        if (x->sized) x = node(Op::NEGATE, {x}, x->shape, -x->high, -x->low);
        auto n = std::make_shared<Node>(*node(Op::INDEX, {x}, shape, x->low, x->high));
        n->slices = slices;
        return n;
    }

    std::string axes_text(const std::vector<int64_t> &axes, size_t rank)
    {
        std::string text;
        for (size_t k = 0; k < axes.size(); k++) {
            const int64_t a = random_.chance(25) ? axes[k] - static_cast<int64_t>(rank) : axes[k];
            text += (k ? ", " : "") + std::to_string(a);
        }
        return axes.size() == 1 && random_.chance(40) ? text : "[" + text + "]";
    }

    Tree reduction(const Sizes &shape, int depth)
    {
        static const char *const names[] = {"sum", "mean", "log_sum_exp"};
        const std::string name = names[random_.below(3)];
        std::vector<int64_t> ones, axes;
        for (size_t d = 0; d < shape.size(); d++)
            if (shape[d] == 1) ones.push_back(static_cast<int64_t>(d));
        Sizes from = shape;
        const bool keep = !ones.empty() && random_.chance(70);
        if (keep) {
            axes = ones;
            for (int64_t a : axes) from[static_cast<size_t>(a)] = random_.from(2, 3);
        } else {
            const int64_t more = shape.size() >= 3 ? 1 : random_.from(1, 2);
            for (int64_t k = 0; k < more; k++)
                from.insert(from.begin() + random_.below(static_cast<int64_t>(from.size()) + 1), 0);
            for (size_t d = 0; d < from.size(); d++)
                if (from[d] == 0) {
                    from[d] = random_.from(2, 3);
                    axes.push_back(static_cast<int64_t>(d));
                }
        }
        Tree x = within(expression(from, depth - 1), name == "log_sum_exp" ? 3 : 10);
        const double count =
            static_cast<double>(product_of(from)) / static_cast<double>(product_of(shape));
        const double by = name == "sum" ? count : 1,
                     more = name == "log_sum_exp" ? std::log(count) : 0;
        auto n = call(name, {x}, shape, x->low * by + more, x->high * by + more);
        n->list = axes;
        if (axes.size() < from.size() || random_.chance(50))
            n->options.push_back({random_.chance(75) ? "axes" : "", axes_text(axes, from.size())});
        if (keep || random_.chance(10)) n->options.push_back({"keep", keep ? "true" : "false"});
        return n;
    }

    Tree along_axis(const Sizes &shape, int depth)
    {
        static const char *const names[] = {"softmax", "log_softmax", "cumulative_sum", "flip"};
        const std::string name = names[random_.below(4)];
        const auto rank = static_cast<int64_t>(shape.size());
        const int64_t axis = random_.below(rank), size = shape[static_cast<size_t>(axis)];
        Tree x = within(expression(shape, depth - 1), 4);
        auto n = call(name, {x}, shape, x->low, x->high);
        n->list = {axis};
        const std::string text = std::to_string(random_.chance(40) ? axis - rank : axis);
        if (name == "flip")
            n->options.push_back({"axes", random_.chance(50) ? text : "[" + text + "]"});
        else
            n->options.push_back({random_.chance(75) ? "axis" : "", text});
        if (name == "softmax") n->low = 0, n->high = 1;
        if (name == "log_softmax") n->low = -2 * bound_of(x) - 2, n->high = 0;
        if (name == "cumulative_sum") {
            n->low = -bound_of(x) * static_cast<double>(size);
            n->high = -n->low;
            n->flag = random_.chance(40);
            if (n->flag) n->options.push_back({"reverse", "true"});
        }
        return n;
    }

    Tree rearranged(const Sizes &shape, int depth)
    {
        const auto rank = static_cast<int64_t>(shape.size());
        switch (random_.below(4)) {
        case 0: { // reshape
            const int64_t count = product_of(shape);
            Sizes from = {count};
            for (int64_t f = 2; f <= 4; f++)
                if (count % f == 0 && random_.chance(50)) {
                    from = {f, count / f};
                    break;
                }
            if (from == shape) break;
            Tree x = expression(from, depth - 1);
            auto n = call("reshape", {x}, shape, x->low, x->high);
            std::string text = "[";
            const int64_t open = random_.chance(40) && rank > 0 ? random_.below(rank) : -1;
            for (int64_t d = 0; d < rank; d++)
                text += (d ? ", " : "") +
                        (d == open ? "-1" : std::to_string(shape[static_cast<size_t>(d)]));
            if (shape.empty()) break;
            n->options.push_back({random_.chance(70) ? "shape" : "", text + "]"});
            return n;
        }
        case 1: { // broadcast
            const Sizes from = smaller(shape);
            if (from == shape || shape.empty()) break;
            Tree x = expression(from, depth - 1);
            auto n = call("broadcast", {x}, shape, x->low, x->high);
            n->options.push_back({"shape", sizes_text(shape, false)});
            return n;
        }
        case 2: { // transpose
            if (rank < 2) break;
            std::vector<int64_t> axes;
            for (int64_t d = 0; d < rank; d++) axes.push_back(rank - 1 - d);
            const bool reversed = random_.chance(40);
            for (int64_t d = rank - 1; !reversed && d > 0; d--)
                std::swap(axes[static_cast<size_t>(d)],
                          axes[static_cast<size_t>(random_.below(d + 1))]);
            Sizes from(shape.size());
            for (size_t d = 0; d < shape.size(); d++) from[static_cast<size_t>(axes[d])] = shape[d];
            Tree x = expression(from, depth - 1);
            auto n = call("transpose", {x}, shape, x->low, x->high);
            n->list = axes;
            if (!reversed) {
                std::string text = "[";
                for (int64_t d = 0; d < rank; d++)
                    text += (d ? "," : "") + std::to_string(axes[static_cast<size_t>(d)]);
                n->options.push_back({random_.chance(70) ? "axes" : "", text + "]"});
            }
            return n;
        }
        default: { // concat, stack
            if (rank == 0) break;
            const auto axis = static_cast<size_t>(random_.below(rank));
            const bool stack = random_.chance(40) && shape[axis] <= 3;
            if (!stack && shape[axis] < 2) break;
            std::vector<Tree> parts;
            Sizes from = shape;
            if (stack) {
                from.erase(from.begin() + static_cast<long>(axis));
                for (int64_t k = 0; k < shape[axis]; k++)
                    parts.push_back(expression(from, depth - 2));
            } else {
                from[axis] = random_.from(1, shape[axis] - 1);
                parts.push_back(expression(from, depth - 2));
                from[axis] = shape[axis] - from[axis];
                parts.push_back(expression(from, depth - 2));
            }
            double low = 0, high = 0;
            for (const Tree &p : parts) low = std::min(low, p->low), high = std::max(high, p->high);
            auto n = call(stack ? "stack" : "concat", parts, shape, low, high);
            n->list = {static_cast<int64_t>(axis)};
            if (axis > 0 || random_.chance(50))
                n->options.push_back(
                    {"axis", std::to_string(n->list[0] - (random_.chance(30) ? rank : 0))});
            return n;
        }
        }
        return expression(shape, depth - 1);
    }

    // g.h + (1 - g).c, in any order of everything, with a gate that has a name or not.
    Tree mixture(const Sizes &shape, int depth)
    {
        Tree g = random_.chance(70) ? leaf(smaller(shape)) : expression(smaller(shape), 1);
        Tree h = expression(shape, depth - 1), c = expression(smaller(shape), depth - 1);
        if (random_.chance(50)) std::swap(h, c);
        if (h->shape == shape && random_.chance(10)) c = number(1, false);
        return mixed(g, h, c);
    }
    Tree mixed(Tree g, Tree h, Tree c)
    {
        Tree rest = subtract(literal("1"), g);
        Tree a = random_.chance(80) ? multiply(g, h) : multiply(h, g);
        Tree b = random_.chance(80) ? multiply(rest, c) : multiply(c, rest);
        return random_.chance(50) ? add(a, b) : add(b, a);
    }

    Tree limited(const Sizes &shape, int depth)
    {
        Tree x = expression(shape, depth - 1);
        if (random_.chance(50)) {
            auto n = call("clamp", {x}, shape, std::max(-0.4, std::min(x->low, 0.6)),
                          std::min(0.6, std::max(x->high, -0.4)));
            n->p = -0.4;
            n->q = 0.6;
            const bool named = random_.chance(60);
            n->options.push_back({named ? "low" : "", "-0.4"});
            n->options.push_back({named ? "high" : "", "3/5"});
            if (named && random_.chance(50)) std::swap(n->options[0], n->options[1]);
            return n;
        }
        const bool most = random_.chance(50);
        const Tree limit = literal("0.15");
        auto n = call(most ? "maximum" : "minimum", {x, limit}, shape,
                      most ? std::max(0.15, x->low) : std::min(0.15, x->low),
                      most ? std::max(0.15, x->high) : std::min(0.15, x->high));
        if (random_.chance(50)) std::swap(n->kids[0], n->kids[1]);
        return n;
    }

    // A function of the text; a new one now and then.
    Tree function(const Sizes &shape, int depth)
    {
        std::shared_ptr<const Function> f;
        for (const auto &known : functions_)
            if (known->result->shape == shape && random_.chance(50)) f = known;
        if (!f && (where_ == Where::FUNCTION || functions_.size() > 3))
            return expression(shape, depth - 1);
        if (!f) f = new_function(shape);
        std::vector<Tree> arguments;
        for (size_t k = 0; k < f->arguments.size(); k++)
            arguments.push_back(f->arguments[k] == f->number
                                    ? half_or_two()
                                    : within(expression(f->argument_shapes[k], depth - 2), 1));
        auto n = call(f->name, arguments, shape, f->result->low, f->result->high);
        n->function = f;
        return n;
    }

    Tree half_or_two()
    {
        if (random_.chance(50)) return literal("2");
        return folded(Op::DIVIDE, {literal("1"), literal("2")}, 0.5);
    }

    std::shared_ptr<const Function> new_function(const Sizes &shape)
    {
        auto f = std::make_shared<Function>();
        const Where outside = where_;
        where_ = Where::FUNCTION;
        function_ = f.get();
        scopes_.emplace_back();
        f->name = fresh('f');
        if (!shape.empty() && random_.chance(40)) {
            f->number = fresh('a');
            f->arguments.push_back(f->number);
            f->argument_shapes.push_back({});
            variables().push_back({name_of(f->number, {}, 0.5, 2), true});
        }
        std::string body;
        const bool block = random_.chance(50);
        const int64_t lines = block ? random_.from(0, 2) : 0;
        for (int64_t k = 0; k < lines; k++) {
            const std::string name = fresh('l');
            Tree value = expression(smaller(shape), 2);
            f->lines.push_back({name, value});
            body += "  " + name + " = " + writer_.write(value, 1) + "\n";
            variables().push_back({name_of(name, value->shape, value->low, value->high)});
        }
        f->result = expression(shape, 2);
        for (const Variable &v : variables())
            if (!v.used && v.tree->name[0] == 'l') f->result = used_too(f->result, v.tree);
        f->result = within(f->result, 5);
        if (f->arguments.size() == !f->number.empty()) f->result = add(f->result, leaf(shape));
        body += "  return " + writer_.write(f->result, 1) + "\n";
        std::string head = "function " + f->name + "(";
        for (size_t k = 0; k < f->arguments.size(); k++) head += (k ? ", " : "") + f->arguments[k];
        if (block)
            functions_text_ += head + ")\n" + body + "\n";
        else
            functions_text_ += head + ") = " + writer_.write(f->result, 1) + "\n\n";
        scopes_.pop_back();
        where_ = outside;
        functions_.push_back(f);
        return f;
    }
    // x + v, though v may have another shape.
    Tree used_too(Tree x, Tree v)
    {
        auto sum = call("sum", {v}, {}, -bound_of(v) * static_cast<double>(product_of(v->shape)),
                        bound_of(v) * static_cast<double>(product_of(v->shape)));
        for (size_t d = 0; d < v->shape.size(); d++) sum->list.push_back(static_cast<int64_t>(d));
        return add(x, sum);
    }

    Tree of_image(const Sizes &shape, int depth)
    {
        const int64_t kh = random_.from(1, 3), kw = random_.from(1, 3),
                      channels = random_.from(1, 2);
        Sizes from = shape, kernel = {shape[1], channels, kh, kw};
        const int64_t which = random_.below(6);
        static const char *const names[] = {"conv",   "true_conv", "full_conv",
                                            "rot180", "pad1",      "crop1"};
        auto n = call(names[which], {}, shape, 0, 0);
        if (which == 2 && (shape[2] < kh || shape[3] < kw)) return leaf(shape);
        if (which == 4 && (shape[2] < 3 || shape[3] < 3)) return leaf(shape);
        const int64_t by = which < 2 ? 1 : -1;
        if (which < 3) {
            from[1] = channels;
            from[2] += by * (kh - 1);
            from[3] += by * (kw - 1);
        }
        if (which == 4) from[2] -= 2, from[3] -= 2;
        if (which == 5) from[2] += 2, from[3] += 2;
        Tree x = expression(from, depth - 1);
        n->kids = {x};
        n->low = std::min(x->low, 0.0);
        n->high = std::max(x->high, 0.0);
        if (which < 3) {
            Tree w;
            const bool hole = which == 0 && where_ == Where::MODEL && random_.chance(40);
            if (hole) {
                const std::string name = fresh('p');
                w = sized(name, kernel,
                          "[" + std::to_string(shape[1]) + ", _, " + std::to_string(kh) + ", " +
                              std::to_string(kw) + "]");
            } else {
                w = random_.chance(70) ? leaf(kernel) : expression(kernel, 1);
            }
            n->kids.push_back(w);
            n->high = bound_of(x) * bound_of(w) * static_cast<double>(channels * kh * kw);
            n->low = -n->high;
        }
        return n;
    }

    Tree production(const Sizes &shape, int depth)
    {
        const size_t rank = shape.size();
        if (rank == 4 && random_.chance(60)) return of_image(shape, depth);
        if (rank == 2 && image_side_ > 0 && shape[1] % 4 == 0 && random_.chance(50)) {
            Tree x = expression({shape[0], shape[1] / 4, 2, 2}, depth - 1);
            return call("flatten", {x}, shape, x->low, x->high);
        }
        switch (random_.below(16)) {
        case 0: return leaf(shape);
        case 1:
        case 2:
        case 3: return arithmetic(shape, depth);
        case 4:
        case 5: {
            const int which = static_cast<int>(random_.below(CURVES));
            Tree x = expression(shape, depth - 1);
            return curve(which, which >= SQRT ? positive(x) : x);
        }
        case 6: {
            Tree x = expression(shape, depth - 1);
            return node(Op::NEGATE, {x}, shape, -x->high, -x->low);
        }
        case 7: return power(shape, depth);
        case 8:
            if (rank >= 2 && rank <= 3) return product(shape, depth);
            return arithmetic(shape, depth);
        case 9: return rank >= 2 ? primed(shape, depth) : reduction(shape, depth);
        case 10: return rank <= 3 ? indexed(shape, depth) : arithmetic(shape, depth);
        case 11: return rank <= 3 ? reduction(shape, depth) : limited(shape, depth);
        case 12: return rank >= 1 ? along_axis(shape, depth) : reduction(shape, depth);
        case 13: return rearranged(shape, depth);
        case 14: return random_.chance(50) ? mixture(shape, depth) : limited(shape, depth);
        default: return function(shape, depth);
        }
    }

    Sizes some_shape(bool image)
    {
        if (image) {
            image_side_ = 4;
            if (random_.chance(30)) return {batch_, random_.chance(50) ? 4 : 8};
            return {batch_, random_.from(1, 2), random_.from(2, 4), random_.from(2, 4)};
        }
        Sizes shape;
        const int64_t rank = random_.chance(20) ? 0 : random_.chance(20) ? 1 : random_.from(2, 3);
        for (int64_t d = 0; d < rank; d++) shape.push_back(random_.from(1, 3));
        if (rank > 0) shape[0] = batch_;
        return shape;
    }

    // ---- cells ----

    Tree along(bool bias)
    {
        const std::string name = fresh(bias ? 'b' : 'q');
        double start = 0;
        std::string text;
        if (random_.chance(40)) {
            start = random_.chance(50) ? forget_ : 0.75;
            text = start == forget_ ? " = forget" : " = 0.75";
        }
        cell_text_ += (bias ? "  bias " : "  gain ") + name + text + "\n";
        auto n = std::make_shared<Node>();
        n->op = Op::ALONG;
        n->name = n->text = name;
        n->shape = cell_shape_;
        n->shape.erase(n->shape.begin());
        for (size_t d = 1; d < n->shape.size(); d++) n->shape[d] = 1;
        n->flag = bias && !biases_;
        n->p = start;
        n->low = n->flag ? start : -1;
        n->high = n->flag ? start : 1;
        if (!n->flag) flat.push_back({prefix_ + name, start});
        return n;
    }

    // W e.
    Tree mapped(int depth)
    {
        const bool from_input = random_.chance(40);
        Tree x = from_input ? input_ : expression(cell_shape_, depth - 1);
        auto n = std::make_shared<Node>();
        n->shape = cell_shape_;
        n->name = fresh('w');
        const auto channels = static_cast<double>(x->shape[1]);
        if (windows_) {
            if (!from_input) {
                Tree inner = x;
                x = call("pad1", {inner}, {}, std::min(0.0, inner->low),
                         std::max(0.0, inner->high));
                auto padded = std::make_shared<Node>(*x);
                padded->shape = inner->shape;
                padded->shape[2] += 2;
                padded->shape[3] += 2;
                x = padded;
            }
            auto w = std::make_shared<Node>(
                *name_of(n->name, {cell_shape_[1], x->shape[1], 3, 3}, -1, 1));
            w->text = n->name + "[3, 3]";
            const double most = bound_of(x) * 3 * std::sqrt(channels);
            return call("conv", {x, w}, cell_shape_, -most, most);
        }
        n->op = Op::MAP;
        n->kids = {x};
        const bool wide = random_.chance(20);
        n->list = {kernel_ / 2};
        n->high = (wide ? 1 : 1 / std::sqrt(channels)) * channels * bound_of(x) *
                  (kernel_ ? wide ? 9 : 3 : 1);
        n->low = -n->high;
        const bool fit = from_input && random_.chance(20);
        cell_text_ +=
            (fit ? "  fit " : "  map ") + n->name + (wide && !fit ? " ~ uniform(-1, 1)\n" : "\n");
        if (fit && input_->shape[1] == cell_shape_[1]) {
            auto same = call("same", {x}, cell_shape_, x->low, x->high);
            same->text = n->name;
            return same;
        }
        return n;
    }

    Tree cell_production(const Sizes &shape, int depth)
    {
        if (shape != cell_shape_) return leaf(shape);
        const bool rows = shape.size() == 2;
        switch (random_.below(12)) {
        case 0:
        case 1: return mapped(depth);
        case 2:
        case 3: {
            Tree x = expression(shape, depth - 1), b = along(true);
            return random_.chance(70) ? add(x, b) : add(b, x);
        }
        case 4: {
            Tree x = expression(shape, depth - 1), p = along(false);
            return random_.chance(30) ? multiply(x, p) : multiply(p, x);
        }
        case 5: {
            Tree g = leaf(shape), h = expression(shape, depth - 1);
            Tree c = random_.chance(10) ? along(false) : expression(shape, depth - 1);
            return random_.chance(50) ? mixed(g, h, c) : mixed(g, c, h);
        }
        case 6:
        case 7: {
            Tree x = expression(shape, depth - 1);
            if (activation_.empty() || random_.chance(60))
                return curve(static_cast<int>(random_.below(SQRT)), x);
            auto n = std::make_shared<Node>(*curve(0, x));
            n->text = activation_; // stands for tanh
            n->options.clear();
            return n;
        }
        case 8: {
            Tree x = expression(shape, depth - 1), y = expression(shape, depth - 1);
            return random_.chance(50) ? add(x, y) : multiply(x, y);
        }
        case 9: {
            Tree x = expression(shape, depth - 1);
            const Sizes flat_shape = rows && random_.chance(50) ? Sizes{shape[1]} : Sizes{};
            return random_.chance(50) ? subtract(x, leaf(flat_shape))
                                      : multiply(leaf(flat_shape), x);
        }
        case 10: {
            if (!rows) return expression(shape, depth - 1);
            const Sizes square = {shape[1], shape[1]};
            Tree x = expression(shape, depth - 1), w = declared(square);
            if (random_.chance(30)) w = node(Op::PRIME, {w}, square, w->low, w->high);
            const double most = bound_of(x) * bound_of(w) * static_cast<double>(shape[1]);
            return node(Op::MATMUL, {x, w}, shape, -most, most);
        }
        default: {
            Tree x = within(expression(shape, depth - 1), 4);
            if (random_.chance(50)) return subtract(literal("1"), x);
            if (!rows) return node(Op::NEGATE, {x}, shape, -x->high, -x->low);
            auto n = call("softmax", {x}, shape, 0, 1);
            n->list = {1};
            n->options.push_back({"axis", random_.chance(50) ? "1" : "-1"});
            return n;
        }
        }
    }

    // An equation of a cell, whose value is made of something that no other is.
    Tree line(int depth, Tree also)
    {
        Tree e = expression(cell_shape_, depth);
        if (also) e = random_.chance(50) ? add(e, also) : subtract(also, e);
        Tree u = unique();
        e = within(e, 3);
        if (random_.chance(50)) e = curve(random_.chance(50) ? 0 : 1, e);
        return random_.chance(50) ? multiply(u, e) : subtract(e, u);
    }

    std::shared_ptr<const Cell> make_cell()
    {
        auto c = std::make_shared<Cell>();
        cell_text_ = "";
        where_ = Where::CELL;
        scopes_.emplace_back();
        c->name = fresh('c');
        if (random_.chance(30)) c->input = fresh('u');
        input_ = name_of(c->input, input_shape_, -1, 1);
        if (input_shape_ == cell_shape_) variables().push_back({input_, true});
        const int64_t states = random_.from(1, 3);
        std::vector<Tree> next;
        for (int64_t k = 0; k < states; k++) {
            State s;
            s.name = fresh('h');
            s.start = random_.chance(60) ? 0 : random_.chance(50) ? 1 : 2;
            s.number = 0.25;
            cell_text_ += "  state " + s.name +
                          (s.start == 1   ? " = 1/4\n"
                           : s.start == 2 ? " ~ uniform(-1, 1)\n"
                                          : "\n");
            c->states.push_back(s);
            variables().push_back({name_of(s.name, cell_shape_, -2, 2), false});
        }
        if (random_.chance(60)) {
            activation_ = fresh('s');
            cell_text_ += "  activation " + activation_ + " = tanh\n";
        }
        std::string lines;
        const int64_t gates = random_.from(1, 3);
        for (int64_t k = 0; k < gates; k++) {
            Equation e{fresh('g'), false, true, line(3, k == 0 ? mapped_input() : nullptr)};
            lines += "  " + e.target + writer_.space() + "=" + writer_.space() +
                     writer_.write(e.value, 1) + "\n";
            variables().push_back(
                {name_of(e.target, cell_shape_, e.value->low, e.value->high), false});
            c->equations.push_back(e);
        }
        std::vector<size_t> order(c->states.size());
        for (size_t k = 0; k < order.size(); k++) order[k] = k;
        if (random_.chance(50)) std::reverse(order.begin(), order.end());
        for (size_t k : order) {
            // every gate and every other state's next value counts
            Tree also = name_of(c->states[k].name, cell_shape_, -2, 2);
            for (Variable &v : variables())
                if (!v.used && v.tree->shape == cell_shape_) {
                    v.used = true;
                    also = add(also, v.tree);
                }
            Equation e{c->states[k].name, true, true, nullptr};
            e.value = line(3, within(also, 3));
            if (bound_of(e.value) > 2) e.value = multiply(unique(), curve(0, e.value));
            lines += "  " + e.target + "' = " + writer_.write(e.value, 1) + "\n";
            variables().push_back(
                {name_of(e.target + "'", cell_shape_, e.value->low, e.value->high), false});
            c->equations.push_back(e);
        }
        cells_text_ += "cell " + c->name + (c->input == "x" ? "" : "(" + c->input + ")") + "\n" +
                       cell_text_ + lines + "\n";
        activation_ = "";
        scopes_.pop_back();
        where_ = Where::MODEL;
        return c;
    }
    Tree mapped_input()
    {
        auto n = std::make_shared<Node>();
        n->op = Op::MAP;
        n->name = fresh('w');
        n->kids = {input_};
        n->shape = cell_shape_;
        n->list = {kernel_ / 2};
        n->high = std::sqrt(static_cast<double>(input_shape_[1])) * (kernel_ ? 3 : 1);
        n->low = -n->high;
        if (windows_) {
            auto w = std::make_shared<Node>(
                *name_of(n->name, {cell_shape_[1], input_shape_[1], 3, 3}, -1, 1));
            w->text = n->name + "[3,3]";
            return call("conv", {input_, w}, cell_shape_, -3, 3);
        }
        cell_text_ += "  map " + n->name + "\n";
        return n;
    }

    // h = unroll cell(x, ..)
    void unrolled(bool images)
    {
        const int64_t units = random_.from(1, 3), width = random_.from(1, 3);
        Statement s;
        s.what = What::UNROLL;
        s.steps = random_.from(1, 3);
        s.sequence = random_.chance(60);
        windows_ = images && random_.chance(40);
        kernel_ = images && !windows_ ? 3 : 0;
        biases_ = random_.chance(75);
        const bool forgets_given = random_.chance(30);
        forget_ = forgets_given ? 0.5 : 1;
        cell_shape_ = {batch_, units};
        input_shape_ = {batch_, width};
        if (images) {
            const int64_t side = 3;
            input_shape_ = {batch_, width, side + (windows_ ? 2 : 0), side + (windows_ ? 2 : 0)};
            cell_shape_ = {batch_, units, side, side};
        }
        if (random_.chance(40) || unrolls_ > 0) s.prefix = fresh('e') + "/";
        unrolls_++;
        prefix_ = s.prefix;
        const Sizes state_shape = cell_shape_, input_shape = input_shape_;
        s.cell = make_cell();
        s.state_shape = state_shape;
        Sizes shape = input_shape;
        if (s.sequence) shape.insert(shape.begin() + 1, s.steps);
        s.input = shape.size() > 4 ? leaf(shape) : within(expression(shape, 2), 1);
        std::vector<std::pair<std::string, std::string>> options;
        options.push_back({"units", std::to_string(units)});
        if (kernel_) options.push_back({"kernel", "3"});
        if (!biases_) options.push_back({"bias", "false"});
        if (forgets_given) options.push_back({"forget", "0.5"});
        if (!s.prefix.empty())
            options.push_back({"name", "\"" + s.prefix.substr(0, s.prefix.size() - 1) + "\""});
        for (const State &state : s.cell->states) {
            Tree given;
            if (random_.chance(30)) {
                Sizes start = state_shape;
                if (random_.chance(40)) start[0] = 1;
                given = within(expression(start, images ? 1 : 2), 2);
                options.push_back({state.name, writer_.write(given, 1)});
            } else if (state.start == 2) {
                drawn.push_back(s.prefix + state.name + "/start");
            }
            s.initial.push_back(given);
        }
        s.equation.target = fresh('k');
        std::string text = "  " + s.equation.target + " = unroll " +
                           writer_.call(s.cell->name, {s.input}, options);
        if (!s.sequence)
            text += " for " + std::to_string(s.steps) + (s.steps == 1 ? " step" : " steps");
        lines_ += text + "\n";
        statements.push_back(s);
        variables().push_back({name_of(s.equation.target, state_shape, -2, 2), false});
        for (const Equation &e : s.cell->equations) { // what is inside
            if (!random_.chance(40)) continue;
            const int64_t t = random_.from(1, s.steps);
            auto inside = std::make_shared<Node>(
                *name_of(Evaluation::timed(e.target, t), state_shape, -5, 5));
            if (random_.chance(50)) inside->text = e.target + std::to_string(t);
            variables().push_back({inside, false});
        }
    }

    // ---- models ----

    void define(const Sizes &shape, int depth)
    {
        Statement s;
        Tree e = expression(shape, depth);
        s.equation.slopes = random_.chance(60);
        if (s.equation.slopes) {
            Tree u = unique();
            e = within(e, 4);
            const int64_t how = random_.below(4);
            e = how == 0   ? multiply(u, e)
                : how == 1 ? add(e, u)
                : how == 2 ? subtract(u, e)
                           : multiply(e, u);
        }
        s.equation.target = fresh('k');
        s.equation.value = e;
        lines_ += "  " + s.equation.target + writer_.space() + "=" + writer_.space() +
                  writer_.write(e, 1) + (random_.chance(5) ? "  # a comment: (\n" : "\n");
        statements.push_back(s);
        variables().push_back({name_of(s.equation.target, shape, e->low, e->high), false});
    }

    // z[0] = .., and from there on or back.
    void series()
    {
        const Sizes shape = {batch_, random_.from(1, 3)};
        const int64_t steps = random_.from(1, 3);
        const bool down = random_.chance(40);
        const std::string name = fresh('z');
        Statement first, loop, next;
        first.what = next.what = What::ELEMENT;
        first.time = down ? steps : 0;
        first.equation.target = next.equation.target = name;
        first.equation.value = within(expression(shape, 2), 2);
        lines_ += "  " + name + "[" + std::to_string(first.time) +
                  "] = " + writer_.write(first.equation.value, 1) + "\n";
        statements.push_back(first);

        const auto at = [&](int64_t offset) {
            auto n = std::make_shared<Node>(*name_of(name, shape, -2, 2));
            n->flag = true;
            n->list = {offset};
            n->text = name + (offset == 0 ? "[t]" : offset < 0 ? "[t - 1]" : "[t+1]");
            return n;
        };
        const auto outside = variables().size();
        auto before = at(down ? 0 : -1);
        variables().push_back({before, true});
        Tree e = within(expression(shape, 3), 3), u = unique();
        e = multiply(
            u, curve(0, within(random_.chance(50) ? add(before, e) : subtract(e, before), 2)));
        next.equation.value = e;
        next.equation.slopes = true;
        next.time = down ? -1 : 0;
        loop.what = What::LOOP;
        loop.from = down ? steps : 1;
        loop.to = down ? 0 : steps + 1;
        loop.body = {next};
        lines_ += "  for t from " + std::to_string(loop.from) + (down ? " down to 1" : " to ") +
                  (down ? "" : std::to_string(steps)) + "\n    " + name +
                  (down ? "[t - 1]" : "[t]") + " = " + writer_.write(e, 1) + "\n";
        statements.push_back(loop);
        variables().erase(variables().begin() + static_cast<long>(outside));
        for (int64_t t = 0; t <= steps; t++) {
            auto n = std::make_shared<Node>(*name_of(Evaluation::timed(name, t), shape, -3, 3));
            if (random_.chance(40)) n->text = name + std::to_string(t);
            variables().push_back({n, t != (down ? 0 : steps)});
        }
    }

    // Everything that has not been used counts.
    void loss()
    {
        Statement s;
        Tree total;
        for (size_t k = 0; k < variables().size(); k++) {
            Variable v = variables()[k];
            if (v.used) continue;
            const double bound = bound_of(v.tree);
            const auto count = static_cast<double>(product_of(v.tree->shape));
            Tree term;
            if (random_.chance(30) && !v.tree->shape.empty()) {
                Tree target = leaf(v.tree->shape);
                term = call("mean_squared_error", {v.tree, target}, {}, 0,
                            (bound + bound_of(target)) * (bound + bound_of(target)));
            } else if (random_.chance(50)) {
                auto mean =
                    call("mean",
                         {node(Op::POWER, {v.tree, literal("2")}, v.tree->shape, 0, bound * bound)},
                         {}, 0, bound * bound);
                for (size_t d = 0; d < v.tree->shape.size(); d++)
                    mean->list.push_back(static_cast<int64_t>(d));
                term = mean;
            } else {
                auto sum = call("sum", {curve(3, v.tree)}, {}, -count, count);
                for (size_t d = 0; d < v.tree->shape.size(); d++)
                    sum->list.push_back(static_cast<int64_t>(d));
                term = sum;
            }
            total = !total ? term : random_.chance(50) ? add(total, term) : subtract(term, total);
        }
        s.equation.target = "loss";
        s.equation.value = total;
        lines_ += "  loss = " + writer_.write(total, 1) + "\n";
        statements.push_back(s);
    }

    void assemble()
    {
        const std::string model = fresh('m');
        text = functions_text_ + cells_text_ + "model " + model + "(n=" + std::to_string(batch_) +
               ")\n" + declarations_ + lines_;
    }

    Random random_;
    Writer writer_;
    int64_t batch_ = 2, kernel_ = 0, image_side_ = 0;
    int uniques_ = 0, unrolls_ = 0;
    bool biases_ = true, windows_ = false;
    double forget_ = 1;
    Where where_ = Where::MODEL;
    Function *function_ = nullptr;
    Sizes cell_shape_, input_shape_;
    Tree input_;
    std::string prefix_, activation_;
    std::string functions_text_, cells_text_, cell_text_, declarations_, lines_;
    std::map<char, int> names_;
    std::vector<std::vector<Variable>> scopes_{1};
    std::vector<std::shared_ptr<const Function>> functions_;
};

} // namespace

struct RandomModel::Made {
    Made(unsigned seed, Kind kind) : maker(seed, kind) {}
    Maker maker;
};

RandomModel::RandomModel(unsigned seed, Kind kind) : made_(new Made(seed, kind)) {}
RandomModel::~RandomModel() = default;

const std::string &RandomModel::text() const { return made_->maker.text; }
const std::vector<Weight> &RandomModel::flat_weights() const { return made_->maker.flat; }
const std::vector<std::string> &RandomModel::drawn() const { return made_->maker.drawn; }

ModelValues RandomModel::evaluate(const std::map<std::string, Array> &leaves) const
{
    Evaluation e(leaves);
    e.run(made_->maker.statements, 0);
    e.result.loss = e.find("loss").at[0];
    return e.result;
}
