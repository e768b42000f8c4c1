#include "tools/settings.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"

enum { MOST = 1 << 20 };

#define ROW(field, option, argument, kind, ...) \
    OPTION_ROW(settings, field, option, argument, OPTION_##kind, __VA_ARGS__)

const option_row settings_options[SETTINGS_OPTIONS] = {
    ROW(model, "model", "NAME", TEXT, "what to train (default: curnn); see `recurve models`"),
    ROW(optimizer, "optimizer", "NAME", TEXT,
        "how to train it (default: momentum; for more than two\n"
        "classes adam); see `recurve optimizers`"),
    ROW(rate, "rate", "R", POSITIVE, "its learning rate (default: the optimizer's)"),
    ROW(momentum, "momentum", "M", FRACTION,
        "its momentum, from 0 to less than 1 (default: the\noptimizer's)"),
    ROW(epochs, "epochs", "N", WHOLE,
        "passes over the training images (default: 10; for more\n"
        "than two classes 40; for curnn-blog 100)",
        .low = 1, .high = MOST),
    ROW(batch, "batch", "N", WHOLE,
        "images per update (default: 10; for more than two\n"
        "classes 20; for curnn-blog 1)",
        .low = 1, .high = MOST),
    ROW(steps, "steps", "N", WHOLE, "how often the image is shown (default: the model's)", .low = 1,
        .high = 1000),
    ROW(units, "units", "N", WHOLE,
        "units, or channels, of the cell (default: the model's;\n"
        "for more than two classes 32 at least)",
        .low = 1, .high = 4096),
    ROW(hidden, "hidden", "N", WHOLE,
        "units of the hidden layer behind it (default: the\n"
        "model's; for more than two classes 64 at least)",
        .low = 1, .high = 65536),
    ROW(seed, "seed", "N", WHOLE,
        "where all randomness comes from: the split, the first\n"
        "parameters, the order of the images (default: 1)",
        .low = 0, .high = (int64_t)1 << 53),
    ROW(classes, "classes", "LIST", TEXT,
        "digits to tell apart: 0,1 or 0-9 or 0-3,7 (default: 0,1)"),
    ROW(dtype, "dtype", "TYPE", TEXT, "arithmetic: f32 or f64 (default: f32)"),
    ROW(held_out, "held-out", "N", WHOLE,
        "images kept from training, to measure on (default: a\nsixth)", .low = 1, .high = MOST),
    ROW(threads, "threads", "N", WHOLE,
        "that share the work (default: 1); the results are the\nsame for any number", .low = 1,
        .high = MOST_THREADS),
    ROW(output, "output", "DIR", TEXT,
        "write checkpoint.safetensors, config.json and log.csv\n"
        "there; the folder is made if missing"),
    ROW(limit, "limit", NULL, FLAG,
        "measure this machine too, and print how fast it could\ndo the necessary products at most"),
    ROW(json, "json", NULL, FLAG, "print one JSON document instead of lines"),
    ROW(quiet, "quiet", NULL, FLAG, "print the summary only"),
};

settings settings_new(void) { return (settings){.momentum = -1, .seed = 1}; }

void settings_free(settings *s)
{
    cJSON_Delete(s->text);
    s->text = NULL;
}

/* ---- config.json ---- */

static const char *key_of(const option_row *row) { return row->name + strlen("--"); }

static bool add_setting(cJSON *object, const settings *s, const option_row *row)
{
    const char *key = key_of(row);
    const void *value = (const char *)s + row->offset;
    double number = row->kind == OPTION_WHOLE  ? (double)*(const int64_t *)value
                    : row->kind != OPTION_TEXT ? *(const double *)value
                                               : 0;
    if (row->kind == OPTION_TEXT)
        return cJSON_AddStringToObject(object, key, *(const char *const *)value) != NULL;
    return cJSON_AddNumberToObject(object, key, number) != NULL;
}

char *settings_to_json(const settings *s)
{
    cJSON *object = cJSON_CreateObject();
    bool ok = object != NULL;
    for (int i = 0; ok && i < SETTINGS_KEPT; i++) ok = add_setting(object, s, &settings_options[i]);
    char *printed = ok ? cJSON_Print(object) : NULL;
    char *text = NULL;
    if (printed != NULL) text = rv_alloc(strlen(printed) + 2, 1);
    if (text != NULL) sprintf(text, "%s\n", printed);
    cJSON_free(printed);
    cJSON_Delete(object);
    return text;
}

static bool read_setting(settings *s, const cJSON *item, const char *path, rv_error *error)
{
    const option_row *row = settings_options, *end = row + SETTINGS_KEPT;
    while (row < end && strcmp(key_of(row), item->string) != 0) row++;
    if (row == end)
        return rv_fail(error, RV_ERROR_FORMAT, "\"%s\": unknown setting \"%.100s\"", path,
                       item->string);
    char label[RV_ERROR_TEXT / 2], number[32];
    snprintf(label, sizeof label, "\"%s\": %s", path, key_of(row));
    if (row->kind == OPTION_TEXT ? !cJSON_IsString(item) : !cJSON_IsNumber(item))
        return rv_fail(error, RV_ERROR_FORMAT, "%s is not a %s", label,
                       row->kind == OPTION_TEXT ? "string" : "number");
    if (row->kind != OPTION_TEXT) snprintf(number, sizeof number, "%.17g", item->valuedouble);
    return option_set(row, label, row->kind == OPTION_TEXT ? item->valuestring : number, s, error);
}

bool settings_from_json(settings *s, const char *json, const char *path, rv_error *error)
{
    settings_free(s);
    cJSON *object = s->text = cJSON_Parse(json);
    if (!cJSON_IsObject(object))
        return rv_fail(error, RV_ERROR_FORMAT, "\"%s\" is not a JSON object", path);
    const cJSON *item;
    cJSON_ArrayForEach(item, object) if (!read_setting(s, item, path, error)) return false;
    for (int i = 0; i < SETTINGS_KEPT; i++)
        if (cJSON_GetObjectItemCaseSensitive(object, key_of(&settings_options[i])) == NULL)
            return rv_fail(error, RV_ERROR_FORMAT, "\"%s\" lacks the setting \"%s\"", path,
                           key_of(&settings_options[i]));
    return true;
}
