// The values of a random model, with their slopes.
#ifndef RV_TESTS_LANG_RANDOM_EVALUATION_H
#define RV_TESTS_LANG_RANDOM_EVALUATION_H

#include <map>
#include <stdexcept>

#include "tests/lang/random_model.h"
#include "tests/lang/random_tree.h"

namespace random_model {

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
    static Array at_step(const Array &x, int64_t t)
    {
        Sizes shape = x.shape;
        shape.erase(shape.begin() + 1);
        return made_of(shape, [&](const Sizes &i) {
            Sizes from = i;
            from.insert(from.begin() + 1, t);
            return element(x, from);
        });
    }
    static Array beside(const Array &a, const Array &b)
    {
        Sizes shape = a.shape;
        shape[1] += b.shape[1];
        return made_of(shape, [&](const Sizes &i) {
            Sizes from = i;
            if (i[1] < a.shape[1]) return element(a, from);
            from[1] -= a.shape[1];
            return element(b, from);
        });
    }

    void unroll(const Statement &s)
    {
        const Array input = value(s.input, 0);
        auto outside = values_;
        std::vector<Array> x, y[2];
        for (int64_t t = 0; t < s.steps; t++) x.push_back(s.sequence ? at_step(input, t) : input);
        for (int64_t layer = 0; layer < s.layers; layer++) {
            for (int64_t d = 0; d < s.directions; d++)
                y[d] = strand(s, x, layer, d, layer + 1 == s.layers && !d ? &outside : nullptr);
            for (size_t t = 0; t < x.size(); t++)
                x[t] = s.directions == 1 ? y[0][t] : beside(y[0][t], y[1][t]);
        }
        values_ = outside;
        const auto result = [&](const std::string &name, const std::vector<Array> &each,
                                const Array &last) {
            values_[name] = named(name, s.whole ? stacked(each) : last, false);
        };
        result(s.equation.target, x,
               s.directions > 1 ? beside(y[0].back(), y[1].front())
               : s.reverse      ? x.front()
                                : x.back());
        if (s.second.empty()) return;
        std::vector<Array> states;
        for (int64_t t = 1; t <= s.steps; t++)
            states.push_back(find(timed(s.inside + s.cell->states[1].name, t)));
        result(s.second, states, s.reverse ? states.front() : states.back());
    }

    // [n,..] of all steps as [n,steps,..].
    static Array stacked(const std::vector<Array> &x)
    {
        Sizes shape = x[0].shape;
        shape.insert(shape.begin() + 1, static_cast<int64_t>(x.size()));
        return made_of(shape, [&](const Sizes &i) {
            Sizes from = i;
            from.erase(from.begin() + 1);
            return element(x[static_cast<size_t>(i[1])], from);
        });
    }

    // One layer in one direction: its outputs. The values inside get names if `names` is given,
    // which receives them.
    std::vector<Array> strand(const Statement &s, const std::vector<Array> &x, int64_t layer,
                              int64_t direction, std::map<std::string, Array> *names)
    {
        const auto outside = values_;
        const std::string prefix = strand_prefix(s, layer, direction);
        std::vector<Array> h, y(x.size());
        const auto note = [&](const std::string &name, int64_t t, Array v, bool slopes) {
            const std::string full = timed(s.inside + name, t);
            return names ? (*names)[full] = named(full, v, slopes) : v;
        };
        for (size_t k = 0; k < s.cell->states.size(); k++) {
            const State &state = s.cell->states[k];
            Array start(state.shape, state.start == 1 ? state.number : 0);
            if (state.start == 2 && !s.initial[k])
                start = broadcast_to(leaves_.at(prefix + state.name + "/start"), state.shape);
            if (s.initial[k]) {
                const Array given = value(s.initial[k], 0);
                start = given.shape == state.shape ? given : broadcast_to(given, state.shape);
            }
            h.push_back(note(state.name, s.reverse ? s.steps + 1 : 0, start, false));
        }
        prefix_ = prefix;
        for (int64_t k = 0; k < s.steps; k++) {
            const int64_t t = direction || s.reverse ? s.steps - k : k + 1;
            values_ = {{s.cell->input, x[static_cast<size_t>(t - 1)]}};
            for (size_t i = 0; i < h.size(); i++) values_[s.cell->states[i].name] = h[i];
            for (const Equation &e : s.cell->equations)
                values_[e.target + (e.next ? "'" : "")] =
                    note(e.target, t, value(e.value, 0), e.slopes);
            for (size_t i = 0; i < h.size(); i++) h[i] = values_[s.cell->states[i].name + "'"];
            y[static_cast<size_t>(t - 1)] = h[0];
        }
        prefix_ = "";
        values_ = outside;
        return y;
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
        case Op::ARRAY: {
            Array y(n.shape);
            for (size_t i = 0; i < n.values.size(); i++) y.at[i] = n.values[i];
            return y;
        }
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

} // namespace random_model

#endif
