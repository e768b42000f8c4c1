/* The data of a configuration. Not part of the public interface. */
#ifndef RV_TRAIN_DATA_INTERNAL_H
#define RV_TRAIN_DATA_INTERNAL_H

#include "train/setup.h"

/* Opens s->data by the name of a task or the ending of a file, unless it is given; sets config->data.task and the options that
 * depend on it. */
bool rv_setup_data(rv_train_config *config, rv_setup *s, const rv_train_parts *parts,
                   rv_error *error);

/* Makes the training and validation sources of s->data; sets config->data.validation. */
bool rv_setup_split(rv_train_config *config, rv_setup *s, const rv_train_parts *parts,
                    rv_error *error);

#endif
