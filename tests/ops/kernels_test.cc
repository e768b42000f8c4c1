/* Every kernel of every table that this machine has, against loops in long double that follow its
 * definition in kernels.h word by word. */
#include <cstdlib>
#include <string>

#include "tensor/random.h"
#include "tests/ops/kernel_calls.h"
#include "tests/tensor/instructions.h"

namespace {

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

#if defined(__x86_64__) && defined(__GLIBC__)
/* This test again, with each limit. */
TEST(KernelTables, TheEnvironmentLimitsThem)
{
    if (const char *limit = std::getenv("RECURVE_LEVEL")) {
        for (int level = std::atoi(limit) + 1; level < RV_KERNEL_LEVELS; level++)
            EXPECT_EQ(rv_kernels_at(RV_F32, level), nullptr) << level;
        return;
    }
    run_without("-AVX512F", "KernelTables.TheEnvironmentLimitsThem", "RECURVE_LEVEL=1");
    run_without("-AVX2,-AVX512F", "KernelTables.TheEnvironmentLimitsThem", "RECURVE_LEVEL=0");
}
#endif

/* ---- layouts ----------------------------------------------------------------------------- */

/* Dimensions that lie in memory in some order, perhaps with gaps or reversed. Offsets are within 0
 * .. count-1. */
struct Layout {
    int64_t rank, dim[RV_MAX_RANK], stride[RV_MAX_RANK], first, count;
};

Layout draw_layout(Draw &draw, int64_t rank, const int64_t *dim, bool gaps)
{
    Layout l = {rank, {}, {}, 0, 1};
    std::vector<int64_t> order;
    for (int64_t d = 0; d < rank; d++) order.insert(order.begin(), d);
    if (draw.one_in(2)) std::shuffle(order.begin(), order.end(), draw.random());
    if (gaps && draw.one_in(4)) l.count = draw.from(2, 3);
    for (const int64_t d : order) {
        l.dim[d] = dim[d];
        l.stride[d] = l.count;
        l.count = l.count * dim[d] + (gaps && draw.one_in(4) ? draw.from(1, 5) : 0);
        if (!gaps || !draw.one_in(6)) continue;
        l.first += l.stride[d] * (dim[d] - 1);
        l.stride[d] = -l.stride[d];
    }
    return l;
}

/* Sizes around those of vectors, with at most `most` elements together. */
std::vector<int64_t> draw_sizes(Draw &draw, int64_t most)
{
    std::vector<int64_t> sizes(static_cast<size_t>(draw.from(0, RV_MAX_RANK)));
    for (int64_t &size : sizes) {
        const int64_t block = int64_t{4} << draw.from(0, 4);
        size = draw.one_in(3)    ? block + draw.from(-1, 1)
               : draw.one_in(30) ? draw.from(1, 3000)
                                 : draw.from(1, 5);
        size = std::min(size, most);
        most /= size;
    }
    return sizes;
}

/* The offset of element e, counted in row-major order. */
int64_t offset_of(int64_t rank, const int64_t *dim, const int64_t *stride, int64_t e)
{
    int64_t at = 0;
    for (int64_t d = rank - 1; d >= 0; e /= dim[d--]) at += e % dim[d] * stride[d];
    return at;
}

int64_t count_of(int64_t rank, const int64_t *dim)
{
    int64_t n = 1;
    for (int64_t d = 0; d < rank; d++) n *= dim[d];
    return n;
}

/* ---- copy -------------------------------------------------------------------------------- */

/* The kernel must move bits, not numbers: tensors of i32 use it, too, and NaNs keep their
 * payload. */
template <class T> void check_copy(const rv_kernels &table, const rv_copy_plan &p, int64_t in_count)
{
    using Bits = typename Traits<T>::Bits;
    std::vector<Bits> in(static_cast<size_t>(in_count));
    std::mt19937_64 random(3);
    for (Bits &b : in) b = static_cast<Bits>(random());
    Buffer<T> out(p.out_count);
    std::vector<Bits> expected(static_cast<size_t>(p.out_count));
    std::memcpy(expected.data(), out.data(), expected.size() * sizeof(Bits));
    if (p.clear) expected.assign(expected.size(), 0);
    for (int64_t e = 0; e < count_of(p.rank, p.dim); e++) {
        const int64_t from = p.in_offset + offset_of(p.rank, p.dim, p.in_stride, e),
                      to = p.out_offset + offset_of(p.rank, p.dim, p.out_stride, e);
        expected[static_cast<size_t>(to)] = in[static_cast<size_t>(from)];
    }
    Call<T> call;
    call.in = {in.data()};
    call.plan = &p;
    call(table.copy, out);
    ASSERT_EQ(std::memcmp(out.data(), expected.data(), expected.size() * sizeof(Bits)), 0);
}

TYPED_TEST(Kernels, CopyMovesEveryBitWhereThePlanSays)
{
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
        {1, {0}, {1}, {1}, 0, 0, 10, true},                /* pad that crops everything */
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
            check_copy<TypeParam>(table, p, 20000);
        }
    });
}

/* An input stride of 0 repeats elements. */
TYPED_TEST(Kernels, CopyIsRightForRandomPlans)
{
    this->search(1500, [&](Draw &draw) {
        const std::vector<int64_t> size = draw_sizes(draw, 4000);
        const auto rank = static_cast<int64_t>(size.size());
        Layout in = draw_layout(draw, rank, size.data(), draw.one_in(2)),
               out = draw_layout(draw, rank, size.data(), draw.one_in(3));
        rv_copy_plan p = {rank, {}, {}, {}, in.first, out.first, out.count, true};
        for (int64_t d = 0; d < rank; d++) {
            p.dim[d] = size[d];
            p.in_stride[d] = draw.one_in(8) ? 0 : in.stride[d];
            p.out_stride[d] = out.stride[d];
            if (p.in_stride[d] == 0 && in.stride[d] < 0)
                p.in_offset += in.stride[d] * (size[d] - 1);
        }
        p.clear = out.count > count_of(rank, p.dim) || draw.one_in(2);
        this->each_table(
            [&](const rv_kernels &table) { check_copy<TypeParam>(table, p, in.count); });
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
    const int64_t n = count_of(p.rank, p.dim), r = count_of(p.reduced_rank, p.reduced_dim);
    for (int64_t i = 0; i < n; i++) {
        const int64_t start = offset_of(p.rank, p.dim, p.stride, i);
        Exact sum = 0, size = 0, max = -INFINITY;
        for (int64_t k = 0; k < r; k++) {
            const int64_t at =
                start + offset_of(p.reduced_rank, p.reduced_dim, p.reduced_stride, k);
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
template <class T>
void check_reduction(const rv_kernels &table, const rv_reduce_plan &p, const T *x)
{
    const Reduced exact = reduce_exactly(p, x);
    Call<T> call;
    call.in = {x};
    call.plan = &p;
    Buffer<T> sum(static_cast<int64_t>(exact.sum.size())), max(sum.count());
    call(table.sum, sum);
    std::vector<Exact> bound;
    for (const Exact size : exact.size) bound.push_back(64 * kEps<T> * size);
    expect_near(sum, exact.sum, bound, "sum");
    call(table.max, max);
    expect_near(max, exact.max, std::vector<Exact>(exact.max.size(), 0), "max");
}

TYPED_TEST(Kernels, SumIsTheSumAndMaxTheGreatest)
{
    using T = TypeParam;
    Buffer<T> in(110000);
    fill(in, 5, -0.5, 1);
    this->each_table([&](const rv_kernels &table) {
        for (const rv_reduce_plan &p : kReductions) {
            SCOPED_TRACE("plan " + std::to_string(&p - kReductions));
            check_reduction<T>(table, p, in.data() + (p.rank == 1 && p.stride[0] < 0 ? 5000 : 0));
        }
    });
}

TYPED_TEST(Kernels, ReductionsAreRightForRandomPlans)
{
    using T = TypeParam;
    this->search(1500, [&](Draw &draw) {
        const std::vector<int64_t> size = draw_sizes(draw, 6000);
        const Layout l =
            draw_layout(draw, static_cast<int64_t>(size.size()), size.data(), draw.one_in(3));
        rv_reduce_plan p = {};
        for (int64_t d = 0; d < l.rank; d++) {
            const bool reduced = draw.one_in(2);
            int64_t &rank = reduced ? p.reduced_rank : p.rank;
            (reduced ? p.reduced_dim : p.dim)[rank] = l.dim[d];
            (reduced ? p.reduced_stride : p.stride)[rank++] = l.stride[d];
        }
        Buffer<T> in(l.count);
        fill(in, 5, -0.5, 1);
        this->each_table(
            [&](const rv_kernels &table) { check_reduction<T>(table, p, in.data() + l.first); });
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

/* ---- running sums and scattered sums ----------------------------------------------------- */

/* Two roundings at each step, one with a fused multiply-add. */
TYPED_TEST(Kernels, ScanMultipliesAndAddsOneByOne)
{
    using T = TypeParam;
    this->search(200, [&](Draw &draw) {
        const rv_scan_plan p = {draw.from(1, 5),
                                draw.one_in(4) ? draw.from(1, 300) : draw.from(1, 9),
                                draw.one_in(2) ? 1 : draw.from(2, 70), draw.one_in(2)};
        Buffer<T> a(p.outer * p.steps * p.inner), b(a.count()), start(p.outer * p.inner),
            y(a.count());
        fill(a, 1), fill(b, 2), fill(start, 3);
        Call<T> call;
        call.in = {a.data(), b.data(), start.data()};
        call.plan = &p;
        this->each_table([&](const rv_kernels &table) {
            run_in_parts(call, table.scan, p.outer, y);
            for (int64_t o = 0; o < p.outer; o++)
                for (int64_t j = 0; j < p.inner; j++) {
                    T before = start[o * p.inner + j];
                    for (int64_t t = 0; t < p.steps; t++) {
                        const int64_t step = p.reverse ? p.steps - 1 - t : t,
                                      i = (o * p.steps + step) * p.inner + j;
                        const T bound = 2 * std::numeric_limits<T>::epsilon() *
                                        (std::abs(a[i] * before) + std::abs(b[i]));
                        ASSERT_NEAR(y[i], a[i] * before + b[i], bound) << "element " << i;
                        before = y[i];
                    }
                }
        });
    });
}

/* The same bits as additions in T, one by one. */
TYPED_TEST(Kernels, CumulativeSumAddsOneByOne)
{
    using T = TypeParam;
    this->search(200, [&](Draw &draw) {
        const rv_scan_plan p = {draw.from(1, 5),
                                draw.one_in(4) ? draw.from(1, 300) : draw.from(1, 9),
                                draw.one_in(2) ? 1 : draw.from(2, 70), draw.one_in(2)};
        Buffer<T> x(p.outer * p.steps * p.inner), y(x.count());
        fill(x, 1);
        Call<T> call;
        call.in = {x.data()};
        call.plan = &p;
        this->each_table([&](const rv_kernels &table) {
            run_in_parts(call, table.cumulative_sum, p.outer, y);
            for (int64_t o = 0; o < p.outer; o++)
                for (int64_t j = 0; j < p.inner; j++) {
                    T sum = 0;
                    for (int64_t t = 0; t < p.steps; t++) {
                        const int64_t step = p.reverse ? p.steps - 1 - t : t,
                                      i = (o * p.steps + step) * p.inner + j;
                        sum += x[i];
                        ASSERT_EQ(y[i], sum) << "element " << i;
                    }
                }
        });
    });
}

TYPED_TEST(Kernels, ScatterAddAddsInTheOrderOfTheIndex)
{
    using T = TypeParam;
    this->search(200, [&](Draw &draw) {
        const rv_scatter_plan p = {draw.from(1, 50), draw.from(1, 40),
                                   draw.one_in(2) ? 1 : draw.from(2, 70)};
        Buffer<T> x(p.count * p.width), y(p.rows * p.width);
        fill(x, 1);
        std::vector<int32_t> index;
        for (int64_t i = 0; i < p.count; i++)
            index.push_back(static_cast<int32_t>(draw.from(-1, p.rows)));
        std::vector<T> sum(static_cast<size_t>(y.count()));
        for (int64_t i = 0; i < p.count; i++)
            for (int64_t j = 0; j < p.width; j++) {
                const int64_t row = index[static_cast<size_t>(i)];
                if (row >= 0 && row < p.rows)
                    sum[static_cast<size_t>(row * p.width + j)] += x[i * p.width + j];
            }
        Call<T> call;
        call.in = {x.data(), index.data()};
        call.plan = &p;
        this->each_table([&](const rv_kernels &table) {
            run_in_parts(call, table.scatter_add, p.rows, y);
            for (int64_t i = 0; i < y.count(); i++) ASSERT_EQ(y[i], sum[static_cast<size_t>(i)]);
        });
    });
}

/* ---- random numbers ---------------------------------------------------------------------- */

TYPED_TEST(Kernels, RandomNumbersArePhiloxs)
{
    using T = TypeParam;
    const rv_random_plan p = {0x0123456789ABCDEF, 1001};
    const int bits = std::min(32, std::numeric_limits<T>::digits);
    this->each_table([&](const rv_kernels &table) {
        Buffer<T> count(2), y(p.count);
        count[0] = T(77), count[1] = T(5);
        for (const int parts : {1, 3, 7}) {
            Call<T> call;
            call.in = {count.data()};
            call.plan = &p;
            call.parts = parts;
            for (call.part = 0; call.part < parts; call.part++) call(table.random_uniform, y);
            for (int64_t i = 0; i < p.count; i++) {
                const uint32_t counter[] = {static_cast<uint32_t>(i / 4), 0, 77, 5},
                               key[] = {0x89ABCDEF, 0x01234567};
                uint32_t word[4];
                rv_philox4x32(counter, key, word);
                ASSERT_EQ(y[i], std::ldexp(static_cast<T>(word[i % 4] >> (32 - bits)), -bits));
            }
        }
    });
}

/* ---- matmul ------------------------------------------------------------------------------ */

std::string text(const rv_matmul_plan &p)
{
    return "batch " + std::to_string(p.batch) + " m " + std::to_string(p.m) + " n " +
           std::to_string(p.n) + " k " + std::to_string(p.k) + (p.transpose_a ? " A'" : "") +
           (p.transpose_b ? " B'" : "") + " panel " + std::to_string(p.panel) +
           (p.add ? " added" : "") + " method " + std::to_string(p.method);
}

/* Calls check(plan) for every method that fits. */
template <class Check> void each_method(const rv_kernels &table, rv_matmul_plan p, Check check)
{
    for (int m = RV_MATMUL_ANY; m < RV_MATMUL_METHODS; m++) {
        p.method = static_cast<rv_matmul_method>(m);
        SCOPED_TRACE(text(p));
        if (table.matmul_fits(&p)) check(p);
    }
}

/* A product of random operands, and its exact value. No term of a sum of k products is rounded more
 * than k + 1 times. */
template <class T> class Product {
  public:
    explicit Product(const rv_matmul_plan &plan)
        : p_(plan), a_(p_.batch * p_.m * p_.k), b_(p_.batch * p_.k * p_.n),
          c_(p_.batch * p_.m * p_.n)
    {
        fill(a_, 11);
        fill(b_, 12);
        fill(c_, 13);
        for (int64_t s = 0; s < p_.batch; s++)
            for (int64_t i = 0; i < p_.m; i++)
                for (int64_t j = 0; j < p_.n; j++) add_up(s, i, j);
    }

    /* Checks every method that fits, and counts it in used[method]. */
    void check(const rv_kernels &table, std::vector<int> &used)
    {
        each_method(table, p_, [&](const rv_matmul_plan &p) {
            used[p.method]++;
            Call<T> call;
            call.in = {a_.data(), b_.data()};
            call.plan = &p;
            call.scratch_size = table.matmul_scratch(&p);
            Buffer<T> c(c_.count());
            if (p.add) std::copy(c_.data(), c_.data() + c.count(), c.data());
            run_in_parts(call, table.matmul, p.batch > 1 ? p.batch : p.n > 1 ? p.m : 0, c);
            ASSERT_TRUE(a_.intact() && b_.intact());
            expect_near(c, exact_, bound_, "matmul");
        });
    }

  private:
    rv_matmul_plan p_;
    Buffer<T> a_, b_, c_;
    std::vector<Exact> exact_, bound_;

    void add_up(int64_t s, int64_t i, int64_t j)
    {
        Exact sum = p_.add ? c_[(s * p_.m + i) * p_.n + j] : 0, size = std::fabs(sum);
        for (int64_t l = 0; l < p_.k; l++) {
            const int64_t at_a = p_.transpose_a ? l * p_.m + i : i * p_.k + l,
                          at_b = p_.panel ? (j / p_.panel * p_.k + l) * p_.panel + j % p_.panel
                                 : p_.transpose_b ? j * p_.k + l
                                                  : l * p_.n + j;
            const Exact x = a_[s * p_.m * p_.k + at_a], y = b_[s * p_.k * p_.n + at_b];
            sum += x * y;
            size += std::fabs(x * y);
        }
        exact_.push_back(sum);
        bound_.push_back(static_cast<Exact>(p_.k + 1 + p_.add) * kEps<T> * size);
    }
};

rv_matmul_plan draw_product(Draw &draw, int64_t block)
{
    enum { MOST_PRODUCTS = 100000 };
    const auto size = [&] {
        const int64_t near = block * draw.from(1, 4) + draw.from(-1, 1);
        return draw.one_in(4)    ? 1
               : draw.one_in(12) ? draw.from(1, 900)
               : draw.one_in(3)  ? near
                                 : draw.from(1, 40);
    };
    rv_matmul_plan p{};
    do {
        p = {draw.one_in(4) ? draw.from(2, 5) : 1,
             size(),
             size(),
             size(),
             draw.one_in(2),
             draw.one_in(2),
             0,
             draw.one_in(2),
             RV_MATMUL_ANY};
        if (draw.one_in(5)) {
            p.batch = 1, p.transpose_b = false;
            p.panel = block * draw.from(1, 5), p.n = p.panel * draw.from(1, 3);
        }
    } while (p.batch * p.m * p.n * p.k > MOST_PRODUCTS);
    return p;
}

/* Finds conditions that are missing from a method's `fits`. */
TYPED_TEST(Kernels, MatmulIsRightForRandomPlansByEveryMethodThatFits)
{
    using T = TypeParam;
    std::vector<int> used(RV_MATMUL_METHODS);
    this->search(1500, [&](Draw &draw) {
        Product<T> product(draw_product(draw, 64 / static_cast<int64_t>(sizeof(T))));
        this->each_table([&](const rv_kernels &table) { product.check(table, used); });
    });
    for (int m = 0; m < RV_MATMUL_METHODS; m++) EXPECT_GT(used[m], 20) << "method " << m;
}

TYPED_TEST(Kernels, MatmulIsRightWhereItBlocks)
{
    using T = TypeParam;
    const int64_t shapes[][4] = {{3, 7, 20, 33},    {5, 1, 34, 16},   {2, 70, 50, 300},
                                 {1, 100, 70, 600}, {1, 300, 20, 40}, {1, 70, 2100, 20},
                                 {1, 261, 3, 259},  {1, 1, 300, 500}, {1, 300, 1, 500}};
    std::vector<rv_matmul_plan> plans = {{1, 513, 193, 515, true, false, 0, false, RV_MATMUL_ANY},
                                         {1, 19, 240, 300, false, false, 80, true, RV_MATMUL_ANY},
                                         {1, 1024, 192, 130, true, false, 32, true, RV_MATMUL_ANY},
                                         {1, 69, 192, 1024, false, false, 32, false, RV_MATMUL_ANY},
                                         {1, 1, 1100, 31, false, false, 0, true, RV_MATMUL_ANY}};
    for (const auto &s : shapes)
        for (int flags = 0; flags < 4; flags++)
            plans.push_back({s[0], s[1], s[2], s[3], (flags & 1) != 0, (flags & 2) != 0, 0,
                             flags == 3, RV_MATMUL_ANY});
    std::vector<int> used(RV_MATMUL_METHODS);
    for (const rv_matmul_plan &p : plans) {
        Product<T> product(p);
        this->each_table([&](const rv_kernels &table) { product.check(table, used); });
    }
}

/* An infinity or NaN reaches the results that it is part of, and no others. */
TYPED_TEST(Kernels, MatmulKeepsInfinityAndNaNInTheirRowsAndColumns)
{
    using T = TypeParam;
    this->each_table([](const rv_kernels &table) {
        for (const int64_t k : {5, 16, 19, 35, 300}) {
            for (const int64_t m : {1, 6, 70}) {
                for (int flags = 0; flags < 4; flags++) {
                    const int64_t n = 37, i = m / 2, j = 36, l = k - 2;
                    const rv_matmul_plan p = {
                        1, m, n, k, (flags & 1) != 0, (flags & 2) != 0, 0, false, RV_MATMUL_ANY};
                    Buffer<T> a(m * k), b(k * n), c(m * n);
                    fill(a, 1, 0.5, 1);
                    fill(b, 2, 0.5, 1);
                    a[p.transpose_a ? l * m + i : i * k + l] = INFINITY;
                    b[p.transpose_b ? j * k + l : l * n + j] = NAN;
                    each_method(table, p, [&](const rv_matmul_plan &plan) {
                        Call<T> call;
                        call.in = {a.data(), b.data()};
                        call.plan = &plan;
                        call.scratch_size = table.matmul_scratch(&plan);
                        call(table.matmul, c);
                        for (int64_t r = 0; r < m; r++)
                            for (int64_t s = 0; s < n; s++) {
                                const T x = c[r * n + s];
                                ASSERT_TRUE(s == j   ? std::isnan(x)
                                            : r == i ? x == T(INFINITY)
                                                     : std::isfinite(x));
                            }
                    });
                }
            }
        }
    });
}

} // namespace
