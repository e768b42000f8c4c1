/* A text as a tree. */
#ifndef RV_LANG_SYNTAX_PARSE_H
#define RV_LANG_SYNTAX_PARSE_H

#include "lang/syntax/arena.h"
#include "lang/syntax/report.h"
#include "lang/syntax/token.h"
#include "lang/syntax/tree.h"

/* The definitions of a text, a list in order. Mistakes go to the report. NULL: there are none, or out of memory. */
lang_node *rv_lang_parse(const lang_source *source, const lang_tokens *tokens, lang_arena *arena,
                         lang_report *report);

#endif
