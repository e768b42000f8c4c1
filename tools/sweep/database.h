/* The file of a sweep: a SQLite database in WAL mode, from which any number of processes take
 * trials.
 *
 * Who takes a trial does so in a transaction that excludes others, so no two processes have the
 * same one. A worker holds a lock on a byte of the file, of its own number, for as long as its
 * process lives. So a trial whose worker is dead, however it died, is known at once, and the next
 * worker takes it up from its checkpoint.
 *
 * Nothing is written with fsync after each trial: a process that is killed loses nothing. After a
 * power failure the last trials may be missing and are trained again. */
#ifndef RV_TOOLS_SWEEP_DATABASE_H
#define RV_TOOLS_SWEEP_DATABASE_H

#include <sqlite3.h>

#include "tools/sweep/plan.h"

typedef struct database {
    sqlite3 *sqlite;
    char path[4096];
    int lock;       /* a descriptor of the same file */
    int64_t worker; /* the number of this process; 0: it takes no trials */
} database;

/* Opens the file and reads its plan. If there is none, `fresh` is written to a new file; NULL: it
 * is an error.
 * RV_ERROR_FORMAT: the file is damaged, no sweep's, or of another version. Close with
 * database_close, also after a failure. A process that forks opens it after that. */
bool database_open(database *d, const char *path, const sweep_plan *fresh, sweep_plan *plan,
                   rv_error *error);
void database_close(database *d);

/* Whether the file has no defect that SQLite can find. */
bool database_check(database *d, rv_error *error);

/* ---- queries ---- */

/* Begins a query. `types` has a letter for each parameter that follows: i int64_t, d double, t text
 * or NULL, b bytes and their size_t. NULL on failure. */
sqlite3_stmt *database_query(database *d, rv_error *error, const char *sql, const char *types, ...);

/* Whether there is a next row. At the end, or on failure, the query is finished. */
bool database_next(database *d, sqlite3_stmt *query, rv_error *error);

/* Runs a statement that returns no rows. */
bool database_run(database *d, rv_error *error, const char *sql, const char *types, ...);

/* The number in the only row, or `otherwise`. */
int64_t database_number(database *d, rv_error *error, int64_t otherwise, const char *sql,
                        const char *types, ...);

/* A transaction that excludes other writers. End returns false and undoes it, if *error is set or
 * it cannot be written. */
bool database_begin(database *d, rv_error *error);
bool database_end(database *d, rv_error *error);

/* ---- workers ---- */

/* Makes this process a worker: gives it a number and its lock. */
bool database_join(database *d, rv_error *error);

/* In SQL, lives(worker) says whether the process of that number lives. */

#endif
