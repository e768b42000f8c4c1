#include "lang/judge/slips.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lang/syntax/parse.h"
#include "ops/ops.h"

/* In order of trial. "@@" is the shape of the cotangent. */
static const struct {
    unsigned group;
    const char *written, *meant;
} slips[] = {
    {SLIP_STEP, "t", "t - 1"},
    {SLIP_STEP, "t", "t + 1"},
    {SLIP_STEP, "t - m", "t"},
    {SLIP_STEP, "t - m", "t + m"},
    {SLIP_STEP, "t + m", "t"},
    {SLIP_STEP, "t + m", "t - m"},
    {SLIP_STEP, "q", "q"}, /* the same series, a step before or after */

    {SLIP_FACTOR, "a.b.(1 - b)", "a.(1 - b^2)"},
    {SLIP_FACTOR, "a.(1 - b^2)", "a.b.(1 - b)"},
    /* the diagonal of the Jacobian of a softmax for all of it */
    {SLIP_FACTOR, "a.b.(1 - b)", "b.(a - sum(a.b, axes=[-1], keep=true))"},
    {SLIP_FACTOR, "b.(1 - b).a", "b.(a - sum(a.b, axes=[-1], keep=true))"},
    {SLIP_FACTOR, "a.log(b)", "a / b"},

    {SLIP_SIGN, "a - b", "b - a"},
    {SLIP_SIGN, "a", "-a"},
    {SLIP_SIGN, "a + b", "a - b"},
    {SLIP_SIGN, "a + b", "b - a"},
    {SLIP_SIGN, "a + b", "a.b"},
    {SLIP_SIGN, "a + b", "a / b"},
    {SLIP_SIGN, "a - b", "a + b"},
    {SLIP_SIGN, "a - b", "a.b"},
    {SLIP_SIGN, "a - b", "a / b"},
    {SLIP_SIGN, "a.b", "a + b"},
    {SLIP_SIGN, "a.b", "a - b"},
    {SLIP_SIGN, "a.b", "a / b"},
    {SLIP_SIGN, "a / b", "a.b"},
    {SLIP_SIGN, "a / b", "a + b"},
    {SLIP_SIGN, "a / b", "a - b"},

    {SLIP_SIGN, "a < b", "a > b"},
    {SLIP_SIGN, "a > b", "a < b"},

    {SLIP_NAME, "q", "q"},

    {SLIP_LESS, "a + b", "a"},
    {SLIP_LESS, "a + b", "b"},
    {SLIP_LESS, "a - b", "a"},
    {SLIP_LESS, "a - b", "b"},
    {SLIP_LESS, "a.b", "a"},
    {SLIP_LESS, "a.b", "b"},
    {SLIP_LESS, "a / b", "a"},
    {SLIP_LESS, "a @ b", "a"},
    {SLIP_LESS, "a @ b", "b"},
    {SLIP_LESS, "a^b", "a"},
    {SLIP_LESS, "-a", "a"},
    {SLIP_LESS, "a'", "a"},
    {SLIP_LESS, "f(a)", "a"},

    {SLIP_STEP, "m", "m + 1"},
    {SLIP_STEP, "m", "m - 1"},

    {SLIP_MORE, "a", "a^2"},
    {SLIP_MORE, "a", "1 - a"},
    {SLIP_MORE, "a", "1 + a"},
    {SLIP_MORE, "a' @ b", "b' @ a"},
    {SLIP_MORE, "a", "a'"},
    {SLIP_MORE, "a @ b", "a.b"},
    {SLIP_MORE, "a.b", "a @ b"},
    {SLIP_MORE, "a @ b", "b @ a"},
    {SLIP_MORE, "a @ b", "b' @ a"},
    {SLIP_MORE, "a @ b", "b @ a'"},
    {SLIP_MORE, "a", "rot180(a)"},
    {SLIP_MORE, "a", "crop1(a)"},
    {SLIP_MORE, "a", "pad1(a)"},
    {SLIP_MORE, "a", "flatten(a)"},
    {SLIP_MORE, "a", "tanh(a)"},
    {SLIP_MORE, "a", "sigmoid(a)"},
    {SLIP_MORE, "a", "exp(a)"},
    {SLIP_MORE, "a", "relu(a)"},
    {SLIP_MORE, "tanh(a)", "sigmoid(a)"},
    {SLIP_MORE, "sigmoid(a)", "tanh(a)"},
    {SLIP_MORE, "mean(a)", "sum(a)"},
    {SLIP_MORE, "sum(a)", "mean(a)"},
    {SLIP_MORE, "a", "sum(a)"},
    {SLIP_MORE, "a", "sum(a, axes=[0])"},
    {SLIP_MORE, "a", "sum(a, axes=[1])"},
    {SLIP_MORE, "a", "sum(a, axes=[1, 2])"},
    {SLIP_MORE, "a", "sum(a, axes=[0, 2, 3])"},
    {SLIP_MORE, "sum(a)", "sum(a, axes=[0])"},
    {SLIP_MORE, "a", "reshape(a, shape=@@)"},
    {SLIP_MORE, "a", "broadcast(a, shape=@@)"},

    {SLIP_MORE, "a", "n.a"},
    {SLIP_MORE, "a", "a / n"},
    {SLIP_MORE, "a", "a / sqrt(n)"},

    {SLIP_FACTOR, "a", "s"},
    {SLIP_FACTOR, "a", "a.s"},
    {SLIP_FACTOR, "a", "a / v"},
    {SLIP_FACTOR, "a / b", "a.s"},
    {SLIP_FACTOR, "a.b", "a / v"},
    {SLIP_TERM, "a", "a - q"},
    {SLIP_TERM, "a", "q - a"},
    {SLIP_TERM, "a", "a.p"},

    {SLIP_PATH, "a", "a + p"},
    {SLIP_TERM, "a", "a + p"},
    {SLIP_TERM, "a", "a - p"},
};

/* The pools: slopes, divisors, and paths of a cotangent. A name q is a slope, too, and a cotangent
 * d a path. */
static const struct {
    char pool, second;
    const char *pattern;
} recipes[] = {
    {'s', 0, "1 - q"},         {'s', 0, "1 - q^2"},
    {'s', 0, "q.(1 - q)"},     {'s', 0, "q > 0"}, /* where a rectifier lets through */
    {'s', 0, "1 - tanh(q)^2"}, {'s', 0, "sigmoid(q).(1 - sigmoid(q))"},
    {'v', 0, "1 + q^2"}, /* of an arctan */
    {'p', 'd', "q.d"},         {'p', 'd', "(1 - q).d"},
    {'p', 'd', "d @ q'"},      {'p', 'd', "q' @ d"},
};

static const char *const steps[LANG_STEPS] = {"q[t]", "q[t - 1]", "q[t + 1]"};

enum {
    SLIPS = sizeof slips / sizeof *slips,
    RECIPES = sizeof recipes / sizeof *recipes,
    MOST_FUNCTIONS = 8, /* of the text */
    LINE = 256
};

static char variable(const lang_node *e)
{
    return e->kind == LANG_NAME && !e->name[1] && islower((unsigned char)*e->name) ? *e->name : 0;
}

/* Finds the ops and functions that a pattern calls, and the pool that it draws on. */
static void prepare(lang_scope *scope, lang_node *e, char *pool)
{
    for (; e; e = e->next) {
        if (e->kind == LANG_CALL && !(e->op = rv_op_find(e->name)))
            e->block = rv_lang_find(scope, LANG_FUNCTION, e->name);
        if (variable(e) && strchr("nqsvp", variable(e))) *pool = variable(e);
        for (int i = 0; i < 3; i++) prepare(scope, e->child[i], pool);
    }
}

/* Patterns with commas between, as a list. NULL: out of memory. */
static lang_node *parse(lang_scope *scope, lang_arena *arena, const char *patterns, char *pool)
{
    char text[LINE];
    lang_tokens tokens = {0};
    lang_report report = {0};
    lang_node *tree = NULL;
    int length = snprintf(text, sizeof text, "function f() = [%s]\n", patterns);
    lang_source *source = rv_lang_allocate(arena, sizeof *source);
    const char *copy = rv_lang_copy(arena, text, (size_t)length);
    if (!source || !copy) return NULL;
    *source = (lang_source){.path = "", .text = copy, .size = (size_t)length};
    if (rv_lang_tokenize(source, &tokens, &report))
        tree = rv_lang_parse(source, &tokens, arena, &report);
    rv_lang_free_tokens(&tokens);
    rv_lang_free_report(&report);
    if (!tree || !tree->value) return NULL;
    prepare(scope, tree->value->items, pool);
    return tree->value->items;
}

/* "@@" in what was meant is the shape of the cotangent. */
static bool add_slip(lang_slips *made, lang_scope *scope, lang_arena *arena, unsigned group,
                     const char *written, const char *meant, const char *shape)
{
    char text[LINE];
    const char *hole = strstr(meant, "@@");
    lang_slip *slip = &made->slip[made->slips];
    snprintf(text, sizeof text, "%s, %.*s%s%s", written,
             (int)(hole ? (size_t)(hole - meant) : strlen(meant)), meant, hole ? shape : "",
             hole ? hole + 2 : "");
    slip->group = group;
    if (!(slip->written = parse(scope, arena, text, &slip->pool))) return false;
    slip->meant = slip->written->next;
    slip->written->next = NULL;
    made->slips++;
    return true;
}

static bool add_recipe(lang_slips *made, lang_scope *scope, lang_arena *arena, char pool,
                       char second, const char *text)
{
    char ignored;
    lang_recipe *recipe = &made->recipe[made->recipes++];
    recipe->pool = pool;
    recipe->second = second;
    recipe->pattern = parse(scope, arena, text, &ignored);
    return recipe->pattern;
}

/* The functions of the text: of one value, as if forgotten, and in the mask of a maximum; of two,
 * as paths. */
static bool add_functions(lang_slips *made, lang_scope *scope, lang_arena *arena)
{
    bool ok = true;
    int most = MOST_FUNCTIONS;
    for (const lang_block *b = scope->first; ok && b && most; b = b->next) {
        char call[LINE];
        if (b->node->kind != LANG_FUNCTION || b->wrong || b->arguments < 1 || b->arguments > 2)
            continue;
        most--;
        if (b->arguments == 2) {
            snprintf(call, sizeof call, "%s(q, d)", b->name);
            ok = add_recipe(made, scope, arena, 'p', 'd', call);
            continue;
        }
        snprintf(call, sizeof call, "%s(a)", b->name);
        ok = add_slip(made, scope, arena, SLIP_MORE, "a", call, "");
        snprintf(call, sizeof call, "equal(q, %s(r))", b->name);
        ok = ok && add_recipe(made, scope, arena, 's', 'r', call);
    }
    return ok;
}

bool rv_lang_make_slips(lang_slips *made, lang_scope *scope, lang_arena *arena, rv_shape shape)
{
    char text[RV_SHAPE_TEXT];
    *made = (lang_slips){
        .slip = rv_lang_allocate(arena, (SLIPS + MOST_FUNCTIONS) * sizeof *made->slip),
        .recipe = rv_lang_allocate(arena, (RECIPES + MOST_FUNCTIONS) * sizeof *made->recipe)};
    bool ok = made->slip && made->recipe && add_functions(made, scope, arena);
    rv_shape_text(shape, text);
    for (int i = 0; ok && i < SLIPS; i++)
        ok = add_slip(made, scope, arena, slips[i].group, slips[i].written, slips[i].meant, text);
    for (int i = 0; ok && i < RECIPES; i++)
        ok = add_recipe(made, scope, arena, recipes[i].pool, recipes[i].second, recipes[i].pattern);
    for (int i = 0; ok && i < LANG_STEPS; i++)
        ok = (made->step[i] = parse(scope, arena, steps[i], &(char){0}));
    return ok;
}

/* ---- patterns ---- */

bool rv_lang_matches(const lang_node *pattern, const lang_node *e, lang_bound *bound)
{
    char letter = variable(pattern);
    if (letter == 'm' && e->kind != LANG_NUMBER) return false;
    if (letter == 't' && (e->kind != LANG_NAME || e->symbol < 0 ||
                          bound->block->symbol[e->symbol].kind != SYMBOL_SIZE))
        return false;
    if (letter == 'q' && e->kind != LANG_NAME &&
        (e->kind != LANG_INDEX || e->base->kind != LANG_NAME))
        return false;
    if (letter) {
        const lang_node **known = &bound->letter[letter - 'a'];
        if (!*known) *known = e;
        return *known == e || rv_lang_same(*known, e);
    }
    if (pattern->kind != e->kind) return false;
    if (e->kind == LANG_NUMBER) return e->number == pattern->number;
    if (e->kind == LANG_CALL) { /* the letter stands for all arguments */
        bool any = variable(&(lang_node){.kind = LANG_NAME, .name = pattern->name});
        if (!any && strcmp(pattern->name, e->name) != 0) return false;
        bound->letter[*pattern->arguments->name - 'a'] = e->arguments;
        return e->arguments && e->arguments->kind != LANG_OPTION;
    }
    for (int i = 0; i < 2; i++)
        if (pattern->child[i] && !rv_lang_matches(pattern->child[i], e->child[i], bound))
            return false;
    return true;
}

/* 3 + 1 is written 4. */
static void fold(lang_node *e)
{
    if ((e->kind != LANG_ADD && e->kind != LANG_SUBTRACT) || e->left->kind != LANG_NUMBER ||
        e->right->kind != LANG_NUMBER)
        return;
    double sign = e->kind == LANG_ADD ? 1 : -1;
    e->number = e->left->number + sign * e->right->number;
    e->kind = LANG_NUMBER;
    e->left = e->right = NULL;
}

/* The names in patterns that are no letters are built in: true, false. */
static int built_in(const lang_block *block, const char *name)
{
    for (int i = 0; block && i < block->symbols; i++)
        if (block->symbol[i].kind == SYMBOL_SIZE && !strcmp(block->symbol[i].name, name)) return i;
    return -1;
}

lang_node *rv_lang_instance(lang_arena *arena, const lang_node *pattern, const lang_bound *bound,
                            lang_location location)
{
    lang_node *first = NULL, **to = &first;
    for (; pattern; pattern = pattern->next) {
        char letter = variable(pattern);
        const lang_node *is = letter ? bound->letter[letter - 'a'] : NULL;
        lang_node *e = rv_lang_allocate(arena, sizeof *e);
        if (!e) return NULL;
        *e = is ? *is : *pattern;
        if (!is) e->location = e->sign = location;
        if (!is && e->kind == LANG_NAME && e->symbol < 0)
            e->symbol = built_in(bound->block, e->name);
        for (int i = 0; !is && i < 3; i++)
            if (e->child[i] &&
                !(e->child[i] = rv_lang_instance(arena, e->child[i], bound, location)))
                return NULL;
        fold(e);
        *to = e; /* the last one keeps what follows the expression that a letter stands for */
        to = &e->next;
    }
    return first;
}
