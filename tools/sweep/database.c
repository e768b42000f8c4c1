#include "tools/sweep/database.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"

enum { APPLICATION = 0x52765377, VERSION = 2, BUSY_MILLISECONDS = 60000 };

/* Far behind the bytes that SQLite locks, and behind the end of any file. */
static const int64_t LOCKS_FROM = (int64_t)1 << 50;

static const char schema[] =
    "CREATE TABLE sweep(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE worker(number INTEGER PRIMARY KEY AUTOINCREMENT, process INTEGER, began TEXT);"
    "CREATE TABLE trial("
    " number INTEGER PRIMARY KEY,"
    " state TEXT NOT NULL DEFAULT 'waiting' CHECK(state IN "
    "('waiting', 'running', 'paused', 'stopped', 'diverged', 'failed', 'done')),"
    " settings TEXT NOT NULL,"
    " rung INTEGER NOT NULL DEFAULT 0,"
    " worker INTEGER,"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " epochs INTEGER NOT NULL DEFAULT 0,"
    " best_epoch INTEGER,"
    " objective REAL,"
    " parameters INTEGER,"
    " seconds REAL,"
    " digest TEXT,"
    " message TEXT,"
    " checkpoint BLOB);"
    "CREATE INDEX trial_state ON trial(state, rung, number);"
    "CREATE TABLE epoch(trial INTEGER NOT NULL REFERENCES trial, epoch INTEGER NOT NULL,"
    " loss REAL, validation_loss REAL, validation_accuracy REAL, validation_error REAL,"
    " seconds REAL, PRIMARY KEY(trial, epoch)) WITHOUT ROWID;";

/* ---- errors ---- */

static bool fail(const database *d, rv_error *error)
{
    const int code = sqlite3_errcode(d->sqlite) & 0xff;
    const char *why = sqlite3_errmsg(d->sqlite);
    if (code == SQLITE_NOMEM) return rv_fail_memory(error);
    if (code == SQLITE_FULL || sqlite3_extended_errcode(d->sqlite) == SQLITE_IOERR_WRITE)
        return rv_fail(error, RV_ERROR_IO,
                       "cannot write \"%.300s\": is the disk full? Free some space and repeat the "
                       "command, which continues from the last checkpoints",
                       d->path);
    if (code == SQLITE_NOTADB)
        return rv_fail(error, RV_ERROR_FORMAT,
                       "\"%.300s\" is no database, or a damaged one; name the database of a sweep, "
                       "or a new file",
                       d->path);
    if (code == SQLITE_CORRUPT)
        return rv_fail(error, RV_ERROR_FORMAT,
                       "\"%.300s\" is damaged: %s; use a copy of it, or save what is left with "
                       "`sqlite3 FILE .recover | sqlite3 NEW`",
                       d->path, why);
    if (code == SQLITE_BUSY)
        return rv_fail(error, RV_ERROR_BUSY,
                       "\"%.300s\" has been locked by another program for %d seconds; end that "
                       "program, and repeat the command",
                       d->path, BUSY_MILLISECONDS / 1000);
    return rv_fail(
        error, RV_ERROR_IO,
        "\"%.300s\": %s; put the file on a local disk that has space and where it can be written",
        d->path, why);
}

/* ---- queries ---- */

static bool bind(database *d, sqlite3_stmt *query, const char *types, va_list arguments)
{
    int code = SQLITE_OK;
    for (int i = 1; *types != '\0' && code == SQLITE_OK; types++, i++) {
        if (*types == 'i') {
            code = sqlite3_bind_int64(query, i, va_arg(arguments, int64_t));
        } else if (*types == 'd') {
            code = sqlite3_bind_double(query, i, va_arg(arguments, double));
        } else if (*types == 't') {
            code = sqlite3_bind_text(query, i, va_arg(arguments, const char *), -1, SQLITE_STATIC);
        } else {
            const void *bytes = va_arg(arguments, const void *);
            const size_t size = va_arg(arguments, size_t);
            code = sqlite3_bind_blob64(query, i, bytes, size, SQLITE_STATIC);
        }
    }
    return code == SQLITE_OK && d;
}

static sqlite3_stmt *prepare(database *d, rv_error *error, const char *sql, const char *types,
                             va_list arguments)
{
    sqlite3_stmt *query = NULL;
    if (sqlite3_prepare_v2(d->sqlite, sql, -1, &query, NULL) == SQLITE_OK &&
        bind(d, query, types, arguments))
        return query;
    fail(d, error);
    sqlite3_finalize(query);
    return NULL;
}

sqlite3_stmt *database_query(database *d, rv_error *error, const char *sql, const char *types, ...)
{
    va_list arguments;
    va_start(arguments, types);
    sqlite3_stmt *query = prepare(d, error, sql, types, arguments);
    va_end(arguments);
    return query;
}

bool database_next(database *d, sqlite3_stmt *query, rv_error *error)
{
    const int code = query ? sqlite3_step(query) : SQLITE_DONE;
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) fail(d, error);
    sqlite3_finalize(query);
    return false;
}

bool database_run(database *d, rv_error *error, const char *sql, const char *types, ...)
{
    va_list arguments;
    va_start(arguments, types);
    sqlite3_stmt *query = prepare(d, error, sql, types, arguments);
    va_end(arguments);
    const bool ok = query && sqlite3_step(query) == SQLITE_DONE;
    if (query && !ok) fail(d, error);
    sqlite3_finalize(query);
    return ok;
}

int64_t database_number(database *d, rv_error *error, int64_t otherwise, const char *sql,
                        const char *types, ...)
{
    va_list arguments;
    va_start(arguments, types);
    sqlite3_stmt *query = prepare(d, error, sql, types, arguments);
    va_end(arguments);
    int64_t number = otherwise;
    while (database_next(d, query, error))
        if (sqlite3_column_type(query, 0) == SQLITE_INTEGER)
            number = sqlite3_column_int64(query, 0);
    return number;
}

bool database_begin(database *d, rv_error *error)
{
    return database_run(d, error, "BEGIN IMMEDIATE", "");
}

bool database_end(database *d, rv_error *error)
{
    if (error->code == RV_OK && database_run(d, error, "COMMIT", "")) return true;
    if (!sqlite3_get_autocommit(d->sqlite)) sqlite3_exec(d->sqlite, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

/* ---- the plan ---- */

static bool write_text(database *d, const char *key, const char *value, rv_error *error)
{
    return database_run(d, error, "INSERT INTO sweep VALUES(?, ?)", "tt", key, value);
}

static bool write_number(database *d, const char *key, int64_t value, rv_error *error)
{
    return database_run(d, error, "INSERT INTO sweep VALUES(?, ?)", "ti", key, value);
}

static bool write_plan(database *d, const sweep_plan *p, rv_error *error)
{
    return write_text(d, "space", p->space, error) && write_text(d, "options", p->options, error) &&
           write_text(d, "folder", p->folder, error) &&
           write_text(d, "objective", p->objective, error) &&
           write_number(d, "seed", p->seed, error) &&
           write_number(d, "halving", p->halving, error) &&
           write_number(d, "rung", p->rung, error) && write_number(d, "epochs", p->epochs, error) &&
           write_text(d, "recurve", rv_version(), error);
}

static bool read_text(database *d, const char *key, char **value, rv_error *error)
{
    sqlite3_stmt *query =
        database_query(d, error, "SELECT value FROM sweep WHERE key = ?", "t", key);
    *value = NULL;
    while (database_next(d, query, error)) {
        const char *text = (const char *)sqlite3_column_text(query, 0);
        rv_free(*value);
        *value = text ? rv_string_copy(text) : NULL;
        if (text && !*value) rv_fail_memory(error);
    }
    return *value ||
           rv_fail(error, RV_ERROR_FORMAT,
                   "\"%.300s\" is damaged: it has no `%s`; use a copy of it", d->path, key);
}

static int64_t read_number(database *d, const char *key, rv_error *error)
{
    return database_number(d, error, 0, "SELECT value FROM sweep WHERE key = ?", "t", key);
}

static bool read_plan(database *d, sweep_plan *p, rv_error *error)
{
    if (!read_text(d, "space", &p->space, error) || !read_text(d, "options", &p->options, error) ||
        !read_text(d, "folder", &p->folder, error) ||
        !read_text(d, "objective", &p->objective, error))
        return false;
    p->seed = read_number(d, "seed", error);
    p->halving = read_number(d, "halving", error);
    p->rung = read_number(d, "rung", error);
    p->epochs = read_number(d, "epochs", error);
    if (error->code != RV_OK || p->halving == 0) return error->code == RV_OK;
    return (p->halving >= LEAST_HALVING && p->halving <= MOST_HALVING && p->rung >= 1 &&
            p->rung <= MOST_RUNG && p->epochs > p->rung && p->epochs <= MOST_EPOCHS) ||
           rv_fail(error, RV_ERROR_FORMAT,
                   "\"%.300s\" is damaged: halving by %" PRId64 " from %" PRId64 " to %" PRId64
                   " epochs; use a copy of it",
                   d->path, p->halving, p->rung, p->epochs);
}

/* ---- workers ---- */

static struct flock byte_of(int64_t worker)
{
    return (struct flock){
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCKS_FROM + worker, .l_len = 1};
}

bool database_join(database *d, rv_error *error)
{
    if (!database_run(d, error, "INSERT INTO worker(process, began) VALUES(?, datetime('now'))",
                      "i", (int64_t)getpid()))
        return false;
    d->worker = sqlite3_last_insert_rowid(d->sqlite);
    struct flock mine = byte_of(d->worker);
    return fcntl(d->lock, F_OFD_SETLK, &mine) == 0 ||
           rv_fail(error, RV_ERROR_IO,
                   "cannot lock \"%.300s\": %s; put the file on a local disk, whose file system "
                   "has locks",
                   d->path, rv_reason(errno));
}

/* Where it cannot be known, the process is taken to live: a trial is not trained twice. */
static void lives(sqlite3_context *context, int count, sqlite3_value **values)
{
    const database *d = sqlite3_user_data(context);
    const int64_t worker = sqlite3_value_int64(values[count - 1]);
    struct flock its = byte_of(worker);
    sqlite3_result_int(context, (worker > 0 && worker == d->worker) ||
                                    fcntl(d->lock, F_OFD_GETLK, &its) != 0 ||
                                    its.l_type != F_UNLCK);
}

/* ---- opening ---- */

static bool run_all(database *d, const char *sql, rv_error *error)
{
    return sqlite3_exec(d->sqlite, sql, NULL, NULL, NULL) == SQLITE_OK || fail(d, error);
}

/* Fails unless the file is that of a sweep of this version. *empty: it is that of none. */
static bool check_kind(database *d, bool *empty, rv_error *error)
{
    const int64_t kind = database_number(d, error, 0, "PRAGMA application_id", "");
    const int64_t version = database_number(d, error, 0, "PRAGMA user_version", "");
    const int64_t tables = database_number(d, error, 0, "SELECT count(*) FROM sqlite_schema", "");
    if (error->code != RV_OK) return false;
    *empty = kind == 0 && tables == 0;
    if (!*empty && kind != APPLICATION)
        return rv_fail(error, RV_ERROR_FORMAT,
                       "\"%.300s\" is a database of another program; name another file", d->path);
    return *empty || version == VERSION ||
           rv_fail(error, RV_ERROR_FORMAT,
                   "\"%.300s\" has version %" PRId64 " of the format, but this program reads and "
                   "writes version %d; use the version of recurve that made it",
                   d->path, version, VERSION);
}

/* Under a lock, because another process may be doing the same. */
static bool make(database *d, const sweep_plan *fresh, rv_error *error)
{
    bool empty = false;
    if (!run_all(d, "PRAGMA journal_mode = WAL", error) || !database_begin(d, error)) return false;
    char kind[96];
    snprintf(kind, sizeof kind, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
             APPLICATION, VERSION);
    if (check_kind(d, &empty, error) && empty && run_all(d, schema, error) &&
        run_all(d, kind, error))
        write_plan(d, fresh, error);
    return database_end(d, error);
}

static bool open_file(database *d, bool create, rv_error *error)
{
    const int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
    struct stat status;
    /* SQLite has other meanings for these names. */
    const bool special = strcmp(d->path, ":memory:") == 0 || strncmp(d->path, "file:", 5) == 0;
    if (special || (stat(d->path, &status) == 0 && !S_ISREG(status.st_mode)))
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "\"%.300s\" is not a regular file; name one, such as sweep.sqlite", d->path);
    /* Never closed before SQLite's own descriptor: that would release SQLite's locks. */
    d->lock = open(d->path, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0666);
    if (d->lock < 0)
        return rv_fail(error, RV_ERROR_IO, "cannot open \"%.300s\": %s%s", d->path,
                       rv_reason(errno),
                       errno != ENOENT ? ""
                       : create        ? "; make its folder, or name another file"
                                : "; name a file that exists: `recurve sweep SPACE.json` and "
                                  "`recurve experiment NAME` make new ones");
    if (sqlite3_open_v2(d->path, &d->sqlite, flags, NULL) != SQLITE_OK)
        return d->sqlite ? fail(d, error) : rv_fail_memory(error);
    sqlite3_busy_timeout(d->sqlite, BUSY_MILLISECONDS);
    if (sqlite3_create_function(d->sqlite, "lives", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY, d, lives,
                                NULL, NULL) != SQLITE_OK)
        return fail(d, error);
    return run_all(d, "PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF;", error);
}

bool database_open(database *d, const char *path, const sweep_plan *fresh, sweep_plan *plan,
                   rv_error *error)
{
    bool empty = false;
    *d = (database){.lock = -1};
    *plan = (sweep_plan){0};
    if (strlen(path) >= sizeof d->path)
        return rv_fail(error, RV_ERROR_ARGUMENT, "the path \"%.100s..\" is too long", path);
    strcpy(d->path, path);
    if (!open_file(d, fresh, error) || !check_kind(d, &empty, error)) return false;
    if (empty && !fresh)
        return rv_fail(error, RV_ERROR_FORMAT, "\"%.300s\" is empty; begin a sweep with SPACE.json",
                       path);
    return (!empty || make(d, fresh, error)) && read_plan(d, plan, error);
}

void database_close(database *d)
{
    if (!d->sqlite && d->lock < 0) return;
    sqlite3_close(d->sqlite);
    if (d->lock >= 0) close(d->lock);
    *d = (database){.lock = -1};
}

bool database_check(database *d, rv_error *error)
{
    sqlite3_stmt *query = database_query(d, error, "PRAGMA quick_check(1)", "");
    while (database_next(d, query, error)) {
        const char *found = (const char *)sqlite3_column_text(query, 0);
        if (found && strcmp(found, "ok") != 0)
            rv_fail(error, RV_ERROR_FORMAT,
                    "\"%.300s\" is damaged: %.200s; use a copy of it, or save what is left with "
                    "`sqlite3 FILE .recover | sqlite3 NEW`",
                    d->path, found);
    }
    return error->code == RV_OK;
}
