#include "lang/record/model.h"

#include <string.h>

#include "lang/record/evaluate.h"
#include "lang/record/quantity.h"
#include "lang/record/starts.h"
#include "lang/record/statements.h"
#include "lang/resolve/starts.h"
#include "ops/ops.h"

static const lang_binding *binding_of(const lang_binding *given, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(given[i].name, name)) return &given[i];
    return NULL;
}

/* Sizes that are names take the value that the given input has there. */
static bool bind_sizes(lang_run *run, const lang_node *d, const lang_binding *b)
{
    char text[RV_SHAPE_TEXT];
    rv_shape given = rv_is_null(b->var) ? b->shape : rv_shape_of(b->var);
    int64_t axis = 0;
    for (const lang_node *e = d->sizes->items; e && axis < given.rank; e = e->next, axis++) {
        if (e->kind != LANG_NAME || e->symbol < 0) continue;
        lang_value *size = &run->value[e->symbol];
        double seen = (double)given.dim[axis];
        if (size->kind == VALUE_NUMBER && size->number != seen) {
            rv_lang_wrong(run, e->location, RV_ERROR_SHAPE, "%s is %.0f, but \"%s\" is given as %s",
                          e->name, size->number, d->name, rv_shape_text(given, text));
            return false;
        }
        *size = (lang_value){.kind = VALUE_NUMBER, .number = seen};
    }
    return true;
}

static bool set_sizes(lang_run *run, const lang_binding *given, int count)
{
    const lang_node *model = run->block->node;
    bool ok = true;
    for (const lang_node *s = model->body; s; s = s->next)
        for (const lang_node *d = s->kind == LANG_DECLARE ? s->declared : NULL; d; d = d->next) {
            const lang_binding *b = binding_of(given, count, d->name);
            bool input = d->symbol >= 0 && run->block->symbol[d->symbol].kind == SYMBOL_INPUT;
            if (b && input && d->sizes) ok = bind_sizes(run, d, b) && ok;
        }
    for (const lang_node *o = model->arguments; o; o = o->next) {
        int64_t size;
        if (o->symbol < 0 || run->value[o->symbol].kind == VALUE_NUMBER) continue;
        if (!rv_lang_evaluate_whole(run, o->value, 1, INT32_MAX, &size)) return false;
        run->value[o->symbol] = (lang_value){.kind = VALUE_NUMBER, .number = (double)size};
    }
    return ok;
}

bool rv_lang_is_integer(const lang_node *d) { return d->drawn && rv_lang_draws_integers(d->start); }

/* A given var in the shape and dtype of the declaration: labels [n] serve as y[n,1]. */
static rv_var fit_input(lang_run *run, const lang_node *d, rv_var x, rv_shape shape)
{
    char seen[RV_SHAPE_TEXT], expected[RV_SHAPE_TEXT];
    if (rv_shape_count(rv_shape_of(x)) != rv_shape_count(shape)) {
        rv_lang_wrong(run, d->location, RV_ERROR_SHAPE, "\"%s\" is %s, but is given as %s%s",
                      d->name, rv_shape_text(shape, expected), rv_shape_text(rv_shape_of(x), seen),
                      d->sizes->items && d->sizes->items->kind == LANG_NUMBER
                          ? "; make the batch a size: model name(n=2), input x[n,..]"
                          : "");
        return (rv_var){run->tape, -1};
    }
    rv_dtype dtype = rv_lang_is_integer(d) ? RV_I32 : rv_tape_dtype(run->tape);
    if (rv_dtype_of(x) != dtype) x = rv_cast(x, dtype);
    return rv_reshape(x, shape);
}

static bool make_input(lang_run *run, const lang_node *d, const lang_binding *b)
{
    rv_shape shape;
    lang_start start;
    if (!rv_lang_evaluate_sizes(run, d->sizes->items, false, &shape)) return false;
    if (!rv_lang_evaluate_start(run, d, rv_init_constant(0), &start)) return false;
    char expected[RV_SHAPE_TEXT], seen[RV_SHAPE_TEXT];
    if (b && rv_is_null(b->var) && !rv_shape_equal(b->shape, shape)) {
        rv_lang_wrong(run, d->location, RV_ERROR_SHAPE, "\"%s\" is %s, but is given as %s", d->name,
                      rv_shape_text(shape, expected), rv_shape_text(b->shape, seen));
        return false;
    }
    if (!rv_lang_is_affordable(run, d->location, shape)) return false;
    if (!rv_lang_check_start(run, d, &start.init, shape)) return false;
    rv_var x = b && !rv_is_null(b->var) ? fit_input(run, d, b->var, shape)
               : rv_lang_is_integer(d)  ? rv_input_typed(run->tape, d->name, RV_I32, shape)
                                        : rv_input(run->tape, d->name, shape);
    run->value[d->symbol] = rv_lang_recorded(run, d->location, x);
    return run->value[d->symbol].kind == VALUE_VAR;
}

const lang_node *rv_lang_declared_input(const lang_block *model, const char *name)
{
    for (const lang_node *s = model->node->body; s; s = s->next)
        for (const lang_node *d = s->kind == LANG_DECLARE ? s->declared : NULL; d; d = d->next)
            if (d->symbol >= 0 && model->symbol[d->symbol].kind == SYMBOL_INPUT &&
                (!name || !strcmp(d->name, name)))
                return d;
    return NULL;
}

bool rv_lang_record_model(lang_run *run, const lang_binding *given, int count)
{
    const lang_block *model = run->block;
    if (!set_sizes(run, given, count)) return false;
    for (int i = 0; i < count; i++)
        if (!rv_is_null(given[i].var) && !rv_lang_declared_input(model, given[i].name)) {
            rv_lang_wrong(run, model->node->location, RV_ERROR_NAME,
                          "the model \"%s\" has no input \"%s\"", model->name, given[i].name);
            return false;
        }
    bool ok = true;
    for (const lang_node *s = model->node->body; s; s = s->next)
        for (const lang_node *d = s->kind == LANG_DECLARE ? s->declared : NULL; d; d = d->next)
            if (d->symbol >= 0 && model->symbol[d->symbol].kind == SYMBOL_INPUT)
                ok = make_input(run, d, binding_of(given, count, d->name)) && ok;
    rv_lang_statements(run, model->node->body);
    ok = rv_lang_spend(run, model->node->location, 0) && ok; /* for the last line */
    return ok && !model->wrong && !rv_tape_error(run->tape)->code;
}
