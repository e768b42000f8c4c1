/* Compares a recorded gradient with central differences, element by element. */
#include "autograd/gradcheck.h"

#include <math.h>
#include <string.h>

#include "autograd/gradient.h"
#include "autograd/program/program.h"
#include "tensor/memory.h"

/* ---- the function under test ---- */

typedef struct check {
    rv_tape *tape;
    rv_program *gradients; /* outputs: loss, then the gradients */
    rv_program *value;     /* output: loss */
    rv_tensor *analytic;   /* [count] */
    int count;
    double tolerance, step, loss;
    bool refine; /* the step is the default: retry a failed check with a finer one */
} check;

static const rv_named_tensor *given(const rv_gradcheck_options *o, const char *name)
{
    for (int i = 0; i < o->input_count; i++)
        if (!strcmp(o->inputs[i].name, name)) return &o->inputs[i];
    return NULL;
}

/* Fills every input of both programs. */
static bool fill_inputs(check *c, const rv_gradcheck_options *o)
{
    rv_error *error = &(rv_error){0};
    for (int i = 0; i < o->input_count; i++)
        if (!rv_program_input(c->value, o->inputs[i].name)) {
            rv_tape_fail(c->tape, RV_ERROR_NAME,
                         "gradcheck: the tape has no input \"%s\"; give values of its inputs only",
                         o->inputs[i].name);
            return false;
        }
    for (int32_t id = 0; id < rv_tape_count(c->tape); id++) {
        const rv_node *node = rv_tape_node(c->tape, id);
        if (node->op != &rv_op_input) continue;
        const rv_named_tensor *value = given(o, node->name);
        rv_program *programs[2] = {c->gradients, c->value};
        for (int p = 0; p < 2; p++) {
            rv_tensor *to = rv_program_input(programs[p], node->name);
            if (value ? !rv_tensor_copy(to, &value->tensor, error) : false) {
                rv_tape_fail(c->tape, error->code, "gradcheck: input \"%s\": %s", node->name,
                             error->text);
                return false;
            }
            if (!value && to->dtype != RV_I32)
                rv_init_fill(to, rv_init_uniform(-1, 1), rv_seed(o->seed, node->name));
        }
    }
    return true;
}

static bool run(const check *c, rv_program *program)
{
    rv_code code = rv_run(program);
    if (code) rv_tape_fail(c->tape, code, "gradcheck: %s", rv_code_text(code));
    return !code;
}

static bool prepare(check *c, rv_var loss, const rv_var *wrt, const rv_gradcheck_options *o)
{
    rv_var *outputs = rv_alloc((size_t)c->count + 1, sizeof *outputs);
    c->analytic = rv_alloc((size_t)c->count + 1, sizeof *c->analytic);
    bool ok = outputs && c->analytic;
    if (!ok) rv_tape_fail(c->tape, RV_ERROR_MEMORY, "gradcheck: out of memory");
    if (ok && (ok = rv_gradient(loss, wrt, c->count, outputs + 1))) {
        outputs[0] = loss;
        c->gradients = rv_compile_apart(c->tape, outputs, c->count + 1, RV_VALUES);
        c->value = rv_compile_apart(c->tape, &loss, 1, RV_VALUES);
        ok = c->gradients && c->value && fill_inputs(c, o);
    }
    rv_free(outputs);
    if (!ok) return false;
    if (!run(c, c->gradients)) return false;
    c->loss = rv_value(c->gradients, 0);
    for (int i = 0; i < c->count; i++) { /* copy, because later runs overwrite outputs */
        rv_error error = {0};
        const rv_tensor *g = rv_program_output(c->gradients, i + 1);
        if (!rv_tensor_new(&c->analytic[i], g->dtype, g->shape, &error) ||
            !rv_tensor_copy(&c->analytic[i], g, &error)) {
            rv_tape_fail(c->tape, error.code, "gradcheck: %s", error.text);
            return false;
        }
    }
    return true;
}

/* ---- the numeric gradient ---- */

static double value_at(const check *c, rv_tensor *x, int64_t i, double at)
{
    rv_tensor_set(x, i, at);
    return run(c, c->value) ? rv_value(c->value, 0) : (double)NAN;
}

/* (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h. Exact for polynomials up to degree 4. */
static double difference(const check *c, rv_tensor *x, int64_t i, double step)
{
    double at = rv_tensor_get(x, i), h = step * fmax(1, fabs(at));
    double slope = (value_at(c, x, i, at - 2 * h) - value_at(c, x, i, at + 2 * h) +
                    8 * (value_at(c, x, i, at + h) - value_at(c, x, i, at - h))) /
                   (12 * h);
    rv_tensor_set(x, i, at);
    return slope;
}

/* ---- the comparison ---- */

static double relative_error(double a, double n, double floor)
{
    double error = fabs(a - n) / fmax(fmax(fabs(a), fabs(n)), floor);
    return isnan(error) ? (double)INFINITY : error;
}

rv_difference rv_gradient_difference(const rv_tensor *a, const rv_tensor *b, double floor)
{
    rv_difference d = {.max_relative_error = -1};
    double largest = 0, aa = 0, bb = 0, ab = 0;
    int64_t count = rv_tensor_count(b);
    for (int64_t i = 0; i < count; i++) {
        double x = rv_tensor_get(a, i), y = rv_tensor_get(b, i);
        largest = fmax(largest, fabs(y));
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    for (int64_t i = 0; i < count; i++) {
        double error =
            relative_error(rv_tensor_get(a, i), rv_tensor_get(b, i), fmax(1e-3 * largest, floor));
        if (error <= d.max_relative_error) continue;
        d.max_relative_error = error;
        d.index = i;
    }
    d.cosine = aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : aa == bb;
    d.ratio = bb > 0 ? sqrt(aa / bb) : aa == 0;
    d.norm = sqrt(aa);
    d.right_norm = sqrt(bb);
    return d;
}

const char *rv_difference_text(const rv_difference *d)
{
    if (!isfinite(d->norm)) return "the gradient is not finite";
    if (d->right_norm == 0) return "the gradient is not zero where the loss does not change";
    if (d->norm == 0) return "the gradient is zero where the loss changes: a path is missing";
    if (d->cosine > 1 - 1e-6) return "right direction, wrong length: a factor is missing";
    if (d->cosine < -1 + 1e-6) return "wrong sign";
    return "wrong direction";
}

/* The likely cause of a failed check. If a much finer step gives a different slope, the loss has a
 * kink or a jump near the point. */
static const char *explain(const check *c, rv_tensor *x, const rv_gradcheck_result *r,
                           const rv_difference *d)
{
    if (!isfinite(r->analytic)) return "the gradient is not finite";
    if (!isfinite(r->numeric)) return "the loss is not finite near this point";
    if (d->right_norm == 0) return rv_difference_text(d);
    double finer = difference(c, x, r->index, c->step / 16);
    if (relative_error(finer, r->numeric, 1e-3 * fabs(r->numeric)) > 1e-2)
        return "the loss has a kink or a jump within the step: check it at other values";
    return rv_difference_text(d);
}

/* Checks the gradient against differences of one step size. */
static bool judge_once(const check *c, rv_tensor *x, const rv_tensor *a, rv_gradcheck_result *r)
{
    rv_tensor n;
    rv_error error = {0};
    if (!rv_tensor_new(&n, RV_F64, x->shape, &error)) {
        rv_tape_fail(c->tape, error.code, "gradcheck: %s", error.text);
        return false;
    }
    for (int64_t i = 0; i < rv_tensor_count(x); i++)
        rv_tensor_set(&n, i, difference(c, x, i, c->step));
    rv_difference d = rv_gradient_difference(a, &n, 1e-5 * fmax(1, fabs(c->loss)));
    r->index = d.index;
    r->max_relative_error = d.max_relative_error;
    r->analytic = rv_tensor_get(a, d.index);
    r->numeric = rv_tensor_get(&n, d.index);
    rv_tensor_free(&n);
    r->ok = r->max_relative_error <= c->tolerance;
    r->cosine = d.cosine;
    r->ratio = d.ratio;
    if (d.norm == 0 && d.right_norm == 0) r->warning = "the loss does not depend on it";
    r->reason = r->ok ? "ok" : explain(c, x, r, &d);
    return true;
}

/* Where the loss is steep, the differences themselves may be inaccurate, so a failed check is
 * repeated with a finer step. */
static bool judge(const check *c, rv_tensor *x, const rv_tensor *a, rv_gradcheck_result *r)
{
    rv_gradcheck_result second = *r;
    check finer = *c;
    finer.step = c->step / 4;
    if (!judge_once(c, x, a, r)) return false;
    if (r->ok || !c->refine) return true;
    if (!judge_once(&finer, x, a, &second)) return false;
    if (second.max_relative_error < r->max_relative_error) *r = second;
    return true;
}

/* The memory from which the loss reads the leaf. */
static rv_tensor *leaf_data(const check *c, rv_var leaf)
{
    const rv_node *node = rv_tape_node(c->tape, leaf.id);
    return node->entry ? &node->entry->tensor : rv_program_input(c->value, node->name);
}

static bool check_leaves(rv_tape *tape, const rv_var *wrt, int count)
{
    for (int i = 0; i < count; i++) {
        const rv_node *node =
            rv_is_null(wrt[i]) || wrt[i].tape != tape ? NULL : rv_tape_node(tape, wrt[i].id);
        if (node && (node->entry || node->op == &rv_op_input) &&
            node->type.dtype == rv_tape_dtype(tape))
            continue;
        rv_tape_fail(
            tape, RV_ERROR_ARGUMENT,
            "gradcheck: wrt[%d] is %s, expected an input, parameter or state of the tape's dtype",
            i, node ? node->op->name : "not of this tape");
        return false;
    }
    return true;
}

static bool check_each(rv_var loss, const rv_var *wrt, int count,
                       const rv_gradcheck_options *options, rv_gradcheck_result *result)
{
    rv_gradcheck_options defaults = {0}, o = options ? *options : defaults;
    bool f32 = rv_tape_dtype(loss.tape) == RV_F32;
    check c = {.tape = loss.tape,
               .count = count,
               .tolerance = o.tolerance > 0 ? o.tolerance
                            : f32           ? 1e-2
                                            : 1e-7,
               .step = o.step > 0 ? o.step
                       : f32      ? 3e-2
                                  : 1e-3,
               .refine = !(o.step > 0) && !f32};
    if (rv_is_null(loss))
        rv_tape_fail(loss.tape, RV_ERROR_ARGUMENT,
                     "gradcheck: the loss is a null var; check what made it");
    bool ok =
        !rv_is_null(loss) && check_leaves(loss.tape, wrt, count) && prepare(&c, loss, wrt, &o);
    bool all_right = ok;
    for (int i = 0; i < count; i++) result[i] = (rv_gradcheck_result){.reason = "not checked"};
    for (int i = 0; ok && i < count; i++) {
        result[i] = (rv_gradcheck_result){.name = rv_tape_node(c.tape, wrt[i].id)->name};
        if (f32)
            result[i].warning =
                "on an f32 tape differences are accurate to 1e-2 only; check on f64";
        ok = judge(&c, leaf_data(&c, wrt[i]), &c.analytic[i], &result[i]);
        all_right = all_right && ok && result[i].ok;
    }
    for (int i = 0; c.analytic && i < count; i++) rv_tensor_free(&c.analytic[i]);
    rv_free(c.analytic);
    rv_program_free(c.gradients);
    rv_program_free(c.value);
    return all_right;
}

static bool check_all(rv_var loss, const rv_gradcheck_options *options, rv_gradcheck_result *worst)
{
    int count = rv_parameters(loss, NULL, 0);
    size_t room = count > 0 ? (size_t)count : 1;
    rv_var *wrt = rv_alloc(room, sizeof *wrt);
    rv_gradcheck_result *each = rv_alloc(room, sizeof *each);
    bool ok = false;
    if (!wrt || !each) {
        rv_tape_fail(loss.tape, RV_ERROR_MEMORY, "gradcheck: out of memory");
    } else if (count <= 0) {
        rv_tape_fail(
            loss.tape, RV_ERROR_ARGUMENT,
            "gradcheck: the loss depends on no parameter; make one with rv_parameter, or say "
            "what to check");
    } else {
        ok =
            rv_parameters(loss, wrt, count) == count && check_each(loss, wrt, count, options, each);
        *worst = each[0];
        for (int i = 1; i < count; i++)
            if (worst->ok ? !each[i].ok || each[i].max_relative_error > worst->max_relative_error
                          : !each[i].ok && each[i].max_relative_error > worst->max_relative_error)
                *worst = each[i];
    }
    rv_free(wrt);
    rv_free(each);
    return ok;
}

bool rv_gradcheck(rv_var loss, const rv_var *wrt, int count, const rv_gradcheck_options *options,
                  rv_gradcheck_result *result)
{
    if (wrt) return check_each(loss, wrt, count, options, result);
    rv_gradcheck_result worst = {.reason = "not checked"};
    bool ok = check_all(loss, options, &worst);
    if (result) *result = worst;
    return ok;
}
