/* At most one trainer at a time writes into a folder. Not part of the public interface. */
#ifndef RV_TRAIN_TRAINER_FOLDER_LOCK_H
#define RV_TRAIN_TRAINER_FOLDER_LOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "tensor/error.h"

/* A locked folder. The file run.lock in it says in one line who holds the lock: process, host, time
 * and command. The system releases the lock when the process ends, however it ends: a run.lock that
 * a killed process has left behind locks nothing. */
typedef struct rv_folder_lock rv_folder_lock;

/* Locks the folder. Release it with rv_folder_unlock. NULL and RV_ERROR_BUSY, which says who holds
 * it, when it is locked, by this process or another one; RV_ERROR_IO when the folder cannot be
 * written. On a file system that has no locks the folder remains unlocked. */
rv_folder_lock *rv_folder_lock_take(const char *folder, rv_error *error);

/* The folders behind the first `had` bytes of its path were made for the run
 * (rv_run_folder_make). */
void rv_folder_lock_made(rv_folder_lock *lock, size_t had);

/* Removes run.lock, and the folders that were made for the run and are empty. Accepts NULL. */
void rv_folder_unlock(rv_folder_lock *lock);

#endif
