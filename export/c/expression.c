#include "export/c/expression.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "export/c/collapse.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"

/* ---- text of indices ---- */

static const char *letter(const rv_c_expression *x, int32_t variable)
{
    static const char *const letters[RV_C_MOST_LOOPS] = {
        "i", "j", "k", "l", "m", "n", "i1", "j1", "k1", "l1", "m1", "n1", "i2", "j2", "k2", "l2"};
    for (int i = 0; i < x->loops; i++)
        if (x->loop[i] == variable) return letters[i];
    return "?";
}

enum { LANE = -2 }; /* in the place of a variable: the loop over lanes */

static void write_term(rv_c_expression *x, rv_writer *w, rv_term id);

static void write_index(rv_c_expression *x, rv_writer *w, const rv_index *a);

static void write_variable(rv_c_expression *x, rv_writer *w, int32_t id, bool alone)
{
    const rv_variable *v = &x->pool->variable[id];
    bool quotient = v->kind == RV_VARIABLE_DIVIDED || v->kind == RV_VARIABLE_REST;
    if (v->kind == RV_VARIABLE_LOOP) {
        rv_write(w, id == x->wide ? "%s + %s" : "%s", letter(x, id), letter(x, LANE));
    } else if (quotient) {
        bool plain = v->of.terms == 1 && v->of.factor[0] == 1 && !v->of.constant;
        rv_write(w, alone ? "" : "(");
        rv_write(w, plain ? "" : "(");
        write_index(x, w, &v->of);
        rv_write(w, plain ? "" : ")");
        rv_write(w, v->kind == RV_VARIABLE_REST ? " %% %lld" : " / %lld", (long long)v->by);
        rv_write(w, alone ? "" : ")");
    } else {
        rv_write(w, "(int)(");
        write_term(x, w, v->value);
        rv_write(w, ")");
    }
}

/* The largest strides first: i * 8 + j. */
static void write_index(rv_c_expression *x, rv_writer *w, const rv_index *a)
{
    bool written[RV_INDEX_TERMS] = {false};
    bool alone = a->terms == 1 && a->constant == 0;
    for (int n = 0; n < a->terms; n++) {
        int best = -1;
        for (int t = 0; t < a->terms; t++)
            if (!written[t] && (best < 0 || a->factor[t] > a->factor[best])) best = t;
        written[best] = true;
        int64_t factor = a->factor[best], size = factor < 0 ? -factor : factor;
        rv_write(w, n ? factor < 0 ? " - " : " + " : factor < 0 ? "-" : "");
        write_variable(x, w, a->variable[best], alone && size == 1);
        if (size != 1) rv_write(w, " * %lld", (long long)size);
    }
    if (a->constant || !a->terms)
        rv_write(w,
                 !a->terms         ? "%s%lld"
                 : a->constant < 0 ? " %s %lld"
                                   : " %s %lld",
                 !a->terms         ? ""
                 : a->constant < 0 ? "-"
                                   : "+",
                 (long long)(a->terms && a->constant < 0 ? -a->constant : a->constant));
}

/* ---- statements ---- */

/* Begins a statement of the innermost block. */
static void indent(rv_c_expression *x)
{
    x->statements[x->loops]++;
    for (int i = 0; i <= x->loops; i++) rv_write(x->out, "    ");
}

/* Enters the block of a loop or a condition (variable -1). */
static void enter(rv_c_expression *x, int32_t variable)
{
    if (x->loops == RV_C_MOST_LOOPS - 1) {
        x->failed = true;
        return;
    }
    x->loop[x->loops++] = variable;
    x->statements[x->loops] = 0;
}

static void open_block(rv_c_expression *x)
{
    x->brace[x->loops] = x->out->length;
    rv_write(x->out, " {\n");
}

static void open_loop(rv_c_expression *x, int32_t variable)
{
    indent(x);
    enter(x, variable);
    const char *i = letter(x, variable);
    if (variable == LANE)
        rv_write(x->out, "for (int %s = 0; %s < LANES(%d); %s++)", i, i, x->lanes, i);
    else if (variable == x->wide)
        rv_write(x->out, "for (int %s = 0; %s < %lld; %s += LANES(%d))", i, i,
                 (long long)x->pool->variable[variable].size, i, x->lanes);
    else
        rv_write(x->out, "for (int %s = 0; %s < %lld; %s++)", i, i,
                 (long long)x->pool->variable[variable].size, i);
    open_block(x);
}

/* A block of one statement has no braces. */
static void close_block(rv_c_expression *x)
{
    size_t brace = x->brace[x->loops];
    bool single = x->statements[x->loops] == 1 && !x->out->failed;
    x->loops--;
    if (single) {
        memmove(x->out->at + brace, x->out->at + brace + 2, x->out->length - brace - 1);
        x->out->length -= 2;
        return;
    }
    indent(x);
    x->statements[x->loops]--;
    rv_write(x->out, "}\n");
}

void rv_c_open_loops(rv_c_expression *x, const rv_index *at, int rank)
{
    for (int d = 0; d < rank; d++)
        if (at[d].terms) open_loop(x, at[d].variable[0]);
}

void rv_c_close_loops(rv_c_expression *x)
{
    while (x->loops) close_block(x);
}

/* How often the open loops run their body: the loop over lanes is a part of the one that goes in
 * steps. */
static double rounds(const rv_c_expression *x)
{
    double count = 1;
    for (int i = 0; i < x->loops; i++)
        if (x->loop[i] >= 0) count *= (double)x->pool->variable[x->loop[i]].size;
    return count;
}

/* Writes "a && b" of nested conditions; returns the term inside of them. */
static rv_term write_conditions(rv_c_expression *x, rv_writer *w, rv_term id)
{
    for (bool first = true; x->pool->term[id].kind == RV_TERM_WITHIN; first = false) {
        const rv_term_node *term = &x->pool->term[id];
        int64_t low = 0, high = 0;
        bool known = rv_index_range(x->pool, &term->index, &low, &high);
        if (!first) rv_write(w, " && ");
        if (!term->size) {
            write_index(x, w, &term->index);
            rv_write(w, " == 0");
        }
        if (term->size && (!known || low < 0)) {
            write_index(x, w, &term->index);
            rv_write(w, " >= 0%s", !known || high >= term->size ? " && " : "");
        }
        if (term->size && (!known || high >= term->size)) {
            write_index(x, w, &term->index);
            rv_write(w, " < %lld", (long long)term->size);
        }
        id = term->of[0];
    }
    return id;
}

/* ---- terms ---- */

/* A term that needs loops is computed into a local variable before the expression that uses it. */
typedef struct text {
    int level; /* 0 an atom, 1 a sign, 2 a product, 3 a sum, 4 a comparison, 5 a choice */
    rv_writer w;
} text;

static text of_term(rv_c_expression *x, rv_term id);

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

/* The operand that stands alone at a position of an op's value: 0 for x, 1 for y, 2 for z, or
 * -1. */
static int operand_at(const char *value, const char *at)
{
    bool alone = (at == value || !is_letter(at[-1])) && !is_letter(at[1]);
    return alone && *at >= 'x' && *at <= 'z' ? *at - 'x' : -1;
}

static int count_operand(const char *value, int k)
{
    int count = 0;
    for (const char *at = value; *at; at++) count += operand_at(value, at) == k;
    return count;
}

/* The level of an op's value, by its loosest operator outside of brackets. */
static int level_of(const char *value)
{
    int level = 0, depth = 0;
    for (const char *at = value; *at; at++) {
        int here = *at == '?'                                                           ? 5
                   : *at == '<' || *at == '>' || *at == '=' || *at == '!' || *at == '|' ? 4
                   : *at == '+' || *at == '-' ? (at == value ? 1 : 3)
                   : *at == '*' || *at == '/' ? 2
                                              : 0;
        depth += (*at == '(') - (*at == ')');
        if (!depth && here > level) level = here;
    }
    return level;
}

static char neighbour(const char *value, const char *at, int step)
{
    do at += step;
    while (at >= value && *at == ' ');
    return at < value ? '\0' : *at;
}

/* The loosest level that an operand may have there without brackets. */
static int level_at(const char *value, const char *at)
{
    char before = neighbour(value, at, -1), after = neighbour(value, at, 1);
    bool free = (before == '(' || before == ',' || before == '\0') &&
                (after == ')' || after == ',' || after == '\0');
    if (free) return 5;
    if (before == '/' || before == '%') return 0;
    if (before == '*' || after == '*' || after == '/') return before == '*' ? 1 : 2;
    if (before == '-') return 1;
    if (before == '+' || after == '+' || after == '-') return 3;
    return 3;
}

static text atom(const char *name)
{
    text t = {.level = 0};
    rv_write(&t.w, "%s", name);
    return t;
}

/* Makes an atom of a text: a local variable. */
static text hoist(rv_c_expression *x, text t)
{
    char name[24];
    snprintf(name, sizeof name, "a%d", ++x->locals);
    indent(x);
    rv_write(x->out, "const real %s = %s;\n", name, t.w.at ? t.w.at : "");
    x->failed = x->failed || t.w.failed;
    rv_free(t.w.at);
    return atom(name);
}

static text of_apply(rv_c_expression *x, const rv_term_node term)
{
    text in[3] = {{0}}, out = {.level = level_of(term.value)};
    for (int k = 0; k < term.count; k++) {
        in[k] = of_term(x, term.of[k]);
        if (in[k].level && count_operand(term.value, k) > 1) in[k] = hoist(x, in[k]);
    }
    static const char nan_test[] = " || y != y";
    bool number = term.count > 1 && x->pool->term[term.of[1]].kind == RV_TERM_NUMBER;
    for (const char *at = term.value; *at; at++) {
        if (number && !strncmp(at, nan_test, sizeof nan_test - 1)) at += sizeof nan_test - 1;
        int k = operand_at(term.value, at);
        if (k < 0) { /* pointwise.def is formatted as code in which x may be a type: x *y */
            rv_write(&out.w, *at == '*' && at[1] != ' ' ? "* " : "%c", *at);
            continue;
        }
        bool brackets = in[k].level > level_at(term.value, at);
        rv_write(&out.w, brackets ? "(%s)" : "%s", in[k].w.at ? in[k].w.at : "");
    }
    x->operations += rounds(x) * (level_of(term.value) == 2 || level_of(term.value) == 3);
    for (int k = 0; k < term.count; k++) {
        out.w.failed = out.w.failed || in[k].w.failed;
        rv_free(in[k].w.at);
    }
    return out;
}

/* ---- sums in lanes ---- */

/* Whether a term reads elements one after the other, or the same ones, as the variable of a loop
 * grows. */
static bool is_contiguous(const rv_c_expression *x, rv_term id, int32_t variable)
{
    const rv_term_node *term = &x->pool->term[id];
    bool all =
        term->kind == RV_TERM_NUMBER || term->kind == RV_TERM_APPLY || term->kind == RV_TERM_READ;
    for (int k = 0; all && k < term->count && term->kind == RV_TERM_APPLY; k++)
        all = is_contiguous(x, term->of[k], variable);
    for (int t = 0; all && term->kind == RV_TERM_READ && t < term->index.terms; t++) {
        bool same = term->index.variable[t] == variable;
        all = x->pool->variable[term->index.variable[t]].kind == RV_VARIABLE_LOOP &&
              (!same || term->index.factor[t] == 1);
    }
    return all;
}

/* The number of lanes for a loop over the variable around that term: a power of 2 that divides its
 * size; 1: none. */
static int lanes_of(const rv_c_expression *x, rv_term body, int32_t variable)
{
    int64_t size = x->pool->variable[variable].size;
    if (!is_contiguous(x, body, variable)) return 1;
    return size % 8 == 0 ? 8 : size % 4 == 0 ? 4 : 1;
}

/* What a sum adds up, and the variable of its innermost loop. */
static rv_term body_of(const rv_c_expression *x, rv_term sum, int32_t *innermost)
{
    for (; x->pool->term[sum].kind == RV_TERM_SUM; sum = x->pool->term[sum].of[0])
        *innermost = x->pool->term[sum].loop;
    return sum;
}

/* Declares the parts of a sum and adds to them, in the loops of the sum and one over lanes. */
static void write_parts(rv_c_expression *x, rv_term sum, const char *part)
{
    int loops = 1;
    indent(x);
    rv_write(x->out, "real %s[LANES(%d)] = {0};\n", part, x->lanes);
    for (; x->pool->term[sum].kind == RV_TERM_SUM; sum = x->pool->term[sum].of[0], loops++)
        open_loop(x, x->pool->term[sum].loop);
    open_loop(x, LANE);
    text value = of_term(x, sum);
    indent(x);
    rv_write(x->out, "%s[%s] += %s;\n", part, letter(x, LANE), value.w.at ? value.w.at : "");
    x->operations += rounds(x);
    x->failed = x->failed || value.w.failed;
    rv_free(value.w.at);
    while (loops--) close_block(x);
}

static void name_part(rv_c_expression *x, char name[24], const char *stem)
{
    snprintf(name, 24, x->locals > 1 ? "%s%d" : "%s", stem, x->locals);
}

/* A sum with lanes along its innermost loop. */
static text of_sum_in_lanes(rv_c_expression *x, rv_term id, int32_t innermost, int lanes)
{
    char part[24], name[24];
    x->locals++;
    name_part(x, part, "part");
    name_part(x, name, "sum");
    x->wide = innermost;
    x->lanes = lanes;
    write_parts(x, id, part);
    x->wide = -1;
    indent(x);
    rv_write(x->out, "const real %s = total(%s, LANES(%d));\n", name, part, lanes);
    return atom(name);
}

void rv_c_assign_sum(rv_c_expression *x, const rv_index *at, int rank, rv_term value,
                     const char *array, const rv_index *flat, bool add)
{
    char part[24];
    int32_t innermost = -1;
    int last = rank - 1, lanes = 1;
    while (last >= 0 && !at[last].terms) last--;
    rv_term body = body_of(x, value, &innermost);
    if (last >= 0 && innermost >= 0 && rv_c_factor_of(flat, at[last].variable[0]) == 1)
        lanes = lanes_of(x, body, at[last].variable[0]);
    if (lanes == 1) {
        rv_c_open_loops(x, at, rank);
        rv_c_assign(x, value, NULL, array, flat, add);
        rv_c_close_loops(x);
        return;
    }
    x->wide = at[last].variable[0];
    x->lanes = lanes;
    x->locals++;
    name_part(x, part, "part");
    rv_c_open_loops(x, at, rank);
    write_parts(x, value, part);
    open_loop(x, LANE);
    indent(x);
    rv_write(x->out, "%s[", array);
    write_index(x, x->out, flat);
    rv_write(x->out, "] %s %s[%s];\n", add ? "+=" : "=", part, letter(x, LANE));
    x->wide = -1;
    rv_c_close_loops(x);
}

/* The sum or maximum as loops that end in a local variable. */
static text of_reduction(rv_c_expression *x, rv_term id)
{
    rv_term_kind kind = x->pool->term[id].kind;
    char name[24];
    int32_t innermost = -1;
    rv_term body = body_of(x, id, &innermost);
    int lanes = kind == RV_TERM_SUM && x->wide < 0 ? lanes_of(x, body, innermost) : 1;
    if (lanes > 1) return of_sum_in_lanes(x, id, innermost, lanes);
    int number = ++x->locals, loops = 0;
    snprintf(name, sizeof name, number > 1 ? "%s%d" : "%s", kind == RV_TERM_SUM ? "sum" : "most",
             number);
    indent(x);
    rv_write(x->out, "real %s = %s;\n", name, kind == RV_TERM_SUM ? "0" : "-INFINITY");
    for (; x->pool->term[id].kind == kind; id = x->pool->term[id].of[0], loops++)
        open_loop(x, x->pool->term[id].loop);
    bool guarded = x->pool->term[id].kind == RV_TERM_WITHIN && kind == RV_TERM_SUM;
    if (guarded) {
        indent(x);
        rv_write(x->out, "if (");
        id = write_conditions(x, x->out, id);
        rv_write(x->out, ")");
        enter(x, -1);
        open_block(x);
    }
    text value = of_term(x, id);
    const char *shown = value.w.at ? value.w.at : "";
    indent(x);
    if (kind == RV_TERM_SUM)
        rv_write(x->out, "%s += %s;\n", name, shown);
    else
        rv_write(x->out, "%s = MAX(%s, %s);\n", name, name, shown);
    if (guarded) close_block(x);
    x->operations += rounds(x);
    x->failed = x->failed || value.w.failed;
    rv_free(value.w.at);
    while (loops--) close_block(x);
    return atom(name);
}

static text of_condition(rv_c_expression *x, rv_term id)
{
    text out = {.level = 5};
    rv_writer conditions = {0};
    rv_term inside = write_conditions(x, &conditions, id);
    text value = of_term(x, inside);
    rv_write(&out.w, value.level < 5 ? "%s ? %s : 0" : "%s ? (%s) : 0",
             conditions.at ? conditions.at : "", value.w.at ? value.w.at : "");
    out.w.failed = out.w.failed || conditions.failed || value.w.failed;
    rv_free(conditions.at);
    rv_free(value.w.at);
    return out;
}

/* The shortest text of a number; of one that is a float, the shortest that reads back as that
 * float. */
static const char *digits_of(double number, char digits[RV_NUMBER_TEXT])
{
    bool is_float = (float)number == number;
    for (int count = 1; is_float && count < 10; count++) {
        rv_text t = {digits, digits + RV_NUMBER_TEXT};
        rv_put(&t, "%.*g", count, number);
        if ((float)rv_number(digits, NULL) == (float)number) return digits;
    }
    return rv_number_text(number, digits);
}

static text of_number(double number)
{
    char digits[RV_NUMBER_TEXT];
    text out = {.level = number < 0 ? 1 : 0};
    if (isnan(number))
        rv_write(&out.w, "NAN");
    else if (isinf(number))
        rv_write(&out.w, number < 0 ? "-INFINITY" : "INFINITY");
    else if (number == floor(number) && fabs(number) < 1e9)
        rv_write(&out.w, "%s", rv_number_text(number, digits));
    else
        rv_write(&out.w, "(real)%s", digits_of(number, digits));
    return out;
}

static text of_term(rv_c_expression *x, rv_term id)
{
    const rv_term_node term = x->pool->term[id];
    text out = {.level = 0};
    char array[RV_C_ARRAY];
    const char *name = term.kind == RV_TERM_READ ? x->local(x->context, term.stored) : NULL;
    switch (term.kind) {
    case RV_TERM_NUMBER: return of_number(term.number);
    case RV_TERM_APPLY: return of_apply(x, term);
    case RV_TERM_SUM:
    case RV_TERM_MAX: return of_reduction(x, id);
    case RV_TERM_WITHIN: return of_condition(x, id);
    default:
        if (name) return atom(name);
        rv_write(&out.w, "%s[", x->array(x->context, term.stored, array));
        write_index(x, &out.w, &term.index);
        rv_write(&out.w, "]");
        return out;
    }
}

static void write_term(rv_c_expression *x, rv_writer *w, rv_term id)
{
    text t = of_term(x, id);
    rv_write(w, "%s", t.w.at ? t.w.at : "");
    w->failed = w->failed || t.w.failed;
    rv_free(t.w.at);
}

void rv_c_store(rv_c_expression *x, const char *name, const char *array, const rv_index *flat,
                bool add)
{
    indent(x);
    rv_write(x->out, "%s[", array);
    write_index(x, x->out, flat);
    rv_write(x->out, "] %s %s;\n", add ? "+=" : "=", name);
    x->operations += add ? rounds(x) : 0;
}

void rv_c_assign(rv_c_expression *x, rv_term value, const char *name, const char *array,
                 const rv_index *flat, bool add)
{
    text t = of_term(x, value);
    const char *shown = t.w.at ? t.w.at : "";
    if (name) {
        indent(x);
        rv_write(x->out, "const real %s = %s;\n", name, shown);
    }
    if (array) rv_c_store(x, name ? name : shown, array, flat, add);
    x->failed = x->failed || t.w.failed;
    rv_free(t.w.at);
}
