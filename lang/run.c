/* The values of a block while it is recorded, and what is told of mistakes. */
#include "lang/evaluate.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ops/ops.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"

bool rv_lang_start(lang_run *run, const lang_block *block, lang_work *work, rv_tape *tape)
{
    size_t symbols = (size_t)block->symbols + 1;
    *run = (lang_run){.block = block, .work = work, .tape = tape};
    run->value = rv_alloc(symbols, sizeof *run->value);
    run->series = rv_alloc(symbols, sizeof *run->series);
    run->times = rv_alloc(symbols, sizeof *run->times);
    run->trace = rv_alloc((size_t)block->unrolls + 1, sizeof *run->trace);
    if (!run->value || !run->series || !run->times || !run->trace) {
        rv_lang_wrong(run, block->node->place, RV_ERROR_MEMORY, "memory is out");
        rv_lang_end(run);
        return false;
    }
    for (int i = 0; i < block->symbols; i++)
        if (block->symbol[i].kind == SYMBOL_SIZE && !block->symbol[i].made)
            run->value[i] = (lang_value){.kind = VALUE_NUMBER,
                                         .number = !strcmp(block->symbol[i].name, "true")};
    return true;
}

void rv_lang_end(lang_run *run)
{
    for (int i = 0; run->series && i < run->block->symbols; i++) rv_free(run->series[i]);
    for (int u = 0; run->trace && u < run->block->unrolls; u++) rv_free(run->trace[u].value);
    rv_free(run->value);
    rv_free(run->series);
    rv_free(run->times);
    rv_free(run->trace);
    *run = (lang_run){0};
}

/* ---- problems ---- */

lang_value rv_lang_wrong(lang_run *run, lang_place place, rv_code code, const char *format, ...)
{
    char text[LANG_MESSAGE];
    va_list list;
    va_start(list, format);
    rv_format(text, sizeof text, format, list);
    va_end(list);
    run->work->told = run->failed = true;
    if (run->work->call.source) place = run->work->call;
    if (run->work->report) rv_lang_complain(run->work->report, place, code, "%s", text);
    if (!run->work->report && place.source)
        rv_tape_fail(run->tape, code, "%s:%d:%d: %s", place.source->path, rv_lang_line(place),
                     rv_lang_column(place), text);
    return rv_lang_none();
}

lang_value rv_lang_recorded(lang_run *run, lang_place place, rv_var var)
{
    rv_error error;
    if (!rv_is_null(var)) return (lang_value){.kind = VALUE_VAR, .var = var};
    if (run->work->stopped || (run->work->told && !run->work->report)) return rv_lang_none();
    if (rv_tape_take_error(run->tape, &error))
        rv_lang_wrong(run, place, error.code, "%s", error.text);
    return rv_lang_none();
}

static bool stop(lang_run *run, lang_place place, const char *why)
{
    rv_lang_wrong(run, place, RV_ERROR_ARGUMENT, "%s", why);
    run->work->stopped = true;
    return false;
}

bool rv_lang_spend(lang_run *run, lang_place place, int64_t work)
{
    lang_work *w = run->work;
    if (w->stopped || (!w->report && rv_tape_error(run->tape)->code)) return false;
    if (w->report && w->report->out_of_memory) return false;
    w->left -= work;
    for (int32_t nodes = rv_tape_count(run->tape); w->nodes < nodes; w->nodes++)
        w->left -= 1 + (int64_t)rv_tape_node(run->tape, w->nodes)->attr_size / 64;
    return w->left > 0 ||
           stop(run, place, "by here this takes too many operations; use fewer steps or calls");
}

/* Whether there is work left to do. */
bool rv_lang_proceed(lang_run *run, const lang_node *e)
{
    return rv_lang_spend(run, e->place, 1) &&
           (run->work->depth < LANG_DEEPEST_CALL ||
            stop(run, e->place, "functions call each other too deep here; use fewer"));
}

/* ---- values as what is needed ---- */

const char *rv_lang_kind_text(const lang_value *v)
{
    static const char *const text[] = {"nothing", "a number", "a tensor",
                                       "a text",  "a list",   "a parameter without a shape"};
    return text[v->kind];
}

rv_var rv_lang_as_var(lang_run *run, const lang_node *e, const lang_value *v)
{
    if (v->kind == VALUE_VAR) return v->var;
    if (v->kind == VALUE_NUMBER) return rv_scalar(run->tape, v->number);
    if (v->kind == VALUE_PENDING)
        rv_lang_wrong(run, e->place, RV_ERROR_SHAPE,
                      "the shape of \"%s\" does not follow from here; write all its sizes",
                      v->owner->block->symbol[v->symbol].name);
    else if (v->kind != VALUE_NONE)
        rv_lang_wrong(run, e->place, RV_ERROR_ARGUMENT, "%s, expected a tensor or a number",
                      rv_lang_kind_text(v));
    return rv_lang_null(run);
}

rv_var rv_lang_evaluate_var(lang_run *run, const lang_node *e)
{
    lang_value v = rv_lang_evaluate(run, e);
    return rv_lang_as_var(run, e, &v);
}

bool rv_lang_evaluate_whole(lang_run *run, const lang_node *e, int64_t low, int64_t high,
                            int64_t *number)
{
    lang_value v = rv_lang_evaluate(run, e);
    if (v.kind == VALUE_NONE) return false;
    if (v.kind != VALUE_NUMBER)
        rv_lang_wrong(run, e->place, RV_ERROR_ARGUMENT, "%s, expected a whole number",
                      rv_lang_kind_text(&v));
    else if (!(v.number >= (double)low && v.number <= (double)high) || v.number != floor(v.number))
        rv_lang_wrong(run, e->place, RV_ERROR_ARGUMENT,
                      "%.10g, expected a whole number from %lld to %lld", v.number, (long long)low,
                      (long long)high);
    else {
        *number = (int64_t)v.number;
        return true;
    }
    return false;
}

bool rv_lang_evaluate_sizes(lang_run *run, const lang_node *list, bool holes, rv_shape *shape)
{
    *shape = (rv_shape){0};
    for (const lang_node *e = list; e; e = e->next) {
        int64_t size = -1;
        if (shape->rank == RV_MAX_RANK) {
            rv_lang_wrong(run, e->place, RV_ERROR_SHAPE, "more than %d sizes", RV_MAX_RANK);
            return false;
        }
        if (e->kind == LANG_RANGE || (e->kind == LANG_HOLE && !holes)) {
            rv_lang_wrong(run, e->place, RV_ERROR_SHAPE, "expected a size, a whole number");
            return false;
        }
        if (e->kind != LANG_HOLE && !rv_lang_evaluate_whole(run, e, 1, INT32_MAX, &size))
            return false;
        shape->dim[shape->rank++] = size;
    }
    return true;
}

bool rv_lang_evaluate_init(lang_run *run, const lang_node *d, rv_init *init)
{
    double number[2] = {0, 1};
    if (!d->b) return true;
    if (d->b->kind == LANG_NAME && !strcmp(d->b->name, "identity")) {
        *init = rv_init_identity();
        return true;
    }
    bool distribution = d->number != 0;
    int count = 0;
    for (const lang_node *e = distribution ? d->b->a : d->b; e; e = distribution ? e->next : NULL) {
        lang_value v = rv_lang_evaluate(run, e);
        if (v.kind == VALUE_NUMBER && count < 2) {
            number[count++] = v.number;
            continue;
        }
        if (v.kind != VALUE_NONE)
            rv_lang_wrong(run, e->place, RV_ERROR_ARGUMENT, "expected %s",
                          distribution ? "two numbers" : "a number");
        return false;
    }
    if (distribution && count != 2) {
        rv_lang_wrong(run, d->b->place, RV_ERROR_ARGUMENT,
                      "%s takes two numbers, as in: normal(0, 1)", d->b->name);
        return false;
    }
    bool whole = distribution && !strcmp(d->b->name, "integer");
    if (whole && !(number[0] >= INT32_MIN && number[1] < INT32_MAX && number[0] <= number[1])) {
        rv_lang_wrong(run, d->b->place, RV_ERROR_ARGUMENT,
                      "integer(%.10g, %.10g), expected the lowest and the highest of 32 bits",
                      number[0], number[1]);
        return false;
    }
    *init = !distribution                    ? rv_init_constant(number[0])
            : !strcmp(d->b->name, "uniform") ? rv_init_uniform(number[0], number[1])
            : !strcmp(d->b->name, "normal")  ? rv_init_normal(number[0], number[1])
                                             : rv_init_uniform(number[0], number[1] + 1);
    return true;
}
