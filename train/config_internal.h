/* Options as JSON and as text. Not part of the public interface. */
#ifndef RV_TRAIN_CONFIG_INTERNAL_H
#define RV_TRAIN_CONFIG_INTERNAL_H

#include <cjson/cJSON.h>

#include "train/config.h"

/* Sets the row's field to the item's value. Texts are borrowed. Errors begin with the row's key. */
bool rv_config_row_read(const rv_config_row *row, const cJSON *item, rv_train_config *config,
                        rv_error *error);

/* The value of the row's field, for a message: "adam", "0.01", "set", "unset". */
enum { RV_ROW_TEXT = 64 };
const char *rv_config_row_text(const rv_config_row *row, const rv_train_config *config,
                               char text[RV_ROW_TEXT]);

#endif
