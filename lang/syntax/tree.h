/* What a text says: a tree. */
#ifndef RV_LANG_SYNTAX_TREE_H
#define RV_LANG_SYNTAX_TREE_H

#include "lang/syntax/source.h"

enum {
    LANG_MOST_NAME = 63,        /* bytes of a name */
    LANG_DEEPEST = 250,         /* of brackets and operators in each other */
    LANG_MOST_ALIASES = 100,    /* of cells that stand for each other */
    LANG_MOST_SYMBOLS = 500000, /* names in all bodies together */
    LANG_MOST_NAMES = 5000      /* in one function, cell or model, and of these in one text */
};

typedef enum lang_kind {
    /* expressions */
    LANG_NUMBER, /* number */
    LANG_TEXT,   /* name: without the quotes */
    LANG_NAME,   /* name */
    LANG_HOLE,   /* _, a size that follows from use; in an index `:`, all */
    LANG_RANGE,  /* a : b in an index, each may be NULL */
    LANG_LIST,   /* [a, ..] */
    LANG_CALL,   /* name(a, ..); number: 1 for a space before the bracket */
    LANG_OPTION, /* name = a, in a call */
    LANG_SUM,    /* sum(name from a to b: c) */
    LANG_APPLY,  /* name a: a map of a */
    LANG_INDEX,  /* a [b, ..] */
    LANG_PRIME,  /* a' */
    LANG_NEGATE, /* -a */
    LANG_ADD,    /* a + b, and so on */
    LANG_SUBTRACT,
    LANG_MULTIPLY,
    LANG_DIVIDE,
    LANG_MATMUL,
    LANG_POWER,
    LANG_UNROLL, /* a: the call of a cell; b: how many steps, NULL for a sequence */
    /* statements */
    LANG_DECLARE, /* name: the keyword; a: LANG_DECLARED, .. */
    LANG_DECLARED, /* name; a: LANG_LIST of sizes or NULL; b: initial value or NULL; number: 1 for ~ */
    LANG_DEFINE, /* a: NAME, PRIME or INDEX; b: its value; c: what it is the cotangent of, or NULL;
                      number: 1 for let */
    LANG_RETURN, /* a */
    LANG_BROKEN, /* a line with a mistake of syntax. a: the names that it defines; c: body of a loop */
    LANG_FOR,    /* name from a to b; number: -1 for down; c: body */
    /* of a file */
    LANG_INCLUDE, /* name: the path */
    LANG_FUNCTION, /* name; a: LANG_NAME, .. the arguments; b: the value of a one-liner, else c: body */
    LANG_CELL, /* name; a: LANG_NAME of the input or NULL; c: body; or b: the CALL that it stands for */
    LANG_MODEL, /* name; a: LANG_OPTION, .. the sizes; c: body */
    LANG_DERIVE /* a: NAME of the loss; b: NAME of the model or NULL; name: title or NULL; c: body */
} lang_kind;

typedef struct lang_node lang_node;
struct lang_node {
    lang_kind kind;
    lang_location location; /* of an operation: all of it; of what has a body: its first line */
    lang_location sign;     /* of a name: itself; of an operation: its sign */
    const char *name;
    double number;
    bool broken; /* of what has a body: its first line has a mistake of syntax */
    lang_node *a, *b, *c;
    lang_node *next; /* in a list */

    /* What the names stand for, by rv_lang_resolve: */
    int symbol;                     /* of a name, -1: none */
    int time;                       /* of a name like C2 that stands for C[2]; -1: none */
    const struct rv_op *op;         /* of a call: the op, or */
    const struct lang_block *block; /* the function or the cell */
};

#endif
