#include "lang/record/run.h"

#include <stdarg.h>
#include <string.h>

#include "ops/ops.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"

bool rv_lang_start_run(lang_run *run, const lang_block *block, lang_work *work, rv_tape *tape)
{
    const size_t symbols = (size_t)block->symbols + 1, unrolls = (size_t)block->unrolls;
    *run = (lang_run){.block = block, .work = work, .tape = tape};
    run->value =
        rv_alloc(1, symbols * (sizeof *run->value + sizeof *run->times + sizeof *run->series) +
                        unrolls * sizeof *run->trace);
    if (!run->value) {
        rv_lang_wrong(run, block->node->location, RV_ERROR_MEMORY, "out of memory");
        return false;
    }
    run->times = (int64_t *)(run->value + symbols);
    run->trace = (lang_trace *)(run->times + symbols);
    run->series = (rv_var **)(run->trace + unrolls);
    for (int i = 0; i < block->symbols; i++)
        if (block->symbol[i].kind == SYMBOL_SIZE && !block->symbol[i].definition)
            run->value[i] = (lang_value){.kind = VALUE_NUMBER,
                                         .number = !strcmp(block->symbol[i].name, "true")};
    return true;
}

void rv_lang_end_run(lang_run *run)
{
    for (int i = 0; run->series && i < run->block->symbols; i++) rv_free(run->series[i]);
    for (int u = 0; run->trace && u < run->block->unrolls; u++) rv_free(run->trace[u].value);
    rv_free(run->value);
    *run = (lang_run){0};
}

/* ---- problems ---- */

lang_value rv_lang_wrong(lang_run *run, lang_location location, rv_code code, const char *format,
                         ...)
{
    char text[LANG_MESSAGE];
    va_list list;
    va_start(list, format);
    rv_format(text, sizeof text, format, list);
    va_end(list);
    run->work->reported = run->failed = true;
    if (run->work->call.source) location = run->work->call;
    if (run->work->report) rv_lang_add_problem(run->work->report, location, code, "%-s", text);
    if (!run->work->report && location.source)
        rv_tape_fail(run->tape, code, "%s:%d:%d: %-s", location.source->path,
                     rv_lang_line(location), rv_lang_column(location), text);
    return rv_lang_none();
}

lang_value rv_lang_recorded(lang_run *run, lang_location location, rv_var var)
{
    rv_error error;
    if (!rv_is_null(var)) return (lang_value){.kind = VALUE_VAR, .var = var};
    run->failed = true;
    if (run->work->stopped || (run->work->reported && !run->work->report)) return rv_lang_none();
    if (rv_tape_take_error(run->tape, &error))
        rv_lang_wrong(run, location, error.code, "%-s", error.text);
    return rv_lang_none();
}

/* ---- limits ---- */

int64_t rv_lang_most_work(const rv_lang_limits *limits, int64_t usual)
{
    return limits && limits->operations > 0 ? limits->operations : usual;
}

int64_t rv_lang_most_size(const rv_lang_limits *limits)
{
    return limits && limits->size > 0 ? limits->size : (int64_t)1 << 28;
}

int64_t rv_lang_most_numbers(const rv_lang_limits *limits)
{
    return limits && limits->numbers > 0 ? limits->numbers : (int64_t)1000000000000;
}

bool rv_lang_is_stopped(const rv_lang_limits *limits)
{
    return limits && limits->stop && limits->stop(limits->context);
}

/* Asks the caller again after each thousand operations. */
static bool is_stopped_now(lang_work *w)
{
    enum { EVERY = 1000 };
    if (w->asked && w->asked - w->left < EVERY) return false;
    w->asked = w->left;
    return rv_lang_is_stopped(w->limits);
}

bool rv_lang_spend(lang_run *run, lang_location location, int64_t work)
{
    lang_work *w = run->work;
    if (w->stopped || (!w->report && rv_tape_error(run->tape)->code)) return false;
    if (w->report && w->report->out_of_memory) return false;
    int64_t largest = 0;
    w->left -= work;
    for (int32_t nodes = rv_tape_count(run->tape); w->nodes < nodes; w->nodes++) {
        const rv_node *node = rv_tape_node(run->tape, w->nodes);
        const int64_t size = rv_shape_count(node->type.shape);
        w->left -= 1 + (int64_t)node->attr_size / 64;
        if (size > largest) largest = size;
    }
    if (w->left <= 0)
        rv_lang_wrong(run, location, RV_ERROR_LIMIT,
                      "up to here this takes too many operations; use fewer steps or calls");
    else if (largest > rv_lang_most_size(w->limits))
        rv_lang_wrong(run, location, RV_ERROR_LIMIT,
                      "a value of %lld number(s), expected at most %lld; make it smaller",
                      (long long)largest, (long long)rv_lang_most_size(w->limits));
    else if (is_stopped_now(w))
        rv_lang_wrong(run, location, RV_ERROR_LIMIT, "stopped here, as the caller asks");
    else
        return true;
    w->stopped = true;
    return false;
}

bool rv_lang_proceed(lang_run *run, const lang_node *e)
{
    if (!rv_lang_spend(run, e->location, 1)) return false;
    if (run->work->depth < LANG_DEEPEST) return true;
    rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT,
                  "more than %d nested operations, loops and calls of functions lead here; name a "
                  "part on a line of its own, or call fewer",
                  LANG_DEEPEST);
    run->work->stopped = true;
    return false;
}

/* ---- conversions ---- */

rv_var rv_lang_real(rv_var x)
{
    return rv_is_null(x) || rv_dtype_of(x) != RV_I32 ? x : rv_cast(x, rv_tape_dtype(x.tape));
}

const char *rv_lang_value_kind_text(const lang_value *v)
{
    static const char *const text[] = {"nothing", "a number", "a tensor",
                                       "a text",  "a list",   "a parameter without a shape"};
    return text[v->kind];
}

rv_var rv_lang_constant(lang_run *run, rv_shape shape, const double *number)
{
    rv_error error = {0};
    rv_tensor t;
    if (!rv_tensor_new(&t, rv_tape_dtype(run->tape), shape, &error))
        return rv_tape_fail(run->tape, error.code, "%-s", error.text);
    for (int64_t i = 0; i < rv_tensor_count(&t); i++) rv_tensor_set(&t, i, number[i]);
    rv_var v = rv_constant(run->tape, &t);
    rv_tensor_free(&t);
    return v;
}

rv_var rv_lang_as_var(lang_run *run, const lang_node *e, const lang_value *v)
{
    double number[RV_MAX_RANK];
    if (v->kind == VALUE_VAR) return v->var;
    if (v->kind == VALUE_NUMBER) return rv_scalar(run->tape, v->number);
    for (int64_t i = 0; i < v->list.rank; i++) number[i] = (double)v->list.dim[i];
    if (v->kind == VALUE_LIST && v->list.rank) {
        rv_var array = rv_lang_constant(run, RV_SHAPE(v->list.rank), number);
        return rv_lang_recorded(run, e->location, array).kind ? array : rv_lang_null(run);
    }
    if (v->kind == VALUE_PENDING)
        rv_lang_wrong(run, e->location, RV_ERROR_SHAPE,
                      "the shape of \"%s\" does not follow from here; write all its sizes",
                      v->owner->block->symbol[v->symbol].name);
    else if (v->kind != VALUE_NONE)
        rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT, "%s, expected a tensor or a number",
                      rv_lang_value_kind_text(v));
    return rv_lang_null(run);
}
