/* Calls of the fast kernels on guarded buffers, for every instruction set that the machine has. */
#ifndef RV_TESTS_OPS_KERNEL_CALLS_H
#define RV_TESTS_OPS_KERNEL_CALLS_H

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
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
#include "tests/rounds.h"

using Exact = long double;

/* A buffer between guards. A write beyond its ends changes the guards, a read is found by
 * AddressSanitizer, and an element that is never written stays NaN. With kWholeBlocks the buffer
 * includes the rest of its last block. */
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
        std::memset(scratch.data(), 0xFF, scratch_size); /* NaNs, which must not reach the result */
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
    void operator()(rv_pointwise_kernel kernel, Buffer<T> &out) const
    {
        const int64_t blocks = (out.count() * static_cast<int64_t>(sizeof(T)) + 63) / 64;
        kernel(blocks, out.data(), in.data(), static_cast<int>(in.size()), scalar);
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

/* Runs a call whole and in parts, with the same result. */
template <class T>
void run_in_parts(Call<T> call, rv_kernel kernel, int64_t most_parts, Buffer<T> &out)
{
    const std::vector<T> before(out.data(), out.data() + out.count());
    call(kernel, out);
    if (most_parts < 2) return;
    const int64_t piece = out.count() / most_parts;
    ASSERT_EQ(piece * most_parts, out.count());
    Buffer<T> again(out.count());
    for (const int parts : {2, 3}) {
        std::copy(before.begin(), before.end(), again.data());
        call.parts = parts;
        for (call.part = parts - 1; call.part >= 0; call.part--) {
            call(kernel, again);
            const int64_t from = most_parts * call.part / parts * piece;
            for (int64_t i = 0; i < from; i++)
                ASSERT_EQ(bits(again[i]), bits(before[static_cast<size_t>(i)]))
                    << "part " << call.part << " of " << parts << " wrote element " << i;
        }
        for (int64_t i = 0; i < out.count(); i++)
            ASSERT_EQ(bits(out[i]), bits(again[i])) << "element " << i << " in " << parts;
    }
}

template <class T> constexpr Exact kEps = std::numeric_limits<T>::epsilon();

/* Expects |got - exact| <= bound for each element. */
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

/* Random numbers: a pure function of the seed. */
class Draw {
  public:
    explicit Draw(unsigned seed) : random_(seed) {}
    int64_t from(int64_t low, int64_t high)
    {
        return low + static_cast<int64_t>(random_() % static_cast<uint64_t>(high - low + 1));
    }
    bool one_in(int64_t n) { return from(1, n) == 1; }
    std::mt19937 &random() { return random_; }

  private:
    std::mt19937 random_;
};

template <class T> class Kernels : public testing::Test {
  protected:
    /* Calls claim(draw) for `plans` seeds, or as many as RECURVE_PLANS in the environment says. */
    template <class Claim> void search(int plans, Claim claim)
    {
        plans = rounds("RECURVE_PLANS", plans);
        for (int seed = 0; seed < plans; seed++) {
            SCOPED_TRACE("seed " + std::to_string(seed));
            Draw draw(static_cast<unsigned>(seed));
            claim(draw);
            if (testing::Test::HasFailure()) return;
        }
    }
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

#endif
