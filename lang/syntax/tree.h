/* The syntax tree of a text. */
#ifndef RV_LANG_SYNTAX_TREE_H
#define RV_LANG_SYNTAX_TREE_H

#include "lang/syntax/source.h"

/* Of a function whose frame is not to become a part of its caller's, which calls itself: the stack
 * of a thread may be small. */
#define LANG_APART __attribute__((noinline, unused))

enum {
    LANG_MOST_NAME = 63,        /* bytes of a name */
    LANG_DEEPEST = 200,         /* of nested brackets, operators, loops and calls of functions */
    LANG_MOST_ALIASES = 100,    /* in a chain */
    LANG_MOST_CELLS = 64,       /* different ones unrolled in one model */
    LANG_MOST_DERIVATIONS = 32, /* of one model */
    LANG_MOST_SYMBOLS = 500000, /* names in all bodies together */
    LANG_MOST_NAMES = 5000      /* in one function, cell or model, and of these in one text */
};

typedef enum lang_kind {
    /* expressions */
    LANG_NUMBER, /* number */
    LANG_TEXT,   /* "name" */
    LANG_NAME,   /* name; or name' if it is primed, in a LANG_BROKEN */
    LANG_HOLE,   /* _, a size that follows from the use of a parameter */
    LANG_RANGE,  /* first : end in an index, each may be NULL */
    LANG_LIST,   /* [items] */
    LANG_CALL,   /* name(arguments) */
    LANG_OPTION, /* name = value, in a call */
    LANG_OVER,   /* over(name from .. to ..: term, options): sum, stack or concat */
    LANG_APPLY,  /* name operand: a map of it */
    LANG_INDEX,  /* base[indices] */
    LANG_PRIME,  /* operand' */
    LANG_NEGATE, /* -operand */
    LANG_ADD,    /* left + right, and so on */
    LANG_SUBTRACT,
    LANG_MULTIPLY,
    LANG_DIVIDE,
    LANG_MATMUL,
    LANG_POWER,
    LANG_LESS, /* left < right, and so on: 1 or 0 */
    LANG_LESS_EQUAL,
    LANG_GREATER,
    LANG_GREATER_EQUAL,
    LANG_UNROLL, /* unroll call for steps, all steps, all layers; steps NULL: a sequence */
    /* statements */
    LANG_DECLARE,  /* name, a keyword, and what is declared */
    LANG_DECLARED, /* name, its sizes (a LANG_LIST or NULL), and what it starts from or NULL */
    /* target = value; the target is a NAME, PRIME or INDEX, or a list of them: h', c' = lstm(x, h,
     * c). Of a cotangent also: of quantity */
    LANG_DEFINE,
    LANG_RETURN, /* value */
    LANG_BROKEN, /* a line with a syntax error: the names that it defines, the body of a loop */
    LANG_FOR,    /* name from .. to .., and a body */
    /* of a file */
    LANG_INCLUDE,  /* name: the path */
    LANG_FUNCTION, /* name(arguments), and a value or a body */
    /* name, its inputs (LANG_NAMEs, or NULL), and a body or the call that it is an alias of */
    LANG_CELL,
    LANG_MODEL, /* name(arguments), which are options: its sizes; and a body */
    /* loss (a LANG_NAME), model (a LANG_NAME or NULL), name (the title or NULL), and a body */
    LANG_DERIVE
} lang_kind;

typedef struct lang_node lang_node;
struct lang_node {
    lang_kind kind;
    lang_location location; /* of an operation: all of it; of a node with a body: its first line */
    lang_location sign;     /* of a name: itself; of an operation: its sign */
    const char *name;
    /* LANG_OVER: what is done with the terms: "sum", "stack" ..; LANG_CALL of a cell: what is
     * before the names of its parameters, or NULL */
    const char *word;
    double number;
    int height;   /* of an expression's tree, 0: a leaf */
    bool spaced;  /* LANG_CALL: a space before the bracket */
    bool drawn;   /* LANG_DECLARED: start is a distribution, as in W ~ normal(0, 1) */
    bool helper;  /* LANG_DEFINE: let target = value */
    bool down;    /* LANG_FOR: from .. down to .. */
    bool whole;   /* LANG_UNROLL: the outputs of all steps */
    bool layers;  /* LANG_UNROLL: the states of all layers */
    bool entered; /* LANG_UNROLL: values inside it may be named */
    bool primed;  /* LANG_NAME in a LANG_BROKEN */
    bool broken;  /* of a node with a body: its first line has a syntax error */

    /* The children: three slots, named by kind. A list's items are linked by `next`. */
    union {
        lang_node *child[3];
        struct {
            union {
                lang_node *left, *operand, *base, *first, *items, *arguments, *call, *from;
                lang_node *declared, *sizes, *target, *names, *input, *loss;
            };
            union {
                lang_node *right, *end, *indices, *value, *steps, *to, *start, *alias, *model;
            };
            union {
                lang_node *quantity, *term, *body;
            };
        };
    };
    lang_node *next; /* in a list */

    /* Set by rv_lang_resolve: */
    int symbol;                     /* of a name, -1: none */
    int time;                       /* of a name like C2 that stands for C[2]; -1: none */
    const struct rv_op *op;         /* of a call or an activation: the op, or */
    const struct lang_block *block; /* the function or the cell */
};

/* Whether two expressions, or lists of them, say the same.
 *
 * This and all other walks call themselves for children, at most LANG_DEEPEST deep, and loop over
 * lists. */
bool rv_lang_same(const lang_node *a, const lang_node *b);

#endif
