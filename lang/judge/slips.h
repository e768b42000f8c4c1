/* The usual slips in a derivation, as pairs of expressions: what was written, and what was
 * meant. */
#ifndef RV_LANG_JUDGE_SLIPS_H
#define RV_LANG_JUDGE_SLIPS_H

#include "lang/resolve/scope.h"

/* Groups of slips. */
enum {
    SLIP_STEP = 1,  /* a time step, an axis or a number is off by one */
    SLIP_SIGN = 2,  /* + for -, and so on */
    SLIP_NAME = 4,  /* another name */
    SLIP_LESS = 8,  /* the line has a part too many */
    SLIP_MORE = 16, /* a function, a transpose or a sum is missing; @ for . */
    SLIP_FACTOR = 32,
    SLIP_PATH = 64, /* a term of the whole line is missing */
    SLIP_TERM = 128
};

/* In `written`, a and b stand for any expression, t for a loop's variable, m for a number, q for a
 * name, f for any function. In `meant`, q, s, v, n and p stand for each expression of a pool: a
 * name, a slope, a divisor, a number, a path. */
typedef struct lang_slip {
    unsigned group;
    lang_node *written, *meant;
    char pool; /* the letter in `meant` that stands for a pool; 0: none */
} lang_slip;

/* How a pool is made: of q, a value, and d, a cotangent, or r, another value. */
typedef struct lang_recipe {
    char pool, second; /* d, r; 0: only q */
    lang_node *pattern;
} lang_recipe;

enum { LANG_STEPS = 3 };

/* What the letters of a pattern stand for. */
typedef struct lang_bound {
    const lang_block *block; /* of the line */
    const lang_node *letter[26];
} lang_bound;

typedef struct lang_slips {
    lang_slip *slip;
    int slips;
    lang_recipe *recipe;
    int recipes;
    lang_node *step[LANG_STEPS]; /* a series q at the step t, and before and after it */
} lang_slips;

/* All slips, for a line whose cotangent has this shape, in the arena. False: out of memory. */
bool rv_lang_make_slips(lang_slips *slips, lang_scope *scope, lang_arena *arena, rv_shape shape);

/* Whether e has the form of a pattern; then the letters are bound. */
bool rv_lang_matches(const lang_node *pattern, const lang_node *e, lang_bound *bound);
/* A copy of a pattern with its letters replaced, at a location. NULL: out of memory. */
lang_node *rv_lang_instance(lang_arena *arena, const lang_node *pattern, const lang_bound *bound,
                            lang_location location);

#endif
