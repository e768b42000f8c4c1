/* Prints a tree in canonical form: two spaces of indentation, only the brackets that are needed,
 * comments in their places, and at most one empty line in a row. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lang/syntax/print.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"

typedef struct writer {
    char *text;
    size_t length, capacity;
    bool failed;
    const lang_source *source;
    const lang_tokens *tokens; /* their comments */
    size_t comment;            /* the next one */
    uint32_t from;             /* the end of what has been printed, in the source */
    int indent;
} writer;

static void put_bytes(writer *w, const char *text, size_t length)
{
    if (w->failed || !rv_reserve(&w->text, &w->capacity, w->length + length + 1, 1)) {
        w->failed = true;
        return;
    }
    memcpy(w->text + w->length, text, length);
    w->length += length;
}

static void put(writer *w, const char *text) { put_bytes(w, text, strlen(text)); }

/* ---- expressions ---- */

enum { COMPARISON = 1, SUM, PRODUCT, NEGATION, POWER, POSTFIX, PRIMARY };

static int strength(const lang_node *e)
{
    switch (e->kind) {
    case LANG_LESS:
    case LANG_LESS_EQUAL:
    case LANG_GREATER:
    case LANG_GREATER_EQUAL: return COMPARISON;
    case LANG_ADD:
    case LANG_SUBTRACT: return SUM;
    case LANG_MULTIPLY:
    case LANG_DIVIDE:
    case LANG_MATMUL: return PRODUCT;
    case LANG_NEGATE: return NEGATION;
    case LANG_POWER: return POWER;
    case LANG_PRIME:
    case LANG_INDEX:
    case LANG_APPLY: return POSTFIX;
    default: return PRIMARY;
    }
}

static void expression(writer *w, const lang_node *e);

/* e, in brackets if it binds less tightly than `least`. */
static void operand(writer *w, const lang_node *e, int least)
{
    bool brackets = strength(e) < least;
    if (brackets) put(w, "(");
    expression(w, e);
    if (brackets) put(w, ")");
}

static void list(writer *w, const lang_node *item)
{
    for (; item; item = item->next) {
        expression(w, item);
        if (item->next) put(w, ", ");
    }
}

/* Whether the last token may be a number; below, the first. Without spaces, 2 . 3 would read as
 * 2.3. */
static bool ends_in_digits(const lang_node *e)
{
    while (e->kind == LANG_POWER || e->kind == LANG_NEGATE || e->kind == LANG_MULTIPLY ||
           e->kind == LANG_DIVIDE || e->kind == LANG_MATMUL)
        e = e->kind == LANG_NEGATE ? e->operand : e->right;
    return e->kind == LANG_NUMBER;
}

static bool begins_with_digits(const lang_node *e)
{
    while (e->kind == LANG_POWER || e->kind == LANG_PRIME || e->kind == LANG_INDEX ||
           e->kind == LANG_MULTIPLY || e->kind == LANG_DIVIDE || e->kind == LANG_MATMUL)
        e = e->child[0];
    return e->kind == LANG_NUMBER;
}

/* g.h, but Wr h . g, 2 . 3 and a @ b */
static bool is_tight(const lang_node *e)
{
    const lang_node *last = e->left->kind == LANG_MULTIPLY ? e->left->right : e->left;
    bool digits = ends_in_digits(e->left) && begins_with_digits(e->right);
    return e->kind == LANG_MULTIPLY && !digits && e->left->kind != LANG_MATMUL &&
           e->left->kind != LANG_DIVIDE && last->kind != LANG_APPLY && e->right->kind != LANG_APPLY;
}

static void binary(writer *w, const lang_node *e, const char *sign)
{
    int own = strength(e);
    operand(w, e->left, own == COMPARISON ? SUM : own);
    if (is_tight(e) || e->kind == LANG_POWER) {
        put(w, sign);
    } else {
        put(w, " ");
        put(w, sign);
        put(w, " ");
    }
    operand(w, e->right, own + 1);
}

static void put_number(writer *w, double number)
{
    char text[RV_NUMBER_TEXT];
    put(w, rv_number_text(number, text));
}

/* Prints words and an expression, or nothing without an expression. */
static void phrase(writer *w, const char *words, const lang_node *e)
{
    if (!e) return;
    put(w, words);
    expression(w, e);
}

static void expression(writer *w, const lang_node *e)
{
    switch (e->kind) {
    case LANG_NUMBER: put_number(w, e->number); break;
    case LANG_TEXT:
        put(w, "\"");
        put(w, e->name);
        put(w, "\"");
        break;
    case LANG_HOLE: put(w, "_"); break;
    case LANG_RANGE:
        if (e->first) expression(w, e->first);
        put(w, ":");
        if (e->end) expression(w, e->end);
        break;
    case LANG_LIST:
        put(w, "[");
        list(w, e->items);
        put(w, "]");
        break;
    case LANG_CALL:
        put(w, e->name);
        put(w, e->spaced ? " (" : "(");
        list(w, e->arguments);
        put(w, ")");
        break;
    case LANG_OPTION:
        put(w, e->name);
        put(w, "=");
        expression(w, e->value);
        break;
    case LANG_OVER:
        put(w, e->word);
        put(w, "(");
        put(w, e->name);
        put(w, " from ");
        expression(w, e->from);
        put(w, " to ");
        expression(w, e->to);
        put(w, ": ");
        list(w, e->term);
        put(w, ")");
        break;
    case LANG_APPLY:
        put(w, e->name);
        put(w, " ");
        operand(w, e->operand, POSTFIX);
        break;
    case LANG_INDEX:
        operand(w, e->base, POSTFIX + (e->base->kind == LANG_APPLY));
        put(w, "[");
        list(w, e->indices);
        put(w, "]");
        break;
    case LANG_PRIME:
        operand(w, e->operand, POSTFIX + (e->operand->kind == LANG_APPLY));
        put(w, "'");
        break;
    case LANG_NEGATE:
        put(w, "-");
        operand(w, e->operand, NEGATION);
        break;
    case LANG_LESS: binary(w, e, "<"); break;
    case LANG_LESS_EQUAL: binary(w, e, "<="); break;
    case LANG_GREATER: binary(w, e, ">"); break;
    case LANG_GREATER_EQUAL: binary(w, e, ">="); break;
    case LANG_ADD: binary(w, e, "+"); break;
    case LANG_SUBTRACT: binary(w, e, "-"); break;
    case LANG_MULTIPLY: binary(w, e, "."); break;
    case LANG_DIVIDE: binary(w, e, "/"); break;
    case LANG_MATMUL: binary(w, e, "@"); break;
    case LANG_POWER:
        operand(w, e->left, POSTFIX);
        put(w, "^");
        operand(w, e->right, NEGATION);
        break;
    case LANG_UNROLL:
        put(w, "unroll ");
        expression(w, e->call);
        if (e->whole) put(w, e->steps ? " all " : " all steps");
        if (e->steps) phrase(w, e->whole ? "" : " for ", e->steps);
        if (e->steps)
            put(w, e->steps->kind == LANG_NUMBER && e->steps->number == 1 ? " step" : " steps");
        if (e->layers) put(w, " all layers");
        break;
    default: put(w, e->name ? e->name : "");
    }
}

static void first_line(writer *w, const lang_node *s);

const char *rv_lang_expression(const lang_node *e, char *text, size_t size)
{
    writer w = {0};
    if (e->kind == LANG_DEFINE)
        first_line(&w, e);
    else
        expression(&w, e);
    snprintf(text, size, "%.*s", w.failed ? 0 : (int)w.length, w.text ? w.text : "");
    rv_free(w.text);
    return text;
}

/* ---- statements ---- */

static void start_line(writer *w)
{
    for (int i = 0; i < w->indent; i++) put(w, "  ");
}

/* Whether the source has an empty line somewhere before `to`, after what has been printed. */
static bool empty_line_before(const writer *w, uint32_t to)
{
    int lines = 0;
    for (uint32_t i = w->from; i < to; i++) {
        char c = w->source->text[i];
        lines = c == '\n' ? lines + 1 : c == ' ' || c == '\t' || c == '\r' ? lines : 0;
    }
    return lines > 1 && w->length > 0;
}

static void go_to(writer *w, uint32_t start)
{
    if (empty_line_before(w, start)) put(w, "\n");
    start_line(w);
}

/* An indented comment after a body belongs to the body. */
static void go_to_comment(writer *w, uint32_t start)
{
    int indent = w->indent;
    if (!indent && start > 0 && w->source->text[start - 1] != '\n') w->indent = 1;
    go_to(w, start);
    w->indent = indent;
}

static void put_comment(writer *w, const lang_comment *c)
{
    put_bytes(w, w->source->text + c->start, c->end - c->start);
    w->from = c->end;
    w->comment++;
}

/* The comments before `to`, on lines of their own. */
static void comments_before(writer *w, uint32_t to)
{
    for (; w->comment < w->tokens->comments; put(w, "\n")) {
        const lang_comment *c = &w->tokens->comment[w->comment];
        if (c->start >= to) return;
        go_to_comment(w, c->start);
        put_comment(w, c);
    }
}

/* Ends the line of a statement that ends at `end` in the source, with the comment on its line. */
static void end_line(writer *w, uint32_t end)
{
    w->from = end;
    if (w->comment < w->tokens->comments) {
        const lang_comment *c = &w->tokens->comment[w->comment];
        bool inside = c->start < end, beside = !c->alone && !memchr(w->source->text + end, '\n',
                                                                    inside ? 0 : c->start - end);
        if (inside || beside) {
            put(w, "  ");
            put_comment(w, c);
            w->from = inside ? end : w->from;
        }
    }
    put(w, "\n");
}

static void body(writer *w, const lang_node *s);

static void declared(writer *w, const lang_node *d)
{
    put(w, d->name);
    if (d->sizes) expression(w, d->sizes);
    if (d->start) {
        put(w, d->drawn ? " ~ " : " = ");
        expression(w, d->start);
    }
    if (d->next) put(w, ", ");
}

/* keyword name(a, ..). Empty brackets are left out unless `always`. */
static void head(writer *w, const char *keyword, const lang_node *s, bool always)
{
    put(w, keyword);
    put(w, s->name);
    if (s->arguments || always) {
        put(w, "(");
        list(w, s->arguments);
        put(w, ")");
    }
}

static void quoted(writer *w, const char *words, const char *text)
{
    if (!text) return;
    put(w, words);
    put(w, "\"");
    put(w, text);
    put(w, "\"");
}

static void first_line(writer *w, const lang_node *s)
{
    switch (s->kind) {
    case LANG_DECLARE:
        put(w, s->name);
        put(w, " ");
        for (const lang_node *d = s->declared; d; d = d->next) declared(w, d);
        break;
    case LANG_DEFINE:
        if (s->helper) put(w, "let ");
        list(w, s->target);
        phrase(w, " of ", s->quantity);
        phrase(w, " = ", s->value);
        break;
    case LANG_RETURN: phrase(w, "return ", s->value); break;
    case LANG_FOR:
        put(w, "for ");
        put(w, s->name);
        phrase(w, " from ", s->from);
        phrase(w, s->down ? " down to " : " to ", s->to);
        break;
    case LANG_INCLUDE: quoted(w, "include ", s->name); break;
    case LANG_FUNCTION:
        head(w, "function ", s, true);
        phrase(w, " = ", s->value);
        break;
    case LANG_CELL:
        head(w, "cell ", s, false);
        phrase(w, " = ", s->alias);
        break;
    case LANG_MODEL: head(w, "model ", s, false); break;
    case LANG_DERIVE:
        phrase(w, "derive ", s->loss);
        phrase(w, " of ", s->model);
        quoted(w, " ", s->name);
        break;
    default: break;
    }
}

static void statement(writer *w, const lang_node *s)
{
    if (s->kind == LANG_BROKEN || s->broken) return;
    comments_before(w, s->location.start);
    go_to(w, s->location.start);
    first_line(w, s);
    end_line(w, s->location.end);
    w->indent++;
    if (s->kind >= LANG_FOR) body(w, s->body);
    w->indent--;
}

static void body(writer *w, const lang_node *s)
{
    for (; s; s = s->next) statement(w, s);
}

char *rv_lang_print(const lang_source *source, const lang_tokens *tokens, const lang_node *tree)
{
    writer w = {.source = source, .tokens = tokens};
    put(&w, "");
    body(&w, tree);
    comments_before(&w, UINT32_MAX);
    if (!w.failed && w.text) w.text[w.length] = '\0';
    if (!w.failed) return w.text;
    rv_free(w.text);
    return NULL;
}
