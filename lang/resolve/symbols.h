/* Names that are being resolved: finding them, and entering new ones. */
#ifndef RV_LANG_RESOLVE_SYMBOLS_H
#define RV_LANG_RESOLVE_SYMBOLS_H

#include "lang/resolve/scope.h"

/* The body that is gone through. */
typedef struct lang_resolver {
    lang_scope *scope;
    lang_block *block;
    const lang_block **unrolled; /* the cells of the model's unrolls */
    bool sizes;                  /* these are looked up now */
    int loops;                   /* that this place is in */
} lang_resolver;

/* Reports what is wrong with a name. Always false. */
bool rv_lang_misnamed(const lang_resolver *r, lang_location location, const char *format, ...)
    RV_PRINTF(3, 4);
/* Tells that the name of `at` is there already, as that symbol. Always false. */
bool rv_lang_second(lang_resolver *r, const lang_node *at, int first);

/* Whether there is no room for another name, which is told. */
bool rv_lang_is_full(lang_resolver *r);
/* Enters a name; its symbol, -1 and told: it cannot be had. */
int rv_lang_add_symbol(lang_resolver *r, const char *name, lang_symbol_kind kind,
                       const lang_node *made);
/* From here on nothing more is told about a name. */
void rv_lang_keep_quiet(lang_resolver *r, const char *name);

/* The latest symbol of that name, -1: none. A next value is h', and dC has a meaning by its target's name. */
int rv_lang_find_symbol(const lang_block *b, const char *name);
/* The same, unless it is there only because of a mistake. */
int rv_lang_find_right(const lang_block *b, const char *name);
/* The series that C in C[2] or C2 stands for, -1: none. */
int rv_lang_find_series(lang_resolver *r, const char *name);
/* A value (SYMBOL_TRACE) or a parameter (SYMBOL_WEIGHT) inside a cell that the model has unrolled, -1: none. */
int rv_lang_find_inside(lang_resolver *r, const char *name, lang_symbol_kind kind);
/* dX, the cotangent of X; *time its time step if the name has one. -1: none. */
int rv_lang_find_cotangent(lang_resolver *r, const char *name, bool series, int *time);
/* Sets what a name in an expression stands for; `series` if an index follows. False: nothing. */
bool rv_lang_look_up(lang_resolver *r, lang_node *e, bool series);

bool rv_lang_is_series(const lang_block *b, int symbol);
bool rv_lang_is_traced(const lang_symbol *s);
bool rv_lang_is_cell_weight(const lang_symbol *s);
bool rv_lang_has_cotangent(const lang_symbol *s);

#endif
