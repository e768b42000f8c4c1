/* A recorded model with all its values by name. */
#include <stdio.h>
#include <string.h>

#include "lang/lang.h"
#include "lang/record/inputs.h"
#include "lang/record/model.h"
#include "lang/record/models.h"
#include "lang/resolve/symbols.h"
#include "tensor/memory.h"

struct rv_lang_recording {
    lang_run run;
    lang_work work;
    rv_lang_value *value;
    int count;
    size_t capacity;
    lang_arena names;
    rv_name_table at; /* the first value of each name, and of a_W for a/W */
    rv_named_tensor *inputs;
    int input_count;
};

/* Lets the latest value be found by a name, unless another one is. */
static bool add_name(rv_lang_recording *r, const char *name)
{
    if (!rv_name_table_reserve(&r->at, 2 * (size_t)r->count)) return false;
    if (rv_name_table_find(&r->at, name) == SIZE_MAX)
        rv_name_table_add(&r->at, name, (size_t)r->count - 1);
    return true;
}

/* The same by a_W, which a text writes for the parameter a/W. */
static bool add_plain_name(rv_lang_recording *r, const char *name)
{
    char *plain = strchr(name, '/') ? rv_lang_copy(&r->names, name, strlen(name)) : NULL;
    for (char *c = plain; c && *c; c++)
        if (*c == '/') *c = '_';
    return plain ? add_name(r, plain) : !strchr(name, '/');
}

static bool add_value(rv_lang_recording *r, const char *name, int64_t time, rv_var var,
                      const lang_node *made)
{
    char text[RV_CELL_NAME + LANG_INSIDE_NAME + 32];
    if (rv_is_null(var)) return true;
    if (time >= 0)
        snprintf(text, sizeof text, "%s[%lld]", name, (long long)time);
    else
        snprintf(text, sizeof text, "%s", name);
    if (!rv_reserve(&r->value, &r->capacity, (size_t)r->count + 1, sizeof *r->value)) return false;
    const char *kept = rv_lang_copy(&r->names, text, strlen(text));
    if (!kept) return false;
    r->value[r->count++] = (rv_lang_value){kept, var, made ? rv_lang_line(made->location) : 0};
    return add_name(r, kept) && add_plain_name(r, kept);
}

/* Adds the values inside an unroll. */
static bool add_trace(rv_lang_recording *r, int unroll)
{
    const lang_trace *t = &r->run.trace[unroll];
    char text[LANG_INSIDE_NAME];
    bool ok = true;
    for (int i = 0; t->value && i < t->cell->symbols; i++) {
        if (!rv_lang_is_traced(&t->cell->symbol[i])) continue;
        const char *name = rv_lang_inside_name(r->run.block, unroll, i, text);
        for (int64_t time = 0; ok && time <= t->last; time++) {
            rv_var v = t->value[time * t->cell->symbols + i];
            if (v.tape) ok = add_value(r, name, time, v, t->cell->symbol[i].definition);
        }
    }
    return ok;
}

/* Adds the parameters of cells, which have no symbol in the model. */
static bool add_parameters(rv_lang_recording *r)
{
    bool ok = true;
    for (int32_t id = 0; ok && id < rv_tape_count(r->run.tape); id++) {
        const rv_node *node = rv_tape_node(r->run.tape, id);
        if (!node->entry || node->op != &rv_op_parameter) continue;
        if (rv_is_null(rv_lang_value_of(r, node->name)))
            ok = add_value(r, node->name, -1, (rv_var){r->run.tape, id}, NULL);
    }
    return ok;
}

static bool add_values(rv_lang_recording *r)
{
    const lang_block *b = r->run.block;
    bool ok = true;
    for (int i = 0; ok && i < b->symbols; i++) {
        const lang_symbol *s = &b->symbol[i];
        if (r->run.value[i].kind == VALUE_VAR)
            ok = add_value(r, s->name, -1, r->run.value[i].var, s->definition);
        for (int64_t t = 0; ok && t < r->run.times[i]; t++)
            if (r->run.series[i][t].tape)
                ok = add_value(r, s->name, t, r->run.series[i][t], s->definition);
    }
    for (int u = 0; ok && u < b->unrolls; u++) ok = add_trace(r, u);
    return ok && add_parameters(r);
}

static bool record(rv_lang_recording *r, const lang_model *m, rv_tape *tape,
                   const rv_lang_recording_options *o)
{
    lang_binding *given = rv_alloc((size_t)o->given_count + 1, sizeof *given);
    rv_error error = {0};
    bool ok = given;
    for (int i = 0; ok && i < o->given_count; i++)
        given[i] = (lang_binding){o->given[i].name, {tape, -1}, o->given[i].tensor.shape};
    ok = ok && rv_lang_start_run(&r->run, m->block, &r->work, tape) &&
         rv_lang_record_model(&r->run, given, o->given_count);
    if (ok && (!add_values(r) || !rv_lang_draw(&r->run, o->given, o->given_count, o->seed,
                                               &r->inputs, &r->input_count, &error)))
        rv_tape_fail(tape, error.code ? error.code : RV_ERROR_MEMORY, "%s",
                     error.code ? error.text : "out of memory");
    if (!given) rv_tape_fail(tape, RV_ERROR_MEMORY, "out of memory");
    rv_free(given);
    return ok && !rv_tape_error(tape)->code;
}

rv_lang_recording *rv_lang_record(const rv_model *model, rv_tape *tape,
                                  const rv_lang_recording_options *options)
{
    rv_lang_recording_options standard = {.seed = 1};
    if (!tape) return NULL;
    if (!model || !model->record || !model->user) {
        rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                     "lang: \"%s\" is not a model of a text; pass one from rv_lang_model",
                     model && model->name ? model->name : "");
        return NULL;
    }
    rv_lang_recording *r = rv_alloc(1, sizeof *r);
    if (!r) {
        rv_tape_fail(tape, RV_ERROR_MEMORY, "out of memory");
        return NULL;
    }
    const rv_lang_limits *limits = ((const lang_model *)model->user)->limits;
    r->work = (lang_work){.left = rv_lang_most_work(limits, LANG_MOST_WORK),
                          .nodes = rv_tape_count(tape),
                          .limits = limits};
    if (record(r, model->user, tape, options ? options : &standard)) return r;
    rv_lang_recording_free(r);
    return NULL;
}

void rv_lang_recording_free(rv_lang_recording *r)
{
    if (!r) return;
    if (r->run.block) rv_lang_end_run(&r->run);
    rv_lang_free_tensors(r->inputs, r->input_count);
    rv_lang_free_arena(&r->names);
    rv_name_table_free(&r->at);
    rv_free(r->value);
    rv_free(r);
}

int rv_lang_value_count(const rv_lang_recording *r)
{
    if (!r) return 0;
    return r->count;
}

rv_lang_value rv_lang_value_at(const rv_lang_recording *r, int index)
{
    if (!r) return (rv_lang_value){NULL, {NULL, -1}, 0};
    rv_lang_value none = {NULL, {r->run.tape, -1}, 0};
    return index >= 0 && index < r->count ? r->value[index] : none;
}

rv_var rv_lang_value_of(const rv_lang_recording *r, const char *name)
{
    if (!r || !name) return (rv_var){NULL, -1};
    const size_t at = rv_name_table_find(&r->at, name);
    if (at != SIZE_MAX) return r->value[at].var;
    return (rv_var){r->run.tape, -1};
}

const rv_named_tensor *rv_lang_inputs(const rv_lang_recording *r, int *count)
{
    if (!r || !count) return NULL;
    *count = r->input_count;
    return r->inputs;
}
