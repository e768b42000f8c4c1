/* The ops that the tape itself needs: the leaves (input, parameter, constant), the assignment, and
 * the addition that sums cotangents. */
#include <string.h>

#include "autograd/element_internal.h"
#include "autograd/tape.h"
#include "autograd/tape_internal.h"
#include "tensor/machine_internal.h"
#include "tensor/memory.h"

/* The attributes of a leaf start with its type. All fields are int64_t, so there is no padding,
 * which must not be hashed. */
typedef struct leaf_type {
    int64_t dtype, rank, dim[RV_MAX_RANK];
} leaf_type;

static leaf_type leaf_type_of(rv_dtype dtype, rv_shape shape)
{
    leaf_type type = {.dtype = dtype, .rank = shape.rank};
    for (int64_t d = 0; d < RV_MAX_RANK; d++) type.dim[d] = d < shape.rank ? shape.dim[d] : 0;
    return type;
}

static bool infer_leaf(rv_inference *i)
{
    const leaf_type *type = i->attr;
    i->out.dtype = (rv_dtype)type->dtype;
    i->out.shape.rank = type->rank;
    memcpy(i->out.shape.dim, type->dim, sizeof type->dim);
    return true;
}

/* ---- inputs, parameters, states: attributes are a type and a name ---- */

static rv_var record_named(rv_tape *tape, const rv_op *op, const char *name, rv_dtype dtype,
                           rv_shape shape)
{
    size_t length = name ? strlen(name) + 1 : 1;
    struct {
        leaf_type type;
        char name[256];
    } attr = {.type = leaf_type_of(dtype, shape)};
    if (length == 1 || length > sizeof attr.name)
        return rv_tape_fail(tape, RV_ERROR_NAME, "%s: the name has %zu byte(s), expected 1 to %zu",
                            op->name, length - 1, sizeof attr.name - 1);
    memcpy(attr.name, name, length);
    int32_t before = tape->count;
    rv_var var = rv_record(tape, op, &attr, sizeof attr.type + length, NULL, 0);
    if (var.id == before) { /* a new node: its name points into its attributes */
        rv_node *node = &tape->nodes[var.id];
        node->name = (const char *)node->attr + sizeof attr.type;
    }
    return var;
}

rv_var rv_input_typed(rv_tape *tape, const char *name, rv_dtype dtype, rv_shape shape)
{
    if (!tape) return (rv_var){NULL, -1};
    int32_t index = name ? rv_tape_find_input(tape, name) : -1;
    if (index >= 0) {
        const rv_node *node = &tape->nodes[tape->inputs.id[index]];
        char old[RV_SHAPE_TEXT], new[RV_SHAPE_TEXT];
        if (rv_shape_equal(node->type.shape, shape) && node->type.dtype == dtype)
            return (rv_var){tape, tape->inputs.id[index]};
        return rv_tape_fail(
            tape, RV_ERROR_NAME,
            "input: \"%s\" is %s %s on this tape, now asked for as %s %s; use another name", name,
            rv_dtype_name(node->type.dtype), rv_shape_text(node->type.shape, old),
            rv_dtype_name(dtype), rv_shape_text(shape, new));
    }
    rv_var var = record_named(tape, &rv_op_input, name, dtype, shape);
    if (!rv_is_null(var) && !rv_tape_add_input(tape, var.id)) return (rv_var){tape, -1};
    return var;
}

rv_var rv_input(rv_tape *tape, const char *name, rv_shape shape)
{
    return rv_input_typed(tape, name, rv_tape_dtype(tape), shape);
}

static rv_var stored(rv_tape *tape, const char *name, rv_role role, rv_shape shape, rv_init init)
{
    if (!tape) return (rv_var){NULL, -1};
    rv_entry *entry = rv_store_get(tape->store, name, role, tape->dtype, shape, init, &tape->error);
    if (!entry) return (rv_var){tape, -1};
    rv_var var = record_named(tape, &rv_op_parameter, name, tape->dtype, shape);
    if (!rv_is_null(var)) tape->nodes[var.id].entry = entry;
    return var;
}

rv_var rv_parameter(rv_tape *tape, const char *name, rv_shape shape, rv_init init)
{
    return stored(tape, name, RV_PARAMETER, shape, init);
}

rv_var rv_state(rv_tape *tape, const char *name, rv_shape shape, rv_init init)
{
    return stored(tape, name, RV_STATE, shape, init);
}

const rv_op rv_op_input = {.name = "input",
                           .args = "",
                           .formula = "y = given before each run",
                           .doc = "a value fed to the program",
                           .kind = RV_OP_LEAF,
                           .infer = infer_leaf};
const rv_op rv_op_parameter = {.name = "parameter",
                               .args = "",
                               .formula = "y = store[name]",
                               .doc = "a tensor of the store",
                               .kind = RV_OP_LEAF,
                               .infer = infer_leaf};

/* ---- constants: attributes are a type and the elements, only one if all are equal ---- */

typedef struct constant_head {
    leaf_type type;
    int64_t uniform;
} constant_head;

rv_var rv_full(rv_tape *tape, rv_shape shape, double value)
{
    if (!tape) return (rv_var){NULL, -1};
    struct {
        constant_head head;
        _Alignas(8) unsigned char element[8];
    } attr = {.head = {leaf_type_of(tape->dtype, shape), true}};
    rv_tensor element = {tape->dtype, RV_SCALAR, attr.element};
    rv_tensor_set(&element, 0, value);
    return rv_record(tape, &rv_op_constant, &attr, sizeof attr, NULL, 0);
}

rv_var rv_scalar(rv_tape *tape, double value) { return rv_full(tape, RV_SCALAR, value); }

static bool all_equal(const rv_tensor *tensor)
{
    size_t size = rv_dtype_size(tensor->dtype);
    const unsigned char *bytes = tensor->data;
    return rv_tensor_bytes(tensor) == size ||
           !memcmp(bytes, bytes + size, rv_tensor_bytes(tensor) - size);
}

rv_var rv_constant(rv_tape *tape, const rv_tensor *tensor)
{
    if (!tape || !rv_tensor_check(tensor, &tape->error)) return (rv_var){tape, -1};
    bool uniform = all_equal(tensor);
    size_t size = uniform ? 8 : rv_tensor_bytes(tensor);
    constant_head *attr = rv_alloc(1, sizeof *attr + size);
    if (!attr) {
        rv_fail_memory(&tape->error);
        return (rv_var){tape, -1};
    }
    *attr = (constant_head){leaf_type_of(tensor->dtype, tensor->shape), uniform};
    memcpy(attr + 1, tensor->data, uniform ? rv_dtype_size(tensor->dtype) : size);
    rv_var var = rv_record(tape, &rv_op_constant, attr, sizeof *attr + size, NULL, 0);
    rv_free(attr);
    return var;
}

const void *rv_constant_data(const rv_node *node, bool *uniform)
{
    if (!node || node->op != &rv_op_constant) return NULL;
    const constant_head *head = node->attr;
    if (uniform) *uniform = head->uniform;
    return head + 1;
}

bool rv_is_uniform(rv_var x, double *value)
{
    bool uniform;
    const void *data = rv_is_null(x) ? NULL : rv_constant_data(&x.tape->nodes[x.id], &uniform);
    if (!data || !uniform) return false;
    rv_tensor element = {rv_dtype_of(x), RV_SCALAR, (void *)(uintptr_t)data};
    if (value) *value = rv_tensor_get(&element, 0);
    return true;
}

const rv_op rv_op_constant = {.name = "constant",
                              .args = "",
                              .formula = "y = the same in every run",
                              .doc = "a fixed tensor",
                              .kind = RV_OP_LEAF,
                              .infer = infer_leaf};

/* ---- assignment ---- */

static bool infer_assign(rv_inference *i)
{
    i->out = i->in[0];
    if (i->in[0].dtype == i->in[1].dtype && rv_shape_equal(i->in[0].shape, i->in[1].shape))
        return true;
    return rv_fail(
        i->error, RV_ERROR_SHAPE,
        "the value's dtype and shape differ from the target's; cast or reshape the value");
}

const rv_op rv_op_assign = {.name = "assign",
                            .args = "target value",
                            .formula = "target := value",
                            .doc = "gives a parameter or state its next value",
                            .kind = RV_OP_EFFECT,
                            .inputs = 2,
                            .infer = infer_assign};

void rv_assign(rv_var target, rv_var value)
{
    rv_tape *tape = target.tape ? target.tape : value.tape;
    if (!tape) return;
    rv_entry *entry = rv_is_null(target) ? NULL : tape->nodes[target.id].entry;
    if (!rv_is_null(target) && !entry) {
        rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                     "assign: the target is a %s; assign to a parameter or a state",
                     tape->nodes[target.id].op->name);
        return;
    }
    if (entry && tape->nodes[target.id].assignment) {
        if (tape->nodes[tape->nodes[target.id].assignment - 1].in[1] != value.id)
            rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                         "assign: \"%s\" is assigned two different values; assign it once",
                         entry->name);
        return;
    }
    rv_var effect = rv_record(tape, &rv_op_assign, NULL, 0, (rv_var[]){target, value}, 2);
    if (rv_is_null(effect)) return;
    tape->nodes[effect.id].entry = entry;
    rv_tape_add_assignment(tape, effect.id);
}

/* ---- add: y = x[0] + x[1] + ..., left to right ---- */

static void add_reference(const rv_call *c)
{
    rv_tensor out = rv_call_out(c);
    for (int64_t i = 0; i < rv_tensor_count(&out); i++) {
        double sum = 0;
        for (int k = 0; k < c->inputs; k++) {
            rv_tensor in = rv_call_in(c, k);
            sum += rv_tensor_get(&in, i);
        }
        rv_tensor_set(&out, i, sum);
    }
}

/* Sums the inputs block by block; a block is one vector. Two inputs, the usual case, have loops of
 * their own: two tensors, and a tensor and a single element such as a bias, which is a sum from
 * zero like that of any number of inputs. */
#define ADD_KERNEL(type, name, target) \
    target static void name(int64_t blocks, void *to, const void *const *in, int inputs, \
                            unsigned scalar) \
    { \
        typedef type block __attribute__((vector_size(RV_ALIGNMENT), may_alias)); \
        block *out = to; \
        if (inputs == 2 && !scalar) { \
            const block *x = in[0], *y = in[1]; \
            for (int64_t b = 0; b < blocks; b++) out[b] = x[b] + y[b]; \
            return; \
        } \
        if (inputs == 2 && scalar < 3) { \
            const int one = scalar == 2; \
            const type number = *(const type *)in[one]; \
            const block *x = in[!one], zero = {0}; \
            for (int64_t b = 0; b < blocks; b++) out[b] = zero + x[b] + number; \
            return; \
        } \
        for (int64_t b = 0; b < blocks; b++) { \
            block sum = {0}; \
            for (int k = 0; k < inputs; k++) { \
                const bool one = k < 32 && scalar >> k & 1; \
                if (one) \
                    sum += *(const type *)in[k]; \
                else \
                    sum += ((const block *)in[k])[b]; \
            } \
            out[b] = sum; \
        } \
    }
#define ADD_KERNELS(level, target) \
    ADD_KERNEL(float, add_f32_##level, target) \
    ADD_KERNEL(double, add_f64_##level, target) \
    ADD_KERNEL(int32_t, add_i32_##level, target) \
    static rv_pointwise_kernel add_##level(rv_dtype dtype) \
    { \
        return dtype == RV_F32   ? add_f32_##level \
               : dtype == RV_F64 ? add_f64_##level \
                                 : add_i32_##level; \
    }

/* add is compiled for each vector width, like the other pointwise ops. A wide load that follows
 * narrow stores to the same memory stalls, so all ops of a fused group must use the same width. */
ADD_KERNELS(base, )
#if defined(__x86_64__)
ADD_KERNELS(v3, __attribute__((target("avx2"))))
ADD_KERNELS(v4, __attribute__((target("avx512f"))))
#endif

static rv_pointwise_kernel add_kernel(rv_dtype dtype)
{
#if defined(__x86_64__)
    if (rv_has_avx512f()) return add_v4(dtype);
    if (rv_has_avx2()) return add_v3(dtype);
#endif
    return add_base(dtype);
}

static rv_var add_gradient(const rv_backward *b, int k)
{
    (void)k;
    return b->dy;
}

static const rv_sample add_samples[] = {
    {.in = {{1, {7}}, {1, {7}}}, .inputs = 2, .low = -2, .high = 2},
    {.in = {{2, {3, 5}}, {2, {3, 5}}, {2, {3, 5}}}, .inputs = 3, .low = -2, .high = 2},
    {.in = {{2, {3, 5}}}, .inputs = 1, .low = -2, .high = 2},
    {.in = {{1, {3}}, {1, {4}}}, .inputs = 2, .error = "shapes do not broadcast"},
};

static rv_var call_add(rv_arguments *a)
{
    return rv_record(NULL, &rv_op_add, NULL, 0, a->x, a->inputs);
}

static rv_term add_element(rv_element *e)
{
    rv_term sum = rv_term_input(e, 0, e->at);
    for (int k = 1; k < e->inputs; k++) sum = rv_term_plus(e, sum, rv_term_input(e, k, e->at));
    return sum;
}

const rv_op rv_op_add = {
    .name = "add",
    .args = "x ...",
    .formula = "y = x0 + x1 + ...",
    .doc = "sum of tensors of one shape, left to right",
    .inputs = -1,
    .infer = rv_infer_same,
    .element = add_element,
    .reference = add_reference,
    .pointwise = add_kernel,
    .gradient = add_gradient,
    .linear_jointly = true,
    .commutative = true,
    .polynomial = true,
    .zero_is_unit = 3,
    .in_place = 1,
    .call = call_add,
    RV_SAMPLES(add_samples),
};

rv_var rv_add_all(const rv_var *x, int count)
{
    return x && count == 1 ? x[0] : rv_record(NULL, &rv_op_add, NULL, 0, x, count);
}
