/* Expressions, from the loosest operator to the tightest. */
#include "lang/syntax/parser.h"
#include "tensor/text_internal.h"

static lang_location whole(const lang_node *first, const lang_node *last)
{
    return (lang_location){first->location.source, first->location.start, last->location.end};
}

LANG_APART static bool fits(parser *p, int height)
{
    if (p->depth + height <= LANG_DEEPEST) return true;
    rv_lang_add_problem(
        p->report, location_of(p, p->token), RV_ERROR_FORMAT,
        "more than %d nested brackets, operators and loops; name a part on a line of its own",
        LANG_DEEPEST);
    return false;
}

bool rv_lang_parse_deeper(parser *p) { return ++p->depth, fits(p, 0); }

/* Completes an operation. The operands on its left may be as high as a tree here may be. */
static lang_node *operation(parser *p, lang_node *n)
{
    measure(n);
    return fits(p, n->height) ? n : NULL;
}

static lang_node *binary(parser *p, lang_kind kind, lang_node *left, const lang_token *sign,
                         lang_node *right)
{
    lang_node *n = left && right ? node(p, kind, whole(left, right)) : NULL;
    if (!n) return NULL;
    n->sign = location_of(p, sign);
    n->left = left;
    n->right = right;
    return operation(p, n);
}

bool rv_lang_parse_items(parser *p, lang_node **list, lang_node *(*item)(parser *p),
                         const char *close)
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

lang_node *rv_lang_parse_argument(parser *p)
{
    const lang_token *t = p->token;
    if (t->kind != TOKEN_NAME || !token_is(p, t + 1, "=")) return rv_lang_parse_expression(p);
    lang_node *n = name_node(p, LANG_OPTION, "a name");
    if (!n) return NULL;
    p->token++;
    n->value = rv_lang_parse_expression(p);
    if (!n->value) return NULL;
    end_here(p, n);
    return n;
}

/* An index: an expression, _, or first : end. */
static lang_node *index_item(parser *p)
{
    const lang_token *t = p->token;
    if (accept(p, "_")) return node(p, LANG_HOLE, location_of(p, t));
    lang_node *from = next_is(p, ":") ? NULL : rv_lang_parse_expression(p);
    if (!from && !next_is(p, ":")) return NULL;
    if (!next_is(p, ":")) return from;
    lang_node *n = node(p, LANG_RANGE, location_of(p, t));
    p->token++;
    if (!n) return NULL;
    n->first = from;
    if (!next_is(p, "]") && !next_is(p, ",") && !(n->end = rv_lang_parse_expression(p)))
        return NULL;
    end_here(p, n);
    return n;
}

lang_node *rv_lang_parse_list(parser *p)
{
    lang_node *n = node(p, LANG_LIST, location_of(p, p->token));
    p->token++;
    if (!n || !rv_lang_parse_items(p, &n->items, index_item, "]")) return NULL;
    end_here(p, n);
    return n;
}

static bool starts_operand(const parser *p)
{
    static const char *const words[] = {"of", "for", "from", "to", "down", "steps", "step"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (next_is(p, words[i])) return false;
    return p->token->kind == TOKEN_NAME;
}

/* sum(t from A to B: value), stack(t from A to B: value, axis=1) */
static lang_node *over_loop(parser *p)
{
    const lang_token *t = p->token;
    lang_node *of = name_node(p, LANG_NAME, "a name");
    p->token++;
    lang_node *n = of ? name_node(p, LANG_OVER, "a name") : NULL;
    if (!n) return NULL;
    n->word = of->name;
    p->token++;
    if (!(n->from = rv_lang_parse_expression(p)) ||
        !expect(p, "to", "\"to\", as in: sum(t from 1 to 3: ..)") ||
        !(n->to = rv_lang_parse_expression(p)) ||
        !expect(p, ":", "\":\" and the value of each step") ||
        !(n->term = rv_lang_parse_expression(p)) ||
        (accept(p, ",") ? !rv_lang_parse_items(p, &n->term->next, rv_lang_parse_argument, ")")
                        : !expect(p, ")", "\")\"")))
        return NULL;
    n->location.start = t->start;
    end_here(p, n);
    return n;
}

/* name, name(arguments), or name operand: a map of it. */
static lang_node *named(parser *p)
{
    const lang_token *t = p->token;
    if (token_is(p, t + 1, "(") && t[2].kind == TOKEN_NAME && token_is(p, t + 3, "from"))
        return over_loop(p);
    lang_node *n = name_node(p, LANG_NAME, "a value");
    if (!n) return NULL;
    if (next_is(p, "(")) {
        n->kind = LANG_CALL;
        n->spaced = p->token->start > n->location.end;
        p->token++;
        if (!rv_lang_parse_items(p, &n->arguments, rv_lang_parse_argument, ")")) return NULL;
    } else if (starts_operand(p)) {
        if (!strcmp(n->name, "unroll")) {
            rv_lang_add_problem(p->report, n->location, RV_ERROR_FORMAT,
                                "unroll stands alone in a line, as in: h = unroll gru(x)");
            return NULL;
        }
        n->kind = LANG_APPLY;
        if (!rv_lang_parse_deeper(p) || !(n->operand = rv_lang_parse_postfix(p))) return NULL;
        p->depth--;
    }
    end_here(p, n);
    return n;
}

LANG_APART static lang_node *number(parser *p)
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

LANG_APART static lang_node *primary(parser *p)
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
    if (next_is(p, "[")) return rv_lang_parse_list(p);
    if (!accept(p, "(")) return fail(p, "a value");
    lang_node *n = rv_lang_parse_expression(p);
    if (!n || !expect(p, ")", "\")\" or an operator")) return NULL;
    n->location.start = t->start;
    end_here(p, n);
    return n;
}

static lang_node *prime(parser *p, lang_node *operand)
{
    lang_node *n = node(p, LANG_PRIME, operand->location);
    if (!n) return NULL;
    n->operand = operand;
    p->token++;
    return n;
}

static lang_node *index_of(parser *p, lang_node *base)
{
    lang_node *n = node(p, LANG_INDEX, base->location), *list = n ? rv_lang_parse_list(p) : NULL;
    if (!list) return NULL;
    n->base = base;
    n->indices = list->items;
    return n;
}

lang_node *rv_lang_parse_postfix(parser *p)
{
    lang_node *n = primary(p);
    while (n && (next_is(p, "'") || next_is(p, "["))) {
        n = next_is(p, "'") ? prime(p, n) : index_of(p, n);
        if (n) end_here(p, n);
        if (n) n = operation(p, n);
    }
    return n;
}

static lang_node *negation(parser *p);

static lang_node *power(parser *p)
{
    lang_node *n = rv_lang_parse_postfix(p);
    const lang_token *sign = p->token;
    if (!n || !accept(p, "^")) return n;
    return rv_lang_parse_deeper(p) ? binary(p, LANG_POWER, n, sign, negation(p)) : NULL;
}

static lang_node *negation(parser *p)
{
    int depth = p->depth;
    const lang_token *sign = p->token;
    lang_node *n;
    if (accept(p, "-")) {
        lang_node *of = rv_lang_parse_deeper(p) ? negation(p) : NULL;
        n = of ? node(p, LANG_NEGATE, of->location) : NULL;
        if (n) {
            n->location.start = sign->start;
            n->sign = location_of(p, sign);
            n->operand = of;
            measure(n);
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
    lang_node *n = negation(p);
    for (size_t i = 0; n && i < sizeof signs / sizeof *signs; i++) {
        const lang_token *sign = p->token;
        if (!accept(p, signs[i].sign)) continue;
        n = binary(p, signs[i].kind, n, sign, negation(p));
        i = (size_t)-1;
    }
    return n;
}

static lang_node *sum(parser *p)
{
    int depth = p->depth;
    lang_node *n = rv_lang_parse_deeper(p) ? product(p) : NULL;
    while (n && (next_is(p, "+") || next_is(p, "-"))) {
        const lang_token *sign = p->token++;
        lang_kind kind = token_is(p, sign, "+") ? LANG_ADD : LANG_SUBTRACT;
        n = binary(p, kind, n, sign, product(p));
    }
    p->depth = depth;
    return n;
}

/* The kind of the comparison whose sign is next, or LANG_NUMBER. */
static lang_kind next_comparison(const parser *p)
{
    return next_is(p, "<")    ? LANG_LESS
           : next_is(p, "<=") ? LANG_LESS_EQUAL
           : next_is(p, ">")  ? LANG_GREATER
           : next_is(p, ">=") ? LANG_GREATER_EQUAL
                              : LANG_NUMBER;
}

/* A sum, or one comparison of two. */
lang_node *rv_lang_parse_expression(parser *p)
{
    lang_node *n = sum(p);
    const lang_token *sign = p->token;
    lang_kind kind = next_comparison(p);
    if (!n || kind == LANG_NUMBER) return n;
    p->token++;
    n = binary(p, kind, n, sign, sum(p));
    if (n && next_comparison(p) != LANG_NUMBER)
        return fail(p, "one comparison; a product is 1 where both hold: (0 < x).(x < 1)");
    return n;
}

/* unroll cell(x, ..) [for N steps] [all layers], or with: all [N] steps, or another expression. */
lang_node *rv_lang_parse_value(parser *p)
{
    const lang_token *t = p->token;
    if (!next_is(p, "unroll") || t[1].kind != TOKEN_NAME) return rv_lang_parse_expression(p);
    lang_node *n = node(p, LANG_UNROLL, location_of(p, t));
    p->token++;
    if (!n || !(n->call = rv_lang_parse_postfix(p))) return NULL;
    if (n->call->kind != LANG_CALL) {
        rv_lang_add_problem(p->report, n->call->location, RV_ERROR_FORMAT,
                            "expected the cell and its input, as in: unroll curnn(x) for 2 steps");
        return NULL;
    }
    n->whole = next_is(p, "all") && !token_is(p, p->token + 1, "layers") && accept(p, "all");
    bool counted = n->whole ? !next_is(p, "steps") : accept(p, "for");
    if (counted && !(n->steps = rv_lang_parse_expression(p))) return NULL;
    if ((counted || n->whole) && !accept(p, "steps") && !expect(p, "step", "\"steps\""))
        return NULL;
    if (!n->whole && accept(p, "all")) {
        if (!expect(p, "layers", "\"layers\", as in: h = unroll gru(x, layers=2) all layers"))
            return NULL;
        n->layers = true;
    }
    end_here(p, n);
    return n;
}
