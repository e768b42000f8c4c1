/* Philox4x32-10, uniform and normal values, permutations, and the initial values of tensors. */
#include "tensor/random.h"

#include <math.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

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

static void draw(uint64_t seed, uint64_t index, stream use, uint64_t out[2])
{
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)use, 0};
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
    draw(seed, index, UNIFORM, bits);
    return fraction(bits[0]);
}

double rv_random_normal(uint64_t seed, uint64_t index)
{
    const double two_pi = 6.283185307179586;
    uint64_t bits[2];
    draw(seed, index, NORMAL, bits);
    /* 1 - u is in (0, 1], so the logarithm is finite. */
    return sqrt(-2.0 * log(1.0 - fraction(bits[0]))) * cos(two_pi * fraction(bits[1]));
}

/* Uniform in 0 .. bound-1. Rejects draws below 2^64 mod bound, so that every remainder is equally
 * likely. *index counts the draws. */
static uint64_t below(uint64_t bound, uint64_t seed, uint64_t *index)
{
    uint64_t rejected = (0 - bound) % bound;
    uint64_t bits[2];
    do {
        draw(seed, (*index)++, PERMUTATION, bits);
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

rv_init rv_init_constant(double value) { return (rv_init){.kind = RV_INIT_CONSTANT, .a = value}; }

rv_init rv_init_uniform(double low, double high)
{
    return (rv_init){.kind = RV_INIT_UNIFORM, .a = low, .b = high};
}

rv_init rv_init_normal(double mean, double deviation)
{
    return (rv_init){.kind = RV_INIT_NORMAL, .a = mean, .b = deviation};
}

rv_init rv_init_identity(void) { return (rv_init){.kind = RV_INIT_IDENTITY}; }

/* Sets the elements (i, i, center ..) of x [rows,columns,..] to 1. */
static void fill_identity(rv_tensor *x)
{
    const rv_shape s = x->shape;
    int64_t center = 0, inner = 1;
    rv_tensor_fill(x, s.rank < 2 ? 1 : 0);
    for (int64_t d = 2; d < s.rank; d++) {
        center = center * s.dim[d] + s.dim[d] / 2;
        inner *= s.dim[d];
    }
    for (int64_t i = 0; s.rank >= 2 && i < s.dim[0] && i < s.dim[1]; i++)
        rv_tensor_set(x, (i * s.dim[1] + i) * inner + center, 1);
}

void rv_init_fill(rv_tensor *tensor, rv_init init, uint64_t seed)
{
    if (!rv_tensor_check(tensor, NULL)) return;
    int64_t count = init.kind == RV_INIT_IDENTITY ? 0 : rv_tensor_count(tensor);
    if (init.kind == RV_INIT_IDENTITY) fill_identity(tensor);
    for (int64_t i = 0; i < count; i++) {
        double value = init.a;
        if (init.kind == RV_INIT_UNIFORM) {
            value += (init.b - init.a) * rv_random_uniform(seed, (uint64_t)i);
        } else if (init.kind == RV_INIT_NORMAL) {
            value += init.b * rv_random_normal(seed, (uint64_t)i);
        }
        rv_tensor_set(tensor, i, value);
    }
}
