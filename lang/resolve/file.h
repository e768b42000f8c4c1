/* A text and the files that it includes. */
#ifndef RV_LANG_RESOLVE_FILE_H
#define RV_LANG_RESOLVE_FILE_H

#include "lang/lang.h"
#include "lang/resolve/scope.h"
#include "lang/syntax/token.h"

/* Start it as {0}. */
typedef struct lang_file {
    bool is_file; /* the text may include from its own folder and below */
    const char
        *folders; /* so may it from these, which colons separate; borrowed while it is read */
    lang_arena arena;
    lang_report report;
    lang_scope scope;
    lang_source *source; /* the file itself first, then what it includes */
    lang_node *tree;     /* of the file itself */
    lang_tokens tokens;
    rv_lang_limits limits;
    struct lang_file *next; /* in a scope's cells */
} lang_file;

/* Reads a text. Mistakes go to the report. False when out of memory. The caller closes the file in
 * both cases. */
bool rv_lang_read_file(lang_file *file, const char *text, size_t size, const char *name);
void rv_lang_close(lang_file *file);

/* The built-in function or cell of that name, or NULL. */
const lang_block *rv_lang_find_built_in(lang_scope *scope, lang_kind kind, const char *name);

/* Whether the block is in the file itself, not in an included one. */
static inline bool rv_lang_is_own(const lang_file *file, const lang_block *block)
{
    return block->node->location.source == file->source;
}

#endif
