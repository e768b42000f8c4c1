/* Draws the gates and states of a trained cell over time, on one sample, with the input and what is
 * predicted. */
#ifndef RV_TOOLS_PLOT_PICTURES_H
#define RV_TOOLS_PLOT_PICTURES_H

#include "recurve.h"

/* Writes states.png in the folder: the top layer, in the forward direction, on the first validation
 * sample. Images have a tile per step and channel, of at most four channels. Other values are heat
 * maps, with a line per unit and a column per step. If the targets are numbers at each step, they
 * are drawn too, with the prediction. `names` is a list of rows such as "h,c,input,prediction", or
 * NULL for all. RV_ERROR_ARGUMENT for a name that the model does not have. Without a folder, only
 * checks the names. */
bool pictures_draw(const char *folder, const char *names, const rv_train_config *c,
                   const rv_setup *e, rv_store *store, rv_error *error);

#endif
