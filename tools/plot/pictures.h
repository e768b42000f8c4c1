/* Draws the gates and states of a trained cell over time, on one sample. */
#ifndef RV_TOOLS_PLOT_PICTURES_H
#define RV_TOOLS_PLOT_PICTURES_H

#include "recurve.h"

/* Writes states.png in the folder: the top layer, in the forward direction, on the first validation sample. Images
 * have a tile per step and channel, of at most four channels. Other values are heat maps, with a line per unit and
 * a column per step. */
bool pictures_draw(const char *folder, const rv_train_config *c, const rv_setup *e, rv_store *store,
                   rv_error *error);

#endif
