/* Moving elements: across the lanes of vectors, and a few at a time. */
#ifndef RV_OPS_KERNELS_LANES_H
#define RV_OPS_KERNELS_LANES_H

#include <stddef.h>

#include "ops/kernels/real.h"

/* The lower halves of x and y interleaved, x0 y0 x1 y1 ..., and the upper halves. */
#if VECTOR_BYTES == 16 && defined(RV_REAL_F64)
#define LOWER(x, y) __builtin_shufflevector(x, y, 0, 2)
#define UPPER(x, y) __builtin_shufflevector(x, y, 1, 3)
#elif (VECTOR_BYTES == 16) || (VECTOR_BYTES == 32 && defined(RV_REAL_F64))
#define LOWER(x, y) __builtin_shufflevector(x, y, 0, 4, 1, 5)
#define UPPER(x, y) __builtin_shufflevector(x, y, 2, 6, 3, 7)
#elif (VECTOR_BYTES == 32) || defined(RV_REAL_F64)
#define LOWER(x, y) __builtin_shufflevector(x, y, 0, 8, 1, 9, 2, 10, 3, 11)
#define UPPER(x, y) __builtin_shufflevector(x, y, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define LOWER(x, y) \
    __builtin_shufflevector(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define UPPER(x, y) \
    __builtin_shufflevector(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#endif

/* Transpositions work on vectors of STRIP elements, at most 32 bytes, since many processors shuffle
 * wider ones at half the rate. SHORT_LOWER and SHORT_UPPER interleave the halves of each 16 bytes,
 * SHORT elements. JOIN makes a strip of two shorts. */
enum { SHORT = 16 / (int)sizeof(real), STRIP = VECTOR_BYTES > 16 ? 2 * SHORT : SHORT };
#if VECTOR_BYTES == 16
#define SHORT_LOWER LOWER
#define SHORT_UPPER UPPER
#define JOIN(x, y) (x)
#elif defined(RV_REAL_F64)
#define SHORT_LOWER(x, y) __builtin_shufflevector(x, y, 0, 4, 2, 6)
#define SHORT_UPPER(x, y) __builtin_shufflevector(x, y, 1, 5, 3, 7)
#define JOIN(x, y) __builtin_shufflevector(x, y, 0, 1, 2, 3)
#else
#define SHORT_LOWER(x, y) __builtin_shufflevector(x, y, 0, 8, 1, 9, 4, 12, 5, 13)
#define SHORT_UPPER(x, y) __builtin_shufflevector(x, y, 2, 10, 3, 11, 6, 14, 7, 15)
#define JOIN(x, y) __builtin_shufflevector(x, y, 0, 1, 2, 3, 4, 5, 6, 7)
#endif
typedef real short_vec
    __attribute__((vector_size(SHORT * sizeof(real)), aligned(sizeof(real)), may_alias));
typedef real strip_vec
    __attribute__((vector_size(STRIP * sizeof(real)), aligned(sizeof(real)), may_alias));

/* to[j*to_row + i] = from[i*from_row + j] for i < STRIP, j < columns, a multiple of SHORT:
 * log2(SHORT) rounds, each of which interleaves the first half of the vectors with the second.
 * (Inlined, the strides would not stay in registers.) */
__attribute__((noinline, unused)) static void transpose_strip(real *to, int64_t to_row,
                                                              const real *from, int64_t from_row,
                                                              int64_t columns)
{
    for (int64_t j = 0; j < columns; j += SHORT, from += SHORT, to += SHORT * to_row) {
        strip_vec x[SHORT], y[SHORT];
        UNROLLED
        for (int i = 0; i < SHORT; i++)
            x[i] = JOIN(*(const short_vec *)(from + i * from_row),
                        *(const short_vec *)(from + (STRIP - SHORT + i) * from_row));
        UNROLLED
        for (int round = 1; round < SHORT; round *= 2) {
            UNROLLED
            for (int i = 0; i < SHORT / 2; i++) {
                y[2 * i] = SHORT_LOWER(x[i], x[i + SHORT / 2]);
                y[2 * i + 1] = SHORT_UPPER(x[i], x[i + SHORT / 2]);
            }
            UNROLLED
            for (int i = 0; i < SHORT; i++) x[i] = y[i];
        }
        UNROLLED
        for (int i = 0; i < SHORT; i++) *(strip_vec *)(to + i * to_row) = x[i];
    }
}

/* to[j*to_row + i] = from[i*from_row + j] for i, j < LANES. SQUARES: on wide vectors, faster than
 * in strips. Each 4x4 is transposed inside its 16 bytes, then the 4x4 of these. */
#if VECTOR_BYTES == 64 && defined(RV_REAL_F32)
#define SQUARES 1
#define EACH_LOWER(x, y) \
    __builtin_shufflevector(x, y, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define EACH_UPPER(x, y) \
    __builtin_shufflevector(x, y, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define EVEN_SHORTS(x, y) \
    __builtin_shufflevector(x, y, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
#define ODD_SHORTS(x, y) \
    __builtin_shufflevector(x, y, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)

__attribute__((noinline, unused)) static void transpose_lanes(real *to, int64_t to_row,
                                                              const real *from, int64_t from_row)
{
    vec x[LANES], y[LANES];
    UNROLLED
    for (int i = 0; i < LANES; i++) x[i] = load(from + i * from_row);
    UNROLLED
    for (int round = 0; round < 2; round++) {
        UNROLLED
        for (int i = 0; i < LANES; i += SHORT) {
            UNROLLED
            for (int j = 0; j < 2; j++) {
                y[i + 2 * j] = EACH_LOWER(x[i + j], x[i + j + 2]);
                y[i + 2 * j + 1] = EACH_UPPER(x[i + j], x[i + j + 2]);
            }
        }
        UNROLLED
        for (int i = 0; i < LANES; i++) x[i] = y[i];
    }
    UNROLLED
    for (int j = 0; j < SHORT; j++) {
        const vec even = EVEN_SHORTS(x[j], x[j + 4]), odd = ODD_SHORTS(x[j], x[j + 4]);
        const vec even8 = EVEN_SHORTS(x[j + 8], x[j + 12]), odd8 = ODD_SHORTS(x[j + 8], x[j + 12]);
        store(to + j * to_row, EVEN_SHORTS(even, even8));
        store(to + (j + 4) * to_row, EVEN_SHORTS(odd, odd8));
        store(to + (j + 8) * to_row, ODD_SHORTS(even, even8));
        store(to + (j + 12) * to_row, ODD_SHORTS(odd, odd8));
    }
}
#else
#define SQUARES 0
ALWAYS_INLINE void transpose_lanes(real *to, int64_t to_row, const real *from, int64_t from_row)
{
    for (int i = 0; i < LANES; i += STRIP)
        transpose_strip(to + i, to_row, from + i * from_row, from_row, LANES);
}
#endif

/* Element i of the result is the sum over the lanes of x[i]: a transposition that adds in each
 * round. */
ALWAYS_INLINE vec sums_of_lanes(vec x[LANES])
{
    UNROLLED
    for (int half = LANES / 2; half > 0; half /= 2) {
        UNROLLED
        for (int i = 0; i < half; i++) {
            x[i] = LOWER(x[i], x[i + half]) + UPPER(x[i], x[i + half]);
        }
    }
    return x[0];
}

/* Copies a few elements without the cost of a call. */
ALWAYS_INLINE void rv_copy_few(real *to, const real *from, int64_t n)
{
    for (; n >= LANES; n -= LANES, to += LANES, from += LANES) store(to, load(from));
    UNROLLED
    for (int part = LANES / 2; part > 0; part /= 2) {
        if (n & part) {
            __builtin_memcpy(to, from, (size_t)part * sizeof(real));
            to += part, from += part;
        }
    }
}

/* Copies short rows. For a constant n the compiler moves a row at once. */
ALWAYS_INLINE void rv_copy_rows(real *to, int64_t to_row, const real *from, int64_t from_row,
                                int64_t rows, int64_t n)
{
    if (n == 8) {
        for (int64_t i = 0; i < rows; i++) rv_copy_few(to + i * to_row, from + i * from_row, 8);
    } else if (n == 4) {
        for (int64_t i = 0; i < rows; i++) rv_copy_few(to + i * to_row, from + i * from_row, 4);
    } else {
        for (int64_t i = 0; i < rows; i++) rv_copy_few(to + i * to_row, from + i * from_row, n);
    }
}

#endif
