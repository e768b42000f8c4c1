/* Random equations and random nets. Equations: every graph is a pure function of a seed,
 * well-shaped, and tame. Values stay bounded, and no comparison is ever close, so that different
 * roundings lead to the same branch. */
#ifndef RV_TESTS_AUTOGRAD_RANDOM_GRAPHS_H
#define RV_TESTS_AUTOGRAD_RANDOM_GRAPHS_H

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "optim/optim.h"
#include "autograd/recompute.h"
#include "ops/options.h"
#include "ops/samples_internal.h"
#include "tests/tapes.h"

class RandomGraph {
  public:
    /* Records the graph of this seed on the tape, with or without its assignments. */
    RandomGraph(rv_tape *tape, unsigned seed, bool assign)
        : tape_(tape), assigns_(assign), random_(seed)
    {
        make_leaves();
        const int ops = 8 + below(below(8) ? 30 : 200);
        for (int i = 0; i < ops; i++) pool_.push_back(tame(random_op()));
        const bool early = coin(); /* then what is recorded later must still see the old values */
        if (early) choose_assignments();
        choose_outputs();
        if (!early) choose_assignments();
    }

    std::vector<rv_var> outputs;
    std::vector<std::string> inputs;
    std::map<std::string, Values> indices;              /* what i32 inputs are to hold */
    std::vector<std::pair<rv_var, rv_var>> assignments; /* target, value */
    std::set<std::string> called;                       /* registered ops recorded by sampled() */

  private:
    enum { MOST_ELEMENTS = 400 };
    rv_tape *tape_;
    bool assigns_;
    std::mt19937 random_;
    std::vector<rv_var> pool_, leaves_, stored_;
    int made_ = 0;

    int below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }
    bool coin() { return below(2) == 0; }
    template <class T> const T &any(const std::vector<T> &of)
    {
        return of[static_cast<size_t>(below(static_cast<int>(of.size())))];
    }
    rv_var pick() { return any(pool_); }

    static int64_t count(rv_var x) { return rv_shape_count(rv_shape_of(x)); }
    static int rank(rv_var x) { return static_cast<int>(rv_shape_of(x).rank); }

    rv_shape random_shape()
    {
        rv_shape shape = RV_SCALAR;
        const int most = below(5);
        for (int d = 0; d < most; d++) {
            const int64_t size = 1 + below(5);
            if (rv_shape_count(shape) * size <= 60) shape.dim[shape.rank++] = size;
        }
        return shape;
    }

    std::string fresh(const char *prefix) { return prefix + std::to_string(made_++); }

    rv_var parameter(rv_shape shape)
    {
        const std::string name = fresh("p");
        const rv_var p = coin() ? rv_parameter(tape_, name.c_str(), shape, rv_init_uniform(-1, 1))
                                : rv_state(tape_, name.c_str(), shape, rv_init_uniform(-1, 1));
        stored_.push_back(p);
        return p;
    }

    rv_var input(rv_shape shape)
    {
        inputs.push_back(fresh("x"));
        return rv_input(tape_, inputs.back().c_str(), shape);
    }

    /* Different everywhere, and nowhere a simple fraction. */
    rv_var ramp(rv_shape shape)
    {
        rv_tensor values;
        rv_tensor_new(&values, rv_tape_dtype(tape_), shape, nullptr);
        for (int64_t i = 0; i < rv_tensor_count(&values); i++)
            rv_tensor_set(&values, i, 0.123456 + 0.0271828 * static_cast<double>((i * 7) % 97));
        const rv_var constant = rv_constant(tape_, &values);
        rv_tensor_free(&values);
        return constant;
    }

    void make_leaves()
    {
        const rv_shape shape = below(4) ? random_shape() : RV_SHAPE(7, 50); /* of several tiles */
        for (int i = 0; i < 3; i++) leaves_.push_back(parameter(shape));    /* to be exchanged */
        leaves_.push_back(parameter(RV_SHAPE(rv_shape_count(shape))));      /* a view of those */
        leaves_.push_back(parameter(RV_SCALAR));
        leaves_.push_back(input(shape));
        leaves_.push_back(input(random_shape()));
        if (coin()) leaves_.push_back(input(RV_SCALAR));
        pool_ = leaves_;
        const double values[] = {0, 1, -1, 0.5, 0, 1};
        for (const double value : values)
            pool_.push_back(rv_full(tape_, coin() ? shape : random_shape(), value));
        pool_.push_back(ramp(random_shape()));
    }

    /* Keeps what may have grown within -1.6..1.6. */
    rv_var tame(rv_var x) { return grown_ ? rv_arctan(x) : x; }
    bool grown_ = false;

    /* A value that broadcasts against x: of its shape, or with some axes 1 or gone. */
    rv_var partner(rv_var x)
    {
        for (int attempt = 0; attempt < 8; attempt++) {
            const rv_var y = pick();
            if (rv_shape_equal(rv_shape_of(x), rv_shape_of(y))) return y;
            if (rank(y) == 0 && coin()) return y;
        }
        switch (below(4)) {
        case 0: return rv_mean(x, static_cast<unsigned>(below(1 << rank(x))), true);
        case 1: return rank(x) ? rv_mean(x, 1, false) : x;
        case 2: return rv_full(tape_, coin() ? rv_shape_of(x) : RV_SCALAR, below(3) - 1);
        default: return parameter(rv_shape_of(x));
        }
    }

    /* A comparison that is nowhere close. */
    rv_var condition(rv_var x)
    {
        const rv_var y = partner(x);
        const auto compare = coin() ? rv_less : rv_less_equal;
        return coin() ? compare(x, rv_shift(y, 0.0123456789))
                      : compare(rv_shift(rv_scale(y, 1.0372), 0.00987654), x);
    }

    rv_var random_op()
    {
        grown_ = false;
        switch (below(7)) {
        case 0: return unary(pick());
        case 1:
        case 2: return binary(pick());
        case 3: return moved(pick());
        case 4: return reduced(pick());
        case 5: return sampled();
        default: return product(pick());
        }
    }

    /* Any op of the registry as a sample of it says, on values that there are, brought into the
     * sample's range. */
    rv_var sampled()
    {
        const rv_op *op = rv_op_at(below(rv_op_count()));
        std::vector<const rv_sample *> fitting;
        for (const rv_sample *s = op->samples; s < op->samples + op->sample_count; s++)
            if (!s->error && is_small(op, s)) fitting.push_back(s);
        if (fitting.empty()) return pick();
        const rv_sample *s = any(fitting);
        std::vector<rv_var> x;
        for (int k = 0; k < rv_sample_inputs(op, s); k++)
            x.push_back(s->integer >> k & 1 ? whole(s, s->in[k]) : within(s, k));
        const rv_var y = rv_sample_record_on(tape_, op, s, x.data());
        called.insert(op->name);
        grown_ = true;
        return rv_cast(y, rv_tape_dtype(tape_));
    }

    static bool is_small(const rv_op *op, const rv_sample *s)
    {
        int64_t elements = 0;
        for (int k = 0; k < rv_sample_inputs(op, s); k++) elements += rv_shape_count(s->in[k]);
        return elements <= 4 * MOST_ELEMENTS;
    }

    /* Whole numbers from low to high, constant or of an input. */
    rv_var whole(const rv_sample *s, rv_shape shape)
    {
        const bool constant = coin();
        const auto low = static_cast<int>(s->low), high = static_cast<int>(s->high);
        Values values;
        for (int64_t i = rv_shape_count(shape); i > 0; i--)
            values.push_back(low + below(high - low + 1));
        if (constant) return table(values, shape);
        const std::string name = fresh("i");
        indices[name] = values;
        return rv_input_typed(tape_, name.c_str(), RV_I32, shape);
    }

    rv_var table(const Values &values, rv_shape shape)
    {
        rv_tensor tensor;
        rv_tensor_new(&tensor, RV_I32, shape, nullptr);
        set_values(&tensor, values);
        const rv_var constant = rv_constant(tape_, &tensor);
        rv_tensor_free(&tensor);
        return constant;
    }

    /* The elements of some value, over and over, within low..high; no two of one op's inputs are
     * close. */
    rv_var within(const rv_sample *s, int k)
    {
        const rv_shape shape = s->in[k];
        const rv_var from = pick();
        Values order;
        for (int64_t i = 0; i < rv_shape_count(shape); i++)
            order.push_back(static_cast<double>(i % count(from)));
        const rv_var repeated = rv_reshape(rv_gather(rv_reshape(from, RV_SHAPE(-1)),
                                                     table(order, RV_SHAPE(rv_shape_count(shape)))),
                                           shape);
        const rv_var apart = rv_sigmoid(rv_add(repeated, rv_scale(ramp(shape), 1 + 0.37 * k)));
        return rv_shift(rv_scale(apart, s->high - s->low), s->low);
    }

    rv_var unary(rv_var x)
    {
        switch (below(27)) {
        case 0: return rv_negate(x);
        case 1: grown_ = true; return rv_square(x);
        case 2: return rv_sqrt(rv_shift(rv_square(x), 0.5));
        case 3: grown_ = true; return rv_exp(rv_tanh(x));
        case 4: return rv_log(rv_shift(rv_square(x), 1.5));
        case 5: return rv_sigmoid(x);
        case 6: return rv_tanh(x);
        case 7: return rv_arctan(x);
        case 8: return rv_relu(rv_add(x, ramp(rv_shape_of(x))));
        case 9: grown_ = true; return rv_softplus(x);
        case 10: return rv_one_minus(x);
        case 11: return rv_scale(x, below(3) - 1);
        case 12: return rv_stop_gradient(x);
        case 13: return rv_abs(rv_add(x, ramp(rv_shape_of(x))));
        case 14: return rv_sin(x);
        case 15: return rv_cos(x);
        case 16: return rv_erf(x);
        case 17: grown_ = true; return rv_expm1(rv_tanh(x));
        case 18: return rv_silu(x);
        case 19: return rv_gelu(x);
        case 20: return rv_hard_sigmoid(rv_add(x, ramp(rv_shape_of(x))));
        case 21: return rv_elu(rv_add(x, ramp(rv_shape_of(x))), 0.7);
        case 22: return rv_leaky_relu(rv_add(x, ramp(rv_shape_of(x))), 0.1);
        case 23: grown_ = true; return rv_dropout(x, 0.3, fresh("drop").c_str());
        case 25: return rv_control_dependency(x, rv_square(x));
        case 24: return rv_multiply(x, rv_sign(rv_add(x, ramp(rv_shape_of(x)))));
        default: return rv_clamp(rv_add(x, ramp(rv_shape_of(x))), -0.777, 1.0101);
        }
    }

    rv_var binary(rv_var x)
    {
        const rv_var y = partner(x);
        grown_ = true;
        switch (below(12)) {
        case 0: return rv_add(x, y);
        case 1: return rv_subtract(x, y);
        case 2: return rv_subtract(y, x);
        case 3: return rv_multiply(x, y);
        case 4: return rv_divide(x, rv_shift(rv_square(y), 1));
        case 5: return rv_lerp(x, y, rv_sigmoid(partner(x)));
        case 6: return rv_select(condition(x), x, y);
        case 7: return rv_equal(condition(x), condition(x));
        case 8: return rv_minimum(x, rv_shift(rv_scale(y, 1.0372), 0.00987654));
        case 9: return rv_maximum(rv_shift(rv_scale(y, 1.0372), 0.00987654), x);
        case 10: return rv_power(rv_shift(rv_square(x), 0.5), rv_tanh(y));
        default: return sum_of_many(x);
        }
    }

    rv_var sum_of_many(rv_var x)
    {
        std::vector<rv_var> terms;
        const int most = coin() ? 3 + below(4) : 33 + below(4);
        for (int i = 0; i < most; i++) {
            const rv_var y = below(4) ? x : partner(x);
            terms.push_back(
                below(3) ? rv_broadcast(rank(y) <= rank(x) && fits(y, x) ? y : x, rv_shape_of(x))
                         : rv_full(tape_, rv_shape_of(x), below(2)));
        }
        return rv_scale(rv_add_all(terms.data(), most), 1.0 / most);
    }

    static bool fits(rv_var y, rv_var x)
    {
        const rv_shape a = rv_shape_of(y), b = rv_shape_of(x);
        for (int64_t d = 1; d <= a.rank; d++)
            if (a.dim[a.rank - d] != 1 && a.dim[a.rank - d] != b.dim[b.rank - d]) return false;
        return true;
    }

    rv_shape regrouped(int64_t elements)
    {
        rv_shape shape = RV_SCALAR;
        while (elements > 1 && shape.rank < 4) {
            std::vector<int64_t> divisors;
            for (int64_t d = 2; d <= elements; d++)
                if (elements % d == 0) divisors.push_back(d);
            const int64_t size = shape.rank == 3 ? elements : any(divisors);
            shape.dim[shape.rank++] = size;
            elements /= size;
        }
        if (shape.rank < 4 && coin()) shape.dim[shape.rank++] = 1;
        return shape;
    }

    rv_var moved(rv_var x)
    {
        const rv_shape shape = rv_shape_of(x);
        int64_t a[RV_MAX_RANK], b[RV_MAX_RANK], c[RV_MAX_RANK];
        int axes[RV_MAX_RANK];
        switch (below(11)) {
        case 0: return rv_reshape(x, regrouped(count(x)));
        case 1:
            for (int d = 0; d < rank(x); d++) axes[d] = d;
            std::shuffle(axes, axes + rank(x), random_);
            return rv_transpose(x, axes);
        case 2:
            for (int d = 0; d < rank(x); d++) {
                c[d] = 1 + below(2);
                a[d] = below(static_cast<int>(shape.dim[d]));
                b[d] = 1 + below(static_cast<int>((shape.dim[d] - 1 - a[d]) / c[d] + 1));
            }
            return rv_slice(x, a, b, c);
        case 3:
            for (int d = 0; d < rank(x); d++) {
                a[d] = below(3) - (shape.dim[d] > 3);
                b[d] = below(3) - (shape.dim[d] > 3);
                c[d] = below(5) == 0;
            }
            return count(x) * (rank(x) < 3 ? 8 : 27) > 4 * MOST_ELEMENTS ? x : rv_pad(x, a, b, c);
        case 4: {
            if (rank(x) == 0 || 3 * count(x) > MOST_ELEMENTS) return x;
            const rv_var y = partner(x);
            const rv_var parts[] = {x, rv_shape_equal(rv_shape_of(y), shape) ? y : rv_negate(x), x};
            return rv_concat(parts, 1 + below(3), below(rank(x)));
        }
        case 5: {
            if (rank(x) > 4 || 3 * count(x) > MOST_ELEMENTS) return x;
            rv_shape wider = {shape.rank + 1, {1 + below(3)}};
            std::copy(shape.dim, shape.dim + shape.rank, wider.dim + 1);
            return rv_broadcast(x, wider);
        }
        case 6: return rv_flip(x, static_cast<unsigned>(below(1 << rank(x))));
        case 7:
            grown_ = true;
            if (!rank(x)) return x;
            return coin() ? rv_scale(rv_cumulative_sum(x, below(rank(x)), coin()), 0.25) : scan(x);
        case 8: return by_rows(x);
        case 9: {
            if (rank(x) > 4 || 3 * count(x) > MOST_ELEMENTS) return x;
            const rv_var parts[] = {x, rv_sin(x), x};
            return rv_stack(parts, 1 + below(3), below(rank(x) + 1));
        }
        default: {
            const rv_dtype own = rv_tape_dtype(tape_), other = own == RV_F32 ? RV_F64 : RV_F32;
            return rv_cast(rv_cast(x, other), own);
        }
        }
    }

    /* Rows of x by an index that goes a little beyond them, or added to new ones. */
    /* A recurrence, with coefficients and a start that depend on x. */
    rv_var scan(rv_var x)
    {
        const int axis = below(rank(x));
        return rv_scan(rv_tanh(x), rv_scale(x, 0.25), rv_slice_axis(rv_sin(x), axis, 0, 1), axis,
                       coin());
    }

    rv_var by_rows(rv_var x)
    {
        if (rank(x) == 0) return x;
        const int64_t rows = rv_shape_of(x).dim[0];
        const bool gathers = coin();
        rv_sample range = {};
        range.low = -1, range.high = static_cast<double>(rows);
        const rv_var index = whole(&range, RV_SHAPE(rows));
        grown_ = true;
        return gathers ? rv_gather(x, index) : rv_scatter_add(x, index, rows);
    }

    rv_var reduced(rv_var x)
    {
        const auto axes = static_cast<unsigned>(coin() ? RV_ALL_AXES : below(1 << rank(x)));
        grown_ = true;
        switch (below(7)) {
        case 0: return rv_sum(x, axes, coin());
        case 1: return rv_mean(x, axes, coin());
        case 2: return rv_max(rv_add(x, ramp(rv_shape_of(x))), axes, coin());
        case 3: return rv_log_sum_exp(rv_add(x, ramp(rv_shape_of(x))), axes, coin());
        case 4: return rv_normalize(x, axes, 0.5);
        case 5: return pooled(x);
        default: return rank(x) ? rv_softmax(x, below(rank(x))) : x;
        }
    }

    rv_var pooled(rv_var x)
    {
        const rv_shape shape = rv_shape_of(x);
        if (rank(x) < 2 || shape.dim[rank(x) - 1] < 2 || shape.dim[rank(x) - 2] < 2) return x;
        return coin() ? rv_max_pool2d(rv_add(x, ramp(shape)), 2, 1 + below(2))
                      : rv_average_pool2d(x, 2, 1 + below(2));
    }

    /* One that there is, or a new one. */
    rv_var weights(rv_shape shape)
    {
        for (const rv_var w : stored_)
            if (rv_shape_equal(rv_shape_of(w), shape) && coin()) return w;
        return parameter(shape);
    }

    /* A sum of products, transposed or not, batched or not; of convolutions of x, seen as an
     * image. */
    rv_var product(rv_var x)
    {
        grown_ = true;
        if (count(x) > MOST_ELEMENTS / 2) return rv_tanh(x);
        std::vector<rv_var> terms;
        const int most = 1 + below(3) * below(2);
        if (coin()) {
            const rv_var a = rank(x) >= 2 ? x : rv_reshape(x, RV_SHAPE(1, count(x)));
            const int64_t m = rv_shape_of(a).dim[rank(a) - 2], k = rv_shape_of(a).dim[rank(a) - 1];
            const bool ta = coin(), tb = coin();
            const int64_t inner = ta ? m : k, n = coin() ? inner : 1 + below(3);
            if (coin()) terms.push_back(rv_matmul(a, a, ta, !ta));
            while (static_cast<int>(terms.size()) < most && !(terms.size() == 1 && inner != n))
                terms.push_back(rv_matmul(rv_scale(a, 1.0 + below(2)),
                                          weights(tb ? RV_SHAPE(n, inner) : RV_SHAPE(inner, n)), ta,
                                          tb));
            if (terms.empty() || !rv_shape_equal(rv_shape_of(terms[0]), rv_shape_of(terms.back())))
                return terms[0];
        } else {
            rv_shape image = regrouped(count(x));
            while (image.rank < 4) image.dim[image.rank++] = 1;
            rv_conv2d_options o = {};
            o.top = below(2), o.bottom = 1 + below(2), o.left = below(2), o.right = 1 + below(2);
            o.stride[0] = 1 + below(2);
            o.dilation[1] = image.dim[3] > 2 ? 1 + below(2) : 1;
            const rv_shape kernel =
                RV_SHAPE(1 + below(2), image.dim[1], 1 + below(2), 1 + below(2));
            for (int i = 0; i < most; i++)
                terms.push_back(rv_conv2d(rv_reshape(x, image), weights(kernel), o));
        }
        for (const rv_var term : terms)
            if (below(4) == 0) pool_.push_back(rv_arctan(term)); /* and it has another reader */
        if (coin())
            terms.insert(terms.begin() + below(static_cast<int>(terms.size())),
                         rv_full(tape_, rv_shape_of(terms[0]), 0.5));
        if (coin()) return rv_add_all(terms.data(), static_cast<int>(terms.size()));
        rv_var sum = terms[0];
        for (size_t i = 1; i < terms.size(); i++) sum = rv_add(terms[i], sum);
        return sum;
    }

    void choose_outputs()
    {
        rv_var loss = rv_scalar(tape_, 0);
        for (int i = 0; i < 3; i++)
            loss = rv_add(loss, rv_mean(rv_tanh(pick()), RV_ALL_AXES, false));
        loss = rv_add(loss, rv_mean(rv_tanh(pool_.back()), RV_ALL_AXES, false));
        const std::vector<rv_var> wrt = {any(leaves_), any(stored_), pick(), any(stored_)};
        std::vector<rv_var> g = gradients(loss, wrt);
        if (coin()) {
            const rv_var again = rv_mean(rv_square(rv_tanh(g[1])), RV_ALL_AXES, false);
            g.push_back(gradient(again, wrt[0]));
        }
        pool_.insert(pool_.end(), g.begin(), g.end());
        outputs = {loss, any(g)};
        for (int i = below(4); i > 0; i--) outputs.push_back(pick());
        if (coin()) outputs.push_back(any(leaves_));
        if (coin()) outputs.push_back(rv_reshape(any(stored_), RV_SHAPE(-1)));
        if (coin()) outputs.push_back(outputs[0]);
        if (coin()) outputs.push_back(rv_scale(any(stored_), 1));
    }

    /* Something to assign to the target: steps, exchanges, views, outputs, constants. */
    rv_var next_value(rv_var target)
    {
        const rv_shape shape = rv_shape_of(target);
        std::vector<rv_var> fitting;
        for (const rv_var v : pool_)
            if (count(v) == rv_shape_count(shape) && rv_dtype_of(v) == rv_tape_dtype(tape_))
                fitting.push_back(v);
        for (const rv_var v : stored_)
            if (count(v) == rv_shape_count(shape)) fitting.push_back(v);
        switch (below(7)) {
        case 0: return rv_shift(target, 1);
        case 1: return rv_scale(target, 1); /* the target itself, once simplified */
        case 2: return rv_full(tape_, shape, 0.25);
        case 3: return rv_arctan(rv_add(target, rv_reshape(any(fitting), shape)));
        case 4: return rv_flip(target, static_cast<unsigned>(below(1 << shape.rank)));
        default: return rv_reshape(any(fitting), shape);
        }
    }

    /* Random numbers have recorded how their count goes on. */
    void add_count_of_runs()
    {
        if (rv_store_find(rv_tape_store(tape_), "random/count") == nullptr) return;
        const rv_var count = rv_state(tape_, "random/count", RV_SHAPE(2), rv_init_constant(0));
        const int32_t effect = rv_tape_node(tape_, count.id)->assignment - 1;
        assignments.emplace_back(count, rv_var{tape_, rv_tape_node(tape_, effect)->in[1]});
    }

    void choose_assignments()
    {
        for (const rv_var target : stored_)
            if (below(3)) assignments.emplace_back(target, next_value(target));
        if (coin()) { /* an exchange of the first three */
            assignments.erase(std::remove_if(assignments.begin(), assignments.end(),
                                             [&](const auto &a) {
                                                 return a.first.id == stored_[0].id ||
                                                        a.first.id == stored_[1].id ||
                                                        a.first.id == stored_[2].id;
                                             }),
                              assignments.end());
            const int shift = 1 + below(2);
            for (int i = 0; i < 3; i++)
                assignments.emplace_back(stored_[static_cast<size_t>(i)],
                                         stored_[static_cast<size_t>((i + shift) % 3)]);
        }
        add_count_of_runs();
        std::shuffle(assignments.begin(), assignments.end(), random_);
        for (const auto &[target, value] : assignments)
            if (assigns_) rv_assign(target, value);
    }
};

/* A recurrent net of products or of 3x3 convolutions, shown its inputs for some steps, and its
 * training: of sizes at which work is cut, products pack what they share and convolutions go by
 * transforms. */
class RandomNet {
  public:
    std::map<std::string, Values> indices; /* none */

    RandomNet(rv_tape *tape, unsigned seed, bool assign) : tape_(tape), random_(seed)
    {
        convolves_ = below(3) == 0;
        steps_ = 1 + below(5);
        gated_ = coin();
        units_ = 16 * (1 + below(4)) + (below(4) ? 0 : 1 + below(15));
        batch_ = 1 + below(3) + (convolves_ ? 0 : below(40));
        rows_ = 6 + below(11), columns_ = 6 + below(11);
        const int64_t seen = convolves_ ? 1 + below(20) : 1 + below(40);
        const rv_var loss = run(seen);
        const std::vector<rv_var> wrt = {first_, weights_, state_};
        outputs = gradients(loss, wrt);
        outputs.push_back(loss);
        outputs.push_back(state_);
        const rv_optimizer *optimizer = rv_optimizer_at(below(rv_optimizer_count()));
        if (assign) rv_minimize(loss, *optimizer);
    }

    std::vector<rv_var> outputs;
    std::vector<std::string> inputs;

  private:
    rv_tape *tape_;
    std::mt19937 random_;
    bool convolves_, gated_;
    int steps_;
    int64_t units_, batch_, rows_, columns_;
    rv_var first_{}, weights_{}, state_{};

    int below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }
    bool coin() { return below(2) == 0; }

    rv_shape shape(int64_t channels) const
    {
        return convolves_ ? RV_SHAPE(batch_, channels, rows_, columns_)
                          : RV_SHAPE(batch_, channels);
    }

    rv_var weights(const char *name, rv_shape s)
    {
        return rv_parameter(tape_, name, s, rv_init_uniform(-0.2, 0.2));
    }

    rv_var map(const char *name, rv_var of)
    {
        const int64_t channels = rv_shape_of(of).dim[1];
        if (!convolves_)
            return rv_matmul(of, weights(name, RV_SHAPE(channels, units_)), false, false);
        const rv_var w = weights(name, RV_SHAPE(units_, channels, 3, 3));
        rv_conv2d_options around = {};
        around.top = around.bottom = around.left = around.right = 1;
        return padded_ ? rv_conv2d(rv_pad2d(of, 1), w, {}) : rv_conv2d(of, w, around);
    }
    bool padded_ = false;

    rv_var gate(const char *of_x, const char *of_h, rv_var x, rv_var h)
    {
        const rv_var bias = weights(gated_ ? of_x + 1 : "bias",
                                    convolves_ ? RV_SHAPE(units_, 1, 1) : RV_SHAPE(units_));
        const rv_var terms[] = {map(of_x, x), rv_broadcast(bias, shape(units_)), map(of_h, h)};
        return coin() ? rv_add_all(terms, 3) : rv_add(rv_add(terms[0], terms[2]), bias);
    }

    rv_var run(int64_t seen)
    {
        padded_ = coin();
        rv_var h = rv_full(tape_, shape(units_), 0.25);
        std::vector<rv_var> all;
        for (int t = 0; t < steps_; t++) {
            rv_var x = input(shape(seen));
            if (t == 0) first_ = x;
            if (coin()) x = rv_add(x, rv_scale(rv_flip(first_, 1), 0.5));
            const rv_var c = rv_tanh(gate("wc", "uc", x, h));
            h = gated_ ? rv_lerp(c, h, rv_sigmoid(gate("wg", "ug", x, h))) : c;
            all.push_back(coin() ? h : rv_square(h));
        }
        state_ = h;
        weights_ =
            weights("uc", convolves_ ? RV_SHAPE(units_, units_, 3, 3) : RV_SHAPE(units_, units_));
        const rv_var loss = rv_mean(rv_square(rv_add_all(all.data(), static_cast<int>(all.size()))),
                                    RV_ALL_AXES, false);
        return coin() ? loss : rv_add(loss, rv_scale(total(rv_square(weights_)), 1e-3));
    }

    rv_var input(rv_shape s)
    {
        inputs.push_back("x" + std::to_string(inputs.size()));
        return rv_input(tape_, inputs.back().c_str(), s);
    }
};

#endif
