/* The folder of a run: checkpoint.safetensors and the one before it, checkpoint.previous.safetensors; best.safetensors,
 * config.json, log.csv. Each file is written whole or not at all. */
#ifndef RV_TOOLS_RUN_RUN_FOLDER_H
#define RV_TOOLS_RUN_RUN_FOLDER_H

#include "tools/run/settings.h"
#include "tools/run/training.h"

enum { PATH_TEXT = 4096 };

/* Makes the folder, parents too, and tries that all files can be written there. */
bool run_folder_open(const char *folder, rv_error *error);

/* Writes config.json and log.csv, and takes away what a run that was killed left half written. */
bool run_folder_start(const char *folder, const settings *s, const training *t, rv_error *error);

/* The checkpoint, with the settings ("config") and the place ("run") among its metadata, then log.csv. The checkpoint
 * that t->saved is of becomes the previous one, and t->saved that of this. */
bool run_folder_save(const char *folder, const settings *s, const rv_store *store, training *t,
                     rv_error *error);

/* "folder/config.json", for rv_free; NULL on failure. */
char *run_folder_config(const char *folder, char path[PATH_TEXT], rv_error *error);
bool run_folder_read_config(const char *folder, settings *s, rv_error *error);

/* "folder/file". */
bool run_folder_path(const char *folder, const char *file, char path[PATH_TEXT], rv_error *error);

/* "folder/best.safetensors", the parameters with the least cost held out. */
bool run_folder_best(const char *folder, char path[PATH_TEXT], rv_error *error);

bool run_folder_previous(const char *folder, char path[PATH_TEXT], rv_error *error);

/* "folder/checkpoint.safetensors" and the folder of such a path, which need PATH_TEXT bytes. */
bool run_folder_checkpoint(const char *folder, char path[PATH_TEXT], rv_error *error);
bool run_folder_of(const char *checkpoint, char folder[PATH_TEXT], rv_error *error);

#endif
