/* Operators become the ops that one would write in C: 1 - g is rv_one_minus, x^2 is rv_square, and
 * a gate's mixture g.h + (1 - g).c is rv_lerp. */
#include "lang/record/arithmetic.h"

#include <math.h>

#include "lang/record/evaluate.h"
#include "lang/record/quantity.h"
#include "lang/record/starts.h"
#include "models/cell.h"
#include "ops/ops.h"

/* Whether e is 1 - g. */
static bool complements(const lang_node *e, const lang_node *g)
{
    return e->kind == LANG_SUBTRACT && e->left->kind == LANG_NUMBER && e->left->number == 1 &&
           g->kind == LANG_NAME && rv_lang_same(e->right, g);
}

static const lang_symbol *named_kind(const lang_run *run, const lang_node *e, lang_symbol_kind kind)
{
    if (e->kind != LANG_NAME || e->symbol < 0 || !run->cell) return NULL;
    const lang_symbol *s = &run->block->symbol[e->symbol];
    return s->kind == kind ? s : NULL;
}

/* g.h + (1 - g).c, the two in either order */
typedef struct mixture {
    const lang_node *g, *h, *c;
} mixture;

static bool is_mixture(const lang_run *run, const lang_node *e, mixture *m)
{
    if (e->kind != LANG_ADD || e->left->kind != LANG_MULTIPLY || e->right->kind != LANG_MULTIPLY)
        return false;
    *m = (mixture){e->left->left, e->left->right, e->right->right};
    if (!complements(e->right->left, m->g)) {
        if (!complements(e->left->left, e->right->left)) return false;
        *m = (mixture){e->right->left, e->right->right, e->left->right};
    }
    return !named_kind(run, m->h, SYMBOL_GAIN) && !named_kind(run, m->c, SYMBOL_GAIN);
}

static lang_value mix(lang_run *run, const lang_node *e, const mixture *m)
{
    rv_var start = rv_lang_evaluate_real(run, m->c), end = rv_lang_evaluate_real(run, m->h),
           weight = rv_lang_evaluate_real(run, m->g);
    if (rv_is_null(start) || rv_is_null(end) || rv_is_null(weight)) return rv_lang_none();
    return rv_lang_recorded(run, e->location, rv_lerp(start, end, weight));
}

LANG_APART static rv_var add_or_scale(lang_run *run, const lang_symbol *s, rv_var x)
{
    lang_start start;
    rv_shape shape;
    if (!rv_lang_vector(run, s->definition, &shape, &start)) return rv_lang_null(run);
    return s->kind == SYMBOL_BIAS ? rv_cell_bias_from(run->cell, x, s->name, shape, start.init)
                                  : rv_cell_scale(run->cell, x, s->name, shape, start.init);
}

/* x + b, or b.x along the units. */
static lang_value along_units(lang_run *run, const lang_node *e, const lang_symbol *s,
                              const lang_node *of)
{
    rv_var x = rv_lang_evaluate_real(run, of);
    return rv_is_null(x) ? rv_lang_none()
                         : rv_lang_recorded(run, e->location, add_or_scale(run, s, x));
}

/* The bias in x + b or b + x, or the gain in g.x or x.g, where x is no number; NULL: there is
 * none. */
static const lang_symbol *vector_of(const lang_run *run, const lang_node *e, const lang_node **of)
{
    lang_symbol_kind kind = e->kind == LANG_ADD ? SYMBOL_BIAS : SYMBOL_GAIN;
    const lang_symbol *s = NULL;
    if (e->kind != LANG_ADD && e->kind != LANG_MULTIPLY) return NULL;
    if ((s = named_kind(run, e->right, kind)))
        *of = e->left;
    else if ((s = named_kind(run, e->left, kind)))
        *of = e->right;
    return s && (*of)->kind != LANG_NUMBER ? s : NULL;
}

static double fold(lang_kind kind, double a, double b)
{
    switch (kind) {
    case LANG_ADD: return a + b;
    case LANG_SUBTRACT: return a - b;
    case LANG_MULTIPLY: return a * b;
    case LANG_DIVIDE: return a / b;
    case LANG_LESS: return a < b;
    case LANG_LESS_EQUAL: return a <= b;
    case LANG_GREATER: return a > b;
    case LANG_GREATER_EQUAL: return a >= b;
    default: return pow(a, b);
    }
}

/* Whether x / n equals x times 1 / n, bit for bit. */
static bool halves(double n)
{
    int exponent;
    return fabs(frexp(n, &exponent)) == 0.5 && fabs(n) > 1e-30 && fabs(n) < 1e30;
}

static rv_var both(lang_kind kind, rv_var x, rv_var y)
{
    switch (kind) {
    case LANG_ADD: return rv_add(x, y);
    case LANG_SUBTRACT: return rv_subtract(x, y);
    case LANG_MULTIPLY: return rv_multiply(x, y);
    case LANG_DIVIDE: return rv_divide(x, y);
    case LANG_LESS: return rv_less(x, y);
    case LANG_LESS_EQUAL: return rv_less_equal(x, y);
    case LANG_GREATER: return rv_less(y, x);
    case LANG_GREATER_EQUAL: return rv_less_equal(y, x);
    default: return rv_power(x, y);
    }
}

static rv_var with_number(lang_kind kind, rv_var x, double n)
{
    if (kind == LANG_ADD) return rv_shift(x, n);
    if (kind == LANG_SUBTRACT) return rv_shift(x, -n);
    if (kind == LANG_MULTIPLY) return rv_scale(x, n);
    if (kind == LANG_DIVIDE && halves(n)) return rv_scale(x, 1 / n);
    if (kind == LANG_POWER && n == 2) return rv_square(x);
    return both(kind, x, rv_scalar(x.tape, n));
}

static rv_var number_with(lang_kind kind, double n, rv_var y)
{
    if (kind == LANG_ADD) return rv_shift(y, n);
    if (kind == LANG_SUBTRACT && n == 1) return rv_one_minus(y);
    if (kind == LANG_MULTIPLY) return rv_scale(y, n);
    return both(kind, rv_scalar(y.tape, n), y);
}

LANG_APART static lang_value operate(lang_run *run, const lang_node *e)
{
    lang_value a = rv_lang_evaluate(run, e->left);
    if (a.kind == VALUE_NONE) return rv_lang_none(); /* one mistake per line is enough */
    lang_value b = rv_lang_evaluate(run, e->right);
    if (b.kind == VALUE_NONE) return rv_lang_none();
    if (a.kind == VALUE_NUMBER && b.kind == VALUE_NUMBER) {
        double number = fold(e->kind, a.number, b.number);
        if (isfinite(number)) return rv_lang_of_number(number);
        return rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT, "this is not a finite number");
    }
    if (a.kind == VALUE_VAR) a.var = rv_lang_real(a.var);
    if (b.kind == VALUE_VAR) b.var = rv_lang_real(b.var);
    if (a.kind == VALUE_NUMBER && b.kind == VALUE_VAR)
        return rv_lang_recorded(run, e->location, number_with(e->kind, a.number, b.var));
    if (a.kind == VALUE_VAR && b.kind == VALUE_NUMBER)
        return rv_lang_recorded(run, e->location, with_number(e->kind, a.var, b.number));
    rv_var x = rv_lang_as_var(run, e->left, &a), y = rv_lang_as_var(run, e->right, &b);
    if (rv_is_null(x) || rv_is_null(y)) return rv_lang_none();
    return rv_lang_recorded(run, e->location, both(e->kind, x, y));
}

lang_value rv_lang_arithmetic(lang_run *run, const lang_node *e)
{
    mixture m;
    const lang_node *of = NULL;
    if (is_mixture(run, e, &m)) return mix(run, e, &m);
    const lang_symbol *vector = vector_of(run, e, &of);
    return vector ? along_units(run, e, vector, of) : operate(run, e);
}

/* A factor of @. A transpose becomes a flag of matmul. */
static lang_value factor(lang_run *run, const lang_node *e, bool *transposed)
{
    *transposed = e->kind == LANG_PRIME && e->symbol < 0;
    return rv_lang_evaluate(run, *transposed ? e->operand : e);
}

rv_shape rv_lang_factor_shape(rv_shape a, bool transpose_a, bool transpose_b)
{
    rv_shape b = RV_SHAPE(-1, -1);
    if (a.rank > transpose_a) b.dim[transpose_b] = a.dim[a.rank - 1 - transpose_a];
    return b;
}

LANG_APART static rv_var left_factor(lang_run *run, const lang_node *e, bool *transposed)
{
    bool recall = run->recall;
    run->recall = recall || rv_lang_is_weight(run, e->right);
    lang_value a = factor(run, e->left, transposed);
    run->recall = recall;
    return rv_lang_real(rv_lang_as_var(run, e->left, &a));
}

/* The product with b. May complete the shape of a weight. */
LANG_APART static lang_value times(lang_run *run, const lang_node *e, rv_var x, bool turn_x,
                                   lang_value *b, bool turn_y)
{
    rv_var y = rv_lang_real(
        rv_lang_complete(run, e->right, b, rv_lang_factor_shape(rv_shape_of(x), turn_x, turn_y)));
    if (rv_is_null(y)) return rv_lang_none();
    lang_value v = rv_lang_recorded(run, e->location, rv_matmul(x, y, turn_x, turn_y));
    bool images = rv_shape_of(x).rank == 4 || rv_shape_of(y).rank == 4;
    if (v.kind == VALUE_NONE && images && run->work->report)
        rv_lang_add_hint(run->work->report, "a convolution is conv(x, %s)",
                         run->cell ? "W[3, 3]" : "W[8, _, 3, 3]");
    return v;
}

lang_value rv_lang_matmul(lang_run *run, const lang_node *e)
{
    bool turn_x = false, turn_y = false;
    rv_var x = left_factor(run, e, &turn_x);
    if (rv_is_null(x)) return rv_lang_none();
    lang_value b = factor(run, e->right, &turn_y);
    return times(run, e, x, turn_x, &b, turn_y);
}

lang_value rv_lang_negate(lang_run *run, const lang_node *e)
{
    lang_value v = rv_lang_evaluate(run, e->operand);
    if (v.kind == VALUE_NUMBER) return rv_lang_of_number(-v.number);
    rv_var x = rv_lang_as_var(run, e->operand, &v);
    return rv_is_null(x) ? rv_lang_none() : rv_lang_recorded(run, e->location, rv_negate(x));
}
