/* Sums and maxima over some of the dimensions.
 *
 * If neighbouring outputs read neighbouring inputs, a vector of outputs is reduced at a time.
 * Otherwise one output is reduced at a time, by vectors if its run is contiguous. Long runs are
 * halved recursively, so a sum of n elements has about LEAF + log2(n) roundings in sequence instead
 * of n. */
#include <stdbool.h>

#include "ops/kernels/lanes.h"
#include "ops/kernels/table.h"

enum { LEAF = 512, WIDE = 4 * LANES };

/* One output's run of n elements; or `width` outputs side by side (LANES or WIDE), rows a stride
 * apart. */
typedef void leaf(const real *x, int64_t n, int64_t stride, int width, real *result);
typedef void combination(real *x, const real *y, int width);

typedef struct reduction {
    leaf *leaf;
    combination *combine; /* x = x + y, or the greater of x and y */
} reduction;

/* max: the greater element, or NaN if either is NaN */
ALWAYS_INLINE real join(bool max, real x, real y) { return !max ? x + y : y > x || y != y ? y : x; }

ALWAYS_INLINE vec join_vectors(bool max, vec x, vec y)
{
    if (!max) return x + y;
    const vec_bits take_y = (vec_bits)(y > x) | (vec_bits)(y != y);
    return (vec)(((vec_bits)y & take_y) | ((vec_bits)x & ~take_y));
}

ALWAYS_INLINE void columns(bool max, const real *x, int64_t n, int64_t stride, int vectors, vec *y)
{
    UNROLLED
    for (int v = 0; v < vectors; v++) y[v] = load(x + v * LANES);
    for (int64_t r = 1; r < n; r++) {
        UNROLLED
        for (int v = 0; v < vectors; v++) {
            y[v] = join_vectors(max, y[v], load(x + r * stride + v * LANES));
        }
    }
}

/* Four interleaved partial results hide the latency of an addition, which is four cycles. */
ALWAYS_INLINE real strided(bool max, const real *x, int64_t n, int64_t stride, real start)
{
    real sum[4] = {start, start, start, start};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
        UNROLLED
        for (int s = 0; s < 4; s++) sum[s] = join(max, sum[s], x[(i + s) * stride]);
    }
    for (; i < n; i++) sum[0] = join(max, sum[0], x[i * stride]);
    return join(max, join(max, sum[0], sum[1]), join(max, sum[2], sum[3]));
}

ALWAYS_INLINE void any_leaf(bool max, const real *x, int64_t n, int64_t stride, int width, real *y)
{
    const real start = max ? -(real)INFINITY : 0;
    vec v[4];
    if (width == WIDE) {
        columns(max, x, n, stride, 4, v);
        for (int i = 0; i < 4; i++) store(y + i * LANES, v[i]);
    } else if (width == LANES) {
        columns(max, x, n, stride, 1, v);
        store(y, v[0]);
    } else if (stride != 1 || n < WIDE) {
        *y = strided(max, x, n, stride, start);
    } else {
        columns(max, x, n / WIDE, WIDE, 4, v);
        vec all = join_vectors(max, join_vectors(max, v[0], v[1]), join_vectors(max, v[2], v[3]));
        UNROLLED
        for (int half = LANES / 2; half > 0; half /= 2) {
            all = join_vectors(max, LOWER(all, all), UPPER(all, all));
        }
        *y = all[0];
        if (n % WIDE > 0) {
            *y = join(max, *y, strided(max, x + n - n % WIDE, n % WIDE, 1, start));
        }
    }
}

static void sum_leaf(const real *x, int64_t n, int64_t stride, int width, real *y)
{
    any_leaf(false, x, n, stride, width, y);
}

static void max_leaf(const real *x, int64_t n, int64_t stride, int width, real *y)
{
    any_leaf(true, x, n, stride, width, y);
}

static void sum_combine(real *x, const real *y, int width)
{
    for (int i = 0; i < width; i++) x[i] = join(false, x[i], y[i]);
}

static void max_combine(real *x, const real *y, int width)
{
    for (int i = 0; i < width; i++) x[i] = join(true, x[i], y[i]);
}

/* Reduces `count` indices of the reduced dimension d and all of those after it. */
static void reduce(const reduction *how, const rv_reduce_plan *p, int64_t d, int64_t count,
                   const real *x, int width, real *result)
{
    const bool innermost = d == p->reduced_rank - 1;
    if (innermost && count <= (width == 1 ? LEAF : LEAF / 8)) {
        how->leaf(x, count, p->reduced_stride[d], width, result);
    } else if (!innermost && count == 1) {
        reduce(how, p, d + 1, p->reduced_dim[d + 1], x, width, result);
    } else {
        real other[WIDE];
        const int64_t half = count / 2, first = half > WIDE ? half - half % WIDE : half;
        reduce(how, p, d, first, x, width, result);
        reduce(how, p, d, count - first, x + first * p->reduced_stride[d], width, other);
        how->combine(result, other, width);
    }
}

/* Computes `width` outputs of the innermost dimension. */
static void outputs(const reduction *how, const rv_reduce_plan *p, const real *x, int width,
                    real *out)
{
    if (p->reduced_rank == 0) {
        how->leaf(x, 1, 1, width, out);
    } else {
        reduce(how, p, 0, p->reduced_dim[0], x, width, out);
    }
}

/* The plan of a part: its range of the outermost dimension. *x and *out advance to the beginning of
 * the range. */
static rv_reduce_plan part_of(const rv_call *call, const real **x, real **out)
{
    rv_reduce_plan p = *(const rv_reduce_plan *)call->plan;
    int64_t first, end, count = 1;
    rv_call_range(call, p.dim[0], &first, &end);
    for (int64_t d = 1; d < p.rank; d++) count *= p.dim[d];
    p.dim[0] = end - first;
    *x += first * p.stride[0];
    *out += first * count;
    return p;
}

static void run(const rv_call *call, const reduction *how)
{
    const real *x = call->in[0];
    real *out = call->out;
    const rv_reduce_plan *p = call->plan, part = call->parts > 1 ? part_of(call, &x, &out) : *p;
    p = &part;
    if (p->rank > 0 && p->dim[0] == 0) return;
    const int64_t last = p->rank - 1, n = p->rank > 0 ? p->dim[last] : 1;
    const int64_t stride = p->rank > 0 ? p->stride[last] : 0;
    int64_t index[RV_MAX_RANK] = {0}, d;
    do {
        int64_t j = 0;
        if (stride == 1 && n >= LANES) {
            for (; j + WIDE <= n; j += WIDE) outputs(how, p, x + j, WIDE, out + j);
            for (; j + LANES <= n; j += LANES) outputs(how, p, x + j, LANES, out + j);
            if (j < n) outputs(how, p, x + n - LANES, LANES, out + n - LANES);
        } else {
            for (; j < n; j++) outputs(how, p, x + j * stride, 1, out + j);
        }
        out += n;
        for (d = last - 1; d >= 0; d--) {
            x += p->stride[d];
            if (++index[d] < p->dim[d]) break;
            x -= p->dim[d] * p->stride[d];
            index[d] = 0;
        }
    } while (d >= 0);
}

void RV_NAME(rv_kernel_sum)(const rv_call *call)
{
    static const reduction sum = {sum_leaf, sum_combine};
    run(call, &sum);
}

void RV_NAME(rv_kernel_max)(const rv_call *call)
{
    static const reduction max = {max_leaf, max_combine};
    run(call, &max);
}
