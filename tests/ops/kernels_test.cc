/* Every kernel of every table that this machine has, against loops that follow its definition in
 * kernels.h word by word, in long double. */
#include "tensor/random.h"
#include "tests/ops/kernel_calls.h"

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

/* ---- sums that go on ---------------------------------------------------------------------- */

/* In T itself, one by one: the same bits. */
TYPED_TEST(Kernels, CumulativeSumAddsOneByOne)
{
    using T = TypeParam;
    const rv_scan_plan plans[] = {{1, 1, 1, false},  {1, 300, 1, false}, {3, 7, 1, true},
                                  {1, 9, 37, false}, {4, 5, 64, true},   {2, 3, 1000, false}};
    this->each_table([&](const rv_kernels &table) {
        for (const rv_scan_plan &p : plans) {
            Buffer<T> x(p.outer * p.steps * p.inner), y(x.count());
            fill(x, 1);
            Call<T> call;
            call.in = {x.data()};
            call.plan = &p;
            call(table.cumulative_sum, y);
            for (int64_t o = 0; o < p.outer; o++)
                for (int64_t j = 0; j < p.inner; j++) {
                    T sum = 0;
                    for (int64_t t = 0; t < p.steps; t++) {
                        const int64_t step = p.reverse ? p.steps - 1 - t : t,
                                      i = (o * p.steps + step) * p.inner + j;
                        sum += x[i];
                        ASSERT_EQ(y[i], sum) << "plan " << &p - plans << " element " << i;
                    }
                }
        }
    });
}

TYPED_TEST(Kernels, ScatterAddAddsInTheOrderOfTheIndex)
{
    using T = TypeParam;
    const rv_scatter_plan plans[] = {{1, 1, 1}, {50, 7, 1}, {33, 5, 67}, {3, 40, 16}};
    this->each_table([&](const rv_kernels &table) {
        for (const rv_scatter_plan &p : plans) {
            Buffer<T> x(p.count * p.width), y(p.rows * p.width);
            fill(x, 1);
            std::mt19937 random(2);
            std::vector<int32_t> index;
            for (int64_t i = 0; i < p.count; i++)
                index.push_back(static_cast<int32_t>(random() % (p.rows + 2)) - 1);
            Call<T> call;
            call.in = {x.data(), index.data()};
            call.plan = &p;
            call(table.scatter_add, y);
            std::vector<T> sum(static_cast<size_t>(y.count()));
            for (int64_t i = 0; i < p.count; i++)
                for (int64_t j = 0; j < p.width; j++) {
                    const int64_t row = index[static_cast<size_t>(i)];
                    if (row >= 0 && row < p.rows)
                        sum[static_cast<size_t>(row * p.width + j)] += x[i * p.width + j];
                }
            for (int64_t i = 0; i < y.count(); i++)
                ASSERT_EQ(y[i], sum[static_cast<size_t>(i)]) << "plan " << &p - plans;
        }
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

} // namespace
