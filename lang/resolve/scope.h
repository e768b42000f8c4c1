/* The definitions of a text: blocks, and the names in them. */
#ifndef RV_LANG_RESOLVE_SCOPE_H
#define RV_LANG_RESOLVE_SCOPE_H

#include "lang/syntax/arena.h"
#include "lang/syntax/report.h"
#include "lang/syntax/tree.h"
#include "models/rnn.h"
#include "tensor/name_table_internal.h"

typedef enum lang_symbol_kind {
    SYMBOL_VALUE,     /* defined by an equation, or an argument */
    SYMBOL_SERIES,    /* one value for each time step: h[t] = .. */
    SYMBOL_TRACE,     /* a value inside the unrolled cell `cell`: there symbol `inner` */
    SYMBOL_WEIGHT,    /* a parameter of the unrolled cell `cell` */
    SYMBOL_COTANGENT, /* in a derivation: of the symbol `target` */
    SYMBOL_SIZE,      /* a whole number */
    SYMBOL_INPUT,     /* of a model or a cell */
    SYMBOL_PARAMETER, /* learned */
    SYMBOL_CONSTANT,  /* drawn once, not learned */
    SYMBOL_STATE,     /* of a cell; `next` is the symbol of its next value */
    SYMBOL_NEXT,
    SYMBOL_MAP,  /* of the cell: W in W x */
    SYMBOL_FIT,  /* a map that is skipped where the size already fits */
    SYMBOL_BIAS, /* added */
    SYMBOL_GAIN, /* multiplied along the units */
    SYMBOL_ACTIVATION,
    SYMBOL_BROKEN /* its definition has a mistake, which has been reported */
} lang_symbol_kind;

typedef struct lang_block lang_block;

typedef struct lang_symbol {
    const char *name;
    lang_symbol_kind kind;
    const lang_node *definition; /* the declaration or definition; NULL: built in */
    const lang_block *cell;
    int inner, unroll; /* SYMBOL_TRACE, SYMBOL_WEIGHT; an index into `unroll` of the block */
    int target, time;  /* SYMBOL_COTANGENT; time -1: target is no series, or an index follows */
    int next;          /* SYMBOL_STATE */
    /* Of what is in a cell inside this one, an index into `unroll`: there it is `inner`; else
     * -1. */
    int line;
    const char *stored; /* a parameter's name in the store; NULL: `name` */
    int cotangent;      /* in a derivation: the symbol of its cotangent, or -1 */
    int same;           /* the symbol before it of the same name, or -1 */
} lang_symbol;

/* A cell that a model unrolls. */
typedef struct lang_unrolled_cell {
    const lang_block *cell;
    int unroll[2]; /* the first ones; -1: none */
} lang_unrolled_cell;

/* A function, cell, model or derivation. */
struct lang_block {
    const lang_node *node;
    const char *name;
    lang_symbol *symbol;
    int symbols;
    size_t capacity;
    rv_name_table names;           /* the latest symbol of each name */
    int arguments;                 /* the first symbols */
    int inputs;                    /* of a cell */
    int input[RV_CELL_INPUTS + 1]; /* symbols */
    int states;
    int state[RV_CELL_STATES]; /* symbols */
    const lang_node **unroll;  /* [unrolls] the lines NAME = unroll .., in a cell NAME = CELL(..) */
    int unrolls;
    lang_unrolled_cell *cell; /* [cells] those unrolled, without aliases */
    int cells;
    int derivations;            /* of a model: how many there are */
    bool unrolled;              /* a cell: a model that is right unrolls it */
    bool for_loss;              /* a model with a loss does */
    bool images;                /* it contains a convolution, so a cell's x must be images */
    bool wrong;                 /* it has mistakes */
    bool broken;                /* it has lines with syntax errors */
    int aliases;                /* of an alias: the length of the chain to its base */
    const lang_block *model;    /* of a derivation: its symbols begin with the model's */
    const lang_block *alias_of; /* of an alias: the cell that it names */
    lang_block *next;
    lang_block *same; /* the block before it of the same name, and another kind */
};

/* The blocks of a file, and the built-in texts that it uses. */
typedef struct lang_scope {
    lang_block *first, *last;
    lang_block *model;   /* the last one */
    rv_name_table names; /* the addresses of the latest blocks but derivations */
    int blocks, symbols; /* how many there are */
    lang_arena *arena;
    lang_report *report;
    const char *above;         /* of a function of the prelude: it can call those above this text */
    struct lang_file *prelude; /* functions of the prelude that were used, a list */
    struct lang_file *cells;   /* built-in texts of cells that were used, a list */
} lang_scope;

/* The function or cell of that name, or NULL: rv_lang_find_own in the file; rv_lang_find also among
 * those built in. */
const lang_block *rv_lang_find_own(const lang_scope *scope, lang_kind kind, const char *name);
const lang_block *rv_lang_find(lang_scope *scope, lang_kind kind, const char *name);

lang_block *rv_lang_find_model(const lang_scope *scope, const char *name); /* of the file */

/* Adds a block to the scope. Returns NULL, and reports it, if there are too many, or when out of
 * memory. */
lang_block *rv_lang_add_block(lang_scope *scope, const lang_node *node, const char *name);
void rv_lang_free_blocks(lang_scope *scope);

/* The cell of an unroll, without aliases. NULL if the unroll names an unknown cell. */
const lang_block *rv_lang_unrolled(const lang_block *block, int unroll);

/* The end of a chain of aliases: the cell with the equations. */
const lang_block *rv_lang_base(const lang_block *cell);
/* The symbol of a value that an equation of the block defines, or -1. */
int rv_lang_find_value(const lang_block *block, const char *name);
/* The latest symbol of a name, of any kind, or -1. Those before it follow by `same`. */
int rv_lang_latest(const lang_block *block, const char *name);
/* Notes in the cells of the scope that this model or cell, if it is right, takes steps of them. */
void rv_lang_note_unrolls(lang_scope *scope, const lang_block *user);

#endif
