#include "lang/judge/proof.h"

#include <stdio.h>

#include "autograd/feed.h"
#include "lang/record/inputs.h"
#include "lang/record/model.h"
#include "lang/record/quantity.h"
#include "ops/ops.h"
#include "tensor/memory.h"
#include "tensor/store_entries_internal.h"

rv_store *rv_lang_new_shapes(void)
{
    return rv_store_new_shapes(LANG_MOST_ELEMENTS * sizeof(double));
}

/* Adds an input of zeros to a named value: the gradient there is the value's cotangent, and differences can be taken. */
static rv_var perturb(void *context, const lang_block *block, int symbol, int64_t time, rv_var v)
{
    lang_proof *p = context;
    char name[32];
    (void)block, (void)symbol, (void)time;
    if (rv_dtype_of(v) != rv_tape_dtype(v.tape)) return v;
    snprintf(name, sizeof name, "~%d", p->perturbations++);
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

static bool draw_inputs(lang_proof *p)
{
    const rv_lang_proof_options *o = p->options;
    rv_named_tensor *drawn;
    int count = 0;
    bool ok = rv_lang_draw(&p->run, o->given, o->given_count, o->seed, &drawn, &count, p->error);
    p->inputs = ok ? rv_alloc((size_t)(count + p->perturbations) + 1, sizeof *p->inputs) : NULL;
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

/* Copies given parameters into the store. */
static bool give_parameters(lang_proof *p)
{
    for (int i = 0; i < p->options->given_count; i++) {
        const rv_named_tensor *given = &p->options->given[i];
        rv_entry *entry = rv_store_find(p->store, given->name);
        if (entry && !rv_lang_give(&entry->tensor, given, p->error)) return false;
    }
    return true;
}

bool rv_lang_draw_values(lang_proof *p) { return draw_inputs(p) && give_parameters(p); }

/* The sizes and values that are given, as bindings. */
static bool record(lang_proof *p, const char *loss)
{
    const rv_lang_proof_options *o = p->options;
    lang_binding *given = rv_alloc((size_t)o->given_count + 1, sizeof *given);
    if (!given) return rv_fail_memory(p->error);
    for (int i = 0; i < o->given_count; i++)
        given[i] = (lang_binding){o->given[i].name, {p->tape, -1}, o->given[i].tensor.shape};
    p->work = (lang_work){.left = p->left, .report = p->report, .named = perturb, .context = p};
    bool ok = rv_lang_start_run(&p->run, p->model, &p->work, p->tape) &&
              rv_lang_record_model(&p->run, given, o->given_count);
    rv_free(given);
    int symbol = rv_lang_find_value(p->model, loss);
    p->loss = ok && symbol >= 0 ? rv_lang_quantity(&p->run, symbol, -1) : (rv_var){p->tape, -1};
    return ok;
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
    p->options = options;
    p->model = model;
    p->error = error;
    if (!p->store) p->store = rv_store_new(options->seed);
    p->tape = rv_tape_new(p->store, RV_F64);
    return p->tape ? record(p, loss) : rv_fail_memory(error);
}

void rv_lang_end_proof(lang_proof *p)
{
    if (p->run.block) rv_lang_end_run(&p->run);
    rv_lang_free_tensors(p->inputs, p->input_count);
    rv_free(p->lines);
    rv_free(p->trial);
    rv_lang_free_arena(&p->arena);
    rv_tape_free(p->tape);
    rv_store_free(p->store);
}

double rv_lang_tolerance(const lang_proof *p)
{
    return p->options->tolerance > 0 ? p->options->tolerance : 1e-10;
}

rv_program *rv_lang_compute(const lang_proof *p, const rv_var *outputs, int count, rv_error *error)
{
    rv_program *program = rv_compile_with(p->tape, outputs, count, RV_VALUES);
    const rv_error *why = rv_tape_error(p->tape);
    bool ok =
        program || (why->code ? rv_fail(error, why->code, "%s", why->text) : rv_fail_memory(error));
    for (int i = 0; ok && i < p->input_count; i++)
        ok = rv_feed(program, p->inputs[i].name, &p->inputs[i].tensor, error);
    rv_code code = ok ? rv_run(program) : RV_OK;
    if (code) ok = rv_fail(error, code, "prove: %s", rv_code_text(code));
    if (ok) return program;
    rv_program_free(program);
    return NULL;
}

/* Gradients at leaves against central differences. */
bool rv_lang_check_gradients(const lang_proof *p, rv_var loss, const rv_var *leaf, int count,
                             rv_gradcheck_result *result, rv_error *error)
{
    rv_gradcheck_options options = {.tolerance = p->options->difference_tolerance,
                                    .seed = p->options->seed,
                                    .inputs = p->inputs,
                                    .input_count = p->input_count};
    rv_gradcheck(loss, leaf, count, &options, result);
    const rv_error *why = rv_tape_error(loss.tape);
    return !why->code || rv_fail(error, why->code, "%s", why->text);
}
