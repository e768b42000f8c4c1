/* Norms of the gradient by parameter, state and time step, before the first update and after the
 * last one. */
#ifndef RV_TOOLS_SIGNALS_NORMS_H
#define RV_TOOLS_SIGNALS_NORMS_H

#include "recurve.h"

typedef enum norms_moment { NORMS_START, NORMS_END, NORMS_MOMENTS } norms_moment;

/* Initialize with {0}, free with norms_free. */
typedef struct norms {
    int count;
    int64_t steps, samples;
    char **name;               /* [count] */
    bool *state;               /* [count] */
    double *at[NORMS_MOMENTS]; /* [count, 1 + steps] as in rv_flow; NAN if null there */
} norms;

/* Measures the norms at one moment, on the first batch of e->sample. All moments must be of the
 * same net. */
bool norms_measure(norms *n, norms_moment moment, const rv_setup *e, rv_store *store, int64_t batch,
                   rv_error *error);
void norms_free(norms *n);

#endif
