#include "tools/run/place.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/cli/json.h"

enum { COLUMNS = 5 };

/* ---- writing ---- */

static bool add_row(cJSON *rows, const epoch_row *r)
{
    const double values[COLUMNS] = {r->cost, r->held_out_cost, r->held_out_accuracy,
                                    r->held_out_error, r->seconds};
    cJSON *row = cJSON_CreateArray();
    bool ok = row;
    for (int i = 0; ok && i < COLUMNS; i++) ok = cJSON_AddItemToArray(row, json_exact(values[i]));
    if (cJSON_AddItemToArray(rows, row)) return ok;
    cJSON_Delete(row);
    return false;
}

char *place_to_json(const training *t)
{
    const run_place *at = &t->at;
    const struct {
        const char *name;
        double value;
    } numbers[] = {{"epoch", (double)at->epoch},     {"batch", (double)at->batch},
                   {"seen", (double)at->seen},       {"cost_sum", at->cost_sum},
                   {"learned", (double)at->learned}, {"seconds", at->seconds},
                   {"bytes", (double)at->bytes},     {"best_epoch", (double)t->best}};
    cJSON *object = cJSON_CreateObject();
    bool ok = object;
    for (size_t i = 0; ok && i < sizeof numbers / sizeof *numbers; i++)
        ok = cJSON_AddItemToObject(object, numbers[i].name, json_exact(numbers[i].value));
    cJSON *rows = ok ? cJSON_AddArrayToObject(object, "rows") : NULL;
    ok = rows;
    for (int64_t i = 0; ok && i < t->epochs; i++) ok = add_row(rows, &t->rows[i]);
    char *printed = ok ? cJSON_PrintUnformatted(object) : NULL;
    char *text = printed ? rv_string_copy(printed) : NULL;
    cJSON_free(printed);
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

static bool read_row(const cJSON *row, int64_t epoch, epoch_row *r)
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
    *r = (epoch_row){epoch, values[0], values[1], values[2], values[3], values[4]};
    return true;
}

static bool read_rows(training *t, const cJSON *rows)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, rows)
    {
        if (!read_row(row, t->epochs + 1, &t->rows[t->epochs])) return false;
        t->epochs++;
    }
    return t->at.epoch == t->epochs + 1 && t->best <= t->epochs && (t->best > 0) == (t->epochs > 0);
}

static bool read_numbers(training *t, const cJSON *object)
{
    run_place *at = &t->at;
    int64_t bytes;
    at->cost_sum = real(object, "cost_sum");
    at->seconds = real(object, "seconds");
    if (!whole(object, "epoch", 1, &at->epoch) || !whole(object, "batch", 0, &at->batch) ||
        !whole(object, "seen", 0, &at->seen) || !whole(object, "learned", 0, &at->learned) ||
        !whole(object, "bytes", 0, &bytes) || !whole(object, "best_epoch", 0, &t->best))
        return false;
    at->bytes = (size_t)bytes;
    return isfinite(at->cost_sum) && isfinite(at->seconds);
}

bool place_from_json(training *t, const char *json, const char *path, rv_error *error)
{
    cJSON *object = cJSON_ParseWithOpts(json, NULL, true);
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(object, "rows");
    bool listed = cJSON_IsArray(rows);
    int count = listed ? cJSON_GetArraySize(rows) : 0;
    *t = (training){.rows = rv_alloc((size_t)count, sizeof *t->rows)};
    bool ok = t->rows || rv_fail_memory(error);
    if (ok && !(listed && read_numbers(t, object) && read_rows(t, rows)))
        ok = rv_fail(error, RV_ERROR_FORMAT, "\"%.500s\" does not say well where its run is", path);
    cJSON_Delete(object);
    return ok;
}
