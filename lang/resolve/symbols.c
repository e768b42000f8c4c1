/* Symbols by name. */
#include "lang/resolve/symbols.h"

#include <stdarg.h>
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
    return rv_lang_add_problem(r->scope->report, location, RV_ERROR_NAME, "%s", text);
}

bool rv_lang_is_full(lang_resolver *r)
{
    if (r->block->symbols < LANG_MOST_NAMES && r->scope->symbols < LANG_MOST_SYMBOLS) return false;
    r->block->wrong = true;
    rv_lang_add_problem(
        r->scope->report, r->block->node->location, RV_ERROR_NAME,
        "more than %d names in one body, or %d in all; use functions and more files",
        LANG_MOST_NAMES, LANG_MOST_SYMBOLS);
    return true;
}

int rv_lang_add_symbol(lang_resolver *r, const char *name, lang_symbol_kind kind,
                       const lang_node *made)
{
    lang_block *b = r->block;
    if (rv_lang_is_full(r)) return -1;
    r->scope->symbols++;
    if (!rv_reserve(&b->symbol, &b->capacity, (size_t)b->symbols + 1, sizeof *b->symbol)) {
        rv_lang_out_of_memory(r->scope->report);
        return -1;
    }
    b->symbol[b->symbols] = (lang_symbol){
        .name = name, .kind = kind, .definition = made, .target = -1, .time = -1, .next = -1};
    return b->symbols++;
}

int rv_lang_find_symbol(const lang_block *b, const char *name)
{
    for (int i = b->symbols - 1; i >= 0; i--) {
        const lang_symbol *s = &b->symbol[i];
        bool found_otherwise =
            s->kind == SYMBOL_NEXT || (s->kind == SYMBOL_COTANGENT && !s->definition);
        if (!found_otherwise && !strcmp(s->name, name)) return i;
    }
    return -1;
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

/* The symbol of a name inside that unroll, -1: none yet. */
static int find_entered(const lang_block *b, const char *name, lang_symbol_kind kind, int unroll)
{
    for (int i = b->symbols - 1; i >= 0; i--)
        if (b->symbol[i].kind == kind && b->symbol[i].unroll == unroll &&
            !strcmp(b->symbol[i].name, name))
            return i;
    return -1;
}

/* A value or a parameter inside an unrolled cell: of the last unroll that has the name. */
int rv_lang_find_inside(lang_resolver *r, const char *name, lang_symbol_kind kind)
{
    for (int u = r->block->unrolls - 1; u >= 0; u--) {
        const lang_block *cell = r->unrolled[u];
        int inner = cell ? rv_lang_find_symbol(cell, name) : -1;
        if (inner < 0 || !(kind == SYMBOL_TRACE ? rv_lang_is_traced
                                                : rv_lang_is_cell_weight)(&cell->symbol[inner]))
            continue;
        int known = find_entered(r->block, name, kind, u);
        if (known >= 0) return known;
        int i = rv_lang_add_symbol(r, name, kind, cell->symbol[inner].definition);
        if (i >= 0) {
            r->block->symbol[i].cell = cell;
            r->block->symbol[i].inner = inner;
            r->block->symbol[i].unroll = u;
        }
        return i;
    }
    return -1;
}

bool rv_lang_is_series(const lang_block *b, int symbol)
{
    return symbol >= 0 &&
           (b->symbol[symbol].kind == SYMBOL_SERIES || b->symbol[symbol].kind == SYMBOL_TRACE);
}

/* The series of a name: h may be the last state while h[1] is an earlier one. */
int rv_lang_find_series(lang_resolver *r, const char *name)
{
    for (int i = r->block->symbols - 1; i >= 0; i--)
        if (r->block->symbol[i].kind == SYMBOL_SERIES && !strcmp(r->block->symbol[i].name, name))
            return i;
    return rv_lang_find_inside(r, name, SYMBOL_TRACE);
}

/* The prefix of a name that ends in digits, as in C2; *time gets them. */
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

static const char *kept(const lang_resolver *r, const char *name)
{
    const char *copy = rv_lang_copy(r->scope->arena, name, strlen(name));
    if (!copy) rv_lang_out_of_memory(r->scope->report);
    return copy ? copy : "";
}

/* C2: the series C, and *time its time step. -1: there is none. */
static int find_at_time(lang_resolver *r, const char *name, int *time)
{
    char prefix[LANG_MOST_NAME + 1];
    *time = -1;
    if (!split_digits(name, prefix, time)) return -1;
    int symbol = rv_lang_find_series(r, kept(r, prefix));
    if (symbol < 0) *time = -1;
    return symbol;
}

/* A value or a series of the model by name, *time its time step if the name has one. -1: there is none. */
static int find_quantity(lang_resolver *r, const char *name, bool series, int *time)
{
    *time = -1;
    int symbol = series ? rv_lang_find_series(r, name) : rv_lang_find_symbol(r->block, name);
    if (symbol >= 0 && (series || !rv_lang_is_series(r->block, symbol))) return symbol;
    if (!series) symbol = rv_lang_find_inside(r, name, SYMBOL_WEIGHT);
    if (symbol >= 0) return symbol;
    return series ? -1 : find_at_time(r, name, time);
}

/* The cotangent of a symbol; made on demand. */
static int cotangent_of(lang_resolver *r, int target, const char *name)
{
    for (int i = 0; i < r->block->symbols; i++) {
        const lang_symbol *s = &r->block->symbol[i];
        if (s->kind == SYMBOL_COTANGENT && s->target == target && s->time < 0) return i;
    }
    int i = rv_lang_add_symbol(r, name, SYMBOL_COTANGENT, NULL);
    if (i >= 0) r->block->symbol[i].target = target;
    return i;
}

bool rv_lang_has_cotangent(const lang_symbol *s)
{
    return s->kind == SYMBOL_VALUE || s->kind == SYMBOL_SERIES || s->kind == SYMBOL_TRACE ||
           s->kind == SYMBOL_WEIGHT || s->kind == SYMBOL_INPUT || s->kind == SYMBOL_PARAMETER ||
           s->kind == SYMBOL_CONSTANT;
}

/* dX: the cotangent of X. */
int rv_lang_find_cotangent(lang_resolver *r, const char *name, bool series, int *time)
{
    if (r->block->node->kind != LANG_DERIVE || name[0] != 'd' || !name[1]) return -1;
    int target = find_quantity(r, name + 1, series, time);
    if (target < 0 || !rv_lang_has_cotangent(&r->block->symbol[target])) return -1;
    return cotangent_of(r, target, name);
}

/* The single value with the same name as a series: h beside h[1]. */
static int find_last(const lang_resolver *r, const char *name)
{
    int i = r->block->symbols - 1;
    while (i >= 0 &&
           (rv_lang_is_series(r->block, i) || r->block->symbol[i].kind == SYMBOL_NEXT ||
            (r->block->symbol[i].kind == SYMBOL_COTANGENT && !r->block->symbol[i].definition) ||
            strcmp(r->block->symbol[i].name, name) != 0))
        i--;
    return i;
}

/* Sets what the name stands for; `series` if an index follows. */
bool rv_lang_look_up(lang_resolver *r, lang_node *e, bool series)
{
    bool times = r->block->node->kind == LANG_MODEL || r->block->node->kind == LANG_DERIVE;
    int own = rv_lang_find_symbol(r->block, e->name);
    if (!series && rv_lang_is_series(r->block, own)) own = find_last(r, e->name);
    e->symbol = times && series && (own < 0 || rv_lang_has_cotangent(&r->block->symbol[own]))
                    ? rv_lang_find_series(r, e->name)
                    : -1;
    if (e->symbol < 0 && own >= 0 && r->block->symbol[own].kind != SYMBOL_TRACE) e->symbol = own;
    if (e->symbol < 0 && times) e->symbol = find_quantity(r, e->name, series, &e->time);
    if (e->symbol < 0) e->symbol = rv_lang_find_cotangent(r, e->name, series, &e->time);
    if (e->symbol < 0 && times && series) { /* the index is one into C2 or dC2, not a time step */
        e->symbol = find_at_time(r, e->name, &e->time);
        if (e->symbol < 0) e->symbol = rv_lang_find_cotangent(r, e->name, false, &e->time);
    }
    if (e->symbol < 0 && times && !series) { /* a series without its index */
        e->symbol = rv_lang_find_series(r, e->name);
        if (e->symbol >= 0) {
            rv_lang_misnamed(r, e->location, "\"%s\" has a value for each time step", e->name);
            rv_lang_add_hint(r->scope->report, "say which: %s[1]", e->name);
            return false;
        }
    }
    return e->symbol >= 0;
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
