/* Merging the databases of one sweep whose trials were trained on several machines. */
#ifndef RV_TOOLS_SWEEP_MERGE_H
#define RV_TOOLS_SWEEP_MERGE_H

#include "tools/sweep/database.h"

/* Copies the trials of the databases `from` to `into`, which is made if missing. A trial that
 * several have counts once: the one that has been trained further. Those that a worker was training
 * wait, with their checkpoints. RV_ERROR_FORMAT: a file is of another sweep, or two results of a
 * trial differ; nothing is then copied. */
bool sweep_merge(const char *into, char *const *from, int count, rv_error *error);

#endif
