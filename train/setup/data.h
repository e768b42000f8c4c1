/* The data of a configuration. */
#ifndef RV_TRAIN_SETUP_DATA_H
#define RV_TRAIN_SETUP_DATA_H

#include "train/setup.h"

/* The format of a data file, by the ending of its name. */
typedef enum rv_data_format {
    RV_DATA_TEXT,
    RV_DATA_TABLE, /* .csv, .tsv */
    RV_DATA_IDX,
    RV_DATA_NPY,
    RV_DATA_NPZ
} rv_data_format;
rv_data_format rv_data_format_of(const char *path);

/* Opens s->data: the caller's source, a task by name, or a file by its ending. Sets
 * config->data.task and the options that depend on it. */
bool rv_setup_data(rv_train_config *config, rv_setup *s, const rv_train_parts *parts,
                   rv_error *error);

/* Makes the training and validation sources of s->data; sets config->data.validation. */
bool rv_setup_split(rv_train_config *config, rv_setup *s, const rv_train_parts *parts,
                    rv_error *error);

#endif
