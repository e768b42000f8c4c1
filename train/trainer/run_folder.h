/* The folder of a run: checkpoint.safetensors and the one before it,
 * checkpoint.previous.safetensors; best.safetensors, config.json, log.csv. Each file is written
 * whole or not at all. Not part of the public interface. */
#ifndef RV_TRAIN_TRAINER_RUN_FOLDER_H
#define RV_TRAIN_TRAINER_RUN_FOLDER_H

#include "train/trainer.h"
#include "train/trainer/folder_lock.h"

enum { RV_PATH = 4096 };

/* Makes the folder and its parents, locks it, and checks that all files can be written there.
 * Release the lock with rv_folder_unlock, which removes folders that were made and are empty. NULL
 * on failure. */
rv_folder_lock *rv_run_folder_open(const char *folder, rv_error *error);

/* Makes the folder and its parents, as mkdir -p does, or none. *had: the length of the part of the
 * path that was there. */
bool rv_run_folder_make(const char *folder, size_t *had, rv_error *error);

/* Removes those of the folders made after that part that are empty. */
void rv_run_folder_unmake(const char *folder, size_t had);

/* Fails if the folder has a checkpoint or best.safetensors of an earlier run; with `overwrite`,
 * removes them instead. */
bool rv_run_folder_clear(const char *folder, bool overwrite, rv_error *error);

/* The same for any file of a folder. */
bool rv_run_folder_clear_file(const char *folder, const char *file, bool overwrite,
                              rv_error *error);

/* Tells one checkpoint of a folder from the next. {0}: there is none. */
typedef struct rv_checkpoint_mark {
    uint64_t inode;
    int64_t seconds, nanoseconds; /* when it was written */
} rv_checkpoint_mark;
bool rv_run_folder_mark(const char *folder, rv_checkpoint_mark *mark, rv_error *error);

/* Writes config.json, inputs.json (train/trainer/inputs.h) if there are such files, and log.csv,
 * and removes unfinished files of a killed run. */
bool rv_run_folder_start(const char *folder, const rv_train_config *config, const char *inputs,
                         const rv_train_result *result, rv_error *error);

/* Writes the checkpoint, whose metadata hold the configuration ("config"), the record of its files
 * ("inputs") and the run state ("run"), then log.csv. The checkpoint before becomes the previous
 * one. Sets result->saved to result->at. */
bool rv_run_folder_save(const char *folder, const rv_train_config *config, const char *inputs,
                        const rv_store *store, rv_train_result *result, rv_error *error);

/* Writes best.safetensors, whose metadata hold the configuration. */
bool rv_run_folder_save_best(const char *folder, const rv_train_config *config,
                             const rv_store *store, rv_error *error);

/* "folder/file" */
bool rv_run_folder_path(const char *folder, const char *file, char path[RV_PATH], rv_error *error);

/* The path of each file. */
bool rv_run_folder_checkpoint(const char *folder, char path[RV_PATH], rv_error *error);
bool rv_run_folder_previous(const char *folder, char path[RV_PATH], rv_error *error);
bool rv_run_folder_inputs(const char *folder, char path[RV_PATH], rv_error *error);
bool rv_run_folder_config(const char *folder, char path[RV_PATH], rv_error *error);

/* The folder that a file is in. */
bool rv_run_folder_of(const char *file, char folder[RV_PATH], rv_error *error);

#endif
