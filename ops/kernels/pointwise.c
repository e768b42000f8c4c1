/* The pointwise kernels: a row for each line of pointwise.def.
 *
 * A row goes through whole blocks, so that every element takes the same way and a bit of the result
 * never depends on where an element stands. A scalar input is a block that is read again and again.
 * The compiler turns a block into vectors, and EXP and its kin into calls of the vector functions
 * that real.h declares. */
#include "ops/kernels/table.h"
#include "tensor/memory.h"

enum { BLOCK = RV_ALIGNMENT / (int)sizeof(real), MOST_INPUTS = 3 };

/* In and out may be the same memory, which is no dependence between elements. gcc must not unroll the
 * loop over a block before it has made vectors of it. */
#if defined(__GNUC__) && !defined(__clang__)
#define VECTORS INDEPENDENT RV_PRAGMA(GCC unroll 1)
#else
#define VECTORS INDEPENDENT
#endif

#define ROW(name, count, LOAD, value) \
    void RV_NAME(rv_row_##name)(int64_t blocks, void *to, const void *const *in, int inputs, \
                                unsigned scalar) \
    { \
        real repeated[MOST_INPUTS][BLOCK], *out = to; \
        const real *from[MOST_INPUTS]; \
        int64_t step[MOST_INPUTS]; \
        (void)inputs; /* known, so that it all stays in registers */ \
        UNROLLED \
        for (int k = 0; k < (count); k++) { \
            from[k] = in[k]; \
            step[k] = BLOCK; \
            if (scalar >> k & 1) { \
                for (int i = 0; i < BLOCK; i++) repeated[k][i] = *from[k]; \
                from[k] = repeated[k]; \
                step[k] = 0; \
            } \
        } \
        for (int64_t block = 0; block < blocks; block++) { \
            VECTORS \
            for (int i = 0; i < BLOCK; i++) { \
                LOAD; \
                out[block * BLOCK + i] = (value); \
            } \
        } \
    }

#define INPUT(k) (from[k][block * step[k] + i])
#define LOAD1 const real x = INPUT(0)
#define LOAD2 LOAD1, y = INPUT(1)
#define LOAD3 LOAD2, z = INPUT(2)

#define UNARY(name, formula, doc, value, ...) ROW(name, 1, LOAD1, value)
#define BINARY(name, formula, doc, value, ...) ROW(name, 2, LOAD2, value)
#define TERNARY(name, formula, doc, value, ...) ROW(name, 3, LOAD3, value)
#include "ops/pointwise.def"
