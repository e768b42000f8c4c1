/* Philox4x32-10, uniform and normal values, and permutations. */
#include "tensor/random.h"

#include <math.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tensor/machine_internal.h"
#include "tensor/philox_internal.h"
#include "tensor/random_internal.h"

void rv_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    if (!counter || !key || !out) return;
    const uint64_t both = (uint64_t)key[1] << 32 | key[0];
    uint64_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    RV_PHILOX(uint64_t, RV_PHILOX_MULTIPLY_8, c0, c1, c2, c3, both)
    out[0] = (uint32_t)c0;
    out[1] = (uint32_t)c1;
    out[2] = (uint32_t)c2;
    out[3] = (uint32_t)c3;
}

uint64_t rv_seed(uint64_t seed, const char *name)
{
    if (!name) name = "";
    return XXH3_64bits_withSeed(name, strlen(name), seed);
}

/* The kind of value is part of the counter, so that a seed's uniform values, normal values and
 * permutation are independent. */
typedef enum stream { UNIFORM = 0, NORMAL = 1, PERMUTATION = 2 } stream;

static void draw(uint64_t seed, uint64_t index, stream use, uint32_t attempt, uint64_t out[2])
{
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)use, attempt};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t word[4];
    rv_philox4x32(counter, key, word);
    out[0] = (uint64_t)word[1] << 32 | word[0];
    out[1] = (uint64_t)word[3] << 32 | word[2];
}

/* The upper 53 bits as a fraction: exact, and never 1. */
static double fraction(uint64_t bits) { return (double)(bits >> 11) * 0x1p-53; }

double rv_random_uniform(uint64_t seed, uint64_t index)
{
    uint64_t bits[2];
    draw(seed, index, UNIFORM, 0, bits);
    return fraction(bits[0]);
}

/* ---- many at once ---- */

enum { BATCH = 64 };

#if defined(__x86_64__)

/* rv_random_uniform of first .. first + BATCH - 1. A whole number below 2^52 becomes a double by
 * the bits of 2^52 around it; all sums and products are exact. */
#define DRAW_BATCH(level, target, bytes) \
    target static void draw_##level(uint64_t seed, uint64_t first, double to[BATCH]) \
    { \
        typedef uint64_t lanes __attribute__((vector_size(bytes))); \
        typedef double reals __attribute__((vector_size(bytes))); \
        enum { LANES = (bytes) / 8 }; \
        const lanes low = (lanes){0} + 0xFFFFFFFFu, exponent = (lanes){0} + 0x4330000000000000u; \
        lanes index; \
        for (uint64_t i = 0; i < LANES; i++) index[i] = first + i; \
        for (int at = 0; at < BATCH; at += LANES, index += LANES) { \
            lanes c0 = index, c1 = index >> 32, c2 = (lanes){0} + UNIFORM, c3 = {0}; \
            RV_PHILOX(lanes, RV_PHILOX_MULTIPLY_##bytes, c0, c1, c2, c3, seed) \
            const reals high = (reals)((c1 & low) | exponent) - 0x1p52; \
            const reals rest = (reals)((c0 & low) >> 11 | exponent) - 0x1p52; \
            const reals drawn = high * 0x1p-32 + rest * 0x1p-53; \
            memcpy(to + at, &drawn, sizeof drawn); \
        } \
    }
DRAW_BATCH(base, , 16)
DRAW_BATCH(v3, __attribute__((target("avx2"))), 32)
DRAW_BATCH(v4, __attribute__((target("avx512f"))), 64)

static void draw_batch(uint64_t seed, uint64_t first, double to[BATCH])
{
    (rv_has_avx512f() ? draw_v4 : rv_has_avx2() ? draw_v3 : draw_base)(seed, first, to);
}

#else

static void draw_batch(uint64_t seed, uint64_t first, double to[BATCH])
{
    for (uint64_t i = 0; i < BATCH; i++) to[i] = rv_random_uniform(seed, first + i);
}

#endif

void rv_random_uniforms(uint64_t seed, uint64_t first, int64_t count, double *to)
{
    double last[BATCH];
    for (; count >= BATCH; count -= BATCH, first += BATCH, to += BATCH) draw_batch(seed, first, to);
    if (count <= 0) return;
    draw_batch(seed, first, last);
    memcpy(to, last, (size_t)count * sizeof *to);
}

static double normal(uint64_t seed, uint64_t index, uint32_t attempt)
{
    const double two_pi = 6.283185307179586;
    uint64_t bits[2];
    draw(seed, index, NORMAL, attempt, bits);
    /* 1 - u is in (0, 1], so the logarithm is finite. */
    return sqrt(-2.0 * log(1.0 - fraction(bits[0]))) * cos(two_pi * fraction(bits[1]));
}

double rv_random_normal(uint64_t seed, uint64_t index) { return normal(seed, index, 0); }

double rv_random_truncated_normal(uint64_t seed, uint64_t index)
{
    double x = 3;
    for (uint32_t attempt = 0; fabs(x) > 2; attempt++) x = normal(seed, index, attempt);
    return x;
}

/* Uniform in 0 .. bound-1. Rejects draws below 2^64 mod bound, so that every remainder is equally
 * likely. *index counts the draws. */
static uint64_t below(uint64_t bound, uint64_t seed, uint64_t *index)
{
    uint64_t rejected = (0 - bound) % bound;
    uint64_t bits[2];
    do {
        draw(seed, (*index)++, PERMUTATION, 0, bits);
    } while (bits[0] < rejected);
    return bits[0] % bound;
}

void rv_random_permutation(int64_t *order, int64_t count, uint64_t seed)
{
    if (!order || count < 1) return;
    for (int64_t i = 0; i < count; i++) {
        order[i] = i;
    }
    uint64_t index = 0;
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t j = (int64_t)below((uint64_t)i + 1, seed, &index);
        int64_t kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}
