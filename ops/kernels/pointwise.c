/* The pointwise kernels: one function for each line of pointwise.def.
 *
 * A kernel processes whole blocks, so every element takes the same path and its bits never depend
 * on its position. A scalar input is expanded to one block that is read repeatedly. The compiler
 * vectorizes the loop over a block. */
#include "ops/kernels/table.h"
#include "tensor/memory.h"

enum { BLOCK = RV_ALIGNMENT / (int)sizeof(real), MOST_INPUTS = 3, CHUNK = 256 };

/* Input and output may be the same memory, but elements do not depend on one another. Compilers
 * must not unroll the loop before they vectorize it. Clang must not interleave vectors and finish
 * with single elements, nor warn about functions of the C library that have no vector version. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed"
#define VECTORS RV_PRAGMA(clang loop vectorize(assume_safety) interleave(disable) unroll(disable))
#elif defined(__GNUC__)
#define VECTORS INDEPENDENT RV_PRAGMA(GCC unroll 1)
#else
#define VECTORS
#endif

/* Kernels with scalar inputs are a separate function, so that the others need no blocks on the
 * stack. */
#define ROW(name, count, LOAD, value) \
    ALWAYS_INLINE void name##_elements(int64_t n, real *out, const real *const in[]) \
    { \
        VECTORS \
        for (int64_t i = 0; i < n; i++) { \
            LOAD; \
            out[i] = (value); \
        } \
    } \
    static __attribute__((noinline)) void name##_repeating(int64_t blocks, real *out, \
                                                           const void *const *in, unsigned scalar) \
    { \
        real repeated[MOST_INPUTS][BLOCK]; \
        const real *at[MOST_INPUTS]; \
        int64_t step[MOST_INPUTS]; \
        UNROLLED \
        for (int k = 0; k < (count); k++) { \
            at[k] = in[k]; \
            step[k] = BLOCK; \
            if (scalar >> k & 1) { \
                for (int i = 0; i < BLOCK; i++) repeated[k][i] = *at[k]; \
                at[k] = repeated[k]; \
                step[k] = 0; \
            } \
        } \
        for (int64_t block = 0; block < blocks; block++, out += BLOCK) { \
            name##_elements(BLOCK, out, at); \
            UNROLLED \
            for (int k = 0; k < (count); k++) at[k] += step[k]; \
        } \
    } \
    void RV_NAME(rv_pointwise_##name)(int64_t blocks, void *to, const void *const *in, int inputs, \
                                      unsigned scalar) \
    { \
        (void)inputs; /* a constant here, so that everything stays in registers */ \
        if (scalar) { \
            name##_repeating(blocks, to, in, scalar); \
            return; \
        } \
        void (*const many)(int64_t, real *, const real *) = MANY(name); \
        if (many && blocks >= CHUNK / BLOCK) { \
            many((blocks)*BLOCK, to, in[0]); \
            return; \
        } \
        const real *at[MOST_INPUTS]; \
        UNROLLED \
        for (int k = 0; k < (count); k++) at[k] = in[k]; \
        name##_elements((blocks)*BLOCK, to, at); \
    }

/* Sigmoid and tanh are such long chains of operations that a processor, which looks only some
 * hundred instructions ahead, waits for them although the elements are independent. Of many
 * elements, two loops with half of the chain each take a tenth to a quarter less time (workload D
 * of bench). */
#if defined(RV_REAL_F32)
#define IN_TWO(name) \
    ALWAYS_INLINE void name##_elements(int64_t n, real *out, const real *const in[]); \
    static __attribute__((noinline)) void name##_in_two(int64_t n, real *out, const real *x) \
    { \
        for (; n >= CHUNK; n -= CHUNK, x += CHUNK, out += CHUNK) { \
            real r[CHUNK], rounded[CHUNK]; \
            VECTORS \
            for (int i = 0; i < CHUNK; i++) rounded[i] = name##_begin(x[i], r + i); \
            VECTORS \
            for (int i = 0; i < CHUNK; i++) out[i] = name##_end(x[i], rounded[i], r[i]); \
        } \
        if (n > 0) name##_elements(n, out, &x); \
    }
IN_TWO(sigmoid)
IN_TWO(tanh)
#define MANY_sigmoid , sigmoid_in_two
#define MANY_tanh , tanh_in_two
#endif

/* The function for many elements, or NULL. */
#define MANY(name) SECOND(MANY_##name, NULL, )
#define SECOND(...) SECOND_OF(__VA_ARGS__)
#define SECOND_OF(first, second, ...) second

#define LOAD1 const real x = in[0][i]
#define LOAD2 LOAD1, y = in[1][i]
#define LOAD3 LOAD2, z = in[2][i]

#define UNARY(name, formula, doc, value, ...) ROW(name, 1, LOAD1, value)
#define BINARY(name, formula, doc, value, ...) ROW(name, 2, LOAD2, value)
#define TERNARY(name, formula, doc, value, ...) ROW(name, 3, LOAD3, value)
#include "ops/pointwise.def"
