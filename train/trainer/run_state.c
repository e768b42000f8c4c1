#include "train/trainer/run_state.h"

#include <math.h>
#include <string.h>

#include "tensor/memory.h"
#include "train/json_internal.h"

enum { COLUMNS = 5 };

/* ---- writing ---- */

static bool add_row(cJSON *rows, const rv_epoch *r)
{
    const double values[COLUMNS] = {r->loss, r->validation_loss, r->validation_accuracy,
                                    r->validation_error, r->seconds};
    cJSON *row = cJSON_CreateArray();
    bool ok = row;
    for (int i = 0; ok && i < COLUMNS; i++)
        ok = cJSON_AddItemToArray(row, rv_json_exact(values[i]));
    if (cJSON_AddItemToArray(rows, row)) return ok;
    cJSON_Delete(row);
    return false;
}

char *rv_run_state_json(const rv_train_result *t)
{
    const rv_run_state *at = &t->at;
    const struct {
        const char *name;
        double value;
    } numbers[] = {{"epoch", (double)at->epoch},     {"batch", (double)at->batch},
                   {"seen", (double)at->seen},       {"loss_sum", at->loss_sum},
                   {"learned", (double)at->learned}, {"seconds", at->seconds},
                   {"bytes", (double)at->bytes},     {"best_epoch", (double)t->best_epoch},
                   {"squares", at->squares}};
    cJSON *object = cJSON_CreateObject();
    bool ok = object;
    for (size_t i = 0; ok && i < sizeof numbers / sizeof *numbers; i++)
        ok = rv_json_add_exact(object, numbers[i].name, numbers[i].value);
    cJSON *rows = ok ? cJSON_AddArrayToObject(object, "history") : NULL;
    ok = rows;
    for (int64_t i = 0; ok && i < t->epochs; i++) ok = add_row(rows, &t->history[i]);
    char *text = ok ? rv_json_text(object, false) : NULL;
    cJSON_Delete(object);
    return text;
}

/* ---- reading ---- */

/* A number of the object; NaN: there is none. */
static double real(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static bool whole(const cJSON *object, const char *name, int64_t low, int64_t *value)
{
    double number = real(object, name);
    if (!(number >= (double)low && number <= 0x1p53 && number == floor(number))) return false;
    *value = (int64_t)number;
    return true;
}

static bool read_row(const cJSON *row, int64_t epoch, rv_epoch *r)
{
    double values[COLUMNS];
    int count = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, row)
    {
        if (count == COLUMNS || !(cJSON_IsNumber(item) || cJSON_IsNull(item))) return false;
        values[count++] = cJSON_IsNull(item) ? NAN : item->valuedouble;
    }
    if (count != COLUMNS || !isfinite(values[0]) || !isfinite(values[1])) return false;
    *r = (rv_epoch){epoch, values[0], values[1], values[2], values[3], values[4]};
    return true;
}

static bool read_rows(rv_train_result *t, rv_epoch *history, const cJSON *rows)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, rows)
    {
        if (!read_row(row, t->epochs + 1, &history[t->epochs])) return false;
        t->epochs++;
    }
    return t->at.epoch == t->epochs + 1 && t->best_epoch <= t->epochs &&
           (t->best_epoch > 0) == (t->epochs > 0);
}

static bool read_numbers(rv_train_result *t, const cJSON *object)
{
    rv_run_state *at = &t->at;
    int64_t bytes;
    at->loss_sum = real(object, "loss_sum");
    at->seconds = real(object, "seconds");
    at->squares = real(object, "squares");
    if (!whole(object, "epoch", 1, &at->epoch) || !whole(object, "batch", 0, &at->batch) ||
        !whole(object, "seen", 0, &at->seen) || !whole(object, "learned", 0, &at->learned) ||
        !whole(object, "bytes", 0, &bytes) || !whole(object, "best_epoch", 0, &t->best_epoch))
        return false;
    at->bytes = (size_t)bytes;
    return isfinite(at->loss_sum) && isfinite(at->seconds);
}

bool rv_run_state_parse(rv_train_result *t, rv_epoch **history, const char *json, const char *path,
                        rv_error *error)
{
    *t = (rv_train_result){0};
    *history = NULL;
    cJSON *object = rv_json_object(json, path, error);
    if (!object) return false;
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(object, "history");
    bool listed = cJSON_IsArray(rows);
    t->history = *history =
        rv_alloc(listed ? (size_t)cJSON_GetArraySize(rows) : 0, sizeof **history);
    bool ok = *history || rv_fail_memory(error);
    if (ok && !(listed && read_numbers(t, object) && read_rows(t, *history, rows)))
        ok = rv_fail(error, RV_ERROR_FORMAT,
                     "the run state in \"%.500s\" is damaged; expected one that a trainer wrote",
                     path);
    cJSON_Delete(object);
    return ok;
}
