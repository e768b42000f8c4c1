#include "tools/sweep/space.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/random.h"
#include "train/config_internal.h"
#include "train/json_internal.h"
#include "train/setup/lookup.h"

/* ---- parsing ---- */

typedef struct reading {
    space *space;
    rv_json json; /* SPACE.json */
    const rv_config_row *row;
    rv_error *error;
    int above; /* entries of the space that the file continues */
} reading;

static const char *const words[] = {"choices", "each", "uniform", "log-uniform", "when"};
enum { MOST_COMBINATIONS = 1000000 };
enum { WORDS = sizeof words / sizeof *words, WHEN = WORDS - 1 };

static const char *word_at(const void *list, int index)
{
    (void)list;
    return words[index];
}

/* "SPACE.json" line 3, column 5: units: .. */
static bool fail(const reading *r, const cJSON *at, const char *format, ...) RV_PRINTF(3, 4);

static bool fail(const reading *r, const cJSON *at, const char *format, ...)
{
    char text[RV_ERROR_TEXT];
    va_list arguments;
    va_start(arguments, format);
    rv_format(text, sizeof text, format, arguments);
    va_end(arguments);
    return rv_json_fail(&r->json, at, r->error, "%s: %-s", r->row->key, text);
}

/* Digits and the tasks of files are no synthetic tasks. */
static bool check_task(const char *name, rv_error *error)
{
    static const char *const others[] = {"digits", "text", "file"};
    rv_source unused;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(name, others[i]) == 0) return true;
    return rv_task_find(name) || rv_source_task(&unused, name, &(rv_task_options){0}, error);
}

/* Names are looked up now, so that no trial fails for one later. */
static bool check_name(const char *key, const char *name, rv_error *error)
{
    if (strcmp(key, "optimizer") == 0) return rv_lookup_optimizer(name, error);
    if (strcmp(key, "task") == 0) return check_task(name, error);
    if (strcmp(key, "model") == 0)
        return rv_names_file(name, NULL) || rv_lookup_built_in(name, error);
    return true;
}

/* Whether the option may have this value, by the checks of config.json. */
static bool check_value(const reading *r, const rv_config_row *row, const cJSON *value)
{
    rv_error why = {0};
    rv_train_config config = rv_train_config_new();
    if (!rv_config_row_read(row, value, &config, &why))
        return rv_json_fail(&r->json, value, r->error, "%-s", why.text);
    return !cJSON_IsString(value) || check_name(row->key, value->valuestring, &why) ||
           rv_json_fail(&r->json, value, r->error, "%s: %-s", row->key, why.text);
}

static bool check_values(const reading *r, const rv_config_row *row, const cJSON *values)
{
    const cJSON *value;
    if (!cJSON_IsArray(values)) return check_value(r, row, values);
    cJSON_ArrayForEach(value, values) if (!check_value(r, row, value)) return false;
    return values->child ||
           rv_json_fail(&r->json, values, r->error,
                        "%s: the list is empty; give values, such as [1, 2, 4]", row->key);
}

static bool check_choices(const reading *r, const cJSON *choices, const char *word)
{
    char seen[RV_ERROR_TEXT / 4];
    if (cJSON_IsArray(choices)) return check_values(r, r->row, choices);
    return fail(r, choices, "%s: got %s, expected a list, such as [1, 2, 4]", word,
                rv_json_shown(choices, seen));
}

static bool read_range(const reading *r, space_entry *e, const cJSON *range, const char *word)
{
    char seen[RV_ERROR_TEXT / 4];
    if (e->row->kind == RV_CONFIG_FLAG || e->row->kind == RV_CONFIG_TEXT)
        return fail(r, range,
                    "this option is no number, so it cannot be %s; give a list of choices", word);
    if (!cJSON_IsArray(range))
        return fail(r, range, "%s: got %s, expected two numbers, [least, greatest]", word,
                    rv_json_shown(range, seen));
    if (cJSON_GetArraySize(range) != 2)
        return fail(r, range, "%s: got %d value(s), expected two, [least, greatest]", word,
                    cJSON_GetArraySize(range));
    const cJSON *low = cJSON_GetArrayItem(range, 0), *high = cJSON_GetArrayItem(range, 1);
    if (!check_values(r, e->row, range)) return false;
    e->low = low->valuedouble;
    e->high = high->valuedouble;
    if (e->low == e->high)
        return fail(r, range, "the range [%g, %g] holds one number; give the number alone", e->low,
                    e->high);
    if (!(e->low < e->high))
        return fail(r, range, "the range [%g, %g] is empty; expected [least, greatest]", e->low,
                    e->high);
    return e->kind != SPACE_LOG_UNIFORM || e->low > 0 ||
           fail(r, range, "log-uniform from %g has no logarithm; begin above 0, or use uniform",
                e->low);
}

/* Conditions read options above, so that none depends on itself. */
static bool check_when(const reading *r, const cJSON *when)
{
    const cJSON *item;
    if (!cJSON_IsObject(when) || !when->child)
        return fail(r, when, "when expects an object, such as {\"optimizer\": \"adam\"}");
    cJSON_ArrayForEach(item, when)
    {
        const rv_config_row *above = NULL;
        for (const space_entry *e = r->space->entries; e < r->space->entries + r->space->count; e++)
            if (strcmp(e->row->key, item->string) == 0) above = e->row;
        if (!above)
            return fail(r, item,
                        "when names \"%.100s\", which is no key above it; write the keys of a "
                        "condition first, spelled as there",
                        item->string);
        if (!check_values(r, above, item)) return false;
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
            rv_fail_unknown("key", item->string, word_at, NULL, WORDS, &why);
            return fail(r, item, "%-s", why.text);
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
        if (!(listed ? check_choices(r, item, words[word]) : read_range(r, e, item, words[word])))
            return false;
    }
    return distributions == 1 ||
           fail(r, object, "expected one of choices, each, uniform and log-uniform, got %d",
                distributions);
}

int64_t space_combinations(const space *s)
{
    int64_t product = 1;
    for (const space_entry *e = s->entries; e < s->entries + s->count; e++)
        if (e->kind == SPACE_EACH) product *= cJSON_GetArraySize(e->choices);
    return product;
}

static bool add_entry(const reading *r, const cJSON *item)
{
    if (r->space->count == SPACE_ENTRIES)
        return fail(r, item, "more than %d distributions", SPACE_ENTRIES);
    space_entry e = {.row = r->row};
    if (cJSON_IsObject(item)) {
        if (!read_object(r, &e, item)) return false;
    } else {
        e.choices = item;
        if (!check_values(r, r->row, item)) return false;
    }
    if (e.kind == SPACE_EACH) {
        e.turn = space_combinations(r->space);
        if (e.when || e.turn > MOST_COMBINATIONS / cJSON_GetArraySize(e.choices))
            return fail(r, item, "%s",
                        e.when ? "each holds for all trials; leave out when, or give choices"
                               : "more than 1000000 combinations; give fewer of each");
    }
    r->space->entries[r->space->count++] = e;
    return true;
}

/* Options of the command, which a person may expect to write here. */
static bool is_of_command(const char *key)
{
    static const char *const keys[] = {"trials",    "workers", "database",
                                       "objective", "halving", "rung"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0) return true;
    return false;
}

/* Finds the option, with the message of config.json for a name that is none. */
static bool read_key(reading *r, const cJSON *item)
{
    rv_error why = {0};
    if (is_of_command(item->string))
        return rv_json_fail(&r->json, item, r->error,
                            "%s is an option of the command, not of a run; give --%s", item->string,
                            item->string);
    r->row = rv_config_row_find(item->string, &why);
    if (!r->row) return rv_json_fail(&r->json, item, r->error, "%-s", why.text);
    if (!r->row->kept) return fail(r, item, "this is not a setting of a trial; leave it out");
    for (const space_entry *e = r->space->entries; e < r->space->entries + r->space->count; e++)
        if (e->row == r->row)
            return e < r->space->entries + r->above
                       ? fail(r, item, "the command sets this; leave it out")
                   : r->row->alias
                       ? fail(r, item, "given twice; %s is the same option", r->row->alias)
                       : fail(r, item, "given twice");
    if (!cJSON_IsArray(item) || !cJSON_IsObject(item->child)) return add_entry(r, item);
    const cJSON *alternative; /* the first whose condition holds */
    cJSON_ArrayForEach(alternative, item)
    {
        if (!cJSON_IsObject(alternative))
            return fail(r, alternative,
                        "a list holds values, or distributions with conditions, but not both");
        if (!add_entry(r, alternative)) return false;
    }
    return true;
}

bool space_continue(space *s, const space *above, const char *text, const char *path,
                    rv_error *error)
{
    *s = *above;
    s->json = rv_json_object(text, path, error);
    reading r = {s, {text, path, s->json}, NULL, error, above->count};
    const cJSON *item;
    if (!s->json) return false;
    cJSON_ArrayForEach(item, s->json) if (!read_key(&r, item)) return false;
    return true;
}

bool space_parse(space *s, const char *text, const char *path, rv_error *error)
{
    return space_continue(s, &(space){0}, text, path, error);
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

/* A drawn number is its text (rv_json_exact); one of SPACE.json is a number. */
static bool is_equal(const cJSON *value, const cJSON *expected)
{
    const double number =
        cJSON_IsRaw(value) ? rv_number(value->valuestring, NULL) : value->valuedouble;
    if (cJSON_IsNumber(expected))
        return (cJSON_IsRaw(value) || cJSON_IsNumber(value)) && number == expected->valuedouble;
    return cJSON_Compare(value, expected, true);
}

/* Whether value is one of the expected: a value, or a list of values. */
static bool is_one_of(const cJSON *value, const cJSON *expected)
{
    const cJSON *one;
    if (!cJSON_IsArray(expected)) return is_equal(value, expected);
    cJSON_ArrayForEach(one, expected) if (is_equal(value, one)) return true;
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
    const cJSON *value = e->choices;
    if (cJSON_IsArray(value)) {
        const int count = cJSON_GetArraySize(value);
        value = cJSON_GetArrayItem(value, e->kind == SPACE_EACH ? (int)(trial / e->turn % count)
                                                                : (int)(u * count));
    }
    return cJSON_IsNumber(value) ? rv_json_exact(value->valuedouble) : cJSON_Duplicate(value, true);
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
        ok = rv_json_add(settings, key, draw(e, u, trial));
    }
    char *text = ok ? rv_json_text(settings, false) : NULL;
    cJSON_Delete(settings);
    return text;
}
