/* Philox4x32-10, uniform and normal values, and permutations. */
#include "tensor/random.h"

#include <math.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tensor/random_internal.h"

/* Philox's round multipliers and Weyl constants, from the paper's table 2 and section 4.3. */
enum { PHILOX_ROUNDS = 10 };
static const uint32_t multiplier0 = 0xD2511F53u, multiplier1 = 0xCD9E8D57u;
static const uint32_t weyl0 = 0x9E3779B9u, weyl1 = 0xBB67AE85u;

void rv_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    if (!counter || !key || !out) return;
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t product0 = (uint64_t)multiplier0 * c0;
        uint64_t product1 = (uint64_t)multiplier1 * c2;
        c0 = (uint32_t)(product1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)product1;
        c2 = (uint32_t)(product0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)product0;
        k0 += weyl0;
        k1 += weyl1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
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

/* rv_philox4x32 on LANES counters at once, in loops that a compiler makes vectors of. */
void rv_random_uniforms(uint64_t seed, const uint64_t *index, int count, double *to)
{
    enum { LANES = 8 };
    for (int first = 0; first < count; first += LANES) {
        const int n = count - first < LANES ? count - first : LANES;
        uint32_t c0[LANES] = {0}, c1[LANES] = {0}, c2[LANES], c3[LANES];
        uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
        for (int i = 0; i < n; i++) c0[i] = (uint32_t)index[first + i];
        for (int i = 0; i < n; i++) c1[i] = (uint32_t)(index[first + i] >> 32);
        for (int i = 0; i < LANES; i++) c2[i] = UNIFORM;
        for (int i = 0; i < LANES; i++) c3[i] = 0;
        for (int round = 0; round < PHILOX_ROUNDS; round++) {
            for (int i = 0; i < LANES; i++) {
                const uint64_t product0 = (uint64_t)multiplier0 * c0[i];
                const uint64_t product1 = (uint64_t)multiplier1 * c2[i];
                c0[i] = (uint32_t)(product1 >> 32) ^ c1[i] ^ k0;
                c1[i] = (uint32_t)product1;
                c2[i] = (uint32_t)(product0 >> 32) ^ c3[i] ^ k1;
                c3[i] = (uint32_t)product0;
            }
            k0 += weyl0;
            k1 += weyl1;
        }
        for (int i = 0; i < n; i++) to[first + i] = fraction((uint64_t)c1[i] << 32 | c0[i]);
    }
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
