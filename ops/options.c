#include "ops/options.h"

#include <limits.h>
#include <math.h>

#include "ops/ops.h"

/* ---- each value by itself ---- */

static bool is_whole(double x) { return fabs(x) <= 0x1p53 && x == floor(x); }

/* What is wrong with the value, as the end of a message; NULL: nothing. */
static const char *mistake(const rv_option *option, const rv_option_value *v)
{
    const bool list = option->kind == RV_OPTION_LIST, word = option->kind == RV_OPTION_WORD;
    if (option->required && ((list && v->count == 0) || (word && !v->word)))
        return "is not given; give it";
    if (list && (v->count < 0 || v->count > RV_MAX_RANK))
        return "is too long a list, expected at most 6 numbers; give fewer";
    if (option->kind == RV_OPTION_WHOLE && !is_whole(v->number))
        return "is no whole number within 2^53; round it";
    if (option->kind == RV_OPTION_FLAG && v->number != 0 && v->number != 1)
        return "is neither true nor false; give one of them";
    if (option->kind == RV_OPTION_NUMBER && !isfinite(v->number))
        return "is no finite number; give one";
    return NULL;
}

static void refuse(rv_arguments *a, int i, const char *why)
{
    const rv_option *o = &a->op->options[i];
    if (o->kind == RV_OPTION_LIST || o->kind == RV_OPTION_WORD)
        rv_tape_fail(a->x[0].tape, RV_ERROR_ARGUMENT, "%s: %s %s", a->op->name, o->name, why);
    else
        rv_tape_fail(a->x[0].tape, RV_ERROR_ARGUMENT, "%s: %s %g %s", a->op->name, o->name,
                     a->value[i].number, why);
    a->ok = false;
}

static bool check_inputs(const rv_op *op, const rv_var *x, int inputs, rv_tape *tape)
{
    if (op->inputs < 0 ? inputs < 1 : inputs != op->inputs) {
        rv_tape_fail(tape, RV_ERROR_ARGUMENT, "%s: %d input(s), expected %s (%s)", op->name, inputs,
                     op->inputs < 0 ? "at least 1" : op->args, op->formula);
        return false;
    }
    for (int k = 0; k < inputs; k++)
        if (rv_is_null(x[k])) {
            rv_tape_fail(tape, RV_ERROR_ARGUMENT, "%s: input %d is a null var; check what made it",
                         op->name, k);
            return false;
        }
    return true;
}

rv_var rv_op_call(const rv_op *op, const rv_var *x, int inputs, const rv_option_value *value)
{
    rv_tape *tape = NULL;
    for (int k = 0; x && k < inputs && !tape; k++) tape = x[k].tape;
    const rv_var null = {tape, -1};
    if (!op)
        return rv_tape_fail(tape, RV_ERROR_ARGUMENT, "call: the op is NULL; give a descriptor");
    if (!tape || !check_inputs(op, x, inputs, tape)) return null;
    if (!op->call)
        return rv_tape_fail(tape, RV_ERROR_ARGUMENT, "%s: the op has no call; set one", op->name);
    if (op->option_count && !value)
        return rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                            "%s: no values for its options; give one for each", op->name);
    rv_arguments a = {.op = op, .x = x, .inputs = inputs, .value = value, .ok = true};
    for (int i = 0; a.ok && i < op->option_count; i++) {
        const char *why = mistake(&op->options[i], &value[i]);
        if (why) refuse(&a, i, why);
    }
    const rv_var y = a.ok ? op->call(&a) : null;
    return a.ok ? y : null;
}

/* ---- numbers and words ---- */

/* Option i; a list or word that is absent, for an op that has no option i. */
static const rv_option_value *value_of(const rv_arguments *a, int i)
{
    static const rv_option_value absent = {.number = 1};
    return a && i >= 0 && i < a->op->option_count ? &a->value[i] : &absent;
}

/* Whether there is an option i and no value was refused yet. */
static bool is_ok(const rv_arguments *a, int i)
{
    return a && a->ok && i >= 0 && i < a->op->option_count;
}

double rv_option_number(const rv_arguments *a, int i) { return value_of(a, i)->number; }
bool rv_option_flag(const rv_arguments *a, int i) { return value_of(a, i)->number != 0; }

int64_t rv_option_whole(const rv_arguments *a, int i)
{
    return is_ok(a, i) ? (int64_t)a->value[i].number : 1;
}

int64_t rv_option_positive(rv_arguments *a, int i)
{
    if (is_ok(a, i) && a->value[i].number < 1) refuse(a, i, "is less than 1; give at least 1");
    return rv_option_whole(a, i);
}

int rv_option_axis(rv_arguments *a, int i)
{
    if (is_ok(a, i) && fabs(a->value[i].number) > INT_MAX)
        refuse(a, i, "is no axis; use 0 .. rank-1");
    return (int)rv_option_whole(a, i);
}

rv_dtype rv_option_dtype(rv_arguments *a, int i)
{
    rv_dtype dtype = RV_F32;
    rv_error error = {0};
    if (is_ok(a, i) && !rv_dtype_parse(a->value[i].word, &dtype, &error)) {
        rv_tape_fail(a->x[0].tape, error.code, "%s: %-s", a->op->name, error.text);
        a->ok = false;
    }
    return dtype;
}

/* ---- lists ---- */

/* Axis k of a list; 0, with an error, if x has no such axis. */
static int axis_of(rv_arguments *a, int i, int k)
{
    const int64_t rank = rv_shape_of(a->x[0]).rank, given = a->value[i].list[k];
    const int64_t at = given < 0 ? given + rank : given;
    if (at >= 0 && at < rank) return (int)at;
    rv_tape_fail(a->x[0].tape, RV_ERROR_ARGUMENT,
                 "%s: axis %lld of a tensor of rank %lld; use 0 .. rank-1", a->op->name,
                 (long long)given, (long long)rank);
    a->ok = false;
    return 0;
}

unsigned rv_option_axes(rv_arguments *a, int i)
{
    unsigned axes = 0;
    if (!is_ok(a, i) || a->value[i].count == 0) return RV_ALL_AXES;
    for (int k = 0; k < a->value[i].count; k++) {
        const unsigned axis = 1u << axis_of(a, i, k);
        if (is_ok(a, i) && axes & axis) refuse(a, i, "names an axis twice; name each once");
        axes |= axis;
    }
    return axes;
}

/* Whether a list has as many numbers as x has axes, or is absent. */
static bool is_per_axis(rv_arguments *a, int i)
{
    const int64_t rank = rv_shape_of(a->x[0]).rank;
    if (a->value[i].count == 0 || a->value[i].count == rank) return true;
    rv_tape_fail(a->x[0].tape, RV_ERROR_ARGUMENT,
                 "%s: %s has %d number(s), expected %lld; give one for each axis", a->op->name,
                 a->op->options[i].name, a->value[i].count, (long long)rank);
    return a->ok = false;
}

const int *rv_option_order(rv_arguments *a, int i, int axis[RV_MAX_RANK])
{
    if (!axis || !is_ok(a, i) || !is_per_axis(a, i) || a->value[i].count == 0) return NULL;
    for (int k = 0; k < a->value[i].count; k++) axis[k] = axis_of(a, i, k);
    return axis;
}

rv_shape rv_option_shape(const rv_arguments *a, int i)
{
    rv_shape shape = {0};
    if (!is_ok(a, i)) return shape;
    shape.rank = a->value[i].count;
    for (int d = 0; d < a->value[i].count; d++) shape.dim[d] = a->value[i].list[d];
    return shape;
}

static int64_t default_of(const rv_arguments *a, int i)
{
    if (!a || i < 0 || i >= a->op->option_count) return 1;
    const double value = a->op->options[i].default_value;
    return is_whole(value) ? (int64_t)value : 0;
}

void rv_option_widths(rv_arguments *a, int i, int64_t width[RV_MAX_RANK])
{
    if (!width) return;
    const bool fits = is_ok(a, i) && is_per_axis(a, i) && a->value[i].count > 0;
    for (int d = 0; d < RV_MAX_RANK; d++)
        width[d] = !fits ? default_of(a, i) : d < a->value[i].count ? a->value[i].list[d] : 0;
}

/* Spreads a list of 1 number, of 2 (down, across) or of `most` to `most` numbers, each at least
 * `least`. */
static void spread(rv_arguments *a, int i, int most, int64_t least, int64_t *to)
{
    if (!to) return;
    const rv_option_value *v = value_of(a, i);
    const int64_t default_value = default_of(a, i);
    const bool fits = is_ok(a, i) && (v->count <= 2 || v->count == most);
    for (int k = 0; k < most; k++) {
        const int from = v->count == most ? k : v->count == 2 ? k / 2 : 0;
        to[k] = fits && v->count > 0 ? v->list[from] : default_value;
        if (is_ok(a, i) && to[k] < least)
            refuse(a, i,
                   least ? "has a number below 1; give at least 1"
                         : "has a number below 0; use pad to crop");
    }
    if (is_ok(a, i) && !fits)
        refuse(a, i,
               most == 4
                   ? "has neither 1 nor 2 nor 4 numbers: all, or down, across, or top, bottom, "
                     "left, right; give one of these"
                   : "has neither 1 nor 2 numbers: both, or down, across; give one of these");
}

void rv_option_pair(rv_arguments *a, int i, int64_t least, int64_t pair[2])
{
    spread(a, i, 2, least, pair);
}

void rv_option_sides(rv_arguments *a, int i, int64_t side[4]) { spread(a, i, 4, 0, side); }
