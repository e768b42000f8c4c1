/* The files that a run reads: data, labels, validation data, a cell. A run's folder records where
 * they are and what they hold, in inputs.json and in the checkpoints:
 *     {"data": {"path": "/home/me/cells/x.csv", "from_run": "../x.csv",
 *               "bytes": 1200, "xxh3_128": "99aa06d3014798d86001c324468d497f"}}
 * Not part of the public interface. */
#ifndef RV_TRAIN_TRAINER_INPUTS_H
#define RV_TRAIN_TRAINER_INPUTS_H

#include "train/config.h"

/* The record of a configuration's files, for rv_free; "{}" without files. The folder exists. Of a
 * file larger than 256 MiB, 4096 parts of 64 KiB are hashed, so that this takes a bounded time.
 * NULL on failure. */
char *rv_inputs_json(const rv_train_config *config, const char *folder, rv_error *error);

/* Sets the paths of a configuration, read from the folder, to where the files are now: as they were
 * given, relative to the folder, or where they were. Where these are different files, that with
 * the recorded content is taken. Without a readable record nothing changes. */
bool rv_inputs_find(rv_train_config *config, const char *folder, rv_error *error);

/* Whether the files hold what a record says. If not, *changed names the first that does not. False
 * only when the record or a file cannot be read. */
bool rv_inputs_check(const rv_train_config *config, const char *json, const char *path,
                     rv_error *changed, rv_error *error);

#endif
