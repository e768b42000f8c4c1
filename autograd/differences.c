/* Differences of a loss in one element of a leaf. */
#include "autograd/differences_internal.h"

#include <math.h>
#include <stdio.h>

#include "autograd/gradient.h"
#include "autograd/passes/passes.h"
#include "autograd/program/program.h"
#include "autograd/tape_internal.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"

/* ---- the loss with its stopped values held ---- */

static const char *input_name(int32_t id, char name[32])
{
    snprintf(name, 32, "~stopped%d", (int)id);
    return name;
}

/* A rewrite rule: a value that the forward pass stops becomes an input. A stop in a gradient rule
 * does not: it is a mistake there, which the second derivative shows. */
static rv_var hold(void *context, rv_tape *to, int32_t id, const rv_node *node, const rv_var *in)
{
    rv_held_loss *h = context;
    char name[32];
    (void)in;
    if (node->op != &rv_op_stop_gradient || node->origin->phase != RV_PHASE_FORWARD)
        return (rv_var){to, -1};
    if (!rv_reserve(&h->stopped, &h->stopped_capacity, (size_t)h->stopped_count + 1,
                    sizeof *h->stopped))
        return rv_tape_fail(to, RV_ERROR_MEMORY, "out of memory");
    h->stopped[h->stopped_count++] = id;
    return rv_input_typed(to, input_name(id, name), node->type.dtype, node->type.shape);
}

/* Lists the values that are computed in floating point. */
static bool list_shown(rv_held_loss *h, rv_error *error)
{
    int32_t nodes = rv_tape_count(h->tape);
    h->shown = rv_alloc((size_t)nodes + 1, sizeof *h->shown);
    if (!h->shown) return rv_fail_memory(error);
    for (int32_t id = 0; id < nodes; id++) {
        const rv_node *node = rv_tape_node(h->tape, id);
        if (node->op->kind != RV_OP_LEAF && node->type.dtype != RV_I32)
            h->shown[h->shown_count++] = (rv_var){h->tape, id};
    }
    return true;
}

bool rv_held_loss_make(rv_held_loss *h, rv_var loss, rv_error *error)
{
    int32_t id = loss.id;
    *h = (rv_held_loss){.epsilon = rv_dtype_of(loss) == RV_F32 ? 0x1p-23 : 0x1p-52};
    h->tape = rv_pass_rewrite(loss.tape, &id, 1, RV_VALUES, hold, h, 0, error);
    if (!h->tape || !list_shown(h, error)) return false;
    h->loss = (rv_var){h->tape, id};
    h->program = rv_compile_apart(h->tape, &h->loss, 1, RV_VALUES);
    const rv_error *why = rv_tape_error(h->tape);
    return h->program || rv_fail(error, why->code, "%-s", why->text);
}

void rv_held_loss_free(rv_held_loss *h)
{
    rv_program_free(h->program);
    rv_program_free(h->values);
    rv_free(h->stopped);
    rv_free(h->shown);
    rv_tape_free(h->tape);
}

bool rv_held_loss_hold(rv_held_loss *h, int k, const rv_tensor *value, rv_error *error)
{
    char name[32];
    return rv_tensor_copy(rv_program_input(h->program, input_name(h->stopped[k], name)), value,
                          error);
}

/* Compiles values of the tape as they are recorded, with the inputs of the loss's program. */
static rv_program *compile_values(const rv_held_loss *h, const rv_var *outputs, int count,
                                  rv_error *error)
{
    rv_program *program = rv_compile_apart(h->tape, outputs, count, 0);
    const rv_error *why = rv_tape_error(h->tape);
    bool ok = program || rv_fail(error, why->code, "%-s", why->text);
    for (size_t i = 0; ok && i < h->tape->inputs.count; i++)
        ok = rv_tensor_copy(&program->inputs[i], &h->program->inputs[i], error);
    if (ok) return program;
    rv_program_free(program);
    return NULL;
}

/* ---- rounding ---- */

bool rv_find_rounding(rv_held_loss *h, rv_error *error)
{
    int count = h->shown_count;
    rv_var *outputs = rv_alloc(2 * (size_t)count + 1, sizeof *outputs);
    if (!outputs) return rv_fail_memory(error);
    for (int k = 0; k < count; k++) outputs[k] = h->shown[k];
    bool ok = rv_gradient(h->loss, h->shown, count, outputs + count) ||
              rv_fail(error, rv_tape_error(h->tape)->code, "%-s", rv_tape_error(h->tape)->text);
    rv_program *program = ok ? compile_values(h, outputs, 2 * count, error) : NULL;
    rv_code code = program ? rv_run(program) : RV_OK;
    if (code) rv_fail(error, code, "%s", rv_code_text(code));
    h->rounding = h->epsilon * fmax(fabs(h->at_point), 1e-300);
    for (int k = 0; program && !code && k < count; k++) {
        const rv_tensor *v = rv_program_output(program, k),
                        *g = rv_program_output(program, count + k);
        for (int64_t i = 0; i < rv_tensor_count(v); i++) {
            double part = fabs(rv_tensor_get(v, i) * rv_tensor_get(g, i));
            if (isfinite(part)) h->rounding += h->epsilon * part;
        }
    }
    rv_program_free(program);
    rv_free(outputs);
    return program && !code;
}

/* ---- differences ---- */

static double loss_at(const rv_held_loss *h, rv_element e, double at)
{
    rv_tensor_set(e.x, e.index, at);
    return rv_run(h->program) ? (double)NAN : rv_value(h->program, 0);
}

/* Differences of one step size. */
typedef struct differences {
    double central, left, right;
    double rounding; /* what the rounding of the loss can make of them */
} differences;

static differences take(const rv_held_loss *h, rv_element e, double step)
{
    double at = rv_tensor_get(e.x, e.index), by = step * fmax(1, fabs(at)), f[5];
    for (int k = 0; k < 5; k++) f[k] = k == 2 ? h->at_point : loss_at(h, e, at + (k - 2) * by);
    rv_tensor_set(e.x, e.index, at);
    return (differences){.central = (f[0] - f[4] + 8 * (f[3] - f[1])) / (12 * by),
                         .left = (3 * f[2] - 4 * f[1] + f[0]) / (2 * by),
                         .right = (4 * f[3] - 3 * f[2] - f[4]) / (2 * by),
                         .rounding = h->rounding / by};
}

double rv_central_difference(const rv_held_loss *h, rv_element e, double step)
{
    return take(h, e, step).central;
}

double rv_relative_error(double a, double n, double floor)
{
    double error = fabs(a - n) / fmax(fmax(fabs(a), fabs(n)), floor);
    return isnan(error) ? (double)INFINITY : error;
}

/* A slope by finer and finer steps. */
typedef struct refinement {
    double last, change; /* of the step before */
    rv_estimate best;
} refinement;

/* The doubt is the change since the step before. The change before that counts in part, so that two
 * values that happen to be close are not taken for the limit. */
static bool refine(refinement *r, double value, double rounding)
{
    double change = isfinite(value) ? fabs(value - r->last) : (double)INFINITY;
    double doubt = fmax(fmax(change, r->change / 16), rounding);
    bool better = doubt < r->best.doubt;
    if (better) r->best = (rv_estimate){value, doubt};
    r->last = isfinite(value) ? value : (double)INFINITY;
    r->change = change;
    return better;
}

rv_slopes rv_find_slopes(const rv_held_loss *h, rv_element e, double step, double expected,
                         double tolerance, double floor)
{
    const refinement start = {INFINITY, INFINITY, {NAN, INFINITY}};
    refinement central = start, left = start, right = start;
    double best_step = step, finest = 4 * sqrt(h->epsilon);
    for (; step >= finest; step /= 4) {
        differences d = take(h, e, step);
        if (refine(&central, d.central, d.rounding)) best_step = step;
        refine(&left, d.left, d.rounding);
        refine(&right, d.right, d.rounding);
        if (rv_relative_error(expected, d.central, floor) > tolerance) continue;
        central.best = (rv_estimate){d.central, 0};
        break;
    }
    return (rv_slopes){central.best, left.best, right.best, best_step};
}

/* ---- kinks ---- */

/* All shown values at x - h, x - h/8, x, x + h/8 and x + h, one after the other. */
enum { OFFSETS = 5, FINER = 8 };

static bool run_values(rv_held_loss *h, rv_element e, double by, double *values, size_t count,
                       rv_error *error)
{
    static const double offset[OFFSETS] = {-1, -1.0 / FINER, 0, 1.0 / FINER, 1};
    rv_tensor *x = e.input ? rv_program_input(h->values, e.input) : e.x;
    double at = rv_tensor_get(x, e.index);
    rv_code code = RV_OK;
    for (int k = 0; !code && k < OFFSETS; k++) {
        rv_tensor_set(x, e.index, at + offset[k] * by);
        code = rv_run(h->values);
        double *to = values + (size_t)k * count;
        for (int n = 0; !code && n < h->shown_count; n++) {
            const rv_tensor *y = rv_program_output(h->values, n);
            for (int64_t i = 0; i < rv_tensor_count(y); i++) *to++ = rv_tensor_get(y, i);
        }
    }
    rv_tensor_set(x, e.index, at);
    return !code || rv_fail(error, code, "%s", rv_code_text(code));
}

typedef enum roughness { SMOOTH, KINK, JUMP } roughness;

/* Where a value is smooth, the slopes on both sides approach each other as h shrinks. At a kink
 * they stay apart, and at a jump the changes stay, while those of the same side agree. */
static roughness judge_value(const double *v, size_t count, double noise)
{
    double down = v[2 * count] - v[0], near_down = v[2 * count] - v[count],
           near_up = v[3 * count] - v[2 * count], up = v[4 * count] - v[2 * count];
    double bend = fabs(near_up - near_down), large = fmax(fabs(near_up), fabs(near_down));
    double unlike = fabs(up - FINER * near_up) + fabs(down - FINER * near_down);
    if (isfinite(v[2 * count]) && !isfinite(bend)) return JUMP;
    if (!(bend > noise && bend > 1e-2 * large)) return SMOOTH;
    if (unlike < FINER * bend / 2) return KINK;
    return fabs(up - near_up) + fabs(down - near_down) < large / 2 ? JUMP : SMOOTH;
}

/* Describes a node by its op and the named value that it belongs to: values are named after the ops
 * that compute them. False: out of memory. */
static bool describe(const rv_tape *tape, int32_t id, roughness found,
                     char text[RV_GRADCHECK_REASON])
{
    char name[RV_NODE_TEXT];
    int32_t nodes = rv_tape_count(tape), named = nodes;
    bool *reads = rv_alloc((size_t)nodes, sizeof *reads);
    const char *kind = found == JUMP ? "jumps" : "has a kink";
    if (!reads) return false;
    reads[id] = true;
    for (int32_t n = id; n < nodes && named == nodes; n++) {
        const rv_node *node = rv_tape_node(tape, n);
        for (int k = 0; k < node->inputs; k++) reads[n] = reads[n] || reads[node->in[k]];
        if (reads[n] && node->name) named = n;
    }
    rv_free(reads);
    if (named < nodes)
        rv_print(text, RV_GRADCHECK_REASON, "%.40s in \"%.60s\" %s at this point",
                 rv_tape_node(tape, id)->op->name, rv_tape_node(tape, named)->name, kind);
    else
        rv_print(text, RV_GRADCHECK_REASON, "%.100s %s at this point",
                 rv_tape_describe(tape, id, name), kind);
    return true;
}

/* The largest magnitude of a value and of what it is computed from: rounding is relative to it. */
static double magnitude(const rv_node *node, const double *v, int64_t count, const double *of_nodes)
{
    double most = 0;
    for (int k = 0; k < node->inputs; k++) most = fmax(most, of_nodes[node->in[k]]);
    for (int64_t i = 0; i < count; i++) most = fmax(most, fabs(v[i]));
    return most;
}

bool rv_find_kink(rv_held_loss *h, rv_element e, double step, char text[RV_GRADCHECK_REASON],
                  rv_error *error)
{
    if (!h->values && !(h->values = compile_values(h, h->shown, h->shown_count, error)))
        return false;
    size_t count = 0, first = 0;
    for (int n = 0; n < h->shown_count; n++)
        count += (size_t)rv_tensor_count(rv_program_output(h->values, n));
    double by = step * fmax(1, fabs(rv_tensor_get(e.x, e.index)));
    double *values = rv_alloc(OFFSETS * count + 1, sizeof *values);
    double *most = rv_alloc((size_t)rv_tape_count(h->tape) + 1, sizeof *most);
    bool ok = (values && most) || rv_fail_memory(error);
    roughness found = SMOOTH;
    ok = ok && run_values(h, e, by, values, count, error);
    for (int n = 0; ok && !found && n < h->shown_count; n++) {
        int64_t size = rv_tensor_count(rv_program_output(h->values, n));
        int32_t id = h->shown[n].id;
        most[id] = magnitude(rv_tape_node(h->tape, id), values + 2 * count + first, size, most);
        for (int64_t i = 0; !found && i < size; i++) {
            const double *v = values + first + (size_t)i;
            found = judge_value(v, count, 1e3 * h->epsilon * most[id]);
            if (found && !describe(h->tape, id, found, text)) rv_fail_memory(error);
        }
        first += (size_t)size;
    }
    rv_free(values);
    rv_free(most);
    return found;
}
