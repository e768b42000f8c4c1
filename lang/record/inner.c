#include "lang/record/inner.h"

#include "lang/record/evaluate.h"
#include "lang/record/statements.h"
#include "lang/record/step.h"
#include "lang/record/unroll.h"
#include "lang/resolve/unrolls.h"
#include "tensor/memory.h"

/* A line while it is recorded. On the heap, because cells nest. */
typedef struct inner_line {
    rv_var x;
    rv_rnn_input inputs[RV_CELL_INPUTS];
    rv_states h;
    rv_rnn_options options;
    lang_use use;
} inner_line;

LANG_APART static bool evaluate_arguments(lang_run *run, const lang_node *call,
                                          const lang_block *cell, inner_line *in)
{
    int position = 0;
    for (const lang_node *a = call->arguments; a; a = a->next) {
        int i = rv_lang_inner_argument(cell, a, &position);
        if (i < 0) continue; /* an option */
        rv_var v = rv_lang_evaluate_var(run, a->kind == LANG_OPTION ? a->value : a);
        if (rv_is_null(v)) return false;
        if (i >= cell->inputs)
            in->h.h[i - cell->inputs] = v;
        else if (i)
            in->inputs[i - 1].x = v;
        else
            in->x = v;
    }
    return true;
}

/* The options of a cell are those around it, but for the units, which are those of its first
 * state. */
LANG_APART static bool set_options(lang_run *run, const lang_node *call, const lang_block *cell,
                                   inner_line *in)
{
    rv_rnn_options *o = &in->options;
    rv_shape state = rv_shape_of(in->h.h[0]);
    *o = *run->cell->options;
    const rv_rnn_options around = *o;
    if (state.rank > 1) o->units = state.dim[1];
    if (!rv_lang_alias_options(run, cell, o) || !rv_lang_call_options(run, call, o)) return false;
    bool net = o->layers != around.layers || o->bidirectional != around.bidirectional ||
               o->reverse != around.reverse || o->residual != around.residual ||
               o->skip != around.skip || o->learned_start != around.learned_start ||
               o->dropout != around.dropout || o->recurrent_dropout != around.recurrent_dropout ||
               o->same_dropout != around.same_dropout || o->recompute != around.recompute;
    if (net) {
        rv_lang_wrong(run, call->location, RV_ERROR_ARGUMENT,
                      "\"%s\" sets options of a net, but this is one step of a cell; use the cell "
                      "that it is made of",
                      call->name);
        return false;
    }
    in->use = (lang_use){
        .cell = rv_lang_base(cell), .work = run->work, .around = run, .line = call->time};
    o->user = &in->use;
    o->inputs = in->inputs;
    o->input_count = in->use.cell->inputs - 1;
    return true;
}

/* Reports the failure, unless it was reported inside the cell. */
LANG_APART static void step_failed(lang_run *run, const lang_node *call)
{
    rv_error error = {0};
    lang_work *work = run->work;
    if ((work->report || !work->reported) && rv_tape_take_error(run->tape, &error) &&
        !work->reported)
        rv_lang_wrong(run, call->location, error.code, "%-s", error.text);
}

/* Takes the step. Mistakes inside a built-in cell are reported at the line. */
static bool take_step(lang_run *run, const lang_node *call, inner_line *in)
{
    lang_work *work = run->work;
    const lang_location outer = work->call;
    const bool reported = work->reported;
    work->reported = false;
    if (in->use.cell->node->location.source->built_in && !call->location.source->built_in)
        work->call = call->location;
    rv_cell_inner(run->cell, rv_lang_step, call->word, &in->options, in->x, &in->h);
    work->call = outer;
    const bool failed = rv_is_null(in->h.h[0]);
    if (failed) step_failed(run, call);
    work->reported = work->reported || reported;
    run->failed = run->failed || failed;
    return !failed;
}

/* Gives the names on the left the next states. */
LANG_APART static void name_states(lang_run *run, const lang_node *line, const rv_states *h)
{
    int s = 0;
    for (lang_node *t = line->target; t; t = t->next) {
        lang_node one = *line;
        one.target = t;
        rv_lang_assign(run, &one, rv_lang_recorded(run, t->location, h->h[s++]));
    }
}

static void record(lang_run *run, const lang_node *line, inner_line *in)
{
    const lang_node *call = line->value;
    if (evaluate_arguments(run, call, rv_lang_base(call->block), in) &&
        set_options(run, call, call->block, in) && take_step(run, call, in))
        name_states(run, line, &in->h);
}

void rv_lang_inner(lang_run *run, const lang_node *line)
{
    enum { LEVELS = 2 }; /* of an expression, which take as much of the stack */
    const lang_block *cell = rv_lang_base(line->value->block);
    if (!cell || cell->wrong) return; /* its mistake is reported where it is */
    inner_line *in = rv_alloc(1, sizeof *in);
    if (!in) {
        rv_lang_wrong(run, line->location, RV_ERROR_MEMORY, "out of memory");
    } else if (rv_lang_proceed(run, line->value)) {
        run->work->depth += LEVELS;
        record(run, line, in);
        run->work->depth -= LEVELS;
    }
    rv_free(in);
}
