/* The rows over all orders of magnitude, with NaN, infinities, zeros and the ends of the range
 * among the operands, at every instruction set. The expectations are long double and owe nothing to
 * pointwise.def. */
#include "tests/ops/kernel_calls.h"

namespace {

Exact sigmoid(Exact x) { return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x)); }
Exact softplus(Exact x) { return (x < 0 ? 0 : x) + log1pl(expl(-fabsl(x))); }
Exact round_to_even(Exact x)
{
    const bool half = fabsl(x - truncl(x)) == 0.5L;
    return copysignl(half ? 2 * roundl(x / 2) : roundl(x), x);
}

/* Where the operands are drawn from: everywhere, or 0..1 and -1..1 for an op that continues another
 * one. */
enum Domain { kAll, kOfSigmoid, kOfTanh };

struct Row {
    const char *name;
    int inputs;
    rv_pointwise_kernel rv_kernels::*row;
    Exact (*exact)(Exact x, Exact y, Exact z);
    /* The error, in units of the last place. */
    Exact ulps;
    Domain domain = kAll;
};

#define ROW(name, inputs, exact, ...) \
    { \
#name, inputs, &rv_kernels::name, \
            []([[maybe_unused]] Exact x, [[maybe_unused]] Exact y, \
               [[maybe_unused]] Exact z) -> Exact { return exact; }, __VA_ARGS__ \
    }

const Exact kNaN = NAN;

const Row kRows[] = {
    ROW(negate, 1, -x, 0),
    ROW(square, 1, x *x, 0.51L),
    ROW(sqrt, 1, sqrtl(x), 0.51L),
    ROW(exp, 1, expl(x), 4),
    ROW(log, 1, logl(x), 4),
    ROW(sigmoid, 1, sigmoid(x), 4),
    ROW(tanh, 1, tanhl(x), 4),
    ROW(arctan, 1, atanl(x), 4),
    ROW(relu, 1, x < 0 ? 0 : x, 0),
    ROW(softplus, 1, softplus(x), 4),
    ROW(abs, 1, fabsl(x), 0),
    ROW(sign, 1, std::isnan(x) ? x : (x > 0) - (x < 0), 0),
    ROW(floor, 1, floorl(x), 0),
    ROW(round, 1, round_to_even(x), 0),
    ROW(sin, 1, sinl(x), 4),
    ROW(cos, 1, cosl(x), 4),
    ROW(erf, 1, erfl(x), 4),
    ROW(erfc, 1, erfcl(x), 4),
    ROW(expm1, 1, expm1l(x), 4),
    ROW(subtract, 2, x - y, 0.51L),
    ROW(multiply, 2, x *y, 0.51L),
    ROW(divide, 2, x / y, 0.51L),
    ROW(sigmoid_gradient, 2, x *(1 - x) * y, 3, kOfSigmoid),
    ROW(tanh_gradient, 2, (1 - x) * (1 + x) * y, 3, kOfTanh),
    ROW(equal, 2, x == y, 0),
    ROW(less, 2, x < y, 0),
    ROW(less_equal, 2, x <= y, 0),
    ROW(minimum, 2, std::isnan(x) || std::isnan(y) ? kNaN : fminl(x, y), 0),
    ROW(maximum, 2, std::isnan(x) || std::isnan(y) ? kNaN : fmaxl(x, y), 0),
    ROW(power, 2, powl(x, y), 4),
    ROW(select, 3, x != 0 ? y : z, 0),
    ROW(multiply_add, 3, fmal(x, y, z), 1),
};

/* Every power of two and a number between, of both signs, and what is special. */
template <class T> std::vector<T> numbers(Domain domain, int step)
{
    using Limits = std::numeric_limits<T>;
    std::vector<T> all = {T(0), T(1), Limits::denorm_min(), Limits::min(), Limits::epsilon()};
    if (domain == kAll) all.insert(all.end(), {Limits::max(), Limits::infinity()});
    const int last = domain == kAll ? Limits::max_exponent : 0;
    for (int e = Limits::min_exponent - Limits::digits; e < last; e += step) {
        all.push_back(std::ldexp(T(1), e));
        all.push_back(std::ldexp(T(1.37), e));
        if (domain != kAll) all.push_back(T(1) - std::ldexp(T(1), e));
    }
    for (size_t i = 0, count = domain == kOfSigmoid ? 0 : all.size(); i < count; i++)
        all.push_back(-all[i]);
    all.push_back(Limits::quiet_NaN());
    return all;
}

/* Whether y is e rounded, a few units of the last place aside; beyond the largest number either
 * that or infinity. */
template <class T> bool rounds(T y, Exact e, Exact ulps, Exact size)
{
    using Limits = std::numeric_limits<T>;
    if (std::isnan(e)) return std::isnan(y);
    if (std::isinf(e)) return y == static_cast<T>(e);
    const int exponent =
        size == 0 ? Limits::min_exponent - 1 : std::max(std::ilogb(size), Limits::min_exponent - 1);
    const Exact unit = std::ldexp(Exact(1), exponent - Limits::digits + 1), off = ulps * unit;
    if (std::isinf(y)) return (y > 0) == (e > 0) && std::fabs(e) + off + unit / 2 >= Limits::max();
    return std::fabs(y - e) <= off;
}

TYPED_TEST(Kernels, PointwiseIsRightAtAllNumbers)
{
    using T = TypeParam;
    size_t covered = 0;
#define COUNT(...) covered++;
#define UNARY COUNT
#define BINARY COUNT
#define TERNARY COUNT
#include "ops/pointwise.def"
    EXPECT_EQ(covered, std::size(kRows)) << "a row without an expectation";
    for (const Row &row : kRows) {
        const int step = row.inputs == 1 ? 1 : row.inputs == 2 ? 9 : 61;
        const std::vector<T> x = numbers<T>(row.domain, sizeof(T) / 4 * step),
                             other = numbers<T>(kAll, (sizeof(T) == 4 ? 1 : 8) * step);
        const std::vector<T> one = {T(0)}, &ys = row.inputs > 1 ? other : one,
                             &zs = row.inputs > 2 ? other : one;
        Buffer<T> in[3] = {
            Buffer<T>(static_cast<int64_t>(x.size() * ys.size() * zs.size()), kWholeBlocks),
            Buffer<T>(in[0].count(), kWholeBlocks), Buffer<T>(in[0].count(), kWholeBlocks)};
        Buffer<T> out(in[0].count(), kWholeBlocks);
        int64_t i = 0;
        for (const T a : x)
            for (const T b : ys)
                for (const T c : zs) {
                    in[0][i] = a, in[1][i] = b, in[2][i] = c;
                    i++;
                }
        Call<T> call;
        for (int k = 0; k < row.inputs; k++) call.in.push_back(in[k].data());
        this->each_table([&](const rv_kernels &table) {
            call(table.*row.row, out);
            for (i = 0; i < out.count(); i++) {
                const Exact a = in[0][i], b = in[1][i], c = in[2][i], e = row.exact(a, b, c);
                /* A product may be rounded before it is added; a sum is off by what its terms are
                 * rounded by. */
                const bool sum = row.row == &rv_kernels::multiply_add;
                const Exact other = sum ? static_cast<Exact>(static_cast<T>(a * b)) + c : e;
                const Exact size =
                    sum && std::isfinite(e) ? std::fmax(std::fabs(a * b), std::fabs(c)) : e;
                ASSERT_TRUE(rounds(out[i], e, row.ulps, size) ||
                            rounds(out[i], other, row.ulps, size))
                    << row.name << "(" << a << ", " << b << ", " << c << ") is " << out[i]
                    << ", not " << e;
                if (e == 0 && row.inputs == 1) {
                    ASSERT_EQ(std::signbit(out[i]), std::signbit(e)) << row.name << " of " << a;
                }
            }
        });
    }
}

} // namespace
