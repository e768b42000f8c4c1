/* Finds symbols by name. */
#include "lang/resolve/symbols.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"

bool rv_lang_misnamed(const lang_resolver *r, lang_location location, const char *format, ...)
{
    char text[LANG_MESSAGE];
    va_list list;
    va_start(list, format);
    rv_format(text, sizeof text, format, list);
    va_end(list);
    r->block->wrong = true;
    return rv_lang_add_problem(r->scope->report, location, RV_ERROR_NAME, "%-s", text);
}

bool rv_lang_is_full(lang_resolver *r)
{
    if (r->block->symbols < LANG_MOST_NAMES && r->scope->symbols < LANG_MOST_SYMBOLS) return false;
    r->block->wrong = true;
    rv_lang_add_problem(
        r->scope->report, r->block->node->location, RV_ERROR_NAME,
        "more than %d name(s) in one body, or %d in all; use functions and more files",
        LANG_MOST_NAMES, LANG_MOST_SYMBOLS);
    return true;
}

int rv_lang_add_symbol(lang_resolver *r, const char *name, lang_symbol_kind kind,
                       const lang_node *made)
{
    lang_block *b = r->block;
    if (rv_lang_is_full(r)) return -1;
    r->scope->symbols++;
    if (!rv_reserve(&b->symbol, &b->capacity, (size_t)b->symbols + 1, sizeof *b->symbol) ||
        !rv_name_table_reserve(&b->names, (size_t)b->symbols + 1)) {
        rv_lang_out_of_memory(r->scope->report);
        return -1;
    }
    b->symbol[b->symbols] = (lang_symbol){.name = name,
                                          .kind = kind,
                                          .definition = made,
                                          .target = -1,
                                          .time = -1,
                                          .next = -1,
                                          .line = -1,
                                          .cotangent = -1,
                                          .same = rv_lang_latest(b, name)};
    rv_name_table_add(&b->names, name, (size_t)b->symbols);
    return b->symbols++;
}

/* Whether rv_lang_find_symbol skips the symbol. */
static bool found_otherwise(const lang_symbol *s)
{
    return s->kind == SYMBOL_NEXT || s->kind == SYMBOL_TRACE || s->kind == SYMBOL_WEIGHT ||
           (s->kind == SYMBOL_COTANGENT && !s->definition);
}

static int find(const lang_block *b, const char *name, bool series, bool single)
{
    int i = rv_lang_latest(b, name);
    while (i >= 0 && (found_otherwise(&b->symbol[i]) ||
                      !(b->symbol[i].kind == SYMBOL_SERIES ? series : single)))
        i = b->symbol[i].same;
    return i;
}

int rv_lang_find_symbol(const lang_block *b, const char *name) { return find(b, name, true, true); }
int rv_lang_find_single(const lang_block *b, const char *name)
{
    return find(b, name, false, true);
}

int rv_lang_find_series(const lang_block *b, const char *name)
{
    return find(b, name, true, false);
}

int rv_lang_find_right(const lang_block *b, const char *name)
{
    int i = rv_lang_find_symbol(b, name);
    return i >= 0 && b->symbol[i].kind == SYMBOL_BROKEN ? -1 : i;
}

void rv_lang_silence(lang_resolver *r, const char *name)
{
    r->block->wrong = true;
    if (rv_lang_find_symbol(r->block, name) < 0) rv_lang_add_symbol(r, name, SYMBOL_BROKEN, NULL);
}

bool rv_lang_is_traced(const lang_symbol *s)
{
    return s->kind == SYMBOL_VALUE || s->kind == SYMBOL_STATE;
}

bool rv_lang_is_cell_weight(const lang_symbol *s)
{
    return s->kind == SYMBOL_PARAMETER || s->kind == SYMBOL_MAP || s->kind == SYMBOL_FIT ||
           s->kind == SYMBOL_BIAS || s->kind == SYMBOL_GAIN;
}

bool rv_lang_is_series(const lang_block *b, int symbol)
{
    return symbol >= 0 &&
           (b->symbol[symbol].kind == SYMBOL_SERIES || b->symbol[symbol].kind == SYMBOL_TRACE);
}

static const char *kept(const lang_resolver *r, const char *name)
{
    const char *copy = rv_lang_copy(r->scope->arena, name, strlen(name));
    if (!copy) rv_lang_out_of_memory(r->scope->report);
    return copy ? copy : "";
}

/* ---- names inside unrolls ---- */

/* The cell's symbol of that name, if it is of this kind, or -1. */
static int find_in_cell(const lang_block *cell, const char *name, lang_symbol_kind kind)
{
    int inner = rv_lang_find_symbol(cell, name);
    bool fits = inner >= 0 && (kind == SYMBOL_TRACE ? rv_lang_is_traced
                                                    : rv_lang_is_cell_weight)(&cell->symbol[inner]);
    return fits ? inner : -1;
}

/* The unroll that defines a symbol, or -1. */
static int unroll_of(const lang_block *b, int symbol)
{
    const lang_node *s = symbol >= 0 ? b->symbol[symbol].definition : NULL;
    int u = s && s->kind == LANG_DEFINE && s->value->kind == LANG_UNROLL ? s->value->symbol : -1;
    bool own = u >= 0 && u < b->unrolls && b->unroll[u]->value == s->value;
    return own && rv_lang_unrolled(b, u) ? u : -1;
}

/* What a name means inside unrolls: the first two. */
typedef struct insides {
    int count, unroll[2], inner[2];
} insides;

static void add_inside(insides *found, int unroll, int inner)
{
    if (found->count == 2 || unroll < 0 || inner < 0) return;
    found->unroll[found->count] = unroll;
    found->inner[found->count++] = inner;
}

/* What a name means inside unrolls, one left out. The name is the cell's, as g, or has the unroll's
 * in front: a_g. */
static insides find_insides(const lang_block *b, const char *name, lang_symbol_kind kind, int but)
{
    insides found = {0};
    char result[LANG_INSIDE_NAME];
    for (int c = 0; c < b->cells; c++) {
        int inner = find_in_cell(b->cell[c].cell, name, kind);
        for (int k = 0; k < 2; k++)
            if (b->cell[c].unroll[k] != but) add_inside(&found, b->cell[c].unroll[k], inner);
    }
    for (const char *bar = strchr(name, '_'); bar; bar = strchr(bar + 1, '_')) {
        snprintf(result, sizeof result, "%.*s", (int)(bar - name), name);
        int u = unroll_of(b, rv_lang_find_single(b, result));
        const lang_block *cell = u >= 0 && u != but ? rv_lang_unrolled(b, u) : NULL;
        if (cell && find_in_cell(cell, name, kind) < 0)
            add_inside(&found, u, find_in_cell(cell, bar + 1, kind));
    }
    return found;
}

/* The state of the cell, if it is called as the unroll's result that it is, as in h, c = unroll
 * lstm(x): then c[t] is the state after step t. Otherwise -1. */
static int state_of_result(const lang_block *b, int unroll, const char *name)
{
    const lang_block *cell = rv_lang_unrolled(b, unroll);
    int s = 0;
    for (const lang_node *t = b->unroll[unroll]->target; cell && t && s < cell->states;
         t = t->next, s++)
        if (t->kind == LANG_NAME && !strcmp(t->name, name) &&
            !strcmp(name, cell->symbol[cell->state[s]].name))
            return cell->state[s];
    return -1;
}

/* The name with the unroll's in front. */
static const char *long_name(const lang_block *b, int unroll, int inner,
                             char text[LANG_INSIDE_NAME])
{
    snprintf(text, LANG_INSIDE_NAME, "%.*s_%.*s", LANG_MOST_NAME, b->unroll[unroll]->target->name,
             LANG_MOST_NAME, rv_lang_unrolled(b, unroll)->symbol[inner].name);
    return text;
}

const char *rv_lang_inside_name(const lang_block *b, int unroll, int inner,
                                char text[LANG_INSIDE_NAME])
{
    const lang_symbol *s = &rv_lang_unrolled(b, unroll)->symbol[inner];
    lang_symbol_kind kind = rv_lang_is_traced(s) ? SYMBOL_TRACE : SYMBOL_WEIGHT;
    if (state_of_result(b, unroll, s->name) == inner ||
        (rv_lang_find_symbol(b, s->name) < 0 && !find_insides(b, s->name, kind, unroll).count))
        return s->name;
    return long_name(b, unroll, inner, text);
}

int rv_lang_enter(lang_resolver *r, int unroll, int inner, lang_symbol_kind kind)
{
    char text[LANG_INSIDE_NAME];
    const lang_block *b = r->block, *cell = rv_lang_unrolled(b, unroll);
    if (kind == SYMBOL_TRACE) b->unroll[unroll]->value->entered = true;
    const char *names[2] = {cell->symbol[inner].name, long_name(b, unroll, inner, text)};
    for (int k = 0; k < 2; k++) /* it was entered under one of them */
        for (int i = rv_lang_latest(b, names[k]); i >= 0; i = b->symbol[i].same)
            if (b->symbol[i].kind == kind && b->symbol[i].unroll == unroll &&
                b->symbol[i].inner == inner)
                return i;
    int i = rv_lang_add_symbol(r, kept(r, rv_lang_inside_name(b, unroll, inner, text)), kind,
                               cell->symbol[inner].definition);
    if (i < 0) return -1;
    b->symbol[i].cell = cell;
    b->symbol[i].inner = inner;
    b->symbol[i].unroll = unroll;
    return i;
}

/* The symbol of a value (SYMBOL_TRACE) or a parameter (SYMBOL_WEIGHT) inside an unroll, or -1. */
static int find_inside(lang_resolver *r, const char *name, lang_symbol_kind kind)
{
    const lang_block *b = r->block;
    insides found = find_insides(b, name, kind, -1);
    r->unclear = NULL;
    if (!found.count) return -1;
    if (found.count > 1) {
        r->unclear = rv_lang_unrolled(b, found.unroll[1])->symbol[found.inner[1]].name;
        for (int k = 0; k < 2; k++) r->inside[k] = b->unroll[found.unroll[k]];
    }
    return rv_lang_enter(r, found.unroll[0], found.inner[0], kind);
}

bool rv_lang_is_clear(const lang_resolver *r, lang_location location)
{
    if (!r->unclear) return true;
    const char *a = r->inside[0]->target->name, *b = r->inside[1]->target->name;
    rv_lang_misnamed(r, location, "\"%s\" is inside the unrolls \"%s\" and \"%s\"", r->unclear, a,
                     b);
    rv_lang_add_hint(r->scope->report, "write %s_%s or %s_%s", a, r->unclear, b, r->unclear);
    return false;
}

/* ---- all names ---- */

/* Splits a name like C2 into its prefix and its time step. False for other names. */
static bool split_digits(const char *name, char prefix[LANG_MOST_NAME + 1], int *time)
{
    size_t length = strlen(name), digits = length;
    while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9') digits--;
    if (!digits || digits == length || length - digits > 6 || length > LANG_MOST_NAME) return false;
    memcpy(prefix, name, digits);
    prefix[digits] = '\0';
    *time = atoi(name + digits);
    return true;
}

static int find_value(lang_resolver *r, const char *name, lang_form form, int *time);

/* The series C of a name like C2, or -1. Sets *time to the time step. */
static int find_at_time(lang_resolver *r, const char *name, int *time)
{
    char prefix[LANG_MOST_NAME + 1];
    int none, symbol = split_digits(name, prefix, time)
                           ? find_value(r, kept(r, prefix), FORM_AT_TIME, &none)
                           : -1;
    if (rv_lang_is_series(r->block, symbol)) return symbol;
    *time = -1;
    return -1;
}

/* The symbol of a name that is not a cotangent, or -1. Sets *time to the time step in a name like
 * C2, otherwise to -1. */
static int find_value(lang_resolver *r, const char *name, lang_form form, int *time)
{
    const lang_block *b = r->block;
    int single = rv_lang_find_single(b, name), series = find(b, name, true, false);
    *time = -1;
    r->unclear = NULL;
    if (form == FORM_AT_TIME && series >= 0) return series;
    int u = form == FORM_AT_TIME ? unroll_of(b, single) : -1;
    int state = u >= 0 ? state_of_result(b, u, name) : -1;
    if (state >= 0) return rv_lang_enter(r, u, state, SYMBOL_TRACE);
    if (single >= 0) return single;
    if (form == FORM_SLICED && series >= 0) return series;
    int inside = find_inside(r, name, form == FORM_ALONE ? SYMBOL_WEIGHT : SYMBOL_TRACE);
    return inside >= 0 ? inside : find_at_time(r, name, time);
}

int rv_lang_add_cotangent(lang_resolver *r, const char *name, int target, int time,
                          const lang_node *made)
{
    int i = rv_lang_add_symbol(r, name, SYMBOL_COTANGENT, made);
    if (i < 0) return -1;
    lang_symbol *symbol = r->block->symbol;
    symbol[i].target = target;
    symbol[i].time = time;
    if (time < 0 && symbol[target].cotangent < 0) symbol[target].cotangent = i;
    return i;
}

bool rv_lang_has_cotangent(const lang_symbol *s)
{
    return s->kind == SYMBOL_VALUE || s->kind == SYMBOL_SERIES || s->kind == SYMBOL_TRACE ||
           s->kind == SYMBOL_WEIGHT || s->kind == SYMBOL_INPUT || s->kind == SYMBOL_PARAMETER ||
           s->kind == SYMBOL_CONSTANT;
}

int rv_lang_find_cotangent(lang_resolver *r, const char *name, lang_form form, int *time)
{
    if (r->block->node->kind != LANG_DERIVE || name[0] != 'd' || !name[1]) return -1;
    int target = find_value(r, name + 1, form, time);
    if (target < 0 || !rv_lang_has_cotangent(&r->block->symbol[target])) return -1;
    int known = r->block->symbol[target].cotangent;
    return known >= 0 ? known : rv_lang_add_cotangent(r, name, target, -1, NULL);
}

lang_form rv_lang_form(const lang_node *i)
{
    bool one = i && !i->next && i->kind != LANG_RANGE && i->kind != LANG_HOLE;
    return one ? FORM_AT_TIME : FORM_SLICED;
}

bool rv_lang_look_up(lang_resolver *r, lang_node *e, lang_form form)
{
    r->unclear = NULL;
    e->symbol = find_value(r, e->name, form, &e->time);
    if (e->symbol < 0) e->symbol = rv_lang_find_cotangent(r, e->name, form, &e->time);
    if (e->symbol >= 0) return rv_lang_is_clear(r, e->location);
    if (form == FORM_ALONE) { /* a series without its index */
        e->symbol = find_value(r, e->name, FORM_AT_TIME, &e->time);
        if (e->symbol < 0) e->symbol = rv_lang_find_cotangent(r, e->name, FORM_AT_TIME, &e->time);
        if (e->symbol >= 0) {
            rv_lang_misnamed(r, e->location, "\"%s\" has a value for each time step", e->name);
            rv_lang_add_hint(r->scope->report, "say which: %s[1]", e->name);
        }
    }
    return false;
}

bool rv_lang_redefined(lang_resolver *r, const lang_node *at, int first)
{
    const lang_symbol *s = &r->block->symbol[first];
    r->block->wrong = true;
    rv_lang_add_problem(r->scope->report, at->sign, RV_ERROR_NAME, "\"%s\" is already defined",
                        s->name);
    if (s->definition)
        rv_lang_add_hint(r->scope->report, "see line %d", rv_lang_line(s->definition->location));
    else
        rv_lang_add_hint(r->scope->report, "it is built in; use another name");
    return false;
}
