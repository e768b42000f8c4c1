/* What each op is in ONNX (https://github.com/onnx/onnx/blob/main/docs/Operators.md, opset 17). */
#include <string.h>

#include "export/onnx/graph.h"
#include "ops/attributes_internal.h"

typedef rv_onnx_call call;

/* ---- helpers ---- */

/* Writes a node and returns its value: the call's for `out`, else a new one below it. */
static const char *apply_to(call *c, bool out, const char *type, const char *const *in, int count)
{
    const char *name = out ? c->out : rv_onnx_name(c->model, "%s/%s", c->out, type);
    rv_onnx_node(c->model, type, in, count, name);
    return name;
}

#define INPUTS(...) \
    (const char *const[]){__VA_ARGS__}, \
        (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))
#define VALUE(type, ...) apply_to(c, false, type, INPUTS(__VA_ARGS__))
#define RESULT(type, ...) apply_to(c, true, type, INPUTS(__VA_ARGS__))

static rv_shape shape_in(const call *c, int k)
{
    return rv_tape_node(c->graph->tape, c->node->in[k])->type.shape;
}

static const char *number(call *c, double value)
{
    return rv_onnx_number(c->model, c->node->type.dtype, value);
}

static void set_dtype(call *c) { rv_onnx_set(c->model, "to", rv_onnx_dtype(c->node->type.dtype)); }

static const char *ints(call *c, const int64_t *values, int64_t count)
{
    return rv_onnx_ints(c->model, values, (int)count);
}

/* The bits of a mask, in order. */
static int64_t bits(int64_t mask, int64_t *bit)
{
    int64_t count = 0;
    for (int64_t d = 0; d < RV_MAX_RANK; d++)
        if (mask >> d & 1) bit[count++] = d;
    return count;
}

/* ---- pointwise ---- */

static void square(call *c) { RESULT("Mul", c->in[0], c->in[0]); }

static void expm1_(call *c) { RESULT("Sub", VALUE("Exp", c->in[0]), number(c, 1)); }

static void erfc_(call *c) { RESULT("Sub", number(c, 1), VALUE("Erf", c->in[0])); }

/* y (x (1 - x)) */
static void sigmoid_gradient(call *c)
{
    const char *slope = VALUE("Mul", c->in[0], VALUE("Sub", number(c, 1), c->in[0]));
    RESULT("Mul", c->in[1], slope);
}

/* y ((1 - x) (1 + x)) */
static void tanh_gradient(call *c)
{
    const char *slope =
        VALUE("Mul", VALUE("Sub", number(c, 1), c->in[0]), VALUE("Add", number(c, 1), c->in[0]));
    RESULT("Mul", c->in[1], slope);
}

static void compare(call *c, const char *type)
{
    const char *holds = apply_to(c, false, type, c->in, 2);
    set_dtype(c);
    RESULT("Cast", holds);
}

static void equal(call *c) { compare(c, "Equal"); }
static void less(call *c) { compare(c, "Less"); }
static void less_equal(call *c) { compare(c, "LessOrEqual"); }

static void select_(call *c)
{
    rv_onnx_set(c->model, "to", RV_ONNX_BOOL);
    RESULT("Where", VALUE("Cast", c->in[0]), c->in[1], c->in[2]);
}

static void multiply_add(call *c) { RESULT("Add", VALUE("Mul", c->in[0], c->in[1]), c->in[2]); }

static void add(call *c)
{
    apply_to(c, true, c->node->inputs == 2 ? "Add" : "Sum", c->in, c->node->inputs);
}

static void cast(call *c)
{
    set_dtype(c);
    RESULT("Cast", c->in[0]);
}

/* ---- shapes ---- */

static void reshape(call *c)
{
    int64_t axis, index;
    if (rv_onnx_element(c->graph, c->node, &axis, &index) >= 0) {
        rv_onnx_set(c->model, "axis", axis);
        RESULT("Gather", c->in[0], rv_onnx_int(c->model, index));
        return;
    }
    RESULT("Reshape", c->in[0], rv_onnx_shape_of(c->graph, c->id, true));
}

static void broadcast(call *c)
{
    RESULT("Expand", c->in[0], rv_onnx_shape_of(c->graph, c->id, false));
}

static void transpose(call *c)
{
    const rv_transpose_attr *attr = c->node->attr;
    rv_onnx_set_ints(c->model, "perm", attr->axis, (int)c->node->type.shape.rank);
    RESULT("Transpose", c->in[0]);
}

static void flip(call *c)
{
    const rv_flip_attr *attr = c->node->attr;
    int64_t axis[RV_MAX_RANK], last[RV_MAX_RANK], beyond[RV_MAX_RANK];
    int64_t count = bits(attr->axes, axis);
    for (int64_t i = 0; i < count; i++) {
        last[i] = -1;
        beyond[i] = -INT64_MAX;
    }
    RESULT("Slice", c->in[0], ints(c, last, count), ints(c, beyond, count), ints(c, axis, count),
           ints(c, last, count));
}

/* Only the axes of which something is left out. */
static void slice(call *c)
{
    const rv_slice_attr *attr = c->node->attr;
    rv_shape x = shape_in(c, 0);
    int64_t axis[RV_MAX_RANK], start[RV_MAX_RANK], end[RV_MAX_RANK], step[RV_MAX_RANK], count = 0;
    bool strided = false;
    for (int64_t d = 0; d < x.rank; d++) {
        if (attr->size[d] == x.dim[d]) continue;
        if (rv_onnx_size_of(c->graph, c->id, d).free)
            rv_onnx_fail(
                c->model, RV_ERROR_ARGUMENT,
                "ONNX: a slice depends on the number of samples; set that with `batch-size`");
        axis[count] = d;
        start[count] = attr->start[d];
        end[count] = attr->start[d] + (attr->size[d] - 1) * attr->step[d] + 1;
        strided = strided || attr->step[d] != 1;
        step[count++] = attr->step[d];
    }
    const char *const in[] = {c->in[0], ints(c, start, count), ints(c, end, count),
                              ints(c, axis, count), ints(c, step, count)};
    apply_to(c, true, count ? "Slice" : "Identity", in, count ? 4 + strided : 1);
}

static void concat(call *c)
{
    const rv_concat_attr *attr = c->node->attr;
    rv_onnx_set(c->model, "axis", attr->axis);
    apply_to(c, true, "Concat", c->in, c->node->inputs);
}

/* `between` zeros after each element along axis d of x, which has the shape *s: a row of zeros is
 * added to each element. */
static const char *spread(call *c, const char *x, rv_onnx_size s[RV_MAX_RANK], int64_t d,
                          int64_t between)
{
    int64_t rank = c->node->type.shape.rank, to[RV_MAX_RANK], axis = d + 1;
    int64_t widths[2 * (RV_MAX_RANK + 1)] = {0};
    x = VALUE("Unsqueeze", x, ints(c, &axis, 1));
    widths[rank + 1 + axis] = between;
    x = VALUE("Pad", x, ints(c, widths, 2 * (rank + 1)));
    s[d].size *= between + 1;
    for (int64_t e = 0; e < rank; e++) to[e] = s[e].free ? -1 : s[e].size;
    return VALUE("Reshape", x, ints(c, to, rank));
}

/* Widths that are negative crop what the others have padded. */
static void pad(call *c)
{
    const rv_pad_attr *attr = c->node->attr;
    int64_t rank = c->node->type.shape.rank, widths[2 * RV_MAX_RANK] = {0};
    int64_t axis[RV_MAX_RANK], start[RV_MAX_RANK], end[RV_MAX_RANK], crops = 0, pads = 0;
    rv_onnx_size size[RV_MAX_RANK];
    const char *x = c->in[0];
    for (int64_t d = 0; d < rank; d++) size[d] = rv_onnx_size_of(c->graph, c->node->in[0], d);
    for (int64_t d = 0; d < rank; d++) {
        int64_t before = attr->before[d], after = attr->after[d] - attr->between[d];
        if (attr->between[d]) x = spread(c, x, size, d, attr->between[d]);
        widths[d] = before > 0 ? before : 0;
        widths[rank + d] = after > 0 ? after : 0;
        pads += before > 0 || after > 0;
        if (before >= 0 && after >= 0) continue;
        axis[crops] = d;
        start[crops] = before < 0 ? -before : 0;
        end[crops++] = after < 0 ? after : INT64_MAX;
    }
    bool add = c->node->inputs > 1;
    if (pads || !crops)
        x = apply_to(c, !add && !crops, "Pad", INPUTS(x, ints(c, widths, 2 * rank)));
    if (crops)
        x = apply_to(c, !add, "Slice",
                     INPUTS(x, ints(c, start, crops), ints(c, end, crops), ints(c, axis, crops)));
    if (add) RESULT("Add", x, c->in[1]);
}

/* ---- reductions and recurrences ---- */

static void sum(call *c)
{
    const rv_reduce_attr *attr = c->node->attr;
    int64_t axis[RV_MAX_RANK], count = bits(attr->axes, axis);
    RESULT("ReduceSum", c->in[0], ints(c, axis, count));
}

static void max(call *c)
{
    const rv_reduce_attr *attr = c->node->attr;
    int64_t axis[RV_MAX_RANK], count = bits(attr->axes, axis);
    rv_onnx_set_ints(c->model, "axes", axis, (int)count);
    RESULT("ReduceMax", c->in[0]);
}

static void cumulative_sum(call *c)
{
    const rv_scan_attr *attr = c->node->attr;
    rv_onnx_set(c->model, "reverse", attr->reverse);
    RESULT("CumSum", c->in[0], rv_onnx_int(c->model, attr->axis));
}

/* The axis moved to the front, or back from there. */
static const char *move_axis(call *c, bool out, const char *x, int64_t axis, bool to_front)
{
    int64_t rank = c->node->type.shape.rank, perm[RV_MAX_RANK];
    for (int64_t d = 0; d < rank; d++) {
        int64_t moved = d == axis ? 0 : d < axis ? d + 1 : d; /* where axis d comes to lie */
        perm[to_front ? moved : d] = to_front ? d : moved;
    }
    rv_onnx_set_ints(c->model, "perm", perm, (int)rank);
    return apply_to(c, out, "Transpose", &x, 1);
}

/* h[t] = a[t].h[t-1] + b[t] */
static void scan(call *c)
{
    const rv_scan_attr *attr = c->node->attr;
    rv_onnx *m = c->model;
    rv_onnx_size size[RV_MAX_RANK];
    int64_t rank = 0;
    for (int64_t d = 0; d < c->node->type.shape.rank; d++)
        if (d != attr->axis) size[rank++] = rv_onnx_size_of(c->graph, c->id, d);
    const char *start = VALUE("Squeeze", c->in[2], ints(c, &attr->axis, 1));
    const char *a = move_axis(c, false, c->in[0], attr->axis, true);
    const char *b = move_axis(c, false, c->in[1], attr->axis, true);
    const char *last = rv_onnx_name(m, "%s/last", c->out), *all = rv_onnx_name(m, "%s/all", c->out);
    const char *h = rv_onnx_name(m, "%s/h", c->out), *next = rv_onnx_name(m, "%s/h'", c->out);
    const char *at[] = {h, rv_onnx_name(m, "%s/a", c->out), rv_onnx_name(m, "%s/b", c->out)};
    const char *y = rv_onnx_name(m, "%s/y", c->out);
    if (attr->reverse) {
        rv_onnx_set_ints(m, "scan_input_directions", (int64_t[]){1, 1}, 2);
        rv_onnx_set_ints(m, "scan_output_directions", (int64_t[]){1}, 1);
    }
    rv_onnx_scan begin = rv_onnx_scan_begin(m, INPUTS(start, a, b), 2, INPUTS(last, all));
    for (int i = 0; i < 3; i++)
        rv_onnx_value(m, RV_GRAPH_INPUT, at[i], c->node->type.dtype, size, rank);
    rv_onnx_node(m, "Add", INPUTS(VALUE("Mul", at[1], h), at[2]), next);
    rv_onnx_node(m, "Identity", INPUTS(next), y);
    rv_onnx_value(m, RV_GRAPH_OUTPUT, next, c->node->type.dtype, size, rank);
    rv_onnx_value(m, RV_GRAPH_OUTPUT, y, c->node->type.dtype, size, rank);
    rv_onnx_scan_end(m, begin);
    move_axis(c, true, all, attr->axis, false);
}

/* ---- rows by index ---- */

/* Rows outside of the table are zero. */
static void gather(call *c)
{
    rv_shape x = shape_in(c, 0);
    int64_t rank = shape_in(c, 1).rank, axis[RV_MAX_RANK];
    const char *zero = rv_onnx_number(c->model, RV_I32, 0);
    const char *last = rv_onnx_number(c->model, RV_I32, (double)(x.dim[0] - 1));
    const char *row = VALUE("Clip", c->in[1], zero, last);
    const char *inside = VALUE("Equal", c->in[1], row);
    for (int64_t d = 0; d < x.rank - 1; d++) axis[d] = rank + d;
    if (x.rank > 1) inside = VALUE("Unsqueeze", inside, ints(c, axis, x.rank - 1));
    const char *rows = VALUE("Gather", c->in[0], row);
    RESULT("Where", inside, rows, number(c, 0));
}

/* A product with rows of 1 and 0. */
static void scatter_add(call *c)
{
    const rv_scatter_attr *attr = c->node->attr;
    int64_t width = 1, flat = -1;
    for (int64_t d = 1; d < c->node->type.shape.rank; d++) width *= c->node->type.shape.dim[d];
    const char *numbers = rv_onnx_range(c->model, attr->rows);
    const char *index = VALUE("Reshape", c->in[1], ints(c, (int64_t[]){flat, 1}, 2));
    const char *hit = VALUE("Equal", index, numbers);
    set_dtype(c);
    hit = VALUE("Cast", hit);
    const char *y = VALUE("Reshape", c->in[0], ints(c, (int64_t[]){flat, width}, 2));
    rv_onnx_set(c->model, "transA", 1);
    const char *rows = VALUE("Gemm", hit, y);
    RESULT("Reshape", rows, rv_onnx_shape_of(c->graph, c->id, false));
}

/* ---- products ---- */

/* The last two axes of operand k exchanged. */
static const char *transposed(call *c, int k)
{
    int64_t rank = shape_in(c, k).rank, perm[RV_MAX_RANK];
    for (int64_t d = 0; d < rank; d++) perm[d] = d < rank - 2 ? d : 2 * rank - 3 - d;
    rv_onnx_set_ints(c->model, "perm", perm, (int)rank);
    return VALUE("Transpose", c->in[k]);
}

static const char *product(call *c, bool out)
{
    const rv_matmul_attr *attr = c->node->attr;
    const char *a = c->in[0], *b = c->in[1];
    if (attr->packed)
        rv_onnx_fail(c->model, RV_ERROR_ARGUMENT,
                     "ONNX: a packed matrix has no counterpart there; multiply by the matrix");
    if (shape_in(c, 0).rank == 2 && (attr->transpose_a || attr->transpose_b)) {
        if (attr->transpose_a) rv_onnx_set(c->model, "transA", 1);
        if (attr->transpose_b) rv_onnx_set(c->model, "transB", 1);
        return apply_to(c, out, "Gemm", INPUTS(a, b));
    }
    if (attr->transpose_a) a = transposed(c, 0);
    if (attr->transpose_b) b = transposed(c, 1);
    return apply_to(c, out, "MatMul", INPUTS(a, b));
}

static void matmul(call *c) { product(c, true); }

static void matmul_add(call *c) { RESULT("Add", product(c, false), c->in[2]); }

static void set_convolution(call *c, bool exchanged)
{
    const rv_conv_attr *attr = c->node->attr;
    const int64_t pads[4] = {attr->pad[0], attr->pad[1], attr->pad_end[0], attr->pad_end[1]};
    rv_onnx_set_ints(c->model, "strides", exchanged ? attr->dilation : attr->stride, 2);
    rv_onnx_set_ints(c->model, "dilations", exchanged ? attr->stride : attr->dilation, 2);
    rv_onnx_set_ints(c->model, "pads", pads, 4);
    rv_onnx_set(c->model, "group", attr->groups);
}

static void conv2d(call *c)
{
    set_convolution(c, false);
    RESULT("Conv", c->in[0], c->in[1]);
}

static void conv2d_input_gradient(call *c)
{
    const rv_conv_attr *attr = c->node->attr;
    rv_shape y = shape_in(c, 0), w = shape_in(c, 1);
    int64_t rest[2];
    for (int d = 0; d < 2; d++) /* rows that no window reaches */
        rest[d] = attr->size[d] + attr->pad[d] + attr->pad_end[d] -
                  (w.dim[2 + d] - 1) * attr->dilation[d] - 1 - (y.dim[2 + d] - 1) * attr->stride[d];
    set_convolution(c, false);
    rv_onnx_set_ints(c->model, "output_padding", rest, 2);
    RESULT("ConvTranspose", c->in[0], c->in[1]);
}

/* The channels of each group as samples, and the samples as channels: x [n, groups depth, ..] as
 * [depth, groups n, ..]. */
static const char *samples_as_channels(call *c, const char *x, int64_t groups)
{
    rv_shape s = shape_in(c, 0);
    int64_t depth = s.dim[1] / groups;
    if (groups == 1) {
        rv_onnx_set_ints(c->model, "perm", (int64_t[]){1, 0, 2, 3}, 4);
        return VALUE("Transpose", x);
    }
    x = VALUE("Reshape", x, ints(c, (int64_t[]){s.dim[0], groups, depth, s.dim[2], s.dim[3]}, 5));
    rv_onnx_set_ints(c->model, "perm", (int64_t[]){2, 1, 0, 3, 4}, 5);
    x = VALUE("Transpose", x);
    return VALUE("Reshape", x,
                 ints(c, (int64_t[]){depth, groups * s.dim[0], s.dim[2], s.dim[3]}, 4));
}

/* Whether the image has rows that no window reached, so that y finds more positions in it than the
 * kernel has. */
static bool has_more_rows(const call *c)
{
    const rv_conv_attr *attr = c->node->attr;
    rv_shape x = shape_in(c, 0), y = shape_in(c, 1);
    bool more = false;
    for (int d = 0; d < 2; d++) {
        int64_t room = x.dim[2 + d] + attr->pad[d] + attr->pad_end[d] -
                       (y.dim[2 + d] - 1) * attr->stride[d] - 1;
        more = more || room / attr->dilation[d] + 1 > attr->size[d];
    }
    return more;
}

/* A convolution of x with y as the kernel, which sums over the samples: stride and dilation change
 * places. */
static void conv2d_weight_gradient(call *c)
{
    const rv_conv_attr *attr = c->node->attr;
    const char *x = samples_as_channels(c, c->in[0], attr->groups);
    rv_onnx_set_ints(c->model, "perm", (int64_t[]){1, 0, 2, 3}, 4);
    const char *y = VALUE("Transpose", c->in[1]);
    set_convolution(c, true);
    const char *w = VALUE("Conv", x, y); /* [depth,outputs,..] */
    if (has_more_rows(c))
        w = VALUE("Slice", w, ints(c, (int64_t[]){0, 0}, 2), ints(c, attr->size, 2),
                  ints(c, (int64_t[]){2, 3}, 2));
    rv_onnx_set_ints(c->model, "perm", (int64_t[]){1, 0, 2, 3}, 4);
    if (c->node->inputs == 2)
        RESULT("Transpose", w);
    else
        RESULT("Add", VALUE("Transpose", w), c->in[2]);
}

/* ---- all ---- */

static const struct {
    const char *op;
    const char *type; /* of the one node, with the same inputs; else NULL, and */
    void (*write)(call *c);
} table[] = {
    {"abs", "Abs", NULL},
    {"add", NULL, add},
    {"arctan", "Atan", NULL},
    {"broadcast", NULL, broadcast},
    {"cast", NULL, cast},
    {"concat", NULL, concat},
    {"conv2d", NULL, conv2d},
    {"conv2d_input_gradient", NULL, conv2d_input_gradient},
    {"conv2d_weight_gradient", NULL, conv2d_weight_gradient},
    {"conv2d_weight_gradient_add", NULL, conv2d_weight_gradient},
    {"cos", "Cos", NULL},
    {"cumulative_sum", NULL, cumulative_sum},
    {"divide", "Div", NULL},
    {"equal", NULL, equal},
    {"erf", "Erf", NULL},
    {"erfc", NULL, erfc_},
    {"exp", "Exp", NULL},
    {"expm1", NULL, expm1_},
    {"flip", NULL, flip},
    {"floor", "Floor", NULL},
    {"gather", NULL, gather},
    {"less", NULL, less},
    {"less_equal", NULL, less_equal},
    {"log", "Log", NULL},
    {"matmul", NULL, matmul},
    {"matmul_add", NULL, matmul_add},
    {"max", NULL, max},
    {"maximum", "Max", NULL},
    {"minimum", "Min", NULL},
    {"multiply", "Mul", NULL},
    {"multiply_add", NULL, multiply_add},
    {"negate", "Neg", NULL},
    {"pad", NULL, pad},
    {"pad_add", NULL, pad},
    {"power", "Pow", NULL},
    {"relu", "Relu", NULL},
    {"reshape", NULL, reshape},
    {"round", "Round", NULL},
    {"scan", NULL, scan},
    {"scatter_add", NULL, scatter_add},
    {"select", NULL, select_},
    {"sigmoid", "Sigmoid", NULL},
    {"sigmoid_gradient", NULL, sigmoid_gradient},
    {"sign", "Sign", NULL},
    {"sin", "Sin", NULL},
    {"slice", NULL, slice},
    {"softplus", "Softplus", NULL},
    {"sqrt", "Sqrt", NULL},
    {"square", NULL, square},
    {"subtract", "Sub", NULL},
    {"sum", NULL, sum},
    {"tanh", "Tanh", NULL},
    {"tanh_gradient", NULL, tanh_gradient},
    {"transpose", NULL, transpose},
};

bool rv_onnx_op(rv_onnx_call *c)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(c->node->op->name, table[i].op)) continue;
        if (table[i].type)
            apply_to(c, true, table[i].type, c->in, c->node->inputs);
        else
            table[i].write(c);
        return true;
    }
    return false;
}
