/* The text of a file, places in it, and what is wrong there. */
#ifndef RV_LANG_SOURCE_H
#define RV_LANG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lang/arena.h"
#include "lang/lang.h"

enum {
    LANG_MOST_BYTES = 1 << 20, /* of a file */
    LANG_MOST_PROBLEMS = 20,   /* told in one run */
    LANG_MESSAGE = 700,
    LANG_HINT = 200
};

typedef struct lang_source {
    const char *path; /* as it was given */
    const char *text; /* with a NUL at the end */
    size_t size;
    bool built_in; /* no file of the user's: mistakes in it are told where it is called */
    struct lang_source *next;
} lang_source;

/* Bytes start .. end-1 of a source; source NULL: nowhere. */
typedef struct lang_place {
    const lang_source *source;
    uint32_t start, end;
} lang_place;

int rv_lang_line(lang_place place);   /* from 1 */
int rv_lang_column(lang_place place); /* from 1, in characters */

typedef struct lang_problem {
    lang_place place;
    rv_code code;
    char text[LANG_MESSAGE], hint[LANG_HINT];
} lang_problem;

/* Start it as {0}. */
typedef struct lang_report {
    lang_problem *at; /* in the order of finding */
    size_t count, capacity;
    size_t more;        /* beyond LANG_MOST_PROBLEMS */
    bool out_of_memory; /* which is then all there is to say */
} lang_report;

/* Notes a problem, unless that place has one. Always false. */
bool rv_lang_complain(lang_report *r, lang_place place, rv_code code, const char *format, ...)
    RV_PRINTF(4, 5);
/* Says behind the problem noted last what to do. */
void rv_lang_advise(lang_report *r, const char *format, ...) RV_PRINTF(2, 3);
bool rv_lang_no_memory(lang_report *r);
void rv_lang_free_report(lang_report *r);

/* In the order of their places. */
void rv_lang_sort_report(lang_report *r);
/* All problems the way compilers tell them, for rv_free. NULL: memory is out. */
char *rv_lang_tell(const lang_report *r);

#endif
