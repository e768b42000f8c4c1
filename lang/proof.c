/* Proving a text: the gradients of its models against central differences, and the lines of its derivations
 * against the gradients. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/feed.h"
#include "autograd/gradcheck.h"
#include "autograd/gradient.h"
#include "autograd/program.h"
#include "lang/proof.h"
#include "ops/ops.h"
#include "tensor/memory.h"

/* ---- verdicts ---- */

typedef struct verdicts {
    rv_lang_verdict *at;
    int count;
    size_t capacity;
} verdicts;

/* On something at a place in a model, or in a derivation. */
static rv_lang_verdict *add_verdict(verdicts *v, const lang_block *block, lang_place place,
                                    const char *name, rv_error *error)
{
    bool derives = block->node->kind == LANG_DERIVE;
    if (!rv_reserve(&v->at, &v->capacity, (size_t)v->count + 1, sizeof *v->at)) {
        rv_fail_memory(error);
        return NULL;
    }
    rv_lang_verdict *row = &v->at[v->count++];
    *row = (rv_lang_verdict){.file = place.source->path,
                             .model = derives ? block->model->name : block->name,
                             .derivation = derives ? block->name : "",
                             .head = derives ? rv_lang_line(block->node->place) : 0,
                             .line = rv_lang_line(place)};
    snprintf(row->name, sizeof row->name, "%s", name);
    return row;
}

/* ---- a model, recorded so that the loss can be shaken anywhere ---- */

/* A named value plus an input of zeros: the gradient there is the value's cotangent, and differences can be taken. */
static rv_var shake(void *context, const lang_block *block, int symbol, int64_t time, rv_var v)
{
    lang_proof *p = context;
    char name[32];
    (void)block, (void)symbol, (void)time;
    if (rv_dtype_of(v) != rv_tape_dtype(v.tape)) return v;
    snprintf(name, sizeof name, "~%d", p->shaken++);
    return rv_add(v, rv_input(v.tape, name, rv_shape_of(v)));
}

/* The input of zeros in a quantity, or the quantity itself if it is a leaf. Null var: neither. */
static rv_var leaf_of(rv_var v)
{
    const rv_node *node = rv_is_null(v) ? NULL : rv_tape_node(v.tape, v.id);
    if (!node) return v;
    if (node->entry || node->op == &rv_op_input) return v;
    for (int k = 0; node->op == &rv_op_add && k < node->inputs; k++) {
        const rv_node *in = rv_tape_node(v.tape, node->in[k]);
        if (in->op == &rv_op_input && in->name[0] == '~') return (rv_var){v.tape, node->in[k]};
    }
    return (rv_var){v.tape, -1};
}

static bool draw_inputs(lang_proof *p)
{
    const rv_lang_proof_options *o = p->options;
    rv_named_tensor *drawn;
    int count = 0;
    bool ok = rv_lang_draw(&p->run, o->given, o->given_count, o->seed, &drawn, &count, p->error);
    p->inputs = ok ? rv_alloc((size_t)(count + p->shaken) + 1, sizeof *p->inputs) : NULL;
    for (int i = 0; p->inputs && i < count; i++) p->inputs[p->input_count++] = drawn[i];
    if (!p->inputs) rv_lang_free_tensors(drawn, count);
    if (p->inputs) rv_free(drawn);
    for (int32_t id = 0; p->inputs && ok && id < rv_tape_count(p->tape); id++) {
        const rv_node *node = rv_tape_node(p->tape, id);
        if (node->op != &rv_op_input || node->name[0] != '~') continue;
        rv_named_tensor *zeros = &p->inputs[p->input_count];
        zeros->name = node->name;
        ok = rv_tensor_new(&zeros->tensor, node->type.dtype, node->type.shape, p->error);
        p->input_count += ok;
    }
    return p->inputs ? ok : rv_fail_memory(p->error);
}

/* Parameters that are given take their place in the store. */
static bool give_parameters(lang_proof *p)
{
    for (int i = 0; i < p->options->given_count; i++) {
        const rv_named_tensor *given = &p->options->given[i];
        rv_entry *entry = rv_store_find(p->store, given->name);
        if (entry && !rv_lang_give(&entry->tensor, given, p->error)) return false;
    }
    return true;
}

/* The sizes and values that are given, as bindings. */
static bool record(lang_proof *p, const char *loss)
{
    const rv_lang_proof_options *o = p->options;
    lang_binding *given = rv_alloc((size_t)o->given_count + 1, sizeof *given);
    if (!given) return rv_fail_memory(p->error);
    for (int i = 0; i < o->given_count; i++)
        given[i] = (lang_binding){o->given[i].name, {p->tape, -1}, o->given[i].tensor.shape};
    p->work = (lang_work){.left = p->left, .report = p->report, .named = shake, .context = p};
    bool ok = rv_lang_start(&p->run, p->model, &p->work, p->tape) &&
              rv_lang_record_model(&p->run, given, o->given_count);
    rv_free(given);
    int symbol = rv_lang_find_value(p->model, loss);
    p->loss = ok && symbol >= 0 ? rv_lang_quantity(&p->run, symbol, -1) : (rv_var){p->tape, -1};
    return ok;
}

/* Whether the loss is one number; else tells it at a place. */
static bool is_number(lang_proof *p, lang_place place)
{
    char text[RV_SHAPE_TEXT];
    if (!rv_is_null(p->loss) && rv_shape_count(rv_shape_of(p->loss)) == 1) return true;
    if (rv_is_null(p->loss))
        return rv_lang_complain(p->report, place, RV_ERROR_SHAPE, "the loss is no tensor");
    return rv_lang_complain(p->report, place, RV_ERROR_SHAPE,
                            "the loss is %s, expected a single number; take its sum or mean",
                            rv_shape_text(rv_shape_of(p->loss), text));
}

static lang_place loss_place(const lang_block *model)
{
    return model->symbol[rv_lang_find_value(model, "loss")].made->place;
}

static bool start(lang_proof *p, const rv_lang *lang, const rv_lang_proof_options *options,
                  const lang_block *model, lang_report *report, const char *loss, rv_error *error)
{
    p->lang = lang;
    p->options = options;
    p->model = model;
    p->report = report;
    p->error = error;
    if (!p->store) p->store = rv_store_new(options->seed);
    p->tape = rv_tape_new(p->store, RV_F64);
    return p->tape ? record(p, loss) : rv_fail_memory(error);
}

static void end(lang_proof *p)
{
    if (p->run.block) rv_lang_end(&p->run);
    rv_lang_free_tensors(p->inputs, p->input_count);
    rv_free(p->lines);
    rv_tape_free(p->tape);
    rv_store_free(p->store);
}

/* ---- derivations ---- */

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

/* Lines are judged as if those before them were right. */
static rv_var true_cotangent(lang_run *run, const lang_node *e, int target, int64_t time)
{
    char name[80];
    lang_proof *p = run->context;
    lang_line *l = find_line(p, target, time);
    if (l && l - p->lines < (ptrdiff_t)p->visible) return l->truth;
    rv_lang_wrong(run, e->place, RV_ERROR_NAME, "%s is used before a line derives it",
                  cotangent_name(run->block, target, time, name));
    return (rv_var){run->tape, -1};
}

static bool target_of(lang_run *run, const lang_node *s, int *target, int64_t *time)
{
    const lang_node *base = s->a->kind == LANG_INDEX ? s->a->a : s->a;
    if (base->symbol < 0) return false;
    const lang_symbol *symbol = &run->block->symbol[base->symbol];
    *target = symbol->target;
    *time = symbol->time >= 0 ? symbol->time : base->time;
    return s->a->kind != LANG_INDEX || rv_lang_evaluate_whole(run, s->a->b, 0, 1000000, time);
}

static bool judge(lang_run *run, const lang_node *s)
{
    lang_proof *p = run->context;
    lang_line l = {.statement = s};
    char name[80], a[RV_SHAPE_TEXT], b[RV_SHAPE_TEXT];
    if (!target_of(run, s, &l.target, &l.time)) return false;
    cotangent_name(run->block, l.target, l.time, name);
    rv_var quantity = rv_lang_quantity(run, l.target, l.time);
    l.leaf = leaf_of(quantity);
    rv_error error;
    if (rv_is_null(l.leaf)) {
        rv_lang_wrong(run, s->a->place, RV_ERROR_NAME, "%s has no value to be a cotangent of",
                      name + 1);
        return false;
    }
    if (find_line(p, l.target, l.time)) {
        rv_lang_wrong(run, s->a->place, RV_ERROR_NAME, "%s is derived a second time", name);
        return false;
    }
    l.value = rv_lang_evaluate_var(run, s->b);
    if (!rv_gradient(p->loss, &l.leaf, 1, &l.truth)) {
        if (rv_tape_take_error(run->tape, &error))
            rv_lang_wrong(run, s->place, error.code, "%s", error.text);
        return false;
    }
    if (!rv_lang_spend(run, s->place, 1)) return false; /* for the gradient */
    if (!rv_is_null(l.value) && !rv_shape_equal(rv_shape_of(l.value), rv_shape_of(l.truth))) {
        rv_lang_wrong(run, s->b->place, RV_ERROR_SHAPE, "this is %s, but %s is %s",
                      rv_shape_text(rv_shape_of(l.value), a), name,
                      rv_shape_text(rv_shape_of(l.truth), b));
        l.value = (rv_var){run->tape, -1};
    }
    if (!rv_reserve(&p->lines, &p->capacity, p->count + 1, sizeof *p->lines))
        return rv_lang_no_memory(p->report);
    p->lines[p->count++] = l; /* even without a value: later lines may use its truth */
    p->visible = p->count;
    return true;
}

/* Whether it is the first wrong line of its statement in a loop. */
static bool is_first(const lang_proof *p, const lang_line *l)
{
    for (const lang_line *before = p->lines; before < l; before++)
        if (before->statement == l->statement && before->wrong) return false;
    return true;
}

/* The second time: what would make it right? */
static bool mend(lang_run *run, const lang_node *s)
{
    lang_proof *p = run->context;
    int target;
    int64_t time;
    lang_line *l = target_of(run, s, &target, &time) ? find_line(p, target, time) : NULL;
    if (!l) return false;
    p->visible = (size_t)(l - p->lines);
    if (l->wrong && is_first(p, l)) rv_lang_repair(p, run, l);
    p->visible++;
    return true;
}

/* Goes through the lines of a derivation. */
static bool derive(lang_proof *p, const lang_block *derivation,
                   bool (*each)(lang_run *run, const lang_node *s))
{
    lang_run run;
    if (!rv_lang_start(&run, derivation, &p->work, p->tape)) return false;
    size_t own = (size_t)p->model->symbols;
    memcpy(run.value, p->run.value, own * sizeof *run.value);
    memcpy(run.series, p->run.series, own * sizeof *run.series);
    memcpy(run.times, p->run.times, own * sizeof *run.times);
    memcpy(run.trace, p->run.trace, (size_t)p->model->unrolls * sizeof *run.trace);
    run.context = p;
    run.cotangent = true_cotangent;
    run.judge = each;
    p->work.named = NULL; /* helpers are no quantities of the model */
    p->visible = 0;
    rv_lang_statements(&run, derivation->node->c);
    memset(run.series, 0, own * sizeof *run.series); /* they are the model's */
    memset(run.trace, 0, (size_t)p->model->unrolls * sizeof *run.trace);
    rv_lang_end(&run);
    return !p->report->count && !p->report->out_of_memory;
}

/* The value and the truth of each line. */
static rv_program *compile_lines(lang_proof *p)
{
    rv_var *outputs = rv_alloc(2 * p->count + 1, sizeof *outputs);
    rv_program *program = NULL;
    for (size_t i = 0; outputs && i < p->count; i++) {
        outputs[2 * i] = p->lines[i].value;
        outputs[2 * i + 1] = p->lines[i].truth;
    }
    if (outputs) program = rv_compile_with(p->tape, outputs, (int)(2 * p->count), RV_VALUES);
    if (!program) {
        const rv_error *why = rv_tape_error(p->tape);
        rv_fail(p->error, why->code ? why->code : RV_ERROR_MEMORY, "%s",
                why->code ? why->text : "memory is out");
    }
    rv_free(outputs);
    return program;
}

/* Gradients at leaves against central differences. Where they disagree a finer step has another go: the differences may
 * be what is wrong. */
static bool check_gradients(const lang_proof *p, rv_var loss, const rv_var *leaf, int count,
                            rv_gradcheck_result *result, rv_error *error)
{
    enum { FINER = 4 };
    rv_gradcheck_options options = {.tolerance = p->options->difference_tolerance,
                                    .seed = p->options->seed,
                                    .inputs = p->inputs,
                                    .input_count = p->input_count};
    rv_gradcheck(loss, leaf, count, &options, result);
    for (int i = 0; i < count && !rv_tape_error(loss.tape)->code; i++) {
        rv_gradcheck_result finer;
        if (result[i].ok) continue;
        options.step = 1e-3 / FINER;
        rv_gradcheck(loss, &leaf[i], 1, &options, &finer);
        if (finer.max_relative_error < result[i].max_relative_error) result[i] = finer;
    }
    const rv_error *why = rv_tape_error(loss.tape);
    return !why->code || rv_fail(error, why->code, "%s", why->text);
}

/* The gradients that the lines are held against. */
static bool check_truths(lang_proof *p, verdicts *v, int first)
{
    rv_var *leaf = rv_alloc(p->count + 1, sizeof *leaf);
    rv_gradcheck_result *result = rv_alloc(p->count + 1, sizeof *result);
    bool ok = leaf && result;
    for (size_t i = 0; ok && i < p->count; i++) leaf[i] = p->lines[i].leaf;
    ok = ok ? check_gradients(p, p->loss, leaf, (int)p->count, result, p->error)
            : rv_fail_memory(p->error);
    for (size_t i = 0; ok && i < p->count; i++) {
        rv_lang_verdict *row = &v->at[first + (int)i];
        row->difference_error = result[i].max_relative_error;
        if (row->ok && result[i].warning)
            snprintf(row->reason, sizeof row->reason, "%.127s", result[i].warning);
        if (result[i].ok || !row->ok) continue;
        row->ok = false;
        snprintf(row->reason, sizeof row->reason,
                 "the recorded gradient itself differs from differences: %.70s", result[i].reason);
    }
    rv_free(leaf);
    rv_free(result);
    return ok;
}

static bool judge_lines(lang_proof *p, const lang_block *derivation, verdicts *v)
{
    const rv_lang_proof_options *o = p->options;
    rv_program *program = compile_lines(p);
    int first = v->count;
    bool ok = program;
    for (int i = 0; ok && i < p->input_count; i++)
        ok = rv_feed(program, p->inputs[i].name, &p->inputs[i].tensor, p->error);
    rv_code code = ok ? rv_run(program) : RV_OK;
    if (code) ok = rv_fail(p->error, code, "prove: %s", rv_code_text(code));
    for (size_t i = 0; ok && i < p->count; i++) {
        char name[80];
        const lang_line *l = &p->lines[i];
        rv_difference d =
            rv_gradient_difference(rv_program_output(program, 2 * (int)i),
                                   rv_program_output(program, 2 * (int)i + 1), 1e-300);
        const lang_node *written = l->statement->a; /* d3, or in a loop dC[2] for dC[t] */
        rv_lang_verdict *row = add_verdict(
            v, derivation, l->statement->place,
            written->kind == LANG_NAME ? written->name
                                       : cotangent_name(derivation, l->target, l->time, name),
            p->error);
        if (!(ok = row)) break;
        row->max_relative_error = d.max_relative_error;
        row->cosine = d.cosine;
        row->ratio = d.ratio;
        row->ok = d.max_relative_error <= (o->tolerance > 0 ? o->tolerance : 1e-10);
        snprintf(row->reason, sizeof row->reason, "%s", row->ok ? "right" : rv_difference_text(&d));
        p->lines[i].wrong = !row->ok;
    }
    rv_program_free(program);
    p->to_try = MOST_TO_TRY;
    p->work.left = LANG_MOST_WORK;
    if (ok && o->repair) ok = derive(p, derivation, mend);
    for (size_t i = 0; ok && i < p->count; i++)
        snprintf(v->at[first + (int)i].repair, sizeof v->at->repair, "%s", p->lines[i].repair);
    return ok && check_truths(p, v, first);
}

/* Records the derivation's model and lines. */
static bool record_derivation(lang_proof *p, rv_lang *lang, const rv_lang_proof_options *options,
                              const lang_block *derivation, rv_error *error)
{
    const char *loss = derivation->node->a->name;
    bool ok = start(p, lang, options, derivation->model, &lang->report, loss, error);
    return ok && is_number(p, derivation->node->a->place) && derive(p, derivation, judge);
}

void rv_lang_check_derivation(rv_lang *lang, const lang_block *derivation, int64_t *left)
{
    lang_proof p = {.left = *left, .store = rv_lang_shapes()};
    rv_error error = {0};
    rv_lang_proof_options options = {.seed = 1};
    if (!record_derivation(&p, lang, &options, derivation, &error) && error.code)
        rv_lang_no_memory(&lang->report);
    *left = p.work.stopped ? 0 : p.work.left;
    end(&p);
}

static bool prove_derivation(rv_lang *lang, const rv_lang_proof_options *options,
                             const lang_block *derivation, verdicts *v, rv_error *error)
{
    lang_proof p = {.left = LANG_MOST_WORK};
    bool ok = record_derivation(&p, lang, options, derivation, error) && draw_inputs(&p) &&
              give_parameters(&p);
    if (ok && p.count) ok = judge_lines(&p, derivation, v);
    end(&p);
    return ok;
}

/* ---- models ---- */

/* Where a parameter is declared, or the model. */
static lang_place declared_at(const lang_block *model, const char *name)
{
    const char *last = strrchr(name, '/');
    for (int i = 0; i < model->symbols; i++)
        if (!strcmp(model->symbol[i].name, name) && model->symbol[i].made)
            return model->symbol[i].made->place;
    for (const lang_node *s = model->node->c; s; s = s->next) {
        const lang_block *cell =
            s->kind == LANG_DEFINE && s->b->kind == LANG_UNROLL ? s->b->a->block : NULL;
        while (cell && cell->same) cell = cell->same;
        for (int i = 0; cell && i < cell->symbols; i++)
            if (cell->symbol[i].made && !strcmp(cell->symbol[i].name, last ? last + 1 : name) &&
                cell->node->place.source == model->node->place.source)
                return cell->symbol[i].made->place;
    }
    return model->node->place;
}

/* d loss / d each parameter. */
static bool check_parameters(rv_var loss, const lang_block *block, const lang_proof *p, verdicts *v,
                             rv_error *error)
{
    int count = rv_parameters(loss, NULL, 0);
    const rv_error *why = rv_tape_error(loss.tape);
    if (count <= 0) return !why->code || rv_fail(error, why->code, "%s", why->text);
    rv_var *wrt = rv_alloc((size_t)count, sizeof *wrt);
    rv_gradcheck_result *result = rv_alloc((size_t)count, sizeof *result);
    bool ok = wrt && result;
    ok = ok ? (rv_parameters(loss, wrt, count) == count ||
               rv_fail(error, why->code, "%s", why->text)) &&
                  check_gradients(p, loss, wrt, count, result, error)
            : rv_fail_memory(error);
    for (int i = 0; ok && i < count; i++) {
        lang_place place = declared_at(block, result[i].name);
        rv_lang_verdict *row = add_verdict(v, block, place, result[i].name, error);
        if (!(ok = row)) break;
        row->ok = result[i].ok;
        row->max_relative_error = row->difference_error = result[i].max_relative_error;
        row->cosine = result[i].cosine;
        row->ratio = result[i].ratio;
        snprintf(row->reason, sizeof row->reason, "%.127s",
                 !result[i].ok       ? result[i].reason
                 : result[i].warning ? result[i].warning
                                     : "right");
    }
    rv_free(wrt);
    rv_free(result);
    return ok;
}

static bool prove_model(rv_lang *lang, const rv_lang_proof_options *options, const lang_model *m,
                        verdicts *v, rv_error *error)
{
    lang_proof p = {.left = LANG_MOST_WORK};
    if (m->block->node->kind == LANG_MODEL) {
        bool ok = start(&p, lang, options, m->block, &lang->report, "loss", error) &&
                  draw_inputs(&p) && give_parameters(&p);
        bool any = ok && !rv_is_null(p.loss);
        ok = ok && (!any || is_number(&p, loss_place(m->block)));
        ok = ok && (!any || check_parameters(p.loss, m->block, &p, v, error));
        end(&p);
        return ok;
    }
    if (rv_lang_is_unrolled(lang, m->block, true)) return true;
    p = (lang_proof){.lang = lang, .options = options, .model = m->block, .error = error};
    p.store = rv_store_new(options->seed);
    p.tape = rv_tape_new(p.store, RV_F64);
    rv_var loss = rv_model_specimen(&m->model, p.tape);
    bool ok = p.tape && !rv_is_null(loss);
    if (!ok)
        rv_fail(error, RV_ERROR_ARGUMENT, "%s",
                p.tape ? rv_tape_error(p.tape)->text : "memory is out");
    ok = ok && check_parameters(loss, m->block, &p, v, error);
    end(&p);
    return ok;
}

static bool is_own(const rv_lang *lang, const lang_block *b)
{
    return b->node->place.source == lang->source;
}

bool rv_lang_prove(rv_lang *lang, const rv_lang_proof_options *options, rv_lang_verdict **result,
                   int *count, rv_error *error)
{
    rv_lang_proof_options standard = {.seed = 1}, *o = &standard;
    verdicts v = {0};
    if (options) standard = *options;
    bool ok = rv_lang_check(lang);
    for (int i = 0; ok && i < lang->models; i++)
        if (is_own(lang, lang->model[i].block))
            ok = prove_model(lang, o, &lang->model[i], &v, error);
    for (const lang_block *b = lang->scope.first; ok && b; b = b->next)
        if (b->node->kind == LANG_DERIVE && is_own(lang, b))
            ok = prove_derivation(lang, o, b, &v, error);
    if (!ok && error && !error->code) {
        char *text = rv_lang_problem_text(lang);
        rv_fail(error, RV_ERROR_FORMAT, "%.*s", RV_ERROR_TEXT - 1, text ? text : "memory is out");
        rv_free(text);
    }
    *result = v.at;
    *count = v.count;
    return ok;
}
