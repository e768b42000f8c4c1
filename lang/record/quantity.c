/* Evaluates names: parameters, states, values at time steps, slices. */
#include "lang/record/quantity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lang/record/evaluate.h"
#include "lang/record/starts.h"
#include "models/cell.h"
#include "ops/ops.h"

/* Uniform in +-1/sqrt(inputs): the rows of W in x @ W, also of each matrix of a stack, the elements
 * under the kernel of a convolution. A vector starts at zero, as biases do. */
static rv_init standard_init(rv_shape shape)
{
    double inputs = 1;
    if (shape.rank == 1) return rv_init_constant(0);
    if (shape.rank == 4)
        for (int d = 1; d < 4; d++) inputs *= (double)shape.dim[d];
    else if (shape.rank > 1)
        inputs = (double)shape.dim[shape.rank - 2];
    double bound = 1 / sqrt(inputs);
    return rv_init_uniform(-bound, bound);
}

bool rv_lang_is_affordable(lang_run *run, lang_location location, rv_shape shape)
{
    rv_error error = {0};
    size_t bytes;
    if (!rv_shape_check(shape, 1, &bytes, &error)) {
        rv_lang_wrong(run, location, error.code, "%-s", error.text);
        return false;
    }
    const int64_t most = rv_lang_most_size(run->work->limits);
    if (run->cell && run->cell->taken > 0) return true; /* the first step has counted it */
    if (bytes > (size_t)(most - run->work->elements)) {
        rv_lang_wrong(run, location, RV_ERROR_LIMIT,
                      "inputs and parameters of more than %lld number(s); make it smaller",
                      (long long)most);
        return false;
    }
    run->work->elements += (int64_t)bytes;
    return true;
}

rv_var rv_lang_parameter(lang_run *run, const lang_node *at, int symbol, rv_shape shape)
{
    const lang_symbol *s = &run->block->symbol[symbol];
    lang_value *known = &run->value[symbol];
    if (known->kind == VALUE_VAR && rv_shape_equal(rv_shape_of(known->var), shape))
        return known->var;
    lang_start start;
    start.init = standard_init(shape);
    if (!rv_lang_is_affordable(run, at->location, shape)) return rv_lang_null(run);
    if (s->definition->kind == LANG_DECLARED &&
        (!rv_lang_evaluate_start(run, s->definition, start.init, &start) ||
         !rv_lang_check_start(run, s->definition, &start.init, shape)))
        return rv_lang_null(run);
    rv_var p;
    char name[RV_CELL_NAME];
    if (s->kind == SYMBOL_CONSTANT)
        p = rv_state(run->tape, run->cell ? rv_cell_full_name(run->cell, s->name, name) : s->name,
                     shape, run->cell && run->cell->probe ? rv_init_constant(0) : start.init);
    else
        p = run->cell ? rv_cell_parameter(run->cell, s->name, shape, start.init)
                      : rv_parameter(run->tape, s->name, shape, start.init);
    lang_value v = rv_lang_recorded(run, at->location, p);
    if (v.kind == VALUE_VAR) *known = v;
    return v.kind == VALUE_VAR ? v.var : rv_lang_null(run);
}

/* The sizes are those written here, or those of the declaration; without any the parameter is a
 * scalar. */
lang_value rv_lang_use_parameter(lang_run *run, const lang_node *e, int symbol,
                                 const lang_node *sizes)
{
    const lang_symbol *s = &run->block->symbol[symbol];
    lang_value v = {.kind = VALUE_PENDING, .owner = run, .symbol = symbol};
    if (!sizes && run->value[symbol].kind == VALUE_VAR) return run->value[symbol];
    if (!sizes && s->definition->kind == LANG_DECLARED && s->definition->sizes)
        sizes = s->definition->sizes->items;
    if (!sizes && s->definition->kind == LANG_INDEX) sizes = s->definition->indices;
    if (!rv_lang_evaluate_sizes(run, sizes, true, &v.list)) return rv_lang_none();
    bool complete = true;
    for (int64_t d = 0; d < v.list.rank; d++) complete = complete && v.list.dim[d] > 0;
    bool window = v.list.rank == 2 && run->cell && s->definition->kind == LANG_INDEX;
    if (!complete || window) return v;
    return rv_lang_recorded(run, e->location, rv_lang_parameter(run, e, symbol, v.list));
}

bool rv_lang_is_weight(const lang_run *run, const lang_node *e)
{
    const lang_node *base = e && e->kind == LANG_INDEX ? e->base : e;
    return run->cell && base && base->kind == LANG_NAME && base->symbol >= 0 &&
           run->block->symbol[base->symbol].kind == SYMBOL_PARAMETER;
}

rv_var rv_lang_complete(lang_run *run, const lang_node *e, lang_value *w, rv_shape implied)
{
    if (w->kind != VALUE_PENDING) return rv_lang_as_var(run, e, w);
    rv_shape *shape = &w->list;
    if (run->cell && implied.rank == 4 && shape->rank == 2)
        *shape = RV_SHAPE(implied.dim[0], implied.dim[1], shape->dim[0], shape->dim[1]);
    bool known = shape->rank == implied.rank;
    for (int64_t d = 0; known && d < shape->rank; d++) {
        if (shape->dim[d] < 0) shape->dim[d] = implied.dim[d];
        known = shape->dim[d] > 0;
    }
    return known ? rv_lang_parameter(w->owner, e, w->symbol, *shape) : rv_lang_as_var(run, e, w);
}

/* ---- quantities ---- */

/* A parameter inside an unroll, by name. */
static rv_var weight(const lang_run *run, const lang_symbol *s)
{
    char name[2 * RV_CELL_NAME];
    const lang_trace *t = &run->trace[s->unroll];
    const lang_symbol *inner = &s->cell->symbol[s->inner];
    snprintf(name, sizeof name, "%.200s%s%.200s", t->name ? t->name : "", t->name ? "/" : "",
             inner->stored ? inner->stored : inner->name);
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
        bool there = t->value && time >= 0 && time <= t->last;
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
        return rv_lang_recorded(run, e->location,
                                run->cotangent(run, e, s->target, s->time >= 0 ? s->time : time));
    rv_var v = rv_lang_quantity(run, symbol, time);
    if (!rv_is_null(v)) return (lang_value){.kind = VALUE_VAR, .var = v};
    if (s->kind != SYMBOL_SERIES && !run->trace[s->unroll].value)
        return rv_lang_none(); /* the unroll failed */
    if (s->kind == SYMBOL_WEIGHT)
        return rv_lang_wrong(run, e->location, RV_ERROR_NAME, "the net has no parameter \"%s\"",
                             s->name);
    if (run->failed) return rv_lang_none(); /* perhaps the cause */
    return rv_lang_wrong(run, e->location, RV_ERROR_NAME, "%s[%lld] has no value here", s->name,
                         (long long)time);
}

/* A value defined above. If it is missing, either that is reported already or its line runs
 * later. */
static lang_value known_value(lang_run *run, const lang_node *e)
{
    lang_value v = run->value[e->symbol];
    bool reported =
        run->failed || run->work->reported || (run->work->report && run->work->report->count);
    if (v.kind != VALUE_NONE || reported) return v;
    return rv_lang_wrong(
        run, e->location, RV_ERROR_NAME,
        run->block->symbol[e->symbol].kind == SYMBOL_SIZE
            ? "\"%s\" has a value only inside its loop"
            : "\"%s\" has no value yet; inputs come first: make it a size of the model",
        e->name);
}

bool rv_lang_vector(lang_run *run, const lang_node *made, rv_shape *shape, lang_start *start)
{
    *shape = RV_SHAPE(run->cell->options->units);
    return (!made->sizes || (rv_lang_evaluate_sizes(run, made->sizes->items, false, shape) &&
                             rv_lang_is_affordable(run, made->location, *shape))) &&
           rv_lang_evaluate_start(run, made, rv_init_constant(0), start) &&
           rv_lang_check_start(run, made, &start->init, *shape);
}

/* A gain that is no factor of a tensor is one sample, like the cell's input. */
static lang_value gain(lang_run *run, const lang_node *e, const lang_symbol *s)
{
    lang_start start;
    rv_shape shape;
    int input = 0;
    if (!rv_lang_vector(run, s->definition, &shape, &start)) return rv_lang_none();
    while (run->block->symbol[input].kind != SYMBOL_INPUT) input++;
    rv_var x = run->value[input].var;
    return rv_lang_recorded(run, e->location,
                            rv_cell_vector(run->cell, x, s->name, shape, start.init));
}

lang_value rv_lang_name(lang_run *run, const lang_node *e)
{
    if (e->symbol < 0) return rv_lang_none(); /* reported by rv_lang_resolve */
    const lang_symbol *s = &run->block->symbol[e->symbol];
    switch (s->kind) {
    case SYMBOL_TRACE:
    case SYMBOL_SERIES:
    case SYMBOL_WEIGHT:
    case SYMBOL_COTANGENT: return at_time(run, e, e->symbol, e->time);
    case SYMBOL_PARAMETER:
    case SYMBOL_CONSTANT: return rv_lang_use_parameter(run, e, e->symbol, NULL);
    case SYMBOL_BIAS:
        return rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT,
                             "the bias \"%s\" is added to a tensor: x + %s", s->name, s->name);
    case SYMBOL_GAIN: return gain(run, e, s);
    case SYMBOL_STATE:
        if (run->recall && run->value[e->symbol].kind == VALUE_VAR)
            return rv_lang_recorded(run, e->location,
                                    rv_cell_recall(run->cell, run->value[e->symbol].var));
        return run->value[e->symbol];
    case SYMBOL_SIZE:
        if (run->cell && !s->definition && !strcmp(s->name, "units"))
            return rv_lang_of_number((double)run->cell->options->units);
        if (run->cell && !s->definition && !strcmp(s->name, "forget"))
            return rv_lang_of_number(rv_cell_forget(run->cell));
        return known_value(run, e);
    default: return known_value(run, e);
    }
}

lang_value rv_lang_prime(lang_run *run, const lang_node *e)
{
    if (e->symbol >= 0) {
        lang_value v = run->value[e->symbol];
        if (!run->recall || v.kind != VALUE_VAR) return v;
        return rv_lang_recorded(run, e->location, rv_cell_recall(run->cell, v.var));
    }
    rv_var x = rv_lang_evaluate_var(run, e->operand);
    if (rv_is_null(x)) return rv_lang_none();
    int axes[RV_MAX_RANK], rank = (int)rv_shape_of(x).rank;
    char text[RV_SHAPE_TEXT];
    if (rank < 2)
        return rv_lang_wrong(run, e->location, RV_ERROR_SHAPE,
                             "%s has no transpose, expected two axes",
                             rv_shape_text(rv_shape_of(x), text));
    for (int d = 0; d < rank; d++) axes[d] = d;
    axes[rank - 1] = rank - 2;
    axes[rank - 2] = rank - 1;
    return rv_lang_recorded(run, e->location, rv_transpose(x, axes));
}

/* Records x[1, :, 2:4]. A single index removes its axis. */
static lang_value slice(lang_run *run, const lang_node *e, rv_var x)
{
    rv_shape in = rv_shape_of(x), out = {0};
    int64_t start[RV_MAX_RANK] = {0}, size[RV_MAX_RANK], d = 0;
    for (int64_t k = 0; k < in.rank; k++) size[k] = in.dim[k];
    for (const lang_node *i = e->indices; i; i = i->next, d++) {
        char text[RV_SHAPE_TEXT];
        if (d >= in.rank)
            return rv_lang_wrong(run, i->location, RV_ERROR_SHAPE, "too many indices for %s",
                                 rv_shape_text(in, text));
        int64_t end = in.dim[d];
        if (i->kind == LANG_HOLE) {
        } else if (i->kind == LANG_RANGE) {
            if (i->first &&
                !rv_lang_evaluate_whole(run, i->first, -in.dim[d], in.dim[d] - 1, &start[d]))
                return rv_lang_none();
            if (i->end && !rv_lang_evaluate_whole(run, i->end, -in.dim[d], in.dim[d], &end))
                return rv_lang_none();
            if (start[d] < 0) start[d] += in.dim[d];
            if (end < 0) end += in.dim[d];
            if (end <= start[d])
                return rv_lang_wrong(run, i->location, RV_ERROR_SHAPE, "%lld:%lld is empty",
                                     (long long)start[d], (long long)end);
            size[d] = end - start[d];
        } else {
            if (!rv_lang_evaluate_whole(run, i, -in.dim[d], in.dim[d] - 1, &start[d]))
                return rv_lang_none();
            if (start[d] < 0) start[d] += in.dim[d];
            size[d] = 1;
            continue;
        }
        out.dim[out.rank++] = size[d];
    }
    for (; d < in.rank; d++) out.dim[out.rank++] = in.dim[d];
    return rv_lang_recorded(run, e->location, rv_reshape(rv_slice(x, start, size, NULL), out));
}

lang_value rv_lang_index(lang_run *run, const lang_node *e)
{
    int symbol = e->base->kind == LANG_NAME ? e->base->symbol : -1;
    const lang_symbol *s = symbol >= 0 ? &run->block->symbol[symbol] : NULL;
    if (e->base->kind == LANG_NAME && !s) return rv_lang_none();
    if (s && s->kind == SYMBOL_PARAMETER &&
        (s->definition->kind == LANG_INDEX || !s->definition->sizes))
        return rv_lang_use_parameter(run, e, symbol, e->indices);
    bool timed = s && (s->kind == SYMBOL_SERIES || s->kind == SYMBOL_TRACE ||
                       (s->kind == SYMBOL_COTANGENT && s->time < 0 && e->base->time < 0 &&
                        (run->block->symbol[s->target].kind == SYMBOL_SERIES ||
                         run->block->symbol[s->target].kind == SYMBOL_TRACE)));
    if (timed && e->base->time < 0) {
        int64_t time;
        if (!e->indices || e->indices->next)
            return rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT,
                                 "expected one time step, as in %s[2]", e->base->name);
        if (!rv_lang_evaluate_whole(run, e->indices, 0, 1000000, &time)) return rv_lang_none();
        return at_time(run, e, symbol, time);
    }
    rv_var x = rv_lang_evaluate_var(run, e->base);
    return rv_is_null(x) ? rv_lang_none() : slice(run, e, x);
}
