/* A cell's text as the step of a recurrent net, and nets of such cells. */
#include <stdio.h>
#include <string.h>

#include "lang/evaluate.h"
#include "lang/options.h"
#include "ops/ops.h"
#include "tensor/memory.h"

/* ---- a step ---- */

/* Where a state that is declared with a value begins; otherwise nets say. */
static rv_var first_state(lang_run *run, int s, rv_var h)
{
    const lang_symbol *symbol = &run->block->symbol[run->block->state[s]];
    const rv_rnn_options *o = run->cell->options;
    rv_shape shape = rv_shape_of(h), one = shape;
    rv_init init = rv_init_constant(0);
    if (!symbol->made->b || run->cell->taken > 0) return h;
    if (o->initial && !rv_is_null(o->initial[0].h[s])) return h;
    if (!rv_lang_evaluate_init(run, symbol->made, &init)) return (rv_var){run->tape, -1};
    if (run->cell->probe) return h;
    if (init.kind == RV_INIT_CONSTANT) return rv_full(run->tape, shape, init.a);
    char name[RV_CELL_NAME + LANG_MOST_NAME];
    one.dim[0] = 1;
    snprintf(name, sizeof name, "%s%s/start", run->cell->prefix, symbol->name);
    return rv_broadcast(rv_state(run->tape, name, one, init), shape);
}

static void trace(const lang_use *use, const lang_run *run, int symbol, int64_t time, rv_var v)
{
    lang_trace *t = use->trace;
    bool forward = run->cell->time == run->cell->taken;
    if (t && !run->cell->probe && forward && time >= 0 && time <= t->steps)
        t->value[time * run->block->symbols + symbol] = v;
}

/* Everything that a step has named. */
static void trace_all(const lang_use *use, const lang_run *run)
{
    const lang_block *b = run->block;
    for (int i = 0; i < b->symbols; i++) {
        int from = b->symbol[i].kind == SYMBOL_STATE ? b->symbol[i].next : i;
        if ((b->symbol[i].kind == SYMBOL_VALUE || b->symbol[i].kind == SYMBOL_STATE) && from >= 0 &&
            run->value[from].kind == VALUE_VAR)
            trace(use, run, i, run->cell->time + 1, run->value[from].var);
    }
}

/* The declared size of a state, for one sample. */
static bool check_shape(lang_run *run, int s)
{
    const lang_node *made = run->block->symbol[run->block->state[s]].made;
    rv_shape expected,
        seen = rv_shape_of(run->value[run->block->symbol[run->block->state[s]].next].var);
    char a[RV_SHAPE_TEXT], b[RV_SHAPE_TEXT];
    if (!made->a) return true;
    if (!rv_lang_evaluate_sizes(run, made->a->a, false, &expected)) return false;
    bool same = seen.rank == expected.rank + 1;
    for (int64_t d = 0; same && d < expected.rank; d++) same = expected.dim[d] == seen.dim[d + 1];
    if (same || run->cell->probe) return true; /* a probe may begin with other sizes */
    rv_lang_wrong(run, made->place, RV_ERROR_SHAPE,
                  "the state \"%s\" becomes %s, expected %s of each sample", made->name,
                  rv_shape_text(seen, a), rv_shape_text(expected, b));
    return false;
}

static bool step(const lang_use *use, lang_run *run, rv_var x, rv_var *h)
{
    const lang_block *b = run->block;
    for (int i = 0; i < b->symbols; i++)
        if (b->symbol[i].kind == SYMBOL_INPUT)
            run->value[i] = (lang_value){.kind = VALUE_VAR, .var = x};
    for (int s = 0; s < b->states; s++) {
        lang_value first = rv_lang_recorded(run, b->node->place, first_state(run, s, h[s]));
        run->value[b->state[s]] = first;
        if (first.kind == VALUE_NONE) return false;
        if (run->cell->taken > 0 || run->cell->probe) continue;
        if (run->work->named)
            first.var = run->work->named(run->work->context, b, b->state[s], 0, first.var);
        run->value[b->state[s]] = first;
        trace(use, run, b->state[s], 0, first.var);
    }
    rv_lang_statements(run, b->node->c);
    bool ok = !b->wrong;
    for (int s = 0; s < b->states; s++) {
        const lang_value *next = &run->value[b->symbol[b->state[s]].next];
        ok = ok && next->kind == VALUE_VAR && check_shape(run, s);
        h[s] = ok ? next->var : (rv_var){run->tape, -1};
    }
    if (ok) trace_all(use, run);
    return ok;
}

void rv_lang_take_step(const lang_use *use, rv_cell *k, rv_var x, rv_var *h)
{
    lang_work own = {.left = LANG_MOST_WORK};
    lang_work *work = use->work ? use->work : &own;
    lang_run run;
    if (!use->work) own.nodes = rv_tape_count(k->tape);
    bool ok = rv_lang_start(&run, use->cell, work, k->tape);
    run.cell = k;
    ok = ok && rv_lang_spend(&run, use->cell->node->place, use->cell->symbols / 4);
    if (!ok || !step(use, &run, x, h)) {
        for (int s = 0; s < RV_CELL_STATES; s++) h[s] = (rv_var){k->tape, -1};
        if (!rv_tape_error(k->tape)->code) /* it is in the report */
            rv_tape_fail(k->tape, RV_ERROR_ARGUMENT, "the cell \"%s\" has mistakes; see its report",
                         use->cell->name);
    }
    rv_lang_end(&run);
}

void rv_lang_step(rv_cell *k, rv_var x, rv_var *h)
{
    const lang_use *use = rv_cell_options(k)->user;
    if (use)
        rv_lang_take_step(use, k, x, h);
    else
        h[0] =
            rv_tape_fail(k->tape, RV_ERROR_ARGUMENT,
                         "unroll: the step of a text needs its text; set the options' user to the "
                         "model's, or use rv_model_record");
}

/* ---- nets ---- */

static bool set_options(lang_run *run, const lang_node *call, rv_rnn_options *o)
{
    for (const lang_node *a = call->a; a; a = a->next) {
        if (a->kind != LANG_OPTION) continue;
        rv_guess none = {.seen = a->name};
        int option = rv_lang_net_option(a->name, &none);
        if (option < 0) continue; /* a state */
        const char *expected = "";
        lang_value v = rv_lang_evaluate(run, a->a);
        if (v.kind == VALUE_NONE) return false;
        bool plain = v.kind == VALUE_NUMBER || v.kind == VALUE_WORD;
        if (plain && rv_lang_set_net_option(o, option, v.number, v.word, &expected)) continue;
        rv_lang_wrong(run, a->place, RV_ERROR_ARGUMENT, "%s takes %s", a->name,
                      plain ? expected : "a number");
        return false;
    }
    return true;
}

bool rv_lang_alias_options(lang_run *run, const lang_block *cell, rv_rnn_options *options)
{
    lang_run own = {0};
    if (!cell->same) return true;
    if (!rv_lang_alias_options(run, cell->same, options)) return false;
    bool ok = rv_lang_start(&own, cell, run->work, run->tape) &&
              set_options(&own, cell->node->b, options);
    if (own.block) rv_lang_end(&own);
    return ok;
}

/* The states that the call gives: gru(x, h=h0). */
static bool given_states(lang_run *run, const lang_node *call, const lang_block *cell,
                         rv_states *initial, bool *any)
{
    *any = false;
    for (const lang_node *a = call->a; a; a = a->next)
        for (int s = 0; a->kind == LANG_OPTION && s < cell->states; s++) {
            if (strcmp(cell->symbol[cell->state[s]].name, a->name)) continue;
            initial->h[s] = rv_lang_evaluate_var(run, a->a);
            if (rv_is_null(initial->h[s])) return false;
            *any = true;
        }
    return true;
}

/* A given state of one sample is meant for all of them. */
static void for_all_samples(rv_states *initial, rv_var x)
{
    for (int s = 0; s < RV_CELL_STATES; s++) {
        rv_shape shape = rv_shape_of(initial->h[s]);
        if (rv_is_null(initial->h[s]) || !shape.rank || shape.dim[0] != 1) continue;
        shape.dim[0] = rv_shape_of(x).dim[0];
        initial->h[s] = rv_broadcast(initial->h[s], shape);
    }
}

/* Tells why, unless it has been told inside the cell. */
static lang_value unroll_failed(lang_run *run, const lang_node *e, bool told)
{
    rv_error error = {0};
    lang_trace *t = &run->trace[e->symbol];
    rv_free(t->value);
    t->value = NULL;
    if ((run->work->report || !told) && rv_tape_take_error(run->tape, &error) && !told)
        rv_lang_wrong(run, e->place, error.code, "%s", error.text);
    run->failed = true;
    return (lang_value){.kind = VALUE_NONE};
}

lang_value rv_lang_unroll(lang_run *run, const lang_node *e)
{
    lang_value none = {.kind = VALUE_NONE};
    const lang_block *cell = e->a->block, *base = cell;
    while (base && base->same) base = base->same;
    if (!base || base->wrong || e->symbol < 0) return none;

    const lang_node *input = e->a->a;
    while (input && input->kind == LANG_OPTION) input = input->next;
    rv_var x = input ? rv_lang_evaluate_var(run, input) : (rv_var){run->tape, -1};
    int64_t steps = rv_shape_of(x).rank > 1 ? rv_shape_of(x).dim[1] : 0;
    if (rv_is_null(x) || (e->b && !rv_lang_evaluate_whole(run, e->b, 1, LANG_MOST_STEPS, &steps)))
        return none;
    char text[RV_SHAPE_TEXT];
    if (!e->b && rv_shape_of(x).rank < 3)
        return rv_lang_wrong(
            run, e->place, RV_ERROR_SHAPE,
            "a sequence is [n,steps,..], but this is %s; else say how often: unroll "
            "%s(..) for 2 steps",
            rv_shape_text(rv_shape_of(x), text), e->a->name);
    if (steps > LANG_MOST_STEPS)
        return rv_lang_wrong(run, e->place, RV_ERROR_SHAPE,
                             "a sequence of %lld steps, expected at most %d", (long long)steps,
                             LANG_MOST_STEPS);
    if (!rv_lang_spend(run, e->place, steps * (base->symbols + 8) / 8)) return none;

    lang_trace *t = &run->trace[e->symbol];
    lang_use use = {.cell = base, .work = run->work, .trace = t};
    rv_states initial[1] = {{{{0}}}};
    bool states;
    for (int s = 0; s < RV_CELL_STATES; s++) initial->h[s] = (rv_var){run->tape, -1};
    rv_rnn_options o = {.bias = true, .user = &use};
    if (!rv_lang_alias_options(run, cell, &o) || !set_options(run, e->a, &o) ||
        !given_states(run, e->a, base, initial, &states))
        return none;
    for_all_samples(initial, x);
    if (states) o.initial = initial;
    if (states && (o.layers > 1 || o.bidirectional))
        return rv_lang_wrong(run, e->place, RV_ERROR_ARGUMENT,
                             "states are given to one layer in one direction only");
    t->cell = base;
    t->steps = steps;
    t->name = o.name;
    t->value = rv_alloc((size_t)(steps + 1), (size_t)base->symbols * sizeof *t->value);
    if (!t->value) return rv_lang_wrong(run, e->place, RV_ERROR_MEMORY, "memory is out");
    lang_report *report = run->work->report;
    bool own = base->node->place.source == e->place.source; /* else it is told here, in one piece */
    run->work->told = false;
    if (!own) run->work->report = NULL;
    rv_var h = e->b ? rv_unroll_with(rv_lang_step, x, steps, o)
                    : rv_unroll_sequence(rv_lang_step, x, o, NULL);
    lang_value v = {.kind = rv_is_null(h) ? VALUE_NONE : VALUE_VAR, .var = h};
    run->work->report = report;
    return v.kind == VALUE_VAR ? v : unroll_failed(run, e, run->work->told && (own || !report));
}
