/* Uniform numbers: the words of Philox (tensor/random.h) on many counters at once, as fractions. */
#include <string.h>

#include "ops/kernels/table.h"
#include "tensor/philox_internal.h"

enum { BATCH = 64 }; /* counters */

#if defined(__x86_64__)
typedef uint64_t lanes __attribute__((vector_size(VECTOR_BYTES)));
#define MULTIPLY RV_PASTE(RV_PHILOX_MULTIPLY_, VECTOR_BYTES)
#else
typedef uint64_t lanes;
#define MULTIPLY RV_PHILOX_MULTIPLY_8
#endif

/* Blocks first .. first + BATCH - 1 of the stream. */
static void draw(const rv_random_plan *p, const uint32_t count[2], int64_t first,
                 uint32_t (*restrict out)[4])
{
    uint64_t block[BATCH], word[4][BATCH];
    for (int b = 0; b < BATCH; b++) block[b] = (uint64_t)first + (uint64_t)b;
    for (size_t b = 0; b < BATCH; b += sizeof(lanes) / sizeof *block) {
        lanes c0, c1, c2 = (lanes){0} + count[0], c3 = (lanes){0} + count[1];
        memcpy(&c0, block + b, sizeof c0);
        c1 = c0 >> 32;
        RV_PHILOX(lanes, MULTIPLY, c0, c1, c2, c3, p->seed)
        memcpy(word[0] + b, &c0, sizeof c0);
        memcpy(word[1] + b, &c1, sizeof c1);
        memcpy(word[2] + b, &c2, sizeof c2);
        memcpy(word[3] + b, &c3, sizeof c3);
    }
    INDEPENDENT
    for (int b = 0; b < BATCH; b++) {
        out[b][0] = (uint32_t)word[0][b];
        out[b][1] = (uint32_t)word[1][b];
        out[b][2] = (uint32_t)word[2][b];
        out[b][3] = (uint32_t)word[3][b];
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
