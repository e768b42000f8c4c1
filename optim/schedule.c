/* Schedules: each curve is its published formula, recorded. t is the update, from 0. */
#include "optim/schedule.h"

#include <math.h>

#include "ops/ops.h"

static const double PI = 3.14159265358979323846;

static rv_var number(rv_var like, double value) { return rv_scalar(like.tape, value); }

/* Half a cosine from `start` at p = 0 to `end` at p = 1. */
static rv_var half_cosine(rv_var p, double start, double end)
{
    return rv_shift(rv_scale(rv_shift(rv_cos(rv_scale(p, PI)), 1), (start - end) / 2), end);
}

static rv_var fraction_of(rv_var t, double length) { return rv_divide(t, number(t, length)); }

static bool positive(rv_var t, const char *what, double value)
{
    if (value > 0 && isfinite(value)) return true;
    rv_tape_fail(t.tape, RV_ERROR_ARGUMENT,
                 "minimize: the schedule's %s is %g; give a finite number above 0", what, value);
    return false;
}

static rv_var step_curve(rv_var t, const rv_schedule *s)
{
    if (!positive(t, "number of updates", s->updates) || !positive(t, "factor", s->factor))
        return t;
    rv_var whole = rv_cast(rv_cast(fraction_of(t, s->updates), RV_I32), rv_dtype_of(t));
    return rv_exp(rv_scale(whole, log(s->factor)));
}

static rv_var exponential_curve(rv_var t, const rv_schedule *s)
{
    if (!positive(t, "factor", s->factor)) return t;
    return rv_exp(rv_scale(t, log(s->factor)));
}

static rv_var cosine_curve(rv_var t, const rv_schedule *s)
{
    if (!positive(t, "number of updates", s->updates)) return t;
    return half_cosine(rv_clamp(fraction_of(t, s->updates), 0, 1), 1, s->end);
}

/* The peak is at update rise updates - 1, the end at updates - 1, as PyTorch counts. */
static rv_var one_cycle_curve(rv_var t, const rv_schedule *s)
{
    double peak = s->rise * s->updates - 1, last = s->updates - 1;
    if (!positive(t, "peak, rise updates - 1,", peak)) return t;
    if (!positive(t, "number of updates after its peak", last - peak)) return t;
    rv_var up = half_cosine(fraction_of(t, peak), s->start, 1);
    rv_var fall = rv_clamp(fraction_of(rv_shift(t, -peak), last - peak), 0, 1);
    return rv_select(rv_less(t, number(t, peak)), up, half_cosine(fall, 1, s->end));
}

rv_schedule rv_step_decay(double every, double factor)
{
    return (rv_schedule){.curve = step_curve, .updates = every, .factor = factor};
}

rv_schedule rv_exponential_decay(double factor)
{
    return (rv_schedule){.curve = exponential_curve, .factor = factor};
}

rv_schedule rv_cosine_decay(double updates, double end)
{
    return (rv_schedule){.curve = cosine_curve, .updates = updates, .end = end};
}

rv_schedule rv_one_cycle(double updates)
{
    return (rv_schedule){.curve = one_cycle_curve,
                         .updates = updates,
                         .start = 1.0 / 25,
                         .end = 1.0 / 25e4,
                         .rise = 0.3};
}

rv_schedule rv_warm_up(double updates, rv_schedule then)
{
    then.warm_up = updates;
    return then;
}

rv_var rv_schedule_factor(const rv_schedule *s, rv_var t)
{
    if (!s) return rv_tape_fail(t.tape, RV_ERROR_ARGUMENT, "schedule: it is NULL; give one");
    rv_var after = s->warm_up > 0 ? rv_shift(t, -s->warm_up) : t;
    rv_var factor = s->curve ? s->curve(after, s) : number(t, 1);
    if (!(s->warm_up > 0)) return factor;
    rv_var warm = rv_scale(fraction_of(t, s->warm_up), 1 - s->warm_up_start);
    return rv_select(rv_less(t, number(t, s->warm_up)), rv_shift(warm, s->warm_up_start), factor);
}
