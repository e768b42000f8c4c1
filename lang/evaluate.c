/* An expression becomes ops, the way one would write them in C: 1 - g is rv_one_minus, x^2 is rv_square, and
 * a gate's mixture g.h + (1 - g).c is rv_lerp. */
#include "lang/evaluate.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "models/cell.h"
#include "ops/ops.h"
#include "tensor/memory.h"

/* ---- runs ---- */

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

static lang_value none(void) { return (lang_value){.kind = VALUE_NONE}; }

lang_value rv_lang_wrong(lang_run *run, lang_place place, rv_code code, const char *format, ...)
{
    char text[LANG_MESSAGE];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    run->work->told = run->failed = true;
    if (run->work->report) rv_lang_complain(run->work->report, place, code, "%s", text);
    if (!run->work->report && place.source)
        rv_tape_fail(run->tape, code, "%s:%d:%d: %s", place.source->path, rv_lang_line(place),
                     rv_lang_column(place), text);
    return none();
}

lang_value rv_lang_recorded(lang_run *run, lang_place place, rv_var var)
{
    rv_error error;
    if (!rv_is_null(var)) return (lang_value){.kind = VALUE_VAR, .var = var};
    if (run->work->stopped || (run->work->told && !run->work->report)) return none();
    if (rv_tape_take_error(run->tape, &error))
        rv_lang_wrong(run, place, error.code, "%s", error.text);
    return none();
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
static bool proceed(lang_run *run, const lang_node *e)
{
    return rv_lang_spend(run, e->place, 1) &&
           (run->work->depth < LANG_DEEPEST_CALL ||
            stop(run, e->place, "functions call each other too deep here; use fewer"));
}

static lang_value of_number(double number)
{
    return (lang_value){.kind = VALUE_NUMBER, .number = number};
}

/* ---- values as what is needed ---- */

static const char *kind_text(const lang_value *v)
{
    static const char *const text[] = {"nothing", "a number", "a tensor",
                                       "a text",  "a list",   "a parameter without a shape"};
    return text[v->kind];
}

static rv_var null_var(const lang_run *run) { return (rv_var){run->tape, -1}; }

static rv_var as_var(lang_run *run, const lang_node *e, const lang_value *v)
{
    if (v->kind == VALUE_VAR) return v->var;
    if (v->kind == VALUE_NUMBER) return rv_scalar(run->tape, v->number);
    if (v->kind == VALUE_PENDING)
        rv_lang_wrong(run, e->place, RV_ERROR_SHAPE,
                      "the shape of \"%s\" does not follow from here; write all its sizes",
                      v->owner->block->symbol[v->symbol].name);
    else if (v->kind != VALUE_NONE)
        rv_lang_wrong(run, e->place, RV_ERROR_ARGUMENT, "%s, expected a tensor or a number",
                      kind_text(v));
    return null_var(run);
}

rv_var rv_lang_evaluate_var(lang_run *run, const lang_node *e)
{
    lang_value v = rv_lang_evaluate(run, e);
    return as_var(run, e, &v);
}

bool rv_lang_evaluate_whole(lang_run *run, const lang_node *e, int64_t low, int64_t high,
                            int64_t *number)
{
    lang_value v = rv_lang_evaluate(run, e);
    if (v.kind == VALUE_NONE) return false;
    if (v.kind != VALUE_NUMBER)
        rv_lang_wrong(run, e->place, RV_ERROR_ARGUMENT, "%s, expected a whole number",
                      kind_text(&v));
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
    *init = !distribution                    ? rv_init_constant(number[0])
            : !strcmp(d->b->name, "uniform") ? rv_init_uniform(number[0], number[1])
            : !strcmp(d->b->name, "normal")  ? rv_init_normal(number[0], number[1])
                                             : rv_init_uniform(number[0], number[1] + 1);
    return true;
}

/* ---- parameters ---- */

/* Uniform in +-1/sqrt(inputs): of x @ W the rows, of a convolution what is under the kernel. A row of numbers starts
 * at zero, as biases do. */
static rv_init standard_init(rv_shape shape)
{
    double inputs = 1;
    if (shape.rank == 1) return rv_init_constant(0);
    if (shape.rank == 4)
        for (int d = 1; d < 4; d++) inputs *= (double)shape.dim[d];
    else
        for (int64_t d = 0; d + 1 < shape.rank; d++) inputs *= (double)shape.dim[d];
    double bound = 1 / sqrt(inputs);
    return rv_init_uniform(-bound, bound);
}

static bool affordable(lang_run *run, lang_place place, rv_shape shape)
{
    rv_error error = {0};
    size_t bytes;
    if (!rv_shape_check(shape, 1, &bytes, &error)) {
        rv_lang_wrong(run, place, error.code, "%s", error.text);
        return false;
    }
    if (bytes > (size_t)(LANG_MOST_ELEMENTS - run->work->elements)) {
        rv_lang_wrong(run, place, RV_ERROR_SHAPE,
                      "inputs and parameters of more than %d numbers; make it smaller",
                      LANG_MOST_ELEMENTS);
        return false;
    }
    run->work->elements += (int64_t)bytes;
    return true;
}

rv_var rv_lang_parameter(lang_run *run, const lang_node *at, int symbol, rv_shape shape)
{
    const lang_symbol *s = &run->block->symbol[symbol];
    rv_init init = standard_init(shape);
    lang_value *known = &run->value[symbol];
    if (known->kind == VALUE_VAR && rv_shape_equal(rv_shape_of(known->var), shape))
        return known->var;
    if (s->made->kind == LANG_DECLARED && !rv_lang_evaluate_init(run, s->made, &init))
        return null_var(run);
    if (s->made->kind == LANG_DECLARED && s->made->number != 0 && s->kind != SYMBOL_INPUT &&
        !strcmp(s->made->b->name, "integer")) {
        rv_lang_wrong(run, s->made->b->place, RV_ERROR_ARGUMENT, "integer is for inputs");
        return null_var(run);
    }
    if (!affordable(run, at->place, shape)) return null_var(run);
    rv_var p;
    char name[RV_CELL_NAME + LANG_MOST_NAME];
    snprintf(name, sizeof name, "%s%s", run->cell ? run->cell->prefix : "", s->name);
    if (s->kind == SYMBOL_CONSTANT)
        p = rv_state(run->tape, name, shape,
                     run->cell && run->cell->probe ? rv_init_constant(0) : init);
    else
        p = run->cell ? rv_cell_parameter(run->cell, s->name, shape, init)
                      : rv_parameter(run->tape, s->name, shape, init);
    lang_value v = rv_lang_recorded(run, at->place, p);
    if (v.kind == VALUE_VAR) *known = v;
    return v.kind == VALUE_VAR ? v.var : null_var(run);
}

/* A parameter that is used with sizes, or with those of its declaration; without any it is one number. */
static lang_value parameter(lang_run *run, const lang_node *e, int symbol, const lang_node *sizes)
{
    const lang_symbol *s = &run->block->symbol[symbol];
    lang_value v = {.kind = VALUE_PENDING, .owner = run, .symbol = symbol};
    if (!sizes && run->value[symbol].kind == VALUE_VAR) return run->value[symbol];
    if (!sizes && s->made->kind == LANG_DECLARED && s->made->a) sizes = s->made->a->a;
    if (!sizes && s->made->kind == LANG_INDEX) sizes = s->made->b;
    if (!rv_lang_evaluate_sizes(run, sizes, true, &v.list)) return none();
    bool complete = true;
    for (int64_t d = 0; d < v.list.rank; d++) complete = complete && v.list.dim[d] > 0;
    bool window = v.list.rank == 2 && run->cell && s->made->kind == LANG_INDEX;
    if (!complete || window) return v;
    return rv_lang_recorded(run, e->place, rv_lang_parameter(run, e, symbol, v.list));
}

/* Fills in what x of shape `in` tells of w's shape: in x @ w the rows, in a convolution of x the channels; in a cell
 * [5,5] is a kernel of its units. */
static rv_var complete(lang_run *run, const lang_node *e, lang_value *w, rv_shape in,
                       bool convolution)
{
    if (w->kind != VALUE_PENDING) return as_var(run, e, w);
    if (convolution && w->list.rank == 2 && run->cell)
        w->list = RV_SHAPE(run->cell->options->units, -1, w->list.dim[0], w->list.dim[1]);
    int64_t inner = convolution ? 1 : 0;
    bool fits = convolution ? w->list.rank == 4 && in.rank == 4 : w->list.rank == 2 && in.rank >= 1;
    if (fits && w->list.dim[inner] < 0)
        w->list.dim[inner] = convolution ? in.dim[1] : in.dim[in.rank - 1];
    for (int64_t d = 0; d < w->list.rank; d++) fits = fits && w->list.dim[d] > 0;
    return fits ? rv_lang_parameter(w->owner, e, w->symbol, w->list) : as_var(run, e, w);
}

/* ---- quantities ---- */

/* A parameter of an unrolled cell, by name. */
static rv_var weight(const lang_run *run, const lang_symbol *s)
{
    char name[2 * RV_CELL_NAME];
    const lang_trace *t = &run->trace[s->unroll];
    snprintf(name, sizeof name, "%.200s%s%s", t->name ? t->name : "", t->name ? "/" : "", s->name);
    run->work->left -= rv_tape_count(run->tape) / 64;
    for (int32_t id = 0; id < rv_tape_count(run->tape); id++) {
        const rv_node *node = rv_tape_node(run->tape, id);
        if (node->op == &rv_op_parameter && !strcmp(node->name, name))
            return (rv_var){run->tape, id};
    }
    return (rv_var){run->tape, -1};
}

rv_var rv_lang_quantity(const lang_run *run, int symbol, int64_t time)
{
    const lang_symbol *s = &run->block->symbol[symbol];
    rv_var null = {run->tape, -1};
    if (s->kind == SYMBOL_WEIGHT) return weight(run, s);
    if (s->kind == SYMBOL_TRACE) {
        const lang_trace *t = &run->trace[s->unroll];
        bool there = t->value && time >= 0 && time <= t->steps;
        rv_var v = there ? t->value[time * t->cell->symbols + s->inner] : null;
        return v.tape ? v : null;
    }
    if (s->kind == SYMBOL_SERIES) {
        bool there = time >= 0 && time < run->times[symbol];
        return there && run->series[symbol][time].tape ? run->series[symbol][time] : null;
    }
    return run->value[symbol].kind == VALUE_VAR ? run->value[symbol].var : null;
}

static lang_value at_time(lang_run *run, const lang_node *e, int symbol, int64_t time)
{
    const lang_symbol *s = &run->block->symbol[symbol];
    if (s->kind == SYMBOL_COTANGENT)
        return rv_lang_recorded(run, e->place,
                                run->cotangent(run, e, s->target, s->time >= 0 ? s->time : time));
    rv_var v = rv_lang_quantity(run, symbol, time);
    if (!rv_is_null(v)) return (lang_value){.kind = VALUE_VAR, .var = v};
    if (s->kind != SYMBOL_SERIES && !run->trace[s->unroll].value)
        return none(); /* the unroll failed */
    if (s->kind == SYMBOL_WEIGHT)
        return rv_lang_wrong(run, e->place, RV_ERROR_NAME, "the net has no parameter \"%s\"",
                             s->name);
    if (run->failed) return none(); /* perhaps that is why */
    return rv_lang_wrong(run, e->place, RV_ERROR_NAME, "%s[%lld] has no value here", s->name,
                         (long long)time);
}

static lang_value name(lang_run *run, const lang_node *e)
{
    if (e->symbol < 0) return none(); /* told by rv_lang_resolve */
    const lang_symbol *s = &run->block->symbol[e->symbol];
    switch (s->kind) {
    case SYMBOL_TRACE:
    case SYMBOL_SERIES:
    case SYMBOL_WEIGHT:
    case SYMBOL_COTANGENT: return at_time(run, e, e->symbol, e->time);
    case SYMBOL_PARAMETER:
    case SYMBOL_CONSTANT: return parameter(run, e, e->symbol, NULL);
    case SYMBOL_BIAS:
        return rv_lang_wrong(run, e->place, RV_ERROR_ARGUMENT,
                             "the bias \"%s\" is added to a tensor: x + %s", s->name, s->name);
    case SYMBOL_GAIN:
        return rv_lang_wrong(run, e->place, RV_ERROR_ARGUMENT,
                             "the gain \"%s\" multiplies a tensor: %s.x", s->name, s->name);
    case SYMBOL_STATE:
        if (run->recall && run->value[e->symbol].kind == VALUE_VAR)
            return rv_lang_recorded(run, e->place,
                                    rv_cell_recall(run->cell, run->value[e->symbol].var));
        return run->value[e->symbol];
    case SYMBOL_SIZE:
        if (run->cell && !s->made && !strcmp(s->name, "units"))
            return of_number((double)run->cell->options->units);
        if (run->cell && !s->made && !strcmp(s->name, "forget"))
            return of_number(rv_cell_forget(run->cell));
        return run->value[e->symbol];
    default: return run->value[e->symbol];
    }
}

static lang_value prime(lang_run *run, const lang_node *e)
{
    if (e->symbol >= 0) {
        lang_value v = run->value[e->symbol];
        if (!run->recall || v.kind != VALUE_VAR) return v;
        return rv_lang_recorded(run, e->place, rv_cell_recall(run->cell, v.var));
    }
    rv_var x = rv_lang_evaluate_var(run, e->a);
    if (rv_is_null(x)) return none();
    int axes[RV_MAX_RANK], rank = (int)rv_shape_of(x).rank;
    char text[RV_SHAPE_TEXT];
    if (rank < 2)
        return rv_lang_wrong(run, e->place, RV_ERROR_SHAPE,
                             "%s has no transpose, expected two axes",
                             rv_shape_text(rv_shape_of(x), text));
    for (int d = 0; d < rank; d++) axes[d] = d;
    axes[rank - 1] = rank - 2;
    axes[rank - 2] = rank - 1;
    return rv_lang_recorded(run, e->place, rv_transpose(x, axes));
}

/* x[1, :, 2:4]: one index takes its axis away. */
static lang_value slice(lang_run *run, const lang_node *e, rv_var x)
{
    rv_shape in = rv_shape_of(x), out = {0};
    int64_t start[RV_MAX_RANK] = {0}, size[RV_MAX_RANK], d = 0;
    for (int64_t k = 0; k < in.rank; k++) size[k] = in.dim[k];
    for (const lang_node *i = e->b; i; i = i->next, d++) {
        char text[RV_SHAPE_TEXT];
        if (d >= in.rank)
            return rv_lang_wrong(run, i->place, RV_ERROR_SHAPE, "one index too many for %s",
                                 rv_shape_text(in, text));
        int64_t end = in.dim[d];
        if (i->kind == LANG_HOLE) {
        } else if (i->kind == LANG_RANGE) {
            if (i->a && !rv_lang_evaluate_whole(run, i->a, -in.dim[d], in.dim[d] - 1, &start[d]))
                return none();
            if (i->b && !rv_lang_evaluate_whole(run, i->b, -in.dim[d], in.dim[d], &end))
                return none();
            if (start[d] < 0) start[d] += in.dim[d];
            if (end < 0) end += in.dim[d];
            if (end <= start[d])
                return rv_lang_wrong(run, i->place, RV_ERROR_SHAPE,
                                     "nothing from %lld to before %lld", (long long)start[d],
                                     (long long)end);
            size[d] = end - start[d];
        } else {
            if (!rv_lang_evaluate_whole(run, i, -in.dim[d], in.dim[d] - 1, &start[d]))
                return none();
            if (start[d] < 0) start[d] += in.dim[d];
            size[d] = 1;
            continue;
        }
        out.dim[out.rank++] = size[d];
    }
    for (; d < in.rank; d++) out.dim[out.rank++] = in.dim[d];
    return rv_lang_recorded(run, e->place, rv_reshape(rv_slice(x, start, size, NULL), out));
}

static lang_value index_of(lang_run *run, const lang_node *e)
{
    int symbol = e->a->kind == LANG_NAME ? e->a->symbol : -1;
    const lang_symbol *s = symbol >= 0 ? &run->block->symbol[symbol] : NULL;
    if (e->a->kind == LANG_NAME && !s) return none();
    if (s && s->kind == SYMBOL_PARAMETER && (s->made->kind == LANG_INDEX || !s->made->a))
        return parameter(run, e, symbol, e->b);
    bool timed = s && (s->kind == SYMBOL_SERIES || s->kind == SYMBOL_TRACE ||
                       (s->kind == SYMBOL_COTANGENT && s->time < 0 && e->a->time < 0 &&
                        (run->block->symbol[s->target].kind == SYMBOL_SERIES ||
                         run->block->symbol[s->target].kind == SYMBOL_TRACE)));
    if (timed && e->a->time < 0) {
        int64_t time;
        if (!e->b || e->b->next)
            return rv_lang_wrong(run, e->place, RV_ERROR_ARGUMENT,
                                 "expected one time step, as in %s[2]", e->a->name);
        if (!rv_lang_evaluate_whole(run, e->b, 0, 1000000, &time)) return none();
        return at_time(run, e, symbol, time);
    }
    rv_var x = rv_lang_evaluate_var(run, e->a);
    return rv_is_null(x) ? none() : slice(run, e, x);
}

/* ---- arithmetic ---- */

/* Whether the trees say the same. */
static bool same(const lang_node *a, const lang_node *b)
{
    if (!a || !b) return a == b;
    return a->kind == b->kind && a->symbol == b->symbol && a->time == b->time &&
           (a->kind != LANG_NUMBER || a->number == b->number) && !a->name == !b->name &&
           (!a->name || !strcmp(a->name, b->name)) && same(a->a, b->a) && same(a->b, b->b) &&
           same(a->c, b->c) && same(a->next, b->next);
}

/* Whether e is 1 - g. */
static bool complements(const lang_node *e, const lang_node *g)
{
    return e->kind == LANG_SUBTRACT && e->a->kind == LANG_NUMBER && e->a->number == 1 &&
           g->kind == LANG_NAME && same(e->b, g);
}

static const lang_symbol *named_kind(const lang_run *run, const lang_node *e, lang_symbol_kind kind)
{
    if (e->kind != LANG_NAME || e->symbol < 0 || !run->cell) return NULL;
    const lang_symbol *s = &run->block->symbol[e->symbol];
    return s->kind == kind ? s : NULL;
}

/* g.h + (1 - g).c, the two in either order, is lerp(c, h, g). */
static bool mixture(lang_run *run, const lang_node *e, lang_value *result)
{
    if (e->a->kind != LANG_MULTIPLY || e->b->kind != LANG_MULTIPLY) return false;
    const lang_node *g = e->a->a, *h = e->a->b, *c = e->b->b;
    if (!complements(e->b->a, g)) {
        if (!complements(e->a->a, e->b->a)) return false;
        g = e->b->a;
        h = e->b->b;
        c = e->a->b;
    }
    if (named_kind(run, h, SYMBOL_GAIN) || named_kind(run, c, SYMBOL_GAIN)) return false;
    rv_var start = rv_lang_evaluate_var(run, c), end = rv_lang_evaluate_var(run, h),
           weight = rv_lang_evaluate_var(run, g);
    *result = none();
    if (!rv_is_null(start) && !rv_is_null(end) && !rv_is_null(weight))
        *result = rv_lang_recorded(run, e->place, rv_lerp(start, end, weight));
    return true;
}

/* The number that a bias or a gain starts from. */
static bool start_of(lang_run *run, const lang_symbol *s, double *start)
{
    rv_init init = rv_init_constant(0);
    if (!rv_lang_evaluate_init(run, s->made, &init)) return false;
    if (init.kind == RV_INIT_CONSTANT) {
        *start = init.a;
        return true;
    }
    rv_lang_wrong(run, s->made->b->place, RV_ERROR_ARGUMENT,
                  "a bias or a gain starts from a number, as in: bias b = 1");
    return false;
}

/* x + b, or b.x along the units. */
static lang_value along_units(lang_run *run, const lang_node *e, const lang_symbol *s,
                              const lang_node *of)
{
    double start = 0;
    rv_var x = rv_lang_evaluate_var(run, of);
    if (rv_is_null(x) || !start_of(run, s, &start)) return none();
    return rv_lang_recorded(run, e->place,
                            s->kind == SYMBOL_BIAS ? rv_cell_bias(run->cell, x, s->name, start)
                                                   : rv_cell_scale(run->cell, x, s->name, start));
}

static double fold(lang_kind kind, double a, double b)
{
    return kind == LANG_ADD        ? a + b
           : kind == LANG_SUBTRACT ? a - b
           : kind == LANG_MULTIPLY ? a * b
           : kind == LANG_DIVIDE   ? a / b
                                   : pow(a, b);
}

/* Whether x / n is x times 1 / n, bit by bit. */
static bool halves(double n)
{
    int exponent;
    return fabs(frexp(n, &exponent)) == 0.5 && fabs(n) > 1e-30 && fabs(n) < 1e30;
}

static rv_var with_number(lang_kind kind, rv_var x, double n)
{
    rv_var number = rv_scalar(x.tape, n);
    switch (kind) {
    case LANG_ADD: return rv_shift(x, n);
    case LANG_SUBTRACT: return rv_shift(x, -n);
    case LANG_MULTIPLY: return rv_scale(x, n);
    case LANG_DIVIDE: return halves(n) ? rv_scale(x, 1 / n) : rv_divide(x, number);
    default: return n == 2 ? rv_square(x) : rv_power(x, number);
    }
}

static rv_var number_with(lang_kind kind, double n, rv_var y)
{
    rv_var number = rv_scalar(y.tape, n);
    switch (kind) {
    case LANG_ADD: return rv_shift(y, n);
    case LANG_SUBTRACT: return n == 1 ? rv_one_minus(y) : rv_subtract(number, y);
    case LANG_MULTIPLY: return rv_scale(y, n);
    case LANG_DIVIDE: return rv_divide(number, y);
    default: return rv_power(number, y);
    }
}

static rv_var both(lang_kind kind, rv_var x, rv_var y)
{
    switch (kind) {
    case LANG_ADD: return rv_add(x, y);
    case LANG_SUBTRACT: return rv_subtract(x, y);
    case LANG_MULTIPLY: return rv_multiply(x, y);
    case LANG_DIVIDE: return rv_divide(x, y);
    default: return rv_power(x, y);
    }
}

static lang_value arithmetic(lang_run *run, const lang_node *e)
{
    lang_value result;
    const lang_symbol *bias = NULL;
    if (e->kind == LANG_ADD && mixture(run, e, &result)) return result;
    lang_symbol_kind special = e->kind == LANG_ADD ? SYMBOL_BIAS : SYMBOL_GAIN;
    if (e->kind == LANG_ADD || e->kind == LANG_MULTIPLY) {
        if ((bias = named_kind(run, e->b, special))) return along_units(run, e, bias, e->a);
        if ((bias = named_kind(run, e->a, special))) return along_units(run, e, bias, e->b);
    }
    lang_value a = rv_lang_evaluate(run, e->a);
    if (a.kind == VALUE_NONE) return none(); /* one mistake of a line is enough */
    lang_value b = rv_lang_evaluate(run, e->b);
    if (b.kind == VALUE_NONE) return none();
    if (a.kind == VALUE_NUMBER && b.kind == VALUE_NUMBER) {
        double number = fold(e->kind, a.number, b.number);
        if (isfinite(number)) return of_number(number);
        return rv_lang_wrong(run, e->place, RV_ERROR_ARGUMENT, "this is not a finite number");
    }
    if (a.kind == VALUE_NUMBER && b.kind == VALUE_VAR)
        return rv_lang_recorded(run, e->place, number_with(e->kind, a.number, b.var));
    if (a.kind == VALUE_VAR && b.kind == VALUE_NUMBER)
        return rv_lang_recorded(run, e->place, with_number(e->kind, a.var, b.number));
    rv_var x = as_var(run, e->a, &a), y = as_var(run, e->b, &b);
    if (rv_is_null(x) || rv_is_null(y)) return none();
    return rv_lang_recorded(run, e->place, both(e->kind, x, y));
}

/* Whether it is a parameter of the cell: what meets it is read with dropout. */
static bool is_weight(const lang_run *run, const lang_node *e)
{
    const lang_node *base = e && e->kind == LANG_INDEX ? e->a : e;
    return run->cell && base && base->kind == LANG_NAME && base->symbol >= 0 &&
           run->block->symbol[base->symbol].kind == SYMBOL_PARAMETER;
}

/* A factor of @: a transposed one is not copied. */
static lang_value factor(lang_run *run, const lang_node *e, bool *transposed)
{
    *transposed = e->kind == LANG_PRIME && e->symbol < 0;
    return rv_lang_evaluate(run, *transposed ? e->a : e);
}

static lang_value matmul(lang_run *run, const lang_node *e)
{
    bool turn_a, turn_b, recall = run->recall;
    run->recall = recall || is_weight(run, e->b);
    lang_value a = factor(run, e->a, &turn_a);
    run->recall = recall;
    rv_var x = as_var(run, e->a, &a);
    if (rv_is_null(x)) return none();
    lang_value b = factor(run, e->b, &turn_b);
    rv_shape in = rv_shape_of(x);
    if (turn_a && in.rank >= 2) in.dim[in.rank - 1] = in.dim[in.rank - 2];
    rv_var y = turn_b ? as_var(run, e->b, &b) : complete(run, e->b, &b, in, false);
    if (rv_is_null(y)) return none();
    return rv_lang_recorded(run, e->place, rv_matmul(x, y, turn_a, turn_b));
}

static lang_value negate(lang_run *run, const lang_node *e)
{
    lang_value v = rv_lang_evaluate(run, e->a);
    if (v.kind == VALUE_NUMBER) return of_number(-v.number);
    rv_var x = as_var(run, e->a, &v);
    return rv_is_null(x) ? none() : rv_lang_recorded(run, e->place, rv_negate(x));
}

/* ---- calls ---- */

static lang_value list_of(lang_run *run, const lang_node *e)
{
    lang_value v = {.kind = VALUE_LIST};
    for (const lang_node *item = e->a; item; item = item->next) {
        if (v.list.rank == RV_MAX_RANK)
            return rv_lang_wrong(run, item->place, RV_ERROR_ARGUMENT,
                                 "a list of more than %d numbers", RV_MAX_RANK);
        if (!rv_lang_evaluate_whole(run, item, -INT32_MAX, INT32_MAX, &v.list.dim[v.list.rank]))
            return none();
        v.list.rank++;
    }
    return v;
}

/* W x: the weights of the cell. */
static lang_value map(lang_run *run, const lang_node *e)
{
    const lang_symbol *s = &run->block->symbol[e->symbol];
    bool recall = run->recall;
    run->recall = true;
    rv_var x = rv_lang_evaluate_var(run, e->a);
    run->recall = recall;
    if (rv_is_null(x)) return none();
    if (s->kind == SYMBOL_FIT)
        return rv_lang_recorded(run, e->place, rv_cell_fit(run->cell, x, s->name));
    rv_init init = {.kind = RV_INIT_CONSTANT};
    if (!s->made->b) return rv_lang_recorded(run, e->place, rv_cell_map(run->cell, x, s->name));
    if (!rv_lang_evaluate_init(run, s->made, &init)) return none();
    return rv_lang_recorded(run, e->place, rv_cell_map_from(run->cell, x, s->name, init));
}

static lang_value activation(lang_run *run, const lang_node *e)
{
    const rv_op *op = rv_op_find(run->block->symbol[e->symbol].made->b->name);
    rv_var x = rv_lang_evaluate_var(run, e->a);
    if (rv_is_null(x)) return none();
    rv_var (*chosen)(rv_var) = run->cell->options->activation;
    if (!chosen && op->inputs != 1)
        return rv_lang_wrong(run, e->place, RV_ERROR_ARGUMENT, "%s is no function of one value",
                             op->name);
    rv_option_value standard[8] = {{0}};
    for (int i = 0; i < op->option_count && i < 8; i++)
        standard[i].number = op->options[i].standard;
    return rv_lang_recorded(run, e->place, chosen ? chosen(x) : op->call(&x, 1, standard));
}

/* Sets an option of an op. */
static bool set_option(lang_run *run, const lang_node *e, const rv_option *option,
                       rv_option_value *value)
{
    bool word = option->kind == RV_OPTION_WORD && e->kind == LANG_NAME;
    lang_value v =
        word ? (lang_value){.kind = VALUE_WORD, .word = e->name} : rv_lang_evaluate(run, e);
    bool number = v.kind == VALUE_NUMBER;
    bool whole = number && v.number == floor(v.number) && fabs(v.number) <= INT32_MAX;
    const char *expected = NULL;
    switch (option->kind) {
    case RV_OPTION_WHOLE: expected = whole ? NULL : "a whole number"; break;
    case RV_OPTION_NUMBER: expected = number ? NULL : "a number"; break;
    case RV_OPTION_FLAG:
        expected = number && (v.number == 0 || v.number == 1) ? NULL : "true or false";
        break;
    case RV_OPTION_LIST:
        expected = whole || v.kind == VALUE_LIST ? NULL : "a list of whole numbers, as in [2,3]";
        break;
    default: expected = v.kind == VALUE_WORD ? NULL : "a text"; break;
    }
    if (v.kind == VALUE_NONE) return false;
    if (expected) {
        rv_lang_wrong(run, e->place, RV_ERROR_ARGUMENT, "%s=%s, expected %s", option->name,
                      kind_text(&v), expected);
        return false;
    }
    if (number) v.list = (rv_shape){1, {whole ? (int64_t)v.number : 0}};
    value->number = v.number;
    value->word = v.word;
    value->count = option->kind == RV_OPTION_LIST ? (int)v.list.rank : 0;
    for (int i = 0; i < value->count; i++) value->list[i] = v.list.dim[i];
    return true;
}

enum { MOST_INPUTS = 64, MOST_OPTIONS = 16 };

static lang_value op_call(lang_run *run, const lang_node *e)
{
    const rv_op *op = e->op;
    rv_var x[MOST_INPUTS];
    rv_option_value value[MOST_OPTIONS] = {{0}};
    bool given[MOST_OPTIONS] = {false}, ok = true;
    int inputs = 0, extra = 0;
    for (int i = 0; i < op->option_count && i < MOST_OPTIONS; i++)
        value[i].number = op->options[i].standard;
    for (const lang_node *a = e->a; a; a = a->next) {
        int option = op->inputs >= 0 && inputs >= op->inputs ? extra : -1;
        if (a->kind == LANG_OPTION)
            for (option = 0; strcmp(op->options[option].name, a->name);) option++;
        if (option < 0 && inputs == MOST_INPUTS)
            return rv_lang_wrong(run, a->place, RV_ERROR_ARGUMENT, "more than %d inputs",
                                 MOST_INPUTS);
        if (option < 0) {
            lang_value v = rv_lang_evaluate(run, a);
            bool weights = inputs == 1 && op == rv_op_find("conv2d");
            x[inputs] = weights && !rv_is_null(x[0]) ? complete(run, a, &v, rv_shape_of(x[0]), true)
                                                     : as_var(run, a, &v);
            ok = ok && !rv_is_null(x[inputs]);
            inputs++;
            continue;
        }
        if (a->kind != LANG_OPTION) extra++;
        if (given[option])
            return rv_lang_wrong(run, a->place, RV_ERROR_ARGUMENT, "%s is given twice",
                                 op->options[option].name);
        given[option] = true;
        ok = set_option(run, a->kind == LANG_OPTION ? a->a : a, &op->options[option],
                        &value[option]) &&
             ok;
    }
    for (int i = 0; i < op->option_count; i++)
        if (op->options[i].required && !given[i])
            return rv_lang_wrong(run, e->place, RV_ERROR_ARGUMENT, "%s needs %s=: %s", op->name,
                                 op->options[i].name, op->options[i].doc);
    return ok ? rv_lang_recorded(run, e->place, op->call(x, inputs, value)) : none();
}

static lang_value function_call(lang_run *run, const lang_node *e)
{
    const lang_block *f = e->block;
    lang_run inner;
    lang_value result = none();
    if (f->wrong || !rv_lang_spend(run, e->place, f->symbols / 4)) return none();
    bool ok = rv_lang_start(&inner, f, run->work, run->tape);
    inner.cell = run->cell;
    int k = 0;
    for (const lang_node *a = e->a; ok && a; a = a->next) {
        inner.value[k] = rv_lang_evaluate(run, a);
        ok = inner.value[k++].kind != VALUE_NONE;
    }
    if (ok && f->node->b) result = rv_lang_evaluate(&inner, f->node->b);
    for (const lang_node *s = f->node->c; ok && s; s = s->next) {
        if (s->kind == LANG_RETURN) {
            result = rv_lang_evaluate(&inner, s->a);
            break;
        }
        inner.value[s->a->symbol] = rv_lang_evaluate(&inner, s->b);
        ok = inner.value[s->a->symbol].kind != VALUE_NONE;
    }
    rv_lang_end(&inner);
    return result;
}

static lang_value size_of(lang_run *run, const lang_node *e)
{
    int64_t axis;
    rv_var x = rv_lang_evaluate_var(run, e->a);
    int64_t rank = rv_shape_of(x).rank;
    if (rv_is_null(x) || !rv_lang_evaluate_whole(run, e->a->next, -rank, rank - 1, &axis))
        return none();
    return of_number((double)rv_shape_of(x).dim[axis < 0 ? axis + rank : axis]);
}

static lang_value call(lang_run *run, const lang_node *e)
{
    if (e->symbol >= 0)
        return run->block->symbol[e->symbol].kind == SYMBOL_ACTIVATION ? activation(run, e)
                                                                       : map(run, e);
    bool recall = run->recall;
    for (const lang_node *a = e->a; a; a = a->next) run->recall = run->recall || is_weight(run, a);
    lang_value v = e->op ? op_call(run, e) : e->block ? function_call(run, e) : none();
    run->recall = recall;
    if (e->op || e->block) return v;
    return !strcmp(e->name, "size") && e->a && e->a->next ? size_of(run, e) : none();
}

/* The summands from the first step on. */
static lang_value sum_over(lang_run *run, const lang_node *e)
{
    int64_t from, to;
    rv_var total = null_var(run);
    if (e->symbol < 0 || !rv_lang_evaluate_whole(run, e->a, -1000000, 1000000, &from) ||
        !rv_lang_evaluate_whole(run, e->b, -1000000, 1000000, &to))
        return none();
    if (to < from)
        return rv_lang_wrong(run, e->place, RV_ERROR_ARGUMENT, "nothing from %lld to %lld",
                             (long long)from, (long long)to);
    for (int64_t t = from; t <= to; t++) {
        run->value[e->symbol] = of_number((double)t);
        rv_var term = rv_lang_evaluate_var(run, e->c);
        if (rv_is_null(term)) return none();
        lang_value sum = t == from ? (lang_value){.kind = VALUE_VAR, .var = term}
                                   : rv_lang_recorded(run, e->place, rv_add(total, term));
        if (sum.kind == VALUE_NONE) return sum;
        total = sum.var;
    }
    return (lang_value){.kind = VALUE_VAR, .var = total};
}

/* ---- everything ---- */

static lang_value evaluate(lang_run *run, const lang_node *e)
{
    switch (e->kind) {
    case LANG_NUMBER: return of_number(e->number);
    case LANG_TEXT: return (lang_value){.kind = VALUE_WORD, .word = e->name};
    case LANG_NAME: return name(run, e);
    case LANG_LIST: return list_of(run, e);
    case LANG_CALL: return call(run, e);
    case LANG_APPLY: return e->symbol >= 0 ? map(run, e) : none();
    case LANG_INDEX: return index_of(run, e);
    case LANG_PRIME: return prime(run, e);
    case LANG_NEGATE: return negate(run, e);
    case LANG_MATMUL: return matmul(run, e);
    case LANG_ADD:
    case LANG_SUBTRACT:
    case LANG_MULTIPLY:
    case LANG_DIVIDE:
    case LANG_POWER: return arithmetic(run, e);
    case LANG_SUM: return sum_over(run, e);
    case LANG_UNROLL: return rv_lang_unroll(run, e);
    default: return rv_lang_wrong(run, e->place, RV_ERROR_ARGUMENT, "this is no value");
    }
}

lang_value rv_lang_evaluate(lang_run *run, const lang_node *e)
{
    if (!proceed(run, e)) return none();
    run->work->depth++;
    lang_value v = evaluate(run, e);
    run->work->depth--;
    return v;
}

/* ---- statements ---- */

static bool set_series(lang_run *run, const lang_node *s, rv_var v)
{
    int symbol = s->a->a->symbol;
    int64_t time;
    if (!s->a->b || s->a->b->next) {
        rv_lang_wrong(run, s->a->place, RV_ERROR_ARGUMENT, "expected one time step, as in h[2]");
        return false;
    }
    if (!rv_lang_evaluate_whole(run, s->a->b, 0, LANG_MOST_STEPS, &time)) return false;
    if (time >= run->times[symbol]) {
        size_t room = (size_t)run->times[symbol];
        if (!rv_lang_spend(run, s->place, (time - run->times[symbol]) / 4)) return false;
        if (!rv_reserve(&run->series[symbol], &room, (size_t)time + 1, sizeof **run->series)) {
            rv_lang_wrong(run, s->place, RV_ERROR_MEMORY, "memory is out");
            return false;
        }
        run->times[symbol] = (int64_t)room;
    }
    if (run->series[symbol][time].tape) {
        rv_lang_wrong(run, s->a->place, RV_ERROR_NAME, "%s[%lld] has a value already",
                      s->a->a->name, (long long)time);
        return false;
    }
    if (run->work->named) v = run->work->named(run->work->context, run->block, symbol, time, v);
    run->series[symbol][time] = v;
    return true;
}

static void define(lang_run *run, const lang_node *s)
{
    lang_value v = rv_lang_evaluate(run, s->b);
    if (s->a->kind == LANG_INDEX) {
        rv_var x = as_var(run, s->b, &v);
        if (!rv_is_null(x) && s->a->a->symbol >= 0) set_series(run, s, x);
        return;
    }
    int symbol = s->a->symbol;
    if (symbol < 0 || v.kind == VALUE_NONE) return;
    if (v.kind == VALUE_PENDING || s->a->kind == LANG_PRIME ||
        (v.kind == VALUE_NUMBER && run->cell)) { /* else a number stays one: it may be a size */
        rv_var x = as_var(run, s->b, &v);
        if (rv_is_null(x)) return;
        v = (lang_value){.kind = VALUE_VAR, .var = x};
    }
    if (v.kind == VALUE_VAR) {
        const char *given = run->block->symbol[symbol].name;
        int64_t time = run->cell ? run->cell->time + 1 : -1;
        if (s->a->kind == LANG_NAME && !run->cell) rv_name(v.var, given);
        if (run->work->named && !(run->cell && run->cell->probe))
            v.var = run->work->named(run->work->context, run->block, symbol, time, v.var);
    }
    run->value[symbol] = v;
}

static void loop(lang_run *run, const lang_node *s)
{
    int64_t from, to;
    if (s->symbol < 0 || !rv_lang_evaluate_whole(run, s->a, -1000000, 1000000, &from) ||
        !rv_lang_evaluate_whole(run, s->b, -1000000, 1000000, &to))
        return;
    int64_t by = s->number < 0 ? -1 : 1;
    for (int64_t t = from; by > 0 ? t <= to : t >= to; t += by) {
        if (!proceed(run, s)) return;
        run->value[s->symbol] = of_number((double)t);
        rv_lang_statements(run, s->c);
    }
}

static void declare(lang_run *run, const lang_node *s)
{
    for (const lang_node *d = s->a; d; d = d->next) {
        if (d->symbol < 0) continue;
        lang_symbol_kind kind = run->block->symbol[d->symbol].kind;
        bool complete = kind == SYMBOL_CONSTANT || (kind == SYMBOL_PARAMETER && d->a);
        for (const lang_node *e = d->a ? d->a->a : NULL; e; e = e->next)
            complete = complete && e->kind != LANG_HOLE;
        if (complete) parameter(run, d, d->symbol, NULL);
    }
}

void rv_lang_statements(lang_run *run, const lang_node *s)
{
    for (; s && proceed(run, s); s = s->next) {
        if (run->cell && run->failed) return; /* the rest of a cell's step follows from it */
        if (s->kind == LANG_DECLARE) declare(run, s);
        if (s->kind == LANG_DEFINE && run->judge && s->number == 0)
            run->judge(run, s);
        else if (s->kind == LANG_DEFINE)
            define(run, s);
        if (s->kind == LANG_FOR) loop(run, s);
    }
}
