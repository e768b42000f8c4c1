/* What people write out of habit, from Python, NumPy, PyTorch or LaTeX, and what it is called
 * here. */
#ifndef RV_LANG_SYNTAX_HABITS_H
#define RV_LANG_SYNTAX_HABITS_H

#include "lang/syntax/source.h"

enum { LANG_HABIT_PATTERNS = 8 };

typedef struct lang_habit {
    /* A blank stands for any blanks or none, # for a digit, $ for a name, a final .. for anything
     * up to the mistake's end. */
    const char *pattern[LANG_HABIT_PATTERNS];
    const char *hint;    /* what it is called here */
    const char *instead; /* a line that does it; NULL: none */
    const char *write;   /* replaces what a pattern matches; NULL: more than that has to change */
} lang_habit;

extern const lang_habit rv_lang_habits[];
extern const int rv_lang_habit_count;

/* The habit that a mistake at this location comes from, and what its pattern matches. NULL if it
 * comes from none. */
const lang_habit *rv_lang_habit(lang_location location, lang_location *match);

#endif
