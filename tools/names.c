#include "tools/names.h"

#include <stdio.h>
#include <string.h>

#include "tensor/name.h"

void fail_unknown(const char *what, const char *seen, name_at name, const void *list, int count,
                  rv_error *error)
{
    char known[RV_ERROR_TEXT / 2 + 8] = "";
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        int wrote =
            snprintf(known + used, sizeof known - 8 - used, "%s%s", i ? ", " : "", name(list, i));
        if (wrote < 0 ||
            (size_t)wrote >= sizeof known - 8 - used) { /* a name is there whole or not */
            snprintf(known + used, sizeof known - used, "%.4s", " ...");
            break;
        }
        used += (size_t)wrote;
    }
    rv_guess guess = {.seen = seen};
    for (int i = 0; i < count; i++) rv_guess_try(&guess, name(list, i));
    const char *nearest = guess.nearest;
    rv_fail(error, RV_ERROR_NAME, "unknown %s \"%.100s\"%s%s%s\nKnown: %s", what, seen,
            nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "",
            known);
}

static const char *model_name(const void *list, int index)
{
    (void)list;
    return rv_model_at(index)->name;
}

static const char *optimizer_name(const void *list, int index)
{
    (void)list;
    return rv_optimizer_at(index)->name;
}

static const char *op_name(const void *list, int index)
{
    (void)list;
    return rv_op_at(index)->name;
}

const rv_model *named_model(const char *name, rv_error *error)
{
    const rv_model *model = rv_model_find(name);
    if (model == NULL) fail_unknown("model", name, model_name, NULL, rv_model_count(), error);
    return model;
}

const rv_optimizer *named_optimizer(const char *name, rv_error *error)
{
    const rv_optimizer *optimizer = rv_optimizer_find(name);
    if (optimizer == NULL)
        fail_unknown("optimizer", name, optimizer_name, NULL, rv_optimizer_count(), error);
    return optimizer;
}

const rv_op *named_op(const char *name, rv_error *error)
{
    const rv_op *op = rv_op_find(name);
    if (op == NULL) fail_unknown("op", name, op_name, NULL, rv_op_count(), error);
    return op;
}
