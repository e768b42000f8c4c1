#include "ops/options_internal.h"

#include <limits.h>
#include <math.h>

#include "ops/index_internal.h"

/* ---- each value by itself ---- */

static bool is_whole(double x) { return fabs(x) <= 0x1p53 && x == floor(x); }

/* What is wrong with the value, said behind "op: option "; NULL: nothing. */
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

static void refuse(rv_given *g, int i, const char *why)
{
    const rv_option *o = &g->op->options[i];
    if (o->kind == RV_OPTION_LIST || o->kind == RV_OPTION_WORD)
        rv_tape_fail(g->x.tape, RV_ERROR_ARGUMENT, "%s: %s %s", g->op->name, o->name, why);
    else
        rv_tape_fail(g->x.tape, RV_ERROR_ARGUMENT, "%s: %s %g %s", g->op->name, o->name,
                     g->value[i].number, why);
    g->ok = false;
}

static void check_inputs(rv_given *g, const rv_var *x, int inputs)
{
    const rv_op *op = g->op;
    g->ok = op->inputs < 0 ? inputs > 0 : inputs == op->inputs;
    if (!g->ok)
        rv_tape_fail(g->x.tape, RV_ERROR_ARGUMENT, "%s: %d inputs, expected %s (%s)", op->name,
                     inputs, op->inputs < 0 ? "at least 1" : op->args, op->formula);
    for (int k = 0; g->ok && k < inputs; k++)
        if (rv_is_null(x[k])) {
            rv_tape_fail(g->x.tape, RV_ERROR_ARGUMENT,
                         "%s: input %d is a null var; check what made it", op->name, k);
            g->ok = false;
        }
}

rv_given rv_given_to(const rv_op *op, const rv_var *x, int inputs, const rv_option_value *value)
{
    rv_given g = {.op = op, .x = {NULL, -1}, .value = value};
    for (int k = inputs - 1; x && k >= 0; k--)
        if (x[k].tape) g.x = x[k];
    if (!g.x.tape) return g; /* nowhere to put an error */
    check_inputs(&g, x, inputs);
    if (g.ok && op->option_count && !value) {
        rv_tape_fail(g.x.tape, RV_ERROR_ARGUMENT,
                     "%s: no values for its options; give one for each", op->name);
        g.ok = false;
    }
    for (int i = 0; g.ok && i < op->option_count; i++) {
        const char *why = mistake(&op->options[i], &value[i]);
        if (why) refuse(&g, i, why);
    }
    return g;
}

/* ---- numbers and words ---- */

int64_t rv_given_whole(rv_given *g, int i) { return g->ok ? (int64_t)g->value[i].number : 1; }

int64_t rv_given_positive(rv_given *g, int i)
{
    if (g->ok && g->value[i].number < 1) refuse(g, i, "is less than 1; give at least 1");
    return rv_given_whole(g, i);
}

int rv_given_axis(rv_given *g, int i)
{
    if (g->ok && fabs(g->value[i].number) > INT_MAX) refuse(g, i, "is no axis; use 0 .. rank-1");
    return (int)rv_given_whole(g, i);
}

rv_dtype rv_given_dtype(rv_given *g, int i)
{
    rv_dtype dtype = RV_F32;
    rv_error error = {0};
    if (g->ok && !rv_dtype_parse(g->value[i].word, &dtype, &error)) {
        rv_tape_fail(g->x.tape, error.code, "%s: %s", g->op->name, error.text);
        g->ok = false;
    }
    return dtype;
}

/* ---- lists ---- */

/* The k-th of a list of axes; 0, refused, if x has none such. */
static int axis_of(rv_given *g, int i, int k)
{
    const int64_t rank = rv_shape_of(g->x).rank, given = g->value[i].list[k];
    const int64_t at = given < 0 ? given + rank : given;
    if (at >= 0 && at < rank) return (int)at;
    rv_tape_fail(g->x.tape, RV_ERROR_ARGUMENT,
                 "%s: axis %lld of a tensor of rank %lld; use 0 .. rank-1", g->op->name,
                 (long long)given, (long long)rank);
    g->ok = false;
    return 0;
}

unsigned rv_given_axes(rv_given *g, int i)
{
    unsigned axes = 0;
    if (!g->ok || g->value[i].count == 0) return RV_ALL_AXES;
    for (int k = 0; k < g->value[i].count; k++) {
        const unsigned axis = 1u << axis_of(g, i, k);
        if (g->ok && axes & axis) refuse(g, i, "names an axis twice; name each once");
        axes |= axis;
    }
    return axes;
}

/* Whether a list that is given has as many numbers as x has axes. */
static bool is_per_axis(rv_given *g, int i)
{
    const int64_t rank = rv_shape_of(g->x).rank;
    if (g->value[i].count == 0 || g->value[i].count == rank) return true;
    rv_tape_fail(g->x.tape, RV_ERROR_ARGUMENT,
                 "%s: %s has %d numbers, expected %lld; give one for each axis", g->op->name,
                 g->op->options[i].name, g->value[i].count, (long long)rank);
    return g->ok = false;
}

const int *rv_given_order(rv_given *g, int i, int axis[RV_MAX_RANK])
{
    if (!g->ok || !is_per_axis(g, i) || g->value[i].count == 0) return NULL;
    for (int k = 0; k < g->value[i].count; k++) axis[k] = axis_of(g, i, k);
    return axis;
}

rv_shape rv_given_shape(const rv_given *g, int i)
{
    rv_shape shape = {0};
    if (!g->ok) return shape;
    shape.rank = g->value[i].count;
    for (int d = 0; d < g->value[i].count; d++) shape.dim[d] = g->value[i].list[d];
    return shape;
}

void rv_given_widths(rv_given *g, int i, int64_t width[RV_MAX_RANK])
{
    const bool fits = g->ok && is_per_axis(g, i) && g->value[i].count > 0;
    for (int d = 0; d < RV_MAX_RANK; d++)
        width[d] = !fits                   ? (int64_t)g->op->options[i].default_value
                   : d < g->value[i].count ? g->value[i].list[d]
                                           : 0;
}

/* `most` numbers from a list of 1, 2 or most: all of them, down and across, or each; none less than `least`. */
static void spread(rv_given *g, int i, int most, int64_t least, int64_t *to)
{
    const rv_option_value *v = &g->value[i];
    const int64_t default_value = (int64_t)g->op->options[i].default_value;
    const bool fits = g->ok && (v->count <= 2 || v->count == most);
    for (int k = 0; k < most; k++) {
        const int from = v->count == most ? k : v->count == 2 ? k / 2 : 0;
        to[k] = fits && v->count > 0 ? v->list[from] : default_value;
        if (g->ok && to[k] < least)
            refuse(g, i,
                   least ? "has a number below 1; give at least 1"
                         : "has a number below 0; use pad to crop");
    }
    if (g->ok && !fits)
        refuse(g, i,
               most == 4
                   ? "has neither 1 nor 2 nor 4 numbers: all, or down, across, or top, bottom, "
                     "left, right; give one of these"
                   : "has neither 1 nor 2 numbers: both, or down, across; give one of these");
}

void rv_given_pair(rv_given *g, int i, int64_t least, int64_t pair[2])
{
    spread(g, i, 2, least, pair);
}

void rv_given_sides(rv_given *g, int i, int64_t side[4]) { spread(g, i, 4, 0, side); }
