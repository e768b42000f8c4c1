/* The tokens of a text. */
#ifndef RV_LANG_SYNTAX_TOKEN_H
#define RV_LANG_SYNTAX_TOKEN_H

#include "lang/syntax/report.h"

typedef enum lang_token_kind {
    TOKEN_END,     /* of the file */
    TOKEN_NEWLINE, /* of a statement */
    TOKEN_NAME,    /* letters, digits and _, or anything beyond ASCII */
    TOKEN_NUMBER,
    TOKEN_STRING, /* with its quotes */
    TOKEN_SIGN,   /* ( ) [ ] , = ~ + - * / . @ ^ ' : < > <= >= */
    TOKEN_WRONG   /* already reported */
} lang_token_kind;

typedef struct lang_token {
    lang_token_kind kind;
    uint32_t start, end;
    uint32_t column; /* of the first of a line: its indentation; tabs go to multiples of 8 */
    bool first;      /* of a statement */
} lang_token;

typedef struct lang_comment {
    uint32_t start, end; /* from # to the end of the line */
    bool alone;          /* on its line */
} lang_comment;

typedef struct lang_tokens {
    lang_token *at; /* the last one is TOKEN_END */
    size_t count, capacity;
    lang_comment *comment;
    size_t comments, comment_capacity;
} lang_tokens;

/* Inside ( ) and [ ] a statement continues over lines that are indented more than its first.
 * Unknown characters are reported and skipped. False when out of memory. The caller frees the
 * tokens with rv_lang_free_tokens in both cases. */
bool rv_lang_tokenize(const lang_source *source, lang_tokens *tokens, lang_report *report);
void rv_lang_free_tokens(lang_tokens *tokens);

#endif
