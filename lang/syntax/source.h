/* The text of a file, and locations in it. */
#ifndef RV_LANG_SYNTAX_SOURCE_H
#define RV_LANG_SYNTAX_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lang/syntax/arena.h"

enum { LANG_MOST_BYTES = 1 << 20 }; /* of a file */

typedef struct lang_source {
    const char *path; /* as it was given */
    const char *text; /* with a NUL at the end */
    size_t size;
    bool built_in; /* mistakes in it are reported at the call */
    struct lang_source *next;
    const uint32_t *line; /* [lines] where each line starts */
    size_t lines;
    const char *real; /* without links and ..; NULL: not a file */
} lang_source;

/* Sets `line` and `lines`. Without them a text is taken for one line. False when out of memory. */
bool rv_lang_find_lines(lang_source *source, lang_arena *arena);

/* Bytes start .. end-1 of a source; source NULL: nowhere. */
typedef struct lang_location {
    const lang_source *source;
    uint32_t start, end;
} lang_location;

int rv_lang_line(lang_location location);   /* from 1 */
int rv_lang_column(lang_location location); /* from 1, in characters */
int rv_lang_length(lang_location location); /* in characters, to the end of its line at most */

/* The first character of its line. */
const char *rv_lang_line_start(lang_location location);
/* Whether the byte is inside a UTF-8 character. */
bool rv_lang_continues_character(char c);

#endif
