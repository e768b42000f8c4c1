#include "tools/sweep/space.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/random.h"
#include "train/json_internal.h"
#include "train/setup/lookup.h"

/* ---- parsing ---- */

typedef struct reading {
    space *space;
    const char *path;
    const char *key;
    rv_error *error;
} reading;

static const char *const words[] = {"choices", "each", "uniform", "log-uniform", "when"};
enum { MOST_COMBINATIONS = 1000000 };
enum { WORDS = sizeof words / sizeof *words, WHEN = WORDS - 1 };

static const char *word_at(const void *list, int index)
{
    (void)list;
    return words[index];
}

/* Names are looked up now, so that no trial fails for one later. */
static bool check_name(const char *key, const char *name, rv_error *error)
{
    if (strcmp(key, "optimizer") == 0) return rv_lookup_optimizer(name, error);
    if (strcmp(key, "model") == 0)
        return rv_names_file(name, NULL) || rv_lookup_built_in(name, error);
    return true;
}

/* Adds an item, which may be NULL, and frees it when out of memory. */
static bool add(cJSON *object, const char *key, cJSON *item)
{
    if (object && item && cJSON_AddItemToObject(object, key, item)) return true;
    cJSON_Delete(item);
    return false;
}

/* Whether the option may have this value, by the checks of config.json. */
static bool check_value(const reading *r, const cJSON *value)
{
    rv_error why = {0};
    rv_train_config config = rv_train_config_new();
    cJSON *object = cJSON_CreateObject(), *copy = cJSON_Duplicate(value, true);
    const bool added = add(object, r->key, copy);
    char *text = added ? rv_json_text(object, false) : NULL;
    bool ok = text ? rv_train_config_parse(&config, text, r->path, &why) : rv_fail_memory(&why);
    if (!ok) {
        rv_fail(r->error, why.code == RV_ERROR_MEMORY ? why.code : RV_ERROR_FORMAT, "%-s",
                why.text);
    } else if (cJSON_IsString(value) && !check_name(r->key, value->valuestring, &why)) {
        ok = rv_fail(r->error, RV_ERROR_FORMAT, "\"%.300s\": %s: %-s", r->path, r->key, why.text);
    }
    rv_free(text);
    cJSON_Delete(object);
    rv_train_config_free(&config);
    return ok;
}

static bool check_choices(const reading *r, const cJSON *choices)
{
    const cJSON *value;
    if (!cJSON_IsArray(choices) || !choices->child)
        return rv_fail(r->error, RV_ERROR_FORMAT,
                       "\"%.300s\": %s has no choices; expected a list, such as [1, 2, 4]", r->path,
                       r->key);
    cJSON_ArrayForEach(value, choices) if (!check_value(r, value)) return false;
    return true;
}

static bool fail_range(const reading *r, const char *word)
{
    return rv_fail(r->error, RV_ERROR_FORMAT,
                   "\"%.300s\": %s: %s expects two numbers, [least, greatest]", r->path, r->key,
                   word);
}

static bool read_range(const reading *r, space_entry *e, const cJSON *range, const char *word)
{
    if (e->row->kind == RV_CONFIG_FLAG || e->row->kind == RV_CONFIG_TEXT)
        return rv_fail(r->error, RV_ERROR_FORMAT,
                       "\"%.300s\": %s is no number, so it cannot be %s; give a list of choices",
                       r->path, r->key, word);
    const cJSON *low = cJSON_GetArrayItem(range, 0), *high = cJSON_GetArrayItem(range, 1);
    if (!cJSON_IsArray(range) || cJSON_GetArraySize(range) != 2 || !cJSON_IsNumber(low) ||
        !cJSON_IsNumber(high))
        return fail_range(r, word);
    if (!check_value(r, low) || !check_value(r, high)) return false;
    e->low = low->valuedouble;
    e->high = high->valuedouble;
    if (!(e->low < e->high))
        return rv_fail(r->error, RV_ERROR_FORMAT,
                       "\"%.300s\": %s: the range [%g, %g] is empty; expected [least, greatest]",
                       r->path, r->key, e->low, e->high);
    return e->kind != SPACE_LOG_UNIFORM || e->low > 0 ||
           rv_fail(r->error, RV_ERROR_FORMAT,
                   "\"%.300s\": %s: log-uniform from %g has no logarithm; begin above 0, or use "
                   "uniform",
                   r->path, r->key, e->low);
}

/* Conditions read options above, so that none depends on itself. */
static bool check_when(const reading *r, const cJSON *when)
{
    const cJSON *item;
    if (!cJSON_IsObject(when) || !when->child)
        return rv_fail(r->error, RV_ERROR_FORMAT,
                       "\"%.300s\": %s: when expects an object, such as {\"optimizer\": \"adam\"}",
                       r->path, r->key);
    cJSON_ArrayForEach(item, when)
    {
        bool above = false;
        for (const space_entry *e = r->space->entries; e < r->space->entries + r->space->count; e++)
            above = above || strcmp(e->row->key, item->string) == 0;
        if (!above)
            return rv_fail(r->error, RV_ERROR_FORMAT,
                           "\"%.300s\": %s: when names \"%.100s\", which is not a key above it; "
                           "a condition is about a key that comes earlier",
                           r->path, r->key, item->string);
        const reading its = {r->space, r->path, item->string, r->error};
        if (!(cJSON_IsArray(item) ? check_choices(&its, item) : check_value(&its, item)))
            return false;
    }
    return true;
}

/* {"uniform": [..], "when": {..}} */
static bool read_object(const reading *r, space_entry *e, const cJSON *object)
{
    int distributions = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        int word = 0;
        while (word < WORDS && strcmp(words[word], item->string) != 0) word++;
        if (word == WORDS) {
            rv_error why = {0};
            rv_fail_unknown("distribution", item->string, word_at, NULL, WORDS, &why);
            return rv_fail(r->error, RV_ERROR_FORMAT, "\"%.300s\": %s: %-s", r->path, r->key,
                           why.text);
        }
        if (word == WHEN) {
            e->when = item;
            if (!check_when(r, item)) return false;
            continue;
        }
        e->kind = (space_kind)word;
        distributions++;
        const bool listed = e->kind == SPACE_CHOICES || e->kind == SPACE_EACH;
        if (listed) e->choices = item;
        if (!(listed ? check_choices(r, item) : read_range(r, e, item, words[word]))) return false;
    }
    return distributions == 1 ||
           rv_fail(r->error, RV_ERROR_FORMAT,
                   "\"%.300s\": %s: expected one of choices, each, uniform and log-uniform, got %d",
                   r->path, r->key, distributions);
}

int64_t space_combinations(const space *s)
{
    int64_t product = 1;
    for (const space_entry *e = s->entries; e < s->entries + s->count; e++)
        if (e->kind == SPACE_EACH) product *= cJSON_GetArraySize(e->choices);
    return product;
}

static bool add_entry(const reading *r, const rv_config_row *row, const cJSON *item)
{
    if (r->space->count == SPACE_ENTRIES)
        return rv_fail(r->error, RV_ERROR_FORMAT, "\"%.300s\": more than %d distributions", r->path,
                       SPACE_ENTRIES);
    space_entry e = {.row = row};
    if (cJSON_IsObject(item)) {
        if (!read_object(r, &e, item)) return false;
    } else {
        e.choices = item;
        if (!(cJSON_IsArray(item) ? check_choices(r, item) : check_value(r, item))) return false;
    }
    if (e.kind == SPACE_EACH) {
        e.turn = space_combinations(r->space);
        if (e.when || e.turn > MOST_COMBINATIONS / cJSON_GetArraySize(e.choices))
            return rv_fail(r->error, RV_ERROR_FORMAT, "\"%.300s\": %s: %s", r->path, r->key,
                           e.when ? "each holds for all trials; leave out when, or give choices"
                                  : "more than 1000000 combinations; give fewer of each");
    }
    r->space->entries[r->space->count++] = e;
    return true;
}

/* Finds the option, with the message of config.json for a name that is none. */
static bool read_key(reading *r, const cJSON *item)
{
    rv_error why = {0};
    r->key = item->string;
    const rv_config_row *row = rv_config_row_find(item->string, &why);
    if (!row || !row->kept)
        return row ? rv_fail(r->error, RV_ERROR_FORMAT,
                             "\"%.300s\": %s is not a setting of a trial; leave it out", r->path,
                             row->key)
                   : rv_fail(r->error, RV_ERROR_FORMAT, "\"%.300s\": %-s", r->path, why.text);
    for (const space_entry *e = r->space->entries; e < r->space->entries + r->space->count; e++)
        if (e->row == row)
            return rv_fail(r->error, RV_ERROR_FORMAT, "\"%.300s\": %s is given twice", r->path,
                           row->key);
    r->key = row->key;
    if (!cJSON_IsArray(item) || !cJSON_IsObject(item->child)) return add_entry(r, row, item);
    const cJSON *alternative; /* the first whose condition holds */
    cJSON_ArrayForEach(alternative, item)
    {
        if (!cJSON_IsObject(alternative))
            return rv_fail(r->error, RV_ERROR_FORMAT,
                           "\"%.300s\": %s: a list holds values, or distributions with conditions, "
                           "but not both",
                           r->path, r->key);
        if (!add_entry(r, row, alternative)) return false;
    }
    return true;
}

bool space_parse(space *s, const char *text, const char *path, rv_error *error)
{
    *s = (space){.json = rv_json_object(text, path, error)};
    reading r = {s, path, NULL, error};
    const cJSON *item;
    if (!s->json) return false;
    cJSON_ArrayForEach(item, s->json) if (!read_key(&r, item)) return false;
    return true;
}

void space_free(space *s)
{
    cJSON_Delete(s->json);
    *s = (space){0};
}

bool space_varies(const space_entry *e)
{
    return e->when || e->kind > SPACE_EACH || cJSON_GetArraySize(e->choices) > 1;
}

/* ---- drawing ---- */

/* Whether value is one of the expected: a value, or a list of values. */
static bool is_one_of(const cJSON *value, const cJSON *expected)
{
    const cJSON *one;
    if (!cJSON_IsArray(expected)) return cJSON_Compare(value, expected, true);
    cJSON_ArrayForEach(one, expected) if (cJSON_Compare(value, one, true)) return true;
    return false;
}

static bool holds(const cJSON *when, const cJSON *settings, const cJSON *given)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, when)
    {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(settings, item->string);
        if (!value) value = cJSON_GetObjectItemCaseSensitive(given, item->string);
        if (!value || !is_one_of(value, item)) return false;
    }
    return true;
}

static double clamp(double x, double low, double high) { return fmin(fmax(x, low), high); }

/* A number with six digits, so that a person can type it. */
static double rounded(double x)
{
    char text[RV_NUMBER_TEXT];
    snprintf(text, sizeof text, "%.5e", x);
    return rv_number(text, NULL);
}

static double draw_number(const space_entry *e, double u)
{
    const bool whole = e->row->kind == RV_CONFIG_WHOLE;
    const double high = e->high + whole; /* a whole number stands for itself to the next */
    const double x = e->kind == SPACE_UNIFORM ? e->low + u * (high - e->low)
                                              : exp(log(e->low) + u * (log(high) - log(e->low)));
    return clamp(whole ? floor(x) : rounded(x), e->low, e->high);
}

static cJSON *draw(const space_entry *e, double u, int64_t trial)
{
    if (e->kind > SPACE_EACH) return rv_json_exact(draw_number(e, u));
    if (!cJSON_IsArray(e->choices)) return cJSON_Duplicate(e->choices, true);
    const int count = cJSON_GetArraySize(e->choices);
    const int chosen = e->kind == SPACE_EACH ? (int)(trial / e->turn % count) : (int)(u * count);
    return cJSON_Duplicate(cJSON_GetArrayItem(e->choices, chosen), true);
}

/* The sweep's own seed is not that of its runs, if the space draws theirs. */
static bool is_given(const space_entry *e, const cJSON *given)
{
    return strcmp(e->row->key, "seed") != 0 && cJSON_GetObjectItemCaseSensitive(given, e->row->key);
}

cJSON *space_given(const rv_train_config *config)
{
    char *text = rv_train_config_json(config);
    cJSON *given = text ? cJSON_Parse(text) : NULL;
    rv_free(text);
    return given;
}

char *space_draw(const space *s, const cJSON *given, uint64_t seed, int64_t trial)
{
    cJSON *settings = cJSON_CreateObject();
    bool ok = settings;
    for (const space_entry *e = s->entries; ok && e < s->entries + s->count; e++) {
        const char *key = e->row->key;
        if (is_given(e, given) || cJSON_GetObjectItemCaseSensitive(settings, key) ||
            !holds(e->when, settings, given))
            continue;
        const double u = rv_random_uniform(rv_seed(seed, key), (uint64_t)trial);
        ok = add(settings, key, draw(e, u, trial));
    }
    char *text = ok ? rv_json_text(settings, false) : NULL;
    cJSON_Delete(settings);
    return text;
}
