/* Every kernel of every table that this machine has, against loops that follow its definition in
 * kernels.h word by word, in long double. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#include "ops/kernels/kernels.h"

namespace {

using Exact = long double;

/* A buffer between guards: a write past its ends shows in the guards, a read in AddressSanitizer, and
 * an element that is never written stays NaN. With whole blocks it owns the rest of its last one. */
enum Extent { kExact, kWholeBlocks };
template <class T> class Buffer {
  public:
    explicit Buffer(int64_t count, Extent extent = kExact) : count_(count)
    {
        size_t size = static_cast<size_t>(count) * sizeof(T);
        if (extent == kWholeBlocks) size = (size + 63) / 64 * 64;
        size_ = size;
        bytes_.assign(2 * kGuard + size, kMark);
        const auto start = reinterpret_cast<uintptr_t>(bytes_.data()) + kGuard / 2;
        data_ = reinterpret_cast<T *>((start + 63) / 64 * 64);
        for (int64_t i = 0; i < count; i++) data_[i] = std::numeric_limits<T>::quiet_NaN();
        poison(true);
    }
    ~Buffer() { poison(false); }
    Buffer(const Buffer &) = delete;
    T *data() { return data_; }
    int64_t count() const { return count_; }
    T &operator[](int64_t i) { return data_[i]; }
    bool intact()
    {
        poison(false);
        bool good = true;
        for (const auto *p = bytes_.data(); p < first(); p++) good = good && *p == kMark;
        for (const auto *p = last(); p < end(); p++) good = good && *p == kMark;
        poison(true);
        return good;
    }

  private:
    static constexpr size_t kGuard = 512;
    static constexpr unsigned char kMark = 0xA5;
    int64_t count_;
    size_t size_;
    std::vector<unsigned char> bytes_;
    T *data_;

    const unsigned char *first() const { return reinterpret_cast<unsigned char *>(data_); }
    const unsigned char *last() const { return first() + size_; }
    const unsigned char *end() const { return bytes_.data() + bytes_.size(); }
    void poison([[maybe_unused]] bool on)
    {
#ifdef __SANITIZE_ADDRESS__
        const auto mark = on ? __asan_poison_memory_region : __asan_unpoison_memory_region;
        mark(bytes_.data(), static_cast<size_t>(first() - bytes_.data()));
        mark(last(), static_cast<size_t>(end() - last()));
#endif
    }
};

/* One call of a kernel, with guarded output and scratch. */
template <class T> struct Call {
    std::vector<const void *> in;
    const void *plan = nullptr;
    size_t scratch_size = 0;
    unsigned scalar = 0;
    int part = 0, parts = 1;

    void operator()(rv_kernel kernel, T *out, int64_t count) const
    {
        Buffer<unsigned char> scratch(static_cast<int64_t>(scratch_size));
        std::memset(scratch.data(), 0xFF, scratch_size); /* NaNs: undefined content must not leak */
        rv_call call{};
        call.run = kernel;
        call.out = out;
        call.in = in.data();
        call.inputs = static_cast<int>(in.size());
        call.plan = plan;
        call.part = part;
        call.parts = parts;
        call.scratch = scratch.data();
        call.scratch_size = scratch_size;
        call.out_type.dtype = sizeof(T) == sizeof(float) ? RV_F32 : RV_F64;
        call.out_type.shape = RV_SHAPE(count);
        kernel(&call);
        ASSERT_TRUE(scratch.intact()) << "wrote outside its scratch";
    }
    void operator()(rv_kernel kernel, Buffer<T> &out) const
    {
        (*this)(kernel, out.data(), out.count());
        ASSERT_TRUE(out.intact()) << "wrote outside its output";
    }
    void operator()(rv_row row, Buffer<T> &out) const
    {
        const int64_t blocks = (out.count() * static_cast<int64_t>(sizeof(T)) + 63) / 64;
        row(blocks, out.data(), in.data(), static_cast<int>(in.size()), scalar);
        ASSERT_TRUE(out.intact()) << "wrote outside its output";
    }
};

template <class T> struct Traits;
template <> struct Traits<float> {
    using Bits = uint32_t;
    static constexpr rv_dtype dtype = RV_F32;
};
template <> struct Traits<double> {
    using Bits = uint64_t;
    static constexpr rv_dtype dtype = RV_F64;
};

template <class T> typename Traits<T>::Bits bits(T x)
{
    typename Traits<T>::Bits b;
    std::memcpy(&b, &x, sizeof b);
    return b;
}

template <class T> void fill(Buffer<T> &x, unsigned seed, double low = -1, double high = 1)
{
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> uniform(low, high);
    for (int64_t i = 0; i < x.count(); i++) x[i] = static_cast<T>(uniform(random));
}

template <class T> constexpr Exact kEps = std::numeric_limits<T>::epsilon();

/* Expects |got - exact| <= bound; says where not. */
template <class T>
void expect_near(Buffer<T> &got, const std::vector<Exact> &exact, const std::vector<Exact> &bound,
                 const std::string &what)
{
    ASSERT_EQ(static_cast<size_t>(got.count()), exact.size());
    for (int64_t i = 0; i < got.count(); i++) {
        const auto at = static_cast<size_t>(i);
        ASSERT_LE(std::fabs(static_cast<Exact>(got[i]) - exact[at]), bound[at])
            << what << ": element " << i << " is " << got[i] << ", not " << exact[at];
    }
}

template <class T> class Kernels : public testing::Test {
  protected:
    template <class Claim> void each_table(Claim claim)
    {
        for (int level = 0; level < RV_KERNEL_LEVELS; level++) {
            const rv_kernels *table = rv_kernels_at(Traits<T>::dtype, level);
            if (table == nullptr) continue;
            SCOPED_TRACE("level " + std::to_string(level));
            claim(*table);
            if (testing::Test::HasFatalFailure()) return;
        }
    }
};

using Types = testing::Types<float, double>;
struct TypeNames {
    template <class T> static std::string GetName(int) { return sizeof(T) == 4 ? "F32" : "F64"; }
};
TYPED_TEST_SUITE(Kernels, Types, TypeNames);

/* ---- tables ------------------------------------------------------------------------------ */

TEST(KernelTables, TheBestIsTheHighestThatTheMachineHas)
{
    for (const rv_dtype dtype : {RV_F32, RV_F64, RV_I32}) {
        const rv_kernels *best = nullptr;
        for (int level = 0; level < RV_KERNEL_LEVELS; level++)
            if (const rv_kernels *table = rv_kernels_at(dtype, level)) best = table;
        ASSERT_NE(best, nullptr);
        EXPECT_EQ(rv_kernels_for(dtype), best);
    }
    EXPECT_EQ(rv_kernels_at(RV_F32, RV_KERNEL_LEVELS), nullptr);
    EXPECT_EQ(rv_kernels_at(RV_F32, -1), nullptr);
}

/* ---- pointwise --------------------------------------------------------------------------- */

#define EXP std::exp
#define LOG std::log
#define LOG1P std::log1p
#define SIGMOID(x) (1 / (1 + EXP(-(x))))
#define TANH std::tanh
#define ATAN std::atan
#define SQRT std::sqrt

/* A row of pointwise.def. No function is more than 4 units in the last place off, and no row has
 * more than four roundings beside. */
struct Row {
    const char *name;
    int inputs;
    rv_row rv_kernels::*row;
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
                    call(table.*row.row, y);
                    for (int64_t i = 0; i < n; i++) {
                        Exact v[3];
                        for (int k = 0; k < 3; k++) v[k] = (*x[k])[scalar >> k & 1 ? 0 : i];
                        const Exact exact = row.exact(v[0], v[1], v[2]);
                        /* a sum is off by what its terms are rounded by */
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

TYPED_TEST(Kernels, PointwiseBitsDoNotDependOnThePosition)
{
    using T = TypeParam;
    const T special[] = {T(0), T(-0.0), T(INFINITY), T(-INFINITY), T(NAN), T(1000), T(-1000)};
    this->each_table([&](const rv_kernels &table) {
        for (const Row &row : kRows) {
            Buffer<T> x(224), y(224), z(224), all(224);
            fill(x, 1, row.low, row.high);
            fill(y, 2, row.low, row.high);
            fill(z, 3, row.low, row.high);
            for (int64_t i = 0; i < 7; i++) x[i * 29 + 3] = special[i];
            Call<T> call;
            call.in = {x.data(), y.data(), z.data()};
            call.in.resize(row.inputs);
            call(table.*row.row, all);
            for (int64_t start = 0; start < 37; start++) {
                for (const int64_t n : {1, 5, 16, 18, 160}) {
                    Buffer<T> part(n, kWholeBlocks);
                    call.in = {x.data() + start, y.data() + start, z.data() + start};
                    call.in.resize(row.inputs);
                    call(table.*row.row, part);
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
                Buffer<T> x(77, kWholeBlocks), y(77, kWholeBlocks), z(77, kWholeBlocks),
                    out(77, kWholeBlocks);
                Buffer<T> *in[] = {&x, &y, &z};
                for (int s = 0; s < 3; s++) fill(*in[s], 4 + s, row.low, row.high);
                Call<T> call;
                call.in = {x.data(), y.data(), z.data()};
                call.in.resize(row.inputs);
                call(table.*row.row, out);
                call(table.*row.row, *in[k]);
                for (int64_t i = 0; i < 77; i++)
                    ASSERT_EQ(bits(out[i]), bits((*in[k])[i])) << row.name;
            }
        }
    });
}

TYPED_TEST(Kernels, PointwiseIsRightAtTheEndsOfTheLine)
{
    using T = TypeParam;
    const T inf = INFINITY, nan = NAN;
    struct Case {
        rv_row rv_kernels::*row;
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
        {&rv_kernels::exp, nan, nan},
        {&rv_kernels::log, nan, nan},
        {&rv_kernels::sigmoid, nan, nan},
        {&rv_kernels::tanh, nan, nan},
        {&rv_kernels::arctan, nan, nan},
        {&rv_kernels::softplus, nan, nan},
        {&rv_kernels::sqrt, nan, nan},
        {&rv_kernels::square, nan, nan},
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
                call(table.*c.row, y);
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

/* f32 over the whole line: each 10007th bit pattern, so that subnormal numbers, infinities and NaN are among
 * them. The error is in units of the last place. */
TEST(KernelMaths, IsAsGoodAsItsCommentsSay)
{
    const struct {
        rv_row rv_kernels::*row;
        Exact most;
    } claims[] = {{&rv_kernels::exp, 1.7L},     {&rv_kernels::log, 2.0L},
                  {&rv_kernels::sigmoid, 2.5L}, {&rv_kernels::tanh, 3.5L},
                  {&rv_kernels::arctan, 2.0L},  {&rv_kernels::softplus, 3.6L}};
    Buffer<float> x((int64_t{1} << 32) / 10007, kWholeBlocks), y(x.count(), kWholeBlocks);
    for (int64_t i = 0; i < x.count(); i++) {
        const auto pattern = static_cast<uint32_t>(i * 10007);
        std::memcpy(&x[i], &pattern, sizeof pattern);
    }
    Call<float> call;
    call.in = {x.data()};
    for (const auto &claim : claims) {
        const Row *row = kRows;
        while (row->row != claim.row) row++;
        std::vector<Exact> exact;
        for (int64_t i = 0; i < x.count(); i++) exact.push_back(row->exact(x[i], 0, 0));
        for (int level = 0; level < RV_KERNEL_LEVELS; level++) {
            const rv_kernels *table = rv_kernels_at(RV_F32, level);
            if (table == nullptr) continue;
            call(table->*claim.row, y);
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

/* ---- copy -------------------------------------------------------------------------------- */

/* Moves bits, not numbers: what a tensor of i32 needs, and what keeps a NaN's payload. */
TYPED_TEST(Kernels, CopyMovesEveryBitWhereThePlanSays)
{
    using T = TypeParam;
    using Bits = typename Traits<T>::Bits;
    const rv_copy_plan plans[] = {
        /* rank, dim, in_stride, out_stride, in_offset, out_offset, out_count, clear */
        {0, {}, {}, {}, 3, 0, 1, false},                       /* one element */
        {1, {100}, {1}, {1}, 5, 0, 100, false},                /* a slice */
        {1, {33}, {0}, {1}, 2, 0, 33, false},                  /* a broadcast scalar */
        {1, {37}, {-1}, {1}, 36, 0, 37, false},                /* a flip */
        {1, {19}, {3}, {1}, 1, 0, 19, false},                  /* every third */
        {1, {19}, {1}, {3}, 0, 2, 60, true},                   /* to every third */
        {2, {23, 41}, {1, 23}, {41, 1}, 0, 0, 23 * 41, false}, /* a transpose */
        {2, {16, 16}, {1, 16}, {16, 1}, 0, 0, 256, false},
        {2, {64, 128}, {1, 64}, {128, 1}, 0, 0, 64 * 128, false},
        {2, {3, 200}, {1, 3}, {200, 1}, 0, 0, 600, false},
        {2, {200, 3}, {1, 200}, {3, 1}, 0, 0, 600, false},
        {2, {7, 9}, {0, 1}, {9, 1}, 0, 0, 63, false},      /* broadcast rows */
        {2, {7, 9}, {1, 0}, {9, 1}, 0, 0, 63, false},      /* broadcast columns */
        {2, {5, 9}, {9, 1}, {13, 1}, 0, 15, 9 * 13, true}, /* pad */
        {1, {0}, {1}, {1}, 0, 0, 10, true},                /* of which nothing is left */
        {4, {2, 0, 3, 4}, {48, 16, 4, 1}, {12, 12, 4, 1}, 0, 0, 24, true},
        {3, {4, 5, 6}, {30, 1, 5}, {30, 6, 1}, 0, 0, 120, false}, /* batch transpose */
        {3, {8, 9, 10}, {1, 80, 8}, {90, 10, 1}, 0, 0, 720, false},
        {4, {2, 3, 4, 5}, {60, 20, -5, 1}, {60, 20, 5, 1}, 15, 0, 120, false},
        {4, {2, 3, 4, 5}, {1, 2, 6, 24}, {60, 20, 5, 1}, 0, 0, 120, false},
        {6, {2, 3, 2, 3, 2, 3}, {1, 2, 6, 12, 36, 72}, {108, 36, 18, 6, 3, 1}, 0, 0, 216, false},
        {3, {2, 3, 4}, {12, 4, 1}, {-12, 4, 1}, 0, 12, 24, false},
        {2, {6, 7}, {7, 1}, {1, 6}, 0, 0, 42, false}, /* out transposed */
        {2, {33, 70}, {70, 1}, {1, 33}, 0, 0, 33 * 70, false},
    };
    this->each_table([&](const rv_kernels &table) {
        for (const rv_copy_plan &p : plans) {
            SCOPED_TRACE("plan " + std::to_string(&p - plans));
            std::vector<Bits> in(20000);
            std::mt19937_64 random(3);
            for (Bits &b : in) b = static_cast<Bits>(random());
            Buffer<T> out(p.out_count);
            std::vector<Bits> expected(static_cast<size_t>(p.out_count));
            std::memcpy(expected.data(), out.data(), expected.size() * sizeof(Bits));
            if (p.clear) expected.assign(expected.size(), 0);
            int64_t total = 1;
            for (int64_t d = 0; d < p.rank; d++) total *= p.dim[d];
            for (int64_t e = 0; e < total; e++) {
                int64_t rest = e, from = p.in_offset, to = p.out_offset;
                for (int64_t d = p.rank - 1; d >= 0; d--) {
                    from += rest % p.dim[d] * p.in_stride[d];
                    to += rest % p.dim[d] * p.out_stride[d];
                    rest /= p.dim[d];
                }
                expected[static_cast<size_t>(to)] = in[static_cast<size_t>(from)];
            }
            Call<T> call;
            call.in = {in.data()};
            call.plan = &p;
            call(table.copy, out);
            ASSERT_EQ(std::memcmp(out.data(), expected.data(), expected.size() * sizeof(Bits)), 0);
        }
    });
}

/* ---- reductions -------------------------------------------------------------------------- */

const rv_reduce_plan kReductions[] = {
    /* rank, dim, stride, reduced_rank, reduced_dim, reduced_stride */
    {0, {}, {}, 0, {}, {}},     /* one element, nothing to reduce */
    {1, {100}, {1}, 0, {}, {}}, /* a copy */
    {0, {}, {}, 1, {1}, {1}},
    {0, {}, {}, 1, {100000}, {1}}, /* everything */
    {1, {37}, {10}, 1, {10}, {1}}, /* along rows */
    {1, {5}, {1003}, 1, {1003}, {1}},
    {1, {300}, {3}, 1, {3}, {1}},
    {1, {1003}, {1}, 1, {70}, {1003}}, /* down columns */
    {1, {10}, {1}, 1, {1000}, {10}},
    {1, {3}, {1}, 1, {5000}, {3}},
    {1, {64}, {1}, 1, {128}, {64}},
    {1, {17}, {64}, 2, {9, 64}, {17 * 64, 1}}, /* all but the channels of N,C,HW */
    {2, {6, 8}, {8 * 11, 1}, 1, {11}, {8}},    /* the middle */
    {2, {4, 5}, {30, 6}, 1, {6}, {1}},
    {2, {6, 7}, {1, 12}, 1, {2}, {6}},
    {3, {2, 3, 4}, {210, 1, 6}, 2, {2, 7}, {3, 30}},
    {1, {50}, {0}, 1, {20}, {1}},
    {1, {9}, {7}, 1, {40}, {0}},
    {1, {33}, {-2}, 1, {20}, {-70}}, /* flipped; starts in the middle */
    {3, {3, 2, 2}, {8, 1, 0}, 3, {2, 2, 5}, {4, 2, 24}},
};

struct Reduced {
    std::vector<Exact> sum, size, max;
};

template <class T> Reduced reduce_exactly(const rv_reduce_plan &p, const T *x)
{
    Reduced result;
    int64_t n = 1, r = 1;
    for (int64_t d = 0; d < p.rank; d++) n *= p.dim[d];
    for (int64_t d = 0; d < p.reduced_rank; d++) r *= p.reduced_dim[d];
    for (int64_t i = 0; i < n; i++) {
        int64_t rest = i, start = 0;
        for (int64_t d = p.rank - 1; d >= 0; d--) {
            start += rest % p.dim[d] * p.stride[d];
            rest /= p.dim[d];
        }
        Exact sum = 0, size = 0, max = -INFINITY;
        for (int64_t k = 0; k < r; k++) {
            int64_t at = start;
            rest = k;
            for (int64_t d = p.reduced_rank - 1; d >= 0; d--) {
                at += rest % p.reduced_dim[d] * p.reduced_stride[d];
                rest /= p.reduced_dim[d];
            }
            sum += x[at];
            size += std::fabs(static_cast<Exact>(x[at]));
            max = std::isnan(max) || x[at] <= max ? max : static_cast<Exact>(x[at]);
        }
        result.sum.push_back(sum);
        result.size.push_back(size);
        result.max.push_back(max);
    }
    return result;
}

/* Summed in blocks: far below the n eps of a plain loop, whatever n. */
TYPED_TEST(Kernels, SumIsTheSumAndMaxTheGreatest)
{
    using T = TypeParam;
    this->each_table([](const rv_kernels &table) {
        for (const rv_reduce_plan &p : kReductions) {
            SCOPED_TRACE("plan " + std::to_string(&p - kReductions));
            Buffer<T> in(110000);
            fill(in, 5, -0.5, 1);
            const T *start = in.data() + (p.rank == 1 && p.stride[0] < 0 ? 5000 : 0);
            const Reduced exact = reduce_exactly(p, start);
            Call<T> call;
            call.in = {start};
            call.plan = &p;
            Buffer<T> sum(static_cast<int64_t>(exact.sum.size())), max(sum.count());
            call(table.sum, sum);
            std::vector<Exact> bound;
            for (const Exact size : exact.size) bound.push_back(64 * kEps<T> * size);
            expect_near(sum, exact.sum, bound, "sum");
            call(table.max, max);
            expect_near(max, exact.max, std::vector<Exact>(exact.max.size(), 0), "max");
        }
    });
}

TYPED_TEST(Kernels, ASumOfMillionsStaysExactToAFewBits)
{
    using T = TypeParam;
    this->each_table([](const rv_kernels &table) {
        const int64_t n = 3000001;
        Buffer<T> in(n), sum(1);
        for (int64_t i = 0; i < n; i++) in[i] = T(0.1);
        for (const int64_t stride : {1, 3}) {
            const rv_reduce_plan p = {0, {}, {}, 1, {n / stride}, {stride}};
            Call<T> call;
            call.in = {in.data()};
            call.plan = &p;
            call(table.sum, sum);
            const Exact exact = static_cast<Exact>(T(0.1)) * static_cast<Exact>(n / stride);
            EXPECT_LE(std::fabs(sum[0] - exact), 64 * kEps<T> * exact) << "stride " << stride;
        }
    });
}

TYPED_TEST(Kernels, ReductionsKeepNaN)
{
    using T = TypeParam;
    this->each_table([](const rv_kernels &table) {
        for (const rv_reduce_plan &p : kReductions) {
            if (p.rank == 1 && p.stride[0] < 0) continue;
            SCOPED_TRACE("plan " + std::to_string(&p - kReductions));
            Buffer<T> in(110000);
            for (const int64_t at : {0, 2, 9, 20}) {
                fill(in, 5);
                in[at] = std::numeric_limits<T>::quiet_NaN();
                const Reduced exact = reduce_exactly(p, in.data());
                Call<T> call;
                call.in = {in.data()};
                call.plan = &p;
                Buffer<T> out(static_cast<int64_t>(exact.sum.size()));
                for (const rv_kernel kernel : {table.sum, table.max}) {
                    call(kernel, out);
                    for (int64_t i = 0; i < out.count(); i++)
                        ASSERT_EQ(std::isnan(out[i]), std::isnan(exact.sum[i])) << at << " " << i;
                }
            }
            for (int64_t i = 0; i < in.count(); i++) in[i] = -INFINITY;
            Call<T> call;
            call.in = {in.data()};
            call.plan = &p;
            Buffer<T> out(static_cast<int64_t>(reduce_exactly(p, in.data()).sum.size()));
            call(table.max, out);
            for (int64_t i = 0; i < out.count(); i++) ASSERT_EQ(out[i], T(-INFINITY));
        }
    });
}

/* ---- matmul ------------------------------------------------------------------------------ */

/* A sum of k products, each rounded at most once more than once: k + 1 roundings of its size. */
template <class T> void check_matmul(const rv_kernels &table, const rv_matmul_plan &p)
{
    SCOPED_TRACE("batch " + std::to_string(p.batch) + " m " + std::to_string(p.m) + " n " +
                 std::to_string(p.n) + " k " + std::to_string(p.k) + (p.transpose_a ? " A'" : "") +
                 (p.transpose_b ? " B'" : ""));
    Buffer<T> a(p.batch * p.m * p.k), b(p.batch * p.k * p.n), c(p.batch * p.m * p.n);
    fill(a, 11);
    fill(b, 12);
    std::vector<Exact> exact, bound;
    for (int64_t s = 0; s < p.batch; s++)
        for (int64_t i = 0; i < p.m; i++)
            for (int64_t j = 0; j < p.n; j++) {
                Exact sum = 0, size = 0;
                for (int64_t l = 0; l < p.k; l++) {
                    const Exact x = a[s * p.m * p.k + (p.transpose_a ? l * p.m + i : i * p.k + l)];
                    const int64_t at = p.panel ? (j / p.panel * p.k + l) * p.panel + j % p.panel
                                       : p.transpose_b ? j * p.k + l
                                                       : l * p.n + j;
                    const Exact y = b[s * p.k * p.n + at];
                    sum += x * y;
                    size += std::fabs(x * y);
                }
                exact.push_back(sum);
                bound.push_back(static_cast<Exact>(p.k + 1) * kEps<T> * size);
            }
    Call<T> call;
    call.in = {a.data(), b.data()};
    call.plan = &p;
    call.scratch_size = table.matmul_scratch(&p);
    call(table.matmul, c);
    ASSERT_TRUE(a.intact() && b.intact());
    expect_near(c, exact, bound, "matmul");
}

TYPED_TEST(Kernels, MatmulIsRightForAnySizeAndTransposition)
{
    using T = TypeParam;
    this->each_table([](const rv_kernels &table) {
        const int64_t sizes[] = {1, 2, 3, 5, 8, 9, 15, 17, 34, 65};
        for (const int64_t m : sizes)
            for (const int64_t n : sizes)
                for (const int64_t k : {1, 4, 16, 19, 67})
                    for (int flags = 0; flags < 4; flags++)
                        check_matmul<T>(table, {1, m, n, k, (flags & 1) != 0, (flags & 2) != 0});
    });
}

TYPED_TEST(Kernels, MatmulIsRightWithBInPanels)
{
    using T = TypeParam;
    this->each_table([](const rv_kernels &table) {
        const int64_t block = 64 / static_cast<int64_t>(sizeof(T));
        for (const int64_t panel : {block, 2 * block, 5 * block})
            for (const int64_t panels : {1, 3})
                for (const int64_t m : {1, 7, 8, 19})
                    for (const int64_t k : {1, 16, 127, 128, 300})
                        for (const bool transpose_a : {false, true})
                            check_matmul<T>(
                                table, {1, m, panel * panels, k, transpose_a, false, panel, false});
    });
}

TYPED_TEST(Kernels, MatmulIsRightWhereItBlocks)
{
    using T = TypeParam;
    this->each_table([](const rv_kernels &table) {
        const int64_t shapes[][4] = {{3, 7, 20, 33},    {5, 1, 34, 16},   {2, 70, 50, 300},
                                     {1, 100, 70, 600}, {1, 300, 20, 40}, {1, 70, 2100, 20},
                                     {1, 261, 3, 259},  {1, 1, 300, 500}, {1, 300, 1, 500}};
        for (const auto &s : shapes)
            for (int flags = 0; flags < 4; flags++)
                check_matmul<T>(table,
                                {s[0], s[1], s[2], s[3], (flags & 1) != 0, (flags & 2) != 0});
        check_matmul<T>(table, {1, 513, 193, 515, true, false});
    });
}

/* An infinite or missing number reaches the results it is part of, and no others. */
TYPED_TEST(Kernels, MatmulKeepsInfinityAndNaNInTheirRowsAndColumns)
{
    using T = TypeParam;
    this->each_table([](const rv_kernels &table) {
        for (const int64_t k : {5, 16, 19, 35, 300}) {
            for (const int64_t m : {1, 6, 70}) {
                for (int flags = 0; flags < 4; flags++) {
                    const int64_t n = 37, i = m / 2, j = 36, l = k - 2;
                    const rv_matmul_plan p = {1, m,    n, k, (flags & 1) != 0, (flags & 2) != 0,
                                              0, false};
                    Buffer<T> a(m * k), b(k * n), c(m * n);
                    fill(a, 1, 0.5, 1);
                    fill(b, 2, 0.5, 1);
                    a[p.transpose_a ? l * m + i : i * k + l] = INFINITY;
                    b[p.transpose_b ? j * k + l : l * n + j] = NAN;
                    Call<T> call;
                    call.in = {a.data(), b.data()};
                    call.plan = &p;
                    call.scratch_size = table.matmul_scratch(&p);
                    call(table.matmul, c);
                    for (int64_t r = 0; r < m; r++)
                        for (int64_t s = 0; s < n; s++) {
                            const T x = c[r * n + s];
                            if (s == j)
                                ASSERT_TRUE(std::isnan(x));
                            else if (r == i)
                                ASSERT_EQ(x, T(INFINITY));
                            else
                                ASSERT_TRUE(std::isfinite(x));
                        }
                }
            }
        }
    });
}

/* ---- convolution ------------------------------------------------------------------------- */

struct Window {
    int64_t batch, channels, height, width, outputs, kernel[2], stride[2], pad[2], dilation[2],
        groups;
    int64_t extra[2]; /* rows below and columns to the right beyond pad */
};

rv_conv_plan plan_of(const Window &w)
{
    rv_conv_plan p{};
    p.batch = w.batch, p.channels = w.channels, p.height = w.height, p.width = w.width;
    p.outputs = w.outputs, p.groups = w.groups;
    for (int d = 0; d < 2; d++) {
        p.kernel[d] = w.kernel[d], p.stride[d] = w.stride[d];
        p.pad[d] = w.pad[d], p.dilation[d] = w.dilation[d];
    }
    const auto out = [&](int d, int64_t size) {
        return (size + 2 * w.pad[d] + w.extra[d] - w.dilation[d] * (w.kernel[d] - 1) - 1) /
                   w.stride[d] +
               1;
    };
    p.out_height = out(0, w.height), p.out_width = out(1, w.width);
    return p;
}

std::string text(const rv_conv_plan &p)
{
    const auto pair = [](const int64_t v[2]) {
        return std::to_string(v[0]) + "x" + std::to_string(v[1]);
    };
    const int64_t size[2] = {p.height, p.width}, out[2] = {p.out_height, p.out_width};
    return std::to_string(p.batch) + " images, " + std::to_string(p.channels) + " channels of " +
           pair(size) + " to " + std::to_string(p.outputs) + " of " + pair(out) + ", kernel " +
           pair(p.kernel) + " stride " + pair(p.stride) + " pad " + pair(p.pad) + " dilation " +
           pair(p.dilation) + " groups " + std::to_string(p.groups);
}

/* Calls visit(index of y, of x, of w) for each product of the definition. */
template <class Visit> void each_product(const rv_conv_plan &t, Visit visit)
{
    const int64_t in_group = t.channels / t.groups, out_group = t.outputs / t.groups;
    for (int64_t n = 0; n < t.batch; n++)
        for (int64_t o = 0; o < t.outputs; o++)
            for (int64_t i = 0; i < t.out_height; i++)
                for (int64_t j = 0; j < t.out_width; j++)
                    for (int64_t c = 0; c < in_group; c++)
                        for (int64_t p = 0; p < t.kernel[0]; p++)
                            for (int64_t q = 0; q < t.kernel[1]; q++) {
                                const int64_t h = i * t.stride[0] + p * t.dilation[0] - t.pad[0];
                                const int64_t v = j * t.stride[1] + q * t.dilation[1] - t.pad[1];
                                if (h < 0 || h >= t.height || v < 0 || v >= t.width) continue;
                                const int64_t channel = o / out_group * in_group + c;
                                visit(((n * t.outputs + o) * t.out_height + i) * t.out_width + j,
                                      ((n * t.channels + channel) * t.height + h) * t.width + v,
                                      ((o * in_group + c) * t.kernel[0] + p) * t.kernel[1] + q);
                            }
}

/* Each sum's exact value and what its rounding is measured by: the sum of the sizes of its terms. */
struct Sums {
    std::vector<Exact> exact, size;
    explicit Sums(int64_t n) : exact(static_cast<size_t>(n)), size(static_cast<size_t>(n)) {}
    void add(int64_t at, Exact term)
    {
        exact[static_cast<size_t>(at)] += term;
        size[static_cast<size_t>(at)] += std::fabs(term);
    }
    template <class T> void expect(Buffer<T> &got, int64_t roundings, const char *what) const
    {
        std::vector<Exact> bound;
        for (const Exact s : size) bound.push_back(s * static_cast<Exact>(roundings) * kEps<T>);
        expect_near(got, exact, bound, what);
    }
};

/* The rounding of minimal filtering (winograd.h): every number on the way is at most the transform of
 * the operands' sizes by the sizes of the matrices, and no path from an operand to a result has more
 * than 30 roundings beside those of the sum over channels or tiles, of which there are no more than
 * products. */
namespace winograd {

constexpr Exact a = 0.625, b = 1.5, a2 = a * a, b2 = b * b;
constexpr Exact na = 1 / (2 * a2 * (b2 - a2)), nb = 1 / (2 * b2 * (b2 - a2));
constexpr int64_t kRoundings = 30;

using Matrix = std::vector<std::vector<Exact>>;
const Matrix kSource = {{a2 * b2, 0, a2 + b2, 0, 1, 0}, {0, a *b2, b2, a, 1, 0},
                        {0, a *b2, b2, a, 1, 0},        {0, a2 *b, a2, b, 1, 0},
                        {0, a2 *b, a2, b, 1, 0},        {0, a2 *b2, 0, a2 + b2, 0, 1}};
const Matrix kKernel = {{1 / (a2 * b2), 0, 0}, {na, a *na, a2 *na}, {na, a *na, a2 *na},
                        {nb, b *nb, b2 *nb},   {nb, b *nb, b2 *nb}, {0, 0, 1}};
const Matrix kOut = {{1, 1, 1, 1, 1, 0},
                     {0, a, a, b, b, 0},
                     {0, a2, a2, b2, b2, 0},
                     {0, a *a2, a *a2, b *b2, b *b2, 1}};

Matrix transposed(const Matrix &m)
{
    Matrix t(m[0].size(), std::vector<Exact>(m.size()));
    for (size_t i = 0; i < m.size(); i++)
        for (size_t j = 0; j < m[0].size(); j++) t[j][i] = m[i][j];
    return t;
}

Matrix product(const Matrix &x, const Matrix &y)
{
    Matrix z(x.size(), std::vector<Exact>(y[0].size()));
    for (size_t i = 0; i < z.size(); i++)
        for (size_t j = 0; j < z[0].size(); j++)
            for (size_t l = 0; l < y.size(); l++) z[i][j] += x[i][l] * y[l][j];
    return z;
}

/* m x m', where x is size x size numbers read at (row, column). */
template <class Read> Matrix transform(const Matrix &m, int size, Read read)
{
    Matrix x(size, std::vector<Exact>(size));
    for (int i = 0; i < size; i++)
        for (int j = 0; j < size; j++) x[i][j] = std::fabs(static_cast<Exact>(read(i, j)));
    return product(product(m, x), transposed(m));
}

void add_products(Matrix &to, const Matrix &x, const Matrix &y)
{
    for (size_t i = 0; i < to.size(); i++)
        for (size_t j = 0; j < to[0].size(); j++) to[i][j] += x[i][j] * y[i][j];
}

template <class T> struct Images {
    Buffer<T> &data;
    int64_t channels, height, width;
    Exact at(int64_t n, int64_t c, int64_t i, int64_t j) const
    {
        if (i < 0 || i >= height || j < 0 || j >= width) return 0;
        return data[((n * channels + c) * height + i) * width + j];
    }
};

/* Sizes for out = the correlation of x with w(o, c, p, q). */
template <class T, class Kernel>
void sizes_of_outputs(const Images<T> &x, Kernel w, const int64_t rim[2], const Images<T> &out,
                      std::vector<Exact> &size)
{
    std::vector<Matrix> u;
    for (int64_t o = 0; o < out.channels; o++)
        for (int64_t c = 0; c < x.channels; c++)
            u.push_back(transform(kKernel, 3, [&](int p, int q) { return w(o, c, p, q); }));
    const int64_t image = x.channels * x.height * x.width;
    for (int64_t n = 0; n < x.data.count() / image; n++)
        for (int64_t i = 0; i < out.height; i += 4)
            for (int64_t j = 0; j < out.width; j += 4) {
                std::vector<Matrix> v;
                for (int64_t c = 0; c < x.channels; c++)
                    v.push_back(transform(kSource, 6, [&](int r, int k) {
                        return x.at(n, c, i + r - rim[0], j + k - rim[1]);
                    }));
                for (int64_t o = 0; o < out.channels; o++) {
                    Matrix m(6, std::vector<Exact>(6));
                    for (int64_t c = 0; c < x.channels; c++)
                        add_products(m, u[o * x.channels + c], v[c]);
                    const Matrix y = product(product(kOut, m), transposed(kOut));
                    for (int r = 0; r < 4 && i + r < out.height; r++)
                        for (int k = 0; k < 4 && j + k < out.width; k++)
                            size[((n * out.channels + o) * out.height + i + r) * out.width + j +
                                 k] = y[r][k];
                }
            }
}

template <class T>
void sizes_of_weights(const Images<T> &x, const Images<T> &dy, const int64_t rim[2],
                      std::vector<Exact> &size)
{
    std::vector<Matrix> m(dy.channels * x.channels, Matrix(6, std::vector<Exact>(6)));
    const int64_t image = x.channels * x.height * x.width;
    for (int64_t n = 0; n < x.data.count() / image; n++)
        for (int64_t i = 0; i < dy.height; i += 4)
            for (int64_t j = 0; j < dy.width; j += 4) {
                std::vector<Matrix> v;
                for (int64_t c = 0; c < x.channels; c++)
                    v.push_back(transform(kSource, 6, [&](int r, int k) {
                        return x.at(n, c, i + r - rim[0], j + k - rim[1]);
                    }));
                for (int64_t o = 0; o < dy.channels; o++) {
                    const Matrix d = transform(transposed(kOut), 4, [&](int r, int k) {
                        return dy.at(n, o, i + r, j + k);
                    });
                    for (int64_t c = 0; c < x.channels; c++)
                        add_products(m[o * x.channels + c], d, v[c]);
                }
            }
    for (size_t k = 0; k < m.size(); k++) {
        const Matrix g = product(product(transposed(kKernel), m[k]), kKernel);
        for (int p = 0; p < 9; p++) size[k * 9 + p] = g[p / 3][p % 3];
    }
}

} // namespace winograd

/* Runs a call whole and in parts, which must make no difference. */
template <class T>
void run_in_parts(const rv_conv_plan &plan, Call<T> call, rv_kernel kernel, Buffer<T> &out)
{
    Buffer<T> again(out.count());
    for (int64_t i = 0; i < out.count(); i++) again[i] = out[i];
    call(kernel, out);
    if (plan.most_parts < 2) return;
    std::vector<T> first(again.data(), again.data() + again.count());
    for (const int parts : {2, 3}) {
        for (int64_t i = 0; i < out.count(); i++) again[i] = first[static_cast<size_t>(i)];
        const int64_t piece = out.count() / plan.most_parts;
        ASSERT_EQ(piece * plan.most_parts, out.count());
        call.parts = parts;
        for (call.part = parts - 1; call.part >= 0; call.part--) {
            call(kernel, again);
            const int64_t from = plan.most_parts * call.part / parts * piece;
            for (int64_t i = 0; i < from; i++)
                ASSERT_EQ(bits(again[i]), bits(first[static_cast<size_t>(i)]))
                    << "part " << call.part << " of " << parts << " wrote element " << i;
        }
        for (int64_t i = 0; i < out.count(); i++)
            ASSERT_EQ(bits(out[i]), bits(again[i])) << "element " << i << " in " << parts;
    }
}

/* A form with random operands, its exact sides, and for these what their rounding is measured by. */
template <class T> class Form {
  public:
    explicit Form(const Window &window)
        : p_(plan_of(window)), x_(p_.batch * p_.channels * p_.height * p_.width),
          w_(p_.outputs * p_.channels / p_.groups * p_.kernel[0] * p_.kernel[1]),
          y_(p_.batch * p_.outputs * p_.out_height * p_.out_width), sum_x_(x_.count()),
          sum_w_(w_.count()), sum_y_(y_.count())
    {
        fill(x_, 21);
        fill(w_, 22);
        fill(y_, 23);
        each_product(p_, [&](int64_t y, int64_t x, int64_t w) {
            sum_y_.add(y, static_cast<Exact>(x_[x]) * w_[w]);
            sum_x_.add(x, static_cast<Exact>(y_[y]) * w_[w]);
            sum_w_.add(w, static_cast<Exact>(y_[y]) * x_[x]);
        });
    }

    /* Returns how many of the three sides are by transforms. */
    int check(const rv_kernels &table)
    {
        const int64_t taps = p_.kernel[0] * p_.kernel[1], positions = p_.out_height * p_.out_width;
        const int64_t tiles = (p_.out_height + 3) / 4 * ((p_.out_width + 3) / 4);
        const int before = transformed_;
        check_side(table.conv2d_prepare, table.conv2d, x_, w_, sum_y_, transformed_y_,
                   p_.channels / p_.groups * taps, p_.channels, "conv2d");
        check_side(table.conv2d_input_gradient_prepare, table.conv2d_input_gradient, y_, w_, sum_x_,
                   transformed_x_, p_.outputs / p_.groups * taps, p_.outputs,
                   "conv2d_input_gradient");
        check_side(table.conv2d_weight_gradient_prepare, table.conv2d_weight_gradient, x_, y_,
                   sum_w_, transformed_w_, p_.batch * positions, p_.batch * tiles,
                   "conv2d_weight_gradient");
        EXPECT_TRUE(x_.intact() && w_.intact() && y_.intact());
        return transformed_ - before;
    }

  private:
    rv_conv_plan p_;
    Buffer<T> x_, w_, y_;
    Sums sum_x_, sum_w_, sum_y_;
    std::vector<Exact> transformed_x_, transformed_w_, transformed_y_;
    int transformed_ = 0;

    void check_side(size_t (*prepare)(rv_conv_plan *), rv_kernel kernel, Buffer<T> &a, Buffer<T> &b,
                    Sums sum, std::vector<Exact> &transformed, int64_t products, int64_t terms,
                    const char *what)
    {
        SCOPED_TRACE(text(p_) + ": " + what);
        rv_conv_plan plan = p_;
        Call<T> call;
        call.plan = &plan;
        call.in = {a.data(), b.data()};
        call.scratch_size = prepare(&plan);
        int64_t roundings = products + 2;
        if (plan.transformed) {
            if (transformed.empty()) measure_transforms();
            sum.size = transformed;
            roundings = terms + winograd::kRoundings;
            transformed_++;
        }
        Buffer<T> out(static_cast<int64_t>(sum.exact.size()));
        run_in_parts(plan, call, kernel, out);
        sum.expect(out, roundings, what);
        if (&b != &y_) return;

        plan = p_;
        plan.add = true;
        call.scratch_size = prepare(&plan);
        fill(out, 24);
        for (int64_t i = 0; i < out.count(); i++) sum.add(i, out[i]);
        run_in_parts(plan, call, kernel, out);
        sum.expect(out, roundings + 1, "added");
    }

    void measure_transforms()
    {
        const winograd::Images<T> x{x_, p_.channels, p_.height, p_.width};
        const winograd::Images<T> y{y_, p_.outputs, p_.out_height, p_.out_width};
        const int64_t turned_rim[2] = {2 - p_.pad[0], 2 - p_.pad[1]};
        transformed_x_.resize(x_.count());
        transformed_w_.resize(w_.count());
        transformed_y_.resize(y_.count());
        const auto at = [&](int64_t o, int64_t c, int tap) {
            return w_[(o * p_.channels + c) * 9 + tap];
        };
        const auto kernel = [&](int64_t o, int64_t c, int i, int j) { return at(o, c, i * 3 + j); };
        const auto turned = [&](int64_t c, int64_t o, int i, int j) {
            return at(o, c, 8 - i * 3 - j);
        };
        winograd::sizes_of_outputs(x, kernel, p_.pad, y, transformed_y_);
        winograd::sizes_of_outputs(y, turned, turned_rim, x, transformed_x_);
        winograd::sizes_of_weights(x, y, p_.pad, transformed_w_);
    }
};

TYPED_TEST(Kernels, ConvolutionAndItsGradientsAreRight)
{
    using T = TypeParam;
    const Window windows[] = {
        /* batch channels height width outputs kernel stride pad dilation groups extra */
        {1, 1, 8, 8, 1, {5, 5}, {1, 1}, {2, 2}, {1, 1}, 1, {0, 0}},
        {1, 1, 8, 8, 1, {5, 5}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}},
        {5, 1, 10, 10, 1, {3, 3}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}},
        {128, 1, 8, 8, 1, {5, 5}, {1, 1}, {2, 2}, {1, 1}, 1, {0, 0}},
        {33, 1, 4, 4, 1, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {128, 1, 8, 8, 1, {5, 5}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}}, /* many small images */
        {9, 2, 6, 7, 3, {3, 4}, {1, 2}, {1, 0}, {1, 1}, 1, {0, 1}},
        {12, 3, 6, 6, 2, {3, 3}, {2, 1}, {1, 2}, {2, 2}, 1, {0, 0}},
        {1, 2, 5, 6, 4, {3, 3}, {1, 1}, {0, 2}, {1, 1}, 1, {1, 0}}, /* a few */
        {2, 4, 8, 8, 1, {3, 1}, {1, 1}, {1, 0}, {1, 1}, 1, {0, 0}},
        {3, 2, 4, 4, 9, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {2, 16, 16, 16, 17, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {2, 5, 9, 7, 6, {1, 1}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}},
        {2, 5, 9, 7, 6, {1, 1}, {2, 2}, {0, 0}, {1, 1}, 1, {0, 0}},
        {2, 3, 11, 13, 4, {3, 5}, {2, 3}, {1, 2}, {1, 1}, 1, {0, 0}},
        {2, 3, 11, 13, 4, {3, 2}, {1, 2}, {3, 0}, {2, 3}, 1, {0, 0}},
        {1, 2, 9, 9, 3, {2, 3}, {3, 2}, {4, 5}, {2, 2}, 1, {0, 0}},
        {2, 6, 7, 6, 9, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 3, {0, 0}},
        {2, 4, 7, 6, 4, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 4, {0, 0}},
        {1, 4, 5, 5, 8, {3, 3}, {1, 1}, {1, 1}, {2, 2}, 2, {1, 1}},
        {3, 2, 4, 4, 3, {4, 4}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}}, /* one window */
        {9, 7, 5, 5, 33, {5, 5}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}},
        {4, 2, 3, 3, 3, {3, 3}, {2, 2}, {7, 6}, {1, 1}, 1, {0, 0}}, /* windows that see nothing */
        {2, 2, 1, 1, 3, {1, 1}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}},
        {2, 2, 1, 1, 3, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {1, 2, 1, 50, 3, {1, 7}, {1, 1}, {0, 3}, {1, 1}, 1, {0, 0}},
        {1, 2, 50, 1, 3, {7, 1}, {1, 1}, {3, 0}, {1, 1}, 1, {0, 0}},
        {1, 1, 8, 8, 1, {2, 2}, {5, 5}, {0, 0}, {1, 1}, 1, {0, 0}}, /* pixels that nothing sees */
        {1, 1, 9, 9, 2, {3, 3}, {2, 2}, {0, 0}, {2, 2}, 1, {0, 1}},
        {1, 3, 40, 45, 5, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {1, 3, 40, 45, 5, {7, 7}, {4, 4}, {3, 3}, {1, 1}, 1, {0, 0}},
        {1, 20, 12, 12, 40, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 1, {0, 0}},
        {1, 1, 120, 130, 1, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
    };
    for (const Window &window : windows) {
        Form<T> form(window);
        this->each_table([&](const rv_kernels &table) { form.check(table); });
    }
}

/* 3x3 windows by transforms: whole tiles and parts of them, many images to a block and many blocks
 * to an image, channels that fill vectors and that do not. */
TYPED_TEST(Kernels, ConvolutionByTransformsIsRight)
{
    using T = TypeParam;
    int transformed = 0;
    const Window windows[] = {
        /* batch channels height width outputs kernel stride pad dilation groups extra */
        {2, 32, 16, 16, 32, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {1, 16, 32, 32, 17, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {1, 16, 33, 35, 16, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {2, 19, 17, 12, 25, {3, 3}, {1, 1}, {0, 2}, {1, 1}, 1, {0, 0}},
        {3, 16, 14, 19, 40, {3, 3}, {1, 1}, {2, 0}, {1, 1}, 1, {0, 0}},
        {6, 64, 8, 8, 65, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {7, 24, 10, 11, 70, {3, 3}, {1, 1}, {0, 0}, {1, 1}, 1, {0, 0}},
        {1, 24, 22, 110, 16, {3, 3}, {1, 1}, {0, 1}, {1, 1}, 1, {3, 2}},
        {2, 16, 3, 270, 16, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {1, 200, 12, 12, 20, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {2, 3, 32, 32, 64, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, {0, 0}},
        {2, 70, 17, 15, 9, {3, 3}, {1, 1}, {2, 1}, {1, 1}, 1, {0, 0}},
        {2, 9, 17, 15, 70, {3, 3}, {1, 1}, {2, 1}, {1, 1}, 1, {0, 0}},
    };
    for (const Window &window : windows) {
        Form<T> form(window);
        this->each_table([&](const rv_kernels &table) { transformed += form.check(table); });
    }
    EXPECT_EQ(transformed > 0, Traits<T>::dtype == RV_F32);
}

/* The gradients of random windows: every combination of stride, padding, dilation and groups. */
TYPED_TEST(Kernels, ConvolutionIsRightForRandomWindows)
{
    using T = TypeParam;
    std::mt19937 random(99);
    const auto draw = [&](int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(random);
    };
    for (int trial = 0; trial < 150; trial++) {
        Window w{};
        w.batch = draw(1, 4), w.groups = draw(1, 3);
        w.channels = w.groups * draw(1, 4), w.outputs = w.groups * draw(1, 5);
        w.height = draw(1, 12), w.width = draw(1, 20);
        for (int d = 0; d < 2; d++) {
            w.kernel[d] = draw(1, 4), w.stride[d] = draw(1, 3), w.dilation[d] = draw(1, 3);
            w.pad[d] = draw(0, 4), w.extra[d] = draw(0, 2);
            const int64_t size = d == 0 ? w.height : w.width;
            while (size + 2 * w.pad[d] < w.dilation[d] * (w.kernel[d] - 1) + 1) w.pad[d]++;
        }
        Form<T> form(w);
        this->each_table([&](const rv_kernels &table) { form.check(table); });
    }
}

} // namespace
