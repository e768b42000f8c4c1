#include "tools/sweep/merge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/sweep/trials.h"

#define IS_END "IN ('done', 'stopped', 'diverged', 'failed')"

/* A missing file would be made by ATTACH; and the file must be one of this version, and of the same
 * sweep. */
static bool attach(database *d, const sweep_plan *plan, const char *path, rv_error *error)
{
    database other;
    sweep_plan its;
    char what[DIFFERENCE];
    bool ok = database_open(&other, path, NULL, &its, error) && database_check(&other, error);
    if (ok && sweep_plan_differs(&its, plan, what))
        ok = rv_fail(error, RV_ERROR_FORMAT,
                     "\"%.300s\" holds another sweep than \"%.300s\": %-s; merge the files of one "
                     "sweep",
                     path, d->path, what);
    sweep_plan_free(&its);
    database_close(&other);
    return ok && database_run(d, error, "ATTACH ? AS other", "t", path);
}

/* Two results of one trial are equal, or the machines do not compute the same bits. */
static bool check_results(database *d, const char *path, rv_error *error)
{
    const int64_t number = database_number(
        d, error, -1,
        "SELECT a.number FROM main.trial a JOIN other.trial b ON a.number = b.number WHERE "
        "a.state " IS_END " AND b.state " IS_END
        " AND (a.state <> b.state OR a.settings <> b.settings OR a.digest IS NOT b.digest) LIMIT 1",
        "");
    return error->code == RV_OK &&
           (number < 0 ||
            rv_fail(error, RV_ERROR_FORMAT,
                    "\"%.300s\" and \"%.300s\" have different results of trial %" PRId64
                    "; give each machine --trials of its own",
                    path, d->path, number));
}

/* The trials that the other file has trained further, and that no living worker trains here. */
static bool copy(database *d, rv_error *error)
{
    return database_run(
               d, error,
               "CREATE TEMP TABLE newer AS SELECT b.number FROM other.trial b LEFT JOIN "
               "main.trial a ON a.number = b.number WHERE a.number IS NULL OR ((b.state " IS_END
               ", b.rung, b.epochs) > (a.state " IS_END ", a.rung, a.epochs) AND NOT (a.state = "
               "'running' AND lives(a.worker)))",
               "") &&
           database_run(d, error, "DELETE FROM main.epoch WHERE trial IN temp.newer", "") &&
           database_run(
               d, error,
               "INSERT INTO main.epoch SELECT * FROM other.epoch WHERE trial IN temp.newer", "") &&
           database_run(
               d, error,
               "INSERT OR REPLACE INTO main.trial SELECT number, iif(state = 'running', "
               "'waiting', state), settings, rung, NULL, 0, epochs, best_epoch, objective, "
               "parameters, seconds, digest, message, checkpoint FROM other.trial WHERE "
               "number IN temp.newer",
               "") &&
           database_run(d, error, "DROP TABLE temp.newer", "");
}

/* The last trials of a bracket may come together only now. */
static bool merge_one(database *d, const sweep_plan *plan, const objective *o, const char *path,
                      rv_error *error)
{
    return check_results(d, path, error) && copy(d, error) && trials_decide(d, plan, o, error);
}

/* Closing a second descriptor of an open database would release SQLite's locks of it. */
static bool is_same_file(const char *a, const char *b)
{
    struct stat of_a, of_b;
    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

/* SQLite attaches no file within a transaction, so each file is a transaction of its own. All are
 * checked first. */
static bool merge_all(database *d, const sweep_plan *plan, char *const *from, int count,
                      bool copies, rv_error *error)
{
    const objective *o = objective_find(plan->objective, error);
    for (int i = 0; i < count && error->code == RV_OK; i++) {
        if (is_same_file(from[i], d->path) || !attach(d, plan, from[i], error)) continue;
        if (database_begin(d, error)) {
            if (copies)
                merge_one(d, plan, o, from[i], error);
            else
                check_results(d, from[i], error);
            database_end(d, error);
        }
        rv_error ignored = {0};
        database_run(d, error->code == RV_OK ? error : &ignored, "DETACH other", "");
    }
    return error->code == RV_OK;
}

bool sweep_merge(const char *into, char *const *from, int count, rv_error *error)
{
    database d;
    sweep_plan first = {0}, plan = {0};
    bool ok = database_open(&d, from[0], NULL, &first, error);
    database_close(&d);
    ok = ok && database_open(&d, into, &first, &plan, error) && database_check(&d, error) &&
         merge_all(&d, &plan, from, count, false, error) &&
         merge_all(&d, &plan, from, count, true, error);
    sweep_plan_free(&first);
    sweep_plan_free(&plan);
    database_close(&d);
    return ok;
}
