#include "lang/resolve/starts.h"

#include <math.h>
#include <string.h>

#include "lang/resolve/expressions.h"
#include "lang/resolve/suggestions.h"

static const char integer[] = "integer", identity[] = "identity";

static const lang_distribution distributions[] = {
    {"uniform", "uniform(low, high)", RV_INIT_UNIFORM, 1, 2, {0}},
    {"normal", "normal(mean, deviation)", RV_INIT_NORMAL, 2, 2, {0}},
    {"truncated_normal", "truncated_normal(mean, deviation)", RV_INIT_TRUNCATED_NORMAL, 2, 2, {0}},
    {"xavier_uniform", "xavier_uniform(gain)", RV_INIT_XAVIER_UNIFORM, 0, 1, {1}},
    {"xavier_normal", "xavier_normal(gain)", RV_INIT_XAVIER_NORMAL, 0, 1, {1}},
    {"kaiming_uniform", "kaiming_uniform(gain)", RV_INIT_KAIMING_UNIFORM, 0, 1, {M_SQRT2}},
    {"kaiming_normal", "kaiming_normal(gain)", RV_INIT_KAIMING_NORMAL, 0, 1, {M_SQRT2}},
    {"orthogonal", "orthogonal(gain)", RV_INIT_ORTHOGONAL, 0, 1, {1}},
    {"chrono", "chrono(longest)", RV_INIT_CHRONO, 1, 1, {0}},
    {integer, "integer(low, high)", RV_INIT_UNIFORM, 2, 2, {0}},
    {identity, "identity(factor)", RV_INIT_IDENTITY, 0, 1, {1}},
};

const lang_distribution *rv_lang_distribution(const lang_node *e)
{
    if (e->kind != LANG_NAME && e->kind != LANG_CALL) return NULL;
    for (size_t i = 0; i < sizeof distributions / sizeof *distributions; i++)
        if (!strcmp(distributions[i].name, e->name)) return &distributions[i];
    return NULL;
}

bool rv_lang_draws_integers(const lang_node *e)
{
    const lang_distribution *d = e ? rv_lang_distribution(e) : NULL;
    return d && d->name == integer;
}

/* Whether e is the name of a parameter, whose draw is then shared. Sets its symbol. */
static bool is_parameter(lang_resolver *r, lang_node *e)
{
    int own = e->kind == LANG_NAME ? rv_lang_find_symbol(r->block, e->name) : -1;
    lang_symbol_kind kind = own >= 0 ? r->block->symbol[own].kind : SYMBOL_VALUE;
    if (kind != SYMBOL_BIAS && kind != SYMBOL_GAIN && kind != SYMBOL_PARAMETER) return false;
    e->symbol = own;
    return true;
}

static bool resolve(lang_resolver *r, lang_node *e, bool drawn, bool integers)
{
    const lang_distribution *d = rv_lang_distribution(e);
    if (e->kind == LANG_LIST) {
        bool ok = true;
        for (lang_node *item = e->items; item; item = item->next)
            ok = resolve(r, item, drawn || rv_lang_distribution(item), false) && ok;
        return ok;
    }
    if (d && !drawn && d->name != identity && rv_lang_find_symbol(r->block, e->name) < 0) {
        rv_lang_misnamed(r, e->location, "values that are drawn follow ~");
        rv_lang_add_hint(r->scope->report, "write ~ %s", d->usage);
        return false;
    }
    if (d && drawn && d->name == integer && !integers)
        return rv_lang_misnamed(r, e->location, "integer is for inputs");
    if (d && (drawn || d->name == identity)) {
        int count = 0;
        for (const lang_node *a = e->kind == LANG_CALL ? e->arguments : NULL; a; a = a->next)
            count = a->kind == LANG_OPTION ? 3 : count + 1;
        if (count < d->least || count > d->most) {
            rv_lang_misnamed(r, e->location, "%s takes %s%s", d->name,
                             d->least == d->most ? "" : "at most ",
                             d->most == 1 ? "one number" : "two numbers");
            rv_lang_add_hint(r->scope->report, "write %s", d->usage);
            return false;
        }
        return e->kind == LANG_NAME || rv_lang_resolve_each(r, e->arguments);
    }
    if (drawn) {
        rv_guess g = {.seen = e->kind == LANG_NAME || e->kind == LANG_CALL ? e->name : ""};
        for (size_t i = 0; i < sizeof distributions / sizeof *distributions; i++)
            rv_guess_try(&g, distributions[i].name);
        rv_lang_misnamed(r, e->location,
                         "expected a distribution after ~, as in: W ~ normal(0, 0.1)");
        rv_lang_suggest(r->scope->report, e->sign, g.nearest);
        return false;
    }
    return is_parameter(r, e->kind == LANG_NEGATE ? e->operand : e) ||
           rv_lang_resolve_expression(r, e);
}

bool rv_lang_resolve_start(lang_resolver *r, lang_node *declared, lang_symbol_kind kind)
{
    return resolve(r, declared->start, declared->drawn, kind == SYMBOL_INPUT);
}
