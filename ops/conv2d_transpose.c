/* conv2d_transpose: conv2d's adjoint as a layer of its own. A composite: the size of the smallest
 * image that conv2d takes to x's, and conv2d_input_gradient. */
#include "ops/conv2d_internal.h"
#include "ops/index_internal.h"

extern const rv_op rv_op_conv2d_transpose;

static int64_t or_one(int64_t value) { return value ? value : 1; }

/* (image - 1) stride + (kernel - 1) dilation + 1 - padding along axis d. What the shape rule
 * refuses, as it would take this sum out of range, is left to it. */
static int64_t image_size(const rv_conv2d_options *o, int d, int64_t image, int64_t kernel)
{
    const int64_t pad[2][2] = {{o->top, o->bottom}, {o->left, o->right}};
    const int64_t options[] = {o->stride[d], o->dilation[d], pad[d][0], pad[d][1]};
    bool refused = image >> 40 || kernel >> 40;
    for (int k = 0; k < 4; k++) refused = refused || options[k] < 0 || options[k] >> 20;
    return refused ? 1
                   : (image - 1) * or_one(o->stride[d]) + (kernel - 1) * or_one(o->dilation[d]) +
                         1 - pad[d][0] - pad[d][1];
}

rv_var rv_conv2d_transpose(rv_var x, rv_var w, rv_conv2d_options o)
{
    rv_shape image = rv_shape_of(x), kernel = rv_shape_of(w);
    int64_t size[2] = {1, 1};
    for (int d = 0; d < 2 && image.rank == 4 && kernel.rank == 4; d++) {
        size[d] = image_size(&o, d, image.dim[2 + d], kernel.dim[2 + d]);
        if (size[d] < 1)
            return rv_tape_fail(
                x.tape, RV_ERROR_SHAPE,
                "conv2d_transpose: padding leaves nothing along axis %d of size %lld "
                "under a kernel of %lld; pad less",
                2 + d, (long long)image.dim[2 + d], (long long)kernel.dim[2 + d]);
    }
    return rv_conv2d_input_gradient(x, w, o, size[0], size[1]);
}

/* ---- proof ---- */

static const rv_option options[] = {RV_CONV2D_OPTIONS};

static rv_var call(rv_arguments *a)
{
    return rv_conv2d_transpose(a->x[0], a->x[1], rv_conv2d_arguments(a));
}

/* Each element of x puts a kernel, times itself, into the image. */
static void reference(const rv_call *c)
{
    rv_arguments a = {.op = &rv_op_conv2d_transpose, .value = c->attr, .ok = true};
    const rv_conv2d_options o = rv_conv2d_arguments(&a);
    const int64_t *x = c->in_type[0].shape.dim, *w = c->in_type[1].shape.dim,
                  *y = c->out_type.shape.dim;
    int64_t per_group = x[1] / o.groups;
    rv_tensor out = rv_call_out(c);
    rv_shape all = {6, {x[0], x[1], x[2], x[3], w[1], w[2] * w[3]}};
    rv_tensor_fill(&out, 0);
    for (int64_t term = 0; term < rv_shape_count(all); term++) {
        int64_t v[6];
        rv_unravel(all, term, v);
        int64_t p = v[5] / w[3], q = v[5] % w[3], channel = v[1] / per_group * w[1] + v[4];
        int64_t row = v[2] * o.stride[0] + p * o.dilation[0] - o.top;
        int64_t column = v[3] * o.stride[1] + q * o.dilation[1] - o.left;
        if (row < 0 || row >= y[2] || column < 0 || column >= y[3]) continue;
        int64_t at = ((v[0] * y[1] + channel) * y[2] + row) * y[3] + column;
        double from = rv_operand(c, 0, ((v[0] * x[1] + v[1]) * x[2] + v[2]) * x[3] + v[3]);
        double by = rv_operand(c, 1, ((v[1] * w[1] + v[4]) * w[2] + p) * w[3] + q);
        rv_tensor_set(&out, at, rv_tensor_get(&out, at) + from * by);
    }
}

#define ONE RV_LIST(1)
#define PLAIN RV_GIVEN(RV_ABSENT, RV_ABSENT, RV_ABSENT, RV_NUMBER(1))
#define DOUBLING RV_GIVEN(RV_LIST(2), RV_LIST(1), ONE, RV_NUMBER(1))
#define UNEVEN RV_GIVEN(RV_LIST(1, 3), RV_LIST(0, 2, 1, 0), RV_LIST(2, 1), RV_NUMBER(2))
#define TOO_FAR RV_GIVEN(RV_LIST(INT64_MAX, 1), RV_ABSENT, ONE, RV_NUMBER(1))
#define TOO_WIDE RV_GIVEN(ONE, RV_LIST(3, 0), ONE, RV_NUMBER(1))
static const rv_sample samples[] = {
    {.in = {{4, {2, 2, 3, 4}}, {4, {2, 3, 3, 2}}}, .low = -1, .high = 1, PLAIN},
    {.in = {{4, {2, 3, 4, 4}}, {4, {3, 2, 4, 4}}}, .low = -1, .high = 1, DOUBLING},
    {.in = {{4, {1, 4, 3, 3}}, {4, {4, 2, 3, 2}}}, .low = -1, .high = 1, UNEVEN},
    {.in = {{4, {2, 2, 3, 4}}, {4, {2, 3, 3, 3}}}, TOO_WIDE, .error = "leaves nothing"},
    {.in = {{4, {2, 2, 3, 4}}, {4, {3, 3, 3, 3}}}, PLAIN, .error = "is not what conv2d makes"},
    {.in = {{4, {2, 2, 3, 4}}, {4, {2, 3, 3, 3}}}, TOO_FAR, .error = "at least 0"},
    {.in = {{3, {2, 3, 4}}, {4, {3, 3, 3, 3}}}, PLAIN, .error = "both of rank 4"},
};

const rv_op rv_op_conv2d_transpose = {
    .name = "conv2d_transpose",
    .args = "x w",
    .formula = "y[n, o, i s + p d - pad, j s + q d - pad] = sum_ijcpq x[n,c,i,j] w[c,o,p,q]",
    .doc = "the adjoint of conv2d as a layer, w [inputs,outputs/groups,kh,kw]",
    .kind = RV_OP_COMPOSITE,
    .inputs = 2,
    .reference = reference,
    .call = call,
    RV_OPTIONS(options),
    .linear = 3,
    .polynomial = true,
    RV_SAMPLES(samples),
};
