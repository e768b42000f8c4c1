/* Records calls of the cell's maps, of ops and of functions. */
#include "lang/record/call.h"

#include <math.h>
#include <string.h>

#include "lang/record/arithmetic.h"
#include "lang/record/evaluate.h"
#include "lang/record/gradient.h"
#include "lang/record/quantity.h"
#include "lang/record/starts.h"
#include "lang/resolve/expressions.h"
#include "models/cell.h"
#include "ops/ops.h"
#include "ops/options.h"
#include "tensor/memory.h"

extern const rv_op rv_op_conv2d, rv_op_conv2d_transpose, rv_op_matmul;

/* Whether a list has one level and at most RV_MAX_RANK whole numbers, such as axes. Writes them to
 * *list. */
static bool is_short(const double *number, int64_t count, rv_shape shape, rv_shape *list)
{
    if (shape.rank != 1 || count > RV_MAX_RANK) return false;
    *list = (rv_shape){.rank = count};
    for (int64_t i = 0; i < count; i++) {
        if (number[i] != floor(number[i]) || fabs(number[i]) > INT32_MAX) return false;
        list->dim[i] = (int64_t)number[i];
    }
    return true;
}

/* An array of numbers, in the order of the text. */
typedef struct array {
    double *number;
    size_t count, capacity;
    rv_shape shape;
} array;

/* Adds the items of a list at a depth of nesting. The first list at each depth sets the size of
 * that axis. */
static bool add_items(lang_run *run, const lang_node *e, int64_t depth, array *a)
{
    int64_t size = 0;
    char text[RV_SHAPE_TEXT];
    for (const lang_node *item = e->items; item; item = item->next) size++;
    bool first = depth == a->shape.rank && depth < RV_MAX_RANK && !a->count;
    if (first) a->shape.dim[a->shape.rank++] = size;
    if (depth >= a->shape.rank || a->shape.dim[depth] != size || (depth && !size)) {
        rv_lang_wrong(run, e->location, RV_ERROR_SHAPE,
                      "this list of %lld does not fit into an array %s", (long long)size,
                      rv_shape_text(a->shape, text));
        return false;
    }
    for (const lang_node *item = e->items; item; item = item->next) {
        if (item->kind == LANG_LIST) {
            if (!add_items(run, item, depth + 1, a)) return false;
            continue;
        }
        lang_value v = rv_lang_evaluate(run, item);
        if (v.kind == VALUE_NONE) return false;
        if (v.kind != VALUE_NUMBER || depth + 1 != a->shape.rank) {
            rv_lang_wrong(run, item->location, RV_ERROR_ARGUMENT, "%s in a list of %s%s",
                          rv_lang_value_kind_text(&v), v.kind == VALUE_NUMBER ? "lists" : "numbers",
                          v.kind == VALUE_VAR ? "; stack(a, b) joins tensors" : "");
            return false;
        }
        if (!rv_reserve(&a->number, &a->capacity, a->count + 1, sizeof *a->number)) {
            rv_lang_wrong(run, e->location, RV_ERROR_MEMORY, "out of memory");
            return false;
        }
        a->number[a->count++] = v.number;
    }
    return true;
}

lang_value rv_lang_list(lang_run *run, const lang_node *e)
{
    array a = {0};
    lang_value v = rv_lang_none();
    if (add_items(run, e, 0, &a)) {
        v.kind = VALUE_LIST;
        if (!is_short(a.number, (int64_t)a.count, a.shape, &v.list))
            v = rv_lang_recorded(run, e->location, rv_lang_constant(run, a.shape, a.number));
    }
    rv_free(a.number);
    return v;
}

/* Whether a call multiplies by a weight, so that states in its arguments are read with dropout. */
static bool has_weight(const lang_run *run, const lang_node *call)
{
    bool has = false;
    for (const lang_node *a = call->arguments; a; a = a->next)
        has = has || rv_lang_is_weight(run, a);
    return has;
}

/* Sets the outputs and heads that a declaration W[inputs,outputs] or W[heads,inputs,outputs]
 * states, where _ is what fits, of a map of `inputs` units. */
LANG_APART static bool declared_map(lang_run *run, const lang_node *made, int64_t inputs,
                                    rv_map_options *o)
{
    rv_shape sizes;
    if (!rv_lang_evaluate_sizes(run, made->sizes->items, true, &sizes)) return false;
    bool heads = sizes.rank == 3;
    int64_t parts = heads ? sizes.dim[0] : 1, in = sizes.dim[heads], out = sizes.dim[heads + 1];
    if ((sizes.rank != 2 && !heads) || parts < 1)
        rv_lang_wrong(
            run, made->location, RV_ERROR_SHAPE,
            "a map has the shape [inputs,outputs] or [heads,inputs,outputs] of each head, "
            "as in %s[_, 8] or %s[4, _, _]",
            made->name, made->name);
    else if (in > 0 && in * parts != inputs)
        rv_lang_wrong(run, made->location, RV_ERROR_SHAPE,
                      "the map \"%s\" takes %lld unit(s), but its argument has %lld; _ is the "
                      "size that fits",
                      made->name, (long long)(in * parts), (long long)inputs);
    else {
        *o = (rv_map_options){.outputs = out > 0 ? out * parts : 0, .heads = heads ? parts : 0};
        return true;
    }
    return false;
}

/* The shape of a map's weights. */
static rv_shape map_shape(const lang_run *run, rv_var x, const rv_map_options *o)
{
    const rv_rnn_options *net = run->cell->options;
    rv_shape in = rv_shape_of(x);
    int64_t heads = o->heads ? o->heads : 1, outputs = o->outputs ? o->outputs : net->units;
    if (in.rank < 2 || net->kernel < 0 || net->kernel > INT32_MAX || in.dim[1] % heads ||
        outputs % heads)
        return RV_SCALAR; /* refused later */
    return net->kernel ? RV_SHAPE(outputs, in.dim[1] / heads, net->kernel, net->kernel)
           : o->heads  ? RV_SHAPE(heads, in.dim[1] / heads, outputs / heads)
                       : RV_SHAPE(in.dim[1], outputs);
}

LANG_APART static lang_value map(lang_run *run, const lang_node *e, rv_var x)
{
    const lang_symbol *s = &run->block->symbol[e->symbol];
    const lang_node *made = s->definition;
    rv_map_options o = {0};
    lang_start start;
    int64_t inputs = rv_shape_of(x).rank > 1 ? rv_shape_of(x).dim[1] : 0;
    if (made->sizes && inputs && !declared_map(run, made, inputs, &o)) return rv_lang_none();
    if (s->kind == SYMBOL_FIT && inputs == (o.outputs ? o.outputs : run->cell->options->units))
        return rv_lang_recorded(run, e->location, x);
    rv_shape shape = map_shape(run, x, &o);
    if (!rv_lang_evaluate_start(run, made, (rv_init){0}, &start) ||
        (shape.rank && (!rv_lang_check_start(run, made, &start.init, shape) ||
                        !rv_lang_is_affordable(run, made->location, shape))))
        return rv_lang_none();
    o.init = start.init;
    return rv_lang_recorded(run, e->location, rv_cell_map_with(run->cell, x, s->name, o));
}

/* Records W x, a map of the cell. */
lang_value rv_lang_map(lang_run *run, const lang_node *e)
{
    bool recall = run->recall;
    run->recall = true;
    rv_var x = rv_lang_evaluate_real(run, e->operand);
    run->recall = recall;
    return rv_is_null(x) ? rv_lang_none() : map(run, e, x);
}

LANG_APART static lang_value activate(lang_run *run, const lang_node *e, rv_var x)
{
    const rv_op *op = run->block->symbol[e->symbol].definition->start->op;
    rv_var (*chosen)(rv_var) = run->cell->options->activation;
    if (!chosen && op->inputs != 1)
        return rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT,
                             "%s is not a function of one value", op->name);
    rv_option_value defaults[8] = {{0}};
    for (int i = 0; i < op->option_count && i < 8; i++)
        defaults[i].number = op->options[i].default_value;
    return rv_lang_recorded(run, e->location, chosen ? chosen(x) : rv_op_call(op, &x, 1, defaults));
}

static lang_value activation(lang_run *run, const lang_node *e)
{
    rv_var x = rv_lang_evaluate_var(run, e->arguments);
    return rv_is_null(x) ? rv_lang_none() : activate(run, e, x);
}

/* Sets an option of an op. */
LANG_APART static bool set_option(lang_run *run, const lang_node *e, const rv_option *option,
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
    if (expected && e->kind == LANG_LIST && option->kind == RV_OPTION_LIST) {
        rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT, "%s takes at most %d whole numbers",
                      option->name, RV_MAX_RANK);
        return false;
    }
    if (expected) {
        rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT, "%s=%s, expected %s", option->name,
                      rv_lang_value_kind_text(&v), expected);
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

static double option_of(const rv_op *op, const rv_option_value *value, const char *name)
{
    int i = 0;
    while (strcmp(op->options[i].name, name)) i++;
    return value[i].number;
}

/* Whether input 1 is a weight whose shape may follow from input 0. */
static bool takes_weight(const rv_op *op)
{
    return op == &rv_op_conv2d || op == &rv_op_conv2d_transpose || op == &rv_op_matmul;
}

/* The sizes of a weight that follow from the shape of input 0 and the options. */
static rv_shape weight_shape(const lang_run *run, const rv_op *op, const rv_option_value *value,
                             rv_shape in)
{
    if (op == &rv_op_matmul)
        return rv_lang_factor_shape(in, option_of(op, value, "transpose_a") != 0,
                                    option_of(op, value, "transpose_b") != 0);
    int64_t units = run->cell ? run->cell->options->units : -1, channels = in.dim[1];
    double groups = option_of(op, value, "groups");
    int64_t divisor = groups >= 1 && groups <= (double)channels ? (int64_t)groups : 1;
    return op == &rv_op_conv2d ? RV_SHAPE(units, channels / divisor, -1, -1)
                               : RV_SHAPE(channels, units / divisor, -1, -1);
}

LANG_APART static rv_var weight(lang_run *run, const lang_node *e, lang_value *w, const rv_op *op,
                                const rv_option_value *value, rv_var x)
{
    if (w->kind != VALUE_PENDING || rv_is_null(x)) return rv_lang_as_var(run, e, w);
    rv_shape in = rv_shape_of(x);
    if (op != &rv_op_matmul && in.rank != 4) {
        char text[RV_SHAPE_TEXT];
        rv_lang_wrong(run, e->location, RV_ERROR_SHAPE,
                      "\"%s\" maps images [n,channels,height,width], but is given %s",
                      w->owner->block->symbol[w->symbol].name, rv_shape_text(in, text));
        return rv_lang_null(run);
    }
    return rv_lang_complete(run, e, w, weight_shape(run, op, value, in));
}

/* The arguments of an op. On the heap, because calls nest. */
typedef struct arguments {
    rv_var x[MOST_INPUTS];
    int inputs;
    rv_option_value value[MOST_OPTIONS];
    bool given[MOST_OPTIONS];
    const lang_node *of_w; /* a weight: its shape may depend on options, which come later */
    lang_value w;
    double number[3]; /* of a pointwise op */
    bool numbers;     /* nothing but numbers */
} arguments;

LANG_APART static bool evaluate_input(lang_run *run, const lang_node *e, const rv_op *op,
                                      arguments *in)
{
    lang_value v = rv_lang_evaluate(run, e);
    int i = in->inputs++;
    if (i == 1 && takes_weight(op)) {
        in->w = v;
        in->of_w = e;
        return true;
    }
    in->numbers = in->numbers && v.kind == VALUE_NUMBER;
    if (in->numbers) in->number[i] = v.number;
    in->x[i] = rv_lang_as_var(run, e, &v);
    if (op->pointwise || op == &rv_op_matmul) in->x[i] = rv_lang_real(in->x[i]);
    return !rv_is_null(in->x[i]);
}

static bool evaluate_arguments(lang_run *run, const lang_node *e, arguments *in)
{
    const rv_op *op = e->op;
    bool ok = true;
    int extra = 0;
    for (int i = 0; i < op->option_count && i < MOST_OPTIONS; i++)
        in->value[i].number = op->options[i].default_value;
    for (const lang_node *a = e->arguments; a; a = a->next) {
        int option = op->inputs >= 0 && in->inputs >= op->inputs ? extra : -1;
        if (a->kind == LANG_OPTION)
            for (option = 0; strcmp(op->options[option].name, a->name);) option++;
        if (option < 0 && in->inputs == MOST_INPUTS) {
            rv_lang_wrong(run, a->location, RV_ERROR_ARGUMENT, "more than %d input(s)",
                          MOST_INPUTS);
            return false;
        }
        if (option < 0) {
            ok = evaluate_input(run, a, op, in) && ok;
            continue;
        }
        if (a->kind != LANG_OPTION) extra++;
        if (in->given[option]) {
            rv_lang_wrong(run, a->location, RV_ERROR_ARGUMENT, "%s is given twice",
                          op->options[option].name);
            return false;
        }
        in->given[option] = true;
        ok = set_option(run, a->kind == LANG_OPTION ? a->value : a, &op->options[option],
                        &in->value[option]) &&
             ok;
    }
    for (int i = 0; i < op->option_count; i++)
        if (op->options[i].required && !in->given[i]) {
            rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT, "%s needs %s=: %s", op->name,
                          op->options[i].name, op->options[i].doc);
            return false;
        }
    if (in->of_w) {
        in->x[1] = weight(run, in->of_w, &in->w, op, in->value, in->x[0]);
        ok = ok && !rv_is_null(in->x[1]);
    }
    return ok;
}

/* A pointwise op of numbers is a number, such as 1 / sqrt(units). */
LANG_APART static double fold(const rv_op *op, const double number[3])
{
    rv_type scalar = {RV_F64, RV_SCALAR}, type[3] = {scalar, scalar, scalar};
    const void *in[3] = {&number[0], &number[1], &number[2]};
    double out = NAN;
    op->reference(&(rv_call){.out = &out,
                             .in = in,
                             .in_type = type,
                             .out_type = scalar,
                             .inputs = op->inputs,
                             .parts = 1});
    return out;
}

LANG_APART static lang_value op_call(lang_run *run, const lang_node *e)
{
    arguments *in = rv_alloc(1, sizeof *in);
    if (!in) return rv_lang_wrong(run, e->location, RV_ERROR_MEMORY, "out of memory");
    bool recall = run->recall;
    run->recall = recall || has_weight(run, e);
    in->numbers = e->op->pointwise;
    bool ok = evaluate_arguments(run, e, in);
    run->recall = recall;
    double number = ok && in->numbers ? fold(e->op, in->number) : NAN;
    rv_var y = ok ? rv_op_call(e->op, in->x, in->inputs, in->value) : rv_lang_null(run);
    rv_free(in);
    if (isfinite(number)) return rv_lang_of_number(number);
    return ok ? rv_lang_recorded(run, e->location, y) : rv_lang_none();
}

LANG_APART static lang_value function_call(lang_run *run, const lang_node *e)
{
    const lang_block *f = e->block;
    lang_run inner;
    lang_value result = rv_lang_none();
    if (f->wrong || !rv_lang_spend(run, e->location, f->symbols / 4)) return rv_lang_none();
    bool ok = rv_lang_start_run(&inner, f, run->work, run->tape);
    lang_location call = run->work->call;
    inner.cell = run->cell;
    int k = 0;
    bool recall = run->recall;
    run->recall = recall || has_weight(run, e);
    for (const lang_node *a = e->arguments; ok && a; a = a->next) {
        inner.value[k] = rv_lang_evaluate(run, a);
        ok = inner.value[k++].kind != VALUE_NONE;
    }
    run->recall = recall;
    if (f->node->location.source->built_in && !e->location.source->built_in)
        run->work->call = e->location;
    if (ok && f->node->value) result = rv_lang_evaluate(&inner, f->node->value);
    for (const lang_node *s = f->node->body; ok && s; s = s->next) {
        if (s->kind == LANG_RETURN) {
            result = rv_lang_evaluate(&inner, s->value);
            break;
        }
        inner.value[s->target->symbol] = rv_lang_evaluate(&inner, s->value);
        ok = inner.value[s->target->symbol].kind != VALUE_NONE;
    }
    run->work->call = call;
    rv_lang_end_run(&inner);
    return result;
}

LANG_APART static lang_value size_of(lang_run *run, const lang_node *e)
{
    int64_t axis;
    rv_var x = rv_lang_evaluate_var(run, e->arguments);
    int64_t rank = rv_shape_of(x).rank;
    if (rv_is_null(x) || !rv_lang_evaluate_whole(run, e->arguments->next, -rank, rank - 1, &axis))
        return rv_lang_none();
    return rv_lang_of_number((double)rv_shape_of(x).dim[axis < 0 ? axis + rank : axis]);
}

lang_value rv_lang_call(lang_run *run, const lang_node *e)
{
    if (e->symbol >= 0)
        return run->block->symbol[e->symbol].kind == SYMBOL_ACTIVATION ? activation(run, e)
                                                                       : rv_lang_map(run, e);
    if (e->op) return op_call(run, e);
    if (e->block) return function_call(run, e);
    if (!rv_lang_built_in(e->name) || !e->arguments || !e->arguments->next) return rv_lang_none();
    return !strcmp(e->name, "size") ? size_of(run, e) : rv_lang_gradient(run, e);
}

/* ---- over loops ---- */

/* The bounds of a loop. */
static bool bounds(lang_run *run, const lang_node *e, int64_t *from, int64_t *to)
{
    if (e->symbol < 0 || !rv_lang_evaluate_whole(run, e->from, -1000000, 1000000, from) ||
        !rv_lang_evaluate_whole(run, e->to, -1000000, 1000000, to))
        return false;
    if (*to >= *from) return true;
    rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT, "the %s from %lld to %lld is empty", e->word,
                  (long long)*from, (long long)*to);
    return false;
}

static rv_var term(lang_run *run, const lang_node *e, int64_t t)
{
    const lang_value outer = run->value[e->symbol];
    run->value[e->symbol] = rv_lang_of_number((double)t);
    rv_var x = rv_lang_evaluate_var(run, e->term);
    run->value[e->symbol] = outer;
    return x;
}

/* Adds up the terms in order. */
static lang_value sum_over(lang_run *run, const lang_node *e, int64_t from, int64_t to)
{
    lang_value sum = {.kind = VALUE_VAR, .var = term(run, e, from)};
    if (rv_is_null(sum.var)) return rv_lang_none();
    for (int64_t t = from + 1; t <= to && sum.kind == VALUE_VAR; t++) {
        rv_var x = term(run, e, t);
        if (rv_is_null(x)) return rv_lang_none();
        sum = rv_lang_recorded(run, e->location, rv_add(sum.var, x));
    }
    return sum;
}

/* Calls the op on all terms. */
LANG_APART static lang_value join(lang_run *run, const lang_node *e, const rv_var *x, int count)
{
    arguments *in = rv_alloc(1, sizeof *in);
    if (!in) return rv_lang_wrong(run, e->location, RV_ERROR_MEMORY, "out of memory");
    const lang_node call = {
        .kind = LANG_CALL, .location = e->location, .op = e->op, .arguments = e->term->next};
    bool ok = evaluate_arguments(run, &call, in);
    rv_var y = ok ? rv_op_call(e->op, x, count, in->value) : rv_lang_null(run);
    rv_free(in);
    return ok ? rv_lang_recorded(run, e->location, y) : rv_lang_none();
}

LANG_APART static lang_value join_over(lang_run *run, const lang_node *e, int64_t from, int64_t to)
{
    if (!rv_lang_spend(run, e->location, (to - from) / 4)) return rv_lang_none();
    rv_var *x = rv_alloc((size_t)(to - from) + 1, sizeof *x);
    if (!x) return rv_lang_wrong(run, e->location, RV_ERROR_MEMORY, "out of memory");
    bool ok = true;
    for (int64_t t = from; ok && t <= to; t++) {
        x[t - from] = term(run, e, t);
        ok = !rv_is_null(x[t - from]);
    }
    lang_value v = ok ? join(run, e, x, (int)(to - from + 1)) : rv_lang_none();
    rv_free(x);
    return v;
}

lang_value rv_lang_over_loop(lang_run *run, const lang_node *e)
{
    int64_t from, to;
    if (!bounds(run, e, &from, &to)) return rv_lang_none();
    return e->op ? join_over(run, e, from, to) : sum_over(run, e, from, to);
}
