#include "tools/sweep/trials.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"

/* ---- adding ---- */

static bool add_some(database *d, const sweep_plan *plan, const space *s, const cJSON *given,
                     trial_range range, rv_error *error)
{
    if (!database_begin(d, error)) return false;
    for (int64_t i = range.first; i <= range.last && error->code == RV_OK; i++) {
        char *settings = space_draw(s, given, (uint64_t)plan->seed, i);
        if (settings)
            database_run(d, error, "INSERT OR IGNORE INTO trial(number, settings) VALUES(?, ?)",
                         "it", i, settings);
        else
            rv_fail_memory(error);
        rv_free(settings);
    }
    return database_end(d, error);
}

/* Many transactions, so that other processes can write between them. Each adds whole brackets. */
bool trials_add(database *d, const sweep_plan *plan, const space *s, const rv_train_config *config,
                trial_range range, rv_error *error)
{
    enum { TOGETHER = 1000 };
    const int64_t have =
        database_number(d, error, 0, "SELECT count(*) FROM trial WHERE number BETWEEN ? AND ?",
                        "ii", range.first, range.last);
    if (error->code != RV_OK || have == range.last - range.first + 1) return error->code == RV_OK;
    cJSON *given = space_given(config);
    if (!given) return rv_fail_memory(error);
    const int64_t bracket = rungs_of(plan).bracket,
                  step = (TOGETHER + bracket - 1) / bracket * bracket;
    bool ok = true;
    for (int64_t i = range.first; ok && i <= range.last; i += step) {
        const int64_t last = i + step - 1 < range.last ? i + step - 1 : range.last;
        ok = add_some(d, plan, s, given, (trial_range){i, last}, error);
    }
    cJSON_Delete(given);
    return ok;
}

/* ---- taking ---- */

/* The next trial to train; -1: none. */
static int64_t find(database *d, trial_range range, rv_error *error)
{
    /* One query for each state, because each reads few rows of the index. */
    const int64_t abandoned =
        database_number(d, error, -1,
                        "SELECT number FROM trial WHERE state = 'running' AND attempts = 0 AND "
                        "number BETWEEN ? AND ? AND NOT lives(worker) ORDER BY number LIMIT 1",
                        "ii", range.first, range.last);
    if (abandoned >= 0 || error->code != RV_OK) return abandoned;
    const int64_t waiting =
        database_number(d, error, -1,
                        "SELECT number FROM trial WHERE state = 'waiting' AND attempts = 0 AND "
                        "number BETWEEN ? AND ? ORDER BY rung DESC, number LIMIT 1",
                        "ii", range.first, range.last);
    if (waiting >= 0 || error->code != RV_OK) return waiting;
    return database_number(
        d, error, -1,
        "SELECT number FROM trial WHERE (state = 'waiting' OR state = 'running' AND NOT "
        "lives(worker)) AND number BETWEEN ? AND ? ORDER BY attempts, number LIMIT 1",
        "ii", range.first, range.last);
}

static bool read_trial(database *d, trial *t, rv_error *error)
{
    sqlite3_stmt *query =
        database_query(d, error,
                       "SELECT rung, settings, checkpoint, (SELECT count(*) FROM epoch WHERE trial "
                       "= number) FROM trial WHERE number = ?",
                       "i", t->number);
    while (database_next(d, query, error)) {
        const char *settings = (const char *)sqlite3_column_text(query, 1);
        const void *bytes = sqlite3_column_blob(query, 2);
        t->rung = sqlite3_column_int64(query, 0);
        if (t->rung < 0 || t->rung >= RUNGS)
            rv_fail(error, RV_ERROR_FORMAT,
                    "\"%.300s\" is damaged: trial %" PRId64 " has rung %" PRId64
                    "; use a copy of it",
                    d->path, t->number, t->rung);
        t->size = bytes ? (size_t)sqlite3_column_bytes(query, 2) : 0;
        t->written = sqlite3_column_int64(query, 3);
        t->settings = rv_string_copy(settings ? settings : "");
        t->checkpoint = bytes ? rv_alloc(t->size, 1) : NULL;
        if (!t->settings || (bytes && !t->checkpoint))
            rv_fail_memory(error);
        else if (bytes)
            memcpy(t->checkpoint, bytes, t->size);
    }
    return error->code == RV_OK;
}

static bool is_left(database *d, trial_range range, rv_error *error)
{
    return database_number(d, error, 0,
                           "SELECT count(*) FROM trial WHERE state IN ('waiting', 'running') AND "
                           "number BETWEEN ? AND ?",
                           "ii", range.first, range.last) > 0;
}

bool trials_take(database *d, trial_range range, trial *t, bool *left, rv_error *error)
{
    *t = (trial){.number = -1};
    *left = false;
    /* Without the lock first: who waits for others does not keep them from writing. */
    if (find(d, range, error) < 0) {
        *left = error->code == RV_OK && is_left(d, range, error);
        return false;
    }
    if (!database_begin(d, error)) return false;
    t->number = find(d, range, error);
    *left = true;
    if (t->number >= 0 && error->code == RV_OK && read_trial(d, t, error))
        database_run(d, error,
                     "UPDATE trial SET attempts = attempts + (state = 'running'), state = "
                     "'running', worker = ? WHERE number = ?",
                     "ii", d->worker, t->number);
    if (database_end(d, error) && t->number >= 0) return true;
    trial_free(t);
    return false;
}

void trial_free(trial *t)
{
    rv_free(t->settings);
    rv_free(t->checkpoint);
    *t = (trial){.number = -1};
}

/* ---- writing ---- */

static bool write_curve(database *d, trial *t, const trial_result *r, rv_error *error)
{
    bool ok = true;
    for (int64_t i = 0; ok && i < r->row_count; i++) {
        const rv_epoch *row = &r->rows[i];
        ok = database_run(d, error, "INSERT OR REPLACE INTO epoch VALUES(?, ?, ?, ?, ?, ?, ?)",
                          "iiddddd", t->number, row->epoch, row->loss, row->validation_loss,
                          row->validation_accuracy, row->validation_error, row->seconds);
        t->written += ok;
    }
    return ok;
}

/* When no trial of the bracket is left in this rung, the best continue and the others end. */
static bool decide(database *d, const sweep_plan *plan, const objective *o, int64_t number,
                   int64_t rung, rv_error *error)
{
    const int64_t bracket = rungs_of(plan).bracket, first = number / bracket * bracket,
                  last = first + bracket - 1;
    if (bracket == 1) return true;
    int64_t kept = bracket;
    for (int64_t i = 0; i <= rung; i++) kept /= plan->halving;
    const int64_t ready = database_number(
        d, error, 0,
        "SELECT count(*) FROM trial WHERE number BETWEEN ? AND ? AND NOT (rung <= ? AND state IN "
        "('waiting', 'running'))",
        "iii", first, last, rung);
    if (ready < bracket || error->code != RV_OK) return error->code == RV_OK;
    char sql[512];
    snprintf(sql, sizeof sql,
             "UPDATE trial SET state = 'waiting', rung = rung + 1 WHERE number IN (SELECT number "
             "FROM trial WHERE number BETWEEN ? AND ? AND rung = ? AND state = 'paused' ORDER BY "
             "%s LIMIT ?)",
             objective_order(o));
    return database_run(d, error, sql, "iiii", first, last, rung, kept) &&
           database_run(
               d, error,
               "UPDATE trial SET state = 'stopped', checkpoint = NULL WHERE number BETWEEN "
               "? AND ? AND rung = ? AND state = 'paused'",
               "iii", first, last, rung);
}

bool trials_decide(database *d, const sweep_plan *plan, const objective *o, rv_error *error)
{
    const rungs r = rungs_of(plan);
    for (int64_t rung = 0; rung < r.count - 1; rung++)
        for (int64_t from = 0, number; error->code == RV_OK;
             from = (number / r.bracket + 1) * r.bracket) {
            number = database_number(d, error, -1,
                                     "SELECT number FROM trial WHERE state = 'paused' AND rung = ? "
                                     "AND number >= ? ORDER BY number LIMIT 1",
                                     "ii", rung, from);
            if (number < 0) break;
            decide(d, plan, o, number, rung, error);
        }
    return error->code == RV_OK;
}

bool trials_write(database *d, const sweep_plan *plan, const objective *o, trial *t,
                  const trial_result *r, rv_error *error)
{
    if (!database_begin(d, error)) return false;
    const int64_t written = t->written;
    if (database_run(d, error,
                     "UPDATE trial SET state = ?, message = ?, attempts = iif(epochs < ?3, 0, "
                     "attempts), epochs = ?3, best_epoch = ?, objective = ?, parameters = ?, "
                     "seconds = ?, digest = ?, checkpoint = ? WHERE number = ? AND worker = ?",
                     "ttiididtbii", r->state, r->message, r->epochs, r->best_epoch, r->objective,
                     r->parameters, r->seconds, r->digest, r->bytes, r->size, t->number,
                     d->worker)) {
        t->lost = sqlite3_changes(d->sqlite) == 0;
        if (!t->lost && write_curve(d, t, r, error) && strcmp(r->state, "running") != 0)
            decide(d, plan, o, t->number, t->rung, error);
    }
    if (database_end(d, error)) return true;
    t->written = written;
    return false;
}

bool trials_retry(database *d, const sweep_plan *plan, const objective *o, const trial *t,
                  const char *message, rv_error *error)
{
    if (!database_begin(d, error)) return false;
    if (database_run(d, error,
                     "UPDATE trial SET attempts = attempts + 1, message = ?, state = iif(attempts "
                     "+ 1 < ?, 'waiting', 'failed'), checkpoint = iif(attempts + 1 < ?2, "
                     "checkpoint, NULL) WHERE number = ? AND worker = ?",
                     "tiii", message, (int64_t)ATTEMPTS, t->number, d->worker))
        decide(d, plan, o, t->number, t->rung, error);
    return database_end(d, error);
}

bool trials_best(database *d, const objective *o, trial_range range, int64_t *number, double *value,
                 rv_error *error)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "SELECT number, objective FROM trial WHERE " TRIALS_CANDIDATE
             " AND number BETWEEN ? AND ? ORDER BY %s LIMIT 1",
             objective_order(o));
    sqlite3_stmt *query = database_query(d, error, sql, "ii", range.first, range.last);
    *number = -1;
    while (database_next(d, query, error)) {
        *number = sqlite3_column_int64(query, 0);
        *value = sqlite3_column_double(query, 1);
    }
    return error->code == RV_OK;
}

bool trials_count(database *d, trial_range range, trial_counts *c, rv_error *error)
{
    *c = (trial_counts){0};
    sqlite3_stmt *query = database_query(
        d, error,
        "SELECT count(*), total(state IN ('waiting', 'running', 'paused')), total(state = 'done'), "
        "total(state = 'stopped'), total(state = 'diverged'), total(state = 'failed') FROM trial "
        "WHERE number BETWEEN ? AND ?",
        "ii", range.first, range.last);
    while (database_next(d, query, error))
        *c = (trial_counts){sqlite3_column_int64(query, 0), sqlite3_column_int64(query, 1),
                            sqlite3_column_int64(query, 2), sqlite3_column_int64(query, 3),
                            sqlite3_column_int64(query, 4), sqlite3_column_int64(query, 5)};
    return error->code == RV_OK;
}

/* ---- for a worker ---- */

static bool local_take(void *self, trial *t, bool *left, rv_error *error)
{
    const local_sweep *s = self;
    return trials_take(s->database, s->range, t, left, error);
}

static bool local_write(void *self, trial *t, const trial_result *result, rv_error *error)
{
    const local_sweep *s = self;
    return trials_write(s->database, s->plan, s->objective, t, result, error);
}

static bool local_retry(void *self, const trial *t, const char *message, rv_error *error)
{
    const local_sweep *s = self;
    return trials_retry(s->database, s->plan, s->objective, t, message, error);
}

trial_source local_source(local_sweep *s)
{
    return (trial_source){s, s->plan, s->database->path, local_take, local_write, local_retry};
}
