/* Recursive descent. A statement with a mistake is told and left out; the next line is a new start. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/syntax/parse.h"
#include "tensor/name_internal.h"
#include "tensor/text_internal.h"

typedef struct parser {
    const lang_source *source;
    const lang_token *token; /* the next one */
    lang_arena *arena;
    lang_report *report;
    int depth;
} parser;

/* ---- tokens ---- */

static const char *text_of(const parser *p, const lang_token *t)
{
    return p->source->text + t->start;
}

static bool token_is(const parser *p, const lang_token *t, const char *word)
{
    size_t length = strlen(word);
    return (t->kind == TOKEN_SIGN || t->kind == TOKEN_NAME) && t->end - t->start == length &&
           !memcmp(text_of(p, t), word, length);
}

static bool next_is(const parser *p, const char *word) { return token_is(p, p->token, word); }

static bool accept(parser *p, const char *word)
{
    if (!next_is(p, word)) return false;
    p->token++;
    return true;
}

static lang_location location_of(const parser *p, const lang_token *t)
{
    return (lang_location){p->source, t->start, t->end};
}

/* "seen" as people call it. */
static const char *describe(const parser *p, const lang_token *t, char text[64])
{
    int length = (int)(t->end - t->start);
    if (t->kind == TOKEN_END) return "the end of the file";
    if (t->kind == TOKEN_NEWLINE) return "the end of the line";
    snprintf(text, 64, "\"%.*s\"", length < 40 ? length : 40, text_of(p, t));
    return text;
}

static void *fail(parser *p, const char *expected)
{
    char text[64];
    if (p->token->kind != TOKEN_WRONG) /* that has been told */
        rv_lang_complain(p->report, location_of(p, p->token), RV_ERROR_FORMAT, "%s, expected %s",
                         describe(p, p->token, text), expected);
    return NULL;
}

static bool expect(parser *p, const char *sign, const char *expected)
{
    return accept(p, sign) || fail(p, expected);
}

/* ---- nodes ---- */

static lang_node *node(parser *p, lang_kind kind, lang_location location)
{
    lang_node *n = rv_lang_take(p->arena, sizeof *n);
    if (!n) {
        rv_lang_no_memory(p->report);
        return NULL;
    }
    n->kind = kind;
    n->location = n->sign = location;
    n->symbol = n->time = -1;
    return n;
}

static bool set_name(parser *p, lang_node *n, const char *text, size_t length)
{
    n->name = rv_lang_copy(p->arena, text, length);
    return n->name || rv_lang_no_memory(p->report);
}

/* A name as a node of this kind. */
static lang_node *name_node(parser *p, lang_kind kind, const char *expected)
{
    const lang_token *t = p->token;
    if (t->kind != TOKEN_NAME) return fail(p, expected);
    if (t->end - t->start > LANG_MOST_NAME) {
        rv_lang_complain(p->report, location_of(p, t), RV_ERROR_FORMAT,
                         "a name of %u bytes, expected at most %d", t->end - t->start,
                         LANG_MOST_NAME);
        return NULL;
    }
    lang_node *n = node(p, kind, location_of(p, t));
    if (!n || !set_name(p, n, text_of(p, t), t->end - t->start)) return NULL;
    p->token++;
    return n;
}

static lang_location whole(const lang_node *first, const lang_node *last)
{
    return (lang_location){first->location.source, first->location.start, last->location.end};
}

static void end_here(const parser *p, lang_node *n) { n->location.end = p->token[-1].end; }

/* ---- expressions, from the loosest operator to the tightest ---- */

static lang_node *sum(parser *p);

static bool enter(parser *p)
{
    if (++p->depth <= LANG_DEEPEST) return true;
    rv_lang_complain(
        p->report, location_of(p, p->token), RV_ERROR_FORMAT,
        "more than %d brackets and signs in each other; name a part on a line of its own",
        LANG_DEEPEST);
    return false;
}

static lang_node *binary(parser *p, lang_kind kind, lang_node *a, const lang_token *sign,
                         lang_node *b)
{
    lang_node *n = a && b ? node(p, kind, whole(a, b)) : NULL;
    if (!n) return NULL;
    n->sign = location_of(p, sign);
    n->a = a;
    n->b = b;
    return n;
}

/* Items up to the closing bracket, commas between, into *list. */
static bool items(parser *p, lang_node **list, lang_node *(*item)(parser *p), const char *close)
{
    while (!next_is(p, close)) {
        lang_node *n = item(p);
        if (!n) return false;
        *list = n;
        list = &n->next;
        if (!next_is(p, close) &&
            !expect(p, ",", *close == ')' ? "\",\" or \")\"" : "\",\" or \"]\""))
            return false;
    }
    p->token++;
    return true;
}

static lang_node *argument(parser *p)
{
    const lang_token *t = p->token;
    if (t->kind != TOKEN_NAME || !token_is(p, t + 1, "=")) return sum(p);
    lang_node *n = name_node(p, LANG_OPTION, "a name");
    if (!n) return NULL;
    p->token++;
    n->a = sum(p);
    if (!n->a) return NULL;
    end_here(p, n);
    return n;
}

/* An index: an expression, _, or first : end. */
static lang_node *index_item(parser *p)
{
    const lang_token *t = p->token;
    if (accept(p, "_")) return node(p, LANG_HOLE, location_of(p, t));
    lang_node *from = next_is(p, ":") ? NULL : sum(p);
    if (!from && !next_is(p, ":")) return NULL;
    if (!next_is(p, ":")) return from;
    lang_node *n = node(p, LANG_RANGE, location_of(p, t));
    p->token++;
    if (!n) return NULL;
    n->a = from;
    if (!next_is(p, "]") && !next_is(p, ",") && !(n->b = sum(p))) return NULL;
    end_here(p, n);
    return n;
}

static lang_node *bracket_list(parser *p)
{
    lang_node *n = node(p, LANG_LIST, location_of(p, p->token));
    p->token++;
    if (!n || !items(p, &n->a, index_item, "]")) return NULL;
    end_here(p, n);
    return n;
}

static lang_node *postfix(parser *p);

static bool starts_operand(const parser *p)
{
    static const char *const words[] = {"of", "for", "from", "to", "down", "steps", "step"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (next_is(p, words[i])) return false;
    return p->token->kind == TOKEN_NAME;
}

/* sum(t from A to B: value) */
static lang_node *sum_over(parser *p)
{
    const lang_token *t = p->token;
    p->token += 2;
    lang_node *n = name_node(p, LANG_SUM, "a name");
    p->token++;
    if (!n || !(n->a = sum(p)) || !expect(p, "to", "\"to\", as in: sum(t from 1 to 3: ..)") ||
        !(n->b = sum(p)) || !expect(p, ":", "\":\" and what is summed up") || !(n->c = sum(p)) ||
        !expect(p, ")", "\")\""))
        return NULL;
    n->location.start = t->start;
    end_here(p, n);
    return n;
}

/* name, name(arguments), or name operand: a map of it. */
static lang_node *named(parser *p)
{
    const lang_token *t = p->token;
    if (next_is(p, "sum") && token_is(p, t + 1, "(") && t[2].kind == TOKEN_NAME &&
        token_is(p, t + 3, "from"))
        return sum_over(p);
    lang_node *n = name_node(p, LANG_NAME, "a value");
    if (!n) return NULL;
    if (next_is(p, "(")) {
        n->kind = LANG_CALL;
        n->number = p->token->start > n->location.end;
        p->token++;
        if (!items(p, &n->a, argument, ")")) return NULL;
    } else if (starts_operand(p)) {
        if (!strcmp(n->name, "unroll")) {
            rv_lang_complain(p->report, n->location, RV_ERROR_FORMAT,
                             "unroll stands alone in a line, as in: h = unroll gru(x)");
            return NULL;
        }
        n->kind = LANG_APPLY;
        if (!enter(p) || !(n->a = postfix(p))) return NULL;
        p->depth--;
    }
    end_here(p, n);
    return n;
}

static lang_node *number(parser *p)
{
    lang_node *n = node(p, LANG_NUMBER, location_of(p, p->token));
    if (!n) return NULL;
    char text[64];
    uint32_t length = p->token->end - p->token->start;
    if (length >= sizeof text) return fail(p, "a number of fewer digits");
    memcpy(text, text_of(p, p->token), length);
    text[length] = '\0';
    n->number = rv_number(text, NULL);
    if (!(n->number <= 1e300)) return fail(p, "a number up to 1e300");
    p->token++;
    bool beside = !memchr(text_of(p, p->token - 1), '\n', p->token->start - p->token[-1].start);
    if (beside && (starts_operand(p) || next_is(p, "(")))
        return fail(p, "an operator: a product is written 2.x");
    return n;
}

static lang_node *primary(parser *p)
{
    const lang_token *t = p->token;
    if (t->kind == TOKEN_NAME) return named(p);
    if (t->kind == TOKEN_NUMBER) return number(p);
    if (t->kind == TOKEN_STRING) {
        lang_node *n = node(p, LANG_TEXT, location_of(p, t));
        if (!n || !set_name(p, n, text_of(p, t) + 1, t->end - t->start - 2)) return NULL;
        p->token++;
        return n;
    }
    if (next_is(p, "[")) return bracket_list(p);
    if (!accept(p, "(")) return fail(p, "a value");
    lang_node *n = sum(p);
    if (!n || !expect(p, ")", "\")\" or an operator")) return NULL;
    n->location.start = t->start;
    end_here(p, n);
    return n;
}

static lang_node *postfix(parser *p)
{
    lang_node *n = primary(p);
    while (n && (next_is(p, "'") || next_is(p, "["))) {
        bool prime = next_is(p, "'");
        lang_node *of = n;
        if (!enter(p) || !(n = node(p, prime ? LANG_PRIME : LANG_INDEX, of->location))) return NULL;
        n->a = of;
        if (prime) {
            p->token++;
        } else {
            lang_node *list = bracket_list(p);
            if (!list) return NULL;
            n->b = list->a;
        }
        end_here(p, n);
    }
    return n;
}

static lang_node *negation(parser *p);

static lang_node *power(parser *p)
{
    lang_node *n = postfix(p);
    const lang_token *sign = p->token;
    return n && accept(p, "^") ? binary(p, LANG_POWER, n, sign, negation(p)) : n;
}

static lang_node *negation(parser *p)
{
    int depth = p->depth;
    const lang_token *sign = p->token;
    if (!enter(p)) return NULL;
    lang_node *n;
    if (accept(p, "-")) {
        lang_node *of = negation(p);
        n = of ? node(p, LANG_NEGATE, of->location) : NULL;
        if (n) {
            n->location.start = sign->start;
            n->sign = location_of(p, sign);
            n->a = of;
        }
    } else {
        n = power(p);
    }
    p->depth = depth;
    return n;
}

static lang_node *product(parser *p)
{
    static const struct {
        const char *sign;
        lang_kind kind;
    } signs[] = {
        {".", LANG_MULTIPLY}, {"*", LANG_MULTIPLY}, {"/", LANG_DIVIDE}, {"@", LANG_MATMUL}};
    int depth = p->depth;
    lang_node *n = negation(p);
    for (size_t i = 0; n && i < sizeof signs / sizeof *signs; i++) {
        const lang_token *sign = p->token;
        if (!accept(p, signs[i].sign)) continue;
        n = enter(p) ? binary(p, signs[i].kind, n, sign, negation(p)) : NULL;
        i = (size_t)-1;
    }
    p->depth = depth;
    return n;
}

static lang_node *sum(parser *p)
{
    int depth = p->depth;
    lang_node *n = enter(p) ? product(p) : NULL;
    while (n && (next_is(p, "+") || next_is(p, "-"))) {
        const lang_token *sign = p->token++;
        lang_kind kind = token_is(p, sign, "+") ? LANG_ADD : LANG_SUBTRACT;
        n = enter(p) ? binary(p, kind, n, sign, product(p)) : NULL;
    }
    p->depth = depth;
    return n;
}

/* unroll cell(x, ..) [for N steps], or a sum. */
static lang_node *value(parser *p)
{
    p->depth = 0;
    const lang_token *t = p->token;
    if (!next_is(p, "unroll") || t[1].kind != TOKEN_NAME) return sum(p);
    lang_node *n = node(p, LANG_UNROLL, location_of(p, t));
    p->token++;
    if (!n || !(n->a = postfix(p))) return NULL;
    if (n->a->kind != LANG_CALL) {
        rv_lang_complain(p->report, n->a->location, RV_ERROR_FORMAT,
                         "expected the cell and its input, as in: unroll curnn(x) for 2 steps");
        return NULL;
    }
    if (accept(p, "for")) {
        if (!(n->b = sum(p))) return NULL;
        if (!accept(p, "steps") && !expect(p, "step", "\"steps\"")) return NULL;
    }
    end_here(p, n);
    return n;
}

/* ---- statements ---- */

static lang_node *block(parser *p, uint32_t column);

typedef enum which { FIRST, DECLARED, ALL } which;

/* The names that a line with a mistake defines: its first one, those of a declaration, or any in it. */
static lang_node *broken(parser *p, const lang_token *t, which names)
{
    lang_node *n = node(p, LANG_BROKEN, location_of(p, t)), **list = n ? &n->a : NULL;
    const lang_token *next = p->token;
    int depth = 0;
    for (p->token = t; n && p->token->kind > TOKEN_NEWLINE; p->token++) {
        depth += next_is(p, "(") || next_is(p, "[");
        depth -= next_is(p, ")") || next_is(p, "]");
        bool before = p->token == t || token_is(p, p->token - 1, ",");
        bool defined = names == FIRST ? p->token == t : names == ALL || (before && !depth);
        if (p->token->kind != TOKEN_NAME || !defined ||
            p->token->end - p->token->start > LANG_MOST_NAME)
            continue;
        lang_node *name = name_node(p, LANG_NAME, "");
        p->token--;
        if (!name) break;
        name->number = token_is(p, p->token + 1, "'");
        *list = name;
        list = &name->next;
    }
    p->token = next;
    return n;
}

/* Past the end of the statement n; to the next statement when it is wrong. */
static bool end_line(parser *p, lang_node *n, bool ok)
{
    if (ok) end_here(p, n);
    if (ok && p->token->kind != TOKEN_NEWLINE) {
        fail(p, "the end of the line or an operator");
        ok = false;
    }
    while (p->token->kind != TOKEN_NEWLINE && p->token->kind != TOKEN_END) p->token++;
    if (p->token->kind == TOKEN_NEWLINE) p->token++;
    return ok;
}

static const char *const keywords[] = {"state", "map",       "fit",      "bias",       "gain",
                                       "input", "parameter", "constant", "activation", NULL};

/* name [sizes] [= value | ~ distribution] */
static lang_node *declared(parser *p)
{
    lang_node *n = name_node(p, LANG_DECLARED, "a name");
    if (!n) return NULL;
    if (next_is(p, "[") && !(n->a = bracket_list(p))) return NULL;
    n->number = next_is(p, "~");
    if ((accept(p, "=") || accept(p, "~")) && !(n->b = sum(p))) return NULL;
    end_here(p, n);
    return n;
}

static lang_node *declare(parser *p)
{
    lang_node *n = name_node(p, LANG_DECLARE, "a declaration"), **list = n ? &n->a : NULL;
    p->depth = 0;
    do {
        lang_node *d = n ? declared(p) : NULL;
        if (!d) return NULL;
        *list = d;
        list = &d->next;
    } while (accept(p, ","));
    return n;
}

/* for NAME from A to B, or down to B, and the body */
static lang_node *loop(parser *p, uint32_t column)
{
    const lang_token *t = p->token++;
    lang_node *n = name_node(p, LANG_FOR, "the name of a time step, as in: for t from 1 to 3");
    bool ok = n && expect(p, "from", "\"from\", as in: for t from 1 to 3") && (n->a = sum(p));
    if (ok) n->number = accept(p, "down") ? -1 : 1;
    ok = ok && expect(p, "to", "\"to\" or \"down to\"") && (n->b = sum(p));
    if (ok) n->location.start = t->start;
    ok = end_line(p, n, ok);
    lang_node *body = block(p, column);
    if (!ok) n = broken(p, t + 1, FIRST);
    if (n) n->c = body;
    return n;
}

/* target [of quantity] = value */
static lang_node *define(parser *p)
{
    p->depth = 0;
    lang_node *target = postfix(p), *of = NULL;
    if (!target) return NULL;
    if (accept(p, "of") && !(of = postfix(p))) return NULL;
    lang_node *base = target->kind == LANG_PRIME || target->kind == LANG_INDEX ? target->a : target;
    const lang_token *sign = p->token;
    if (!next_is(p, "=")) {
        rv_guess guess = {.seen = target->kind == LANG_APPLY ? target->name : ""};
        for (int i = 0; keywords[i]; i++) rv_guess_try(&guess, keywords[i]);
        fail(p,
             "\"=\" and a value; declarations start with state, map, bias, parameter, input, ..");
        if (guess.nearest) rv_lang_advise(p->report, "did you mean \"%s\"?", guess.nearest);
        return NULL;
    }
    if (base->kind != LANG_NAME) {
        rv_lang_complain(p->report, target->location, RV_ERROR_FORMAT,
                         "this cannot be given a value; write a name, as in: g = sigmoid(x)");
        return NULL;
    }
    p->token++;
    lang_node *n = binary(p, LANG_DEFINE, target, sign, value(p));
    if (n) n->c = of;
    return n;
}

static bool starts_declaration(const parser *p)
{
    const lang_token *t = p->token;
    if (t->kind != TOKEN_NAME || t[1].kind == TOKEN_SIGN) return false;
    for (int i = 0; keywords[i]; i++)
        if (token_is(p, t, keywords[i])) return true;
    return false;
}

/* A line of a body, with what is below it. NULL: memory is out. */
static lang_node *statement(parser *p)
{
    const lang_token *t = p->token;
    p->depth = 0;
    if (next_is(p, "for") && t[1].kind == TOKEN_NAME) return loop(p, t->column);
    lang_node *n = NULL;
    bool declaration = starts_declaration(p);
    bool let = next_is(p, "let") && t[1].kind == TOKEN_NAME;
    if (let) p->token++;
    if (!let && next_is(p, "return") && !token_is(p, t + 1, "=")) {
        n = node(p, LANG_RETURN, location_of(p, t));
        p->token++;
        if (n && !(n->a = sum(p))) n = NULL;
    } else {
        n = declaration ? declare(p) : define(p);
        if (n && let) n->number = 1;
    }
    if (n) n->location.start = t->start;
    if (end_line(p, n, n)) return n;
    if (!let && !declaration && t[1].kind == TOKEN_NAME) return broken(p, t, ALL); /* stat h */
    return broken(p, t + (let || declaration), declaration ? DECLARED : FIRST);
}

/* The lines indented more than `column`. */
static lang_node *block(parser *p, uint32_t column)
{
    lang_node *first = NULL, **list = &first;
    bool any = false;
    uint32_t indent = 0;
    const lang_token *above = p->token - 1;
    while (p->token->kind != TOKEN_END && p->token->column > column && !p->report->out_of_memory) {
        if (!any) indent = p->token->column;
        any = true;
        if (p->token->column != indent)
            rv_lang_complain(p->report, location_of(p, p->token), RV_ERROR_FORMAT,
                             "this line is indented by %u, the first one of its block by %u",
                             p->token->column, indent);
        lang_node *n = statement(p);
        if (!n) continue;
        *list = n;
        list = &n->next;
    }
    if (!any)
        rv_lang_complain(p->report, location_of(p, above), RV_ERROR_FORMAT,
                         "nothing follows; expected a body: lines that are indented more");
    return first;
}

/* ---- a file ---- */

/* What has a name and a body, past its first line; what is wrong keeps its name. */
static lang_node *with_body(parser *p, lang_node *n, bool ok, const lang_token *t)
{
    ok = end_line(p, n, ok);
    lang_node *body = ok || p->token->column > t->column ? block(p, t->column) : NULL;
    if (!n) return NULL;
    n->c = body;
    n->broken = !ok;
    if (!ok && (n->c = broken(p, t + 1, ALL))) n->c->next = body;
    return n;
}

/* The same without a body. */
static lang_node *one_line(parser *p, lang_node *n, bool ok)
{
    ok = end_line(p, n, ok);
    if (n) n->broken = !ok;
    return n;
}

static lang_node *argument_name(parser *p) { return name_node(p, LANG_NAME, "a name"); }

static lang_node *size_option(parser *p)
{
    if (p->token->kind == TOKEN_NAME && token_is(p, p->token + 1, "=")) return argument(p);
    return fail(p, "a size and its usual value, as in: model digits(n=2)");
}

/* function name(a, ..) = value, or with a body */
static lang_node *function(parser *p, const lang_token *t)
{
    lang_node *n = name_node(p, LANG_FUNCTION, "the function's name");
    bool ok = n && expect(p, "(", "\"(\" and the arguments' names") &&
              items(p, &n->a, argument_name, ")");
    if (ok && accept(p, "=")) return one_line(p, n, (n->b = sum(p)));
    return with_body(p, n, ok, t);
}

/* cell name[(input)] and a body, or cell name = other(option=value, ..) */
static lang_node *cell(parser *p, const lang_token *t)
{
    lang_node *n = name_node(p, LANG_CELL, "the cell's name");
    bool ok = n;
    if (ok && accept(p, "(")) ok = (n->a = argument_name(p)) && expect(p, ")", "\")\"");
    if (ok && accept(p, "=")) return one_line(p, n, (n->b = postfix(p)));
    return with_body(p, n, ok, t);
}

static lang_node *model(parser *p, const lang_token *t)
{
    lang_node *n = name_node(p, LANG_MODEL, "the model's name");
    bool ok = n && (!accept(p, "(") || items(p, &n->a, size_option, ")"));
    return with_body(p, n, ok, t);
}

/* derive loss [of model] ["title"] */
static lang_node *derive(parser *p, const lang_token *t)
{
    lang_node *n = node(p, LANG_DERIVE, location_of(p, p->token));
    bool ok = n && (n->a = name_node(p, LANG_NAME, "the loss, as in: derive loss"));
    if (ok && accept(p, "of")) ok = (n->b = name_node(p, LANG_NAME, "a model"));
    if (ok && p->token->kind == TOKEN_STRING) {
        ok = set_name(p, n, text_of(p, p->token) + 1, p->token->end - p->token->start - 2);
        p->token++;
    }
    return with_body(p, n, ok, t);
}

static lang_node *include(parser *p, const lang_token *t)
{
    (void)t;
    lang_node *n = node(p, LANG_INCLUDE, location_of(p, p->token));
    bool ok = n && p->token->kind == TOKEN_STRING;
    if (!ok) fail(p, "a file in quotes, as in: include \"gru.rv\"");
    ok = ok && set_name(p, n, text_of(p, p->token) + 1, p->token->end - p->token->start - 2);
    if (ok) p->token++;
    return end_line(p, n, ok) ? n : NULL;
}

static const struct {
    const char *word;
    lang_node *(*parse)(parser *p, const lang_token *t);
} starts[] = {{"cell", cell},
              {"model", model},
              {"function", function},
              {"derive", derive},
              {"include", include}};

static lang_node *top_level(parser *p)
{
    const lang_token *t = p->token;
    p->depth = 0;
    if (t->column > 0)
        rv_lang_complain(p->report, location_of(p, t), RV_ERROR_FORMAT,
                         "this line is indented, but belongs to nothing above");
    rv_guess guess = {.seen = ""};
    char seen[LANG_MOST_NAME + 1];
    if (t->kind == TOKEN_NAME && t->end - t->start <= LANG_MOST_NAME) {
        snprintf(seen, sizeof seen, "%.*s", (int)(t->end - t->start), text_of(p, t));
        guess.seen = seen;
    }
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        rv_guess_try(&guess, starts[i].word);
        if (!token_is(p, t, starts[i].word)) continue;
        p->token++;
        return starts[i].parse(p, t);
    }
    fail(p, "cell, model, function, derive or include");
    if (guess.nearest) rv_lang_advise(p->report, "did you mean \"%s\"?", guess.nearest);
    end_line(p, NULL, false);
    while (p->token->kind != TOKEN_END && p->token->column > t->column) end_line(p, NULL, false);
    return NULL;
}

lang_node *rv_lang_parse(const lang_source *source, const lang_tokens *tokens, lang_arena *arena,
                         lang_report *report)
{
    parser p = {source, tokens->at, arena, report, 0};
    lang_node *first = NULL, **list = &first;
    while (p.token->kind != TOKEN_END && !report->out_of_memory) {
        const lang_token *t = p.token;
        lang_node *n = top_level(&p);
        if (!n) continue;
        n->location.start = t->start;
        *list = n;
        list = &n->next;
    }
    return first;
}
