/* Philox4x32-10: ten rounds on the four words of a counter, or of a vector of counters. Salmon,
 * Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3". */
#ifndef RV_TENSOR_PHILOX_INTERNAL_H
#define RV_TENSOR_PHILOX_INTERNAL_H

#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__clang__)
#define RV_PHILOX_UNROLLED _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define RV_PHILOX_UNROLLED _Pragma("GCC unroll 10")
#else
#define RV_PHILOX_UNROLLED
#endif

/* Replaces the words c0 .. c3 of a counter by random ones. `lane` is uint64_t or a vector of it;
 * each word is the lower half of a lane, and the upper halves are left undefined. MULTIPLY(lane, x,
 * m) is the product of the lower halves. The multipliers and Weyl constants are those of the
 * paper's table 2 and section 4.3. */
#define RV_PHILOX(lane, MULTIPLY, c0, c1, c2, c3, key) \
    RV_PHILOX_UNROLLED \
    for (uint32_t round = 0; round < 10; round++) { \
        const lane product0 = MULTIPLY(lane, c0, 0xD2511F53u); \
        const lane product1 = MULTIPLY(lane, c2, 0xCD9E8D57u); \
        c0 = product1 >> 32 ^ c1 ^ ((uint32_t)(key) + round * 0x9E3779B9u); \
        c1 = product1; \
        c2 = product0 >> 32 ^ c3 ^ ((uint32_t)((key) >> 32) + round * 0xBB67AE85u); \
        c3 = product0; \
    }

/* MULTIPLY for lanes of so many bytes; compilers do not find the instruction for vectors. */
#define RV_PHILOX_MULTIPLY_8(lane, x, m) ((lane)(uint32_t)(x) * (m))
#define RV_PHILOX_MULTIPLY_16(lane, x, m) \
    (lane) _mm_mul_epu32((__m128i)(x), (__m128i)((lane){0} + (m)))
#define RV_PHILOX_MULTIPLY_32(lane, x, m) \
    (lane) _mm256_mul_epu32((__m256i)(x), (__m256i)((lane){0} + (m)))
#define RV_PHILOX_MULTIPLY_64(lane, x, m) \
    (lane) _mm512_mul_epu32((__m512i)(x), (__m512i)((lane){0} + (m)))

#endif
