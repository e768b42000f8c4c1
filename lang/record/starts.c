#include "lang/record/starts.h"

#include "lang/record/evaluate.h"
#include "lang/resolve/starts.h"

static bool number_of(lang_run *run, const lang_node *e, double *number)
{
    lang_value v = rv_lang_evaluate(run, e);
    if (v.kind == VALUE_NUMBER) {
        *number = v.number;
        return true;
    }
    if (v.kind != VALUE_NONE)
        rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT, "%s, expected a number",
                      rv_lang_value_kind_text(&v));
    return false;
}

static bool draw(lang_run *run, const lang_node *e, const lang_distribution *d, rv_init *init)
{
    double number[2] = {d->missing[0], d->missing[1]};
    int count = 0;
    for (const lang_node *a = e->kind == LANG_CALL ? e->arguments : NULL; a; a = a->next)
        if (!number_of(run, a, &number[count++])) return false;
    bool whole = rv_lang_draws_integers(e);
    if (whole && !(number[0] >= INT32_MIN && number[1] < INT32_MAX && number[0] <= number[1])) {
        rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT,
                      "integer(%.10g, %.10g), expected a lowest and a highest number of 32 bits",
                      number[0], number[1]);
        return false;
    }
    switch (d->kind) {
    case RV_INIT_UNIFORM:
        *init = count == 1 ? rv_init_uniform(-number[0], number[0])
                           : rv_init_uniform(number[0], number[1] + whole);
        break;
    case RV_INIT_NORMAL:
    case RV_INIT_TRUNCATED_NORMAL:
    case RV_INIT_CHRONO:
        *init = (rv_init){.kind = d->kind, .a = number[0], .b = number[1], .factor = 1};
        break;
    default: *init = (rv_init){.kind = d->kind, .factor = number[0]};
    }
    return true;
}

static bool evaluate(lang_run *run, const lang_node *e, bool drawn, rv_init *init);

/* The draw of another parameter. */
static bool share(lang_run *run, const lang_node *e, rv_init *init)
{
    const lang_symbol *of = &run->block->symbol[e->symbol];
    const lang_node *start = of->definition->kind == LANG_DECLARED ? of->definition->start : NULL;
    bool drawn = start && of->definition->drawn && start->kind != LANG_LIST;
    if (!drawn) {
        rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT,
                      "\"%s\" has no drawn values to share; declare it as in: %s ~ chrono(100)",
                      e->name, e->name);
        return false;
    }
    if (!evaluate(run, start, true, init)) return false;
    init->shared = e->name;
    return true;
}

static bool evaluate(lang_run *run, const lang_node *e, bool drawn, rv_init *init)
{
    const lang_distribution *d = rv_lang_distribution(e);
    const lang_node *of = e->kind == LANG_NEGATE ? e->operand : e;
    double number;
    if (d && (drawn || d->kind == RV_INIT_IDENTITY)) return draw(run, e, d, init);
    if (of->kind == LANG_NAME && of->symbol >= 0) {
        lang_symbol_kind kind = run->block->symbol[of->symbol].kind;
        if (kind == SYMBOL_BIAS || kind == SYMBOL_GAIN || kind == SYMBOL_PARAMETER) {
            if (!share(run, of, init)) return false;
            if (e != of) *init = rv_init_scaled(*init, -1);
            return true;
        }
    }
    if (!number_of(run, e, &number)) return false;
    *init = rv_init_constant(number);
    return true;
}

/* Reports a draw that cannot be shared. Returns false. */
static bool shares_nothing(lang_run *run, const lang_node *e)
{
    rv_lang_wrong(run, e->location, RV_ERROR_ARGUMENT,
                  "only a whole parameter shares the draw of another, as in: bias bi = -bf");
    return false;
}

bool rv_lang_evaluate_start(lang_run *run, const lang_node *declared, rv_init otherwise,
                            lang_start *start)
{
    const lang_node *e = declared->start;
    start->init = otherwise;
    lang_symbol_kind kind = run->block->symbol[declared->symbol].kind;
    bool learned = kind == SYMBOL_PARAMETER || kind == SYMBOL_MAP || kind == SYMBOL_BIAS ||
                   kind == SYMBOL_GAIN;
    if (!e) return true;
    if (e->kind != LANG_LIST) {
        bool ok = evaluate(run, e, declared->drawn, &start->init);
        return ok && (learned || !start->init.shared || shares_nothing(run, e));
    }
    int count = 0;
    for (const lang_node *item = e->items; item; item = item->next, count++) {
        if (count == LANG_MOST_BLOCKS || item->kind == LANG_LIST) {
            rv_lang_wrong(run, item->location, RV_ERROR_ARGUMENT,
                          "expected a number or a distribution for each of at most %d equal blocks",
                          LANG_MOST_BLOCKS);
            return false;
        }
        bool drawn = declared->drawn || rv_lang_distribution(item);
        if (!evaluate(run, item, drawn, &start->block[count]) ||
            (start->block[count].shared && !shares_nothing(run, item)))
            return false;
    }
    start->init = rv_init_blocks(start->block, count);
    return true;
}

/* Orthogonal values cost the square of the shorter side times the longer one. */
static int64_t work_of(const rv_init *init, rv_shape shape)
{
    enum { PER_UNIT = 2048 }; /* multiply-adds */
    bool orthogonal = init->kind == RV_INIT_ORTHOGONAL;
    for (int k = 0; k < init->blocks; k++)
        orthogonal = orthogonal || init->block[k].kind == RV_INIT_ORTHOGONAL;
    if (!orthogonal) return 0;
    double all = (double)rv_shape_count(shape), kernel = (double)shape.dim[0],
           rows = shape.rank == 4 ? kernel : (double)shape.dim[shape.rank - 2],
           columns = shape.rank == 4 ? all / kernel : (double)shape.dim[shape.rank - 1];
    return (int64_t)(all * (rows < columns ? rows : columns) / PER_UNIT);
}

bool rv_lang_check_start(lang_run *run, const lang_node *declared, const rv_init *init,
                         rv_shape shape)
{
    rv_error error = {0};
    bool state =
        run->block->symbol[declared->symbol].kind == SYMBOL_STATE; /* declared by the probe */
    bool drawn = !run->cell || (run->cell->probe == state && run->cell->taken == 0);
    if (!declared->start) return true;
    if (rv_init_check(*init, shape, &error))
        return !drawn || rv_lang_spend(run, declared->start->location, work_of(init, shape));
    rv_lang_wrong(run, declared->start->location, error.code, "%s", error.text);
    return false;
}
