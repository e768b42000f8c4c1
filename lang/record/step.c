#include "lang/record/step.h"

#include <stdio.h>

#include "lang/record/evaluate.h"
#include "lang/record/starts.h"
#include "lang/record/statements.h"
#include "ops/ops.h"

/* The first value of a state: as declared, or h, which the net gives. */
static rv_var first_state(lang_run *run, int s, rv_var h)
{
    const lang_symbol *symbol = &run->block->symbol[run->block->state[s]];
    const rv_rnn_options *o = run->cell->options;
    rv_shape shape = rv_shape_of(h), one = shape;
    lang_start start;
    if (!symbol->definition->start || run->cell->taken > 0) return h;
    if (o->initial && !rv_is_null(o->initial[0].h[s])) return h;
    if (!rv_lang_evaluate_start(run, symbol->definition, rv_init_constant(0), &start))
        return (rv_var){run->tape, -1};
    if (run->cell->probe) return h;
    if (o->learned_start) {
        rv_lang_wrong(run, symbol->definition->location, RV_ERROR_ARGUMENT,
                      "the state \"%s\" starts as stated here, so learned_start has no effect on "
                      "it; remove one of the two",
                      symbol->name);
        return (rv_var){run->tape, -1};
    }
    if (start.init.kind == RV_INIT_CONSTANT) return rv_full(run->tape, shape, start.init.a);
    char name[RV_CELL_NAME + LANG_MOST_NAME];
    one.dim[0] = 1;
    snprintf(name, sizeof name, "%s%s/start", run->cell->prefix, symbol->name);
    return rv_broadcast(rv_state(run->tape, name, one, start.init), shape);
}

static void trace(const lang_use *use, const lang_run *run, int symbol, int64_t time, rv_var v)
{
    lang_trace *t = use->trace;
    bool forward = rv_current_origin(run->tape).direction == 0;
    if (t && !run->cell->probe && forward && time >= 0 && time <= t->steps)
        t->value[time * run->block->symbols + symbol] = v;
}

/* Traces all values that a step has named. */
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

/* Checks the declared shape of a state, which is that of one sample. */
static bool check_shape(lang_run *run, int s)
{
    const lang_node *made = run->block->symbol[run->block->state[s]].definition;
    rv_shape expected,
        seen = rv_shape_of(run->value[run->block->symbol[run->block->state[s]].next].var);
    char a[RV_SHAPE_TEXT], b[RV_SHAPE_TEXT];
    if (!made->sizes) return true;
    if (!rv_lang_evaluate_sizes(run, made->sizes->items, false, &expected)) return false;
    bool same = seen.rank == expected.rank + 1;
    for (int64_t d = 0; same && d < expected.rank; d++) same = expected.dim[d] == seen.dim[d + 1];
    if (same || run->cell->probe) return true; /* a probe may begin with other sizes */
    rv_lang_wrong(run, made->location, RV_ERROR_SHAPE,
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
        lang_value first = rv_lang_recorded(run, b->node->location, first_state(run, s, h[s]));
        run->value[b->state[s]] = first;
        if (first.kind == VALUE_NONE) return false;
        if (run->cell->taken > 0 || run->cell->probe) continue;
        if (run->work->named)
            first.var = run->work->named(run->work->context, b, b->state[s], 0, first.var);
        run->value[b->state[s]] = first;
        trace(use, run, b->state[s], 0, first.var);
    }
    rv_lang_statements(run, b->node->body);
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
    k->h = NULL; /* a text itself says where states are read beside weights */
    lang_work own = {.left = LANG_MOST_WORK};
    lang_work *work = use->work ? use->work : &own;
    lang_run run;
    if (!use->work) own.nodes = rv_tape_count(k->tape);
    bool ok = rv_lang_start_run(&run, use->cell, work, k->tape);
    run.cell = k;
    ok = ok && rv_lang_spend(&run, use->cell->node->location, use->cell->symbols / 4);
    if (!ok || !step(use, &run, x, h)) {
        for (int s = 0; s < RV_CELL_STATES; s++) h[s] = (rv_var){k->tape, -1};
        if (!rv_tape_error(k->tape)->code) /* it is in the report */
            rv_tape_fail(k->tape, RV_ERROR_ARGUMENT, "the cell \"%s\" has mistakes; see its report",
                         use->cell->name);
    }
    rv_lang_end_run(&run);
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
