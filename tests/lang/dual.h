// Arrays of dual numbers with naive loops: values and all first derivatives by forward mode.
// Nothing of the library is in here: it is what the library is held against.
#ifndef RV_TESTS_LANG_DUAL_H
#define RV_TESTS_LANG_DUAL_H

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <vector>

/* A number and its slopes along all directions; none: it is constant. */
struct Dual {
    double value = 0;
    std::vector<double> slope;

    Dual(double number = 0) : value(number) {} // NOLINT: numbers are duals
};

/* f(a) with f'(a) = by; and f(a, b) likewise. */
inline Dual chain(double value, const Dual &a, double by)
{
    Dual r(value);
    r.slope = a.slope;
    for (double &s : r.slope) s *= by;
    return r;
}

inline void add_to(Dual *r, const Dual &a, double by)
{
    if (r->slope.size() < a.slope.size()) r->slope.resize(a.slope.size());
    for (size_t i = 0; i < a.slope.size(); i++) r->slope[i] += by * a.slope[i];
}

inline Dual chain(double value, const Dual &a, double by_a, const Dual &b, double by_b)
{
    Dual r = chain(value, a, by_a);
    add_to(&r, b, by_b);
    return r;
}

inline Dual operator+(const Dual &a, const Dual &b) { return chain(a.value + b.value, a, 1, b, 1); }
inline Dual operator-(const Dual &a, const Dual &b)
{
    return chain(a.value - b.value, a, 1, b, -1);
}
inline Dual operator*(const Dual &a, const Dual &b)
{
    return chain(a.value * b.value, a, b.value, b, a.value);
}
inline Dual operator/(const Dual &a, const Dual &b)
{
    return chain(a.value / b.value, a, 1 / b.value, b, -a.value / (b.value * b.value));
}
inline Dual raise(const Dual &a, const Dual &b)
{
    const double y = std::pow(a.value, b.value);
    Dual r = chain(y, a, b.value == 0 ? 0 : b.value * std::pow(a.value, b.value - 1));
    if (!b.slope.empty()) add_to(&r, b, y * std::log(a.value));
    return r;
}
inline Dual exponential(const Dual &a) { return chain(std::exp(a.value), a, std::exp(a.value)); }
inline Dual logarithm(const Dual &a) { return chain(std::log(a.value), a, 1 / a.value); }

using Sizes = std::vector<int64_t>;

inline int64_t product_of(const Sizes &sizes)
{
    int64_t n = 1;
    for (int64_t s : sizes) n *= s;
    return n;
}

/* Row-major. */
struct Array {
    Sizes shape;
    std::vector<Dual> at;
    int origin = -1; /* the named value that it is, unchanged */

    Array() : at(1) {}
    explicit Array(Sizes sizes, double value = 0) : shape(std::move(sizes))
    {
        at.assign(static_cast<size_t>(product_of(shape)), Dual(value));
    }
    int64_t count() const { return static_cast<int64_t>(at.size()); }
};

/* Calls `visit` with every index of a shape, in order. */
inline void for_each(const Sizes &shape, const std::function<void(const Sizes &)> &visit)
{
    Sizes index(shape.size(), 0);
    for (int64_t left = product_of(shape); left > 0; left--) {
        visit(index);
        for (size_t d = shape.size(); d-- > 0;) {
            if (++index[d] < shape[d]) break;
            index[d] = 0;
        }
    }
}

/* The element at an index, whose last axes are the array's; those of size 1 repeat. */
inline size_t place(const Sizes &shape, const Sizes &index)
{
    size_t at = 0;
    const size_t skip = index.size() - shape.size();
    for (size_t d = 0; d < shape.size(); d++)
        at = at * static_cast<size_t>(shape[d]) +
             static_cast<size_t>(shape[d] == 1 ? 0 : index[d + skip]);
    return at;
}
inline const Dual &element(const Array &x, const Sizes &index)
{
    return x.at[place(x.shape, index)];
}

/* An array whose elements are what `value` says of their indices. */
inline Array made_of(const Sizes &shape, const std::function<Dual(const Sizes &)> &value)
{
    Array y(shape);
    size_t i = 0;
    for_each(shape, [&](const Sizes &index) { y.at[i++] = value(index); });
    return y;
}

inline Sizes together(const Sizes &a, const Sizes &b)
{
    const Sizes &longer = a.size() >= b.size() ? a : b, &other = a.size() >= b.size() ? b : a;
    Sizes shape = longer;
    const size_t skip = longer.size() - other.size();
    for (size_t d = 0; d < other.size(); d++) {
        if (shape[d + skip] == 1) shape[d + skip] = other[d];
        if (other[d] != 1 && other[d] != shape[d + skip]) throw std::logic_error("shapes");
    }
    return shape;
}

inline Array each(const Array &x, const std::function<Dual(const Dual &)> &f)
{
    Array y(x.shape);
    for (size_t i = 0; i < x.at.size(); i++) y.at[i] = f(x.at[i]);
    return y;
}

inline Array each(const Array &a, const Array &b,
                  const std::function<Dual(const Dual &, const Dual &)> &f)
{
    return made_of(together(a.shape, b.shape),
                   [&](const Sizes &i) { return f(element(a, i), element(b, i)); });
}

inline Array broadcast_to(const Array &x, const Sizes &shape)
{
    return made_of(shape, [&](const Sizes &i) { return element(x, i); });
}

inline Array reshaped(Array x, const Sizes &shape)
{
    if (product_of(shape) != x.count()) throw std::logic_error("reshape");
    x.shape = shape;
    return x;
}

/* [.., m, k] times [k, n] or [.., k, n]. */
inline Array times(const Array &a, const Array &b)
{
    Sizes shape = a.shape;
    const int64_t inner = shape.back();
    shape.back() = b.shape.back();
    if (b.shape[b.shape.size() - 2] != inner) throw std::logic_error("matmul");
    return made_of(shape, [&](const Sizes &i) {
        Sizes left = i, right = i;
        Dual sum;
        for (int64_t k = 0; k < inner; k++) {
            left[i.size() - 1] = right[i.size() - 2] = k;
            Sizes of_b(right.end() - static_cast<long>(b.shape.size()), right.end());
            sum = sum + element(a, left) * element(b, of_b);
        }
        return sum;
    });
}

inline Array permuted(const Array &x, const std::vector<int64_t> &axes)
{
    Sizes shape;
    for (int64_t a : axes) shape.push_back(x.shape[static_cast<size_t>(a)]);
    return made_of(shape, [&](const Sizes &i) {
        Sizes from(i.size());
        for (size_t d = 0; d < i.size(); d++) from[static_cast<size_t>(axes[d])] = i[d];
        return element(x, from);
    });
}

/* The sum over the axes, which stay with size 1. */
inline Array sum_keeping(const Array &x, const std::vector<int64_t> &axes)
{
    Sizes shape = x.shape;
    for (int64_t a : axes) shape[static_cast<size_t>(a)] = 1;
    Array y(shape);
    for_each(x.shape, [&](const Sizes &i) {
        Dual &sum = y.at[place(shape, i)];
        sum = sum + element(x, i);
    });
    return y;
}

inline Array padded(const Array &x, const Sizes &before, const Sizes &after)
{
    Sizes shape = x.shape;
    for (size_t d = 0; d < shape.size(); d++) shape[d] += before[d] + after[d];
    return made_of(shape, [&](const Sizes &i) {
        Sizes from = i;
        for (size_t d = 0; d < i.size(); d++) {
            from[d] -= before[d];
            if (from[d] < 0 || from[d] >= x.shape[d]) return Dual(0);
        }
        return element(x, from);
    });
}

inline Array flipped(const Array &x, const std::vector<int64_t> &axes)
{
    return made_of(x.shape, [&](const Sizes &i) {
        Sizes from = i;
        for (int64_t a : axes) {
            const auto d = static_cast<size_t>(a);
            from[d] = x.shape[d] - 1 - i[d];
        }
        return element(x, from);
    });
}

/* Cross-correlation of x [n,c,h,w] with w [units,c,kh,kw]. */
inline Array correlated(const Array &x, const Array &w)
{
    const Sizes shape = {x.shape[0], w.shape[0], x.shape[2] - w.shape[2] + 1,
                         x.shape[3] - w.shape[3] + 1};
    return made_of(shape, [&](const Sizes &i) {
        Dual sum;
        for (int64_t c = 0; c < w.shape[1]; c++)
            for (int64_t dy = 0; dy < w.shape[2]; dy++)
                for (int64_t dx = 0; dx < w.shape[3]; dx++) {
                    const Dual &a = element(x, {i[0], c, i[2] + dy, i[3] + dx});
                    const Dual &b = element(w, {i[1], c, dy, dx});
                    sum.value += a.value * b.value;
                    add_to(&sum, a, b.value);
                    add_to(&sum, b, a.value);
                }
        return sum;
    });
}

#endif
