/* Recording an optimizer: gradients, rates, and each parameter's update as an assignment. */
#include "optim/optim.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>

#include "ops/ops.h"
#include "tensor/memory.h"

/* ---- for rules ---- */

rv_var rv_moment(const rv_update *u, const char *symbol)
{
    char name[256];
    int length = snprintf(name, sizeof name, "optimizer/%s/%s", symbol, u->name);
    if (length >= (int)sizeof name)
        return rv_tape_fail(u->w.tape, RV_ERROR_NAME,
                            "minimize: the name \"%.40s...\" is too long to name a state after; "
                            "use at most 200 bytes",
                            u->name);
    return rv_state(u->w.tape, name, rv_shape_of(u->w), rv_init_constant(0));
}

rv_var rv_remember(rv_var moment, rv_var next)
{
    rv_assign(moment, next);
    return next;
}

/* ---- learning rates: states, so that they can change between runs and are saved ---- */

static bool rate_name(const char *pattern, char name[256])
{
    int length = pattern ? snprintf(name, 256, "optimizer/rate/%s", pattern)
                         : snprintf(name, 256, "optimizer/rate");
    return length < 256;
}

static rv_var rate_for(rv_tape *tape, const rv_optimizer *o, const char *parameter)
{
    const char *pattern = NULL;
    double rate = o->rate;
    char name[256];
    for (int i = 0; i < RV_RATE_GROUPS && o->group[i].pattern && !pattern; i++)
        if (!fnmatch(o->group[i].pattern, parameter, 0)) {
            pattern = o->group[i].pattern;
            rate = o->group[i].rate;
        }
    if (!isfinite(rate))
        return rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                            "minimize: the learning rate of \"%s\" is %g; give a finite number",
                            parameter, rate);
    if (!rate_name(pattern, name))
        return rv_tape_fail(tape, RV_ERROR_NAME,
                            "minimize: the pattern \"%.40s...\" is too long; use at most 200 bytes",
                            pattern);
    return rv_state(tape, name, RV_SCALAR, rv_init_constant(rate));
}

bool rv_set_rate(rv_store *store, const char *pattern, double rate)
{
    char name[256];
    rv_entry *entry = rate_name(pattern, name) ? rv_store_find(store, name) : NULL;
    if (entry) rv_tensor_set(&entry->tensor, 0, rate);
    return entry;
}

/* ---- minimize ---- */

/* The parameters on the tape that y depends on. NULL without memory. */
static rv_var *parameters_of(rv_var y, int *count)
{
    const rv_tape *tape = y.tape;
    bool *needed = rv_alloc((size_t)y.id + 1, sizeof *needed);
    rv_var *found = rv_alloc((size_t)y.id + 1, sizeof *found);
    *count = 0;
    if (needed && found) needed[y.id] = true;
    for (int32_t id = y.id; needed && found && id >= 0; id--) {
        const rv_node *node = rv_tape_node(tape, id);
        for (int k = 0; needed[id] && k < node->inputs; k++) needed[node->in[k]] = true;
    }
    for (int32_t id = 0; needed && found && id <= y.id; id++) {
        const rv_node *node = rv_tape_node(tape, id);
        if (needed[id] && node->entry && node->entry->role == RV_PARAMETER)
            found[(*count)++] = (rv_var){y.tape, id};
    }
    rv_free(needed);
    if (needed) return found;
    rv_free(found);
    return NULL;
}

/* The name of a parameter that has an update on the tape already, or NULL. */
static const char *updated_before(const rv_tape *tape, const rv_var *w, int count)
{
    for (int32_t id = 0; id < rv_tape_count(tape); id++) {
        const rv_node *node = rv_tape_node(tape, id);
        for (int i = 0; node->op == &rv_op_assign && i < count; i++)
            if (node->in[0] == w[i].id) return node->entry->name;
    }
    return NULL;
}

static void record_updates(rv_tape *tape, const rv_optimizer *o, const rv_var *w, const rv_var *g,
                           int count)
{
    rv_scope_push(tape, "update");
    for (int i = 0; i < count; i++) {
        const char *name = rv_tape_node(tape, w[i].id)->entry->name;
        rv_scope_push(tape, name);
        rv_update u = {
            .optimizer = o, .name = name, .w = w[i], .g = g[i], .rate = rate_for(tape, o, name)};
        rv_assign(w[i], o->rule(&u));
        rv_scope_pop(tape);
    }
    rv_scope_pop(tape);
}

bool rv_minimize(rv_var loss, rv_optimizer optimizer)
{
    rv_tape *tape = loss.tape;
    const char *twice;
    if (rv_is_null(loss)) return false;
    int count;
    rv_var *w = parameters_of(loss, &count);
    rv_var *g = rv_alloc((size_t)count + 1, sizeof *g);
    if (!w || !g)
        rv_tape_fail(tape, RV_ERROR_MEMORY, "minimize: memory is out");
    else if (!count)
        rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                     "minimize: the loss depends on no parameter; make one with rv_parameter");
    else if (!optimizer.rule)
        rv_tape_fail(tape, RV_ERROR_ARGUMENT, "minimize: the optimizer \"%s\" has no rule; set one",
                     optimizer.name ? optimizer.name : "");
    else if ((twice = updated_before(tape, w, count)))
        rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                     "minimize: \"%s\" is updated on this tape already; minimize the sum of the "
                     "losses",
                     twice);
    else if (rv_gradient(loss, w, count, g))
        record_updates(tape, &optimizer, w, g, count);
    rv_free(w);
    rv_free(g);
    return !rv_tape_error(tape)->code;
}
