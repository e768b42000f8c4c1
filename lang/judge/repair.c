/* What would make a wrong line right. The line is changed in one place or two, by the usual slips. The variants are recorded
 * beside it, and the first that equals the true cotangent is the repair. */
#include "lang/judge/repair.h"

#include <stdio.h>
#include <string.h>

#include "autograd/feed.h"
#include "autograd/gradcheck.h"
#include "autograd/program.h"
#include "lang/record/evaluate.h"
#include "lang/record/quantity.h"
#include "lang/syntax/print.h"
#include "tensor/memory.h"

enum {
    MOST_VARIANTS = 4000,
    MOST_QUANTITIES = 200,
    MOST_SITES = 60,
    MOST_ELEMENTS = 4096,
    MOST_TRIED = 100000
};

typedef struct variant {
    rv_var value;
    char text[LANG_REPAIR];
} variant;

typedef struct search {
    lang_proof *proof;
    lang_run *run;
    const lang_line *line;
    lang_work work;                      /* of the variants: those that fail are skipped */
    lang_node quantity[MOST_QUANTITIES]; /* names that may be missing */
    char name[MOST_QUANTITIES][LANG_MOST_NAME + 24];
    int quantities;
    variant *variant;
    int variants;
    bool deep;               /* search on from each variant */
    unsigned second;         /* with these kinds of edits */
    bool again;              /* the line has been changed once */
    char found[LANG_REPAIR]; /* "": nothing yet */
    int64_t left, cost;      /* work on variants; that on one of them */
} search;

/* ---- names that may stand in the line ---- */

static void add_quantity(search *s, int symbol, int64_t time, const char *name)
{
    if (s->quantities == MOST_QUANTITIES) return;
    char *text = s->name[s->quantities];
    bool brackets = s->line->statement->target->kind == LANG_INDEX; /* as the author writes */
    if (time >= 0)
        snprintf(text, sizeof s->name[0], brackets ? "%.*s[%lld]" : "%.*s%lld", LANG_MOST_NAME,
                 name, (long long)time);
    else
        snprintf(text, sizeof s->name[0], "%.*s", LANG_MOST_NAME, name);
    s->quantity[s->quantities++] = (lang_node){.kind = LANG_NAME,
                                               .location = s->line->statement->location,
                                               .sign = s->line->statement->location,
                                               .name = text,
                                               .symbol = symbol,
                                               .time = (int)time};
}

/* The cotangents of the lines before, then values. */
static void find_quantities(search *s)
{
    const lang_block *b = s->run->block;
    for (int i = 0; i < b->symbols; i++) {
        const lang_symbol *symbol = &b->symbol[i];
        if (symbol->kind != SYMBOL_COTANGENT) continue;
        char name[LANG_MOST_NAME + 2];
        snprintf(name, sizeof name, "%s%.*s", symbol->definition ? "" : "d", LANG_MOST_NAME,
                 symbol->definition ? symbol->name : b->symbol[symbol->target].name);
        for (size_t l = 0; l < s->proof->visible; l++) {
            const lang_line *line = &s->proof->lines[l];
            if (line->target == symbol->target && (symbol->time < 0 || symbol->time == line->time))
                add_quantity(s, i, symbol->definition ? -1 : line->time, name);
        }
    }
    for (int i = 0; i < b->symbols; i++) {
        const lang_symbol *symbol = &b->symbol[i];
        bool single = symbol->kind == SYMBOL_VALUE || symbol->kind == SYMBOL_INPUT ||
                      symbol->kind == SYMBOL_PARAMETER || symbol->kind == SYMBOL_CONSTANT ||
                      symbol->kind == SYMBOL_WEIGHT;
        if (single && !rv_is_null(rv_lang_quantity(s->run, i, -1)))
            add_quantity(s, i, -1, symbol->name);
        int64_t last = symbol->kind == SYMBOL_TRACE    ? s->run->trace[symbol->unroll].steps
                       : symbol->kind == SYMBOL_SERIES ? s->run->times[i] - 1
                                                       : -1;
        for (int64_t t = 0; t <= last && t <= 20; t++)
            if (!rv_is_null(rv_lang_quantity(s->run, i, t))) add_quantity(s, i, t, symbol->name);
    }
}

/* ---- variants ---- */

static rv_var value_of(search *s, const lang_node *e)
{
    rv_error ignored;
    s->work.reported = s->work.stopped = false;
    s->work.left = LANG_MOST_WORK;
    rv_var v = rv_lang_evaluate_var(s->run, e);
    if (rv_tape_take_error(s->proof->tape, &ignored)) return (rv_var){s->proof->tape, -1};
    return v;
}

static void search_on(search *s);

/* The line as its tree is now, with `site` changed. */
static void try_variant(search *s, const lang_node *site, const char *old)
{
    if (s->variants == MOST_VARIANTS || *s->found || s->left <= 0) return;
    s->left -= s->cost;
    rv_var v = value_of(s, s->line->statement->value);
    if (rv_is_null(v) || !rv_shape_equal(rv_shape_of(v), rv_shape_of(s->line->truth)) ||
        rv_dtype_of(v) != rv_dtype_of(s->line->truth) || v.id == s->line->value.id)
        return;
    if (s->deep) {
        search_on(s);
        return;
    }
    char text[LANG_REPAIR];
    variant *new = &s->variant[s->variants++];
    new->value = v;
    if (s->again)
        snprintf(new->text, sizeof new->text, "as %s",
                 rv_lang_expression(s->line->statement->value, text, sizeof text - 4));
    else
        snprintf(new->text, sizeof new->text, "with %.190s instead of %.190s",
                 rv_lang_expression(site, text, sizeof text), old);
}

static lang_node binary(lang_kind kind, const lang_node *like, lang_node *a, lang_node *b)
{
    return (lang_node){.kind = kind,
                       .location = like->location,
                       .sign = like->sign,
                       .left = a,
                       .right = b,
                       .next = like->next,
                       .symbol = -1,
                       .time = -1};
}

static lang_node number(const lang_node *like, double value)
{
    return (lang_node){
        .kind = LANG_NUMBER, .location = like->location, .number = value, .symbol = -1, .time = -1};
}

/* Twice or half of it, and so on; as many times as a size says. */
static void multiples(search *s, lang_node *site, const lang_node *was, const char *old)
{
    static const double usual[] = {2, 3, 4, 5, 8, 10};
    const lang_block *b = s->run->block;
    lang_node whole = *was;
    whole.next = NULL;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        lang_node factor = number(was, usual[i]);
        *site = binary(LANG_MULTIPLY, was, &factor, &whole);
        try_variant(s, site, old);
        *site = binary(LANG_DIVIDE, was, &whole, &factor);
        try_variant(s, site, old);
    }
    for (int i = 0; i < b->symbols; i++) {
        if (b->symbol[i].kind != SYMBOL_SIZE || !b->symbol[i].definition) continue;
        lang_node size = {.kind = LANG_NAME,
                          .location = was->location,
                          .sign = was->location,
                          .name = b->symbol[i].name,
                          .symbol = i,
                          .time = -1};
        *site = binary(LANG_MULTIPLY, was, &size, &whole);
        try_variant(s, site, old);
        *site = binary(LANG_DIVIDE, was, &whole, &size);
        try_variant(s, site, old);
    }
}

/* Another name, or the same at another time. */
static void other_names(search *s, lang_node *site, const lang_node *was, const char *old)
{
    bool leaf = was->kind == LANG_NAME || (was->kind == LANG_INDEX && was->base->kind == LANG_NAME);
    rv_var now = leaf ? value_of(s, was) : (rv_var){NULL, -1};
    if (rv_is_null(now)) return;
    for (int q = 0; q < s->quantities; q++) {
        rv_var v = value_of(s, &s->quantity[q]);
        if (rv_is_null(v) || v.id == now.id || !rv_shape_equal(rv_shape_of(v), rv_shape_of(now)))
            continue;
        *site = s->quantity[q];
        site->next = was->next;
        try_variant(s, site, old);
    }
}

/* One step earlier or later. */
static void other_times(search *s, lang_node *site, const lang_node *was, const char *old)
{
    if (was->kind != LANG_INDEX || !was->indices || was->indices->next ||
        was->indices->kind == LANG_RANGE || was->indices->kind == LANG_HOLE)
        return;
    lang_node one = number(was, 1), at = *was->indices;
    bool back = at.kind == LANG_SUBTRACT && at.right->kind == LANG_NUMBER && at.right->number == 1;
    lang_node times[] = {back ? *at.left : binary(LANG_SUBTRACT, was->indices, &at, &one),
                         binary(LANG_ADD, was->indices, &at, &one)};
    for (int k = 0; k < 2; k++) {
        *site = *was;
        times[k].next = NULL;
        site->indices = &times[k];
        try_variant(s, site, old);
    }
}

static void other_signs(search *s, lang_node *site, const lang_node *was, const char *old)
{
    static const lang_kind signs[] = {LANG_ADD, LANG_SUBTRACT, LANG_MULTIPLY, LANG_DIVIDE};
    bool binary_sign = false;
    for (int i = 0; i < 4; i++) binary_sign = binary_sign || was->kind == signs[i];
    for (int i = 0; binary_sign && i < 4; i++) {
        if (signs[i] == was->kind) continue;
        *site = *was;
        site->kind = signs[i];
        try_variant(s, site, old);
    }
}

/* Less: one operand of an operator, or the argument of a function. */
static void with_less(search *s, lang_node *site, const lang_node *was, const char *old)
{
    bool two = was->kind >= LANG_ADD && was->kind <= LANG_MATMUL;
    bool one = was->kind == LANG_PRIME || was->kind == LANG_NEGATE ||
               (was->kind == LANG_CALL && was->arguments && was->arguments->kind != LANG_OPTION);
    for (int k = 0; (two && k < 2) || (one && k < 1); k++) {
        *site = *was->child[k];
        site->next = was->next;
        try_variant(s, site, old);
    }
}

/* Transposed, negated or rotated. */
static void turned(search *s, lang_node *site, const lang_node *was, const char *old)
{
    lang_node whole = *was;
    whole.next = NULL;
    *site = binary(LANG_PRIME, was, &whole, NULL);
    try_variant(s, site, old);
    *site = binary(LANG_NEGATE, was, &whole, NULL);
    try_variant(s, site, old);
    const lang_block *turn = rv_lang_find(s->proof->scope, LANG_FUNCTION, "rot180");
    *site = binary(LANG_CALL, was, &whole, NULL);
    site->name = "rot180";
    site->block = turn;
    if (turn) try_variant(s, site, old);
}

/* `rest` times q, 1 - q, or the slope of a sigmoid, a tanh or an arctan. */
static void times_slopes(search *s, lang_node *site, const lang_node *was, lang_node *rest,
                         const char *old)
{
    lang_node one = number(was, 1), two = number(was, 2);
    for (int q = 0; q < s->quantities; q++) {
        lang_node *name = &s->quantity[q];
        lang_node complement = binary(LANG_SUBTRACT, was, &one, name);
        lang_node square = binary(LANG_POWER, was, name, &two);
        lang_node factors[] = {*name, complement, binary(LANG_SUBTRACT, was, &one, &square),
                               binary(LANG_MULTIPLY, was, name, &complement),
                               binary(LANG_ADD, was, &one, &square)};
        for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
            *site = binary(i == 4 ? LANG_DIVIDE : LANG_MULTIPLY, was, rest, &factors[i]);
            try_variant(s, site, old);
        }
    }
}

/* A missing factor, or another one. */
static void with_factor(search *s, lang_node *site, const lang_node *was, const char *old)
{
    lang_node rest = *was;
    rest.next = NULL;
    times_slopes(s, site, was, &rest, old);
    for (int k = 0; (was->kind == LANG_MULTIPLY || was->kind == LANG_DIVIDE) && k < 2; k++) {
        rest = k ? *was->right : *was->left;
        rest.next = NULL;
        times_slopes(s, site, was, &rest, old);
    }
}

/* A missing term: q, or q.r. */
static void with_term(search *s, lang_node *site, const lang_node *was, const char *old)
{
    lang_node whole = *was;
    whole.next = NULL;
    for (int q = 0; q < s->quantities; q++) {
        *site = binary(LANG_ADD, was, &whole, &s->quantity[q]);
        try_variant(s, site, old);
        for (int r = 0; r < q; r++) {
            lang_node product = binary(LANG_MULTIPLY, was, &s->quantity[r], &s->quantity[q]);
            *site = binary(LANG_ADD, was, &whole, &product);
            try_variant(s, site, old);
        }
    }
}

/* ---- all of them ---- */

static void find_sites(lang_node *e, lang_node **sites, int *count)
{
    if (!e || *count == MOST_SITES) return;
    bool value = e->kind != LANG_RANGE && e->kind != LANG_HOLE && e->kind != LANG_LIST &&
                 e->kind != LANG_OPTION && e->kind != LANG_TEXT && e->kind != LANG_NUMBER;
    if (value) sites[(*count)++] = e;
    if (e->kind == LANG_SUM) find_sites(e->term, sites, count);
    if (e->kind == LANG_OPTION || e->kind == LANG_LIST || e->kind == LANG_SUM) return;
    find_sites(e->child[0], sites, count);
    if (e->kind != LANG_INDEX) find_sites(e->child[1], sites, count);
    if (e->kind != LANG_INDEX) find_sites(e->next, sites, count);
}

/* Kinds of edits. */
enum {
    TIMES = 1,
    NAMES = 2,
    SIGNS = 4,
    LESS = 8,
    TURNS = 16,
    MULTIPLES = 32,
    FACTORS = 64,
    TERMS = 128
};

/* All variants by these kinds of edits. */
static void make_variants(search *s, unsigned kinds)
{
    static void (*const edits[])(search *, lang_node *, const lang_node *, const char *) = {
        other_times, other_names, other_signs, with_less, turned, multiples, with_factor};
    lang_node *sites[MOST_SITES];
    int count = 0;
    find_sites(s->line->statement->value, sites, &count);
    for (int i = 0; i < 7; i++)
        for (int k = 0; kinds >> i & 1 && k < count; k++) {
            char old[LANG_REPAIR];
            lang_node was = *sites[k];
            rv_lang_expression(&was, old, sizeof old);
            edits[i](s, sites[k], &was, old);
            *sites[k] = was;
        }
    char line[LANG_REPAIR];
    lang_node was = *s->line->statement->value;
    rv_lang_expression(&was, line, sizeof line);
    if (kinds & TERMS) with_term(s, s->line->statement->value, &was, line);
    *s->line->statement->value = was;
}

/* The first variant that is the truth, if there is one, becomes what is found. */
static void choose(search *s)
{
    rv_var *outputs = rv_alloc((size_t)s->variants + 1, sizeof *outputs);
    rv_program *program = NULL;
    const variant *found = NULL;
    double tolerance = s->proof->options->tolerance > 0 ? s->proof->options->tolerance : 1e-10;
    if (outputs) {
        outputs[0] = s->line->truth;
        for (int i = 0; i < s->variants; i++) outputs[i + 1] = s->variant[i].value;
        program = rv_compile_with(s->proof->tape, outputs, s->variants + 1, RV_VALUES);
    }
    rv_error error = {0};
    bool ok = program;
    for (int i = 0; ok && i < s->proof->input_count; i++)
        ok = rv_feed(program, s->proof->inputs[i].name, &s->proof->inputs[i].tensor, &error);
    ok = ok && rv_run(program) == RV_OK;
    for (int i = 0; ok && !found && i < s->variants; i++) {
        rv_difference d = rv_gradient_difference(rv_program_output(program, i + 1),
                                                 rv_program_output(program, 0), 1e-300);
        if (d.max_relative_error <= tolerance) found = &s->variant[i];
    }
    if (found) memcpy(s->found, found->text, sizeof s->found);
    rv_program_free(program);
    rv_free(outputs);
    s->variants = 0;
}

/* A second change of a line that has been changed once. */
static void search_on(search *s)
{
    s->deep = false;
    s->again = true;
    make_variants(s, s->second);
    choose(s);
    s->deep = true;
}

void rv_lang_repair(lang_proof *p, lang_run *run, lang_line *line)
{
    if (rv_shape_count(rv_shape_of(line->truth)) > MOST_ELEMENTS) return;
    search *s = rv_alloc(1, sizeof *s);
    if (s) s->variant = rv_alloc(MOST_VARIANTS, sizeof *s->variant);
    if (s && s->variant) {
        lang_work *work = run->work;
        s->proof = p;
        s->run = run;
        s->line = line;
        run->work = &s->work;
        s->left = p->to_try < MOST_TRIED ? p->to_try : MOST_TRIED;
        s->cost = 1 + rv_shape_count(rv_shape_of(line->truth)) / 64 + (int64_t)p->count / 16;
        p->to_try -= s->left;
        find_quantities(s);
        make_variants(s, TIMES | NAMES | SIGNS | LESS | TURNS | MULTIPLES | FACTORS | TERMS);
        choose(s);
        s->deep = true;
        s->second = NAMES | SIGNS | LESS | TURNS | FACTORS;
        make_variants(s, NAMES | SIGNS);
        s->second = TERMS; /* two missing paths */
        make_variants(s, TERMS);
        memcpy(line->repair, s->found, sizeof line->repair);
        p->to_try += s->left > 0 ? s->left : 0;
        run->work = work;
    }
    if (s) rv_free(s->variant);
    rv_free(s);
}
