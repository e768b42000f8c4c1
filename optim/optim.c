/* Recording an optimizer: gradients, rates, and each parameter's update as an assignment. */
#include "optim/optim.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/ops.h"
#include "optim/optim_internal.h"
#include "tensor/memory.h"

/* ---- for rules ---- */

rv_var rv_moment_shaped(const rv_update *u, const char *symbol, rv_shape shape)
{
    char name[256];
    int length = snprintf(name, sizeof name, "optimizer/%s/%s", symbol, u->name);
    if (length >= (int)sizeof name)
        return rv_tape_fail(u->w.tape, RV_ERROR_NAME,
                            "minimize: the name \"%.40s...\" is too long to name a state after; "
                            "use at most 200 bytes",
                            u->name);
    return rv_state(u->w.tape, name, shape, rv_init_constant(0));
}

rv_var rv_moment(const rv_update *u, const char *symbol)
{
    return rv_moment_shaped(u, symbol, rv_shape_of(u->w));
}

/* In a run that only accumulates, the state keeps its bits. */
static void assign(const rv_update *u, rv_var target, rv_var next)
{
    rv_assign(target, rv_is_null(u->due) ? next : rv_select(u->due, next, target));
}

rv_var rv_remember(const rv_update *u, rv_var state, rv_var next)
{
    assign(u, state, next);
    return next;
}

rv_var rv_update_step(const rv_update *u)
{
    rv_var step = rv_state(u->w.tape, "optimizer/step", RV_SCALAR, rv_init_constant(0));
    rv_remember(u, step, rv_shift(step, 1));
    return step;
}

/* ---- groups and learning rates: states, so that they can change between runs and are saved ---- */

/* The first group whose pattern matches, or -1. */
static int group_of(const rv_optimizer *o, const char *parameter)
{
    for (int i = 0; i < RV_RATE_GROUPS && o->group[i].pattern; i++)
        if (!fnmatch(o->group[i].pattern, parameter, 0)) return i;
    return -1;
}

static bool frozen(const rv_optimizer *o, rv_var w)
{
    int group = group_of(o, rv_parameter_name(w));
    return group >= 0 && o->group[group].freeze;
}

static bool rate_name(const char *pattern, char name[256])
{
    int length = pattern ? snprintf(name, 256, "optimizer/rate/%s", pattern)
                         : snprintf(name, 256, "optimizer/rate");
    return length < 256;
}

static rv_var rate_for(rv_tape *tape, const rv_optimizer *o, const char *parameter)
{
    int group = group_of(o, parameter);
    const char *pattern = group < 0 ? NULL : o->group[group].pattern;
    double rate = group < 0 ? o->rate : o->group[group].rate;
    char name[256];
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
    bool usable = store && isfinite(rate) && rate_name(pattern, name);
    rv_entry *entry = usable ? rv_store_find(store, name) : NULL;
    if (entry) rv_tensor_set(&entry->tensor, 0, rate);
    return entry;
}

/* A pattern that matches no parameter is a misspelt one. */
static bool check_patterns(rv_tape *tape, const rv_optimizer *o, const rv_var *w, int count)
{
    for (int i = 0; i < RV_RATE_GROUPS && o->group[i].pattern; i++) {
        const char *pattern = o->group[i].pattern;
        char some[256] = "";
        bool found = false;
        for (int k = 0; k < count && !found; k++) {
            const char *name = rv_parameter_name(w[k]);
            size_t used = strlen(some);
            if (k < 4)
                snprintf(some + used, sizeof some - used, "%s\"%.50s\"", k ? ", " : "", name);
            found = !fnmatch(pattern, name, 0);
        }
        if (!found) {
            rv_tape_fail(tape, RV_ERROR_NAME,
                         "minimize: the group \"%.100s\" matches no parameter of the loss; it has "
                         "%s%s",
                         pattern, some, count > 4 ? ", ..." : "");
            return false;
        }
    }
    return true;
}

/* ---- minimize ---- */

const char *rv_parameter_name(rv_var w) { return rv_tape_node(w.tape, w.id)->entry->name; }

static int compare_names(const void *a, const void *b)
{
    return strcmp(rv_parameter_name(*(const rv_var *)a), rv_parameter_name(*(const rv_var *)b));
}

rv_var *rv_parameters_of(rv_var y, int *count)
{
    *count = rv_parameters(y, NULL, 0);
    rv_var *found = *count < 0 ? NULL : rv_alloc((size_t)*count + 1, sizeof *found);
    if (found && rv_parameters(y, found, *count) == *count) {
        qsort(found, (size_t)*count, sizeof *found, compare_names);
        return found;
    }
    rv_free(found);
    *count = 0;
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

/* The parameter's next value. */
static rv_var next_value(const rv_optimizer *o, rv_update *u)
{
    int group = group_of(o, u->name);
    double decay = group < 0 ? o->weight_decay : o->group[group].weight_decay;
    u->rate = rate_for(u->w.tape, o, u->name);
    if (o->schedule.curve || o->schedule.warm_up > 0)
        u->rate = rv_multiply(u->rate, rv_schedule_factor(&o->schedule, rv_update_step(u)));
    if (decay > 0 && o->decoupled)
        u->w = rv_multiply(u->w, rv_one_minus(rv_scale(u->rate, decay)));
    else if (decay > 0)
        u->g = rv_add(u->g, rv_scale(u->w, decay));
    rv_var next = o->rule(u);
    if (o->average > 0) rv_record_average(u, next);
    return next;
}

static void record_updates(const rv_optimizer *o, const rv_var *w, rv_var *g, int count)
{
    rv_tape *tape = w[0].tape;
    rv_var due = {0};
    rv_scope_push(tape, "update");
    if (o->accumulate > 1) due = rv_gradients_accumulate(o->accumulate, w, g, count);
    if (o->clip_value > 0 || o->clip_norm > 0) rv_gradients_clip(o, g, count);
    for (int i = 0; i < count; i++) {
        const char *name = rv_parameter_name(w[i]);
        rv_update u = {.optimizer = o, .name = name, .w = w[i], .g = g[i], .due = due};
        rv_scope_push(tape, name);
        assign(&u, w[i], next_value(o, &u));
        rv_scope_pop(tape);
    }
    rv_scope_pop(tape);
}

/* Leaves those that are updated; how many. */
static int drop_frozen(const rv_optimizer *o, rv_var *w, int count)
{
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (!frozen(o, w[i])) w[kept++] = w[i];
    return kept;
}

static void minimize(rv_var loss, const rv_optimizer *o, rv_var *w, rv_var *g, int count)
{
    rv_tape *tape = loss.tape;
    const char *twice;
    if (!count)
        rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                     "minimize: the loss depends on no parameter; make one with rv_parameter");
    if (!count || !rv_check_optimizer(tape, o) || !check_patterns(tape, o, w, count)) return;
    count = drop_frozen(o, w, count);
    if (!count)
        rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                     "minimize: all parameters are in groups that are frozen; leave one to update");
    else if ((twice = updated_before(tape, w, count)))
        rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                     "minimize: \"%s\" is updated on this tape already; minimize the sum of the "
                     "losses",
                     twice);
    else if (rv_gradient(loss, w, count, g))
        record_updates(o, w, g, count);
}

bool rv_minimize(rv_var loss, rv_optimizer optimizer)
{
    if (rv_is_null(loss)) return false;
    int count;
    rv_var *w = rv_parameters_of(loss, &count);
    rv_var *g = rv_alloc((size_t)count + 1, sizeof *g);
    if (w && g)
        minimize(loss, &optimizer, w, g, count);
    else
        rv_tape_fail(loss.tape, RV_ERROR_MEMORY, "minimize: memory is out");
    rv_free(w);
    rv_free(g);
    return !rv_tape_error(loss.tape)->code;
}
