#include "lang/judge/derivation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lang/judge/lines.h"
#include "lang/judge/repair.h"
#include "lang/record/derive.h"
#include "lang/resolve/names.h"
#include "tensor/memory.h"

/* Computes the value and the truth of each line. If one is missing, the other is computed twice. */
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

static const double jitter = 1e-9;

/* What rounding can do to a value. The values that it is computed from are rounded, relative to
 * their size, so it follows from what the jitter of them does. Where 1 - h^2 is nearly 0, it is
 * much more than the rounding of the result. */
static double rounding(const rv_tensor *exact, const rv_tensor *jittered)
{
    double most = 0;
    for (int64_t i = 0; i < rv_tensor_count(exact); i++)
        most = fmax(most, fabs(rv_tensor_get(exact, i) - rv_tensor_get(jittered, i)));
    return most / jitter * 0x1p-48;
}

/* Compares a line with the recorded gradient at a point. A line that has agreed at all points where
 * states start as declared is not wrong if it fails where they start elsewhere: it may use the
 * numbers at which they start. */
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
            bool wrong = rows[i].verdict == RV_WRONG;
            bool open = rows[i].verdict == RV_UNDECIDED &&
                        rows[i].max_relative_error > rv_lang_tolerance(p);
            if ((wrong && !l->wrong) || (open && !l->open)) l->point = l->mistake ? 0 : point;
            l->wrong = wrong;
            l->open = open;
        }
    }
    for (size_t k = 0; exact && k < 2 * p->count; k++) rv_tensor_free(&exact[k]);
    rv_free(exact);
    return ok;
}

/* Checks the gradients that the lines are compared with. A line that equals one rests upon it: ops
 * are proved one by one, so it is right even where differences cannot tell, but not where they
 * contradict. */
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
        char name[LANG_COTANGENT_NAME];
        const lang_line *l = &p->lines[i];
        const lang_node *written = l->statement->target; /* d3, or in a loop dC[2] for dC[t] */
        rv_lang_verdict *row =
            rv_lang_add_verdict(v, derivation, l->statement->location,
                                written->kind == LANG_NAME
                                    ? written->name
                                    : rv_lang_cotangent_name(derivation, l->target, l->time, name) +
                                          l->statement->helper,
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

/* Whether the line gets a verdict. A helper does only if it is wrong. */
static bool is_judged(const lang_line *l) { return !l->statement->helper || l->wrong; }

/* Repairs the wrong and the open lines. */
static bool repair_lines(lang_proof *p, lang_block *derivation)
{
    bool off = false;
    for (size_t i = 0; i < p->count; i++) off = off || p->lines[i].wrong || p->lines[i].open;
    return !off ||
           (rv_lang_name_everything(p->scope, derivation) && rv_lang_repair_lines(p, derivation));
}

static bool judge_lines(lang_proof *p, lang_block *derivation, lang_verdicts *v)
{
    int first = v->count;
    bool ok = judge_rows(p, derivation, v, first) && rv_lang_trace_lines(p, derivation) &&
              (!p->corrected || judge_rows(p, derivation, v, first)) &&
              (!p->options->repair || repair_lines(p, derivation)) &&
              check_truths(p, v->at + first);
    v->count = first;
    for (size_t i = 0; ok && i < p->count; i++) {
        const lang_line *l = &p->lines[i];
        rv_lang_verdict *row = &v->at[first + (int)i];
        if ((l->wrong || l->open) && rv_lang_is_first(p, l))
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
           rv_lang_is_number(p, loss->location) && rv_lang_record_lines(p, derivation);
}

void rv_lang_check_derivation(lang_file *file, const lang_block *derivation, int64_t *left)
{
    lang_proof p = {.left = *left, .store = rv_lang_new_shapes(&file->limits)};
    rv_error error = {0};
    rv_lang_proof_options options = {.seed = 1};
    if (!record_derivation(&p, file, &options, derivation, &error) && error.code)
        rv_lang_out_of_memory(&file->report);
    *left = p.work.stopped ? 0 : p.work.left;
    rv_lang_end_proof(&p);
}

bool rv_lang_prove_derivation(lang_file *file, const rv_lang_proof_options *options,
                              lang_block *derivation, lang_verdicts *v, rv_error *error)
{
    lang_proof p = {.left = rv_lang_most_work(&file->limits, LANG_MOST_WORK)};
    bool ok = record_derivation(&p, file, options, derivation, error);
    if (ok && p.count) ok = judge_lines(&p, derivation, v) && !p.stopped;
    rv_lang_end_proof(&p);
    return ok;
}
