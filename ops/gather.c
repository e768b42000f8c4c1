/* gather reads the rows of a table at given indices; scatter_add adds rows to a table at given
 * indices. Each is the other's adjoint. An index outside the table stands for a row of zeros. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ops/attributes_internal.h"
#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"
#include "tensor/memory.h"

/* ---- shape rules ---- */

static bool infer_gather(rv_inference *i)
{
    const rv_shape *x = &i->in[0].shape, *index = &i->in[1].shape;
    if (i->in[1].dtype != RV_I32)
        return rv_fail(i->error, RV_ERROR_DTYPE, "the index is %s, expected i32; cast it first",
                       rv_dtype_name(i->in[1].dtype));
    if (x->rank < 1 || index->rank + x->rank - 1 > RV_MAX_RANK)
        return rv_fail(
            i->error, RV_ERROR_SHAPE,
            "an index of rank %lld into x of rank %lld, expected x [rows,..] and a result "
            "of at most rank %d; reshape one of them",
            (long long)index->rank, (long long)x->rank, RV_MAX_RANK);
    i->out = (rv_type){i->in[0].dtype, *index};
    for (int64_t d = 1; d < x->rank; d++) i->out.shape.dim[i->out.shape.rank++] = x->dim[d];
    return true;
}

static bool infer_scatter(rv_inference *i)
{
    const rv_scatter_attr *attr = i->attr;
    const rv_shape *y = &i->in[0].shape, *index = &i->in[1].shape;
    if (i->in[0].dtype == RV_I32 || i->in[1].dtype != RV_I32)
        return rv_fail(i->error, RV_ERROR_DTYPE,
                       "takes f32 or f64 and an index of i32; cast one of them first");
    bool fits = y->rank >= index->rank && y->rank - index->rank < RV_MAX_RANK;
    for (int64_t d = 0; fits && d < index->rank; d++) fits = y->dim[d] == index->dim[d];
    if (!fits)
        return rv_fail(i->error, RV_ERROR_SHAPE,
                       "y does not start with the index's axes; give it a row for each index");
    if (attr->rows < 1)
        return rv_fail(i->error, RV_ERROR_ARGUMENT, "%lld row(s), expected at least 1",
                       (long long)attr->rows);
    i->out = (rv_type){i->in[0].dtype, {1, {attr->rows}}};
    for (int64_t d = index->rank; d < y->rank; d++)
        i->out.shape.dim[i->out.shape.rank++] = y->dim[d];
    return true;
}

/* ---- references ---- */

static int64_t row_width(rv_shape table) { return rv_shape_count(table) / table.dim[0]; }

static void gather_reference(const rv_call *c)
{
    int64_t rows = c->in_type[0].shape.dim[0], width = row_width(c->in_type[0].shape);
    for (int64_t i = 0; i < rv_shape_count(c->out_type.shape); i++) {
        double row = rv_operand(c, 1, i / width);
        bool inside = row >= 0 && row < (double)rows;
        rv_result(c, i, inside ? rv_operand(c, 0, (int64_t)row * width + i % width) : 0);
    }
}

static void scatter_reference(const rv_call *c)
{
    int64_t width = row_width(c->out_type.shape), count = rv_shape_count(c->in_type[1].shape);
    for (int64_t i = 0; i < rv_shape_count(c->out_type.shape); i++) {
        double sum = 0;
        for (int64_t k = 0; k < count; k++)
            if (rv_operand(c, 1, k) == (double)(i / width))
                sum += rv_operand(c, 0, k * width + i % width);
        rv_result(c, i, sum);
    }
}

/* ---- elements ---- */

static rv_term gather_element(rv_element *e)
{
    const rv_shape *x = &e->in[0].shape, *index = &e->in[1].shape;
    rv_index at[RV_MAX_RANK];
    at[0] = rv_index_value(e, rv_term_input(e, 1, e->at));
    for (int64_t d = 1; d < x->rank; d++) at[d] = e->at[index->rank + d - 1];
    return rv_term_within(e, at[0], x->dim[0], rv_term_input(e, 0, at));
}

static rv_term scatter_element(rv_element *e)
{
    const rv_shape *index = &e->in[1].shape;
    rv_index at[RV_MAX_RANK];
    for (int64_t d = 0; d < index->rank; d++) at[d] = rv_index_loop(e, index->dim[d]);
    for (int64_t d = index->rank; d < e->in[0].shape.rank; d++) at[d] = e->at[d - index->rank + 1];
    rv_index row = rv_index_value(e, rv_term_input(e, 1, at));
    rv_index off = rv_index_plus(e, row, rv_index_scale(e->at[0], -1));
    return rv_term_sum(e, at, (int)index->rank,
                       rv_term_where_zero(e, off, rv_term_input(e, 0, at)));
}

/* ---- kernels ---- */

static void copy_rows(const rv_call *c)
{
    rv_tensor x = rv_call_in(c, 0), index = rv_call_in(c, 1);
    const int32_t *row = index.data;
    const size_t bytes = rv_tensor_bytes(&x) / (size_t)x.shape.dim[0];
    int64_t first, end;
    rv_call_range(c, rv_tensor_count(&index), &first, &end);
    char *out = (char *)c->out + (size_t)first * bytes;
    for (int64_t i = first; i < end; i++, out += bytes) {
        if (row[i] >= 0 && row[i] < x.shape.dim[0])
            memcpy(out, (const char *)x.data + (size_t)row[i] * bytes, bytes);
        else
            memset(out, 0, bytes);
    }
}

static rv_kernel choose_gather(rv_call *c)
{
    c->most_parts = rv_shape_count(c->in_type[1].shape);
    c->sliced = 2;
    return copy_rows;
}

static rv_kernel choose_scatter(rv_call *c)
{
    const rv_shape *out = &c->out_type.shape;
    rv_scatter_plan *plan = rv_alloc(1, sizeof *plan);
    if (!plan) return NULL;
    *plan = (rv_scatter_plan){rv_shape_count(c->in_type[1].shape), out->dim[0], row_width(*out)};
    c->plan = plan;
    c->most_parts = plan->rows;
    c->operations = (double)rv_shape_count(c->in_type[0].shape);
    return rv_kernels_for(c->out_type.dtype)->scatter_add;
}

/* ---- gradients: each other; the index, of i32, is never asked about ---- */

static rv_var gather_gradient(const rv_backward *b, int k)
{
    return rv_scatter_add(b->dy, b->x[1], rv_shape_of(b->x[k]).dim[0]);
}

static rv_var scatter_gradient(const rv_backward *b, int k)
{
    (void)k;
    return rv_gather(b->dy, b->x[1]);
}

/* ---- samples, with indices on both sides of the table ---- */

static const rv_sample gather_samples[] = {
    {.in = {{2, {4, 3}}, {1, {7}}}, .low = -1, .high = 4, .integer = 2},
    {.in = {{1, {5}}, {2, {3, 2}}}, .low = -1, .high = 5, .integer = 2},
    {.in = {{3, {3, 2, 2}}, {0}}, .low = 1, .high = 2, .integer = 2},
    {.in = {{2, {4, 33}}, {3, {2, 1, 9}}}, .low = -1, .high = 4, .integer = 2},
    {.in = {{2, {4, 3}}, {1, {7}}}, .error = "expected i32"},
    {.in = {{0}, {1, {7}}}, .integer = 2, .error = "expected x [rows,..]"},
    {.in = {{4, {1, 1, 1, 1}}, {4, {1, 1, 1, 1}}}, .integer = 2, .error = "at most rank 6"},
};

#define ROWS(n) .attr = &(const rv_scatter_attr){n}, .attr_size = sizeof(rv_scatter_attr)
static const rv_sample scatter_samples[] = {
    {.in = {{2, {7, 3}}, {1, {7}}},
     .low = -1,
     .high = 4,
     .integer = 2,
     ROWS(4),
     RV_GIVEN(RV_NUMBER(4))},
    {.in = {{2, {3, 2}}, {2, {3, 2}}}, .low = -1, .high = 5, .integer = 2, ROWS(5)},
    {.in = {{2, {2, 2}}, {0}}, .low = 1, .high = 2, .integer = 2, ROWS(3)},
    {.in = {{4, {2, 1, 9, 33}}, {3, {2, 1, 9}}}, .low = -1, .high = 4, .integer = 2, ROWS(4)},
    {.in = {{2, {7, 3}}, {1, {7}}}, .error = "an index of i32", ROWS(4)},
    {.in = {{2, {7, 3}}, {1, {6}}}, .integer = 2, .error = "the index's axes", ROWS(4)},
    {.in = {{2, {7, 3}}, {1, {7}}}, .integer = 2, .error = "0 rows, expected", ROWS(0)},
};

/* ---- descriptors, constructors ---- */

static rv_var call_gather(rv_arguments *a) { return rv_gather(a->x[0], a->x[1]); }

const rv_op rv_op_gather = {
    .name = "gather",
    .args = "x index",
    .formula = "y[i.., ..] = x[index[i..], ..]",
    .doc = "the rows an i32 index names; one outside 0 .. rows-1 gives zeros",
    .inputs = 2,
    .infer = infer_gather,
    .element = gather_element,
    .reference = gather_reference,
    .select = choose_gather,
    .gradient = gather_gradient,
    .linear = 1,
    .polynomial = true,
    .call = call_gather,
    RV_SAMPLES(gather_samples),
};

static const rv_option scatter_options[] = {{"rows", RV_OPTION_WHOLE, true, NAN, "of the result"}};

static rv_var call_scatter_add(rv_arguments *a)
{
    return rv_scatter_add(a->x[0], a->x[1], rv_option_positive(a, 0));
}

const rv_op rv_op_scatter_add = {
    .name = "scatter_add",
    .args = "y index",
    .formula = "x[r, ..] = sum of y[i.., ..] over the i.. with index[i..] = r",
    .doc = "the adjoint of gather: rows added where an i32 index says, in order",
    .inputs = 2,
    .infer = infer_scatter,
    .element = scatter_element,
    .reference = scatter_reference,
    .select = choose_scatter,
    .gradient = scatter_gradient,
    .linear = 1,
    .polynomial = true,
    .call = call_scatter_add,
    RV_OPTIONS(scatter_options),
    RV_SAMPLES(scatter_samples),
};

rv_var rv_gather(rv_var x, rv_var index)
{
    return rv_record(NULL, &rv_op_gather, NULL, 0, (rv_var[]){x, index}, 2);
}

rv_var rv_scatter_add(rv_var y, rv_var index, int64_t rows)
{
    return rv_record(NULL, &rv_op_scatter_add, &(rv_scatter_attr){rows}, sizeof(rv_scatter_attr),
                     (rv_var[]){y, index}, 2);
}

rv_var rv_embedding(rv_var tokens, const char *name, int64_t vocabulary, int64_t units)
{
    rv_init init = rv_init_normal(0, 1 / sqrt((double)units));
    rv_shape shape = RV_SHAPE(vocabulary, units);
    if (rv_is_null(tokens)) return tokens;
    return rv_gather(rv_parameter(tokens.tape, name, shape, init), tokens);
}
