/* Recording an optimizer: gradients, and each parameter's update as an assignment. */
#include "optim/optim.h"

#include "autograd/gradient.h"
#include "ops/ops.h"
#include "optim/average_internal.h"
#include "optim/check_internal.h"
#include "optim/gradients_internal.h"
#include "optim/groups_internal.h"
#include "optim/minimize_internal.h"
#include "optim/parameters_internal.h"
#include "tensor/memory.h"

/* The name of a parameter that the tape updates already, or NULL. */
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
    int group = rv_group_of(o, u->name);
    double decay = group < 0 ? o->weight_decay : o->group[group].weight_decay;
    u->learning_rate = rv_learning_rate(u->w.tape, o, u->name);
    if (o->schedule.curve || o->schedule.warm_up > 0)
        u->learning_rate =
            rv_multiply(u->learning_rate, rv_schedule_factor(&o->schedule, rv_update_step(u)));
    if (decay > 0 && o->decoupled)
        u->w = rv_multiply(u->w, rv_one_minus(rv_scale(u->learning_rate, decay)));
    else if (decay > 0)
        u->g = rv_add(u->g, rv_scale(u->w, decay));
    rv_var next = o->rule(u);
    if (o->average > 0) rv_record_average(u, next);
    return next;
}

void rv_minimize_update(const rv_optimizer *o, const rv_var *w, rv_var *g, int count)
{
    rv_tape *tape = w[0].tape;
    rv_var due = {0};
    rv_origin origin = rv_current_origin(tape);
    origin.phase = RV_PHASE_UPDATE;
    origin.scope = "";
    rv_origin_push(tape, origin);
    if (o->accumulate > 1) due = rv_gradients_accumulate(o->accumulate, w, g, count);
    if (o->clip_value > 0 || o->clip_norm > 0) rv_gradients_clip(o, g, count);
    for (int i = 0; i < count; i++) {
        const char *name = rv_parameter_name(w[i]);
        rv_update u = {.optimizer = o, .name = name, .w = w[i], .g = g[i], .due = due};
        rv_scope_push(tape, name);
        rv_remember(&u, w[i], next_value(o, &u));
        rv_scope_pop(tape);
    }
    rv_scope_pop(tape);
}

/* Keeps those that are updated; returns their number. */
static int drop_frozen(const rv_optimizer *o, rv_var *w, int count)
{
    int kept = 0;
    for (int i = 0; i < count; i++) {
        const int group = rv_group_of(o, rv_parameter_name(w[i]));
        if (group < 0 || !o->group[group].freeze) w[kept++] = w[i];
    }
    return kept;
}

/* Keeps in w those that are updated, and records their gradients. Returns their number, 0 on
 * error. */
static int gradients(rv_var loss, const rv_optimizer *o, rv_var *w, rv_var *g, int count)
{
    rv_tape *tape = loss.tape;
    const char *twice;
    if (!count)
        rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                     "minimize: the loss depends on no parameter; make one with rv_parameter");
    if (!count || !rv_check_optimizer(tape, o) || !rv_groups_check(tape, o, w, count)) return 0;
    count = drop_frozen(o, w, count);
    if (!count)
        rv_tape_fail(
            tape, RV_ERROR_ARGUMENT,
            "minimize: `freeze`: all parameters are in groups that are frozen; leave one to "
            "update");
    else if ((twice = updated_before(tape, w, count)))
        rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                     "minimize: \"%s\" is updated on this tape already; minimize the sum of the "
                     "losses",
                     twice);
    else if (rv_gradient(loss, w, count, g))
        return count;
    return 0;
}

rv_var *rv_minimize_gradients(rv_var loss, const rv_optimizer *o, rv_var **g, int *count)
{
    rv_var *w = rv_parameters_of(loss, count);
    *g = rv_alloc((size_t)*count + 1, sizeof **g);
    if (!w || !*g)
        rv_tape_fail(loss.tape, RV_ERROR_MEMORY, "minimize: out of memory");
    else if ((*count = gradients(loss, o, w, *g, *count)))
        return w;
    rv_free(w);
    rv_free(*g);
    *g = NULL;
    *count = 0;
    return NULL;
}

bool rv_minimize(rv_var loss, rv_optimizer optimizer)
{
    if (rv_is_null(loss)) return false;
    int count;
    rv_var *g, *w = rv_minimize_gradients(loss, &optimizer, &g, &count);
    if (w) rv_minimize_update(&optimizer, w, g, count);
    rv_free(w);
    rv_free(g);
    return !rv_tape_error(loss.tape)->code;
}
