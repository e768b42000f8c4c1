/* The problems of a text. */
#ifndef RV_LANG_SYNTAX_REPORT_H
#define RV_LANG_SYNTAX_REPORT_H

#include "lang/syntax/source.h"
#include "tensor/error.h"

enum {
    LANG_MOST_PROBLEMS = 20, /* reported at once */
    LANG_MESSAGE = 700,
    LANG_HINT = 200,
    LANG_FIX = 64
};

typedef struct lang_problem {
    lang_location location;
    rv_code code;
    char text[LANG_MESSAGE], hint[LANG_HINT];
    lang_location wrong; /* where `fix` belongs */
    char fix[LANG_FIX];  /* what to write there */
    bool has_fix;
} lang_problem;

/* Start it as {0}. */
typedef struct lang_report {
    lang_problem *at; /* in the order found */
    size_t count, capacity;
    size_t more;        /* beyond LANG_MOST_PROBLEMS */
    bool out_of_memory; /* then nothing else is reported */
} lang_report;

/* Adds a problem, unless the location already has one. Returns false. */
bool rv_lang_add_problem(lang_report *r, lang_location location, rv_code code, const char *format,
                         ...) RV_PRINTF(4, 5);
/* Adds a hint to the latest problem: what to do. */
void rv_lang_add_hint(lang_report *r, const char *format, ...) RV_PRINTF(2, 3);
/* Adds the hint "did you mean NAME?" to the latest problem, and the name as what to write at the
 * location. Without a name (NULL) adds nothing and returns false. */
bool rv_lang_suggest(lang_report *r, lang_location location, const char *name);
/* The name that a hint is to be guessed for: `seen`, or NULL if no further hint is shown. */
const char *rv_lang_to_guess(const lang_report *r, const char *seen);
bool rv_lang_out_of_memory(lang_report *r);
void rv_lang_free_report(lang_report *r);

/* Sorts by location. */
void rv_lang_sort_report(lang_report *r);
/* Returns all problems as text in the style of a compiler. The caller frees it with rv_free. NULL
 * when out of memory. */
char *rv_lang_report_text(const lang_report *r);

#endif
