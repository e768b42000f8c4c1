/* conv2d and its two gradients are the three sides of one trilinear form:
 *
 *     T(x, w, y) = sum x[n, c, i s + p d - pad, ..] w[o, c', p, q] y[n, o, i, j]
 *
 * summed over all indices that hit x, with c = c' + the first channel of o's group. Its derivative
 * with respect to y is conv2d, with respect to x the input gradient, with respect to w the weight
 * gradient. So the gradients of each are the other two, to any order. x
 * [batch,channels,height,width], w [outputs,channels/groups,kh,kw], y [batch,outputs,oh,ow]. */
#include "ops/attributes_internal.h"
#include "ops/conv2d_internal.h"
#include "ops/index_internal.h"
#include "ops/kernels/kernels.h"
#include "ops/pad_internal.h"
#include "tensor/memory.h"

extern const rv_op rv_op_conv2d_weight_gradient, rv_op_conv2d_weight_gradient_add;

/* The largest attribute. With sizes below 2^40 no sum or product overflows. */
enum { LARGEST = 1 << 20 };

/* ---- shape rules ---- */

/* The number of positions of a kernel along axis d of an image, or 0. */
static int64_t positions(const rv_conv_attr *a, int d, int64_t image, int64_t kernel)
{
    int64_t free_size = image + a->pad[d] + a->pad_end[d] - (kernel - 1) * a->dilation[d] - 1;
    return free_size < 0 ? 0 : free_size / a->stride[d] + 1;
}

static bool check_attr(rv_inference *i)
{
    const rv_conv_attr *a = i->attr;
    bool fits = a->groups >= 1 && a->groups <= LARGEST;
    for (int d = 0; d < 2; d++)
        fits = fits && a->stride[d] >= 1 && a->stride[d] <= LARGEST && a->dilation[d] >= 1 &&
               a->dilation[d] <= LARGEST && a->pad[d] >= 0 && a->pad[d] <= LARGEST &&
               a->pad_end[d] >= 0 && a->pad_end[d] <= LARGEST;
    if (!fits)
        return rv_fail(
            i->error, RV_ERROR_ARGUMENT,
            "stride %lldx%lld, dilation %lldx%lld, groups %lld must be at least 1 and padding "
            "%lld,%lld,%lld,%lld at least 0; use pad to crop",
            (long long)a->stride[0], (long long)a->stride[1], (long long)a->dilation[0],
            (long long)a->dilation[1], (long long)a->groups, (long long)a->pad[0],
            (long long)a->pad_end[0], (long long)a->pad[1], (long long)a->pad_end[1]);
    if (i->in[0].dtype == RV_I32 || i->in[1].dtype != i->in[0].dtype)
        return rv_fail(i->error, RV_ERROR_DTYPE, "takes two f32 or two f64; cast one of them");
    if (i->in[0].shape.rank != 4 || i->in[1].shape.rank != 4)
        return rv_fail(i->error, RV_ERROR_SHAPE,
                       "takes images [n,channels,height,width] and kernels "
                       "[outputs,channels,height,width], both "
                       "of rank 4; reshape the other");
    for (int k = 0; k < 2; k++)
        for (int d = 0; d < 4; d++)
            if (i->in[k].shape.dim[d] >> 40 || a->size[d & 1] >> 40)
                return rv_fail(i->error, RV_ERROR_SHAPE,
                               "a size of 2^40 or more; use smaller images");
    return true;
}

/* Whether x, w and y are the three sides of one convolution. */
static bool check_form(rv_inference *i, const rv_shape *x, const rv_shape *w, const rv_shape *y)
{
    const rv_conv_attr *a = i->attr;
    if (w->dim[0] % a->groups || x->dim[1] % a->groups || w->dim[1] != x->dim[1] / a->groups)
        return rv_fail(
            i->error, RV_ERROR_SHAPE,
            "%lld channel(s) in %lld group(s) do not fit %lld kernel(s) of %lld channel(s); w is "
            "[outputs,channels/groups,height,width]",
            (long long)x->dim[1], (long long)a->groups, (long long)w->dim[0], (long long)w->dim[1]);
    for (int d = 0; d < 2; d++)
        if (!positions(a, d, x->dim[2 + d], w->dim[2 + d]))
            return rv_fail(
                i->error, RV_ERROR_SHAPE,
                "kernel %lldx%lld%s is larger than the padded image %lldx%lld; pad x first",
                (long long)w->dim[2], (long long)w->dim[3],
                a->dilation[0] * a->dilation[1] > 1 ? " (dilated)" : "",
                (long long)(x->dim[2] + a->pad[0] + a->pad_end[0]),
                (long long)(x->dim[3] + a->pad[1] + a->pad_end[1]));
    bool fits = y->dim[0] == x->dim[0] && y->dim[1] == w->dim[0];
    for (int d = 0; d < 2; d++)
        fits = fits && y->dim[2 + d] == positions(a, d, x->dim[2 + d], w->dim[2 + d]);
    return fits || rv_fail(i->error, RV_ERROR_SHAPE,
                           "y is not what conv2d makes of x and w; take its shape");
}

static bool infer_y(rv_inference *i)
{
    if (!check_attr(i)) return false;
    const rv_conv_attr *a = i->attr;
    const rv_shape *x = &i->in[0].shape, *w = &i->in[1].shape;
    rv_shape y = {4,
                  {x->dim[0], w->dim[0], positions(a, 0, x->dim[2], w->dim[2]),
                   positions(a, 1, x->dim[3], w->dim[3])}};
    i->out = (rv_type){i->in[0].dtype, y};
    return check_form(i, x, w, &y);
}

static bool infer_x(rv_inference *i)
{
    if (!check_attr(i)) return false;
    const rv_conv_attr *a = i->attr;
    const rv_shape *y = &i->in[0].shape, *w = &i->in[1].shape;
    rv_shape x = {4, {y->dim[0], w->dim[1] * a->groups, a->size[0], a->size[1]}};
    i->out = (rv_type){i->in[0].dtype, x};
    return check_form(i, &x, w, y);
}

static bool infer_w(rv_inference *i)
{
    if (!check_attr(i)) return false;
    const rv_conv_attr *a = i->attr;
    const rv_shape *x = &i->in[0].shape, *y = &i->in[1].shape;
    rv_shape w = {4, {y->dim[1], x->dim[1] / a->groups, a->size[0], a->size[1]}};
    i->out = (rv_type){i->in[0].dtype, w};
    return check_form(i, x, &w, y) && rv_infer_addend(i, 2);
}

static rv_conv_plan geometry(const rv_conv_attr *a, rv_shape x, rv_shape w, rv_shape y)
{
    return (rv_conv_plan){.batch = x.dim[0],
                          .channels = x.dim[1],
                          .height = x.dim[2],
                          .width = x.dim[3],
                          .outputs = w.dim[0],
                          .kernel = {w.dim[2], w.dim[3]},
                          .out_height = y.dim[2],
                          .out_width = y.dim[3],
                          .stride = {a->stride[0], a->stride[1]},
                          .pad = {a->pad[0], a->pad[1]},
                          .dilation = {a->dilation[0], a->dilation[1]},
                          .groups = a->groups};
}

/* ---- reference: the form, term by term; each term is added to the side that is computed ---- */

static void add_terms(const rv_call *call, const rv_conv_plan *p, rv_tensor *out,
                      const rv_tensor *x, const rv_tensor *w, const rv_tensor *y)
{
    int64_t depth = p->channels / p->groups, per_group = p->outputs / p->groups;
    rv_tensor z = rv_call_in(call, call->inputs - 1);
    for (int64_t i = 0; i < rv_tensor_count(out); i++)
        rv_tensor_set(out, i, call->inputs == 3 ? rv_tensor_get(&z, i) : 0);
    rv_shape all = {
        6, {p->batch, p->outputs, p->out_height, p->out_width, depth, p->kernel[0] * p->kernel[1]}};
    for (int64_t term = 0; term < rv_shape_count(all); term++) {
        int64_t rest = term, v[6];
        for (int d = 5; d >= 0; d--) v[d] = rest % all.dim[d], rest /= all.dim[d];
        int64_t n = v[0], o = v[1], i = v[2], j = v[3], c = v[4], kp = v[5] / p->kernel[1],
                kq = v[5] % p->kernel[1];
        int64_t row = i * p->stride[0] + kp * p->dilation[0] - p->pad[0];
        int64_t column = j * p->stride[1] + kq * p->dilation[1] - p->pad[1];
        if (row < 0 || row >= p->height || column < 0 || column >= p->width) continue;
        int64_t channel = o / per_group * depth + c;
        int64_t at_x = ((n * p->channels + channel) * p->height + row) * p->width + column;
        int64_t at_w = ((o * depth + c) * p->kernel[0] + kp) * p->kernel[1] + kq;
        int64_t at_y = ((n * p->outputs + o) * p->out_height + i) * p->out_width + j;
        int64_t at = !x ? at_x : !w ? at_w : at_y;
        double product = (x ? rv_tensor_get(x, at_x) : 1) * (w ? rv_tensor_get(w, at_w) : 1) *
                         (y ? rv_tensor_get(y, at_y) : 1);
        rv_tensor_set(out, at, rv_tensor_get(out, at) + product);
    }
}

static void reference_y(const rv_call *c)
{
    rv_tensor x = rv_call_in(c, 0), w = rv_call_in(c, 1), y = rv_call_out(c);
    rv_conv_plan p = geometry(c->attr, x.shape, w.shape, y.shape);
    add_terms(c, &p, &y, &x, &w, NULL);
}

static void reference_x(const rv_call *c)
{
    rv_tensor y = rv_call_in(c, 0), w = rv_call_in(c, 1), x = rv_call_out(c);
    rv_conv_plan p = geometry(c->attr, x.shape, w.shape, y.shape);
    add_terms(c, &p, &x, NULL, &w, &y);
}

static void reference_w(const rv_call *c)
{
    rv_tensor x = rv_call_in(c, 0), y = rv_call_in(c, 1), w = rv_call_out(c);
    rv_conv_plan p = geometry(c->attr, x.shape, w.shape, y.shape);
    add_terms(c, &p, &w, &x, NULL, &y);
}

/* ---- elements ---- */

/* The row or column of the image under an element of the kernel. */
static rv_index under(rv_element *e, int d, rv_index out, rv_index kernel)
{
    const rv_conv_attr *a = e->attr;
    rv_index at =
        rv_index_plus(e, rv_index_scale(out, a->stride[d]), rv_index_scale(kernel, a->dilation[d]));
    return rv_index_shift(at, -a->pad[d]);
}

/* The product of x, at rows and columns that may be outside, and another factor. */
static rv_term product(rv_element *e, int x, const rv_index at[4], int other,
                       const rv_index other_at[4])
{
    rv_term factor[2];
    bool padded = rv_term_padded(e, x, at, &factor[0]);
    factor[1] = rv_term_input(e, other, other_at);
    rv_term y = rv_term_apply(e, "x * y", factor, 2);
    for (int d = 3; d >= 2 && !padded; d--) y = rv_term_within(e, at[d], e->in[x].shape.dim[d], y);
    return y;
}

static rv_term element_y(rv_element *e)
{
    const rv_conv_attr *a = e->attr;
    const rv_shape *w = &e->in[1].shape;
    rv_index n = e->at[0], o = e->at[1], i = e->at[2], j = e->at[3];
    rv_index loop[3]; /* c, p, q */
    for (int d = 0; d < 3; d++) loop[d] = rv_index_loop(e, w->dim[1 + d]);
    rv_index group = rv_index_divide(e, o, w->dim[0] / a->groups);
    rv_index channel = rv_index_plus(e, rv_index_scale(group, w->dim[1]), loop[0]);
    rv_index x_at[4] = {n, channel, under(e, 0, i, loop[1]), under(e, 1, j, loop[2])};
    rv_index w_at[4] = {o, loop[0], loop[1], loop[2]};
    return rv_term_sum(e, loop, 3, product(e, 0, x_at, 1, w_at));
}

static rv_term element_w(rv_element *e)
{
    const rv_conv_attr *a = e->attr;
    const rv_shape *y = &e->in[1].shape, *w = &e->out.shape;
    rv_index o = e->at[0];
    rv_index loop[3] = {rv_index_loop(e, y->dim[0]), rv_index_loop(e, y->dim[2]),
                        rv_index_loop(e, y->dim[3])}; /* n, i, j */
    rv_index group = rv_index_divide(e, o, w->dim[0] / a->groups);
    rv_index channel = rv_index_plus(e, rv_index_scale(group, w->dim[1]), e->at[1]);
    rv_index x_at[4] = {loop[0], channel, under(e, 0, loop[1], e->at[2]),
                        under(e, 1, loop[2], e->at[3])};
    rv_index y_at[4] = {loop[0], o, loop[1], loop[2]};
    return rv_term_with_addend(e, 2, rv_term_sum(e, loop, 3, product(e, 0, x_at, 1, y_at)));
}

static rv_term element_x(rv_element *e)
{
    const rv_conv_attr *a = e->attr;
    const rv_shape *w = &e->in[1].shape;
    rv_index loop[3] = {rv_index_loop(e, w->dim[0] / a->groups), rv_index_loop(e, w->dim[2]),
                        rv_index_loop(e, w->dim[3])}; /* o in its group, p, q */
    rv_index group = rv_index_divide(e, e->at[1], w->dim[1]);
    rv_index o = rv_index_plus(e, rv_index_scale(group, w->dim[0] / a->groups), loop[0]);
    rv_index y_at[4] = {e->at[0], o}, rest[2];
    for (int d = 0; d < 2; d++) { /* i = (row + pad - p dilation) / stride, if that is whole */
        int64_t reach = (w->dim[2 + d] - 1) * a->dilation[d], ahead = reach / a->stride[d] + 1;
        rv_index at = rv_index_plus(e, e->at[2 + d], rv_index_scale(loop[1 + d], -a->dilation[d]));
        at = rv_index_shift(at, a->pad[d] + ahead * a->stride[d]); /* not negative */
        y_at[2 + d] = rv_index_shift(rv_index_divide(e, at, a->stride[d]), -ahead);
        rest[d] = rv_index_rest(e, at, a->stride[d]);
    }
    rv_index w_at[4] = {o, rv_index_rest(e, e->at[1], w->dim[1]), loop[1], loop[2]};
    rv_term term = product(e, 0, y_at, 1, w_at);
    for (int d = 1; d >= 0; d--) term = rv_term_where_zero(e, rest[d], term);
    return rv_term_sum(e, loop, 3, term);
}

/* ---- kernels ---- */

static void run_add(const rv_call *c)
{
    rv_copy_addend(c);
    ((const rv_conv_plan *)c->plan)->method->run(c);
}

static rv_kernel choose(rv_call *c, rv_side side, rv_shape x, rv_shape w, rv_shape y)
{
    const rv_conv_method *const *method = rv_kernels_for(c->out_type.dtype)->convolution;
    rv_conv_plan *plan = rv_alloc(1, sizeof *plan);
    if (!plan) return NULL;
    *plan = geometry(c->attr, x, w, y);
    plan->side = side;
    plan->add = c->inputs == 3;
    while (!(*method)->fits(plan) || ((*method)->pays && !(*method)->pays(plan))) method++;
    plan->method = *method;
    c->plan = plan;
    c->scratch_size = plan->method->prepare(plan);
    c->most_parts = plan->most_parts;
    c->sliced = plan->sliced;
    c->operations = 2.0 * (double)plan->batch * (double)(plan->out_height * plan->out_width) *
                    (double)rv_shape_count(w);
    return plan->add ? run_add : plan->method->run;
}

static rv_kernel choose_y(rv_call *c)
{
    return choose(c, RV_SIDE_Y, c->in_type[0].shape, c->in_type[1].shape, c->out_type.shape);
}

static rv_kernel choose_x(rv_call *c)
{
    return choose(c, RV_SIDE_DX, c->out_type.shape, c->in_type[1].shape, c->in_type[0].shape);
}

static rv_kernel choose_w(rv_call *c)
{
    return choose(c, RV_SIDE_DW, c->in_type[0].shape, c->out_type.shape, c->in_type[1].shape);
}

/* ---- gradients: the other two sides of the form ---- */

static rv_var side_y(const rv_conv_attr *a, rv_var x, rv_var w)
{
    rv_conv_attr attr = *a;
    attr.size[0] = attr.size[1] = 0;
    return rv_record(NULL, &rv_op_conv2d, &attr, sizeof attr, (rv_var[]){x, w}, 2);
}

static rv_var side_x(const rv_conv_attr *a, rv_var y, rv_var w, rv_shape x)
{
    rv_conv_attr attr = *a;
    attr.size[0] = x.dim[2];
    attr.size[1] = x.dim[3];
    return rv_record(NULL, &rv_op_conv2d_input_gradient, &attr, sizeof attr, (rv_var[]){y, w}, 2);
}

static rv_var side_w(const rv_conv_attr *a, rv_var x, rv_var y, rv_shape w)
{
    rv_conv_attr attr = *a;
    attr.size[0] = w.dim[2];
    attr.size[1] = w.dim[3];
    return rv_record(NULL, &rv_op_conv2d_weight_gradient, &attr, sizeof attr, (rv_var[]){x, y}, 2);
}

static rv_var gradient_of_y(const rv_backward *b, int k)
{
    return k == 0 ? side_x(b->attr, b->dy, b->x[1], rv_shape_of(b->x[0]))
                  : side_w(b->attr, b->x[0], b->dy, rv_shape_of(b->x[1]));
}

static rv_var gradient_of_x(const rv_backward *b, int k)
{
    return k == 0 ? side_y(b->attr, b->dy, b->x[1])
                  : side_w(b->attr, b->dy, b->x[0], rv_shape_of(b->x[1]));
}

static rv_var gradient_of_w(const rv_backward *b, int k)
{
    if (k == 2) return b->dy;
    return k == 0 ? side_x(b->attr, b->x[1], b->dy, rv_shape_of(b->x[0]))
                  : side_y(b->attr, b->x[0], b->dy);
}

/* ---- zeros around an image are the convolution's own padding ---- */

static bool widen(rv_conv_attr *attr, const int64_t before[2], const int64_t after[2])
{
    for (int d = 0; d < 2; d++) {
        if (before[d] < 0 || after[d] < 0) return false;
        attr->pad[d] += before[d];
        attr->pad_end[d] += after[d];
        if (attr->pad[d] > LARGEST || attr->pad_end[d] > LARGEST) return false;
    }
    return true;
}

/* Moves the padding of *x into the attributes. */
static bool absorb_padding(rv_conv_attr *attr, rv_var *x)
{
    int64_t before[2], after[2];
    return rv_is_padded2d(*x, x, before, after) && widen(attr, before, after);
}

static rv_var simplify_y(const void *attr, const rv_var *x)
{
    rv_conv_attr wider = *(const rv_conv_attr *)attr;
    rv_var image = x[0];
    return absorb_padding(&wider, &image) ? side_y(&wider, image, x[1]) : (rv_var){x[0].tape, -1};
}

static rv_var simplify_w(const void *attr, const rv_var *x)
{
    rv_conv_attr wider = *(const rv_conv_attr *)attr;
    rv_var image = x[0];
    rv_shape w = {4, {0, 0, wider.size[0], wider.size[1]}};
    return absorb_padding(&wider, &image) ? side_w(&wider, image, x[1], w)
                                          : (rv_var){x[0].tape, -1};
}

static rv_var crop_one(rv_var x, const int64_t before[2], const int64_t after[2])
{
    const rv_node *node = rv_tape_node(x.tape, x.id);
    if (node->op != &rv_op_conv2d_input_gradient) return (rv_var){x.tape, -1};
    rv_conv_attr attr = *(const rv_conv_attr *)node->attr;
    rv_shape size = node->type.shape;
    if (!widen(&attr, before, after)) return (rv_var){x.tape, -1};
    for (int d = 0; d < 2; d++) size.dim[2 + d] -= before[d] + after[d];
    rv_var y = {x.tape, node->in[0]}, w = {x.tape, node->in[1]};
    return side_x(&attr, y, w, size);
}

rv_var rv_crop_input_gradient(rv_var x, const int64_t before[2], const int64_t after[2])
{
    enum { MOST = 8 };
    const rv_node *node = rv_tape_node(x.tape, x.id);
    if (node->op != &rv_op_add) return crop_one(x, before, after);
    int terms = node->inputs;
    rv_var term[MOST];
    for (int k = 0; k < terms; k++) {
        rv_var in = {x.tape, rv_tape_node(x.tape, x.id)->in[k]};
        if (terms > MOST || rv_tape_node(x.tape, in.id)->op != &rv_op_conv2d_input_gradient)
            return (rv_var){x.tape, -1};
    }
    for (int k = 0; k < terms; k++) {
        term[k] = crop_one((rv_var){x.tape, rv_tape_node(x.tape, x.id)->in[k]}, before, after);
        if (rv_is_null(term[k])) return term[k];
    }
    return rv_add_all(term, terms);
}

/* ---- samples ---- */

#define PLAIN .stride = {1, 1}, .dilation = {1, 1}, .groups = 1
#define ATTR(...) .attr = &(const rv_conv_attr){__VA_ARGS__}, .attr_size = sizeof(rv_conv_attr)
#define RANGE .low = -1, .high = 1
static const rv_sample samples_y[] = {
    {.in = {{4, {2, 1, 8, 8}}, {4, {1, 1, 5, 5}}},
     RANGE,
     ATTR(PLAIN),
     RV_GIVEN(RV_ABSENT, RV_ABSENT, RV_ABSENT, RV_NUMBER(1))},
    {.in = {{4, {2, 3, 5, 6}}, {4, {4, 3, 3, 3}}},
     RANGE,
     ATTR(PLAIN, .pad = {1, 1}, .pad_end = {1, 1})},
    {.in = {{4, {1, 2, 7, 8}}, {4, {3, 2, 3, 2}}},
     RANGE,
     ATTR(.stride = {2, 3}, .pad = {0, 2}, .pad_end = {1, 0}, .dilation = {1, 1}, .groups = 1),
     RV_GIVEN(RV_LIST(2, 3), RV_LIST(0, 1, 2, 0), RV_ABSENT, RV_NUMBER(1))},
    {.in = {{4, {2, 2, 7, 9}}, {4, {2, 2, 3, 3}}},
     RANGE,
     ATTR(.stride = {1, 2}, .pad = {2, 1}, .dilation = {2, 3}, .groups = 1),
     RV_GIVEN(RV_LIST(1, 2), RV_LIST(2, 0, 1, 0), RV_LIST(2, 3), RV_NUMBER(1))},
    {.in = {{4, {2, 4, 5, 5}}, {4, {6, 2, 3, 3}}},
     RANGE,
     ATTR(.stride = {1, 1}, .pad = {1, 1}, .pad_end = {1, 1}, .dilation = {1, 1}, .groups = 2),
     RV_GIVEN(RV_ABSENT, RV_LIST(1), RV_ABSENT, RV_NUMBER(2))},
    {.in = {{4, {1, 1, 1, 1}}, {4, {1, 1, 3, 3}}},
     RANGE,
     ATTR(PLAIN, .pad = {3, 3}, .pad_end = {3, 3})},
    {.in = {{4, {32, 1, 8, 8}}, {4, {1, 1, 9, 9}}},
     ATTR(PLAIN),
     .error = "kernel 9x9 is larger than the padded image 8x8"},
    {.in = {{4, {2, 3, 8, 8}}, {4, {4, 2, 3, 3}}},
     ATTR(PLAIN),
     .error = "3 channels in 1 group do not fit"},
    {.in = {{3, {3, 8, 8}}, {4, {4, 3, 3, 3}}}, ATTR(PLAIN), .error = "both of rank 4"},
    {.in = {{4, {2, 3, 8, 8}}, {4, {4, 3, 3, 3}}},
     ATTR(PLAIN, .pad = {-1, 0}),
     .error = "at least 0"},
};
static const rv_sample samples_x[] = {
    {.in = {{4, {2, 2, 5, 2}}, {4, {2, 2, 3, 3}}},
     RANGE,
     ATTR(.stride = {1, 2}, .pad = {2, 1}, .dilation = {2, 3}, .groups = 1, .size = {7, 9}),
     RV_GIVEN(RV_LIST(1, 2), RV_LIST(2, 0, 1, 0), RV_LIST(2, 3), RV_NUMBER(1), RV_LIST(7, 9))},
    {.in = {{4, {2, 1, 4, 4}}, {4, {1, 1, 5, 5}}}, RANGE, ATTR(PLAIN, .size = {8, 8})},
    {.in = {{4, {2, 4, 5, 6}}, {4, {4, 3, 3, 3}}},
     RANGE,
     ATTR(PLAIN, .pad = {1, 1}, .pad_end = {1, 1}, .size = {5, 6})},
    {.in = {{4, {1, 3, 3, 3}}, {4, {3, 2, 3, 2}}},
     RANGE,
     ATTR(.stride = {2, 3}, .pad = {0, 2}, .pad_end = {1, 0}, .dilation = {1, 1}, .groups = 1,
          .size = {7, 8}),
     RV_GIVEN(RV_LIST(2, 3), RV_LIST(0, 1, 2, 0), RV_ABSENT, RV_NUMBER(1), RV_LIST(7, 8))},
    {.in = {{4, {2, 6, 5, 5}}, {4, {6, 2, 3, 3}}},
     RANGE,
     ATTR(.stride = {1, 1}, .pad = {1, 1}, .pad_end = {1, 1}, .dilation = {1, 1}, .groups = 2,
          .size = {5, 5}),
     RV_GIVEN(RV_ABSENT, RV_LIST(1), RV_ABSENT, RV_NUMBER(2), RV_LIST(5, 5))},
    {.in = {{4, {2, 1, 4, 4}}, {4, {1, 1, 5, 5}}},
     ATTR(PLAIN, .size = {9, 8}),
     .error = "y is not what conv2d makes"},
};
static const rv_sample samples_w[] = {
    {.in = {{4, {2, 2, 7, 9}}, {4, {2, 2, 5, 2}}},
     RANGE,
     ATTR(.stride = {1, 2}, .pad = {2, 1}, .dilation = {2, 3}, .groups = 1, .size = {3, 3}),
     RV_GIVEN(RV_LIST(1, 2), RV_LIST(2, 0, 1, 0), RV_LIST(2, 3), RV_NUMBER(1), RV_LIST(3, 3))},
    {.in = {{4, {2, 1, 8, 8}}, {4, {2, 1, 4, 4}}}, RANGE, ATTR(PLAIN, .size = {5, 5})},
    {.in = {{4, {2, 3, 5, 6}}, {4, {2, 4, 5, 6}}},
     RANGE,
     ATTR(PLAIN, .pad = {1, 1}, .pad_end = {1, 1}, .size = {3, 3})},
    {.in = {{4, {1, 2, 7, 8}}, {4, {1, 3, 3, 3}}},
     RANGE,
     ATTR(.stride = {2, 3}, .pad = {0, 2}, .pad_end = {1, 0}, .dilation = {1, 1}, .groups = 1,
          .size = {3, 2}),
     RV_GIVEN(RV_LIST(2, 3), RV_LIST(0, 1, 2, 0), RV_ABSENT, RV_NUMBER(1), RV_LIST(3, 2))},
    {.in = {{4, {2, 4, 5, 5}}, {4, {2, 6, 5, 5}}},
     RANGE,
     ATTR(.stride = {1, 1}, .pad = {1, 1}, .pad_end = {1, 1}, .dilation = {1, 1}, .groups = 2,
          .size = {3, 3}),
     RV_GIVEN(RV_ABSENT, RV_LIST(1), RV_ABSENT, RV_NUMBER(2), RV_LIST(3, 3))},
    {.in = {{4, {2, 1, 8, 8}}, {4, {3, 1, 4, 4}}},
     ATTR(PLAIN, .size = {5, 5}),
     .error = "y is not what conv2d makes"},
};

static const rv_sample samples_w_add[] = {
    {.in = {{4, {2, 2, 7, 9}}, {4, {2, 2, 5, 2}}, {4, {2, 2, 3, 3}}},
     RANGE,
     ATTR(.stride = {1, 2}, .pad = {2, 1}, .dilation = {2, 3}, .groups = 1, .size = {3, 3}),
     RV_GIVEN(RV_LIST(1, 2), RV_LIST(2, 0, 1, 0), RV_LIST(2, 3), RV_NUMBER(1), RV_LIST(3, 3))},
    {.in = {{4, {2, 4, 5, 5}}, {4, {2, 6, 5, 5}}, {4, {6, 2, 3, 3}}},
     RANGE,
     ATTR(.stride = {1, 1}, .pad = {1, 1}, .pad_end = {1, 1}, .dilation = {1, 1}, .groups = 2,
          .size = {3, 3}),
     RV_GIVEN(RV_ABSENT, RV_LIST(1), RV_ABSENT, RV_NUMBER(2), RV_LIST(3))},
    {.in = {{4, {2, 3, 5, 6}}, {4, {2, 4, 5, 6}}, {4, {4, 3, 3, 3}}},
     RANGE,
     ATTR(PLAIN, .pad = {1, 1}, .pad_end = {1, 1}, .size = {3, 3})},
    {.in = {{4, {2, 1, 8, 8}}, {4, {2, 1, 4, 4}}, {4, {1, 1, 5, 5}}},
     RANGE,
     ATTR(PLAIN, .size = {5, 5})},
    {.in = {{4, {2, 1, 8, 8}}, {4, {2, 1, 4, 4}}, {4, {1, 1, 3, 5}}},
     ATTR(PLAIN, .size = {5, 5}),
     .error = "z is not of the result's dtype and shape"},
};

/* ---- calls ---- */

static int64_t or_one(int64_t value) { return value ? value : 1; }

static rv_conv_attr attr_of(const rv_conv2d_options *o)
{
    return (rv_conv_attr){.stride = {or_one(o->stride[0]), or_one(o->stride[1])},
                          .pad = {o->top, o->left},
                          .pad_end = {o->bottom, o->right},
                          .dilation = {or_one(o->dilation[0]), or_one(o->dilation[1])},
                          .groups = or_one(o->groups)};
}

static const rv_option options[] = {RV_CONV2D_OPTIONS};
static const rv_option options_x[] = {
    RV_CONV2D_OPTIONS,
    {"size", RV_OPTION_LIST, true, 0, "height, width of the image that comes out"}};
static const rv_option options_w[] = {
    RV_CONV2D_OPTIONS,
    {"size", RV_OPTION_LIST, true, 0, "height, width of the kernel that comes out"}};

rv_conv2d_options rv_conv2d_arguments(rv_arguments *a)
{
    rv_conv2d_options o = {.groups = rv_option_positive(a, 3)};
    int64_t side[4];
    rv_option_pair(a, 0, 1, o.stride);
    rv_option_sides(a, 1, side);
    rv_option_pair(a, 2, 1, o.dilation);
    o.top = side[0], o.bottom = side[1], o.left = side[2], o.right = side[3];
    return o;
}

static rv_var call_y(rv_arguments *a)
{
    return rv_conv2d(a->x[0], a->x[1], rv_conv2d_arguments(a));
}

/* A gradient has one more option: its size. */
static rv_var call_gradient(rv_arguments *a)
{
    const rv_conv2d_options o = rv_conv2d_arguments(a);
    rv_conv_attr attr = attr_of(&o);
    rv_option_pair(a, RV_CONV2D_OPTION_COUNT, 1, attr.size);
    return rv_record(NULL, a->op, &attr, sizeof attr, a->x, a->inputs);
}

/* ---- descriptors ---- */

static bool by_rows(const void *attr, const rv_type *in, int k)
{
    (void)attr, (void)in;
    return k == 0;
}

const rv_op rv_op_conv2d = {
    .name = "conv2d",
    .args = "x w",
    .formula = "y[n,o,i,j] = sum_cpq x[n, c, i s + p d - pad, j s + q d - pad] w[o,c,p,q]",
    .doc = "cross-correlation with stride, padding, dilation and groups",
    .inputs = 2,
    .infer = infer_y,
    .element = element_y,
    .reference = reference_y,
    .select = choose_y,
    .gradient = gradient_of_y,
    .simplify = simplify_y,
    .by_rows = by_rows,
    .linear = 3,
    .polynomial = true,
    .call = call_y,
    RV_OPTIONS(options),
    RV_SAMPLES(samples_y),
};

const rv_op rv_op_conv2d_input_gradient = {
    .name = "conv2d_input_gradient",
    .args = "y w",
    .formula = "x[n, c, i s + p d - pad, j s + q d - pad] = sum_ijopq y[n,o,i,j] w[o,c,p,q]",
    .doc = "the adjoint of conv2d in x: transposed convolution",
    .inputs = 2,
    .infer = infer_x,
    .element = element_x,
    .reference = reference_x,
    .select = choose_x,
    .gradient = gradient_of_x,
    .linear = 3,
    .polynomial = true,
    .call = call_gradient,
    RV_OPTIONS(options_x),
    RV_SAMPLES(samples_x),
};

const rv_op rv_op_conv2d_weight_gradient = {
    .name = "conv2d_weight_gradient",
    .args = "x y",
    .formula = "w[o,c,p,q] = sum_nij x[n, c, i s + p d - pad, j s + q d - pad] y[n,o,i,j]",
    .doc = "the adjoint of conv2d in w",
    .inputs = 2,
    .infer = infer_w,
    .element = element_w,
    .reference = reference_w,
    .select = choose_w,
    .gradient = gradient_of_w,
    .simplify = simplify_w,
    .linear = 3,
    .polynomial = true,
    .accumulate = &rv_op_conv2d_weight_gradient_add,
    .call = call_gradient,
    RV_OPTIONS(options_w),
    RV_SAMPLES(samples_w),
};

const rv_op rv_op_conv2d_weight_gradient_add = {
    .name = "conv2d_weight_gradient_add",
    .args = "x y z",
    .formula = "w = z + conv2d_weight_gradient(x, y)",
    .doc = "conv2d_weight_gradient added to a tensor; programs make sums of products of it",
    .inputs = 3,
    .infer = infer_w,
    .element = element_w,
    .reference = reference_w,
    .select = choose_w,
    .gradient = gradient_of_w,
    .polynomial = true,
    .in_place = 4,
    .call = call_gradient,
    RV_OPTIONS(options_w),
    RV_SAMPLES(samples_w_add),
};

/* ---- constructors ---- */

rv_var rv_conv2d(rv_var x, rv_var w, rv_conv2d_options o)
{
    rv_conv_attr attr = attr_of(&o);
    return side_y(&attr, x, w);
}

rv_var rv_conv2d_input_gradient(rv_var y, rv_var w, rv_conv2d_options o, int64_t height,
                                int64_t width)
{
    rv_conv_attr attr = attr_of(&o);
    return side_x(&attr, y, w, (rv_shape){4, {0, 0, height, width}});
}

rv_var rv_true_conv2d(rv_var x, rv_var w)
{
    return rv_conv2d(x, rv_flip(w, 1u << 2 | 1u << 3), (rv_conv2d_options){0});
}
