/* The folder of a run: checkpoint.safetensors, config.json, log.csv. Each file is written whole or
 * not at all. */
#ifndef RECURVE_TOOLS_RUN_FOLDER_H
#define RECURVE_TOOLS_RUN_FOLDER_H

#include "tools/learning.h"
#include "tools/settings.h"

enum { PATH_TEXT = 4096 };

typedef struct epoch_row {
    int64_t epoch;
    double cost, train_accuracy, held_out_accuracy, seconds;
} epoch_row;

/* Makes the folder, parents too, and tries that all files can be written there. */
bool run_folder_open(const char *folder, rv_error *error);

bool run_folder_save(const char *folder, const settings *s, const rv_store *store,
                     const epoch_row *rows, int64_t count, rv_error *error);

bool run_folder_read_config(const char *folder, settings *s, rv_error *error);

/* "folder/checkpoint.safetensors" and the folder of such a path, which need PATH_TEXT bytes. */
bool run_folder_checkpoint(const char *folder, char path[PATH_TEXT], rv_error *error);
bool run_folder_of(const char *checkpoint, char folder[PATH_TEXT], rv_error *error);

#endif
