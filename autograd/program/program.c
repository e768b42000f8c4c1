/* Running a compiled program (compile.c), and its inputs and outputs. */
#include "autograd/program.h"

#include <math.h>

#include "autograd/program/program.h"
#include "autograd/program_internal.h"
#include "autograd/tape_internal.h"
#include "tensor/clock_internal.h"
#include "tensor/memory.h"

rv_program *rv_program_retain(rv_program *program)
{
    program->references++;
    return program;
}

void rv_program_free(rv_program *program)
{
    if (!program || --program->references > 0) return;
    rv_program_free_calls(program);
    rv_free(program->barrier);
    rv_free(program->lane);
    rv_free(program->turns);
    rv_free(program->node);
    rv_free(program->node_end);
    rv_thread_pool_free(program->pool);
    rv_free(program->operands);
    rv_free(program->operand_types);
    rv_free(program->arena);
    rv_free(program->outputs);
    rv_free(program->inputs);
    rv_tape_free(program->tape);
    rv_free(program);
}

/* ---- running ---- */

void rv_program_run_turn(const rv_program *program, int lane, const rv_turn *turn,
                         void (*around)(void *context, int64_t i, const rv_call *call),
                         void *context)
{
    for (int64_t i = turn->first; i < turn->end; i++) {
        const rv_call *call = &program->calls[lane][i];
        /* A sliced call has threads x slices parts, of which this turn runs one. */
        bool sliced = call->parts > program->threads;
        bool whole = call->parts == 1;
        if ((turn->slice > 0 && !sliced) || (whole && program->lane[i] != lane)) continue;
        rv_call copy;
        if (sliced) {
            copy = *call;
            copy.part = lane * program->slices + turn->slice;
            call = &copy;
        }
        if (around)
            around(context, i, call);
        else
            call->run(call);
    }
}

static void run_turn(void *program, int lane, const rv_turn *turn, int thread)
{
    (void)thread;
    rv_program_run_turn(program, lane, turn, NULL, NULL);
}

/* Runs all parts on this thread. */
static void run_alone(const rv_program *program)
{
    if (program->slices == 1) {
        const rv_call *end = program->alone + program->count;
        for (const rv_call *call = program->alone; call < end; call++) call->run(call);
        return;
    }
    for (int64_t k = 0; k < program->turn_count; k++)
        for (int lane = 0; lane < program->threads; lane++) {
            const rv_turn *turn = &program->turns[k];
            const int part = lane * program->slices + turn->slice;
            for (int64_t i = turn->first; i < turn->end; i++) {
                rv_call call = program->alone[i];
                if (call.parts == 1 && part > 0) continue;
                call.part = call.parts > 1 ? part : 0;
                call.run(&call);
            }
        }
}

/* On all threads, or on the caller's alone if that has been faster. */
static void run_on_threads(rv_program *program)
{
    const bool alone = program->pace.alone && !(program->flags & RV_CUT);
    const rv_job job = {program->turns, program->turn_count, run_turn, program};
    const double begin = rv_seconds();
    if (alone)
        run_alone(program);
    else
        rv_thread_pool_run(program->pool, &job);
    rv_pace_note(&program->pace, rv_seconds() - begin);
}

void rv_run_entered(rv_program *program)
{
    if (program->threads > 1)
        run_on_threads(program);
    else
        run_alone(program);
}

rv_code rv_run(rv_program *program)
{
    if (!program) return RV_ERROR_ARGUMENT;
    if (!rv_store_enter(program->tape->store, NULL)) return RV_ERROR_BUSY;
    rv_run_entered(program);
    rv_store_leave(program->tape->store);
    return RV_OK;
}

rv_tensor *rv_program_input(rv_program *program, const char *name)
{
    if (!program || !name) return NULL;
    int32_t index = rv_tape_find_input(program->tape, name);
    return index >= 0 ? &program->inputs[index] : NULL;
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
    if (!program) return (rv_program_stats){0};
    return (rv_program_stats){program->count, program->arena_bytes, program->live_bytes,
                              program->threads};
}
