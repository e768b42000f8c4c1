/* The option --norms: norms of the gradient as text, JSON and pictures. */
#ifndef RV_TOOLS_PLOT_NORMS_H
#define RV_TOOLS_PLOT_NORMS_H

#include <cjson/cJSON.h>

#include "tools/signals/norms.h"

void norms_print(const norms *n);
cJSON *norms_json(const norms *n); /* NULL when out of memory */

/* Writes folder/norms.csv. */
bool norms_write(const norms *n, const char *folder, rv_error *error);
/* Draws folder/norms.svg and norms.png. */
bool norms_draw(const norms *n, const char *folder, const rv_train_config *c, rv_error *error);

#endif
