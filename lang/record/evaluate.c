#include "lang/record/evaluate.h"

#include <math.h>
#include <string.h>

#include "lang/record/arithmetic.h"
#include "lang/record/call.h"
#include "lang/record/quantity.h"
#include "ops/ops.h"

static lang_value evaluate(lang_run *run, const lang_node *e)
{
    switch (e->kind) {
    case LANG_NUMBER: return rv_lang_of_number(e->number);
    case LANG_TEXT: return (lang_value){.kind = VALUE_WORD, .word = e->name};
    case LANG_NAME: return rv_lang_name(run, e);
    case LANG_LIST: return rv_lang_list(run, e);
    case LANG_CALL: return rv_lang_call(run, e);
    case LANG_APPLY: return e->symbol >= 0 ? rv_lang_map(run, e) : rv_lang_none();
    case LANG_INDEX: return rv_lang_index(run, e);
    case LANG_PRIME: return rv_lang_prime(run, e);
    case LANG_NEGATE: return rv_lang_negate(run, e);
    case LANG_MATMUL: return rv_lang_matmul(run, e);
    case LANG_ADD:
    case LANG_SUBTRACT:
    case LANG_MULTIPLY:
    case LANG_DIVIDE:
    case LANG_POWER:
    case LANG_LESS:
    case LANG_LESS_EQUAL:
    case LANG_GREATER:
    case LANG_GREATER_EQUAL: return rv_lang_arithmetic(run, e);
    case LANG_OVER: return rv_lang_over_loop(run, e);
    default: return rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT, "this is not a value");
    }
}

lang_value rv_lang_evaluate(lang_run *run, const lang_node *e)
{
    if (!rv_lang_proceed(run, e)) return rv_lang_none();
    run->work->depth++;
    lang_value v = evaluate(run, e);
    run->work->depth--;
    return v;
}

/* ---- conversions ---- */

rv_var rv_lang_evaluate_var(lang_run *run, const lang_node *e)
{
    lang_value v = rv_lang_evaluate(run, e);
    return rv_lang_as_var(run, e, &v);
}

rv_var rv_lang_evaluate_real(lang_run *run, const lang_node *e)
{
    return rv_lang_real(rv_lang_evaluate_var(run, e));
}

bool rv_lang_evaluate_whole(lang_run *run, const lang_node *e, int64_t low, int64_t high,
                            int64_t *number)
{
    lang_value v = rv_lang_evaluate(run, e);
    if (v.kind == VALUE_NONE) return false;
    if (v.kind != VALUE_NUMBER)
        rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT, "%s, expected a whole number",
                      rv_lang_value_kind_text(&v));
    else if (!(v.number >= (double)low && v.number <= (double)high) || v.number != floor(v.number))
        rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT,
                      "%.10g, expected a whole number from %lld to %lld", v.number, (long long)low,
                      (long long)high);
    else {
        *number = (int64_t)v.number;
        return true;
    }
    return false;
}

bool rv_lang_evaluate_sizes(lang_run *run, const lang_node *list, bool holes, rv_shape *shape)
{
    *shape = (rv_shape){0};
    for (const lang_node *e = list; e; e = e->next) {
        int64_t size = -1;
        if (shape->rank == RV_MAX_RANK) {
            rv_lang_wrong(run, e->location, RV_ERROR_SHAPE, "more than %d size(s)", RV_MAX_RANK);
            return false;
        }
        if (e->kind == LANG_RANGE || (e->kind == LANG_HOLE && !holes)) {
            rv_lang_wrong(run, e->location, RV_ERROR_SHAPE, "expected a size, a whole number");
            return false;
        }
        if (e->kind != LANG_HOLE && !rv_lang_evaluate_whole(run, e, 1, INT32_MAX, &size))
            return false;
        shape->dim[shape->rank++] = size;
    }
    return true;
}
