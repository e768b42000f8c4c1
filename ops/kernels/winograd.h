/* Minimal filtering F(4x4,3x3), after Toom and Cook, and Winograd: 4x4 outputs of a 3x3 correlation
 * of a 6x6 piece of an image take 36 products instead of 144. With d the piece, g the kernel and y
 * the outputs (Lavin and Gray 2015, "Fast algorithms for convolutional neural networks"),
 *
 *   y = A' [(G g G') * (B' d B)] A
 *
 * where * multiplies element by element, and the adjoint in g, for a cotangent dy,
 *
 *   dg = G' [(A dy A') * (B' d B)] G
 *
 * As polynomials through the points 0, +-a, +-b and infinity, with na = 1 / 2a^2(a^2-b^2) and
 * nb = 1 / 2b^2(b^2-a^2):
 *
 *        [ a^2b^2   0      -a^2-b^2   0         1  0 ]       [ 1/a^2b^2  0     0      ]
 *        [ 0       -ab^2   -b^2       a         1  0 ]       [ na        a na  a^2 na ]
 *   B' = [ 0        ab^2   -b^2      -a         1  0 ]   G = [ na       -a na  a^2 na ]
 *        [ 0       -a^2b   -a^2       b         1  0 ]       [ nb        b nb  b^2 nb ]
 *        [ 0        a^2b   -a^2      -b         1  0 ]       [ nb       -b nb  b^2 nb ]
 *        [ 0        a^2b^2  0        -a^2-b^2   0  1 ]       [ 0         0     1      ]
 *
 *        [ 1  1    1    1    1    0 ]
 *   A' = [ 0  a   -a    b   -b    0 ]
 *        [ 0  a^2  a^2  b^2  b^2  0 ]
 *        [ 0  a^3 -a^3  b^3 -b^3  1 ]
 *
 * The error of a result is at most (n + 30) eps times the result that the same transforms give for
 * the absolute values of all numbers and matrix elements, where n is the number of channels (dg:
 * tiles) that are summed over. Measured in units of eps sum |x w|, in f32, with 32 channels of
 * 32x32 images and numbers uniform in -1..1:
 *
 *   a, b       y: largest, root mean square   dw
 *   1, 2       21    0.93                     2.7   0.31
 *   3/4, 3/2    5.8  0.45                     0.80  0.15
 *   5/8, 3/2    6.0  0.42                     0.83  0.15
 *   directly    2.1  0.20                     0.26  0.05
 *
 * A value that is not finite may make every output of the tiles that read it NaN. */
#ifndef RV_OPS_KERNELS_WINOGRAD_H
#define RV_OPS_KERNELS_WINOGRAD_H

#include <stdbool.h>

#include "ops/kernels/lanes.h"

#define POINT_A ((real)0.625) /* all their powers here are exact */
#define POINT_B ((real)1.5)

enum { WINDOW = 3, TAPS = WINDOW * WINDOW, SIDE = 4, PIECE = 6, ELEMENTS = PIECE * PIECE };

/* Images cut into tiles of 4x4 outputs, in rows from left to right. The piece of tile (i,j) begins
 * at pixel (4i - rim, 4j - rim) of a source, which is zero outside. */
typedef struct rv_tiling {
    int64_t source[2], out[2]; /* rows and columns of an image */
    int64_t rim[2];
    int64_t down, across; /* tiles */
    int64_t rows;         /* the most rows of tiles at a time */
} rv_tiling;

/* A run of an image's tiles: whole rows. */
typedef struct rv_tile_rows {
    int64_t first, count;
} rv_tile_rows;

/* Elements of scratch that each transform needs. */
int64_t RV_NAME(rv_winograd_source_scratch)(const rv_tiling *t);
int64_t RV_NAME(rv_winograd_out_scratch)(const rv_tiling *t);
int64_t RV_NAME(rv_winograd_cotangent_scratch)(const rv_tiling *t);

/* to[e*to_element + f] = element e of B' d B for tile f of a channel. Whole vectors are written.
 * source_ready prepares the scratch once, for any number of channels. */
void RV_NAME(rv_winograd_source_ready)(const rv_tiling *t, real *scratch);
void RV_NAME(rv_winograd_source)(const rv_tiling *t, rv_tile_rows rows, const real *image, real *to,
                                 int64_t to_element, real *scratch);

/* The outputs A' m A of a channel, m[e*m_element + f] being element e of tile f. Whole vectors are
 * read. */
void RV_NAME(rv_winograd_out)(const rv_tiling *t, rv_tile_rows rows, const real *m,
                              int64_t m_element, real *image, real *scratch);

/* to[e*to_element + f*to_tile + o] = element e of A dy A' for tile f of LANES channels o, zero for
 * those beyond `outputs`. */
void RV_NAME(rv_winograd_cotangent)(const rv_tiling *t, rv_tile_rows rows, const real *dy,
                                    int64_t outputs, real *to, int64_t to_element, int64_t to_tile,
                                    real *scratch);

/* to[e*to_element + s] = element e of G g G' for LANES kernels, zero beyond the first `count`.
 * Kernel s begins at w[s*w_step]; with `turned` it is rotated by 180 degrees. */
void RV_NAME(rv_winograd_kernels)(const real *w, int64_t w_step, int64_t count, bool turned,
                                  real *to, int64_t to_element);

/* dw[s*w_step + p] (+)= G' m G for the first `count` of LANES kernels; m[e*m_element + s]. */
void RV_NAME(rv_winograd_kernel_gradients)(const real *m, int64_t m_element, int64_t count,
                                           bool add, real *dw, int64_t w_step);

#endif
