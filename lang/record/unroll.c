#include "lang/record/unroll.h"

#include <string.h>

#include "lang/record/evaluate.h"
#include "lang/record/step.h"
#include "lang/resolve/net_options.h"
#include "lang/resolve/symbols.h"
#include "lang/resolve/unrolls.h"
#include "ops/ops.h"
#include "tensor/memory.h"

bool rv_lang_call_options(lang_run *run, const lang_node *call, rv_rnn_options *o)
{
    for (const lang_node *a = call->arguments; a; a = a->next) {
        if (a->kind != LANG_OPTION) continue;
        rv_guess none = {.seen = a->name};
        int option = rv_lang_net_option(a->name, &none);
        if (option < 0) continue; /* a state */
        const char *expected = "";
        lang_value v = rv_lang_evaluate(run, a->value);
        if (v.kind == VALUE_NONE) return false;
        bool plain = v.kind == VALUE_NUMBER || v.kind == VALUE_WORD;
        if (plain && rv_lang_set_net_option(o, option, v.number, v.word, &expected)) continue;
        rv_lang_wrong(run, a->location, RV_ERROR_ARGUMENT, "%s takes %s", a->name,
                      plain ? expected : "a number");
        return false;
    }
    return true;
}

bool rv_lang_alias_options(lang_run *run, const lang_block *cell, rv_rnn_options *options)
{
    lang_run own = {0};
    if (!cell->alias_of) return true;
    if (!rv_lang_alias_options(run, cell->alias_of, options)) return false;
    bool ok = rv_lang_start_run(&own, cell, run->work, run->tape) &&
              rv_lang_call_options(&own, cell->node->alias, options);
    if (own.block) rv_lang_end_run(&own);
    return ok;
}

/* Evaluates the initial states in a call, as in gru(x, h=h0). */
static bool given_states(lang_run *run, const lang_node *call, const lang_block *cell,
                         rv_states *initial, bool *any)
{
    *any = false;
    for (const lang_node *a = call->arguments; a; a = a->next)
        for (int s = 0; a->kind == LANG_OPTION && s < cell->states; s++) {
            if (strcmp(cell->symbol[cell->state[s]].name, a->name)) continue;
            initial->h[s] = rv_lang_evaluate_var(run, a->value);
            if (rv_is_null(initial->h[s])) return false;
            *any = true;
        }
    return true;
}

/* Evaluates the inputs of a cell. In order they are sequences, of which a step reads one step, and by name every step reads
 * all of them, as it does without a sequence. */
static bool given_inputs(lang_run *run, const lang_node *e, const lang_block *cell, rv_var x,
                         int64_t steps, rv_rnn_input *input)
{
    int position = 0;
    for (const lang_node *a = e->call->arguments; a; a = a->next) {
        bool named = a->kind == LANG_OPTION;
        int i = named ? 1 : position++;
        while (named && i < cell->inputs && strcmp(cell->symbol[cell->input[i]].name, a->name)) i++;
        if (!i || i >= cell->inputs) continue;
        rv_rnn_input *in = &input[i - 1];
        *in = (rv_rnn_input){rv_lang_evaluate_var(run, named ? a->value : a), named || e->steps};
        if (rv_is_null(in->x)) return false;
        rv_shape shape = rv_shape_of(in->x);
        bool fits =
            shape.rank > 1 && shape.dim[0] == rv_shape_of(x).dim[0] && shape.dim[1] == steps;
        if (in->whole || fits) continue;
        char text[RV_SHAPE_TEXT];
        const char *name = cell->symbol[cell->input[i]].name;
        rv_lang_wrong(run, a->location, RV_ERROR_SHAPE,
                      "the input \"%s\" is %s, expected [%lld,%lld,..], a value for each step; if "
                      "every step reads all of it, write %s=..",
                      name, rv_shape_text(shape, text), (long long)rv_shape_of(x).dim[0],
                      (long long)steps, name);
        return false;
    }
    return true;
}

/* Reports the failure, unless it was reported inside the cell. */
static lang_value unroll_failed(lang_run *run, const lang_node *e, rv_var x, bool reported)
{
    rv_error error = {0};
    lang_trace *t = &run->trace[e->symbol];
    rv_free(t->value);
    t->value = NULL;
    if ((run->work->report || !reported) && rv_tape_take_error(run->tape, &error) && !reported)
        rv_lang_wrong(run, e->location, error.code, "%-s", error.text);
    if (run->work->report && e->steps && (rv_shape_of(x).rank == 3 || rv_shape_of(x).rank == 5))
        rv_lang_add_hint(run->work->report,
                         "a sequence has time steps of its own: leave out \"for .. steps\"");
    run->failed = true;
    return (lang_value){.kind = VALUE_NONE};
}

/* Whether another unroll or the model itself has a parameter with the name of one of the cell's. */
static bool may_clash(const lang_block *model, int unroll, const rv_rnn_options *o)
{
    const lang_block *cell = rv_lang_unrolled(model, unroll);
    bool clash = rv_lang_share_a_name(cell, model) || (o->learned_start && model->unrolls > 1);
    for (int i = 0; !clash && o->learned_start && i < model->symbols; i++) /* h0, h1, .. */
        clash = rv_lang_is_stored(&model->symbol[i]) && model->symbol[i].name[0] == 'h' &&
                strlen(model->symbol[i].name) == 2;
    for (int u = 0; !clash && u < model->unrolls; u++)
        clash = u != unroll && rv_lang_unrolled(model, u) &&
                rv_lang_share_a_name(cell, rv_lang_unrolled(model, u));
    return clash;
}

/* The outputs of all steps [n,steps,..], of a sequence or of steps on the same x. */
static rv_var all_steps(const lang_node *e, rv_var x, int64_t steps, rv_rnn_options o)
{
    if (!e->steps) return rv_unroll_outputs(rv_lang_step, x, o);
    rv_var all = {x.tape, -1}, *same = rv_alloc((size_t)steps, 2 * sizeof *same);
    if (!same) return rv_tape_fail(x.tape, RV_ERROR_MEMORY, "unroll: out of memory");
    for (int64_t t = 0; t < steps; t++) same[t] = x;
    if (!rv_is_null(rv_unroll_steps(rv_lang_step, same, steps, o, same + steps)))
        all = rv_stack(same + steps, (int)steps, 1);
    rv_free(same);
    return all;
}

lang_value rv_lang_unroll(lang_run *run, const lang_node *e)
{
    lang_value none = {.kind = VALUE_NONE};
    const lang_block *cell = e->call->block, *base = rv_lang_base(cell);
    if (!base || base->wrong || e->symbol < 0) return none;

    const lang_node *input = e->call->arguments;
    while (input && input->kind == LANG_OPTION) input = input->next;
    rv_var x = input ? rv_lang_evaluate_var(run, input) : (rv_var){run->tape, -1};
    int64_t steps = rv_shape_of(x).rank > 1 ? rv_shape_of(x).dim[1] : 0;
    if (rv_is_null(x) ||
        (e->steps && !rv_lang_evaluate_whole(run, e->steps, 1, LANG_MOST_STEPS, &steps)))
        return none;
    char text[RV_SHAPE_TEXT];
    if (!e->steps && rv_shape_of(x).rank < 3)
        return rv_lang_wrong(
            run, e->location, RV_ERROR_SHAPE,
            "a sequence is [n,steps,..], but this is %s; to repeat one input write: unroll "
            "%s(..) for 2 steps",
            rv_shape_text(rv_shape_of(x), text), e->call->name);
    if (steps > LANG_MOST_STEPS)
        return rv_lang_wrong(run, e->location, RV_ERROR_SHAPE,
                             "a sequence of %lld step(s), expected at most %d", (long long)steps,
                             LANG_MOST_STEPS);
    if (!rv_lang_spend(run, e->location, steps * (base->symbols + 8) / 8)) return none;

    lang_trace *t = &run->trace[e->symbol];
    lang_use use = {.cell = base, .work = run->work, .trace = t};
    rv_states initial[1] = {{{{0}}}};
    bool states;
    for (int s = 0; s < RV_CELL_STATES; s++) initial->h[s] = (rv_var){run->tape, -1};
    const char *names[RV_CELL_STATES] = {NULL};
    for (int s = 0; s < base->states; s++) names[s] = base->symbol[base->state[s]].name;
    rv_rnn_options o = {.bias = true, .stepwise = true, .user = &use, .state_name = names};
    if (!rv_lang_alias_options(run, cell, &o) || !rv_lang_call_options(run, e->call, &o) ||
        !given_states(run, e->call, base, initial, &states))
        return none;
    rv_rnn_input inputs[RV_CELL_INPUTS];
    if (!given_inputs(run, e, base, x, steps, inputs)) return none;
    o.inputs = inputs;
    o.input_count = base->inputs - 1;
    if (states) o.initial = initial;
    if (states && (o.layers > 1 || o.bidirectional))
        return rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT,
                             "only one layer in one direction takes first states");
    if (!o.name && may_clash(run->block, e->symbol, &o))
        o.name = run->block->unroll[e->symbol]->target->name;
    t->cell = base;
    t->start = o.reverse ? steps + 1 : 0;
    t->last = steps + o.reverse;
    t->name = o.name;
    t->value = rv_alloc((size_t)(t->last + 1), (size_t)base->symbols * sizeof *t->value);
    if (!t->value) return rv_lang_wrong(run, e->location, RV_ERROR_MEMORY, "out of memory");
    lang_report *report = run->work->report;
    bool own = base->node->location.source ==
               e->location.source; /* other files' mistakes are reported here */
    run->work->reported = false;
    if (!own) run->work->report = NULL;
    rv_var h = e->whole   ? all_steps(e, x, steps, o)
               : e->steps ? rv_unroll_with(rv_lang_step, x, steps, o)
                          : rv_unroll_sequence(rv_lang_step, x, o, NULL);
    lang_value v = {.kind = rv_is_null(h) ? VALUE_NONE : VALUE_VAR, .var = h};
    run->work->report = report;
    return v.kind == VALUE_VAR ? v
                               : unroll_failed(run, e, x, run->work->reported && (own || !report));
}
