/* Statements and files. A statement with a mistake is reported and left out, and parsing continues
 * on the next line. */
#include "lang/syntax/parse.h"

#include "lang/syntax/parser.h"
#include "tensor/name_internal.h"

/* ---- statements ---- */

static lang_node *block(parser *p, uint32_t column);

typedef enum which { FIRST, DECLARED, ALL } which;

/* A node for a line with a mistake, with the names that the line defines: the first, those of a
 * declaration, or all. */
static lang_node *broken(parser *p, const lang_token *t, which names)
{
    lang_node *n = node(p, LANG_BROKEN, location_of(p, t)), **list = n ? &n->names : NULL;
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
        name->primed = token_is(p, p->token + 1, "'");
        *list = name;
        list = &name->next;
    }
    p->token = next;
    return n;
}

/* Skips the end of statement n. After a mistake, skips to the next statement. */
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

/* Skips the lines that are indented more than `column`. */
static void skip_block(parser *p, uint32_t column)
{
    while (p->token->kind != TOKEN_END && p->token->column > column) end_line(p, NULL, false);
}

static const char *const keywords[] = {"state", "map",       "fit",      "bias",       "gain",
                                       "input", "parameter", "constant", "activation", NULL};

/* name [sizes] [= value | ~ distribution] */
static lang_node *declared(parser *p)
{
    lang_node *n = name_node(p, LANG_DECLARED, "a name");
    if (!n) return NULL;
    if (next_is(p, "[") && !(n->sizes = rv_lang_parse_list(p))) return NULL;
    n->drawn = next_is(p, "~");
    if ((accept(p, "=") || accept(p, "~")) && !(n->start = rv_lang_parse_expression(p)))
        return NULL;
    end_here(p, n);
    return n;
}

static lang_node *declare(parser *p)
{
    lang_node *n = name_node(p, LANG_DECLARE, "a declaration"), **list = n ? &n->declared : NULL;
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
    bool ok = n && expect(p, "from", "\"from\", as in: for t from 1 to 3") &&
              (n->from = rv_lang_parse_expression(p));
    if (ok) n->down = accept(p, "down");
    ok = ok && expect(p, "to", "\"to\" or \"down to\"") && (n->to = rv_lang_parse_expression(p));
    if (ok) n->location.start = t->start;
    ok = end_line(p, n, ok);
    int depth = p->depth;
    lang_node *body = NULL;
    if (rv_lang_parse_deeper(p))
        body = block(p, column);
    else
        skip_block(p, column);
    p->depth = depth;
    if (!ok) n = broken(p, t + 1, FIRST);
    if (n) n->body = body;
    return n;
}

/* A name, name' or name[..]. */
static bool is_target(const lang_node *n)
{
    bool inside = n->kind == LANG_PRIME || n->kind == LANG_INDEX;
    return (inside ? n->child[0] : n)->kind == LANG_NAME;
}

/* target [, target ..] [of quantity] = value */
static lang_node *define(parser *p)
{
    lang_node *target = rv_lang_parse_postfix(p), *quantity = NULL;
    if (!target) return NULL;
    for (lang_node *last = target; accept(p, ","); last = last->next)
        if (!(last->next = rv_lang_parse_postfix(p))) return NULL;
    if (accept(p, "of") && !(quantity = rv_lang_parse_postfix(p))) return NULL;
    const lang_node *wrong = target;
    while (wrong && is_target(wrong)) wrong = wrong->next;
    const lang_token *sign = p->token;
    if (!next_is(p, "=")) {
        rv_guess guess = {
            .seen = rv_lang_to_guess(p->report, target->kind == LANG_APPLY ? target->name : "")};
        for (int i = 0; keywords[i]; i++) rv_guess_try(&guess, keywords[i]);
        fail(p,
             "\"=\" and a value; declarations start with state, map, bias, parameter, input, ..");
        rv_lang_suggest(p->report, target->sign, guess.nearest);
        return NULL;
    }
    if (wrong) {
        rv_lang_add_problem(p->report, wrong->location, RV_ERROR_FORMAT,
                            "cannot assign to this; write a name, as in: g = sigmoid(x)");
        return NULL;
    }
    p->token++;
    lang_node *value = rv_lang_parse_value(p);
    lang_node *n = value ? node(p, LANG_DEFINE, target->location) : NULL;
    if (!n) return NULL;
    n->sign = location_of(p, sign);
    n->target = target;
    n->value = value;
    n->quantity = quantity;
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

/* Parses a statement and its body. NULL when out of memory. */
static lang_node *statement(parser *p)
{
    const lang_token *t = p->token;
    if (next_is(p, "for") && t[1].kind == TOKEN_NAME) return loop(p, t->column);
    lang_node *n = NULL;
    bool declaration = starts_declaration(p);
    bool let = next_is(p, "let") && t[1].kind == TOKEN_NAME;
    if (let) p->token++;
    if (!let && next_is(p, "return") && !token_is(p, t + 1, "=")) {
        n = node(p, LANG_RETURN, location_of(p, t));
        p->token++;
        if (n && !(n->value = rv_lang_parse_expression(p))) n = NULL;
    } else {
        n = declaration ? declare(p) : define(p);
        if (n && let) n->helper = true;
    }
    if (n) n->location.start = t->start;
    if (end_line(p, n, n)) return n;
    if (!let && !declaration && t[1].kind == TOKEN_NAME) return broken(p, t, ALL); /* stat h */
    return broken(p, t + (let || declaration), declaration ? DECLARED : FIRST);
}

/* Parses the lines that are indented more than `column`. */
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
            rv_lang_add_problem(p->report, location_of(p, p->token), RV_ERROR_FORMAT,
                                "this line is indented by %u, the first one of its block by %u",
                                p->token->column, indent);
        int depth = p->depth;
        lang_node *n = statement(p);
        p->depth = depth;
        if (!n) continue;
        *list = n;
        list = &n->next;
    }
    if (!any)
        rv_lang_add_problem(p->report, location_of(p, above), RV_ERROR_FORMAT,
                            "expected a body below: lines that are indented more");
    return first;
}

/* ---- a file ---- */

/* Parses the body below a first line. A node with a mistake in that line keeps its name. */
static lang_node *with_body(parser *p, lang_node *n, bool ok, const lang_token *t)
{
    ok = end_line(p, n, ok);
    lang_node *body = ok || p->token->column > t->column ? block(p, t->column) : NULL;
    if (!n) return NULL;
    n->body = body;
    n->broken = !ok;
    if (!ok && (n->body = broken(p, t + 1, ALL))) n->body->next = body;
    return n;
}

/* Parses the end of a definition without a body. */
static lang_node *one_line(parser *p, lang_node *n, bool ok)
{
    ok = end_line(p, n, ok);
    if (n) n->broken = !ok;
    return n;
}

static lang_node *argument_name(parser *p) { return name_node(p, LANG_NAME, "a name"); }

static lang_node *size_option(parser *p)
{
    if (p->token->kind == TOKEN_NAME && token_is(p, p->token + 1, "="))
        return rv_lang_parse_argument(p);
    return fail(p, "a size and its default, as in: model digits(n=2)");
}

/* function name(a, ..) = value, or with a body */
static lang_node *function(parser *p, const lang_token *t)
{
    lang_node *n = name_node(p, LANG_FUNCTION, "the function's name");
    bool ok = n && expect(p, "(", "\"(\" and the arguments' names") &&
              rv_lang_parse_items(p, &n->arguments, argument_name, ")");
    if (ok && accept(p, "=")) return one_line(p, n, (n->value = rv_lang_parse_expression(p)));
    return with_body(p, n, ok, t);
}

/* cell name[(input, ..)] and a body, or cell name = other(option=value, ..) */
static lang_node *cell(parser *p, const lang_token *t)
{
    lang_node *n = name_node(p, LANG_CELL, "the cell's name");
    bool ok = n;
    if (ok && accept(p, "(")) ok = rv_lang_parse_items(p, &n->input, argument_name, ")");
    if (ok && accept(p, "=")) return one_line(p, n, (n->alias = rv_lang_parse_postfix(p)));
    return with_body(p, n, ok, t);
}

static lang_node *model(parser *p, const lang_token *t)
{
    lang_node *n = name_node(p, LANG_MODEL, "the model's name");
    bool ok = n && (!accept(p, "(") || rv_lang_parse_items(p, &n->arguments, size_option, ")"));
    return with_body(p, n, ok, t);
}

/* derive loss [of model] ["title"] */
static lang_node *derive(parser *p, const lang_token *t)
{
    lang_node *n = node(p, LANG_DERIVE, location_of(p, p->token));
    bool ok = n && (n->loss = name_node(p, LANG_NAME, "the loss, as in: derive loss"));
    if (ok && accept(p, "of")) ok = (n->model = name_node(p, LANG_NAME, "a model"));
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
        rv_lang_add_problem(p->report, location_of(p, t), RV_ERROR_FORMAT,
                            "this line is indented, but belongs to nothing above");
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        if (!token_is(p, t, starts[i].word)) continue;
        p->token++;
        return starts[i].parse(p, t);
    }
    rv_guess guess = {0};
    char seen[LANG_MOST_NAME + 1];
    if (t->kind == TOKEN_NAME && t->end - t->start <= LANG_MOST_NAME) {
        snprintf(seen, sizeof seen, "%.*s", (int)(t->end - t->start), text_of(p, t));
        guess.seen = rv_lang_to_guess(p->report, seen);
    }
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        rv_guess_try(&guess, starts[i].word);
    fail(p, "cell, model, function, derive or include");
    rv_lang_suggest(p->report, location_of(p, t), guess.nearest);
    end_line(p, NULL, false);
    skip_block(p, t->column);
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
