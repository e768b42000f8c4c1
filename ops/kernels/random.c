/* Philox4x32-10 (tensor/random.h) on many counters at once. The rounds are written out so that
 * the compiler vectorizes the loop over the counters. */
#include "ops/kernels/table.h"

enum { BATCH = 64 }; /* counters */

typedef struct words {
    uint32_t w[4];
} words;

ALWAYS_INLINE words philox_round(words c, uint32_t key0, uint32_t key1, uint32_t round)
{
    const uint64_t product0 = (uint64_t)0xD2511F53u * c.w[0];
    const uint64_t product1 = (uint64_t)0xCD9E8D57u * c.w[2];
    return (words){
        {(uint32_t)(product1 >> 32) ^ c.w[1] ^ (key0 + round * 0x9E3779B9u), (uint32_t)product1,
         (uint32_t)(product0 >> 32) ^ c.w[3] ^ (key1 + round * 0xBB67AE85u), (uint32_t)product0}};
}

/* Blocks first .. first + BATCH - 1 of the stream. */
static void draw(const rv_random_plan *p, const uint32_t count[2], int64_t first,
                 uint32_t (*restrict out)[4])
{
    const uint32_t key0 = (uint32_t)p->seed, key1 = (uint32_t)(p->seed >> 32);
    INDEPENDENT
    for (uint32_t b = 0; b < BATCH; b++) {
        const uint64_t block = (uint64_t)first + b;
        words c = {{(uint32_t)block, (uint32_t)(block >> 32), count[0], count[1]}};
        c = philox_round(c, key0, key1, 0);
        c = philox_round(c, key0, key1, 1);
        c = philox_round(c, key0, key1, 2);
        c = philox_round(c, key0, key1, 3);
        c = philox_round(c, key0, key1, 4);
        c = philox_round(c, key0, key1, 5);
        c = philox_round(c, key0, key1, 6);
        c = philox_round(c, key0, key1, 7);
        c = philox_round(c, key0, key1, 8);
        c = philox_round(c, key0, key1, 9);
        out[b][0] = c.w[0];
        out[b][1] = c.w[1];
        out[b][2] = c.w[2];
        out[b][3] = c.w[3];
    }
}

/* A digit of the count; 0 for a value out of range. */
static uint32_t digit(real value)
{
    return value >= 0 && value < (real)0x1p32 ? (uint32_t)value : 0;
}

/* A word as a fraction below 1. f32 holds 24 bits; rounding would turn the largest word into 1. */
static real fraction(uint32_t word)
{
    return sizeof(real) == sizeof(float) ? (real)(int32_t)(word >> 8) * (real)0x1p-24
                                         : (real)word * (real)0x1p-32;
}

void RV_NAME(rv_kernel_random_uniform)(const rv_call *call)
{
    const rv_random_plan *p = call->plan;
    const real *digits = call->in[0];
    const uint32_t count[2] = {digit(digits[0]), digit(digits[1])};
    uint32_t word[BATCH][4];
    int64_t i, end;
    rv_call_range(call, p->count, &i, &end);
    while (i < end) {
        const int64_t skip = i % 4, left = 4 * BATCH - skip, n = left < end - i ? left : end - i;
        const uint32_t *from = &word[0][0] + skip;
        real *out = (real *)call->out + i;
        draw(p, count, i / 4, word);
        for (int64_t k = 0; k < n; k++) out[k] = fraction(from[k]);
        i += n;
    }
}
