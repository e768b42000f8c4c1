#include "tools/sweep/objective.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "train/setup/lookup.h"

static const objective all[] = {
    {"validation_loss", false, offsetof(rv_epoch, validation_loss)},
    {"validation_accuracy", true, offsetof(rv_epoch, validation_accuracy)},
    {"validation_error", false, offsetof(rv_epoch, validation_error)},
    {"loss", false, offsetof(rv_epoch, loss)},
};
enum { ALL = sizeof all / sizeof *all };

static const char *name_at(const void *list, int index)
{
    return ((const objective *)list)[index].name;
}

const objective *objective_find(const char *name, rv_error *error)
{
    for (const objective *o = all; o < all + ALL; o++)
        if (strcmp(o->name, name) == 0) return o;
    rv_fail_unknown("objective", name, name_at, all, ALL, error);
    return NULL;
}

double objective_best(const objective *o, const rv_train_result *result, int64_t *epoch)
{
    double best = NAN;
    *epoch = 0;
    for (const rv_epoch *row = result->history; row < result->history + result->epochs; row++) {
        const double value = *(const double *)(const void *)((const char *)row + o->offset);
        if (isnan(value) || (*epoch > 0 && !(o->greatest ? value > best : value < best))) continue;
        best = value;
        *epoch = row->epoch;
    }
    return best;
}
