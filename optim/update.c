/* States of an update. */
#include "optim/update.h"

#include "ops/ops.h"
#include "optim/update_internal.h"
#include "tensor/text_internal.h"

enum { NAME = 256 };

static bool name_moment(char name[NAME], const char *symbol, const char *parameter)
{
    return rv_join(name, NAME, "optimizer/", symbol, "/", parameter, NULL) < NAME;
}

rv_var rv_moment_shaped(const rv_update *u, const char *symbol, rv_shape shape)
{
    if (!u) return (rv_var){NULL, -1};
    char name[NAME];
    if (!name_moment(name, symbol, u->name))
        return rv_tape_fail(u->w.tape, RV_ERROR_NAME,
                            "minimize: the name \"%.40s...\" is too long for the name of a state; "
                            "use at most 200 bytes",
                            u->name);
    return rv_state(u->w.tape, name, shape, rv_init_constant(0));
}

rv_var rv_moment(const rv_update *u, const char *symbol)
{
    if (!u) return (rv_var){NULL, -1};
    return rv_moment_shaped(u, symbol, rv_shape_of(u->w));
}

rv_entry *rv_moment_find(const rv_store *store, const char *symbol, const char *parameter)
{
    char name[NAME];
    return name_moment(name, symbol, parameter) ? rv_store_find(store, name) : NULL;
}

rv_var rv_remember(const rv_update *u, rv_var state, rv_var next)
{
    if (!u) return next;
    rv_assign(state, rv_is_null(u->due) ? next : rv_select(u->due, next, state));
    return next;
}

rv_var rv_update_step(const rv_update *u)
{
    if (!u) return (rv_var){NULL, -1};
    rv_var step = rv_state(u->w.tape, "optimizer/step", RV_SCALAR, rv_init_constant(0));
    rv_remember(u, step, rv_shift(step, 1));
    return step;
}
