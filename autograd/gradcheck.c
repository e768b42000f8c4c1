/* Compares a recorded gradient with differences, element by element. */
#include "autograd/gradcheck.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/differences_internal.h"
#include "autograd/gradient.h"
#include "autograd/program/program.h"
#include "tensor/memory.h"
#include "tensor/name_table_internal.h"
#include "tensor/needs_internal.h"
#include "tensor/text_internal.h"

/* ---- the function under test ---- */

typedef struct check {
    rv_tape *tape;
    rv_program *gradients; /* outputs: the gradients, then the stopped values */
    rv_held_loss loss;
    rv_tensor *analytic; /* [count] */
    int count;
    double tolerance, step;
    bool (*proceed)(void *context, int64_t numbers);
    void *context;
    int64_t numbers; /* computed by a run of the loss */
} check;

/* Asks whether to take the runs that come next. */
static bool proceed(const check *c, int64_t runs)
{
    int64_t numbers;
    if (__builtin_mul_overflow(runs, c->numbers, &numbers)) numbers = INT64_MAX;
    if (!c->proceed || c->proceed(c->context, numbers)) return true;
    rv_tape_fail(c->tape, RV_ERROR_LIMIT, "gradcheck: stopped");
    return false;
}

/* The values that are given, by name. */
static bool list_given(const rv_gradcheck_options *o, rv_name_table *given)
{
    if (!rv_name_table_reserve(given, (size_t)o->input_count)) return false;
    for (int i = 0; i < o->input_count; i++)
        if (rv_name_table_find(given, o->inputs[i].name) == SIZE_MAX)
            rv_name_table_add(given, o->inputs[i].name, (size_t)i);
    return true;
}

/* Fills every input of both programs. */
static bool fill_listed(check *c, const rv_gradcheck_options *o, const rv_name_table *given)
{
    rv_error *error = &(rv_error){0};
    for (int i = 0; i < o->input_count; i++)
        if (!rv_program_input(c->loss.program, o->inputs[i].name)) {
            rv_tape_fail(c->tape, RV_ERROR_NAME,
                         "gradcheck: the tape has no input \"%s\"; give values of its inputs only",
                         o->inputs[i].name);
            return false;
        }
    for (int32_t id = 0; id < rv_tape_count(c->tape); id++) {
        const rv_node *node = rv_tape_node(c->tape, id);
        if (node->op != &rv_op_input) continue;
        const size_t at = rv_name_table_find(given, node->name);
        const rv_named_tensor *value = at == SIZE_MAX ? NULL : &o->inputs[at];
        rv_program *programs[2] = {c->gradients, c->loss.program};
        for (int p = 0; p < 2; p++) {
            rv_tensor *to = rv_program_input(programs[p], node->name);
            if (value ? !rv_tensor_copy(to, &value->tensor, error) : false) {
                rv_tape_fail(c->tape, error->code, "gradcheck: input \"%s\": %-s", node->name,
                             error->text);
                return false;
            }
            if (!value && to->dtype != RV_I32)
                rv_init_fill(to, rv_init_uniform(-1, 1), rv_seed(o->seed, node->name));
        }
    }
    return true;
}

/* Puts an error that is not the tape's own on it. */
static bool fail(const check *c, const rv_error *error)
{
    rv_tape_fail(c->tape, error->code, "gradcheck: %-s", error->text);
    return false;
}

static bool fill_inputs(check *c, const rv_gradcheck_options *o)
{
    rv_error error = {0};
    rv_name_table given = {0};
    bool ok = list_given(o, &given) ? fill_listed(c, o, &given)
                                    : fail(c, (rv_fail_memory(&error), &error));
    rv_name_table_free(&given);
    return ok;
}

static bool compile(check *c, rv_var loss, const rv_var *wrt)
{
    rv_error error = {0};
    rv_var *gradients = rv_alloc((size_t)c->count + 1, sizeof *gradients);
    c->analytic = rv_alloc((size_t)c->count + 1, sizeof *c->analytic);
    bool ok = (gradients && c->analytic) || rv_fail_memory(&error);
    ok = ok && rv_gradient(loss, wrt, c->count, gradients) &&
         rv_held_loss_make(&c->loss, loss, &error);
    int stopped = c->loss.stopped_count;
    rv_var *outputs = ok ? rv_alloc((size_t)(c->count + stopped) + 1, sizeof *outputs) : NULL;
    if (ok && !outputs) rv_fail_memory(&error);
    for (int i = 0; outputs && i < c->count; i++) outputs[i] = gradients[i];
    for (int k = 0; outputs && k < stopped; k++)
        outputs[c->count + k] = (rv_var){c->tape, c->loss.stopped[k]};
    if (outputs) c->gradients = rv_compile_apart(c->tape, outputs, c->count + stopped, RV_VALUES);
    rv_free(gradients);
    rv_free(outputs);
    if (error.code) return fail(c, &error);
    for (int32_t id = 0; id < rv_tape_count(c->loss.tape); id++)
        c->numbers += rv_shape_count(rv_tape_node(c->loss.tape, id)->type.shape);
    return c->gradients;
}

/* Computes the gradients, the stopped values and the loss at the point. */
static bool evaluate(check *c)
{
    rv_error error = {0};
    rv_code code = rv_run(c->gradients);
    bool ok = !code;
    for (int i = 0; ok && i < c->count; i++) {
        const rv_tensor *g = rv_program_output(c->gradients, i);
        ok = rv_tensor_new(&c->analytic[i], g->dtype, g->shape, &error) &&
             rv_tensor_copy(&c->analytic[i], g, &error);
    }
    for (int k = 0; ok && k < c->loss.stopped_count; k++)
        ok = rv_held_loss_hold(&c->loss, k, rv_program_output(c->gradients, c->count + k), &error);
    if (ok) ok = !(code = rv_run(c->loss.program));
    if (code) rv_fail(&error, code, "%s", rv_code_text(code));
    if (!ok) return fail(c, &error);
    c->loss.at_point = rv_value(c->loss.program, 0);
    return true;
}

/* ---- the comparison ---- */

enum { RUNS = 4, MOST_RUNS = 40 /* of a difference; of all that judge an element */ };

const char *rv_verdict_name(rv_verdict verdict)
{
    if ((unsigned)verdict > RV_WRONG) return "unknown";
    static const char *const names[] = {"right", "undecided", "wrong"};
    return names[verdict];
}

rv_difference rv_gradient_difference(const rv_tensor *a, const rv_tensor *b, double floor)
{
    rv_difference d = {.max_relative_error = -1};
    double largest = 0, aa = 0, bb = 0, ab = 0;
    if (!rv_tensor_check(a, NULL) || !rv_tensor_check(b, NULL) ||
        !rv_shape_equal(a->shape, b->shape))
        return (rv_difference){.max_relative_error = INFINITY, .cosine = NAN, .ratio = NAN};
    int64_t count = rv_tensor_count(b);
    for (int64_t i = 0; i < count; i++) {
        double x = rv_tensor_get(a, i), y = rv_tensor_get(b, i);
        largest = fmax(largest, fabs(y));
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    for (int64_t i = 0; i < count; i++) {
        double error = rv_relative_error(rv_tensor_get(a, i), rv_tensor_get(b, i),
                                         fmax(1e-3 * largest, floor));
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
    if (!d) return "";
    if (!isfinite(d->norm)) return "the gradient is not finite";
    if (d->right_norm == 0) return "the gradient is not zero where the loss does not change";
    if (d->norm == 0) return "the gradient is zero where the loss changes: a path is missing";
    double turned = sqrt(fmax(0, 1 - d->cosine * d->cosine)); /* the sine of the angle */
    if (d->cosine > 1 - 1e-6)
        return turned < 0.01 * fabs(d->ratio - 1)
                   ? "right direction, wrong length: a factor is missing"
                   : "almost right: a factor close to 1 or a small term is missing";
    if (d->cosine < -1 + 1e-6) return "wrong sign";
    return "wrong direction";
}

/* Judges an element that does not agree with the first difference. Sets *numeric to what it should
 * be, and the reason: for a right one a remark, or "". */
static rv_verdict judge_element(check *c, rv_element e, double a, double floor, double *numeric,
                                char reason[RV_GRADCHECK_REASON], rv_error *error)
{
    char kink[RV_GRADCHECK_REASON] = "";
    *numeric = 0;
    *reason = '\0';
    if (!(c->loss.rounding > 0) && !rv_find_rounding(&c->loss, error)) return RV_UNDECIDED;
    rv_slopes s = rv_find_slopes(&c->loss, e, c->step, a, c->tolerance, floor);
    *numeric = s.central.value;
    if (rv_relative_error(a, *numeric, floor) <= c->tolerance && s.central.doubt == 0)
        return RV_RIGHT;

    double low = fmin(s.left.value, s.right.value), high = fmax(s.left.value, s.right.value);
    double size = fmax(fmax(fabs(low), fabs(high)), floor);
    double doubt = 10 * (s.left.doubt + s.right.doubt), slack = c->tolerance * size + doubt;
    bool finite = isfinite(c->loss.at_point) && isfinite(s.central.doubt);
    /* Such a gradient changes the loss by more than its size within the finest step. */
    bool steep =
        isfinite(a) && fabs(a) * 4 * sqrt(c->loss.epsilon) > fmax(1, fabs(c->loss.at_point));
    bool smooth = high - low <= slack && doubt <= 0.1 * size && !steep;
    bool off = !(fabs(a - *numeric) <= c->tolerance * size + 10 * s.central.doubt);
    bool found = finite && rv_find_kink(&c->loss, e, s.step, kink, error);
    if (finite && high - low > slack && a >= low - slack && a <= high + slack) {
        *numeric = a;
        rv_print(reason, RV_GRADCHECK_REASON,
                 "%.120s; the gradient lies between the slopes on both sides",
                 found ? kink : "the loss has a kink at this point");
        return RV_RIGHT;
    }
    if (finite && smooth && off && !found) return RV_WRONG;
    if (found)
        memcpy(reason, kink, RV_GRADCHECK_REASON);
    else if (!finite)
        snprintf(reason, RV_GRADCHECK_REASON, "the loss is not finite near this point");
    else if (steep)
        snprintf(reason, RV_GRADCHECK_REASON, "the loss is too steep for differences");
    else
        snprintf(reason, RV_GRADCHECK_REASON,
                 "differences with steps of %.0e and less are off by %.0e of the slope", c->step,
                 s.central.doubt / size);
    return RV_UNDECIDED;
}

static void note(rv_gradcheck_result *r, int64_t index, double analytic, double numeric,
                 double error)
{
    r->index = index;
    r->analytic = analytic;
    r->numeric = numeric;
    r->max_relative_error = error;
}

/* Compares the gradient a with the first differences n, then judges the worst element until all the
 * others agree. An element that has been judged counts as equal from then on. */
static bool judge(check *c, rv_tensor *a, rv_tensor *n, rv_element e, rv_gradcheck_result *r)
{
    rv_error error = {0};
    double loss = c->loss.at_point, floor = 1e-5 * fmax(1, isfinite(loss) ? fabs(loss) : 1);
    rv_difference d = rv_gradient_difference(a, n, floor);
    r->zero = d.norm <= 1e-8 * floor && d.right_norm <= 1e-4 * floor; /* but for rounding */
    r->verdict = RV_RIGHT;
    for (; d.max_relative_error > c->tolerance; d = rv_gradient_difference(a, n, floor)) {
        char reason[RV_GRADCHECK_REASON];
        double analytic = rv_tensor_get(a, d.index), numeric, off;
        e.index = d.index;
        if (!proceed(c, MOST_RUNS)) return false;
        rv_verdict verdict = judge_element(c, e, analytic, floor, &numeric, reason, &error);
        if (error.code) return fail(c, &error);
        off = rv_relative_error(analytic, numeric, floor);
        if (verdict == RV_WRONG) {
            rv_tensor_set(n, e.index, numeric);
            d = rv_gradient_difference(a, n, floor);
            r->verdict = verdict;
            note(r, e.index, analytic, numeric, off);
            snprintf(r->reason, sizeof r->reason, "%s",
                     isfinite(analytic) ? rv_difference_text(&d) : "the gradient is not finite");
            break;
        }
        bool first = verdict == RV_UNDECIDED && r->verdict == RV_RIGHT;
        if (first || !*r->reason) snprintf(r->reason, sizeof r->reason, "%s", reason);
        if (first || (verdict == r->verdict && off > r->max_relative_error))
            note(r, e.index, analytic, numeric, off);
        if (first) r->verdict = RV_UNDECIDED;
        double equal = verdict == RV_RIGHT ? analytic : 0;
        rv_tensor_set(a, e.index, equal);
        rv_tensor_set(n, e.index, equal);
    }
    if (r->verdict == RV_RIGHT && d.max_relative_error >= r->max_relative_error)
        note(r, d.index, rv_tensor_get(a, d.index), rv_tensor_get(n, d.index),
             d.max_relative_error);
    r->cosine = d.cosine;
    r->ratio = d.ratio;
    return true;
}

/* The first differences of all elements. */
static bool judge_leaf(check *c, rv_var leaf, rv_tensor *a, rv_gradcheck_result *r)
{
    const rv_node *node = rv_tape_node(c->tape, leaf.id);
    rv_tensor n,
        *x = node->entry ? &node->entry->tensor : rv_program_input(c->loss.program, node->name);
    rv_element e = {.x = x, .input = node->entry ? NULL : node->name};
    rv_error error = {0};
    if (!rv_tensor_new(&n, RV_F64, x->shape, &error)) return fail(c, &error);
    bool ok = proceed(c, RUNS * rv_tensor_count(x));
    for (; ok && e.index < rv_tensor_count(x) && (ok = proceed(c, 0)); e.index++)
        rv_tensor_set(&n, e.index, rv_central_difference(&c->loss, e, c->step));
    ok = ok && judge(c, a, &n, e, r);
    rv_tensor_free(&n);
    return ok;
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

static const rv_gradcheck_result not_checked = {.verdict = RV_UNDECIDED, .reason = "not checked"};

/* Completes the remark on a right gradient. */
static void remark(const check *c, rv_gradcheck_result *r)
{
    const char *weak = rv_tape_dtype(c->tape) == RV_F32
                           ? "on an f32 tape differences are accurate to 1e-2 only; check on f64"
                       : !r->zero ? ""
                       : r->max_relative_error == 0
                           ? "the gradient and the differences are 0"
                           : "the gradient and the differences are 0, up to rounding";
    if (r->verdict == RV_RIGHT && !*r->reason) snprintf(r->reason, sizeof r->reason, "%s", weak);
}

static bool check_each(rv_var loss, const rv_var *wrt, int count,
                       const rv_gradcheck_options *options, rv_gradcheck_result *result)
{
    rv_gradcheck_options defaults = {0}, o = options ? *options : defaults;
    bool f32 = rv_tape_dtype(loss.tape) == RV_F32;
    check c = {.tape = loss.tape,
               .count = count,
               .proceed = o.proceed,
               .context = o.context,
               .tolerance = o.tolerance > 0 ? o.tolerance
                            : f32           ? 1e-2
                                            : 1e-7,
               .step = o.step > 0 ? o.step
                       : f32      ? 3e-2
                                  : 1e-3};
    if (rv_is_null(loss))
        rv_tape_fail(loss.tape, RV_ERROR_ARGUMENT,
                     "gradcheck: the loss is a null var; check what made it");
    bool ok = !rv_is_null(loss) && check_leaves(loss.tape, wrt, count) && compile(&c, loss, wrt) &&
              fill_inputs(&c, &o) && evaluate(&c);
    bool all_right = ok;
    for (int i = 0; i < count; i++) result[i] = not_checked;
    for (int i = 0; ok && i < count; i++) {
        result[i] = (rv_gradcheck_result){.name = rv_tape_node(c.tape, wrt[i].id)->name};
        ok = judge_leaf(&c, wrt[i], &c.analytic[i], &result[i]);
        if (ok) remark(&c, &result[i]);
        all_right = all_right && ok && result[i].verdict == RV_RIGHT;
    }
    for (int i = 0; c.analytic && i < count; i++) rv_tensor_free(&c.analytic[i]);
    rv_free(c.analytic);
    rv_program_free(c.gradients);
    rv_held_loss_free(&c.loss);
    return all_right;
}

static bool is_worse(const rv_gradcheck_result *a, const rv_gradcheck_result *b)
{
    if (a->verdict != b->verdict) return a->verdict > b->verdict;
    return a->max_relative_error > b->max_relative_error;
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
            if (is_worse(&each[i], worst)) *worst = each[i];
    }
    rv_free(wrt);
    rv_free(each);
    return ok;
}

bool rv_gradcheck(rv_var loss, const rv_var *wrt, int count, const rv_gradcheck_options *options,
                  rv_gradcheck_result *result)
{
    rv_error why = {0};
    if ((wrt && !RV_NEEDS_ARRAY(&why, result, count)) ||
        (options && !rv_needs_tensors(&why, __func__, options->inputs, options->input_count))) {
        rv_tape_fail(loss.tape, why.code, "%s", why.text);
        return false;
    }
    if (wrt) return check_each(loss, wrt, count, options, result);
    rv_gradcheck_result worst = not_checked;
    bool ok = check_all(loss, options, &worst);
    if (result) *result = worst;
    return ok;
}
