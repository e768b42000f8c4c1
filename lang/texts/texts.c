#include "lang/texts/texts.h"

static char underscored(char c) { return c == '-' ? '_' : c; }

const lang_text *rv_lang_text(const char *name)
{
    for (const lang_text *t = rv_lang_texts; t->name; t++) {
        size_t i = 0;
        while (name[i] && underscored(name[i]) == t->name[i]) i++;
        if (!name[i] && !t->name[i]) return t;
    }
    return NULL;
}
