/* Recording an equation takes four steps. check_inputs() checks the op and its inputs. infer_type()
 * calls the op's shape rule. find_or_append() hashes the equation and looks it up. If the tape has
 * no such node, append() adds one. */
#include "autograd/tape.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "autograd/tape_internal.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"
#include "tensor/store_entries_internal.h"
#include "tensor/text_internal.h"

struct rv_block {
    rv_block *next;
    size_t used, size;
    _Alignas(16) unsigned char bytes[];
};

static const rv_error no_tape = {
    .code = RV_ERROR_MEMORY,
    .text = "tape: there is none; rv_tape_new or rv_store_new returned NULL: out of memory"};

rv_tape *rv_tape_new(rv_store *store, rv_dtype dtype)
{
    rv_tape *tape = store ? rv_alloc(1, sizeof *tape) : NULL;
    if (!tape) return NULL;
    tape->store = store;
    tape->dtype = dtype;
    tape->key = rv_store_key(store) | 1;
    tape->input_names.key = rv_store_key(store);
    tape->origin[0] = &rv_origin_top;
    if (dtype != RV_F32 && dtype != RV_F64)
        rv_fail(&tape->error, RV_ERROR_DTYPE,
                "tape: dtype %s cannot be differentiated; use f32 or f64", rv_dtype_name(dtype));
    return tape;
}

void rv_tape_free(rv_tape *tape)
{
    if (!tape) return;
    for (rv_block *block = tape->blocks, *next; block; block = next) {
        next = block->next;
        rv_free(block);
    }
    rv_free(tape->nodes);
    rv_free(tape->table);
    rv_free(tape->inputs.id);
    rv_name_table_free(&tape->input_names);
    rv_free(tape->effects.id);
    rv_free(tape->bounds.id);
    rv_free(tape);
}

rv_store *rv_tape_store(const rv_tape *tape) { return tape ? tape->store : NULL; }
rv_dtype rv_tape_dtype(const rv_tape *tape) { return tape ? tape->dtype : RV_F32; }
const rv_error *rv_tape_error(const rv_tape *tape) { return tape ? &tape->error : &no_tape; }
int32_t rv_tape_count(const rv_tape *tape) { return tape ? tape->count : 0; }
const rv_node *rv_tape_node(const rv_tape *tape, int32_t id)
{
    if (!tape || id < 0 || id >= tape->count) return NULL;
    return &tape->nodes[id];
}

rv_var rv_tape_fail(rv_tape *tape, rv_code code, const char *format, ...)
{
    if (tape && !tape->error.code) {
        char text[RV_ERROR_TEXT] = "";
        va_list arguments;
        va_start(arguments, format);
        rv_format(text, sizeof text, format, arguments);
        va_end(arguments);
        rv_fail(&tape->error, code, "%-s", text);
    }
    return (rv_var){tape, -1};
}

bool rv_tape_take_error(rv_tape *tape, rv_error *error)
{
    if (!tape || !tape->error.code) return false;
    if (error) *error = tape->error;
    tape->error = (rv_error){0};
    return true;
}

/* ---- memory ---- */

void *rv_tape_alloc(rv_tape *tape, size_t size)
{
    enum { FIRST = 1 << 12, LARGEST = 1 << 17 };
    size_t rounded = (size + 15) & ~(size_t)15;
    if (rounded < size) rounded = SIZE_MAX / 2;
    if (!tape->blocks || tape->blocks->size - tape->blocks->used < rounded) {
        size_t room = tape->blocks ? 2 * tape->blocks->size : FIRST;
        if (room > LARGEST) room = LARGEST;
        if (room < rounded) room = rounded;
        rv_block *block = rv_alloc(1, sizeof *block + room);
        if (!block) {
            rv_fail_memory(&tape->error);
            return NULL;
        }
        *block = (rv_block){.next = tape->blocks, .size = room};
        tape->blocks = block;
    }
    void *memory = tape->blocks->bytes + tape->blocks->used;
    tape->blocks->used += rounded;
    return memory;
}

const char *rv_tape_string(rv_tape *tape, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = rv_tape_alloc(tape, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

/* ---- hash-consing (invariant 5) ---- */

rv_hash rv_hash_bytes(const void *bytes, size_t size, uint64_t seed)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(bytes, size, seed);
    return (rv_hash){hash.low64, hash.high64};
}

rv_hash rv_hash_pair(rv_hash a, rv_hash b)
{
    uint64_t words[4] = {a.low, a.high, b.low, b.high};
    return rv_hash_bytes(words, sizeof words, 0);
}

static bool hash_less(rv_hash a, rv_hash b)
{
    return a.high < b.high || (a.high == b.high && a.low < b.low);
}

static bool hash_equal(rv_hash a, rv_hash b) { return a.low == b.low && a.high == b.high; }

/* The right-hand side of an equation. */
typedef struct equation {
    const rv_op *op;
    const void *attr;
    size_t attr_size;
    const rv_var *in;
    int inputs;
} equation;

/* The hash of a binary commutative op does not depend on the order of its operands, since a swap
 * does not change a bit of the result. Reordering three or more operands would. */
static rv_hash hash_of(const rv_tape *tape, const equation *e)
{
    enum { TOGETHER = 7 }; /* inputs that are hashed at once, behind what came before them */
    /* by the descriptor's address, because two ops may have the same name */
    const uint64_t op = (uintptr_t)e->op;
    rv_hash all[1 + TOGETHER];
    all[0] = e->attr_size ? rv_hash_bytes(e->attr, e->attr_size, op) : (rv_hash){op, 0};
    int k = 0;
    do {
        int count = 1;
        while (count <= TOGETHER && k < e->inputs) all[count++] = tape->nodes[e->in[k++].id].hash;
        if (e->op->commutative && e->inputs == 2 && hash_less(all[2], all[1])) {
            const rv_hash swap = all[1];
            all[1] = all[2];
            all[2] = swap;
        }
        all[0] = rv_hash_bytes(all, (size_t)count * sizeof *all, 0);
    } while (k < e->inputs);
    return all[0];
}

static uint32_t tag_of(rv_hash hash) { return (uint32_t)(hash.low >> 32); }

/* The slot of the node with this hash, or the empty slot for it. The search starts at the upper
 * bits of a product with a random odd number (multiply-shift, Dietzfelbinger et al. 1997): a text
 * cannot choose constants whose nodes collide. */
static rv_slot *find_slot(const rv_tape *tape, rv_hash hash)
{
    size_t i = (size_t)(hash.low * tape->key >> __builtin_clzll(tape->table_size - 1));
    for (rv_slot *slot; (slot = &tape->table[i])->id; i = (i + 1) & (tape->table_size - 1))
        if (slot->tag == tag_of(hash) && hash_equal(tape->nodes[slot->id - 1].hash, hash)) break;
    return &tape->table[i];
}

/* Makes a table for `count` nodes, which fill at most half of it. */
static bool reserve_table(rv_tape *tape, size_t count)
{
    if (count * 2 <= tape->table_size) return true;
    size_t size = 2;
    while (size < count * 2) size *= 2;
    rv_slot *table = rv_alloc(size, sizeof *table);
    if (!table) return false;
    rv_free(tape->table);
    tape->table = table;
    tape->table_size = size;
    for (int32_t id = 0; id < tape->count; id++)
        if (tape->nodes[id].op->kind != RV_OP_EFFECT)
            *find_slot(tape, tape->nodes[id].hash) =
                (rv_slot){id + 1, tag_of(tape->nodes[id].hash)};
    return true;
}

bool rv_tape_reserve(rv_tape *tape, int32_t count)
{
    size_t need = 2 * tape->node_capacity;
    if ((size_t)count <= tape->node_capacity && (size_t)count * 2 <= tape->table_size) return true;
    if (need < (size_t)count) need = (size_t)count;
    return (reserve_table(tape, need) &&
            rv_reserve(&tape->nodes, &tape->node_capacity, need, sizeof *tape->nodes)) ||
           rv_fail_memory(&tape->error);
}

/* ---- inputs, segments and assignments ---- */

static bool add_to(rv_tape *tape, rv_id_list *list, int32_t id)
{
    if (!rv_reserve(&list->id, &list->capacity, list->count + 1, sizeof *list->id))
        return rv_fail_memory(&tape->error);
    list->id[list->count++] = id;
    return true;
}

int32_t rv_tape_find_input(const rv_tape *tape, const char *name)
{
    const size_t index = rv_name_table_find(&tape->input_names, name);
    return index == SIZE_MAX ? -1 : (int32_t)index;
}

bool rv_tape_add_input(rv_tape *tape, int32_t id)
{
    if (!rv_name_table_reserve(&tape->input_names, tape->inputs.count + 1))
        return rv_fail_memory(&tape->error);
    if (!add_to(tape, &tape->inputs, id)) return false;
    rv_name_table_add(&tape->input_names, tape->nodes[id].name, tape->inputs.count - 1);
    return true;
}

bool rv_tape_add_bound(rv_tape *tape, int32_t id) { return add_to(tape, &tape->bounds, id); }

bool rv_tape_add_assignment(rv_tape *tape, int32_t id)
{
    tape->nodes[tape->nodes[id].in[0]].assignment = id + 1;
    return add_to(tape, &tape->effects, id);
}

/* ---- error messages ---- */

const char *rv_tape_describe(const rv_tape *tape, int32_t id, char described[RV_NODE_TEXT])
{
    const rv_node *node = &tape->nodes[id];
    char shape[RV_SHAPE_TEXT];
    rv_text t = {described, described + RV_NODE_TEXT};
    if (node->entry || node->name)
        rv_put(&t, "\"%.100s\" ", node->entry ? node->entry->name : node->name);
    else
        rv_put(&t, "%.60s#%d ", node->op->name, (int)id);
    if (node->type.dtype != tape->dtype) rv_put(&t, "%s ", rv_dtype_name(node->type.dtype));
    rv_put(&t, "%s", rv_shape_text(node->type.shape, shape));
    return described;
}

static void put_inputs(rv_text *t, const rv_tape *tape, const char *args, const rv_var *in,
                       int inputs)
{
    char described[RV_NODE_TEXT], origin[RV_ORIGIN_TEXT];
    for (int k = 0; k < inputs && t->end - t->at > RV_SHAPE_TEXT; k++) {
        int width = (int)strcspn(args, " ");
        rv_put(t, k ? ", " : "");
        if (width && strncmp(args, "...", 3) != 0) rv_put(t, "%.*s ", width, args);
        rv_put(t, "%s", rv_tape_describe(tape, in[k].id, described));
        args += args[width] ? width + 1 : width;
    }
    if (tape->depth)
        rv_put(t, "%sin %s", inputs ? ", " : "", rv_origin_text(tape->origin[tape->depth], origin));
}

/* Puts the error of a shape rule on the tape: "op: seen, expected (the inputs); what to do". */
static rv_var refuse(rv_tape *tape, const rv_op *op, const rv_var *in, int inputs,
                     const rv_error *why)
{
    char buffer[RV_ERROR_TEXT];
    rv_text t = {buffer, buffer + sizeof buffer};
    const char *reason =
        why->code ? why->text : "refuses its inputs; its shape rule does not say why";
    int seen = (int)strcspn(reason, ";");
    rv_put(&t, "%s: %-.*s", op->name, seen, reason);
    if (inputs || tape->depth) {
        rv_put(&t, " (");
        put_inputs(&t, tape, op->args, in, inputs);
        rv_put(&t, ")");
    }
    rv_put(&t, "%-s", reason + seen);
    return rv_tape_fail(tape, why->code ? why->code : RV_ERROR_ARGUMENT, "%-s", buffer);
}

/* ---- recording ---- */

static bool check_inputs(rv_tape *tape, const rv_op *op, const rv_var *in, int inputs)
{
    const char *missing =
        !op                                                                          ? "descriptor"
        : !op->name                                                                  ? "name"
        : !op->args                                                                  ? "args"
        : !op->formula                                                               ? "formula"
        : !op->infer                                                                 ? "infer"
        : op->kind == RV_OP_VALUE && !op->reference && !op->select && !op->pointwise ? "kernel"
                                                                                     : NULL;
    if (missing)
        return rv_fail(&tape->error, RV_ERROR_ARGUMENT, "record: an op (\"%s\") has no %s; set it",
                       op && op->name ? op->name : "", missing);
    if (inputs < (op->inputs < 0 ? 1 : op->inputs) || (op->inputs >= 0 && inputs > op->inputs))
        return rv_fail(&tape->error, RV_ERROR_ARGUMENT, "%s: %d input(s), expected %s (%s)",
                       op->name, inputs, op->inputs < 0 ? "at least 1" : op->args, op->formula);
    for (int k = 0; k < inputs; k++) {
        if (in[k].tape != tape && in[k].tape)
            return rv_fail(&tape->error, RV_ERROR_ARGUMENT,
                           "%s: input %d is on another tape; record it on this one", op->name, k);
        if (!in[k].tape || in[k].id < 0 || in[k].id >= tape->count) {
            /* If the op that returned it failed on this tape, the error is already here. */
            if (!tape->error.code)
                rv_fail(&tape->error, RV_ERROR_ARGUMENT,
                        "%s: input %d is a null var; check what made it", op->name, k);
            return false;
        }
    }
    return true;
}

static bool infer_type(rv_tape *tape, const equation *e, rv_type *type)
{
    const rv_op *op = e->op;
    rv_type few[8], *types = few;
    if (e->inputs > 8 && !(types = rv_alloc((size_t)e->inputs, sizeof *types)))
        return rv_fail_memory(&tape->error);
    for (int k = 0; k < e->inputs; k++) types[k] = tape->nodes[e->in[k].id].type;

    rv_error why; /* its text is left uninitialized: clearing it for every node is slow */
    why.code = RV_OK;
    rv_inference inference = {.attr = e->attr, .in = types, .inputs = e->inputs, .error = &why};
    bool ok = op->infer(&inference) && rv_dtype_check(inference.out.dtype, &why) &&
              rv_shape_check(inference.out.shape, rv_dtype_size(inference.out.dtype), NULL, &why);
    if (ok && op->pointwise && !op->pointwise(inference.out.dtype))
        ok = rv_fail(&why, RV_ERROR_DTYPE, "has no kernel for %s; cast the operands",
                     rv_dtype_name(inference.out.dtype));
    *type = inference.out;
    if (types != few) rv_free(types);
    if (!ok) refuse(tape, op, e->in, e->inputs, &why);
    return ok;
}

/* Appends a node to the tape, which has room for it. Attributes and inputs are copied, one behind
 * the other. */
static rv_var append(rv_tape *tape, const equation *e, const rv_type *type, rv_hash hash)
{
    const size_t ids = (e->attr_size + sizeof(int32_t) - 1) / sizeof(int32_t);
    int32_t *attr = rv_tape_alloc(tape, (ids + (size_t)e->inputs) * sizeof *attr);
    if (!attr) return (rv_var){tape, -1};
    int32_t *in = attr + ids;
    if (e->attr_size) memcpy(attr, e->attr, e->attr_size);
    for (int k = 0; k < e->inputs; k++) in[k] = e->in[k].id;
    rv_node *node = &tape->nodes[tape->count]; /* zero, as all new ones */
    node->op = e->op;
    node->type = *type;
    node->in = in;
    node->inputs = e->inputs;
    node->attr = attr;
    node->attr_size = e->attr_size;
    node->origin = tape->origin[tape->depth];
    node->hash = hash;
    return (rv_var){tape, tape->count++};
}

/* Returns the node of the same equation, or appends a new one. Assignments are always new. */
static rv_var find_or_append(rv_tape *tape, const equation *e, const rv_type *type)
{
    enum { FIRST = 256 }; /* nodes of a training step of a small net */
    if (tape->count == INT32_MAX)
        return rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                            "tape: more than %d node(s); record fewer time steps", INT32_MAX);
    if (!rv_tape_reserve(tape, tape->node_capacity ? tape->count + 1 : FIRST))
        return (rv_var){tape, -1};
    const rv_hash hash = hash_of(tape, e);
    if (e->op->kind == RV_OP_EFFECT) return append(tape, e, type, hash);
    rv_slot *slot = find_slot(tape, hash);
    if (slot->id) return (rv_var){tape, slot->id - 1};
    const rv_var var = append(tape, e, type, hash);
    if (var.id >= 0) *slot = (rv_slot){var.id + 1, tag_of(hash)};
    return var;
}

rv_var rv_record(rv_tape *tape, const rv_op *op, const void *attr, size_t attr_size,
                 const rv_var *in, int inputs)
{
    for (int k = 0; in && k < inputs && !tape; k++) tape = in[k].tape;
    rv_var null = {tape, -1};
    if (!tape || !RV_NEEDS_ARRAY(&tape->error, in, inputs) ||
        (attr_size && !RV_NEEDS(&tape->error, attr)) || !check_inputs(tape, op, in, inputs))
        return null;
    const equation e = {op, attr, attr_size, in, inputs};
    rv_type type;
    return infer_type(tape, &e, &type) ? find_or_append(tape, &e, &type) : null;
}

rv_var rv_tape_copy(rv_tape *to, const rv_node *node, const rv_var *in)
{
    const equation e = {node->op, node->attr, node->attr_size, in, node->inputs};
    return to->error.code ? (rv_var){to, -1} : find_or_append(to, &e, &node->type);
}

/* ---- names and types ---- */

rv_var rv_name(rv_var x, const char *name)
{
    if (!name) return x;
    if (!rv_is_null(x) && !x.tape->nodes[x.id].name)
        x.tape->nodes[x.id].name = rv_tape_string(x.tape, name);
    return x;
}

bool rv_is_null(rv_var x) { return !x.tape || x.id < 0 || x.id >= x.tape->count; }

rv_shape rv_shape_of(rv_var x)
{
    return rv_is_null(x) ? (rv_shape){0} : x.tape->nodes[x.id].type.shape;
}

rv_dtype rv_dtype_of(rv_var x)
{
    return rv_is_null(x) ? rv_tape_dtype(x.tape) : x.tape->nodes[x.id].type.dtype;
}
