#include "lang/judge/derivation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/gradient.h"
#include "lang/judge/helpers.h"
#include "lang/judge/proof.h"
#include "lang/judge/repair.h"
#include "lang/record/evaluate.h"
#include "lang/record/quantity.h"
#include "lang/record/statements.h"
#include "tensor/memory.h"

enum { MOST_TO_TRY = 300000 }; /* work on variants of wrong lines: some seconds */

static lang_line *find_line(lang_proof *p, int target, int64_t time)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->lines[i].target == target && p->lines[i].time == time) return &p->lines[i];
    return NULL;
}

/* "dC[2]" */
static const char *cotangent_name(const lang_block *derivation, int target, int64_t time,
                                  char text[80])
{
    const char *name = derivation->symbol[target].name;
    if (time >= 0)
        snprintf(text, 80, "d%s[%lld]", name, (long long)time);
    else
        snprintf(text, 80, "d%s", name);
    return text;
}

/* Lines are judged as if those before them were right, unless they are to be read as written. */
static rv_var true_cotangent(lang_run *run, const lang_node *e, int target, int64_t time)
{
    char name[80];
    lang_proof *p = run->context;
    lang_line *l = find_line(p, target, time);
    if (l && l - p->lines < (ptrdiff_t)p->visible)
        return p->options->as_written && !rv_is_null(l->value) ? l->value : l->truth;
    rv_lang_wrong(run, e->location, RV_ERROR_NAME, "%s is used before a line derives it",
                  cotangent_name(run->block, target, time, name));
    return (rv_var){run->tape, -1};
}

static bool target_of(lang_run *run, const lang_node *s, int *target, int64_t *time)
{
    const lang_node *base = s->target->kind == LANG_INDEX ? s->target->base : s->target;
    if (base->symbol < 0) return false;
    const lang_symbol *symbol = &run->block->symbol[base->symbol];
    *target = symbol->target;
    *time = symbol->time >= 0 ? symbol->time : base->time;
    return s->target->kind != LANG_INDEX ||
           rv_lang_evaluate_whole(run, s->target->indices, 0, 1000000, time);
}

static const char *kept(lang_proof *p, const char *text)
{
    const char *copy = rv_lang_copy(&p->arena, text, strlen(text));
    if (!copy) rv_lang_out_of_memory(p->report);
    return copy;
}

/* Records the value that a line states, or why it has none. A mistake in a line is a verdict on it, and hides no other. False:
 * out of memory or work, which is reported. */
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
        rv_lang_add_problem(p->report, first->location, first->code, "%s", first->text);
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
    if (!rv_reserve(&p->lines, &p->capacity, p->count + 1, sizeof *p->lines))
        return rv_lang_out_of_memory(p->report);
    p->lines[p->count++] = *l;
    p->visible = p->count;
    return true;
}

/* A helper is a line whose truth is not known yet. */
static bool judge_helper(lang_run *run, const lang_node *s)
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

static bool judge(lang_run *run, const lang_node *s)
{
    lang_proof *p = run->context;
    lang_line l = {.statement = s};
    lang_value v;
    char name[80], a[RV_SHAPE_TEXT], b[RV_SHAPE_TEXT];
    if (s->helper) return judge_helper(run, s);
    if (!target_of(run, s, &l.target, &l.time)) return false;
    cotangent_name(run->block, l.target, l.time, name);
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
            rv_lang_wrong(run, s->location, error.code, "%s", error.text);
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

/* Whether there is a verdict on it: on a helper only if it is wrong. */
static bool is_judged(const lang_line *l) { return !l->statement->helper || l->wrong; }

/* Whether it is the first wrong line of its statement in a loop. */
static bool is_first(const lang_proof *p, const lang_line *l)
{
    for (const lang_line *before = p->lines; before < l; before++)
        if (before->statement == l->statement && before->wrong) return false;
    return true;
}

/* ---- passes over the lines ---- */

/* The line that a statement is now. NULL: a helper that is a number. */
static lang_line *this_line(lang_proof *p, const lang_node *s)
{
    lang_line *l = p->visible < p->count ? &p->lines[p->visible] : NULL;
    return l && l->statement == s ? l : NULL;
}

/* Goes on to the next line. A helper gets its value, or the true one if it is known. */
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
        if (l->wrong && !rv_lang_move(p, l->point)) return rv_lang_out_of_memory(p->report);
        rv_lang_restate(p, l, again.value);
    }
    if (l && !s->helper && l->wrong) {
        if (!rv_lang_move(p, l->point)) return rv_lang_out_of_memory(p->report);
        rv_lang_trace_helper(p, run, l);
    }
    return leave_line(run, s, l);
}

/* Looks for repairs of wrong lines. */
static bool propose(lang_run *run, const lang_node *s)
{
    lang_proof *p = run->context;
    const lang_line *l = this_line(p, s);
    if (l && l->wrong && is_first(p, l)) {
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
static bool derive(lang_proof *p, const lang_block *derivation,
                   bool (*each)(lang_run *run, const lang_node *s))
{
    lang_run run;
    if (!rv_lang_start_run(&run, derivation, &p->work, p->tape)) return false;
    size_t own = (size_t)p->model->symbols;
    memcpy(run.value, p->run.value, own * sizeof *run.value);
    memcpy(run.series, p->run.series, own * sizeof *run.series);
    memcpy(run.times, p->run.times, own * sizeof *run.times);
    memcpy(run.trace, p->run.trace, (size_t)p->model->unrolls * sizeof *run.trace);
    run.context = p;
    run.cotangent = true_cotangent;
    run.judge = each;
    p->work.named = NULL; /* helpers are not values of the model */
    p->visible = 0;
    rv_lang_statements(&run, derivation->node->body);
    memset(run.series, 0, own * sizeof *run.series); /* they are the model's */
    memset(run.trace, 0, (size_t)p->model->unrolls * sizeof *run.trace);
    rv_lang_end_run(&run);
    return !p->report->count && !p->report->out_of_memory;
}

/* The value and the truth of each line; of a line that lacks one, the other twice. */
static rv_program *compute_lines(lang_proof *p)
{
    rv_var *outputs = rv_alloc(2 * p->count + 1, sizeof *outputs);
    for (size_t i = 0; outputs && i < p->count; i++) {
        const lang_line *l = &p->lines[i];
        rv_var any = !rv_is_null(l->value) ? l->value : !rv_is_null(l->truth) ? l->truth : p->loss;
        outputs[2 * i] = any;
        outputs[2 * i + 1] = rv_is_null(l->truth) || l->mistake ? any : l->truth;
    }
    rv_program *program =
        outputs ? rv_lang_compute(p, outputs, (int)(2 * p->count), p->error) : NULL;
    if (!outputs) rv_fail_memory(p->error);
    rv_free(outputs);
    return program;
}

/* Looks for repairs of the wrong lines. False on error. */
static bool repair_lines(lang_proof *p, const lang_block *derivation)
{
    p->work.left = LANG_MOST_WORK;
    return derive(p, derivation, propose) &&
           (!p->proposals || (derive(p, derivation, confirm) && rv_lang_judge_proposals(p)));
}

static const double jitter = 1e-9;

/* What rounding can do to a value. The values that it is computed from are rounded, relative to their size, so it follows
 * from what the jitter of them does. Where 1 - h^2 is nearly 0, it is much more than the rounding of the result. */
static double rounding(const rv_tensor *exact, const rv_tensor *jittered)
{
    double most = 0;
    for (int64_t i = 0; i < rv_tensor_count(exact); i++)
        most = fmax(most, fabs(rv_tensor_get(exact, i) - rv_tensor_get(jittered, i)));
    return most / jitter * 0x1p-48;
}

/* Compares a line with the recorded gradient at a point. A line that has agreed at all points where states start as declared
 * is not wrong if it fails where they start elsewhere: it may use the numbers at which they start. */
static void judge_line(const lang_proof *p, int point, const rv_tensor *value,
                       const rv_tensor *truth, double rounded, rv_lang_verdict *row)
{
    double tolerance = rv_lang_tolerance(p);
    rv_difference d = rv_gradient_difference(value, truth, fmax(1e-300, rounded / tolerance));
    bool elsewhere = rv_lang_starts_elsewhere(p, point), first = row->verdict == RV_UNDECIDED;
    if (row->verdict == RV_WRONG || (first && elsewhere) || !isfinite(d.right_norm)) return;
    bool off = d.max_relative_error > tolerance;
    bool starts = off && elsewhere;
    if (first || off || d.max_relative_error > row->max_relative_error) {
        row->max_relative_error = d.max_relative_error;
        row->cosine = d.cosine;
        row->ratio = d.ratio;
    }
    row->verdict = starts ? RV_UNDECIDED : off ? RV_WRONG : RV_RIGHT;
    snprintf(row->reason, sizeof row->reason, "%s%s",
             starts ? "it agrees only where states start as declared; elsewhere: " : "",
             off ? rv_difference_text(&d) : "");
}

/* Copies the outputs of a program. */
static bool keep_outputs(const lang_proof *p, const rv_program *program, rv_tensor *kept)
{
    bool ok = true;
    for (int k = 0; ok && k < 2 * (int)p->count; k++) {
        const rv_tensor *y = rv_program_output(program, k);
        ok = (kept[k].data || rv_tensor_new(&kept[k], y->dtype, y->shape, p->error)) &&
             rv_tensor_copy(&kept[k], y, p->error);
    }
    return ok;
}

static bool compare_lines(lang_proof *p, rv_program *program, rv_lang_verdict *rows)
{
    rv_tensor *exact = rv_alloc(2 * p->count + 1, sizeof *exact);
    bool ok = exact || rv_fail_memory(p->error);
    for (int point = 0; ok && point < rv_lang_points(p); point++) {
        ok = rv_lang_move(p, point) && rv_lang_run(p, program, 0, p->error) &&
             keep_outputs(p, program, exact) && rv_lang_run(p, program, jitter, p->error);
        for (int i = 0; ok && i < (int)p->count; i++) {
            const rv_tensor *value = &exact[2 * i], *truth = &exact[2 * i + 1];
            double rounded = fmax(rounding(value, rv_program_output(program, 2 * i)),
                                  rounding(truth, rv_program_output(program, 2 * i + 1)));
            judge_line(p, point, value, truth, rounded, &rows[i]);
            lang_line *l = &p->lines[i];
            if (rows[i].verdict == RV_WRONG && !l->wrong) l->point = l->mistake ? 0 : point;
            l->wrong = rows[i].verdict == RV_WRONG;
        }
    }
    for (size_t k = 0; exact && k < 2 * p->count; k++) rv_tensor_free(&exact[k]);
    rv_free(exact);
    return ok;
}

/* Checks the gradients that the lines are compared with. A line that equals one rests upon it: ops are proved one by one, so
 * it is right even where differences cannot tell, but not where they contradict. */
static bool check_truths(lang_proof *p, rv_lang_verdict *rows)
{
    int count = 0, checked = 0;
    rv_var *leaf = rv_alloc(p->count + 1, sizeof *leaf);
    rv_gradcheck_result *result = rv_alloc(p->count + 1, sizeof *result);
    bool ok = (leaf && result) || rv_fail_memory(p->error);
    for (size_t i = 0; ok && i < p->count; i++)
        if (!p->lines[i].statement->helper) leaf[count++] = p->lines[i].leaf;
    ok = ok && rv_lang_check_gradients(p, p->loss, leaf, count, result);
    for (size_t i = 0; ok && i < p->count; i++) {
        rv_lang_verdict *row = &rows[i];
        row->difference_error = NAN;
        if (p->lines[i].statement->helper) continue;
        const rv_gradcheck_result *r = &result[checked++];
        row->difference_error = r->max_relative_error;
        if (row->verdict != RV_RIGHT) continue;
        if (r->verdict == RV_WRONG) row->verdict = RV_UNDECIDED;
        snprintf(row->reason, sizeof row->reason, "%s%s",
                 r->verdict == RV_UNDECIDED ? "differences cannot tell: "
                 : r->verdict == RV_WRONG
                     ? "it equals the recorded gradient, but differences contradict that: "
                     : "",
                 r->reason);
    }
    rv_free(leaf);
    rv_free(result);
    return ok;
}

/* Judges all lines, helpers too, in rows of their own. */
static bool judge_rows(lang_proof *p, const lang_block *derivation, lang_verdicts *v, int first)
{
    v->count = first;
    for (size_t i = 0; i < p->count; i++) {
        char name[80];
        const lang_line *l = &p->lines[i];
        const lang_node *written = l->statement->target; /* d3, or in a loop dC[2] for dC[t] */
        rv_lang_verdict *row = rv_lang_add_verdict(
            v, derivation, l->statement->location,
            written->kind == LANG_NAME
                ? written->name
                : cotangent_name(derivation, l->target, l->time, name) + l->statement->helper,
            p->error);
        if (!row) return false;
        row->verdict = l->mistake ? RV_WRONG : RV_UNDECIDED;
        if (l->mistake) row->max_relative_error = row->cosine = row->ratio = NAN;
        snprintf(row->reason, sizeof row->reason, "%s",
                 l->mistake ? l->mistake : "the recorded gradient is not finite");
    }
    rv_program *program = compute_lines(p);
    bool ok = program && compare_lines(p, program, v->at + first);
    rv_program_free(program);
    return ok;
}

/* Finds the helpers that make lines wrong. False on error. */
static bool find_wrong_helpers(lang_proof *p, const lang_block *derivation)
{
    bool wrong = false, helpers = false;
    for (size_t i = 0; i < p->count; i++) {
        helpers = helpers || p->lines[i].statement->helper;
        wrong = wrong || p->lines[i].wrong;
    }
    p->to_try = MOST_TO_TRY;
    p->work.left = LANG_MOST_WORK;
    return !wrong || !helpers || p->options->as_written || derive(p, derivation, trace_helpers);
}

static bool judge_lines(lang_proof *p, const lang_block *derivation, lang_verdicts *v)
{
    int first = v->count;
    bool ok = judge_rows(p, derivation, v, first) && find_wrong_helpers(p, derivation) &&
              (!p->corrected || judge_rows(p, derivation, v, first)) &&
              (!p->options->repair || repair_lines(p, derivation)) &&
              check_truths(p, v->at + first);
    v->count = first;
    for (size_t i = 0; ok && i < p->count; i++) {
        const lang_line *l = &p->lines[i];
        rv_lang_verdict *row = &v->at[first + (int)i];
        if (l->wrong && is_first(p, l))
            snprintf(row->repair, sizeof row->repair, "%s", rv_lang_repair_of(p, l->statement));
        if (is_judged(l)) v->at[v->count++] = *row;
    }
    return ok;
}

/* Records the derivation's model and lines. */
static bool record_derivation(lang_proof *p, lang_file *file, const rv_lang_proof_options *options,
                              const lang_block *derivation, rv_error *error)
{
    const lang_node *loss = derivation->node->loss;
    return rv_lang_start_proof(p, file, options, derivation->model, loss->name, error) &&
           rv_lang_is_number(p, loss->location) && derive(p, derivation, judge);
}

void rv_lang_check_derivation(lang_file *file, const lang_block *derivation, int64_t *left)
{
    lang_proof p = {.left = *left, .store = rv_lang_new_shapes()};
    rv_error error = {0};
    rv_lang_proof_options options = {.seed = 1};
    if (!record_derivation(&p, file, &options, derivation, &error) && error.code)
        rv_lang_out_of_memory(&file->report);
    *left = p.work.stopped ? 0 : p.work.left;
    rv_lang_end_proof(&p);
}

bool rv_lang_prove_derivation(lang_file *file, const rv_lang_proof_options *options,
                              const lang_block *derivation, lang_verdicts *v, rv_error *error)
{
    lang_proof p = {.left = LANG_MOST_WORK};
    bool ok = record_derivation(&p, file, options, derivation, error);
    if (ok && p.count) ok = judge_lines(&p, derivation, v);
    rv_lang_end_proof(&p);
    return ok;
}
