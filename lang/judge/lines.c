#include "lang/judge/lines.h"

#include <stdio.h>
#include <string.h>

#include "autograd/gradient.h"
#include "lang/judge/helpers.h"
#include "lang/judge/repair.h"
#include "lang/record/derive.h"
#include "lang/record/evaluate.h"
#include "lang/record/quantity.h"
#include "lang/record/statements.h"
#include "tensor/memory.h"

enum { MOST_TO_TRY = 300000 }; /* work on variants of wrong lines: some seconds */

/* ---- recording ---- */

enum { LINE_KEY = 40 };

static const char *line_key(int target, int64_t time, char text[LINE_KEY])
{
    snprintf(text, LINE_KEY, "%d %lld", target, (long long)time);
    return text;
}

static lang_line *find_line(lang_proof *p, int target, int64_t time)
{
    char text[LINE_KEY];
    size_t at = rv_name_table_find(&p->line_at, line_key(target, time, text));
    return at == SIZE_MAX ? NULL : &p->lines[at];
}

/* Lines are judged as if those before them were right, unless they are to be read as written. */
static rv_var true_cotangent(lang_run *run, const lang_node *e, int target, int64_t time)
{
    char name[LANG_COTANGENT_NAME];
    lang_proof *p = run->context;
    lang_line *l = find_line(p, target, time);
    if (l && l - p->lines < (ptrdiff_t)p->visible)
        return p->options->as_written && !rv_is_null(l->value) ? l->value : l->truth;
    rv_lang_wrong(run, e->location, RV_ERROR_NAME, "%s is used before a line derives it",
                  rv_lang_cotangent_name(run->block, target, time, name));
    return (rv_var){run->tape, -1};
}

static const char *kept(lang_proof *p, const char *text)
{
    const char *copy = rv_lang_copy(&p->arena, text, strlen(text));
    if (!copy) rv_lang_out_of_memory(p->report);
    return copy;
}

/* Records the value that a line states, or why it has none. A mistake in a line is a verdict on it,
 * and hides no other. False: out of memory or work, which is reported. */
static bool evaluate_line(lang_run *run, lang_line *l, lang_value *v)
{
    lang_proof *p = run->context;
    lang_report mistakes = {0};
    bool failed = run->failed;
    run->work->report = &mistakes;
    *v = rv_lang_evaluate(run, l->statement->value);
    l->value = rv_lang_as_var(run, l->statement->value, v);
    run->work->report = p->report;
    run->failed = failed || (l->statement->helper && rv_is_null(l->value));
    const lang_problem *first = mistakes.at;
    if (mistakes.out_of_memory)
        rv_lang_out_of_memory(p->report);
    else if (run->work->stopped)
        rv_lang_add_problem(p->report, first->location, first->code, "%-s", first->text);
    else
        l->mistake = !rv_is_null(l->value) ? NULL
                     : first               ? kept(p, first->text)
                                           : "it reads a helper that has no value";
    bool ok =
        !mistakes.out_of_memory && !run->work->stopped && (!rv_is_null(l->value) || l->mistake);
    rv_lang_free_report(&mistakes);
    return ok;
}

static bool add_line(lang_proof *p, const lang_line *l)
{
    char text[LINE_KEY];
    const char *key = l->statement->helper ? "" : kept(p, line_key(l->target, l->time, text));
    if (!key || !rv_reserve(&p->lines, &p->capacity, p->count + 1, sizeof *p->lines) ||
        !rv_name_table_reserve(&p->line_at, p->count + 1))
        return rv_lang_out_of_memory(p->report);
    if (!l->statement->helper) rv_name_table_add(&p->line_at, key, p->count);
    p->lines[p->count++] = *l;
    p->visible = p->count;
    return true;
}

/* A helper is a line whose truth is not known yet. */
static bool record_helper(lang_run *run, const lang_node *s)
{
    lang_value v;
    lang_line l = {.statement = s, .leaf = rv_lang_null(run), .truth = rv_lang_null(run)};
    const lang_node *base = s->target->kind == LANG_INDEX ? s->target->base : s->target;
    l.target = base->symbol;
    l.time = -1;
    if (s->target->kind == LANG_INDEX &&
        !rv_lang_evaluate_whole(run, s->target->indices, 0, LANG_MOST_STEPS, &l.time))
        return false;
    if (!evaluate_line(run, &l, &v)) return false;
    rv_lang_assign(run, s, v);
    return (v.kind != VALUE_VAR && !l.mistake) || add_line(run->context, &l);
}

static bool record_line(lang_run *run, const lang_node *s)
{
    lang_proof *p = run->context;
    lang_line l = {.statement = s};
    lang_value v;
    char name[LANG_COTANGENT_NAME], a[RV_SHAPE_TEXT], b[RV_SHAPE_TEXT];
    if (s->helper) return record_helper(run, s);
    if (!rv_lang_derived_value(run, s, &l.target, &l.time)) return false;
    rv_lang_cotangent_name(run->block, l.target, l.time, name);
    rv_var quantity = rv_lang_quantity(run, l.target, l.time);
    l.leaf = rv_lang_leaf(quantity);
    rv_error error;
    if (rv_is_null(l.leaf)) {
        rv_lang_wrong(run, s->target->location, RV_ERROR_NAME,
                      "%s has no value to be a cotangent of", name + 1);
        return false;
    }
    if (find_line(p, l.target, l.time)) {
        rv_lang_wrong(run, s->target->location, RV_ERROR_NAME, "%s is derived a second time", name);
        return false;
    }
    if (!evaluate_line(run, &l, &v)) return false;
    if (!rv_gradient(p->loss, &l.leaf, 1, &l.truth)) {
        if (rv_tape_take_error(run->tape, &error))
            rv_lang_wrong(run, s->location, error.code, "%-s", error.text);
        return false;
    }
    if (!rv_lang_spend(run, s->location, 1)) return false; /* for the gradient */
    if (!l.mistake && !rv_shape_equal(rv_shape_of(l.value), rv_shape_of(l.truth))) {
        char text[LANG_MESSAGE];
        snprintf(text, sizeof text, "this is %s, but %s is %s",
                 rv_shape_text(rv_shape_of(l.value), a), name,
                 rv_shape_text(rv_shape_of(l.truth), b));
        l.value = (rv_var){run->tape, -1};
        if (!(l.mistake = kept(p, text))) return false;
    }
    return add_line(p, &l); /* even without a value: later lines may use its truth */
}

/* ---- searches ---- */

bool rv_lang_is_first(const lang_proof *p, const lang_line *line)
{
    for (const lang_line *before = p->lines; before < line; before++)
        if (before->statement == line->statement && (before->wrong || before->open)) return false;
    return true;
}

/* The line that this execution of a statement recorded. NULL for a helper that is a number. */
static lang_line *this_line(lang_proof *p, const lang_node *s)
{
    lang_line *l = p->visible < p->count ? &p->lines[p->visible] : NULL;
    return l && l->statement == s ? l : NULL;
}

/* Advances to the next line. A helper gets its value, or its truth if that is known. */
static bool leave_line(lang_run *run, const lang_node *s, const lang_line *l)
{
    lang_proof *p = run->context;
    lang_line again = {.statement = s};
    lang_value v = {.kind = VALUE_VAR};
    p->visible += l != NULL;
    if (!s->helper) return true;
    if (l && !rv_is_null(l->truth))
        v.var = l->truth;
    else if (!evaluate_line(run, &again, &v))
        return false;
    rv_lang_assign(run, s, v);
    return true;
}

/* Looks for helpers that make lines wrong, and judges the lines after them again. */
static bool trace_helpers(lang_run *run, const lang_node *s)
{
    lang_proof *p = run->context;
    lang_line *l = this_line(p, s), again = {.statement = s};
    lang_value v;
    if (l && !s->helper && p->corrected) {
        if (!evaluate_line(run, &again, &v)) return false;
        bool off = l->wrong || l->open;
        if (off && !rv_lang_move(p, l->point)) return rv_lang_out_of_memory(p->report);
        rv_lang_restate(p, l, again.value);
    }
    if (l && !s->helper && (l->wrong || l->open)) {
        if (!rv_lang_move(p, l->point)) return rv_lang_out_of_memory(p->report);
        rv_lang_trace_helper(p, run, l);
    }
    return leave_line(run, s, l);
}

/* Looks for repairs of wrong and open lines. */
static bool propose(lang_run *run, const lang_node *s)
{
    lang_proof *p = run->context;
    const lang_line *l = this_line(p, s);
    if (l && (l->wrong || l->open) && rv_lang_is_first(p, l)) {
        if (!rv_lang_move(p, l->point)) return rv_lang_out_of_memory(p->report);
        rv_lang_propose(p, run, l);
    }
    return leave_line(run, s, l);
}

/* Tries the repairs at all lines of a statement. */
static bool confirm(lang_run *run, const lang_node *s)
{
    lang_proof *p = run->context;
    const lang_line *l = this_line(p, s);
    if (l && !rv_is_null(l->truth) && !rv_lang_try_proposals(p, run, l)) return false;
    return leave_line(run, s, l);
}

/* Executes the lines of a derivation. */
static bool derive(lang_proof *p, const lang_block *derivation, lang_line_function each)
{
    p->work.named = NULL; /* helpers are not values of the model */
    p->visible = 0;
    return rv_lang_derive(&p->run, derivation, each, true_cotangent, p) && !p->report->count &&
           !p->report->out_of_memory;
}

bool rv_lang_record_lines(lang_proof *p, const lang_block *derivation)
{
    return derive(p, derivation, record_line);
}

bool rv_lang_trace_lines(lang_proof *p, const lang_block *derivation)
{
    bool wrong = false, helpers = false;
    for (size_t i = 0; i < p->count; i++) {
        helpers = helpers || p->lines[i].statement->helper;
        wrong = wrong || p->lines[i].wrong;
    }
    p->to_try = MOST_TO_TRY;
    p->work.left = rv_lang_most_work(p->limits, LANG_MOST_WORK);
    if (!wrong || !helpers || p->options->as_written) return true;
    /* Twice, because lines before the one that convicts a helper may read it, too. */
    return derive(p, derivation, trace_helpers) &&
           (!p->corrected || derive(p, derivation, trace_helpers));
}

bool rv_lang_repair_lines(lang_proof *p, const lang_block *derivation)
{
    p->work.left = rv_lang_most_work(p->limits, LANG_MOST_WORK);
    return derive(p, derivation, propose) &&
           (!p->proposals || (derive(p, derivation, confirm) && rv_lang_judge_proposals(p)));
}
