/* A tree as text. */
#ifndef RV_LANG_SYNTAX_PRINT_H
#define RV_LANG_SYNTAX_PRINT_H

#include "lang/syntax/token.h"
#include "lang/syntax/tree.h"

/* Returns the tree in canonical form, with its comments. The caller frees it with rv_free. NULL
 * when out of memory. */
char *rv_lang_print(const lang_source *source, const lang_tokens *tokens, const lang_node *tree);

/* Writes an expression or a definition on one line, for messages, cut at `size` bytes. */
const char *rv_lang_expression(const lang_node *e, char *text, size_t size);

#endif
