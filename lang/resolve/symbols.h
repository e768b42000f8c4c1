/* Finding and adding symbols while names are resolved. */
#ifndef RV_LANG_RESOLVE_SYMBOLS_H
#define RV_LANG_RESOLVE_SYMBOLS_H

#include "lang/resolve/scope.h"

/* The state of resolving one block. */
typedef struct lang_resolver {
    lang_scope *scope;
    lang_block *block;
    const lang_block **unrolled; /* the cells of the model's unrolls */
    bool sizes;                  /* now resolving sizes */
    int loops;                   /* around this line */
} lang_resolver;

/* Reports what is wrong with a name. Always false. */
bool rv_lang_misnamed(const lang_resolver *r, lang_location location, const char *format, ...)
    RV_PRINTF(3, 4);
/* Reports that the name of `at` is already defined, as the symbol `first`. Always false. */
bool rv_lang_redefined(lang_resolver *r, const lang_node *at, int first);

/* Whether there are too many names already, which is reported. */
bool rv_lang_is_full(lang_resolver *r);
/* Adds a symbol. Its index; -1, and reported: too many, or out of memory. */
int rv_lang_add_symbol(lang_resolver *r, const char *name, lang_symbol_kind kind,
                       const lang_node *made);
/* Nothing more is reported about the name from here on. */
void rv_lang_silence(lang_resolver *r, const char *name);

/* The latest symbol of that name, -1: none. A next value is h', and dC has a meaning by its target's name. */
int rv_lang_find_symbol(const lang_block *b, const char *name);
/* The same, but -1 for a name whose definition has a mistake. */
int rv_lang_find_right(const lang_block *b, const char *name);
/* The series of a name, as of C in C[2], -1: none. */
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
