/* matmul: c[.., i, j] = sum_l a[.., i, l] b[.., l, j]; a flag for each operand transposes it, so
 * every gradient is a matmul too. In programs b may be packed into q panels of p columns: [q, k, p]
 * instead of [k, q p]. */
#include "ops/attributes_internal.h"
#include "ops/index_internal.h"
#include "ops/kernels/kernels.h"
#include "ops/ops.h"
#include "ops/options.h"
#include "tensor/memory.h"

extern const rv_op rv_op_matmul, rv_op_matmul_add;

/* ---- shape rule: equal leading axes ---- */

static bool infer(rv_inference *i)
{
    const rv_matmul_attr *attr = i->attr;
    const rv_shape *a = &i->in[0].shape, *b = &i->in[1].shape;
    i->out = i->in[0];
    if (i->out.dtype == RV_I32 || i->in[1].dtype != i->out.dtype)
        return rv_fail(i->error, RV_ERROR_DTYPE, "takes two f32 or two f64; cast one of them");
    if (a->rank < 2 || b->rank < 2)
        return rv_fail(i->error, RV_ERROR_SHAPE,
                       "takes matrices, rank 2 or more; reshape a vector to [n,1] or [1,n]");
    if (attr->packed) {
        if (a->rank != 2 || b->rank != 3 || a->dim[!attr->transpose_a] != b->dim[1])
            return rv_fail(i->error, RV_ERROR_SHAPE, "takes a [m,k] and a packed b [q,k,p]");
        i->out.shape = RV_SHAPE(a->dim[attr->transpose_a], b->dim[0] * b->dim[2]);
        return rv_infer_addend(i, 2);
    }
    bool fits = a->rank == b->rank;
    for (int64_t d = 0; fits && d < a->rank - 2; d++) fits = a->dim[d] == b->dim[d];
    if (!fits)
        return rv_fail(i->error, RV_ERROR_SHAPE,
                       "leading axes do not broadcast; reshape one of them");
    int64_t rows = a->rank - 2, columns = a->rank - 1;
    int64_t inner_a = a->dim[attr->transpose_a ? rows : columns];
    int64_t inner_b = b->dim[attr->transpose_b ? columns : rows];
    if (inner_a != inner_b)
        return rv_fail(i->error, RV_ERROR_SHAPE,
                       "inner sizes %lld and %lld differ; transpose or reshape one of them",
                       (long long)inner_a, (long long)inner_b);
    i->out.shape.dim[rows] = a->dim[attr->transpose_a ? columns : rows];
    i->out.shape.dim[columns] = b->dim[attr->transpose_b ? rows : columns];
    return rv_infer_addend(i, 2);
}

static rv_matmul_plan geometry(const rv_call *c)
{
    const rv_matmul_attr *attr = c->attr;
    const rv_shape *a = &c->in_type[0].shape, *out = &c->out_type.shape;
    rv_matmul_plan p = {.batch = 1,
                        .m = out->dim[out->rank - 2],
                        .n = out->dim[out->rank - 1],
                        .k = a->dim[attr->transpose_a ? a->rank - 2 : a->rank - 1],
                        .transpose_a = attr->transpose_a,
                        .transpose_b = attr->transpose_b,
                        .add = c->inputs == 3};
    for (int64_t d = 0; d < out->rank - 2; d++) p.batch *= out->dim[d];
    if (attr->packed) p.panel = c->in_type[1].shape.dim[2];
    return p;
}

/* The offset of b's element (l, j). */
static int64_t offset_in_b(const rv_matmul_plan *p, int64_t l, int64_t j)
{
    if (p->panel) return (j / p->panel * p->k + l) * p->panel + j % p->panel;
    return p->transpose_b ? j * p->k + l : l * p->n + j;
}

/* ---- reference ---- */

static void reference(const rv_call *c)
{
    rv_matmul_plan p = geometry(c);
    rv_tensor a = rv_call_in(c, 0), b = rv_call_in(c, 1), y = rv_call_out(c);
    for (int64_t n = 0; n < p.batch; n++)
        for (int64_t i = 0; i < p.m; i++)
            for (int64_t j = 0; j < p.n; j++) {
                int64_t at = (n * p.m + i) * p.n + j;
                rv_tensor z = rv_call_in(c, c->inputs - 1);
                double sum = p.add ? rv_tensor_get(&z, at) : 0;
                for (int64_t l = 0; l < p.k; l++)
                    sum += rv_tensor_get(&a, n * p.m * p.k +
                                                 (p.transpose_a ? l * p.m + i : i * p.k + l)) *
                           rv_tensor_get(&b, n * p.k * p.n + offset_in_b(&p, l, j));
                rv_tensor_set(&y, at, sum);
            }
}

/* ---- element ---- */

static rv_term element(rv_element *e)
{
    const rv_matmul_attr *attr = e->attr;
    const rv_shape *s = &e->in[0].shape;
    int64_t rows = s->rank - 2, columns = s->rank - 1;
    rv_index a[RV_MAX_RANK], b[RV_MAX_RANK];
    rv_index l = rv_index_loop(e, s->dim[attr->transpose_a ? rows : columns]);
    for (int64_t d = 0; d < rows; d++) a[d] = b[d] = e->at[d];
    a[attr->transpose_a ? columns : rows] = e->at[rows];
    a[attr->transpose_a ? rows : columns] = l;
    b[attr->transpose_b ? columns : rows] = l;
    b[attr->transpose_b ? rows : columns] = e->at[columns];
    if (attr->packed) {
        int64_t panel = e->in[1].shape.dim[2];
        b[0] = rv_index_divide(e, e->at[1], panel);
        b[1] = l;
        b[2] = rv_index_rest(e, e->at[1], panel);
    }
    rv_term factor[2] = {rv_term_input(e, 0, a), rv_term_input(e, 1, b)};
    rv_term sum = rv_term_sum(e, &l, 1, rv_term_apply(e, "x * y", factor, 2));
    return rv_term_with_addend(e, 2, sum);
}

/* ---- kernel ---- */

/* The plan that the kernel reads, and for run_add the kernel. */
typedef struct call_plan {
    rv_matmul_plan plan;
    rv_kernel matmul;
} call_plan;

static void run_add(const rv_call *c)
{
    rv_copy_addend(c);
    ((const call_plan *)c->plan)->matmul(c);
}

static rv_kernel choose(rv_call *c)
{
    const rv_kernels *kernels = rv_kernels_for(c->out_type.dtype);
    call_plan *own = rv_alloc(1, sizeof *own);
    if (!own) return NULL;
    *own = (call_plan){geometry(c), kernels->matmul};
    const rv_matmul_plan *plan = &own->plan;
    c->plan = own;
    if (plan->panel % (RV_ALIGNMENT / (int64_t)rv_dtype_size(c->out_type.dtype))) return reference;
    c->scratch_size = kernels->matmul_scratch(plan);
    c->operations = 2.0 * (double)plan->batch * (double)plan->m * (double)plan->n * (double)plan->k;
    bool batch = plan->batch > 1;
    c->most_parts = batch ? plan->batch : plan->n > 1 ? plan->m : 0;
    c->sliced = (batch || !plan->transpose_a) | (batch ? 2u : 0) | 4;
    return plan->add ? run_add : kernels->matmul;
}

/* ---- packing ---- */

static rv_var pack(rv_var b, bool transpose_b, int64_t panel)
{
    rv_shape s = rv_shape_of(b);
    int64_t k = s.dim[transpose_b], q = s.dim[!transpose_b] / panel;
    return transpose_b ? rv_transpose(rv_reshape(b, RV_SHAPE(q, panel, k)), (int[]){0, 2, 1})
                       : rv_transpose(rv_reshape(b, RV_SHAPE(k, q, panel)), (int[]){1, 0, 2});
}

static rv_var unpack(rv_var b)
{
    rv_shape s = rv_shape_of(b);
    return rv_reshape(rv_transpose(b, (int[]){1, 0, 2}), RV_SHAPE(s.dim[1], s.dim[0] * s.dim[2]));
}

/* ---- gradient: with A, B the operands as multiplied, dA = dC B' and dB = A' dC ---- */

static rv_var gradient(const rv_backward *b, int k)
{
    const rv_matmul_attr *attr = b->attr;
    bool ta = attr->transpose_a, tb = attr->transpose_b && !attr->packed;
    rv_var a = b->x[0], c = b->x[1], dy = b->dy;
    if (k == 2) return dy;
    if (k == 0) {
        if (attr->packed) c = unpack(c);
        return ta ? rv_matmul(c, dy, tb, true) : rv_matmul(dy, c, false, !tb);
    }
    rv_var db = tb ? rv_matmul(dy, a, true, ta) : rv_matmul(a, dy, !ta, false);
    return attr->packed ? pack(db, false, rv_shape_of(c).dim[2]) : db;
}

/* ---- products with the same b ---- */

/* Packs b into panels whose width every tile divides. */
static rv_var prepare(const void *attr_, const rv_var *x)
{
    enum { ROWS = 8, TERMS = 16, PANEL = 2 * RV_ALIGNMENT };
    rv_matmul_attr attr = *(const rv_matmul_attr *)attr_;
    rv_shape a = rv_shape_of(x[0]), b = rv_shape_of(x[1]);
    int64_t panel = PANEL / (int64_t)rv_dtype_size(rv_dtype_of(x[1]));
    if (attr.packed || b.rank > 2 || b.dim[!attr.transpose_b] % panel ||
        a.dim[attr.transpose_a] < ROWS || a.dim[!attr.transpose_a] < TERMS)
        return (rv_var){x[0].tape, -1};
    rv_var with[2] = {x[0], pack(x[1], attr.transpose_b, panel)};
    attr.transpose_b = 0;
    attr.packed = 1;
    return rv_record(x[0].tape, &rv_op_matmul, &attr, sizeof attr, with, 2);
}

/* ---- samples ---- */

#define FLAGS(ta, tb) \
    .attr = &(const rv_matmul_attr){ta, tb, 0}, .attr_size = sizeof(rv_matmul_attr)
#define PACKED(ta) .attr = &(const rv_matmul_attr){ta, 0, 1}, .attr_size = sizeof(rv_matmul_attr)
static const rv_sample samples[] = {
    {.in = {{2, {3, 4}}, {2, {4, 5}}},
     .low = -1,
     .high = 1,
     FLAGS(0, 0),
     RV_GIVEN(RV_NUMBER(0), RV_NUMBER(0))},
    {.in = {{2, {4, 3}}, {2, {4, 5}}},
     .low = -1,
     .high = 1,
     FLAGS(1, 0),
     RV_GIVEN(RV_NUMBER(1), RV_NUMBER(0))},
    {.in = {{2, {3, 4}}, {2, {5, 4}}},
     .low = -1,
     .high = 1,
     FLAGS(0, 1),
     RV_GIVEN(RV_NUMBER(0), RV_NUMBER(1))},
    {.in = {{2, {4, 3}}, {2, {5, 4}}}, .low = -1, .high = 1, FLAGS(1, 1)},
    {.in = {{3, {2, 3, 4}}, {3, {2, 4, 5}}}, .low = -1, .high = 1, FLAGS(0, 0)},
    {.in = {{4, {2, 2, 1, 3}}, {4, {2, 2, 1, 3}}}, .low = -1, .high = 1, FLAGS(1, 0)},
    {.in = {{2, {7, 19}}, {2, {19, 33}}}, .low = -1, .high = 1, FLAGS(0, 0)},
    {.in = {{2, {3, 4}}, {3, {2, 4, 5}}}, .low = -1, .high = 1, PACKED(0)},
    {.in = {{2, {4, 9}}, {3, {1, 4, 32}}}, .low = -1, .high = 1, PACKED(1)},
    {.in = {{2, {3, 4}}, {3, {4, 2, 5}}}, .error = "a packed b", PACKED(0)},
    {.in = {{2, {3, 4}}, {2, {5, 6}}}, .error = "inner sizes 4 and 5 differ", FLAGS(0, 0)},
    {.in = {{3, {2, 3, 4}}, {3, {3, 4, 2}}}, .error = "leading axes do not broadcast", FLAGS(0, 0)},
    {.in = {{1, {4}}, {2, {4, 6}}}, .error = "takes matrices", FLAGS(0, 0)},
};

static const rv_sample add_samples[] = {
    {.in = {{2, {3, 4}}, {2, {4, 5}}, {2, {3, 5}}},
     .low = -1,
     .high = 1,
     FLAGS(0, 0),
     RV_GIVEN(RV_NUMBER(0), RV_NUMBER(0))},
    {.in = {{2, {4, 3}}, {2, {5, 4}}, {2, {3, 5}}},
     .low = -1,
     .high = 1,
     FLAGS(1, 1),
     RV_GIVEN(RV_NUMBER(1), RV_NUMBER(1))},
    {.in = {{3, {2, 3, 4}}, {3, {2, 5, 4}}, {3, {2, 3, 5}}},
     .low = -1,
     .high = 1,
     FLAGS(0, 1),
     RV_GIVEN(RV_NUMBER(0), RV_NUMBER(1))},
    {.in = {{2, {7, 19}}, {2, {19, 33}}, {2, {7, 33}}}, .low = -1, .high = 1, FLAGS(0, 0)},
    {.in = {{2, {3, 4}}, {3, {1, 4, 32}}, {2, {3, 32}}}, .low = -1, .high = 1, PACKED(0)},
    {.in = {{2, {3, 4}}, {2, {4, 5}}, {1, {5}}},
     .error = "z is not of the result's dtype and shape",
     FLAGS(0, 0)},
};

/* ---- constructor, calls, descriptors ---- */

/* The operand with the other's leading axes, where it has none or ones. */
static rv_var with_leading(rv_var x, rv_shape other)
{
    rv_shape own = rv_shape_of(x), to = other;
    if (own.rank < 2 || other.rank < 2 || own.rank > other.rank) return x;
    to.dim[to.rank - 2] = own.dim[own.rank - 2];
    to.dim[to.rank - 1] = own.dim[own.rank - 1];
    for (int64_t d = 3; d <= own.rank; d++) { /* an axis of the other's that is 1 stretches too */
        int64_t mine = own.dim[own.rank - d], *want = &to.dim[to.rank - d];
        if (*want == 1) *want = mine;
        if (mine != 1 && mine != *want) return x;
    }
    return rv_broadcast(x, to);
}

/* x: a, b, and for matmul_add z. */
static rv_var record(const rv_op *op, rv_var *x, int inputs, bool transpose_a, bool transpose_b)
{
    if (!rv_is_null(x[0]) && !rv_is_null(x[1])) {
        int shorter = rv_shape_of(x[0]).rank > rv_shape_of(x[1]).rank;
        x[shorter] = with_leading(x[shorter], rv_shape_of(x[!shorter]));
        x[!shorter] = with_leading(x[!shorter], rv_shape_of(x[shorter]));
    }
    return rv_record(NULL, op, &(rv_matmul_attr){transpose_a, transpose_b, false},
                     sizeof(rv_matmul_attr), x, inputs);
}

rv_var rv_matmul(rv_var a, rv_var b, bool transpose_a, bool transpose_b)
{
    rv_var operands[2] = {a, b};
    return record(&rv_op_matmul, operands, 2, transpose_a, transpose_b);
}

static const rv_option options[] = {{"transpose_a", RV_OPTION_FLAG, false, 0, "a is [..,k,m]"},
                                    {"transpose_b", RV_OPTION_FLAG, false, 0, "b is [..,n,k]"}};

static rv_var call(rv_arguments *a)
{
    rv_var x[3];
    for (int k = 0; k < a->inputs; k++) x[k] = a->x[k];
    return record(a->op, x, a->inputs, rv_option_flag(a, 0), rv_option_flag(a, 1));
}

/* Of batched matrices, the first axis is that of the batch. */
static bool by_rows(const void *attr_, const rv_type *in, int k)
{
    const rv_matmul_attr *attr = attr_;
    return in[0].shape.rank > 2 || (k == 0 && !attr->transpose_a);
}

const rv_op rv_op_matmul = {
    .name = "matmul",
    .args = "a b",
    .formula = "c[.., i, j] = sum_l a[.., i, l] b[.., l, j]",
    .doc = "matrix product, batched over leading axes; flags transpose a or b",
    .inputs = 2,
    .infer = infer,
    .element = element,
    .reference = reference,
    .select = choose,
    .gradient = gradient,
    .by_rows = by_rows,
    .linear = 3,
    .polynomial = true,
    .accumulate = &rv_op_matmul_add,
    .prepare = prepare,
    .call = call,
    RV_OPTIONS(options),
    RV_SAMPLES(samples),
};

const rv_op rv_op_matmul_add = {
    .name = "matmul_add",
    .args = "a b z",
    .formula = "c[.., i, j] = z[.., i, j] + sum_l a[.., i, l] b[.., l, j]",
    .doc = "matmul added to a tensor; programs make sums of products of it",
    .inputs = 3,
    .infer = infer,
    .element = element,
    .reference = reference,
    .select = choose,
    .gradient = gradient,
    .polynomial = true,
    .in_place = 4,
    .call = call,
    RV_OPTIONS(options),
    RV_SAMPLES(add_samples),
};
