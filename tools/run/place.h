/* A run's place as text, which its checkpoint carries: what is done, and where it goes on. */
#ifndef RV_TOOLS_RUN_PLACE_H
#define RV_TOOLS_RUN_PLACE_H

#include "tools/run/training.h"

/* JSON, for rv_free; every number comes back to the bit. NULL: out of memory. */
char *place_to_json(const training *t);

/* Sets what the place says of *t, for training_free; `path` is for messages. */
bool place_from_json(training *t, const char *json, const char *path, rv_error *error);

#endif
