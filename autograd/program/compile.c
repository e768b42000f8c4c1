/* Compiles a tape into a program: rewrite, prune, assemble. Equal tapes share a cached program. */
#include "autograd/passes/passes.h"
#include "autograd/program/cache.h"
#include "autograd/program/program.h"
#include "autograd/tape_internal.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"

static const rv_op copy = {.name = "copy",
                           .args = "x",
                           .formula = "y = x",
                           .doc = "x in memory of its own",
                           .inputs = 1,
                           .infer = rv_infer_same,
                           .reference = rv_copy_bytes,
                           .select = rv_select_copy_bytes};

/* Outputs show the values from before the assignments. So an output that lies in store memory which
 * an assignment overwrites is replaced by a copy. */
static int32_t before_assignments(rv_tape *tape, int32_t output)
{
    int32_t root = output;
    while (tape->nodes[root].op->kind == RV_OP_VIEW) root = tape->nodes[root].in[0];
    for (size_t i = 0; tape->nodes[root].entry && i < tape->effects.count; i++)
        if (tape->nodes[tape->effects.id[i]].entry == tape->nodes[root].entry)
            return rv_record(tape, &copy, NULL, 0, &(rv_var){tape, output}, 1).id;
    return output;
}

/* Returns the rewritten tape, and updates `outputs` to its ids. */
static rv_tape *rewrite(const rv_tape *from, int32_t *outputs, int count, unsigned flags,
                        rv_error *error)
{
    rv_rule rule = flags & RV_SIMPLIFY ? rv_pass_simplify : NULL;
    rv_tape *simple = rv_pass_rewrite(from, outputs, count, flags, rule, NULL, 0, error);
    if (!simple || !(flags & RV_MERGE)) return simple;
    rv_tape *merged = rv_pass_merge(simple, outputs, count, flags, error);
    rv_tape_free(simple);
    return merged;
}

rv_tape *rv_tape_simplified(const rv_tape *tape, rv_var *values, int count, rv_error *error)
{
    int32_t *ids = rv_alloc((size_t)count + 1, sizeof *ids);
    if (!ids) rv_fail_memory(error);
    for (int i = 0; ids && i < count; i++) ids[i] = values[i].id;
    rv_tape *simple = ids ? rewrite(tape, ids, count, RV_SIMPLIFY, error) : NULL;
    for (int i = 0; simple && i < count; i++) values[i] = (rv_var){simple, ids[i]};
    rv_free(ids);
    return simple;
}

static rv_program *build(rv_tape *from, const rv_var *outputs, int count, unsigned flags)
{
    rv_program *program = rv_alloc(1, sizeof *program);
    int32_t *ids = rv_alloc((size_t)count + 1, sizeof *ids);
    bool *live = NULL, ok = program && ids;
    for (int i = 0; ok && i < count; i++) ids[i] = outputs[i].id;
    if (!ok) {
        rv_fail_memory(&from->error);
    } else {
        program->references = 1;
        program->pool = rv_thread_pool_retain(rv_program_cache_pool(from->store));
        program->threads = rv_thread_pool_size(program->pool);
        program->slices = 1;
        program->flags = flags;
        program->tape = rewrite(from, ids, count, flags, &from->error);
        ok = program->tape;
    }
    for (int i = 0; ok && i < count; i++) {
        ids[i] = before_assignments(program->tape, ids[i]);
        ok = ids[i] >= 0 || rv_fail_memory(&from->error);
    }
    if (ok) {
        live = rv_alloc((size_t)program->tape->count + 1, sizeof *live);
        ok = live || rv_fail_memory(&from->error);
    }
    if (ok) {
        rv_pass_prune(program->tape, ids, count, flags, live); /* rewriting leaves unused nodes */
        ok = rv_program_assemble(program, live, ids, count, flags);
        if (!ok) rv_fail(&from->error, program->tape->error.code, "%-s", program->tape->error.text);
    }
    rv_free(live);
    rv_free(ids);
    if (ok) return program;
    rv_program_free(program);
    return NULL;
}

rv_hash rv_tape_hash(const rv_tape *tape, const rv_var *outputs, int count, unsigned flags)
{
    if (!tape || (count && !outputs)) return (rv_hash){0};
    rv_hash hash = {flags, (uint64_t)tape->dtype | (uint64_t)rv_threads(tape->store) << 8};
    for (size_t i = 0; i < tape->inputs.count; i++)
        hash = rv_hash_pair(hash, tape->nodes[tape->inputs.id[i]].hash);
    for (int i = 0; i < count; i++)
        if (!rv_is_null(outputs[i]))
            hash = rv_hash_pair(hash, outputs[i].tape->nodes[outputs[i].id].hash);
    for (size_t i = 0; flags & RV_EFFECTS && i < tape->effects.count; i++)
        hash = rv_hash_pair(hash, tape->nodes[tape->effects.id[i]].hash);
    return hash;
}

static bool check_outputs(rv_tape *tape, const rv_var *outputs, int count)
{
    if (!tape || tape->error.code) return false;
    if (!RV_NEEDS_ARRAY(&tape->error, outputs, count)) return false;
    for (int i = 0; i < count; i++)
        if (rv_is_null(outputs[i]) || outputs[i].tape != tape)
            return rv_fail(&tape->error, RV_ERROR_ARGUMENT,
                           "compile: output %d is not a value of this tape; check what made it", i);
    return true;
}

static rv_program *find_or_build(rv_tape *tape, const rv_var *outputs, int count, unsigned flags)
{
    rv_hash hash = rv_tape_hash(tape, outputs, count, flags);
    rv_program *program = rv_program_cache_find(tape->store, hash);
    if (program) return program;
    program = build(tape, outputs, count, flags);
    if (!program) return NULL;
    program->hash = hash;
    rv_program_cache_add(tape->store, program);
    return program;
}

/* Checks the outputs and enters the store. Returns false, with an error on the tape, if an output
 * is invalid or the store is busy. */
static bool begin(rv_tape *tape, const rv_var *outputs, int count)
{
    return check_outputs(tape, outputs, count) && rv_store_enter(tape->store, &tape->error);
}

rv_program *rv_compile_apart(rv_tape *tape, const rv_var *outputs, int count, unsigned flags)
{
    if (!begin(tape, outputs, count)) return NULL;
    rv_program *program = build(tape, outputs, count, flags);
    rv_store_leave(tape->store);
    return program;
}

rv_program *rv_compile_with(rv_tape *tape, const rv_var *outputs, int count, unsigned flags)
{
    if (!begin(tape, outputs, count)) return NULL;
    rv_program *program = find_or_build(tape, outputs, count, flags);
    rv_store_leave(tape->store);
    return program;
}

rv_program *rv_compile(rv_tape *tape, const rv_var *outputs, int count)
{
    return rv_compile_with(tape, outputs, count, RV_DEFAULT);
}
