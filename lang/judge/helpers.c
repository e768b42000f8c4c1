/* A helper is an equation without a meaning of its own: a mistake in it shows in the lines that
 * read it. But a helper in a derivation mostly stands for a value of the model, or the cotangent of
 * one, perhaps of one without a name. So it is replaced by each of these in turn. The one that
 * makes a wrong line right is what the helper stands for. */
#include "lang/judge/helpers.h"

#include <stdio.h>
#include <string.h>

#include "autograd/gradient.h"
#include "lang/record/evaluate.h"
#include "ops/ops.h"
#include "tensor/memory.h"

enum { MOST_CANDIDATES = 500, DEEPEST_HELPER = 5 };

/* ---- helpers in a line ---- */

static const lang_symbol *helper_symbol(const lang_run *run, const lang_node *e)
{
    const lang_node *base = e->kind == LANG_INDEX ? e->base : e;
    if (base->kind != LANG_NAME || base->symbol < 0) return NULL;
    const lang_symbol *s = &run->block->symbol[base->symbol];
    bool helper = s->definition && s->definition->kind == LANG_DEFINE && s->definition->helper;
    return helper ? s : NULL;
}

/* The latest helper that a name stands for. NULL: none. */
static lang_line *find_helper(lang_proof *p, lang_run *run, const lang_node *e)
{
    const lang_node *base = e->kind == LANG_INDEX ? e->base : e;
    int64_t time = base->time;
    if (!helper_symbol(run, e)) return NULL;
    bool series = run->block->symbol[base->symbol].kind == SYMBOL_SERIES;
    if (series && time < 0 &&
        (e->kind != LANG_INDEX || !rv_lang_attempt_whole(p, run, e->indices, &time)))
        return NULL;
    for (size_t i = p->visible; i-- > 0;)
        if (p->lines[i].statement->helper && p->lines[i].target == base->symbol &&
            (!series || p->lines[i].time == time))
            return &p->lines[i];
    return NULL;
}

static bool mentions(const lang_run *run, const lang_node *e, int symbol)
{
    for (; e; e = e->next) {
        if (e->kind == LANG_NAME && e->symbol == symbol) return true;
        for (int i = 0; i < 3; i++)
            if (mentions(run, e->child[i], symbol)) return true;
    }
    return false;
}

/* Whether a statement is right at all its lines. */
static bool is_right(const lang_proof *p, const lang_node *statement)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->lines[i].statement == statement && (p->lines[i].wrong || p->lines[i].open))
            return false;
    return true;
}

/* The number of statements other than `but` that read a helper. -1 if one of them is right, or
 * another helper that a right statement reads: then this helper is right. */
static int count_readers(const lang_proof *p, const lang_run *run, int symbol, const lang_node *but,
                         int depth)
{
    int readers = 0;
    for (size_t i = 0; i < p->count; i++) {
        const lang_node *s = p->lines[i].statement;
        if (s == but || (s->helper && p->lines[i].target == symbol)) continue;
        if ((i && p->lines[i - 1].statement == s) || !mentions(run, s->value, symbol)) continue;
        if (s->helper ? depth && count_readers(p, run, p->lines[i].target, but, depth - 1) < 0
                      : is_right(p, s))
            return -1;
        readers++;
    }
    return readers;
}

/* ---- candidates ---- */

typedef struct candidates {
    rv_var *value; /* [count] */
    int count;
} candidates;

/* The values of the model and their cotangents. */
static bool find_candidates(lang_proof *p, candidates *c)
{
    c->value = rv_alloc(2 * MOST_CANDIDATES, sizeof *c->value);
    for (int32_t id = p->loss.id; c->value && id >= 0 && c->count < MOST_CANDIDATES; id--) {
        rv_var v = {p->tape, id};
        if (rv_dtype_of(v) == RV_F64) c->value[c->count++] = v;
    }
    if (c->value && rv_gradient(p->loss, c->value, c->count, c->value + c->count)) c->count *= 2;
    return rv_lang_forget_error(p) && c->value;
}

/* Gives a helper a value; a null var: none. False: out of memory, which is reported. */
static bool replace(lang_run *run, const lang_line *h, rv_var v)
{
    if (run->block->symbol[h->target].kind != SYMBOL_SERIES) {
        run->value[h->target] =
            rv_is_null(v) ? rv_lang_none() : (lang_value){.kind = VALUE_VAR, .var = v};
        return true;
    }
    size_t room = (size_t)run->times[h->target];
    if (!rv_reserve(&run->series[h->target], &room, (size_t)h->time + 1, sizeof v))
        return rv_lang_out_of_memory(run->work->report);
    run->times[h->target] = (int64_t)room;
    run->series[h->target][h->time] = v;
    return true;
}

/* The truth of a helper: the candidate with which the line is right. Null var: none. *known_as_is:
 * the helper is one of the candidates as it is. */
static rv_var find_truth(lang_proof *p, lang_run *run, const lang_line *line, const lang_line *h,
                         rv_var *value, bool *known_as_is)
{
    candidates c = {0};
    rv_error error = {0};
    rv_var truth = rv_lang_null(run), *outputs = NULL;
    bool known = find_candidates(p, &c);
    if (known) outputs = rv_alloc(2 * (size_t)c.count + 2, sizeof *outputs);
    p->to_try -= c.count;
    for (int k = 0; outputs && k < c.count; k++) {
        rv_var v = replace(run, h, c.value[k]) ? rv_lang_attempt(p, run, line->statement->value)
                                               : rv_lang_null(run);
        outputs[2 * k] = c.value[k];
        outputs[2 * k + 1] = rv_is_null(v) ? p->loss : v;
    }
    rv_program *program = NULL;
    if (outputs) {
        replace(run, h, h->value);
        outputs[2 * c.count] = line->truth;
        outputs[2 * c.count + 1] = rv_is_null(h->value) ? p->loss : h->value;
        program = rv_lang_compute(p, outputs, 2 * c.count + 2, &error);
    }
    if (!outputs || error.code == RV_ERROR_MEMORY) rv_lang_out_of_memory(p->report);
    *known_as_is = false;
    for (int k = 0; program && !rv_is_null(h->value) && k < c.count; k++)
        *known_as_is = *known_as_is || rv_lang_is_right(p, program, 2 * k, 2 * c.count + 1);
    for (int k = 0; program && rv_is_null(truth) && k < c.count; k++)
        if (rv_lang_is_right(p, program, 2 * k + 1, 2 * c.count)) {
            truth = c.value[k];
            *value = outputs[2 * k + 1];
        }
    rv_program_free(program);
    rv_free(outputs);
    rv_free(c.value);
    return truth;
}

/* ---- tracing ---- */

/* Whether most wrong lines that read the helper stay wrong with a truth that makes this line right.
 * Lines of loops, where the loop's variable has other values, are left out. */
static bool is_contradicted(lang_proof *p, lang_run *run, const lang_line *line, lang_line *h,
                            rv_var truth)
{
    int right = 1, wrong = 0;
    if (run->block->symbol[h->target].kind == SYMBOL_SERIES) return false;
    replace(run, h, truth);
    for (size_t i = 0; i < p->count; i++) {
        const lang_line *l = &p->lines[i];
        rv_error error = {0};
        if (l->statement == line->statement || l->statement->helper || !l->wrong || l->time >= 0 ||
            !mentions(run, l->statement->value, h->target))
            continue;
        rv_var v = rv_lang_attempt(p, run, l->statement->value);
        if (rv_is_null(v)) continue;
        rv_program *program = rv_lang_compute(p, (rv_var[]){v, l->truth}, 2, &error);
        if (error.code == RV_ERROR_MEMORY) rv_lang_out_of_memory(p->report);
        if (program) *(rv_lang_is_right(p, program, 0, 1) ? &right : &wrong) += 1;
        rv_program_free(program);
    }
    replace(run, h, h->value);
    return wrong > right;
}

/* Whether a helper is wrong at another time step. */
static bool is_convicted(const lang_proof *p, const lang_node *helper)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->lines[i].statement == helper && p->lines[i].wrong) return true;
    return false;
}

/* Whether the helper makes the line wrong. If so, gives the helper its truth and corrects the
 * line. */
static bool blame(lang_proof *p, lang_run *run, lang_line *line, lang_line *h)
{
    rv_var value;
    bool known;
    int readers = count_readers(p, run, h->target, line->statement, DEEPEST_HELPER);
    if (line->open && !is_convicted(p, h->statement)) return false;
    if (readers < 0 || !rv_is_null(h->truth) || p->to_try <= 0) return false;
    rv_var truth = find_truth(p, run, line, h, &value, &known);
    if (rv_is_null(truth)) return false;
    if (known && (!readers || is_contradicted(p, run, line, h, truth))) return false;
    h->truth = truth;
    h->wrong = p->corrected = true;
    h->point = p->point;
    if (!rv_is_null(h->value) && !rv_shape_equal(rv_shape_of(h->value), rv_shape_of(truth))) {
        char text[2 * RV_SHAPE_TEXT + 40], a[RV_SHAPE_TEXT], b[RV_SHAPE_TEXT];
        snprintf(text, sizeof text, "this is %s, but it stands for a value of shape %s",
                 rv_shape_text(rv_shape_of(h->value), a), rv_shape_text(rv_shape_of(truth), b));
        h->value = rv_lang_null(run);
        h->mistake = rv_lang_copy(&p->arena, text, strlen(text));
        if (!h->mistake) rv_lang_out_of_memory(p->report);
    }
    line->value = value;
    line->wrong = line->open = false;
    line->mistake = NULL;
    replace(run, h, truth);
    return true;
}

/* The helper in an expression that makes the line wrong. NULL: none. */
static lang_line *trace(lang_proof *p, lang_run *run, lang_line *line, const lang_node *e)
{
    lang_line *found = NULL;
    for (; e && !found; e = e->next) {
        lang_line *h = find_helper(p, run, e);
        if (h && h != line && blame(p, run, line, h)) return h;
        for (int i = 0; i < 3 && !found; i++) found = trace(p, run, line, e->child[i]);
    }
    return found;
}

bool rv_lang_trace_helper(lang_proof *p, lang_run *run, lang_line *line)
{
    bool found = false;
    while ((line = trace(p, run, line, line->statement->value))) found = true;
    return found;
}

void rv_lang_restate(lang_proof *p, lang_line *line, rv_var value)
{
    rv_error error = {0};
    if (rv_is_null(value) || value.id == line->value.id ||
        !rv_shape_equal(rv_shape_of(value), rv_shape_of(line->truth)))
        return;
    rv_program *program = rv_lang_compute(p, (rv_var[]){value, line->truth}, 2, &error);
    if (error.code == RV_ERROR_MEMORY) rv_lang_out_of_memory(p->report);
    if (!program) return;
    line->value = value;
    line->mistake = NULL;
    *(line->open ? &line->open : &line->wrong) = !rv_lang_is_right(p, program, 0, 1);
    rv_program_free(program);
}
