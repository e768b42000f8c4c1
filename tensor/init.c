#include "tensor/init.h"

#include <math.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/random.h"
#include "tensor/random_internal.h"

static rv_init of_kind(rv_init_kind kind, double a, double b, double factor)
{
    return (rv_init){.kind = kind, .a = a, .b = b, .factor = factor};
}

rv_init rv_init_constant(double value) { return of_kind(RV_INIT_CONSTANT, value, 0, 1); }
rv_init rv_init_uniform(double low, double high) { return of_kind(RV_INIT_UNIFORM, low, high, 1); }

rv_init rv_init_normal(double mean, double deviation)
{
    return of_kind(RV_INIT_NORMAL, mean, deviation, 1);
}

rv_init rv_init_truncated_normal(double mean, double deviation)
{
    return of_kind(RV_INIT_TRUNCATED_NORMAL, mean, deviation, 1);
}

rv_init rv_init_xavier_uniform(double gain) { return of_kind(RV_INIT_XAVIER_UNIFORM, 0, 0, gain); }
rv_init rv_init_xavier_normal(double gain) { return of_kind(RV_INIT_XAVIER_NORMAL, 0, 0, gain); }
rv_init rv_init_kaiming_uniform(double gain)
{
    return of_kind(RV_INIT_KAIMING_UNIFORM, 0, 0, gain);
}

rv_init rv_init_kaiming_normal(double gain) { return of_kind(RV_INIT_KAIMING_NORMAL, 0, 0, gain); }
rv_init rv_init_orthogonal(double gain) { return of_kind(RV_INIT_ORTHOGONAL, 0, 0, gain); }
rv_init rv_init_chrono(double longest) { return of_kind(RV_INIT_CHRONO, longest, 0, 1); }
rv_init rv_init_identity(void) { return of_kind(RV_INIT_IDENTITY, 0, 0, 1); }

rv_init rv_init_blocks(const rv_init *block, int count)
{
    return (rv_init){.kind = RV_INIT_BLOCKS, .factor = 1, .block = block, .blocks = count};
}

rv_init rv_init_scaled(rv_init init, double factor)
{
    init.factor *= factor;
    return init;
}

rv_init rv_init_shared(rv_init init, const char *name)
{
    init.shared = name;
    return init;
}

/* ---- shapes ---- */

/* The matrices of a tensor: a kernel is one [outputs,channels h w], any other tensor a stack of
 * [inputs,outputs]. */
static void as_matrices(rv_shape s, int64_t *rows, int64_t *columns)
{
    *rows = s.rank == 4 ? s.dim[0] : s.rank < 2 ? 1 : s.dim[s.rank - 2];
    *columns = s.rank == 4 ? s.dim[1] * s.dim[2] * s.dim[3] : s.dim[s.rank - 1];
}

static double fan_in(rv_shape s)
{
    int64_t rows, columns;
    as_matrices(s, &rows, &columns);
    return (double)(s.rank == 4 ? columns : rows);
}

static double fan_out(rv_shape s)
{
    return s.rank == 4 ? (double)(s.dim[0] * s.dim[2] * s.dim[3]) : (double)s.dim[s.rank - 1];
}

/* The axis of the outputs. */
static int64_t output_axis(rv_shape s) { return s.rank == 4 ? 0 : s.rank - 1; }

static const char *const kind_names[] = {
    [RV_INIT_XAVIER_UNIFORM] = "xavier_uniform",   [RV_INIT_XAVIER_NORMAL] = "xavier_normal",
    [RV_INIT_KAIMING_UNIFORM] = "kaiming_uniform", [RV_INIT_KAIMING_NORMAL] = "kaiming_normal",
    [RV_INIT_ORTHOGONAL] = "orthogonal",
};

bool rv_init_check(rv_init init, rv_shape shape, rv_error *error)
{
    char text[RV_SHAPE_TEXT];
    size_t bytes;
    if (!rv_shape_check(shape, 1, &bytes, error)) return false;
    bool of_matrix = init.kind >= RV_INIT_XAVIER_UNIFORM && init.kind <= RV_INIT_ORTHOGONAL;
    if (of_matrix && shape.rank < 2)
        return rv_fail(error, RV_ERROR_SHAPE,
                       "%s: the shape is %s, expected a matrix or a kernel; use uniform or normal",
                       kind_names[init.kind], rv_shape_text(shape, text));
    if (init.kind == RV_INIT_CHRONO && !(init.a >= 2))
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "chrono(%.10g), expected a number of time steps, at least 2", init.a);
    if (init.kind != RV_INIT_BLOCKS) return true;
    rv_shape part = shape;
    int64_t outputs = shape.rank ? shape.dim[output_axis(shape)] : 0;
    if (!shape.rank || !init.block || init.blocks < 1 || outputs % init.blocks)
        return rv_fail(error, RV_ERROR_SHAPE,
                       "%d initial values are for as many equal blocks, but the shape is %s, with "
                       "%lld along axis %lld",
                       init.blocks, rv_shape_text(shape, text), (long long)outputs,
                       (long long)(shape.rank ? output_axis(shape) : 0));
    part.dim[output_axis(shape)] /= init.blocks;
    for (int k = 0; k < init.blocks; k++) {
        if (init.block[k].kind == RV_INIT_BLOCKS)
            return rv_fail(error, RV_ERROR_ARGUMENT, "a block of initial values has no blocks");
        if (!rv_init_check(init.block[k], part, error)) return false;
    }
    return true;
}

/* ---- values ---- */

/* Block `at` of `count` equal blocks of the outputs. */
typedef struct block {
    rv_shape shape;
    int64_t at, count;
} block;

/* The number of elements of a block that are neighbours in the whole tensor. */
static int64_t run_of(const block *b)
{
    int64_t run = 1;
    for (int64_t d = b->count == 1 ? 0 : output_axis(b->shape); d < b->shape.rank; d++)
        run *= b->shape.dim[d];
    return run;
}

/* The index in the whole tensor of element i of a block. */
static int64_t whole_index(const block *b, int64_t i)
{
    const int64_t run = run_of(b);
    return (i / run * b->count + b->at) * run + i % run;
}

static double dot(const double *x, const double *y, int64_t n)
{
    double part[8] = {0}, sum = 0; /* in vector registers */
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++) part[k] += x[i + k] * y[i + k];
    for (; i < n; i++) sum += x[i] * y[i];
    for (int k = 0; k < 8; k++) sum += part[k];
    return sum;
}

/* Orthonormalizes rows [count,n] by Gram and Schmidt. Doing it twice makes them orthogonal to the
 * last bits. */
static void orthonormalize(double *rows, int64_t count, int64_t n)
{
    for (int64_t k = 0; k < count; k++) {
        double *x = rows + k * n;
        for (int64_t j = 0; j < 2 * k; j++) {
            const double *unit = rows + j % k * n, along = dot(x, unit, n);
            for (int64_t i = 0; i < n; i++) x[i] -= along * unit[i];
        }
        double length = sqrt(dot(x, x, n));
        for (int64_t i = 0; i < n; i++) x[i] /= length;
    }
}

/* Random orthogonal matrices, each as its shorter side's vectors. The caller frees them. NULL when
 * out of memory. */
static double *orthogonal(const block *b, uint64_t seed)
{
    int64_t rows, columns, all = rv_shape_count(b->shape);
    as_matrices(b->shape, &rows, &columns);
    double *q = rv_alloc((size_t)all, sizeof *q);
    if (!q) return NULL;
    for (int64_t i = 0; i < all; i++) q[i] = rv_random_normal(seed, (uint64_t)whole_index(b, i));
    for (int64_t i = 0; i < all; i += rows * columns)
        orthonormalize(q + i, rows < columns ? rows : columns, rows < columns ? columns : rows);
    return q;
}

/* Element i of x [rows,columns,..]: 1 at (k, k, center ..). */
static double identity(rv_shape s, int64_t i)
{
    if (s.rank < 2) return 1;
    if (s.rank != 4) {
        int64_t columns = s.dim[s.rank - 1];
        return i / columns % s.dim[s.rank - 2] == i % columns;
    }
    int64_t inner = s.dim[2] * s.dim[3], center = s.dim[2] / 2 * s.dim[3] + s.dim[3] / 2;
    return i % inner == center && i / inner / s.dim[1] == i / inner % s.dim[1];
}

/* The deviation of xavier and kaiming values before their gain. */
static double deviation(rv_init_kind kind, rv_shape s)
{
    bool both = kind == RV_INIT_XAVIER_UNIFORM || kind == RV_INIT_XAVIER_NORMAL;
    return 1 / sqrt(both ? (fan_in(s) + fan_out(s)) / 2 : fan_in(s));
}

/* Loops over so many, even if not all are wanted, become vector instructions. */
enum { TOGETHER = 128 };

/* v[i] of elements first .. of a block of shape s, which have the indices at .. in the whole
 * tensor. */
static void values(const rv_init *init, rv_shape s, uint64_t seed, int64_t first, uint64_t at,
                   int count, double v[TOGETHER])
{
    const double a = init->a, b = init->b;
    double scale = 1;
    switch (init->kind) {
    case RV_INIT_UNIFORM:
        rv_random_uniforms(seed, at, count, v);
        for (int i = 0; i < TOGETHER; i++) v[i] = a + (b - a) * v[i];
        break;
    case RV_INIT_NORMAL:
        for (int i = 0; i < count; i++) v[i] = a + b * rv_random_normal(seed, at + (uint64_t)i);
        break;
    case RV_INIT_TRUNCATED_NORMAL:
        for (int i = 0; i < count; i++)
            v[i] = a + b * rv_random_truncated_normal(seed, at + (uint64_t)i);
        break;
    case RV_INIT_XAVIER_UNIFORM:
    case RV_INIT_KAIMING_UNIFORM:
        scale = deviation(init->kind, s) * sqrt(3);
        rv_random_uniforms(seed, at, count, v);
        for (int i = 0; i < TOGETHER; i++) v[i] = scale * (2 * v[i] - 1);
        break;
    case RV_INIT_XAVIER_NORMAL:
    case RV_INIT_KAIMING_NORMAL:
        scale = deviation(init->kind, s);
        for (int i = 0; i < count; i++) v[i] = scale * rv_random_normal(seed, at + (uint64_t)i);
        break;
    case RV_INIT_CHRONO:
        rv_random_uniforms(seed, at, count, v);
        for (int i = 0; i < count; i++) v[i] = log(1 + (a - 2) * v[i]);
        break;
    case RV_INIT_IDENTITY:
        for (int i = 0; i < count; i++) v[i] = identity(s, first + i);
        break;
    default:
        for (int i = 0; i < count; i++) v[i] = a;
    }
}

/* x[at + i] = scale v[i] for i < count */
static void put(rv_tensor *x, int64_t at, int count, double scale, const double v[TOGETHER])
{
    float single[TOGETHER];
    for (int i = 0; x->dtype != RV_F32 && i < count; i++) rv_tensor_set(x, at + i, scale * v[i]);
    if (x->dtype != RV_F32) return;
    for (int i = 0; i < TOGETHER; i++) single[i] = (float)(scale * v[i]);
    memcpy((float *)x->data + at, single, (size_t)count * sizeof *single);
}

static bool fill(rv_tensor *x, const block *b, const rv_init *init, double factor, uint64_t seed)
{
    double *q = init->kind == RV_INIT_ORTHOGONAL ? orthogonal(b, seed) : NULL;
    if (init->kind == RV_INIT_ORTHOGONAL && !q) return false;
    const int64_t all = rv_shape_count(b->shape), run = run_of(b);
    int64_t rows = 1, columns = 1;
    double v[TOGETHER] = {0}; /* those beyond `count` are not used */
    int count;
    if (q) as_matrices(b->shape, &rows, &columns);
    for (int64_t first = 0; first < all; first += count) {
        const int64_t left = run - first % run, at = whole_index(b, first);
        count = (int)(left < TOGETHER ? left : TOGETHER);
        if (!q) values(init, b->shape, seed, first, (uint64_t)at, count, v);
        for (int i = 0; q && i < count; i++) {
            int64_t one = rows * columns, in = (first + i) % one;
            v[i] = q[first + i - in + (rows <= columns ? in : in % columns * rows + in / columns)];
        }
        put(x, at, count, factor * init->factor, v);
    }
    rv_free(q);
    return true;
}

bool rv_init_fill(rv_tensor *tensor, rv_init init, uint64_t seed)
{
    if (!rv_tensor_check(tensor, NULL)) return false;
    block b = {.shape = tensor->shape, .count = 1};
    if (!rv_init_check(init, tensor->shape, NULL)) return false;
    if (init.kind != RV_INIT_BLOCKS) return fill(tensor, &b, &init, 1, seed);
    b.count = init.blocks;
    b.shape.dim[output_axis(b.shape)] /= b.count;
    bool ok = true;
    for (; ok && b.at < b.count; b.at++)
        ok = fill(tensor, &b, &init.block[b.at], init.factor, seed);
    return ok;
}
