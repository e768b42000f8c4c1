/* What a trained cell does with one sample: its gates and states over time. */
#ifndef RV_TOOLS_PLOT_PICTURES_H
#define RV_TOOLS_PLOT_PICTURES_H

#include "recurve.h"

/* states.png in the folder: the first validation sample, as the top layer sees it in the forward direction. Images have a
 * tile for each step and, up to four, for each channel; other values are heat maps, units down and time
 * across. */
bool pictures_draw(const char *folder, const rv_train_config *c, const rv_setup *e, rv_store *store,
                   rv_error *error);

#endif
