#include "tools/sweep/plan.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "train/config_internal.h"
#include "train/json_internal.h"
#include "train/setup/lookup.h"

void sweep_plan_free(sweep_plan *plan)
{
    rv_free(plan->space);
    rv_free(plan->options);
    rv_free(plan->folder);
    rv_free(plan->objective);
    *plan = (sweep_plan){0};
}

rungs rungs_of(const sweep_plan *plan)
{
    rungs r = {.count = 1, .bracket = 1};
    if (plan->halving < 2) return r;
    for (int64_t end = plan->rung; end < plan->epochs && r.count < RUNGS; end *= plan->halving) {
        r.epochs[r.count++ - 1] = end;
        r.bracket *= plan->halving;
    }
    return r;
}

/* ---- differences ---- */

static void put(char what[DIFFERENCE], const char *name, const char *its, const char *other)
{
    rv_text to = {what, what + DIFFERENCE};
    rv_put(&to, "%.40s is %.120s, not %.120s", name, its, other);
}

/* An option of the command line. */
static bool options_differ(const sweep_plan *its, const sweep_plan *other, char what[DIFFERENCE])
{
    char one[RV_ROW_TEXT], two[RV_ROW_TEXT], name[RV_ROW_TEXT];
    rv_train_config a = rv_train_config_new(), b = a;
    const bool read = rv_train_config_parse(&a, its->options, "its options", NULL) &&
                      rv_train_config_parse(&b, other->options, "the options", NULL);
    const rv_config_row *row = read ? rv_train_config_difference(&a, &b) : NULL;
    if (row) {
        snprintf(name, sizeof name, "--%s", row->key);
        put(what, name, rv_config_row_text(row, &a, one), rv_config_row_text(row, &b, two));
    }
    rv_train_config_free(&a);
    rv_train_config_free(&b);
    return row;
}

/* The first key of `a` that has another value in `b`, or none. */
static const char *other_key(const cJSON *a, const cJSON *b)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, a)
    {
        const cJSON *same = cJSON_GetObjectItemCaseSensitive(b, item->string);
        if (!same || !cJSON_Compare(item, same, true)) return item->string;
    }
    return NULL;
}

/* A key of SPACE.json. */
static bool spaces_differ(const sweep_plan *its, const sweep_plan *other, char what[DIFFERENCE])
{
    char name[RV_ROW_TEXT];
    cJSON *a = cJSON_Parse(its->space), *b = cJSON_Parse(other->space);
    const bool read = a && b && rv_json_exact_all(a) && rv_json_exact_all(b);
    const char *key = read ? other_key(a, b) : NULL;
    if (read && !key) key = other_key(b, a);
    if (key) {
        const cJSON *one = cJSON_GetObjectItemCaseSensitive(a, key),
                    *two = cJSON_GetObjectItemCaseSensitive(b, key);
        char *its_text = one ? rv_json_text(one, false) : NULL,
             *other_text = two ? rv_json_text(two, false) : NULL;
        rv_print(name, sizeof name, "%.40s of SPACE.json", key);
        put(what, name, its_text ? its_text : "unset", other_text ? other_text : "unset");
        rv_free(its_text);
        rv_free(other_text);
    }
    cJSON_Delete(a);
    cJSON_Delete(b);
    return key;
}

bool sweep_plan_differs(const sweep_plan *its, const sweep_plan *other, char what[DIFFERENCE])
{
    char a[32], b[32];
    const struct {
        const char *name;
        int64_t its, other;
    } numbers[] = {{"--seed", its->seed, other->seed},
                   {"--halving", its->halving, other->halving},
                   {"--rung", its->rung, other->rung},
                   {"the number of epochs", its->epochs, other->epochs}};
    if (strcmp(its->objective, other->objective) != 0) {
        put(what, "--objective", its->objective, other->objective);
        return true;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i].its == numbers[i].other) continue;
        snprintf(a, sizeof a, "%" PRId64, numbers[i].its);
        snprintf(b, sizeof b, "%" PRId64, numbers[i].other);
        put(what, numbers[i].name, a, b);
        return true;
    }
    if (strcmp(its->space, other->space) == 0 && strcmp(its->options, other->options) == 0)
        return false;
    if (!options_differ(its, other, what) && !spaces_differ(its, other, what))
        snprintf(what, DIFFERENCE, "its SPACE.json or options are in another order");
    return true;
}

/* ---- configurations ---- */

/* A copy of the configuration with a path relative to the sweep's folder made absolute. */
static bool resolve(rv_train_config *config, const rv_config_row *row, const char *folder,
                    rv_error *error)
{
    const char **field = (const char **)(void *)((char *)config + row->offset), *name = *field;
    const bool file = row->file && name && *name != '/' &&
                      (strcmp(row->key, "model") != 0 || rv_names_file(name, NULL));
    if (!file) return true;
    const size_t size = strlen(folder) + strlen(name) + 2;
    char *path = rv_alloc(size, 1);
    if (!path) return rv_fail_memory(error);
    snprintf(path, size, "%s/%s", folder, name);
    rv_train_config copy;
    *field = path;
    const bool ok = rv_train_config_copy(&copy, config, error);
    *field = name;
    rv_free(path);
    if (!ok) return false;
    rv_train_config_free(config);
    *config = copy;
    return true;
}

bool sweep_plan_config(const sweep_plan *plan, const char *settings, const char *path,
                       rv_train_config *config, rv_error *error)
{
    *config = rv_train_config_new();
    bool ok = rv_train_config_parse(config, plan->options, path, error) &&
              rv_train_config_parse(config, settings, path, error);
    for (int i = 0; ok && i < rv_config_row_count(); i++)
        if (rv_config_row_at(i)->kind == RV_CONFIG_TEXT)
            ok = resolve(config, rv_config_row_at(i), plan->folder, error);
    if (!ok) rv_train_config_free(config);
    return ok;
}
