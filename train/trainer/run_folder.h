/* The folder of a run: checkpoint.safetensors and the one before it,
 * checkpoint.previous.safetensors; best.safetensors, config.json, log.csv. Each file is written
 * whole or not at all. Not part of the public interface. */
#ifndef RV_TRAIN_TRAINER_RUN_FOLDER_H
#define RV_TRAIN_TRAINER_RUN_FOLDER_H

#include "train/trainer.h"

enum { RV_PATH = 4096 };

/* Makes the folder and its parents, and checks that all files can be written there. */
bool rv_run_folder_open(const char *folder, rv_error *error);

/* Writes config.json and log.csv, and removes unfinished files of a killed run. */
bool rv_run_folder_start(const char *folder, const rv_train_config *config,
                         const rv_train_result *result, rv_error *error);

/* Writes the checkpoint, whose metadata hold the configuration ("config") and the run state
 * ("run"), then log.csv. The checkpoint before becomes the previous one. Sets result->saved to
 * result->at. */
bool rv_run_folder_save(const char *folder, const rv_train_config *config, const rv_store *store,
                        rv_train_result *result, rv_error *error);

/* "folder/file" */
bool rv_run_folder_path(const char *folder, const char *file, char path[RV_PATH], rv_error *error);

/* The path of each file. */
bool rv_run_folder_checkpoint(const char *folder, char path[RV_PATH], rv_error *error);
bool rv_run_folder_previous(const char *folder, char path[RV_PATH], rv_error *error);
bool rv_run_folder_best(const char *folder, char path[RV_PATH], rv_error *error);
bool rv_run_folder_config(const char *folder, char path[RV_PATH], rv_error *error);

/* The folder that a file is in. */
bool rv_run_folder_of(const char *file, char folder[RV_PATH], rv_error *error);

#endif
