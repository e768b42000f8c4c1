#include "lang/record/statements.h"

#include "lang/record/evaluate.h"
#include "lang/record/inner.h"
#include "lang/record/quantity.h"
#include "lang/record/starts.h"
#include "lang/record/unroll.h"
#include "lang/resolve/unrolls.h"
#include "ops/ops.h"
#include "tensor/memory.h"

static bool set_series(lang_run *run, const lang_node *s, rv_var v)
{
    int symbol = s->target->base->symbol;
    int64_t time;
    if (!s->target->indices || s->target->indices->next) {
        rv_lang_wrong(run, s->target->location, RV_ERROR_ARGUMENT,
                      "expected one time step, as in h[2]");
        return false;
    }
    if (!rv_lang_evaluate_whole(run, s->target->indices, 0, LANG_MOST_STEPS, &time)) return false;
    if (time >= run->times[symbol]) {
        size_t room = (size_t)run->times[symbol];
        if (!rv_lang_spend(run, s->location, (time - run->times[symbol]) / 4)) return false;
        if (!rv_reserve(&run->series[symbol], &room, (size_t)time + 1, sizeof **run->series)) {
            rv_lang_wrong(run, s->location, RV_ERROR_MEMORY, "out of memory");
            return false;
        }
        run->times[symbol] = (int64_t)room;
    }
    if (run->series[symbol][time].tape) {
        rv_lang_wrong(run, s->target->location, RV_ERROR_NAME, "%s[%lld] has a value already",
                      s->target->base->name, (long long)time);
        return false;
    }
    if (run->work->named && !(run->cell && run->cell->probe))
        v = run->work->named(run->work->context, run->block, symbol, time, v);
    if (rv_lang_recorded(run, s->location, v).kind == VALUE_NONE) return false;
    run->series[symbol][time] = v;
    return true;
}

void rv_lang_assign(lang_run *run, const lang_node *s, lang_value v)
{
    if (s->target->kind == LANG_INDEX) {
        rv_var x = rv_lang_as_var(run, s->value, &v);
        if (!rv_is_null(x) && s->target->base->symbol >= 0) set_series(run, s, x);
        return;
    }
    int symbol = s->target->symbol;
    if (symbol < 0 || v.kind == VALUE_NONE) return;
    /* Otherwise a number stays a number: it may be a size. */
    if (v.kind == VALUE_PENDING || v.kind == VALUE_LIST || s->target->kind == LANG_PRIME) {
        rv_var x = rv_lang_as_var(run, s->value, &v);
        if (rv_is_null(x)) return;
        v = (lang_value){.kind = VALUE_VAR, .var = x};
        if (s->target->kind == LANG_PRIME) v.var = rv_lang_real(x);
    }
    if (v.kind == VALUE_VAR) {
        const char *given = run->block->symbol[symbol].name;
        int64_t time = run->cell ? run->cell->time + 1 : -1;
        if (s->target->kind == LANG_NAME && !(run->cell && run->cell->probe)) rv_name(v.var, given);
        if (run->work->named && !(run->cell && run->cell->probe))
            v.var = run->work->named(run->work->context, run->block, symbol, time, v.var);
    }
    run->value[symbol] = v;
}

LANG_APART static void loop(lang_run *run, const lang_node *s)
{
    int64_t from, to;
    if (s->symbol < 0 || !rv_lang_evaluate_whole(run, s->from, -1000000, 1000000, &from) ||
        !rv_lang_evaluate_whole(run, s->to, -1000000, 1000000, &to))
        return;
    int64_t by = s->down ? -1 : 1;
    const lang_value outer = run->value[s->symbol];
    for (int64_t t = from; by > 0 ? t <= to : t >= to; t += by) {
        if (!rv_lang_proceed(run, s)) return;
        run->value[s->symbol] = rv_lang_of_number((double)t);
        run->work->depth++;
        rv_lang_statements(run, s->body);
        run->work->depth--;
        run->value[s->symbol] = outer;
    }
}

/* Declares the shape of a state and what it starts from, in the step that a net tries first. */
static bool declare_shape(lang_run *run, const lang_node *d, int s)
{
    rv_shape shape = RV_SCALAR;
    lang_start start;
    if (!run->cell->probe || (!d->sizes && !d->start)) return true;
    if (d->sizes && (!rv_lang_evaluate_sizes(run, d->sizes->items, false, &shape) ||
                     !rv_lang_is_affordable(run, d->location, shape)))
        return false;
    if (!rv_lang_evaluate_start(run, d, rv_init_constant(0), &start) ||
        (d->sizes && !rv_lang_check_start(run, d, &start.init, shape)))
        return false;
    rv_var state = rv_cell_state(run->cell, run->cell->before.h, s, shape, start.init);
    return rv_lang_recorded(run, d->location, state).kind == VALUE_VAR;
}

LANG_APART static void declare_state(lang_run *run, const lang_node *d)
{
    int s = 0;
    while (run->block->state[s] != d->symbol) s++;
    if (!declare_shape(run, d, s)) return;
    lang_value h = rv_lang_recorded(run, d->location, run->cell->before.h[s]);
    bool first = run->cell->taken == 0 && !run->cell->probe && !run->cell->inner;
    if (h.kind == VALUE_VAR && first && run->work->named)
        h.var = run->work->named(run->work->context, run->block, d->symbol, 0, h.var);
    run->value[d->symbol] = h;
}

LANG_APART static void declare(lang_run *run, const lang_node *s)
{
    for (const lang_node *d = s->declared; d; d = d->next) {
        if (d->symbol < 0) continue;
        lang_symbol_kind kind = run->block->symbol[d->symbol].kind;
        if (kind == SYMBOL_STATE) declare_state(run, d);
        bool complete = kind == SYMBOL_CONSTANT || (kind == SYMBOL_PARAMETER && d->sizes);
        for (const lang_node *e = d->sizes ? d->sizes->items : NULL; e; e = e->next)
            complete = complete && e->kind != LANG_HOLE;
        if (complete) rv_lang_use_parameter(run, d, d->symbol, NULL);
    }
}

void rv_lang_statements(lang_run *run, const lang_node *s)
{
    for (; s && rv_lang_proceed(run, s); s = s->next) {
        if (run->cell && run->failed) return; /* the rest of the step would fail, too */
        if (s->kind == LANG_DECLARE) declare(run, s);
        if (s->kind == LANG_DEFINE && run->line)
            run->line(run, s);
        else if (s->kind == LANG_DEFINE && rv_lang_is_inner(s))
            rv_lang_inner(run, s);
        else if (s->kind == LANG_DEFINE && s->value->kind == LANG_UNROLL)
            rv_lang_unroll(run, s);
        else if (s->kind == LANG_DEFINE)
            rv_lang_assign(run, s, rv_lang_evaluate(run, s->value));
        if (s->kind == LANG_FOR) loop(run, s);
    }
}
