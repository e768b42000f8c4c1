/* A run that `recurve train --output` has stored: its settings, data and parameters. */
#ifndef RV_TOOLS_RUN_SAVED_RUN_H
#define RV_TOOLS_RUN_SAVED_RUN_H

#include "tools/run/run_folder.h"

typedef struct saved_run {
    settings s;
    experiment e;
    rv_store *store;
} saved_run;

/* An error unless one of the two is given. */
bool saved_run_named(const char *output, const char *checkpoint, rv_error *error);

/* From the folder `output`, or that of the checkpoint; checkpoint NULL: the folder's
 * checkpoint.safetensors. For saved_run_close, either way. */
bool saved_run_open(saved_run *r, const char *output, const char *checkpoint, int64_t threads,
                    rv_error *error);
void saved_run_close(saved_run *r);

/* The model's parameters, all of them and no others, from the file. */
bool saved_run_load(const experiment *e, rv_store *store, const char *path, rv_error *error);

#endif
