#include "lang/record/step.h"

#include "lang/record/statements.h"
#include "ops/ops.h"

static void trace(const lang_use *use, const lang_run *run, int symbol, int64_t time, rv_var v)
{
    lang_trace *t = use->trace;
    bool forward = rv_current_origin(run->tape).direction == 0;
    if (t && !run->cell->probe && forward && time >= 0 && time <= t->last)
        t->value[time * run->block->symbols + symbol] = v;
}

/* Traces all values that a step has named. */
LANG_APART static void trace_all(const lang_use *use, const lang_run *run)
{
    const lang_block *b = run->block;
    for (int i = 0; i < b->symbols; i++) {
        int from = b->symbol[i].kind == SYMBOL_STATE ? b->symbol[i].next : i;
        bool named = b->symbol[i].kind == SYMBOL_VALUE || b->symbol[i].kind == SYMBOL_STATE;
        if (!named || from < 0) continue;
        const lang_value *v = &run->value[from];
        if (v->kind == VALUE_VAR) trace(use, run, i, run->cell->time + 1, v->var);
        if (v->kind == VALUE_NUMBER && use->trace)
            trace(use, run, i, run->cell->time + 1, rv_scalar(run->tape, v->number));
    }
}

/* Gives the cell around this one the values that it names. */
LANG_APART static void publish(const lang_use *use, const lang_run *run)
{
    const lang_block *around = use->around->block;
    for (int i = 0; i < around->symbols; i++) {
        const lang_symbol *s = &around->symbol[i];
        if (s->line == use->line && s->kind == SYMBOL_VALUE)
            use->around->value[i] = run->value[s->inner];
    }
}

/* Whether the next value of a state has the shape of the state. A net tries the step with shapes
 * that may still change. */
LANG_APART static bool check_shape(lang_run *run, int s)
{
    const lang_node *made = run->block->symbol[run->block->state[s]].definition;
    rv_var next = run->value[run->block->symbol[run->block->state[s]].next].var;
    rv_var h = run->cell->before.h[s];
    char a[RV_SHAPE_TEXT], b[RV_SHAPE_TEXT];
    if (run->cell->probe || rv_shape_equal(rv_shape_of(next), rv_shape_of(h))) return true;
    rv_lang_wrong(run, made->location, RV_ERROR_SHAPE,
                  "the next value of the state \"%s\" is %s, expected %s as declared", made->name,
                  rv_shape_text(rv_shape_of(next), a), rv_shape_text(rv_shape_of(h), b));
    return false;
}

static bool step(const lang_use *use, lang_run *run, rv_var x, rv_var *h)
{
    const lang_block *b = run->block;
    if (b->inputs != run->cell->options->input_count + 1) {
        rv_lang_wrong(run, b->node->location, RV_ERROR_ARGUMENT,
                      "the cell \"%s\" has %d inputs, but is given %d; unroll it in a model",
                      b->name, b->inputs, run->cell->options->input_count + 1);
        return false;
    }
    for (int i = 0; i < b->inputs; i++) {
        rv_var input = i ? rv_cell_input(run->cell, i - 1) : x;
        run->value[b->input[i]] = rv_lang_recorded(run, b->node->location, input);
    }
    rv_lang_statements(run, b->node->body);
    bool ok = !b->wrong;
    for (int s = 0; s < b->states; s++) {
        const lang_value *next = &run->value[b->symbol[b->state[s]].next];
        ok = ok && next->kind == VALUE_VAR && check_shape(run, s);
        if (ok && run->cell->taken == 0 && !run->cell->inner)
            trace(use, run, b->state[s], use->trace ? use->trace->start : 0,
                  run->value[b->state[s]].var);
        h[s] = ok ? next->var : (rv_var){run->tape, -1};
    }
    if (ok && use->around)
        publish(use, run);
    else if (ok)
        trace_all(use, run);
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
