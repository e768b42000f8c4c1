/* The pointwise kernels: within a few roundings of the exact value, whatever the position and the
 * scalars. */
#include "autograd/tape.h"
#include "tests/ops/kernel_calls.h"

namespace {

#define EXP std::exp
#define LOG std::log
#define LOG1P std::log1p
#define SIGMOID(x) (1 / (1 + EXP(-(x))))
#define TANH std::tanh
#define ATAN std::atan
#define SIN std::sin
#define COS std::cos
#define SQRT std::sqrt
#define ABS std::fabs
#define FLOOR std::floor
#define ROUND_EVEN std::nearbyint
#define SIN std::sin
#define COS std::cos
#define ERF std::erf
#define ERFC std::erfc
#define EXPM1 std::expm1
#define POWER std::pow

/* A row of pointwise.def. The error of each function is at most 4 units in the last place, and no
 * row has more than four other roundings. */
struct Row {
    const char *name;
    int inputs;
    rv_pointwise_kernel rv_kernels::*kernel;
    Exact (*exact)(Exact x, Exact y, Exact z);
    double low, high;
};

const Row kRows[] = {
#define UNUSED [[maybe_unused]]
#define ROW(name, inputs, value, low, high) \
    {#name, \
     inputs, \
     &rv_kernels::name, \
     [](UNUSED Exact x, UNUSED Exact y, UNUSED Exact z) -> Exact { return value; }, \
     low, \
     high},
#define UNARY(name, formula, doc, value, gradient, low, high, ...) ROW(name, 1, value, low, high)
#define BINARY(name, formula, doc, value, gradient, low, high, ...) ROW(name, 2, value, low, high)
#define TERNARY(name, formula, doc, value, gradient, low, high, ...) ROW(name, 3, value, low, high)
#include "ops/pointwise.def"
};

constexpr int64_t kCounts[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 100, 257, 1000};

TYPED_TEST(Kernels, PointwiseFollowsItsRow)
{
    using T = TypeParam;
    this->each_table([](const rv_kernels &table) {
        for (const Row &row : kRows) {
            for (const int64_t n : kCounts) {
                for (unsigned scalar = 0; scalar < 1u << row.inputs; scalar++) {
                    SCOPED_TRACE(std::string(row.name) + " n " + std::to_string(n) + " scalar " +
                                 std::to_string(scalar));
                    std::vector<std::unique_ptr<Buffer<T>>> x;
                    Call<T> call;
                    call.scalar = scalar;
                    for (int k = 0; k < 3; k++) {
                        x.push_back(
                            std::make_unique<Buffer<T>>(scalar >> k & 1 ? 1 : n, kWholeBlocks));
                        fill(*x[k], 7 + k, row.low, row.high);
                        for (int64_t i = 0; i < x[k]->count(); i += 5) (*x[k])[i] = T(1);
                        if (k < row.inputs) call.in.push_back(x[k]->data());
                    }
                    Buffer<T> y(n, kWholeBlocks);
                    call(table.*row.kernel, y);
                    for (int64_t i = 0; i < n; i++) {
                        Exact v[3];
                        for (int k = 0; k < 3; k++) v[k] = (*x[k])[scalar >> k & 1 ? 0 : i];
                        const Exact exact = row.exact(v[0], v[1], v[2]);
                        /* the error of a sum is relative to its terms */
                        const bool sum = std::string(row.name) == "multiply_add";
                        const Exact size =
                            sum ? std::fabs(v[0] * v[1]) + std::fabs(v[2]) : std::fabs(exact);
                        ASSERT_LE(std::fabs(y[i] - exact), 8 * kEps<T> * size) << "element " << i;
                    }
                }
            }
        }
    });
}

/* More elements than a kernel processes at a time, and so many that one rounding more or less
 * changes some. */
constexpr int64_t kMany = 1 << 16;

TYPED_TEST(Kernels, PointwiseBitsDoNotDependOnThePosition)
{
    using T = TypeParam;
    const T special[] = {T(0), T(-0.0), T(INFINITY), T(-INFINITY), T(NAN), T(1000), T(-1000)};
    this->each_table([&](const rv_kernels &table) {
        for (const Row &row : kRows) {
            Buffer<T> x(kMany), y(kMany), z(kMany), all(kMany);
            fill(x, 1, row.low, row.high);
            fill(y, 2, row.low, row.high);
            fill(z, 3, row.low, row.high);
            for (int64_t i = 0; i < kMany; i += 2) x[i] *= 4; /* further than rows are sampled */
            for (int64_t i = 0; i < kMany / 29; i++) x[i * 29 + 3] = special[i % 7];
            Call<T> call;
            call.in = {x.data(), y.data(), z.data()};
            call.in.resize(row.inputs);
            call(table.*row.kernel, all);
            for (int64_t start = 0; start + 160 <= kMany; start += start < 36 ? 1 : 124) {
                for (const int64_t n : {160, 18, 16, 5, 1}) {
                    if (start > 36 && n < 160) break;
                    Buffer<T> part(n, kWholeBlocks);
                    call.in = {x.data() + start, y.data() + start, z.data() + start};
                    call.in.resize(row.inputs);
                    call(table.*row.kernel, part);
                    for (int64_t i = 0; i < n; i++) {
                        if (std::isnan(part[i]) && std::isnan(all[start + i])) continue;
                        ASSERT_EQ(bits(part[i]), bits(all[start + i]))
                            << row.name << " of " << x[start + i] << " at " << i << " of " << n;
                    }
                }
            }
        }
    });
}

TYPED_TEST(Kernels, PointwiseMayOverwriteAnInput)
{
    using T = TypeParam;
    this->each_table([](const rv_kernels &table) {
        for (const Row &row : kRows) {
            for (int k = 0; k < row.inputs; k++) {
                Buffer<T> x(kMany, kWholeBlocks), y(kMany, kWholeBlocks), z(kMany, kWholeBlocks),
                    out(kMany, kWholeBlocks);
                Buffer<T> *in[] = {&x, &y, &z};
                for (int s = 0; s < 3; s++) fill(*in[s], 4 + s, row.low, row.high);
                Call<T> call;
                call.in = {x.data(), y.data(), z.data()};
                call.in.resize(row.inputs);
                call(table.*row.kernel, out);
                call(table.*row.kernel, *in[k]);
                for (int64_t i = 0; i < kMany; i++)
                    ASSERT_EQ(bits(out[i]), bits((*in[k])[i])) << row.name;
            }
        }
    });
}

/* add is not a row. Whatever its inputs are, it adds them from left to right. */
TYPED_TEST(Kernels, AddIsTheSumOfTensorsAndNumbers)
{
    using T = TypeParam;
    for (int inputs = 1; inputs <= 4; inputs++) {
        for (unsigned scalar = 0; scalar < 1u << inputs; scalar++) {
            for (const int64_t n : kCounts) {
                std::vector<std::unique_ptr<Buffer<T>>> x;
                Call<T> call;
                call.scalar = scalar;
                for (int k = 0; k < inputs; k++) {
                    x.push_back(std::make_unique<Buffer<T>>(scalar >> k & 1 ? 1 : n, kWholeBlocks));
                    fill(*x[k], 7 + k);
                    call.in.push_back(x[k]->data());
                }
                Buffer<T> y(n, kWholeBlocks);
                call(rv_op_add.pointwise(Traits<T>::dtype), y);
                for (int64_t i = 0; i < n; i++) {
                    T sum = 0;
                    for (int k = 0; k < inputs; k++) sum += (*x[k])[scalar >> k & 1 ? 0 : i];
                    ASSERT_EQ(y[i], sum) << inputs << " inputs, numbers " << scalar << ", at " << i;
                }
            }
        }
    }
}

TYPED_TEST(Kernels, PointwiseIsRightAtTheEndsOfTheLine)
{
    using T = TypeParam;
    const T inf = INFINITY, nan = NAN;
    struct Case {
        rv_pointwise_kernel rv_kernels::*kernel;
        T x, y;
    };
    const T half_pi = static_cast<T>(1.57079632679489661923L);
    const Case cases[] = {
        {&rv_kernels::exp, T(0), T(1)},
        {&rv_kernels::exp, T(-0.0), T(1)},
        {&rv_kernels::exp, inf, inf},
        {&rv_kernels::exp, -inf, T(0)},
        {&rv_kernels::exp, T(1000), inf},
        {&rv_kernels::exp, T(-1000), T(0)},
        {&rv_kernels::log, T(0), -inf},
        {&rv_kernels::log, T(1), T(0)},
        {&rv_kernels::log, inf, inf},
        {&rv_kernels::log, T(-1), nan},
        {&rv_kernels::sigmoid, T(0), T(0.5)},
        {&rv_kernels::sigmoid, T(1000), T(1)},
        {&rv_kernels::sigmoid, T(-1000), T(0)},
        {&rv_kernels::sigmoid, inf, T(1)},
        {&rv_kernels::sigmoid, -inf, T(0)},
        {&rv_kernels::tanh, T(0), T(0)},
        {&rv_kernels::tanh, T(-0.0), T(-0.0)},
        {&rv_kernels::tanh, T(1000), T(1)},
        {&rv_kernels::tanh, T(-1000), T(-1)},
        {&rv_kernels::tanh, inf, T(1)},
        {&rv_kernels::tanh, -inf, T(-1)},
        {&rv_kernels::arctan, T(-0.0), T(-0.0)},
        {&rv_kernels::arctan, inf, half_pi},
        {&rv_kernels::arctan, -inf, -half_pi},
        {&rv_kernels::softplus, inf, inf},
        {&rv_kernels::softplus, -inf, T(0)},
        {&rv_kernels::softplus, T(1000), T(1000)},
        {&rv_kernels::softplus, T(-1000), T(0)},
        {&rv_kernels::sqrt, T(0), T(0)},
        {&rv_kernels::sqrt, T(-1), nan},
        {&rv_kernels::sqrt, inf, inf},
        {&rv_kernels::relu, -inf, T(0)},
        {&rv_kernels::relu, inf, inf},
        {&rv_kernels::negate, T(0), T(-0.0)},
        {&rv_kernels::abs, T(-0.0), T(0)},
        {&rv_kernels::abs, -inf, inf},
        {&rv_kernels::sign, T(-0.0), T(0)},
        {&rv_kernels::sign, -inf, T(-1)},
        {&rv_kernels::floor, T(-0.0), T(-0.0)},
        {&rv_kernels::floor, T(-0.5), T(-1)},
        {&rv_kernels::floor, T(2.75), T(2)},
        {&rv_kernels::floor, -inf, -inf},
        {&rv_kernels::round, T(-0.5), T(-0.0)},
        {&rv_kernels::round, T(0.5), T(0)},
        {&rv_kernels::round, T(1.5), T(2)},
        {&rv_kernels::round, T(2.5), T(2)},
        {&rv_kernels::round, T(-3.5), T(-4)},
        {&rv_kernels::round, T(2.75), T(3)},
        {&rv_kernels::round, inf, inf},
        {&rv_kernels::sin, T(-0.0), T(-0.0)},
        {&rv_kernels::sin, inf, nan},
        {&rv_kernels::cos, T(0), T(1)},
        {&rv_kernels::cos, -inf, nan},
        {&rv_kernels::erf, T(-0.0), T(-0.0)},
        {&rv_kernels::erf, inf, T(1)},
        {&rv_kernels::erf, -inf, T(-1)},
        {&rv_kernels::expm1, T(-0.0), T(-0.0)},
        {&rv_kernels::expm1, T(1000), inf},
        {&rv_kernels::expm1, -inf, T(-1)},
        {&rv_kernels::exp, nan, nan},
        {&rv_kernels::log, nan, nan},
        {&rv_kernels::sigmoid, nan, nan},
        {&rv_kernels::tanh, nan, nan},
        {&rv_kernels::arctan, nan, nan},
        {&rv_kernels::softplus, nan, nan},
        {&rv_kernels::sqrt, nan, nan},
        {&rv_kernels::square, nan, nan},
        {&rv_kernels::abs, nan, nan},
        {&rv_kernels::sin, nan, nan},
        {&rv_kernels::cos, nan, nan},
        {&rv_kernels::erf, nan, nan},
        {&rv_kernels::expm1, nan, nan},
        {&rv_kernels::negate, nan, nan},
        {&rv_kernels::exp, T(1e-40), T(1)},
    };
    this->each_table([&](const rv_kernels &table) {
        for (const Case &c : cases) {
            for (const int64_t at : {0, 5, 20}) {
                Buffer<T> x(21, kWholeBlocks), y(21, kWholeBlocks);
                fill(x, 1, 0.5, 1);
                x[at] = c.x;
                Call<T> call;
                call.in = {x.data()};
                call(table.*c.kernel, y);
                if (std::isnan(c.y)) {
                    EXPECT_TRUE(std::isnan(y[at])) << &c - cases << " of " << c.x << ": " << y[at];
                } else {
                    EXPECT_EQ(y[at], c.y) << "case " << &c - cases << " of " << c.x;
                    EXPECT_EQ(std::signbit(y[at]), std::signbit(c.y)) << "case " << &c - cases;
                }
            }
        }
    });
}

/* f32 over the whole line: each 10007th bit pattern, so that subnormal numbers, infinities and NaN
 * are among them. The error is in units of the last place. */
TEST(KernelMaths, IsAsGoodAsItsCommentsSay)
{
    const struct {
        rv_pointwise_kernel rv_kernels::*kernel;
        Exact most;
    } claims[] = {{&rv_kernels::exp, 1.7L},     {&rv_kernels::log, 2.0L},
                  {&rv_kernels::sigmoid, 2.5L}, {&rv_kernels::tanh, 3.5L},
                  {&rv_kernels::arctan, 2.0L},  {&rv_kernels::softplus, 3.6L},
                  {&rv_kernels::sin, 0.51L},    {&rv_kernels::cos, 0.51L},
                  {&rv_kernels::expm1, 0.51L},  {&rv_kernels::erf, 1.5L}};
    Buffer<float> x((int64_t{1} << 32) / 10007, kWholeBlocks), y(x.count(), kWholeBlocks);
    for (int64_t i = 0; i < x.count(); i++) {
        const auto pattern = static_cast<uint32_t>(i * 10007);
        std::memcpy(&x[i], &pattern, sizeof pattern);
    }
    Call<float> call;
    call.in = {x.data()};
    for (const auto &claim : claims) {
        const Row *row = kRows;
        while (row->kernel != claim.kernel) row++;
        std::vector<Exact> exact;
        for (int64_t i = 0; i < x.count(); i++) exact.push_back(row->exact(x[i], 0, 0));
        for (int level = 0; level < RV_KERNEL_LEVELS; level++) {
            const rv_kernels *table = rv_kernels_at(RV_F32, level);
            if (table == nullptr) continue;
            call(table->*claim.kernel, y);
            for (int64_t i = 0; i < x.count(); i++) {
                const Exact e = exact[static_cast<size_t>(i)];
                const bool special = std::isnan(e) || std::isinf(static_cast<float>(e));
                const Exact unit = std::ldexp(1.0L, std::max(std::ilogb(e), -126) - 23);
                const bool good = std::isnan(e) ? std::isnan(y[i])
                                  : special     ? y[i] == static_cast<float>(e)
                                                : std::fabs(y[i] - e) <= claim.most * unit &&
                                                  std::signbit(y[i]) == std::signbit(e);
                ASSERT_TRUE(good) << row->name << " of " << x[i] << " is " << y[i] << ", not " << e
                                  << ", level " << level;
            }
        }
    }
}

} // namespace
