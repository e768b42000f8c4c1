#include "lang/record/gradient.h"

#include "autograd/gradient.h"
#include "lang/record/evaluate.h"

/* Evaluates the arguments y, x and, if there is one, v. States are read as they are: dropout is a
 * part of y alone. */
static bool evaluate(lang_run *run, const lang_node *a, rv_var value[3])
{
    const bool recall = run->recall;
    bool ok = true;
    run->recall = false;
    for (int i = 0; a; a = a->next, i++) {
        value[i] = rv_lang_evaluate_var(run, a);
        ok = ok && !rv_is_null(value[i]);
    }
    run->recall = recall;
    return ok;
}

static rv_var differentiate(char kind, const rv_var value[3])
{
    rv_var d = {value[0].tape, -1};
    if (kind == 'j') return rv_jvp(value[0], &value[1], &value[2], 1);
    if (kind == 'h')
        rv_hvp(value[0], &value[1], &value[2], 1, &d);
    else
        rv_gradient(value[0], &value[1], 1, &d);
    return d;
}

lang_value rv_lang_gradient(lang_run *run, const lang_node *e)
{
    rv_var value[3];
    char text[RV_SHAPE_TEXT];
    if (!evaluate(run, e->arguments, value)) return rv_lang_none();
    const rv_shape shape = rv_shape_of(value[0]);
    if (*e->name != 'j' && rv_shape_count(shape) != 1)
        return rv_lang_wrong(run, e->arguments->location, RV_ERROR_SHAPE,
                             "%s takes the derivatives of one number, but this is %s; take its sum "
                             "or mean%s",
                             e->name, rv_shape_text(shape, text),
                             *e->name == 'g' ? ", or jvp(y, x, v)" : "");
    /* About as many nodes are recorded as there are from x to y. */
    const int64_t passed = value[0].id - value[1].id;
    if (!rv_lang_spend(run, e->location, passed > 0 ? passed : 0)) return rv_lang_none();
    return rv_lang_recorded(run, e->location, differentiate(*e->name, value));
}
