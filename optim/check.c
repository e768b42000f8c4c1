#include "optim/check_internal.h"

#include <math.h>

/* 0 <= value < end */
static bool within(rv_tape *tape, const char *field, double value, double end)
{
    if (value >= 0 && value < end) return true;
    if (end < INFINITY)
        rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                     "minimize: %s is %g; give a number from 0 to less than %.9g", field, value,
                     end);
    else
        rv_tape_fail(tape, RV_ERROR_ARGUMENT, "minimize: %s is %g; give a finite number from 0",
                     field, value);
    return false;
}

bool rv_check_optimizer(rv_tape *tape, const rv_optimizer *o)
{
    const rv_schedule *s = &o->schedule;
    if (!o->rule) {
        rv_tape_fail(tape, RV_ERROR_ARGUMENT, "minimize: the optimizer \"%s\" has no rule; set one",
                     o->name ? o->name : "");
        return false;
    }
    for (int i = 0; i < RV_PARAMETER_GROUPS && o->group[i].pattern; i++)
        if (!within(tape, "a group's weight_decay", o->group[i].weight_decay, INFINITY))
            return false;
    return within(tape, "momentum", o->momentum, 1) && within(tape, "decay", o->decay, 1) &&
           within(tape, "epsilon", o->epsilon, INFINITY) &&
           within(tape, "accumulate", o->accumulate, 0x1p24) && /* f32 can count to it */
           within(tape, "clip_value", o->clip_value, INFINITY) &&
           within(tape, "clip_norm", o->clip_norm, INFINITY) &&
           within(tape, "weight_decay", o->weight_decay, INFINITY) &&
           within(tape, "average", o->average, 1) &&
           within(tape, "the schedule's warm_up", s->warm_up, INFINITY) &&
           within(tape, "the schedule's warm_up_start", s->warm_up_start, INFINITY) &&
           within(tape, "the schedule's end", s->end, INFINITY);
}
