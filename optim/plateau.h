/* Lowers learning rates when a loss stops improving: PyTorch's ReduceLROnPlateau in mode "min",
 * except that the threshold is a fraction of |best|. PyTorch's (1 - threshold) best lies above a
 * negative best. */
#ifndef RV_OPTIM_PLATEAU_H
#define RV_OPTIM_PLATEAU_H

#include <stdbool.h>

#include "../tensor/store.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_plateau {
    double factor; /* multiplies the learning rates; above 0, below 1 */
    int patience;  /* consecutive observations without improvement that are tolerated */
    /* Improved: loss < best - threshold |best|; with `absolute`, loss < best - threshold. */
    double threshold;
    bool absolute;
    int cool_down; /* observations after a reduction that do not count as bad */
    double least;  /* lower bound of the learning rates */
} rv_plateau;

/* Observes a loss; NaN counts as no improvement. When patience is exhausted, multiplies every
 * learning rate of the store by the factor; *lowered (may be NULL) is set to whether it did. The
 * state "optimizer/plateau", f64 [4], holds the best loss, the bad observations, the cool-down left
 * and the observations so far. On failure returns false and sets *error (may be NULL):
 * RV_ERROR_ARGUMENT for a field out of range. */
bool rv_plateau_observe(const rv_plateau *p, rv_store *store, double loss, bool *lowered,
                        rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
