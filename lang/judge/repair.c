/* What would make a wrong line right. The line is changed in one place or two, by the usual slips
 * (slips.c). The variants are recorded beside it in batches. Those that equal the true cotangent
 * are proposals, and a proposal that is right for all time steps of the line is its repair. */
#include "lang/judge/repair.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/program.h"
#include "lang/judge/slips.h"
#include "lang/record/evaluate.h"
#include "lang/resolve/symbols.h"
#include "lang/syntax/print.h"
#include "tensor/memory.h"

enum {
    MOST_VARIANTS = 500, /* in a batch */
    MOST_POOL = 5000,
    MOST_QUANTITIES = 200,
    MOST_SITES = 100,
    MOST_STEPS = 8, /* of a sum over time steps */
    MOST_ELEMENTS = 16384,
    MOST_TRIED = 100000,
    MOST_PROPOSALS = 8 /* for a line */
};

/* An expression in the line, and the shape of its value. */
typedef struct site {
    lang_node *node;
    bool step; /* inside an index or an option: a whole number */
    rv_shape shape;
} site;

/* What a letter of a slip may stand for. */
typedef struct candidate {
    char pool;
    bool helper; /* perhaps a cotangent without a name */
    lang_node *e;
    rv_shape shape; /* rank -1: a number */
} candidate;

/* The line with one site changed. */
typedef struct variant {
    rv_var value;
    lang_node *site, *changed;
    bool right;
} variant;

typedef struct search {
    lang_proof *proof;
    lang_run *run;
    const lang_line *line;
    lang_slips slips;
    candidate *pool;
    int pool_size;
    variant *variant;
    int variants;
    lang_arena arena[2]; /* of the nodes of first and second changes */
    int changes;         /* of the line as its tree is now */
    unsigned second;     /* groups of slips for another change; 0: none */
    lang_value *saved;   /* [block->symbols]: of the run, while sums are bound */
    int found;
    int64_t left, cost; /* work on variants; that on one of them */
} search;

/* ---- what letters stand for ---- */

/* Returns the memory. Reports that it is NULL. */
static void *made(const lang_proof *p, void *memory)
{
    if (!memory) rv_lang_out_of_memory(p->report);
    return memory;
}

/* Adds an expression to a pool, if it has a value. */
static void add(search *s, char pool, lang_node *e)
{
    if (!e || s->pool_size == MOST_POOL) return;
    rv_var v = rv_lang_attempt(s->proof, s->run, e);
    if (rv_is_null(v)) return;
    s->pool[s->pool_size++] = (candidate){.pool = pool, .e = e, .shape = rv_shape_of(v)};
}

static lang_node *new_node(search *s, lang_kind kind)
{
    lang_node *e = made(s->proof, rv_lang_allocate(&s->proof->arena, sizeof *e));
    if (!e) return NULL;
    *e = (lang_node){.kind = kind, .symbol = -1, .time = -1};
    e->location = e->sign = s->line->statement->location;
    return e;
}

static lang_node *instance(search *s, const lang_node *pattern, const lang_bound *bound)
{
    return made(s->proof,
                rv_lang_instance(&s->proof->arena, pattern, bound, s->line->statement->location));
}

static lang_node *name_node(search *s, int symbol, const char *name)
{
    lang_node *e = new_node(s, LANG_NAME);
    if (!e || !(e->name = made(s->proof, rv_lang_copy(&s->proof->arena, name, strlen(name)))))
        return NULL;
    e->symbol = symbol;
    return e;
}

/* X2 or X[2], as the author writes */
static lang_node *at_time(search *s, const lang_node *series, int64_t time)
{
    char text[LANG_MOST_NAME + 24];
    bool brackets = s->line->statement->target->kind == LANG_INDEX;
    snprintf(text, sizeof text, brackets ? "%.*s[%lld]" : "%.*s%lld", LANG_MOST_NAME, series->name,
             (long long)time);
    lang_node *e = name_node(s, series->symbol, text);
    if (e) e->time = (int)time;
    return e;
}

/* A series in a loop: near its step. Without loops: at all of its time steps. */
static void add_series(search *s, char pool, lang_node *series, int64_t last, int step)
{
    bool loops = false;
    lang_bound bound = {.letter['q' - 'a'] = series};
    for (int i = 0; i < s->run->block->symbols; i++) {
        const lang_symbol *symbol = &s->run->block->symbol[i];
        if (symbol->kind != SYMBOL_SIZE || !symbol->definition ||
            (symbol->definition->kind != LANG_FOR && symbol->definition->kind != LANG_OVER) ||
            s->run->value[i].kind != VALUE_NUMBER)
            continue;
        loops = true;
        if (!(bound.letter['t' - 'a'] = name_node(s, i, symbol->name))) return;
        add(s, pool, instance(s, s->slips.step[step], &bound));
    }
    for (int64_t t = last < 20 ? last : 20; !loops && !step && t >= 0; t--)
        add(s, pool, at_time(s, series, t));
}

/* The cotangents of the lines before, or other values: series at a step, the others with the
 * first. */
static void add_names(search *s, bool cotangents, int step)
{
    const lang_block *b = s->run->block;
    for (int i = b->symbols - 1; i >= 0; i--) {
        const lang_symbol *symbol = &b->symbol[i], *of = symbol;
        if (cotangents != (symbol->kind == SYMBOL_COTANGENT)) continue;
        if (cotangents && !symbol->definition) of = &b->symbol[symbol->target];
        char name[LANG_MOST_NAME + 2];
        snprintf(name, sizeof name, "%s%.*s", of != symbol ? "d" : "", LANG_MOST_NAME, of->name);
        lang_node *e = name_node(s, i, name);
        const lang_node *made_by = symbol->definition;
        bool helper = made_by && made_by->kind == LANG_DEFINE && made_by->helper;
        int from = s->pool_size;
        if (e && (of->kind == SYMBOL_SERIES || of->kind == SYMBOL_TRACE))
            add_series(s, cotangents ? 'd' : 'q', e,
                       of->kind == SYMBOL_TRACE ? s->run->trace[of->unroll].last
                                                : s->run->times[of - b->symbol] - 1,
                       step);
        else if (!step && symbol->kind == SYMBOL_SIZE && symbol->definition)
            add(s, 'n', e);
        else if (!step && (cotangents || rv_lang_has_cotangent(symbol)))
            add(s, cotangents ? 'd' : 'q', e);
        for (; from < s->pool_size; from++) s->pool[from].helper = helper;
    }
}

static void add_numbers(search *s)
{
    static const double usual[] = {2, 3, 4, 5, 8, 10};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        lang_node *e = new_node(s, LANG_NUMBER);
        if (e) e->number = usual[i];
        add(s, 'n', e);
    }
}

static void add_recipe(search *s, const lang_recipe *recipe, lang_node *q, lang_node *d)
{
    lang_bound bound = {.block = s->run->block};
    bound.letter['q' - 'a'] = q;
    bound.letter['d' - 'a'] = bound.letter['r' - 'a'] = d;
    add(s, recipe->pool, instance(s, recipe->pattern, &bound));
}

/* The slopes, divisors and paths of these names. Before the first cotangent, that of the loss is 1,
 * and a product of values is a path. */
static void add_recipes(search *s)
{
    int names = s->pool_size;
    bool first = !names || s->pool->pool != 'd';
    for (int f = 0; f < s->slips.recipes; f++) {
        const lang_recipe *recipe = &s->slips.recipe[f];
        char second = recipe->second == 'r' || first ? 'q' : recipe->second;
        for (int q = 0; q < names; q++) {
            if (s->pool[q].pool != 'q') continue;
            if (!recipe->second) add_recipe(s, recipe, s->pool[q].e, NULL);
            for (int d = 0; recipe->second && d < names; d++)
                if (s->pool[d].pool == second || (second == 'd' && s->pool[d].helper))
                    add_recipe(s, recipe, s->pool[q].e, s->pool[d].e);
        }
    }
}

static bool stands_for(char letter, const candidate *c)
{
    return letter == c->pool || (letter == 'q' && c->pool == 'd') ||
           ((letter == 's' || letter == 'p') && (c->pool == 'q' || c->pool == 'd'));
}

/* ---- proposals ---- */

/* Adds the statement as its tree is now. False if it is too long, or when out of memory, which is
 * reported. */
static bool add_proposal(lang_proof *p, const lang_node *statement)
{
    lang_bound nothing = {0};
    char text[LANG_REPAIR + 1];
    if (strlen(rv_lang_expression(statement, text, sizeof text)) >= LANG_REPAIR) return false;
    lang_proposal *new = rv_lang_allocate(&p->arena, sizeof *new), **last = &p->proposals;
    const char *copy = rv_lang_copy(&p->arena, text, strlen(text));
    lang_node *value = rv_lang_instance(&p->arena, statement->value, &nothing, statement->location);
    if (!new || !copy || !value || !*copy) return rv_lang_out_of_memory(p->report);
    *new = (lang_proposal){.statement = statement, .value = value, .text = copy};
    while (*last) last = &(*last)->next;
    *last = new;
    return true;
}

bool rv_lang_try_proposals(lang_proof *p, lang_run *run, const lang_line *line)
{
    for (lang_proposal *o = p->proposals; o; o = o->next) {
        if (o->statement != line->statement || o->refuted) continue;
        rv_var v = rv_lang_attempt(p, run, o->value);
        if (rv_is_null(v)) { /* nor may the line have a value here: h[t - 1] at t = 0 */
            o->refuted = !rv_is_null(line->value);
            continue;
        }
        if (!rv_reserve(&p->trial, &p->trial_capacity, p->trials + 1, sizeof *p->trial))
            return rv_lang_out_of_memory(p->report);
        p->trial[p->trials++] = (lang_trial){o, v, line->truth};
    }
    return true;
}

bool rv_lang_judge_proposals(lang_proof *p)
{
    int count = 2 * (int)p->trials;
    if (!count) return true;
    rv_var *outputs = rv_alloc((size_t)count, sizeof *outputs);
    for (int i = 0; outputs && i < count; i++)
        outputs[i] = i % 2 ? p->trial[i / 2].truth : p->trial[i / 2].value;
    rv_program *program = outputs ? rv_lang_compute(p, outputs, count, p->error) : NULL;
    bool ok = program || (!outputs && rv_fail_memory(p->error));
    for (int point = 0; ok && point < rv_lang_points(p); point++) {
        ok = rv_lang_move(p, point) && rv_lang_run(p, program, 0, p->error);
        for (int i = 0; ok && i < count; i += 2)
            if (!rv_lang_is_right(p, program, i, i + 1)) p->trial[i / 2].proposal->refuted = true;
    }
    rv_program_free(program);
    rv_free(outputs);
    return ok;
}

const char *rv_lang_repair_of(const lang_proof *p, const lang_node *statement)
{
    for (const lang_proposal *o = p->proposals; o; o = o->next)
        if (o->statement == statement && !o->refuted) return o->text;
    return "";
}

/* ---- variants ---- */

static void make_variants(search *s, unsigned groups);

/* Whether any variant of the batch is right at the current point, and was so far. */
static bool any_right(search *s, const rv_program *program)
{
    bool any = false;
    for (int i = 0; i < s->variants; i++) {
        variant *v = &s->variant[i];
        v->right = v->right && rv_lang_is_right(s->proof, program, i + 1, 0);
        any = any || v->right;
    }
    return any;
}

/* Finds the variants that are right at the line's point, and at the last one: there nothing starts
 * at zero, which would hide what a change does. */
static bool find_right(search *s, rv_program *program, rv_error *error)
{
    lang_proof *p = s->proof;
    int last = rv_lang_points(p) - 1;
    if (!any_right(s, program)) return false;
    if (last == s->line->point) return true;
    bool moved = rv_lang_move(p, last);
    bool any = moved && rv_lang_run(p, program, 0, error) && any_right(s, program);
    if (!rv_lang_move(p, s->line->point) || !moved) rv_lang_out_of_memory(p->report);
    return any;
}

/* Makes proposals of the variants of the batch that are right, and empties it. */
static void settle(search *s)
{
    rv_error error = {0};
    rv_var *outputs = rv_alloc((size_t)s->variants + 1, sizeof *outputs);
    rv_program *program = NULL;
    if (outputs && s->variants) {
        outputs[0] = s->line->truth;
        for (int i = 0; i < s->variants; i++) outputs[i + 1] = s->variant[i].value;
        program = rv_lang_compute(s->proof, outputs, s->variants + 1, &error);
    }
    bool any = program && find_right(s, program, &error);
    if (!outputs || error.code == RV_ERROR_MEMORY) rv_lang_out_of_memory(s->proof->report);
    for (int i = 0; any && i < s->variants && s->found < MOST_PROPOSALS; i++) {
        variant *v = &s->variant[i];
        if (!v->right) continue;
        lang_node was = *v->site;
        *v->site = *v->changed;
        s->found += add_proposal(s->proof, s->line->statement);
        *v->site = was;
    }
    rv_program_free(program);
    rv_free(outputs);
    s->variants = 0;
}

/* The line with a node in the place of another. */
static void try_variant(search *s, lang_node *at, lang_node *changed)
{
    if (!changed || s->found || s->left <= 0 || s->proof->stopped) return;
    s->left -= s->cost;
    lang_node was = *at;
    changed->next = at->next;
    *at = *changed;
    rv_var v = rv_lang_attempt(s->proof, s->run, s->line->statement->value);
    bool fits = !rv_is_null(v) && rv_shape_equal(rv_shape_of(v), rv_shape_of(s->line->truth)) &&
                rv_dtype_of(v) == rv_dtype_of(s->line->truth) && v.id != s->line->value.id;
    if (s->second && !s->changes) {
        s->changes = 1;
        if (!rv_is_null(v) || s->line->mistake) make_variants(s, s->second);
        s->changes = 0;
    } else if (fits) {
        s->variant[s->variants++] = (variant){v, at, changed, true};
    }
    *at = was;
    if (s->variants == MOST_VARIANTS) settle(s);
}

/* Whether the last axes of a shape are another's. */
static bool ends_in(rv_shape shape, rv_shape end)
{
    bool ends = shape.rank >= end.rank;
    for (int i = 1; ends && i <= end.rank; i++)
        ends = shape.dim[shape.rank - i] == end.dim[end.rank - i];
    return ends;
}

/* Whether a candidate may take the place of a value or be joined with it. A line of a wrong shape
 * says nothing. */
static bool fits(const search *s, const candidate *c, const site *at)
{
    return s->line->mistake || rv_shape_count(c->shape) == 1 || rv_shape_count(at->shape) == 1 ||
           ends_in(at->shape, c->shape);
}

static bool is_step_beside(const lang_node *e, const lang_node *other)
{
    return e->kind == LANG_NAME && other->kind == LANG_NAME && e->symbol == other->symbol &&
           e->time >= 0 && other->time >= 0 &&
           (e->time - other->time == 1 || other->time - e->time == 1);
}

static void try_slip(search *s, const lang_slip *slip, const site *at)
{
    lang_node whole = *at->node;
    lang_bound bound = {.block = s->run->block};
    whole.next = NULL;
    if (at->step && slip->group != SLIP_STEP) return;
    bool all = at->node == s->line->statement->value;
    if (whole.kind == LANG_NUMBER && slip->group != SLIP_STEP && !all) return;
    if (slip->group == SLIP_PATH && !all) return;
    if (!rv_lang_matches(slip->written, &whole, &bound)) return;
    lang_arena *arena = &s->arena[s->changes];
    for (int i = 0; i < (slip->pool ? s->pool_size : 1); i++) {
        if (slip->pool) {
            if (!stands_for(slip->pool, &s->pool[i]) || !fits(s, &s->pool[i], at)) continue;
            if (slip->group == SLIP_STEP && !is_step_beside(&whole, s->pool[i].e)) continue;
            bound.letter[slip->pool - 'a'] = s->pool[i].e;
        }
        try_variant(s, at->node,
                    made(s->proof, rv_lang_instance(arena, slip->meant, &bound, whole.location)));
    }
}

/* ---- sites ---- */

typedef struct sites {
    site at[MOST_SITES];
    int count;
} sites;

static void find_sites(search *s, sites *found, lang_node *e, bool step)
{
    if (!e || found->count == MOST_SITES) return;
    if (e->kind == LANG_OPTION) {
        find_sites(s, found, e->value, true);
    } else if (e->kind == LANG_LIST) {
        for (lang_node *item = e->items; item; item = item->next) find_sites(s, found, item, true);
    } else if (e->kind != LANG_HOLE && e->kind != LANG_TEXT) {
        if (e->kind != LANG_RANGE) found->at[found->count++] = (site){.node = e, .step = step};
        bool name = e->kind == LANG_INDEX && e->base->kind == LANG_NAME;
        if (!name) find_sites(s, found, e->child[0], step || e->kind == LANG_OVER);
        bool whole = step || e->kind == LANG_INDEX || e->kind == LANG_OVER;
        find_sites(s, found, e->child[1], whole);
        if (e->kind == LANG_OVER) find_sites(s, found, e->term, step);
        lang_node *rest = e->kind == LANG_CALL    ? e->arguments
                          : e->kind == LANG_OVER  ? e->term
                          : e->kind == LANG_INDEX ? e->indices
                                                  : NULL;
        for (rest = rest ? rest->next : NULL; rest; rest = rest->next)
            find_sites(s, found, rest, whole);
    }
}

static void bind_each(search *s, const lang_node *e)
{
    int64_t from;
    for (; e; e = e->next) {
        if (e->kind == LANG_OVER && rv_lang_attempt_whole(s->proof, s->run, e->from, &from))
            s->run->value[e->symbol] = rv_lang_of_number((double)from);
        for (int i = 0; i < 3; i++) bind_each(s, e->child[i]);
    }
}

/* Gives the variables of the line's sums their first values, until unbind_sums. */
static void bind_sums(search *s)
{
    memcpy(s->saved, s->run->value, (size_t)s->run->block->symbols * sizeof *s->saved);
    bind_each(s, s->line->statement->value);
}

static void unbind_sums(search *s)
{
    memcpy(s->run->value, s->saved, (size_t)s->run->block->symbols * sizeof *s->saved);
}

static void make_variants(search *s, unsigned groups)
{
    sites *found = made(s->proof, rv_alloc(1, sizeof *found));
    if (!found) return;
    find_sites(s, found, s->line->statement->value, false);
    bind_sums(s);
    for (int k = 0; k < found->count; k++)
        if (!found->at[k].step) {
            rv_var v = rv_lang_attempt(s->proof, s->run, found->at[k].node);
            if (!rv_is_null(v)) found->at[k].shape = rv_shape_of(v);
        }
    unbind_sums(s);
    for (int i = 0; i < s->slips.slips && !s->found; i++)
        for (int k = 0; k < found->count && s->slips.slip[i].group & groups; k++)
            try_slip(s, &s->slips.slip[i], &found->at[k]);
    settle(s);
    rv_lang_free_arena(&s->arena[s->changes]);
    rv_free(found);
}

/* ---- a sum over the time steps ---- */

/* A name that ends in a number, such as Z2, becomes that of the step before. False: it has none. */
LANG_APART static bool name_before(const search *s, lang_node *e, bool *moved)
{
    char before[LANG_MOST_NAME + 24];
    size_t stem = strlen(e->name);
    while (stem && isdigit((unsigned char)e->name[stem - 1])) stem--;
    if (!stem || !e->name[stem]) return true;
    long time = strtol(e->name + stem, NULL, 10);
    snprintf(before, sizeof before, "%.*s%ld", (int)stem, e->name, time - 1);
    for (int i = 0; time > 0 && i < s->pool_size; i++) {
        const lang_node *other = s->pool[i].e;
        if (other->kind != LANG_NAME || strcmp(other->name, before) != 0) continue;
        lang_node *next = e->next;
        *e = *other;
        e->next = next;
        return *moved = true;
    }
    return false;
}

/* Moves a copy of an expression to the step before: x[:, 1]' @ Z2 becomes x[:, 0]' @ Z1. False:
 * there is none. */
static bool move_back(const search *s, lang_node *e, bool index, bool *moved)
{
    for (; e; e = e->next) {
        if (e->kind == LANG_NAME && !name_before(s, e, moved)) return false;
        if (index && e->kind == LANG_NUMBER && e->number-- < 1) return false;
        for (int i = 0; i < 3; i++)
            if (!move_back(s, e->child[i], e->kind == LANG_INDEX && i == 1, moved)) return false;
    }
    return true;
}

/* The line is a term at one step where the sum over all steps was meant. */
static void add_steps(search *s)
{
    lang_bound nothing = {0};
    lang_node *line = s->line->statement->value, *sum = instance(s, line, &nothing), *term = sum;
    for (int k = 0; sum && k < MOST_STEPS; k++) {
        bool moved = false;
        lang_node *longer = new_node(s, LANG_ADD);
        if (!longer || !(term = instance(s, term, &nothing))) return;
        if (!move_back(s, term, false, &moved) || !moved) break;
        longer->left = sum;
        longer->right = term;
        try_variant(s, line, sum = longer);
    }
    settle(s);
}

static void run_search(search *s)
{
    bind_sums(s);
    for (int step = 0; step < LANG_STEPS; step++) add_names(s, true, step);
    for (int step = 0; step < LANG_STEPS; step++) add_names(s, false, step);
    add_numbers(s);
    add_recipes(s);
    unbind_sums(s);
    make_variants(s, ~(unsigned)(SLIP_PATH | SLIP_TERM));
    s->second = SLIP_STEP;
    make_variants(s, SLIP_STEP);
    s->second = 0;
    add_steps(s);
    make_variants(s, SLIP_PATH | SLIP_TERM);
    int64_t rest = s->left / 3;
    s->left -= rest;
    s->second = SLIP_STEP | SLIP_SIGN | SLIP_NAME | SLIP_LESS | SLIP_MORE | SLIP_FACTOR;
    make_variants(s, SLIP_NAME);
    make_variants(s, SLIP_SIGN);
    s->left += rest;
    s->second = SLIP_PATH; /* two missing paths */
    make_variants(s, SLIP_PATH);
}

static int64_t count_nodes(const lang_node *e)
{
    int64_t count = 0;
    for (; e; e = e->next) {
        count++;
        for (int i = 0; i < 3; i++) count += count_nodes(e->child[i]);
    }
    return count;
}

void rv_lang_propose(lang_proof *p, lang_run *run, const lang_line *line)
{
    rv_shape shape = rv_shape_of(line->truth);
    if (rv_shape_count(shape) > MOST_ELEMENTS) return;
    search s = {.proof = p,
                .run = run,
                .line = line,
                .variant = made(p, rv_alloc(MOST_VARIANTS, sizeof *s.variant)),
                .pool = made(p, rv_alloc(MOST_POOL, sizeof *s.pool)),
                .saved = made(p, rv_alloc((size_t)run->block->symbols + 1, sizeof *s.saved)),
                .left = p->to_try < MOST_TRIED ? p->to_try : MOST_TRIED,
                .cost = 1 + rv_shape_count(shape) / 64 + (int64_t)p->count / 16 +
                        count_nodes(line->statement->value) / 64};
    p->to_try -= s.left;
    if (!rv_lang_make_slips(&s.slips, p->scope, &p->arena, shape))
        rv_lang_out_of_memory(p->report);
    else if (s.variant && s.pool && s.saved)
        run_search(&s);
    p->to_try += s.left > 0 ? s.left : 0;
    rv_lang_free_arena(&s.arena[0]);
    rv_lang_free_arena(&s.arena[1]);
    rv_free(s.saved);
    rv_free(s.pool);
    rv_free(s.variant);
}
