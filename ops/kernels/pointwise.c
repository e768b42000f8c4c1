/* The pointwise kernels: a loop for each row of pointwise.def.
 *
 * All elements go through one loop over whole blocks, the last few in a padded copy, so that a bit
 * of the result never depends on where an element stands. A scalar input is a block that is read
 * again and again. The compiler turns a block into vectors, and EXP and its kin into calls of the
 * vector functions that real.h declares. */
#include <string.h>

#include "ops/kernels/table.h"

enum { BLOCK = 64 / (int)sizeof(real), MOST_INPUTS = 3 };

/* The operands of a kernel as runs of blocks. */
typedef struct blocks {
    const real *in[MOST_INPUTS];
    int64_t step[MOST_INPUTS]; /* from block to block: BLOCK, or 0 for a scalar */
    real *out;
    int64_t count;
    real in_block[MOST_INPUTS][BLOCK], out_block[BLOCK];
} blocks;

static void whole_blocks(blocks *b, const rv_call *call, int64_t n)
{
    for (int k = 0; k < call->inputs; k++) {
        const bool scalar = call->scalar >> k & 1;
        b->in[k] = call->in[k];
        b->step[k] = scalar ? 0 : BLOCK;
        if (scalar) {
            for (int i = 0; i < BLOCK; i++) b->in_block[k][i] = *b->in[k];
            b->in[k] = b->in_block[k];
        }
    }
    b->out = call->out;
    b->count = n / BLOCK;
}

/* What is left, as one block of copies. Elements beyond are 1, which suits every function. */
static void last_block(blocks *b, const rv_call *call, int64_t n, int64_t left)
{
    const int64_t done = n - left;
    for (int k = 0; k < call->inputs; k++) {
        if (b->step[k] == 0) continue;
        const real *x = call->in[k];
        for (int64_t i = 0; i < BLOCK; i++) b->in_block[k][i] = i < left ? x[done + i] : 1;
        b->in[k] = b->in_block[k];
    }
    b->out = b->out_block;
    b->count = 1;
}

static void run(const rv_call *call, void (*loop)(const blocks *b))
{
    const int64_t n = rv_shape_count(call->out_type.shape), left = n % BLOCK;
    blocks b;
    whole_blocks(&b, call, n);
    loop(&b);
    if (left > 0) {
        last_block(&b, call, n, left);
        loop(&b);
        memcpy((real *)call->out + (n - left), b.out_block, (size_t)left * sizeof(real));
    }
}

/* In and out may be the same memory, which is no dependence between elements. gcc must not unroll the
 * loop over a block before it has made vectors of it. */
#if defined(__GNUC__) && !defined(__clang__)
#define VECTORS INDEPENDENT RV_PRAGMA(GCC unroll 1)
#else
#define VECTORS INDEPENDENT
#endif

#define KERNEL(name, LOAD, value)                                                                    \
    static void name##_blocks(const blocks *b)                                                       \
    {                                                                                                \
        for (int64_t block = 0; block < b->count; block++) {                                         \
            VECTORS                                                                                  \
            for (int i = 0; i < BLOCK; i++) {                                                        \
                LOAD;                                                                                \
                b->out[block * BLOCK + i] = (value);                                                 \
            }                                                                                        \
        }                                                                                            \
    }                                                                                                \
    void RV_NAME(rv_kernel_##name)(const rv_call *call) { run(call, name##_blocks); }

#define INPUT(k) (b->in[k][block * b->step[k] + i])
#define LOAD1 const real x = INPUT(0)
#define LOAD2 LOAD1, y = INPUT(1)
#define LOAD3 LOAD2, z = INPUT(2)

#define UNARY(name, formula, doc, value, ...) KERNEL(name, LOAD1, value)
#define BINARY(name, formula, doc, value, ...) KERNEL(name, LOAD2, value)
#define TERNARY(name, formula, doc, value, ...) KERNEL(name, LOAD3, value)
#include "ops/pointwise.def"
