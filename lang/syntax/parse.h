/* A text as a tree. */
#ifndef RV_LANG_SYNTAX_PARSE_H
#define RV_LANG_SYNTAX_PARSE_H

#include "lang/syntax/arena.h"
#include "lang/syntax/report.h"
#include "lang/syntax/token.h"
#include "lang/syntax/tree.h"

/* Returns the definitions of a text as a list. Mistakes go to the report. NULL if there are none,
 * or when out of memory. */
lang_node *rv_lang_parse(const lang_source *source, const lang_tokens *tokens, lang_arena *arena,
                         lang_report *report);

#endif
