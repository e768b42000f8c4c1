/* Functions that the parts of the recursive-descent parser share: reading tokens and making
 * nodes. */
#ifndef RV_LANG_SYNTAX_PARSER_H
#define RV_LANG_SYNTAX_PARSER_H

#include <stdio.h>
#include <string.h>

#include "lang/syntax/arena.h"
#include "lang/syntax/report.h"
#include "lang/syntax/token.h"
#include "lang/syntax/tree.h"
#include "tensor/text_internal.h"

/* The parser's position in a text. */
typedef struct parser {
    const lang_source *source;
    const lang_token *token; /* the next one */
    lang_arena *arena;
    lang_report *report;
    /* Of the parser's calls of itself: at most LANG_DEEPEST, and so is depth + height of each
     * node. */
    int depth;
} parser;

/* ---- tokens ---- */

static inline const char *text_of(const parser *p, const lang_token *t)
{
    return p->source->text + t->start;
}

static inline bool token_is(const parser *p, const lang_token *t, const char *word)
{
    size_t length = strlen(word);
    return (t->kind == TOKEN_SIGN || t->kind == TOKEN_NAME) && t->end - t->start == length &&
           !memcmp(text_of(p, t), word, length);
}

static inline bool next_is(const parser *p, const char *word)
{
    return token_is(p, p->token, word);
}

static inline bool accept(parser *p, const char *word)
{
    if (!next_is(p, word)) return false;
    p->token++;
    return true;
}

static inline lang_location location_of(const parser *p, const lang_token *t)
{
    return (lang_location){p->source, t->start, t->end};
}

/* Writes what messages call a token. */
static inline const char *describe(const parser *p, const lang_token *t, char text[64])
{
    int length = (int)(t->end - t->start);
    if (t->kind == TOKEN_END) return "the end of the file";
    if (t->kind == TOKEN_NEWLINE) return "the end of the line";
    rv_print(text, 64, "\"%.*s\"", length < 40 ? length : 40, text_of(p, t));
    return text;
}

/* Reports that the next token is not the expected one. Returns NULL. */
LANG_APART static void *fail(parser *p, const char *expected)
{
    char text[64];
    if (p->token->kind != TOKEN_WRONG) /* already reported */
        rv_lang_add_problem(p->report, location_of(p, p->token), RV_ERROR_FORMAT, "%s, expected %s",
                            describe(p, p->token, text), expected);
    return NULL;
}

static inline bool expect(parser *p, const char *sign, const char *expected)
{
    return accept(p, sign) || fail(p, expected);
}

/* ---- nodes ---- */

/* Returns NULL, and reports it, when out of memory. */
static inline lang_node *node(parser *p, lang_kind kind, lang_location location)
{
    lang_node *n = rv_lang_allocate(p->arena, sizeof *n);
    if (!n) {
        rv_lang_out_of_memory(p->report);
        return NULL;
    }
    n->kind = kind;
    n->location = n->sign = location;
    n->symbol = n->time = -1;
    return n;
}

static inline bool set_name(parser *p, lang_node *n, const char *text, size_t length)
{
    n->name = rv_lang_copy(p->arena, text, length);
    return n->name || rv_lang_out_of_memory(p->report);
}

/* Parses a name as a node of this kind. Returns NULL, and reports it, if the next token is not a
 * name. */
LANG_APART static lang_node *name_node(parser *p, lang_kind kind, const char *expected)
{
    const lang_token *t = p->token;
    if (t->kind != TOKEN_NAME) return fail(p, expected);
    if (t->end - t->start > LANG_MOST_NAME) {
        rv_lang_add_problem(p->report, location_of(p, t), RV_ERROR_FORMAT,
                            "a name of %u bytes, expected at most %d", t->end - t->start,
                            LANG_MOST_NAME);
        return NULL;
    }
    lang_node *n = node(p, kind, location_of(p, t));
    if (!n || !set_name(p, n, text_of(p, t), t->end - t->start)) return NULL;
    p->token++;
    return n;
}

static inline void measure(lang_node *n)
{
    for (int i = 0; i < 3; i++)
        for (const lang_node *c = n->child[i]; c; c = c->next)
            if (n->height <= c->height) n->height = c->height + 1;
}

/* Ends the node with the last token. */
static inline void end_here(const parser *p, lang_node *n)
{
    n->location.end = p->token[-1].end;
    measure(n);
}

/* Goes one level deeper. Returns false, and reports it, beyond the limit. The caller restores
 * p->depth. */
bool rv_lang_parse_deeper(parser *p);

/* ---- expressions ---- */

/* Each parses what comes next. Returns NULL after a mistake, which is reported. */
lang_node *rv_lang_parse_expression(parser *p); /* any expression */
lang_node *rv_lang_parse_postfix(parser *p);    /* one without operators between */
lang_node *rv_lang_parse_value(parser *p); /* an expression, or: unroll cell(x, ..) for N steps */
lang_node *rv_lang_parse_list(parser *p);  /* [ .. ] */
lang_node *rv_lang_parse_argument(parser *p); /* an expression, or name = expression */

/* Parses items, separated by commas, up to the closing bracket, into *list. */
bool rv_lang_parse_items(parser *p, lang_node **list, lang_node *(*item)(parser *p),
                         const char *close);

#endif
