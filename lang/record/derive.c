#include "lang/record/derive.h"

#include <stdio.h>
#include <string.h>

#include "autograd/gradient.h"
#include "lang/record/evaluate.h"
#include "lang/record/quantity.h"
#include "lang/record/statements.h"
#include "ops/ops.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"

/* ---- lines ---- */

const char *rv_lang_cotangent_name(const lang_block *derivation, int target, int64_t time,
                                   char text[LANG_COTANGENT_NAME])
{
    const char *name = derivation->symbol[target].name;
    if (time >= 0)
        snprintf(text, LANG_COTANGENT_NAME, "d%s[%lld]", name, (long long)time);
    else
        snprintf(text, LANG_COTANGENT_NAME, "d%s", name);
    return text;
}

bool rv_lang_derived_value(lang_run *run, const lang_node *line, int *target, int64_t *time)
{
    const lang_node *at = line->target, *base = at->kind == LANG_INDEX ? at->base : at;
    if (base->symbol < 0) return false;
    const lang_symbol *symbol = &run->block->symbol[base->symbol];
    *target = symbol->target;
    *time = symbol->time >= 0 ? symbol->time : base->time;
    return at->kind != LANG_INDEX || rv_lang_evaluate_whole(run, at->indices, 0, 1000000, time);
}

bool rv_lang_derive(const lang_run *model, const lang_block *derivation, lang_line_function line,
                    lang_cotangent_function cotangent, void *context)
{
    lang_run run;
    if (!rv_lang_start_run(&run, derivation, model->work, model->tape)) return false;
    const size_t own = (size_t)model->block->symbols, unrolls = (size_t)model->block->unrolls;
    memcpy(run.value, model->value, own * sizeof *run.value);
    memcpy(run.series, model->series, own * sizeof *run.series);
    memcpy(run.times, model->times, own * sizeof *run.times);
    memcpy(run.trace, model->trace, unrolls * sizeof *run.trace);
    run.context = context;
    run.cotangent = cotangent;
    run.line = line;
    rv_lang_statements(&run, derivation->node->body);
    memset(run.series, 0, own * sizeof *run.series); /* they are the model's */
    memset(run.trace, 0, unrolls * sizeof *run.trace);
    rv_lang_end_run(&run);
    return true;
}

/* ---- the gradients that a derivation states ---- */

/* The cotangents stated so far are a run's series[target][time + 1], and the parameters that have
 * one its values. */
static rv_var *stated_at(lang_run *stated, int target, int64_t time)
{
    rv_var *v = time + 1 < stated->times[target] ? &stated->series[target][time + 1] : NULL;
    return v && v->tape ? v : NULL;
}

static rv_var stated_cotangent(lang_run *run, const lang_node *e, int target, int64_t time)
{
    char name[LANG_COTANGENT_NAME];
    const rv_var *v = stated_at(run->context, target, time);
    if (v) return *v;
    rv_lang_wrong(run, e->location, RV_ERROR_NAME, "%s is used before a line derives it",
                  rv_lang_cotangent_name(run->block, target, time, name));
    return rv_lang_null(run);
}

static bool keep(lang_run *stated, const lang_node *line, int target, int64_t time, rv_var of,
                 rv_var value)
{
    const lang_symbol_kind kind = stated->block->symbol[target].kind;
    size_t room = (size_t)stated->times[target];
    if (!rv_reserve(&stated->series[target], &room, (size_t)time + 2, sizeof **stated->series)) {
        rv_lang_wrong(stated, line->location, RV_ERROR_MEMORY, "out of memory");
        return false;
    }
    stated->times[target] = (int64_t)room;
    stated->series[target][time + 1] = value;
    if (kind == SYMBOL_PARAMETER || kind == SYMBOL_WEIGHT)
        stated->value[target] = (lang_value){.kind = VALUE_VAR, .var = of};
    return true;
}

static bool state(lang_run *run, const lang_node *line)
{
    lang_run *stated = run->context;
    char name[LANG_COTANGENT_NAME], seen[RV_SHAPE_TEXT], expected[RV_SHAPE_TEXT];
    int target;
    int64_t time;
    if (line->helper) {
        rv_lang_assign(run, line, rv_lang_evaluate(run, line->value));
        return true;
    }
    if (!rv_lang_derived_value(run, line, &target, &time)) return false;
    rv_lang_cotangent_name(run->block, target, time, name);
    const rv_var of = rv_lang_quantity(run, target, time);
    const rv_var value = rv_lang_evaluate_var(run, line->value);
    if (rv_is_null(value)) return false;
    if (rv_is_null(of))
        rv_lang_wrong(run, line->target->location, RV_ERROR_NAME,
                      "%s has no value to be a cotangent of", name + 1);
    else if (stated_at(stated, target, time))
        rv_lang_wrong(run, line->target->location, RV_ERROR_NAME, "%s is derived a second time",
                      name);
    else if (!rv_shape_equal(rv_shape_of(value), rv_shape_of(of)))
        rv_lang_wrong(run, line->location, RV_ERROR_SHAPE, "this is %s, but %s is %s",
                      rv_shape_text(rv_shape_of(value), seen), name,
                      rv_shape_text(rv_shape_of(of), expected));
    else
        return keep(stated, line, target, time, of, value);
    return false;
}

/* The cotangent of a parameter, or a null var. */
static rv_var stated_gradient(lang_run *stated, rv_var parameter)
{
    for (int i = 0; i < stated->block->symbols; i++)
        if (stated->value[i].kind == VALUE_VAR && stated->value[i].var.id == parameter.id)
            return *stated_at(stated, i, -1);
    return rv_lang_null(stated);
}

/* 0, with the gradient dw: sum(dw.(w - w)), where dw and the second w are constants. */
static rv_var lean(rv_var w, rv_var dw)
{
    rv_var zeros = rv_subtract(w, rv_stop_gradient(w));
    return rv_sum(rv_multiply(rv_stop_gradient(dw), zeros), RV_ALL_AXES, false);
}

static rv_var lean_all(lang_run *stated, rv_var loss, const rv_var *parameter, int count)
{
    char missing[LANG_MESSAGE / 2] = "";
    rv_text to = {missing, missing + sizeof missing};
    rv_var sum = rv_stop_gradient(loss);
    int lacking = 0;
    for (int i = 0; i < count; i++) {
        const rv_var dw = stated_gradient(stated, parameter[i]);
        if (!rv_is_null(dw))
            sum = rv_add(sum, lean(parameter[i], dw));
        else if (lacking++ < 8)
            rv_put(&to, "%s\"%.60s\"", lacking > 1 ? ", " : "",
                   rv_tape_node(loss.tape, parameter[i].id)->name);
    }
    if (!lacking) return sum;
    rv_lang_wrong(stated, stated->block->node->location, RV_ERROR_NAME,
                  "the derivation has no line for %d parameter(s) of the loss: %s%s; a line dW = "
                  ".. states the gradient of W",
                  lacking, missing, lacking > 8 ? ", .." : "");
    return rv_lang_null(stated);
}

static rv_var stated_loss(lang_run *stated, rv_var loss)
{
    const int count = rv_parameters(loss, NULL, 0);
    rv_var *parameter = count < 0 ? NULL : rv_alloc((size_t)count + 1, sizeof *parameter);
    rv_var result = rv_lang_null(stated);
    if (parameter && rv_parameters(loss, parameter, count) == count)
        result = lean_all(stated, loss, parameter, count);
    else
        rv_tape_fail(loss.tape, RV_ERROR_MEMORY, "out of memory");
    rv_free(parameter);
    return result;
}

rv_var rv_lang_stated_loss(lang_run *model, const lang_block *derivation, rv_var loss)
{
    lang_run stated;
    lang_work *work = model->work;
    rv_var result = rv_lang_null(model);
    if (derivation->wrong)
        rv_lang_wrong(model, derivation->node->location, RV_ERROR_FORMAT,
                      "the derivation has mistakes; see the report on the text");
    if (derivation->wrong || !rv_lang_start_run(&stated, derivation, work, model->tape))
        return result;
    rv_origin origin = rv_current_origin(model->tape);
    origin.phase = RV_PHASE_GRADIENT;
    origin.scope = "derivation";
    rv_origin_push(model->tape, origin);
    work->reported = false;
    if (rv_lang_derive(model, derivation, state, stated_cotangent, &stated) &&
        rv_lang_spend(&stated, derivation->node->location, 0) && !work->reported)
        result = stated_loss(&stated, loss);
    rv_scope_pop(model->tape);
    rv_lang_end_run(&stated);
    return result;
}
