/* The texts that are built into the library: models/NAME.rv, and the prelude, which every text may
 * call. */
#ifndef RV_LANG_TEXTS_TEXTS_H
#define RV_LANG_TEXTS_TEXTS_H

#include <stddef.h>

typedef struct lang_text {
    const char *name; /* of the file, without .rv */
    const char *text; /* with a NUL at the end */
    size_t size;
} lang_text;

/* A text without a name ends the list. */
extern const lang_text rv_lang_texts[];

/* By name; a dash and an underscore are the same. NULL: there is none. */
const lang_text *rv_lang_text(const char *name);

#endif
