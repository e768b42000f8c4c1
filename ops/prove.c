#include "ops/prove.h"

#include <math.h>
#include <string.h>

#include "autograd/feed.h"
#include "autograd/gradcheck.h"
#include "autograd/program.h"
#include "ops/ops.h"
#include "ops/options.h"
#include "ops/samples_internal.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"

enum { INPUTS = RV_SAMPLE_INPUTS, THREADS = 3 };

/* One sample, recorded. */
typedef struct subject {
    const rv_op *op;
    const rv_sample *sample;
    rv_store *store;
    rv_tape *tape;
    int inputs;
    rv_named_tensor value[INPUTS];
    rv_var x[INPUTS], y;
} subject;

static bool is_whole(const subject *s, int k) { return s->sample->integer >> k & 1; }

static bool open_subject(subject *s, const rv_op *op, const rv_sample *sample, rv_dtype dtype,
                         rv_error *error)
{
    *s = (subject){.op = op, .sample = sample, .store = rv_store_new(1)};
    s->tape = rv_tape_new(s->store, dtype);
    s->inputs = rv_sample_inputs(op, sample);
    if (!s->tape) return rv_fail_memory(error);
    s->y = rv_sample_record(s->tape, op, sample, s->x);
    bool ok = s->inputs >= 1 && s->inputs <= INPUTS;
    if (!ok) rv_fail(error, RV_ERROR_ARGUMENT, "%-s", rv_tape_error(s->tape)->text);
    for (int k = 0; ok && !sample->error && k < s->inputs; k++) {
        s->value[k].name = rv_sample_input_name(k);
        ok = rv_tensor_new(&s->value[k].tensor, rv_dtype_of(s->x[k]), sample->in[k], error);
        if (ok) rv_sample_values(sample, k, 7, &s->value[k].tensor);
    }
    return ok;
}

static void close_subject(subject *s)
{
    for (int k = 0; k < INPUTS; k++) rv_tensor_free(&s->value[k].tensor);
    rv_tape_free(s->tape);
    rv_store_free(s->store);
}

/* ---- values ---- */

static rv_program *evaluate(subject *s, const rv_var *outputs, int count, unsigned flags)
{
    rv_program *program = rv_compile_with(s->tape, outputs, count, flags);
    for (int k = 0; program && k < s->inputs; k++)
        rv_feed(program, s->value[k].name, &s->value[k].tensor, NULL);
    rv_run(program);
    return program;
}

/* The largest difference, relative to the largest finite element; infinite where the reference is
 * NaN and the kernel is not, or where the reference is infinite and the kernel is finite. With
 * `exactly` they agree on all that is not finite. */
static double difference(const rv_tensor *kernel, const rv_tensor *reference, bool exactly)
{
    double most = 0, largest = 1e-3;
    for (int64_t i = 0; i < rv_tensor_count(kernel); i++) {
        double x = rv_tensor_get(kernel, i), y = rv_tensor_get(reference, i);
        if (x == y || (isnan(x) && isnan(y))) continue;
        if (!exactly && !isfinite(x) && !isnan(y)) continue;
        if (!isfinite(x) || !isfinite(y)) return INFINITY;
        most = fmax(most, fabs(x - y));
        largest = fmax(largest, fmax(fabs(x), fabs(y)));
    }
    return most / largest;
}

static bool prove_values(subject *s, bool special, rv_error *error)
{
    if (!rv_set_threads(s->store, THREADS, error)) return false;
    rv_program *fast = evaluate(s, &s->y, 1, RV_VALUES | RV_CUT),
               *naive = evaluate(s, &s->y, 1, RV_REFERENCE);
    bool ok = fast && naive;
    if (!ok) rv_fail(error, RV_ERROR_ARGUMENT, "%-s", rv_tape_error(s->tape)->text);
    double off =
        ok ? difference(rv_program_output(fast, 0), rv_program_output(naive, 0), !special) : 0;
    if (off > (rv_dtype_of(s->y) == RV_F64 ? 2e-14 : 4e-6))
        ok = rv_fail(error, RV_ERROR_ARGUMENT,
                     "%s: the %s kernel differs from the reference by %.1e%s; fix one of them",
                     s->op->name, rv_dtype_name(rv_tape_dtype(s->tape)), off,
                     special ? " where inputs are NaN, infinite or tiny" : "");
    rv_program_free(fast);
    rv_program_free(naive);
    return ok;
}

/* The same, with NaN, infinities and the smallest numbers among the inputs. A kernel may get inf or
 * NaN where the reference does not, such as from 0 times a weight that the reference skips, but
 * must hide none. */
static bool prove_special_values(subject *s, rv_error *error)
{
    enum { ROUNDS = 8 };
    bool ok = true;
    for (uint64_t seed = 0; ok && seed < ROUNDS; seed++) {
        for (int k = 0; k < s->inputs; k++) {
            rv_sample_values(s->sample, k, seed, &s->value[k].tensor);
            rv_sample_special(k, seed, &s->value[k].tensor);
        }
        ok = prove_values(s, true, error);
    }
    return ok;
}

/* ---- the call by name ---- */

static bool prove_call(subject *s, rv_error *error)
{
    if (!s->sample->options || s->op->kind == RV_OP_COMPOSITE) return true;
    rv_var y = rv_op_call(s->op, s->x, s->inputs, s->sample->options);
    if (rv_is_null(y))
        return rv_fail(error, RV_ERROR_ARGUMENT, "%-s", rv_tape_error(s->tape)->text);
    return y.id == s->y.id ||
           rv_fail(error, RV_ERROR_ARGUMENT,
                   "%s: a call with the sample's options does not record the node with its "
                   "attributes; fix one of them",
                   s->op->name);
}

/* ---- independent rows: with the inputs' rows in reverse order, those of y are, too ---- */

static bool prove_rows(subject *s, rv_error *error)
{
    rv_node node = *rv_tape_node(s->tape, s->y.id);
    rv_type type[INPUTS];
    rv_var x[INPUTS];
    bool any = false;
    if (!s->op->by_rows || node.op != s->op || node.inputs != s->inputs) return true;
    for (int k = 0; k < s->inputs; k++)
        type[k] = (rv_type){rv_dtype_of(s->x[k]), rv_shape_of(s->x[k])};
    for (int k = 0; k < s->inputs; k++) {
        bool own = s->op->by_rows(node.attr, type, k);
        x[k] = own ? rv_flip(s->x[k], 1) : s->x[k];
        any = any || own;
    }
    if (!any) return true;
    rv_var y = rv_record(NULL, s->op, node.attr, node.attr_size, x, s->inputs);
    rv_var side[2] = {s->y, rv_flip(y, 1)};
    rv_program *program = evaluate(s, side, 2, RV_REFERENCE);
    bool ok = program || rv_fail(error, RV_ERROR_ARGUMENT, "%s", rv_tape_error(s->tape)->text);
    double off =
        ok ? difference(rv_program_output(program, 0), rv_program_output(program, 1), true) : 0;
    rv_program_free(program);
    return ok && (off == 0 || rv_fail(error, RV_ERROR_ARGUMENT,
                                      "%s: row i of y does not depend on row i of its inputs "
                                      "alone (off by %.1e), as its by_rows states; fix by_rows",
                                      s->op->name, off));
}

/* ---- derivatives ---- */

static bool check(subject *s, rv_var loss, const rv_var *leaf, int count, const char *order,
                  rv_error *error)
{
    /* Differences of a polynomial are exact: the wider, the less rounding. */
    rv_gradcheck_options options = {.tolerance = s->op->polynomial ? 1e-9 : 1e-7,
                                    .step = s->op->polynomial ? 0.25 : 0,
                                    .inputs = s->value,
                                    .input_count = s->inputs};
    rv_gradcheck_result result[INPUTS];
    if (rv_gradcheck(loss, leaf, count, &options, result)) return true;
    if (rv_tape_error(s->tape)->code)
        return rv_fail(error, RV_ERROR_GRADIENT, "%-s", rv_tape_error(s->tape)->text);
    for (int k = 0; k < count; k++)
        if (result[k].verdict != RV_RIGHT)
            return rv_fail(error, RV_ERROR_GRADIENT,
                           "%s: its %s derivative by %s is %g, but differences say %g (%s)",
                           s->op->name, order, result[k].name, result[k].analytic,
                           result[k].numeric, result[k].reason);
    return false;
}

/* <u, J v> = <J' u, v>: the Jacobian-vector product against the gradients J' u of loss = <u, y>. */
static bool prove_jvp(subject *s, rv_var y, rv_var loss, const rv_var *leaf, int count,
                      rv_error *error)
{
    rv_var v[INPUTS];
    for (int k = 0; k < count; k++)
        v[k] = rv_direction(leaf[k], 3, rv_tape_node(s->tape, leaf[k].id)->name);
    rv_var side[2] = {rv_project(rv_jvp(y, leaf, v, count), 3, "y"),
                      rv_subtract(rv_second_order(loss, leaf, count, 3), loss)};
    rv_program *program = evaluate(s, side, 2, RV_DEFAULT);
    bool ok = program || rv_fail(error, RV_ERROR_GRADIENT, "%-s", rv_tape_error(s->tape)->text);
    double off =
        ok ? difference(rv_program_output(program, 0), rv_program_output(program, 1), true) : 0;
    rv_program_free(program);
    return ok && (off <= 1e-10 ||
                  rv_fail(error, RV_ERROR_GRADIENT,
                          "%s: its Jacobian-vector product is not the adjoint of its gradient "
                          "(off by %.1e); make the gradient rule linear in dy",
                          s->op->name, off));
}

static bool prove_derivatives(subject *s, rv_error *error)
{
    rv_var leaf[INPUTS], gradient[INPUTS], y = rv_cast(s->y, RV_F64), loss = rv_project(y, 3, "y");
    int count = 0;
    for (int k = 0; k < s->inputs; k++)
        if (!is_whole(s, k)) leaf[count++] = s->x[k];
    if (!count) return true;
    if (!rv_gradient(loss, leaf, count, gradient))
        return rv_fail(error, RV_ERROR_GRADIENT, "%-s", rv_tape_error(s->tape)->text);
    if (s->op->zero_gradient) return true;
    rv_var second = rv_second_order(loss, leaf, count, 3);
    return check(s, loss, leaf, count, "first", error) &&
           check(s, second, leaf, count, "second", error) &&
           prove_jvp(s, y, loss, leaf, count, error);
}

/* ---- the op ---- */

static bool prove_refusal(const subject *s, rv_error *error)
{
    const char *text = rv_tape_error(s->tape)->text;
    return strstr(text, s->sample->error) ||
           rv_fail(error, RV_ERROR_ARGUMENT, "%s: should be refused with \"%s\", but is %s%s",
                   s->op->name, s->sample->error, *text ? "with: " : "not", text);
}

static bool prove_sample(const rv_op *op, const rv_sample *sample, rv_dtype dtype, rv_error *error)
{
    subject s;
    bool ok = open_subject(&s, op, sample, dtype, error);
    if (ok && sample->error)
        ok = prove_refusal(&s, error);
    else
        ok = ok && prove_call(&s, error) && prove_values(&s, false, error) &&
             prove_rows(&s, error) && (dtype == RV_F32 || prove_derivatives(&s, error)) &&
             prove_special_values(&s, error);
    close_subject(&s);
    return ok;
}

bool rv_prove_op(const rv_op *op, rv_error *error)
{
    bool ok = true;
    if (!op) return rv_fail(error, RV_ERROR_ARGUMENT, "prove: the op is NULL; give a descriptor");
    if (op->kind == RV_OP_COMPOSITE && !op->call)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s is a composite without a call, which records it; set it", op->name);
    if (!op->sample_count || !(op->reference || op->kind == RV_OP_COMPOSITE))
        return rv_fail(error, RV_ERROR_ARGUMENT, "%s has no %s to be proved with", op->name,
                       op->sample_count ? "reference" : "samples");
    if (!RV_NEEDS_ARRAY(error, op->samples, op->sample_count)) return false;
    for (int i = 0; ok && i < op->sample_count; i++)
        ok = prove_sample(op, &op->samples[i], RV_F32, error) &&
             prove_sample(op, &op->samples[i], RV_F64, error);
    return ok;
}
