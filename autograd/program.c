/* Compilation, pass by pass, and the loop that runs the result. */
#include "autograd/program.h"

#include <math.h>
#include <string.h>

#include "autograd/passes/passes.h"
#include "autograd/program_cache.h"
#include "autograd/tape_internal.h"
#include "tensor/memory.h"

struct rv_program {
    rv_call *calls;
    int64_t count;
    const void **operands; /* the calls' input pointers, one after the other */
    rv_type *operand_types;
    unsigned char *arena;
    rv_tensor *outputs;
    int output_count;
    rv_tensor *inputs; /* in the order of tape->inputs */
    rv_tape *tape;     /* the rewritten tape: names, shapes and attributes of the calls */
    size_t live_bytes, arena_bytes;
    rv_hash hash;
    int references; /* the users' and the cache's */
};

/* ---- choosing kernels ---- */

static rv_kernel use_reference(const rv_op *op, unsigned flags)
{
    return flags & RV_REFERENCE || !op->select ? op->reference : NULL;
}

bool rv_call_prepare(rv_call *call, const rv_op *op, const void *attr, const rv_type *in,
                     int inputs, rv_type out, unsigned flags, rv_error *error)
{
    *call = (rv_call){.attr = attr, .in_type = in, .inputs = inputs, .out_type = out};
    call->run = use_reference(op, flags);
    if (!call->run && op->select) call->run = op->select(call);
    if (call->run) return true;
    if (op->select) return rv_fail_memory(error);
    return rv_fail(error, RV_ERROR_ARGUMENT, "%s: has no kernel; give its descriptor a reference",
                   op->name);
}

static void copy_bytes(const rv_call *c)
{
    rv_tensor out = rv_call_out(c);
    memcpy(c->out, c->in[0], rv_tensor_bytes(&out));
}

/* ---- assembling ---- */

typedef struct assembly {
    rv_program *program;
    const bool *live;
    unsigned flags;
    rv_plan plan;
    rv_call *call_of; /* [nodes] prepared calls, moved into the program one by one */
    size_t operand;   /* next free operand */
} assembly;

static bool runs(const rv_node *node, unsigned flags)
{
    return node->op->kind == RV_OP_VALUE || (node->op->kind == RV_OP_VIEW && flags & RV_REFERENCE);
}

static void *address(const assembly *a, int32_t id)
{
    const rv_place *place = &a->plan.place[id];
    return place->kind == RV_PLACE_STORE ? place->entry->tensor.data
                                         : a->program->arena + place->offset;
}

static rv_tensor tensor_at(const assembly *a, int32_t id)
{
    const rv_type *type = &a->program->tape->nodes[id].type;
    return (rv_tensor){type->dtype, type->shape, address(a, id)};
}

/* Kernels first: the plan must know how much scratch they take. */
static bool prepare_calls(assembly *a, size_t *scratch_size, size_t *operands)
{
    rv_tape *tape = a->program->tape;
    for (int32_t id = 0; id < tape->count; id++) {
        const rv_node *node = &tape->nodes[id];
        if (!a->live[id] || !runs(node, a->flags)) continue;
        rv_type *types = a->program->operand_types + *operands;
        for (int k = 0; k < node->inputs; k++) types[k] = tape->nodes[node->in[k]].type;
        *operands += (size_t)node->inputs;
        if (!rv_call_prepare(&a->call_of[id], node->op, node->attr, types, node->inputs, node->type,
                             a->flags, &tape->error))
            return false;
        scratch_size[id] = a->call_of[id].scratch_size;
    }
    return true;
}

static void emit(assembly *a, rv_call call, const void *const *in)
{
    const void **operands = a->program->operands + a->operand;
    memcpy(operands, in, (size_t)call.inputs * sizeof *in);
    call.in = operands;
    a->operand += (size_t)call.inputs;
    a->program->calls[a->program->count++] = call;
}

static void emit_copy(assembly *a, void *to, const void *from, const rv_type *type)
{
    if (to == from) return;
    rv_call copy = {.run = copy_bytes, .out = to, .in_type = type, .out_type = *type, .inputs = 1};
    emit(a, copy, &from);
}

static void emit_values(assembly *a)
{
    rv_tape *tape = a->program->tape;
    for (int32_t id = 0; id < tape->count; id++) {
        const rv_node *node = &tape->nodes[id];
        if (!a->live[id] || !runs(node, a->flags) || a->plan.place[id].single) continue;
        rv_call call = a->call_of[id];
        a->call_of[id].plan = NULL;
        call.out = address(a, id);
        call.scratch = call.scratch_size ? a->program->arena + a->plan.scratch[id] : NULL;
        const void **operands = a->program->operands + a->operand;
        for (int k = 0; k < node->inputs; k++) {
            operands[k] = address(a, node->in[k]);
            if (a->plan.place[node->in[k]].single) call.scalar |= 1u << k;
        }
        call.in = operands;
        a->operand += (size_t)node->inputs;
        a->program->calls[a->program->count++] = call;
    }
}

static void emit_assignments(assembly *a)
{
    rv_tape *tape = a->program->tape;
    for (int pass = 0; pass < 2; pass++) /* all snapshots before the first overwriting */
        for (size_t i = 0; i < tape->effects.count; i++) {
            int32_t id = tape->effects.id[i];
            if (!a->live[id]) continue;
            const rv_node *node = &tape->nodes[id];
            size_t snapshot = a->plan.snapshot[id];
            void *safe = a->program->arena + snapshot - (snapshot ? 1 : 0);
            const void *value = address(a, node->in[1]);
            if (pass == 0 && snapshot) emit_copy(a, safe, value, &node->type);
            if (pass == 1)
                emit_copy(a, node->entry->tensor.data, snapshot ? safe : value, &node->type);
        }
}

static void write_constants(assembly *a)
{
    rv_tape *tape = a->program->tape;
    for (int32_t id = 0; id < tape->count; id++) {
        bool uniform;
        const void *data = rv_constant_data(&tape->nodes[id], &uniform);
        if (!data || !a->live[id]) continue;
        rv_tensor to = tensor_at(a, id);
        if (a->plan.place[id].single) to.shape = RV_SCALAR;
        size_t size = rv_dtype_size(to.dtype), bytes = rv_tensor_bytes(&to);
        for (size_t at = 0; at < bytes; at += uniform ? size : bytes)
            memcpy((char *)to.data + at, data, uniform ? size : bytes);
    }
}

static bool assemble(assembly *a, const int32_t *outputs, int count)
{
    rv_program *program = a->program;
    rv_tape *tape = program->tape;
    size_t nodes = (size_t)tape->count + 1, operands = 0, calls = 0;
    for (int32_t id = 0; id < tape->count; id++)
        if (a->live[id]) operands += (size_t)tape->nodes[id].inputs, calls += 2;
    size_t *scratch_size = rv_alloc(nodes, sizeof *scratch_size);
    a->call_of = rv_alloc(nodes, sizeof *a->call_of);
    program->calls = rv_alloc(calls + 1, sizeof *program->calls);
    program->operands = rv_alloc(operands + 1, sizeof *program->operands);
    program->operand_types = rv_alloc(operands + 1, sizeof *program->operand_types);
    program->outputs = rv_alloc((size_t)count + 1, sizeof *program->outputs);
    program->inputs = rv_alloc(tape->inputs.count + 1, sizeof *program->inputs);
    bool ok = scratch_size && a->call_of && program->calls && program->operands &&
              program->operand_types && program->outputs && program->inputs;
    operands = 0;
    if (!ok)
        rv_fail_memory(&tape->error);
    else
        ok = prepare_calls(a, scratch_size, &operands) &&
             rv_pass_plan(tape, a->live, outputs, count, scratch_size, a->flags, &a->plan);
    rv_free(scratch_size);
    if (!ok) return false;

    program->arena = rv_alloc(1, a->plan.arena_bytes);
    if (!program->arena) return rv_fail_memory(&tape->error);
    write_constants(a);
    emit_values(a);
    emit_assignments(a);
    program->output_count = count;
    for (int i = 0; i < count; i++) program->outputs[i] = tensor_at(a, outputs[i]);
    for (size_t i = 0; i < tape->inputs.count; i++)
        program->inputs[i] = tensor_at(a, tape->inputs.id[i]);
    program->arena_bytes = a->plan.arena_bytes;
    program->live_bytes = a->plan.live_bytes;
    return true;
}

/* ---- compiling ---- */

static rv_program *build(rv_tape *from, const rv_var *outputs, int count, unsigned flags)
{
    size_t nodes = (size_t)from->count + 1;
    rv_program *program = rv_alloc(1, sizeof *program);
    rv_tape *tape = rv_tape_new(from->store, from->dtype);
    bool *needed = rv_alloc(nodes, sizeof *needed), *live = NULL;
    int32_t *in_to = rv_alloc(nodes, sizeof *in_to);
    rv_var *kept = rv_alloc((size_t)count + 1, sizeof *kept);
    int32_t *kept_id = rv_alloc((size_t)count + 1, sizeof *kept_id);
    bool ok = program && tape && needed && in_to && kept && kept_id;
    if (program) program->tape = tape;
    if (ok) {
        rv_pass_prune(from, outputs, count, flags, needed);
        ok = rv_pass_rewrite(from, needed, flags, tape, in_to);
        live = ok ? rv_alloc((size_t)tape->count + 1, sizeof *live) : NULL;
    }
    if (live) {
        for (int i = 0; i < count; i++) {
            kept_id[i] = in_to[outputs[i].id];
            kept[i] = (rv_var){tape, kept_id[i]};
        }
        rv_pass_prune(tape, kept, count, flags, live); /* simplifying has cut more loose */
        assembly a = {.program = program, .live = live, .flags = flags};
        ok = assemble(&a, kept_id, count);
        for (int32_t id = 0; a.call_of && id < tape->count; id++)
            rv_free((void *)(uintptr_t)a.call_of[id].plan);
        rv_free(a.call_of);
        rv_plan_free(&a.plan);
    }
    if (!live || !ok) {
        if (tape && tape->error.code)
            rv_tape_fail(from, tape->error.code, "%s", tape->error.text);
        else
            rv_fail_memory(&from->error);
    }
    rv_free(needed);
    rv_free(live);
    rv_free(in_to);
    rv_free(kept);
    rv_free(kept_id);
    if (from->error.code) {
        if (!program) rv_tape_free(tape);
        if (program) program->references = 1;
        rv_program_free(program);
        return NULL;
    }
    return program;
}

rv_hash rv_tape_hash(const rv_tape *tape, const rv_var *outputs, int count, unsigned flags)
{
    rv_hash hash = {flags, (uint64_t)tape->dtype};
    for (size_t i = 0; i < tape->inputs.count; i++)
        hash = rv_hash_pair(hash, tape->nodes[tape->inputs.id[i]].hash);
    for (int i = 0; i < count; i++) hash = rv_hash_pair(hash, tape->nodes[outputs[i].id].hash);
    for (size_t i = 0; flags & RV_EFFECTS && i < tape->effects.count; i++)
        hash = rv_hash_pair(hash, tape->nodes[tape->effects.id[i]].hash);
    return hash;
}

rv_program *rv_compile_with(rv_tape *tape, const rv_var *outputs, int count, unsigned flags)
{
    if (!tape || tape->error.code) return NULL;
    for (int i = 0; i < count; i++)
        if (rv_is_null(outputs[i]) || outputs[i].tape != tape) {
            rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                         "compile: output %d is not a value of this tape; check what made it", i);
            return NULL;
        }
    rv_hash hash = rv_tape_hash(tape, outputs, count, flags);
    rv_program *program = rv_program_cache_find(tape->store, hash);
    if (!program) {
        program = build(tape, outputs, count, flags);
        if (!program) return NULL;
        program->hash = hash;
        program->references = 1;
        rv_program_cache_add(tape->store, program);
    }
    return program;
}

rv_program *rv_compile(rv_tape *tape, const rv_var *outputs, int count)
{
    return rv_compile_with(tape, outputs, count, RV_DEFAULT);
}

rv_program *rv_program_retain(rv_program *program)
{
    program->references++;
    return program;
}

rv_hash rv_program_hash(const rv_program *program) { return program->hash; }

void rv_program_free(rv_program *program)
{
    if (!program || --program->references > 0) return;
    for (int64_t i = 0; i < program->count; i++) rv_free((void *)(uintptr_t)program->calls[i].plan);
    rv_free(program->calls);
    rv_free(program->operands);
    rv_free(program->operand_types);
    rv_free(program->arena);
    rv_free(program->outputs);
    rv_free(program->inputs);
    rv_tape_free(program->tape);
    rv_free(program);
}

/* ---- running ---- */

rv_code rv_run(rv_program *program)
{
    if (!program) return RV_ERROR_ARGUMENT;
    const rv_call *end = program->calls + program->count;
    for (const rv_call *call = program->calls; call < end; call++) call->run(call);
    return RV_OK;
}

rv_tensor *rv_program_input(rv_program *program, const char *name)
{
    if (!program) return NULL;
    const rv_tape *tape = program->tape;
    for (size_t i = 0; i < tape->inputs.count; i++)
        if (!strcmp(tape->nodes[tape->inputs.id[i]].name, name)) return &program->inputs[i];
    return NULL;
}

const rv_tensor *rv_program_output(const rv_program *program, int k)
{
    return program && k >= 0 && k < program->output_count ? &program->outputs[k] : NULL;
}

double rv_value(const rv_program *program, int k)
{
    const rv_tensor *output = rv_program_output(program, k);
    return output ? rv_tensor_get(output, 0) : (double)NAN;
}

rv_program_stats rv_program_statistics(const rv_program *program)
{
    return (rv_program_stats){program->count, program->arena_bytes, program->live_bytes};
}
