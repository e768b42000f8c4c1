/* The micro-kernels: products so small that all results stay in registers. */
#ifndef RV_OPS_KERNELS_TILE_H
#define RV_OPS_KERNELS_TILE_H

#include <stdbool.h>

#include "ops/kernels/real.h"

/* Tiles of rows x (vectors * LANES) results, one below the other. Each is computed for one l after
 * another:
 *   c[i*c_row + j] (+)= sum_{l < k} a(i,l) b(l,j)
 *                   a(i,l)                     b(l,j)
 * RV_TILE_ROWS      a[i*a_stride + l]          b[l*b_row + j]
 * RV_TILE_COLUMNS   a[l*a_stride + i]          b[l*b_row + j]
 * RV_TILE_TAPS      a[i*a_stride + tap[l].a]   b[tap[l].b + j] */
typedef enum { RV_TILE_ROWS, RV_TILE_COLUMNS, RV_TILE_TAPS, RV_TILE_KINDS } rv_tile_kind;

typedef struct rv_tap {
    int64_t a, b;
} rv_tap;

typedef struct rv_tile {
    int64_t k, tiles; /* tiles: 0 is 1 */
    const real *a, *b;
    int64_t a_stride, b_row, c_row;
    const rv_tap *tap;
    real *c;
    bool add;
    /* What is not in the cache is fetched while the sums are computed: c; of RV_TILE_COLUMNS, a of
     * the tiles after the next; by tiles of two vectors, next + l*next_step for one l after another
     * in all tiles, up to next_end. Addresses, because the last ones may lie behind the array. */
    bool far_c, far_a;
    uintptr_t next, next_end;
    int64_t next_step; /* bytes */
} rv_tile;

enum {
    TILE_ROWS = VECTOR_REGISTERS == 32 ? 8 : 4,
    TILE_VECTORS = VECTOR_BYTES > 16 ? 3 : 2, /* without FMA a product takes a register */
    TILE_WIDEST = 8
};

/* The widest tile with this number of rows: enough sums to hide the latency of an addition. */
static inline int rv_tile_width(int rows)
{
    return rows == 1 ? TILE_WIDEST : rows == 2 ? 4 : TILE_VECTORS;
}

void RV_NAME(rv_tile_run)(rv_tile_kind kind, int rows, int vectors, const rv_tile *tile);

/* A patch of rows x columns results, computed for LANES values of l at a time. Each operand is in
 * `runs` runs, each contiguous in l; k is at least LANES:
 *   c[i*c_row + j] (+)= sum_{r < runs, l < k} a[i][r*a_run + l] * b[j][r*b_run + l] */
enum { DOT_ROWS = VECTOR_REGISTERS == 32 ? 4 : 2, DOT_COLUMNS = 4 };

typedef struct rv_dot {
    int64_t k, runs, a_run, b_run, c_row;
    const real *a[DOT_ROWS], *b[DOT_COLUMNS];
    real *c;
    bool add; /* to what c holds */
} rv_dot;

void RV_NAME(rv_dot_run)(int rows, int columns, const rv_dot *dot);

/* LANES results side by side: c[j] (+)= sum_{l < k} a[l] * b[j*b_row + l], k at least LANES. */
typedef struct rv_dots {
    int64_t k, b_row;
    const real *a, *b;
    real *c;
    bool add; /* to what c holds */
} rv_dots;

void RV_NAME(rv_dots_run)(const rv_dots *dots);

/* The fewest parts of at most `most` that make up `total`; where part p of these begins, if they
 * are as equal as possible. */
static inline int64_t rv_parts(int64_t total, int64_t most)
{
    return total <= most ? total > 0 : (total + most - 1) / most; /* a division is slow */
}
static inline int64_t rv_part(int64_t total, int64_t parts, int64_t p)
{
    return parts == 1 ? total * p : total * p / parts;
}

#endif
