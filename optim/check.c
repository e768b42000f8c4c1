/* Which values of an optimizer's fields make sense. */
#include <math.h>

#include "optim/internal.h"

typedef struct field {
    const char *name;
    double value, low, high; /* low <= value < high */
} field;

static bool check(rv_tape *tape, const field *f, int count)
{
    for (int i = 0; i < count; i++)
        if (!(f[i].value >= f[i].low && f[i].value < f[i].high)) {
            if (f[i].high < INFINITY)
                rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                             "minimize: %s is %g; give a number from %g to less than %g", f[i].name,
                             f[i].value, f[i].low, f[i].high);
            else
                rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                             "minimize: %s is %g; give a finite number from %g", f[i].name,
                             f[i].value, f[i].low);
            return false;
        }
    return true;
}

#define CHECK(tape, ...) \
    check(tape, (const field[])__VA_ARGS__, sizeof((const field[])__VA_ARGS__) / sizeof(field))

bool rv_check_optimizer(rv_tape *tape, const rv_optimizer *o)
{
    if (!o->rule)
        rv_tape_fail(tape, RV_ERROR_ARGUMENT, "minimize: the optimizer \"%s\" has no rule; set one",
                     o->name ? o->name : "");
    double start = o->schedule.warm_up_start;
    bool good = CHECK(tape, {{"momentum", o->momentum, 0, 1},
                             {"decay", o->decay, 0, 1},
                             {"epsilon", o->epsilon, 0, INFINITY},
                             {"weight_decay", o->weight_decay, 0, INFINITY},
                             {"accumulate", o->accumulate, 0, INFINITY},
                             {"clip_value", o->clip_value, 0, INFINITY},
                             {"clip_norm", o->clip_norm, 0, INFINITY},
                             {"average", o->average, 0, 1},
                             {"the schedule's warm_up", o->schedule.warm_up, 0, INFINITY},
                             {"the schedule's warm_up_start", start, 0, INFINITY},
                             {"the schedule's end", o->schedule.end, 0, INFINITY}});
    for (int i = 0; good && i < RV_RATE_GROUPS && o->group[i].pattern; i++)
        good = CHECK(tape, {{"a group's weight_decay", o->group[i].weight_decay, 0, INFINITY}});
    return o->rule && good;
}
