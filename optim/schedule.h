/* Schedules: how a learning rate changes from update to update, as recorded equations of the number of
 * updates so far; and the plateau rule, which looks at a loss and so runs on the host. */
#ifndef RV_OPTIM_SCHEDULE_H
#define RV_OPTIM_SCHEDULE_H

#include <stdbool.h>

#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_schedule rv_schedule;

/* The factor [] that multiplies every rate at update t [] = 0, 1, ..., counted from the end of the
 * warm-up. Recorded ops; called once for each rv_minimize. */
typedef rv_var (*rv_curve)(rv_var t, const rv_schedule *s);

/* {0}: a constant rate. Make one with a function below, or set `curve` to one of your own, which may
 * use the other fields as it likes. Lengths are in updates. */
struct rv_schedule {
    rv_curve curve;       /* NULL: 1 */
    double updates;       /* between two steps of a step decay, else in all */
    double factor;        /* of step and exponential decay */
    double start, end;    /* factors at the first and the last update (one-cycle; end: cosine) */
    double rise;          /* one-cycle: the share of the updates up to the peak */
    double warm_up;       /* before that, linearly from warm_up_start to 1 in so many updates */
    double warm_up_start; /* the factor at update 0 */
};

/* factor^floor(t / every): PyTorch's StepLR. */
rv_schedule rv_step_decay(double every, double factor);
/* factor^t: ExponentialLR. */
rv_schedule rv_exponential_decay(double factor);
/* From 1 to `end` along half a cosine (Loshchilov and Hutter 2017), then `end` for ever:
 * CosineAnnealingLR with eta_min = end rate, which would rise again. */
rv_schedule rv_cosine_decay(double updates, double end);
/* From 1/25 up to 1 and down to 1/250000 along cosines, the peak at 0.3 of the way (Smith and Topin
 * 2018): OneCycleLR with its defaults and cycle_momentum = False. */
rv_schedule rv_one_cycle(double updates);
/* The schedule after so many updates of a linear rise from 0: LinearLR, then SequentialLR. */
rv_schedule rv_warm_up(double updates, rv_schedule then);

/* The schedule's factor at update t = 0, 1, ... []; recorded. */
rv_var rv_schedule_factor(const rv_schedule *s, rv_var t);

/* Lowers the rates when a loss no longer improves: PyTorch's ReduceLROnPlateau in mode "min". */
typedef struct rv_plateau {
    double factor;    /* multiplies the rates, in 0 .. 1 */
    int patience;     /* observations without improvement that are let pass, one after the other */
    double threshold; /* improved: loss < (1 - threshold) best; absolute: loss < best - threshold */
    bool absolute;
    int cool_down; /* observations after lowering that do not count as bad */
    double least;  /* no rate is made lower than this */
} rv_plateau;

/* Takes a loss (a NaN counts as no improvement) and, when patience is at an end, multiplies each
 * "optimizer/rate..." of the store by the factor; true when it did. What it remembers is the state
 * "optimizer/plateau", f64 [4]: best loss, bad observations, cool-down left, observations. False
 * too on failure, which goes to *error (may be NULL): RV_ERROR_ARGUMENT for a field out of range. */
bool rv_plateau_observe(const rv_plateau *p, rv_store *store, double loss, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
