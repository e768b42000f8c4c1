/* --norms: the gradient's norms by parameter, state and time step, before the first update and after the last. */
#ifndef RV_TOOLS_PLOT_NORMS_H
#define RV_TOOLS_PLOT_NORMS_H

#include <cjson/cJSON.h>

#include "recurve.h"

typedef enum norms_moment { NORMS_START, NORMS_END, NORMS_MOMENTS } norms_moment;

/* For norms_free; starts as {0}. */
typedef struct norms {
    int count;
    int64_t steps, samples;
    char **name;               /* [count] */
    bool *state;               /* [count] */
    double *at[NORMS_MOMENTS]; /* [count, 1 + steps] as rv_flow has them; NAN: there is none */
} norms;

/* On the first batch of the training data measured. The second moment is of the same net as the first. */
bool norms_measure(norms *n, norms_moment moment, const rv_setup *e, rv_store *store, int64_t batch,
                   rv_error *error);
void norms_free(norms *n);

void norms_print(const norms *n);
cJSON *norms_json(const norms *n); /* NULL: out of memory */

/* folder/norms.csv; with `plot` folder/norms.svg and .png too. */
bool norms_write(const norms *n, const char *folder, const rv_train_config *c, bool plot,
                 rv_error *error);

#endif
