#include "lang/record/unroll.h"

#include <string.h>

#include "lang/record/evaluate.h"
#include "lang/record/statements.h"
#include "lang/record/step.h"
#include "lang/resolve/net_options.h"
#include "lang/resolve/symbols.h"
#include "lang/resolve/unrolls.h"
#include "ops/ops.h"
#include "tensor/memory.h"

/* An unroll while it is recorded. */
typedef struct unrolling {
    const lang_node *e;
    const lang_block *cell; /* the base, not an alias */
    rv_var x;
    int64_t steps;
    int strands; /* layers, times directions */
    lang_use use;
    rv_rnn_options options;
    rv_rnn_input inputs[RV_CELL_INPUTS];
    const char *names[RV_CELL_STATES];
    rv_states *initial, *final, *history; /* [strands] */
} unrolling;

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

/* Evaluates the inputs of a cell. In order they are sequences, of which a step reads one step, and
 * by name every step reads all of them, as it does without a sequence. */
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
static void unroll_failed(lang_run *run, const lang_node *e, rv_var x, bool reported)
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

/* Makes room for the states of all layers and directions. */
static bool make_room(lang_run *run, unrolling *u)
{
    enum { MOST_LAYERS = 1000 }; /* with more, the unroll fails */
    const int64_t layers = u->options.layers;
    u->strands = (layers < 1 || layers > MOST_LAYERS ? 1 : (int)layers) << u->options.bidirectional;
    u->initial = rv_alloc((size_t)u->strands, 3 * sizeof *u->initial);
    if (!u->initial) {
        rv_lang_wrong(run, u->e->location, RV_ERROR_MEMORY, "out of memory");
        return false;
    }
    u->final = u->initial + u->strands;
    u->history = u->final + u->strands;
    for (int i = 0; i < u->strands; i++)
        for (int s = 0; s < RV_CELL_STATES; s++) u->initial[i].h[s] = rv_lang_null(run);
    return true;
}

/* Part i of a value along its first axis. */
static rv_var part_of(rv_var x, int i)
{
    rv_shape all = rv_shape_of(x), one = {.rank = all.rank - 1};
    for (int64_t d = 0; d < one.rank; d++) one.dim[d] = all.dim[d + 1];
    return rv_reshape(rv_slice_axis(x, 0, i, 1), one);
}

/* Evaluates the initial states in a call, as in gru(x, h=h0): of all layers and directions, if
 * there are several. */
static bool given_states(lang_run *run, unrolling *u)
{
    for (const lang_node *a = u->e->call->arguments; a; a = a->next)
        for (int s = 0; a->kind == LANG_OPTION && s < u->cell->states; s++) {
            if (strcmp(u->names[s], a->name)) continue;
            rv_var given = rv_lang_evaluate_real(run, a->value);
            rv_shape shape = rv_shape_of(given);
            char text[RV_SHAPE_TEXT];
            if (rv_is_null(given)) return false;
            if (u->strands > 1 && (shape.rank < 2 || shape.dim[0] != u->strands)) {
                rv_lang_wrong(
                    run, a->location, RV_ERROR_SHAPE,
                    "\"%s\" is %s, expected [%d,..]: one for each layer and direction, as "
                    "`unroll .. all layers` gives them",
                    a->name, rv_shape_text(shape, text), u->strands);
                return false;
            }
            for (int i = 0; i < u->strands; i++)
                u->initial[i].h[s] = u->strands > 1 ? part_of(given, i) : given;
            u->options.initial = u->initial;
        }
    return true;
}

/* What the target number s of the line stands for: state s, or for s = 0 the output h. */
static rv_var result_of(const unrolling *u, rv_var h, int s)
{
    const int directions = 1 + u->options.bidirectional, top = u->strands - directions;
    const rv_states *from = u->e->whole ? u->history : u->final;
    if (u->e->layers) {
        rv_var *all = rv_alloc((size_t)u->strands, sizeof *all);
        if (!all) return rv_tape_fail(h.tape, RV_ERROR_MEMORY, "out of memory");
        for (int i = 0; i < u->strands; i++) all[i] = u->final[i].h[s];
        h = rv_stack(all, u->strands, 0);
        rv_free(all);
        return h;
    }
    if (!s || directions == 1) return s ? from[top].h[s] : h;
    return rv_concat((rv_var[]){from[top].h[s], from[top + 1].h[s]}, 2, u->e->whole ? 2 : 1);
}

static bool find_steps(lang_run *run, unrolling *u)
{
    const lang_node *e = u->e, *input = e->call->arguments;
    char text[RV_SHAPE_TEXT];
    while (input && input->kind == LANG_OPTION) input = input->next;
    u->x = input ? rv_lang_evaluate_var(run, input) : rv_lang_null(run);
    rv_shape shape = rv_shape_of(u->x);
    u->steps = shape.rank > 1 ? shape.dim[1] : 0;
    if (rv_is_null(u->x) ||
        (e->steps && !rv_lang_evaluate_whole(run, e->steps, 1, LANG_MOST_STEPS, &u->steps)))
        return false;
    if (!e->steps && shape.rank < 3)
        rv_lang_wrong(
            run, e->location, RV_ERROR_SHAPE,
            "a sequence is [n,steps,..], but this is %s; to repeat one input write: unroll "
            "%s(..) for 2 steps",
            rv_shape_text(shape, text), e->call->name);
    else if (u->steps > LANG_MOST_STEPS)
        rv_lang_wrong(run, e->location, RV_ERROR_SHAPE,
                      "a sequence of %lld step(s), expected at most %d", (long long)u->steps,
                      LANG_MOST_STEPS);
    else
        return rv_lang_spend(run, e->location, u->steps * (u->cell->symbols + 8) / 8);
    return false;
}

/* Makes room for the values inside, if they may be named. */
static bool start_trace(lang_run *run, const unrolling *u)
{
    lang_trace *t = &run->trace[u->e->symbol];
    const bool reverse = u->options.reverse;
    t->cell = u->cell;
    t->start = reverse ? u->steps + 1 : 0;
    t->last = u->steps + reverse;
    t->name = u->options.name;
    if (!u->use.trace) return true;
    t->value = rv_alloc((size_t)(t->last + 1), (size_t)u->cell->symbols * sizeof *t->value);
    if (!t->value) rv_lang_wrong(run, u->e->location, RV_ERROR_MEMORY, "out of memory");
    return t->value;
}

static bool prepare(lang_run *run, unrolling *u)
{
    const lang_node *e = u->e;
    const bool inside = e->entered || !run->work->outside;
    rv_rnn_options *o = &u->options;
    if (!find_steps(run, u)) return false;
    u->use = (lang_use){
        .cell = u->cell, .work = run->work, .trace = inside ? &run->trace[e->symbol] : NULL};
    for (int s = 0; s < u->cell->states; s++) u->names[s] = u->cell->symbol[u->cell->state[s]].name;
    *o =
        (rv_rnn_options){.bias = true, .stepwise = inside, .user = &u->use, .state_name = u->names};
    if (!rv_lang_alias_options(run, e->call->block, o) || !rv_lang_call_options(run, e->call, o) ||
        !make_room(run, u) || !given_states(run, u) ||
        !given_inputs(run, e, u->cell, u->x, u->steps, u->inputs))
        return false;
    o->inputs = u->inputs;
    o->input_count = u->cell->inputs - 1;
    o->final = u->final;
    if (!o->name && may_clash(run->block, e->symbol, o))
        o->name = run->block->unroll[e->symbol]->target->name;
    return start_trace(run, u);
}

static void unroll(lang_run *run, const lang_node *line, unrolling *u)
{
    const lang_node *e = u->e;
    if (!prepare(run, u)) return;
    if (e->whole && line->target->next) u->options.history = u->history;
    lang_report *report = run->work->report;
    bool own = u->cell->node->location.source ==
               e->location.source; /* other files' mistakes are reported here */
    run->work->reported = false;
    if (!own) run->work->report = NULL;
    rv_var h = e->whole   ? all_steps(e, u->x, u->steps, u->options)
               : e->steps ? rv_unroll_with(rv_lang_step, u->x, u->steps, u->options)
                          : rv_unroll_sequence(rv_lang_step, u->x, u->options, NULL);
    run->work->report = report;
    if (rv_is_null(h)) {
        unroll_failed(run, e, u->x, run->work->reported && (own || !report));
        return;
    }
    int s = 0;
    for (lang_node *t = line->target; t; t = t->next, s++) {
        lang_node one = *line;
        one.target = t;
        rv_lang_assign(run, &one, rv_lang_recorded(run, e->location, result_of(u, h, s)));
    }
}

void rv_lang_unroll(lang_run *run, const lang_node *line)
{
    const lang_node *e = line->value;
    const lang_block *cell = rv_lang_base(e->call->block);
    if (!cell || cell->wrong || e->symbol < 0 || !rv_lang_proceed(run, e)) return;
    unrolling *u = rv_alloc(1, sizeof *u);
    if (!u) {
        rv_lang_wrong(run, e->location, RV_ERROR_MEMORY, "out of memory");
        return;
    }
    u->e = e;
    u->cell = cell;
    unroll(run, line, u);
    rv_free(u->initial);
    rv_free(u);
}
