#include "lang/judge/proof.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/feed.h"
#include "lang/record/evaluate.h"
#include "lang/record/inputs.h"
#include "lang/record/model.h"
#include "lang/record/quantity.h"
#include "ops/ops.h"
#include "tensor/memory.h"
#include "tensor/store_entries_internal.h"

rv_store *rv_lang_new_shapes(const rv_lang_limits *limits)
{
    const uint64_t size = (uint64_t)rv_lang_most_size(limits);
    return rv_store_new_shapes(size < SIZE_MAX / 8 ? (size_t)size * 8 : SIZE_MAX);
}

/* Counts numbers that are to be computed. False, with the error: there is a limit, or the caller
 * stops the proof. */
static bool proceed(void *context, int64_t numbers)
{
    lang_proof *p = context;
    const lang_location at = p->model->node->location;
    const double most = (double)rv_lang_most_numbers(p->limits);
    if (p->stopped) return false;
    p->numbers += (double)numbers;
    if (p->numbers <= most && !rv_lang_is_stopped(p->limits)) return true;
    p->stopped = true;
    if (p->numbers > most)
        return rv_fail(p->error, RV_ERROR_LIMIT,
                       "%s:%d: the proof of \"%s\" takes more than %.1e numbers; make the model "
                       "smaller, or set `limit-numbers`",
                       at.source->path, rv_lang_line(at), p->model->name, most);
    return rv_fail(p->error, RV_ERROR_LIMIT,
                   "%s:%d: the proof of \"%s\" is stopped after %.1e numbers", at.source->path,
                   rv_lang_line(at), p->model->name, p->numbers);
}

/* A draw records the model again. */
enum { DRAWS = 10, MOST_DRAWN = 2000000 /* nodes, in all draws of a large model */ };

/* Adds an input of zeros to a named value: the gradient there is the value's cotangent, and
 * differences can be taken. The name says whether it is a state's start at a number. */
static rv_var perturb(void *context, const lang_block *block, int symbol, int64_t time, rv_var v)
{
    lang_proof *p = context;
    char name[32];
    if (rv_dtype_of(v) != rv_tape_dtype(v.tape)) return v;
    bool start = time == 0 && block->symbol[symbol].kind == SYMBOL_STATE && rv_is_uniform(v, NULL);
    p->starts_are_numbers = p->starts_are_numbers || start;
    snprintf(name, sizeof name, start ? "~start%d" : "~%d", p->perturbations++);
    return rv_add(v, rv_input(v.tape, name, rv_shape_of(v)));
}

/* The input of zeros in a quantity, or the quantity itself if it is a leaf. Null var: neither. */
rv_var rv_lang_leaf(rv_var v)
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

/* ---- recording ---- */

/* Records the model of the text, with the sizes and values that are given, or the net around a
 * cell. */
static bool record(lang_proof *p)
{
    const rv_lang_proof_options *o = p->options;
    if (p->cell) {
        p->loss = rv_model_specimen(p->cell, p->tape);
        const rv_error *why = rv_tape_error(p->tape);
        return !why->code || rv_fail(p->error, why->code, "%-s", why->text);
    }
    lang_binding *given = rv_alloc((size_t)o->given_count + 1, sizeof *given);
    if (!given) return rv_fail_memory(p->error);
    for (int i = 0; i < o->given_count; i++)
        given[i] = (lang_binding){o->given[i].name, {p->tape, -1}, o->given[i].tensor.shape};
    p->work = (lang_work){
        .left = p->left, .report = p->report, .limits = p->limits, .named = perturb, .context = p};
    size_t reported = p->report->count;
    bool ok = rv_lang_start_run(&p->run, p->model, &p->work, p->tape) &&
              rv_lang_record_model(&p->run, given, o->given_count);
    rv_free(given);
    return ok && p->report->count == reported && !p->report->out_of_memory;
}

/* Whether the loss is one number; else reports it at the location. */
bool rv_lang_is_number(lang_proof *p, lang_location location)
{
    char text[RV_SHAPE_TEXT];
    if (!rv_is_null(p->loss) && rv_shape_count(rv_shape_of(p->loss)) == 1) return true;
    if (rv_is_null(p->loss))
        return rv_lang_add_problem(p->report, location, RV_ERROR_SHAPE, "the loss is not a tensor");
    return rv_lang_add_problem(p->report, location, RV_ERROR_SHAPE,
                               "the loss is %s, expected a single number; take its sum or mean",
                               rv_shape_text(rv_shape_of(p->loss), text));
}

bool rv_lang_start_proof(lang_proof *p, lang_file *file, const rv_lang_proof_options *options,
                         const lang_block *model, const char *loss, rv_error *error)
{
    p->scope = &file->scope;
    p->report = &file->report;
    p->limits = &file->limits;
    p->options = options;
    p->model = model;
    p->error = error;
    if (!p->store) p->store = rv_store_new(options->seed);
    p->tape = rv_tape_new(p->store, RV_F64);
    if (!p->tape) return rv_fail_memory(error);
    if (!record(p)) return false;
    p->draws = MOST_DRAWN / (rv_tape_count(p->tape) + 1);
    p->draws = p->draws < 2 ? 2 : p->draws < DRAWS ? p->draws : DRAWS;
    int symbol = loss ? rv_lang_find_value(model, loss) : -1;
    if (!p->cell)
        p->loss = symbol >= 0 ? rv_lang_quantity(&p->run, symbol, -1) : (rv_var){p->tape, -1};
    return true;
}

void rv_lang_end_proof(lang_proof *p)
{
    if (p->run.block) rv_lang_end_run(&p->run);
    rv_lang_free_tensors(p->inputs, p->input_count);
    rv_free(p->lines);
    rv_name_table_free(&p->line_at);
    rv_free(p->trial);
    rv_lang_free_arena(&p->arena);
    rv_tape_free(p->tape);
    rv_store_free(p->store);
}

/* ---- points ---- */

static bool is_given(const lang_proof *p, const char *name)
{
    for (int i = 0; i < p->options->given_count; i++)
        if (!strcmp(p->options->given[i].name, name)) return true;
    return false;
}

static bool is_uniform(const rv_tensor *x, double *number)
{
    *number = rv_tensor_get(x, 0);
    for (int64_t i = 1; i < rv_tensor_count(x); i++)
        if (rv_tensor_get(x, i) != *number) return false;
    return true;
}

static bool draw_inputs(lang_proof *p, uint64_t seed, bool move_starts)
{
    const rv_lang_proof_options *o = p->options;
    rv_named_tensor *drawn = NULL;
    int count = 0;
    rv_lang_free_tensors(p->inputs, p->input_count);
    p->inputs = NULL;
    p->input_count = 0;
    if (!p->run.block)
        return true; /* not a model of the text: the inputs are the checker's to draw */
    bool ok = rv_lang_draw(&p->run, o->given, o->given_count, seed, &drawn, &count, p->error);
    p->inputs = ok ? rv_alloc((size_t)(count + p->perturbations) + 1, sizeof *p->inputs) : NULL;
    for (int i = 0; p->inputs && i < count; i++) p->inputs[p->input_count++] = drawn[i];
    if (!p->inputs) {
        rv_lang_free_tensors(drawn, count);
        return ok ? rv_fail_memory(p->error) : false;
    }
    rv_free(drawn);
    for (int32_t id = 0; ok && id < rv_tape_count(p->tape); id++) {
        const rv_node *node = rv_tape_node(p->tape, id);
        if (node->op != &rv_op_input || node->name[0] != '~') continue;
        rv_named_tensor *zeros = &p->inputs[p->input_count];
        zeros->name = node->name;
        ok = rv_tensor_new(&zeros->tensor, node->type.dtype, node->type.shape, p->error);
        p->input_count += ok;
        if (ok && move_starts && node->name[1] == 's')
            rv_init_fill(&zeros->tensor, rv_init_uniform(-0.5, 0.5), rv_seed(seed, node->name));
    }
    return ok;
}

/* Gives the store the values that the text draws by a seed. Parameters that start at a number get
 * numbers around it, if they are to move. */
static bool draw_stored(lang_proof *p, uint64_t seed, bool move)
{
    lang_proof again = {.scope = p->scope,
                        .report = p->report,
                        .options = p->options,
                        .model = p->model,
                        .cell = p->cell,
                        .error = p->error,
                        .left = rv_lang_most_work(p->limits, LANG_MOST_WORK),
                        .limits = p->limits,
                        .store = rv_store_new(seed)};
    again.tape = rv_tape_new(again.store, RV_F64);
    bool ok = again.tape ? record(&again) : rv_fail_memory(p->error);
    for (size_t i = 0; ok && i < rv_store_count(p->store); i++) {
        rv_entry *to = rv_store_at(p->store, i);
        const rv_entry *from = rv_store_find(again.store, to->name);
        double number;
        if (!from || is_given(p, to->name)) continue;
        ok = rv_tensor_copy(&to->tensor, &from->tensor, p->error);
        if (move && to->role == RV_PARAMETER && is_uniform(&to->tensor, &number))
            rv_init_fill(&to->tensor, rv_init_uniform(number - 0.5, number + 0.5),
                         rv_seed(seed, to->name));
    }
    rv_lang_end_proof(&again);
    return ok;
}

static bool give_parameters(lang_proof *p)
{
    for (int i = 0; i < p->options->given_count; i++) {
        const rv_named_tensor *given = &p->options->given[i];
        rv_entry *entry = rv_store_find(p->store, given->name);
        if (entry && !rv_lang_give(&entry->tensor, given, p->error)) return false;
    }
    return true;
}

int rv_lang_points(const lang_proof *p) { return p->starts_are_numbers ? 2 * p->draws : p->draws; }
bool rv_lang_starts_elsewhere(const lang_proof *p, int point) { return point >= p->draws; }

bool rv_lang_move(lang_proof *p, int point)
{
    char name[32];
    int draw = point % p->draws;
    if (p->at_point && p->point == point) return true;
    snprintf(name, sizeof name, "point %d", draw);
    p->seed = draw ? rv_seed(p->options->seed, name) : p->options->seed;
    bool ok = draw_inputs(p, p->seed, rv_lang_starts_elsewhere(p, point));
    if (ok && (draw || p->redrawn)) ok = draw_stored(p, p->seed, draw > 0);
    p->redrawn = draw;
    p->at_point = ok && give_parameters(p);
    p->point = point;
    return p->at_point;
}

bool rv_lang_run(lang_proof *p, rv_program *program, double jitter, rv_error *error)
{
    const rv_program_stats size = rv_program_statistics(program);
    bool ok = proceed(p, (int64_t)(size.arena_bytes / sizeof(double)) + size.instructions);
    if (!ok) return rv_fail(error, RV_ERROR_LIMIT, "prove: stopped");
    for (int i = 0; ok && i < p->input_count; i++) {
        const rv_named_tensor *given = &p->inputs[i];
        ok = rv_feed(program, given->name, &given->tensor, error);
        rv_tensor *x = ok && *given->name == '~' ? rv_program_input(program, given->name) : NULL;
        for (int64_t k = 0; x && jitter > 0 && k < rv_tensor_count(x); k++) {
            double u = rv_random_uniform(rv_seed(p->seed, given->name), (uint64_t)k);
            rv_tensor_set(x, k, rv_tensor_get(x, k) + jitter * (2 * u - 1));
        }
    }
    rv_code code = ok ? rv_run(program) : RV_OK;
    return code ? rv_fail(error, code, "prove: %s", rv_code_text(code)) : ok;
}

double rv_lang_tolerance(const lang_proof *p)
{
    return p->options->tolerance > 0 ? p->options->tolerance : 1e-10;
}

rv_program *rv_lang_compute(lang_proof *p, const rv_var *outputs, int count, rv_error *error)
{
    rv_program *program = rv_compile_with(p->tape, outputs, count, RV_VALUES);
    const rv_error *why = rv_tape_error(p->tape);
    bool ok = program ||
              (why->code ? rv_fail(error, why->code, "%-s", why->text) : rv_fail_memory(error));
    ok = ok && rv_lang_run(p, program, 0, error);
    if (ok) return program;
    rv_program_free(program);
    return NULL;
}

bool rv_lang_is_right(const lang_proof *p, const rv_program *program, int value, int truth)
{
    const rv_tensor *a = rv_program_output(program, value), *b = rv_program_output(program, truth);
    if (!rv_shape_equal(a->shape, b->shape)) return false;
    rv_difference d = rv_gradient_difference(a, b, 1e-300);
    return d.max_relative_error <= rv_lang_tolerance(p) || !isfinite(d.right_norm);
}

bool rv_lang_forget_error(lang_proof *p)
{
    rv_error error = {0};
    if (!rv_tape_take_error(p->tape, &error) || error.code != RV_ERROR_MEMORY) return true;
    return rv_lang_out_of_memory(p->report);
}

/* A run whose mistakes go to the tape. */
static lang_run silent(lang_run *run, lang_work *work)
{
    lang_run other = *run;
    *work = (lang_work){.left = LANG_MOST_WORK, .nodes = rv_tape_count(run->tape)};
    other.work = work;
    return other;
}

rv_var rv_lang_attempt(lang_proof *p, lang_run *run, const lang_node *e)
{
    lang_work work;
    lang_run other = silent(run, &work);
    if (!proceed(p, 0)) return rv_lang_null(run);
    rv_var v = rv_lang_evaluate_var(&other, e);
    if (rv_tape_error(p->tape)->code) v = rv_lang_null(run);
    return rv_lang_forget_error(p) ? v : rv_lang_null(run);
}

bool rv_lang_attempt_whole(lang_proof *p, lang_run *run, const lang_node *e, int64_t *number)
{
    lang_work work;
    lang_run other = silent(run, &work);
    bool ok = rv_lang_evaluate_whole(&other, e, 0, LANG_MOST_STEPS, number);
    return rv_lang_forget_error(p) && ok;
}

/* ---- differences ---- */

enum { OPEN_POINTS = 3 }; /* at which a gradient may stay open */

static bool is_open(const rv_gradcheck_result *r) { return r->verdict != RV_WRONG && *r->reason; }

/* Checks the open ones of the gradients at the current point. */
static bool check_open(lang_proof *p, rv_var loss, const rv_var *leaf, int count,
                       rv_gradcheck_result *result, rv_var *open, rv_gradcheck_result *found)
{
    rv_gradcheck_options options = {.tolerance = p->options->difference_tolerance,
                                    .seed = p->seed,
                                    .inputs = p->inputs,
                                    .input_count = p->input_count,
                                    .proceed = proceed,
                                    .context = p};
    int opens = 0;
    for (int i = 0; i < count; i++)
        if (is_open(&result[i])) open[opens++] = leaf[i];
    if (!opens) return true;
    rv_gradcheck(loss, open, opens, &options, found);
    const rv_error *why = rv_tape_error(loss.tape);
    if (why->code) return rv_fail(p->error, why->code, "%-s", why->text);
    for (int i = 0; i < count; i++)
        if (is_open(&result[i])) {
            bool proved =
                found->verdict == RV_RIGHT && (result[i].verdict != RV_RIGHT || !*found->reason);
            if (proved || found->verdict == RV_WRONG || !result[i].name) result[i] = *found;
            found++;
        }
    return true;
}

bool rv_lang_check_gradients(lang_proof *p, rv_var loss, const rv_var *leaf, int count,
                             rv_gradcheck_result *result)
{
    rv_var *open = rv_alloc((size_t)count + 1, sizeof *open);
    rv_gradcheck_result *found = rv_alloc((size_t)count + 1, sizeof *found);
    bool ok = (open && found) || rv_fail_memory(p->error);
    for (int i = 0; i < count; i++)
        result[i] = (rv_gradcheck_result){.verdict = RV_UNDECIDED, .reason = "not checked"};
    for (int point = 0; ok && point < OPEN_POINTS && point < p->draws; point++) {
        bool any = false;
        for (int i = 0; i < count; i++) any = any || is_open(&result[i]);
        if (!any) break;
        ok = rv_lang_move(p, point) && check_open(p, loss, leaf, count, result, open, found);
    }
    rv_free(open);
    rv_free(found);
    return ok;
}
