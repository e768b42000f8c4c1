/* Schedules: factors of the learning rate as recorded functions of the number of updates so far. */
#ifndef RV_OPTIM_SCHEDULE_H
#define RV_OPTIM_SCHEDULE_H

#include <stdbool.h>

#include "../autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_schedule rv_schedule;

/* Records the factor [] of every learning rate at update t [] = 0, 1, ..., counted from the end of
 * the warm-up. */
typedef rv_var (*rv_curve)(rv_var t, const rv_schedule *s);

/* {0} is a constant learning rate. The functions below make schedules; a curve of your own may use
 * the fields as it likes. Lengths are in updates. */
struct rv_schedule {
    rv_curve curve; /* NULL: 1 */
    double updates; /* of a step decay: between two steps; else the length of the schedule */
    double factor;  /* of step and exponential decay */
    double start,
        end;        /* factors at the first update (one-cycle) and the last (one-cycle, cosine) */
    double rise;    /* of a one-cycle: the fraction of the updates before the peak */
    double warm_up; /* updates before the curve, linear from warm_up_start to 1 */
    double warm_up_start; /* the factor at update 0 */
};

/* factor^floor(t / every): PyTorch's StepLR. */
rv_schedule rv_step_decay(double every, double factor);
/* factor^t: ExponentialLR. */
rv_schedule rv_exponential_decay(double factor);
/* From 1 to `end` along half a cosine (Loshchilov and Hutter 2017), then constant. PyTorch's
 * CosineAnnealingLR with eta_min = end times the learning rate rises again instead. */
rv_schedule rv_cosine_decay(double updates, double end);
/* From 1/25 up to 1 and down to 1/250000 along cosines, with the peak after 0.3 of the updates
 * (Smith and Topin 2018): OneCycleLR with its defaults and cycle_momentum = False. */
rv_schedule rv_one_cycle(double updates);
/* The schedule `then` after `updates` updates of a linear rise from 0: LinearLR and
 * SequentialLR. */
rv_schedule rv_warm_up(double updates, rv_schedule then);

/* Records the schedule's factor [] at update t [] = 0, 1, ..., warm-up included. */
rv_var rv_schedule_factor(const rv_schedule *s, rv_var t);

#ifdef __cplusplus
}
#endif

#endif
