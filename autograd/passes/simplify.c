/* Simplify: folds constants, zeros and identities. The rules use the algebra that op descriptors
 * declare (linear, zero_is_unit, one_is_unit, ...). 0 x = 0 is taken to hold for every x, infinity
 * and NaN included. */
#include <string.h>

#include "autograd/passes/passes.h"
#include "autograd/tape_internal.h"
#include "tensor/memory.h"

/* Elements of a folded constant; larger ones are computed at run time. */
enum { FOLD_LIMIT = 1 << 16 };

static bool is_value(rv_var x, double value)
{
    double seen;
    return rv_is_uniform(x, &seen) && seen == value;
}

static bool is_constant(rv_var x) { return x.tape->nodes[x.id].op == &rv_op_constant; }

/* A linear op of zero is zero. */
static bool is_zero(const rv_node *node, const rv_var *in)
{
    bool all = node->op->linear_jointly;
    for (int k = 0; k < node->inputs; k++) {
        bool zero = is_value(in[k], 0);
        if (zero && k < 32 && node->op->linear >> k & 1) return true;
        all = all && zero;
    }
    return all;
}

/* x + 0, x - 0, 1 x, x / 1: the other operand, if it has the result's type. */
static rv_var other_operand(const rv_node *node, const rv_var *in)
{
    for (int k = 0; k < 2 && node->inputs == 2; k++)
        if (((node->op->zero_is_unit >> k & 1 && is_value(in[k], 0)) ||
             (node->op->one_is_unit >> k & 1 && is_value(in[k], 1))) &&
            rv_dtype_of(in[1 - k]) == node->type.dtype &&
            rv_shape_equal(rv_shape_of(in[1 - k]), node->type.shape))
            return in[1 - k];
    return (rv_var){NULL, -1};
}

/* A sum of several terms without its zeros. */
static rv_var without_zeros(rv_tape *to, const rv_node *node, const rv_var *in)
{
    rv_var null = {to, -1};
    if (node->op != &rv_op_add || node->inputs == 2) return null;
    rv_var *kept = rv_alloc((size_t)node->inputs, sizeof *kept);
    if (!kept) {
        rv_fail_memory(&to->error);
        return null;
    }
    int count = 0;
    for (int k = 0; k < node->inputs; k++)
        if (!is_value(in[k], 0)) kept[count++] = in[k];
    rv_var sum = count && count < node->inputs ? rv_add_all(kept, count) : null;
    rv_free(kept);
    return sum;
}

/* Copies a constant into a new tensor of `type`; a uniform one is repeated. */
static bool materialize(const rv_node *node, rv_type type, rv_tensor *tensor, rv_error *error)
{
    bool uniform;
    const unsigned char *data = rv_constant_data(node, &uniform);
    if (!rv_tensor_new(tensor, type.dtype, type.shape, error)) return false;
    size_t size = rv_dtype_size(type.dtype), bytes = rv_tensor_bytes(tensor);
    for (size_t at = 0; uniform && at < bytes; at += size)
        memcpy((char *)tensor->data + at, data, size);
    if (!uniform) memcpy(tensor->data, data, bytes);
    return true;
}

/* Runs the op on constant inputs. A pointwise op on uniform operands runs on one element. */
static rv_var fold(rv_tape *to, const rv_node *node, const rv_var *in)
{
    enum { MOST = 4 };
    rv_var null = {to, -1}, result = null;
    if (node->op->kind == RV_OP_LEAF || node->op->kind == RV_OP_EFFECT || node->inputs > MOST)
        return null;
    bool uniform = node->op->pointwise || node->op->rearranges;
    int64_t largest = rv_shape_count(node->type.shape);
    for (int k = 0; k < node->inputs; k++) {
        if (!is_constant(in[k])) return null;
        uniform = uniform && rv_is_uniform(in[k], NULL);
        int64_t count = rv_shape_count(rv_shape_of(in[k]));
        if (count > largest) largest = count;
    }
    double value;
    if (uniform && node->op->rearranges && node->inputs == 1 && node->type.dtype == to->dtype &&
        rv_is_uniform(in[0], &value))
        return rv_full(to, node->type.shape, value);
    uniform = uniform && node->op->pointwise && node->type.dtype == to->dtype;
    if (!uniform && largest > FOLD_LIMIT) return null;

    rv_error *error = &to->error;
    rv_type in_type[MOST], out_type = {node->type.dtype, uniform ? RV_SCALAR : node->type.shape};
    rv_tensor operand[MOST] = {{0}}, out = {0};
    const void *data[MOST];
    bool ok = rv_tensor_new(&out, out_type.dtype, out_type.shape, error);
    for (int k = 0; ok && k < node->inputs; k++) {
        in_type[k] = (rv_type){rv_dtype_of(in[k]), uniform ? RV_SCALAR : rv_shape_of(in[k])};
        ok = materialize(&to->nodes[in[k].id], in_type[k], &operand[k], error);
        data[k] = operand[k].data;
    }
    rv_call call = {0};
    if (ok &&
        rv_call_prepare(&call, node->op, node->attr, in_type, node->inputs, out_type, 0, error)) {
        rv_call_bind(&call, out.data, data);
        call.scratch = call.scratch_size ? rv_alloc(1, call.scratch_size) : NULL;
        if (call.scratch_size && !call.scratch) {
            rv_fail_memory(error);
        } else {
            call.run(&call);
            result = uniform ? rv_full(to, node->type.shape, rv_tensor_get(&out, 0))
                             : rv_constant(to, &out);
        }
        rv_free(call.scratch);
        rv_free((void *)(uintptr_t)call.plan);
    }
    for (int k = 0; k < node->inputs; k++) rv_tensor_free(&operand[k]);
    rv_tensor_free(&out);
    return result;
}

rv_var rv_pass_simplify(void *none, rv_tape *to, int32_t id, const rv_node *node, const rv_var *in)
{
    (void)none;
    (void)id;
    if (node->inputs == 0 || node->op->kind == RV_OP_EFFECT) return (rv_var){to, -1};
    if (node->type.dtype == to->dtype && is_zero(node, in)) return rv_full(to, node->type.shape, 0);
    rv_var simpler = other_operand(node, in);
    if (simpler.id < 0) simpler = without_zeros(to, node, in);
    if (simpler.id < 0 && node->op->simplify) simpler = node->op->simplify(node->attr, in);
    if (simpler.id < 0 && !to->error.code) simpler = fold(to, node, in);
    return simpler;
}
