#include "tools/command/sweep_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/cli/json.h"
#include "tools/cli/say.h"
#include "tools/plot/scatter.h"
#include "train/json_internal.h"

/* ---- rows ---- */

/* A row of the table of trials. Texts are valid until the next row. */
typedef struct row {
    int64_t number, epochs, best_epoch, parameters;
    const char *state, *digest, *message;
    double objective, seconds; /* objective NAN: none */
    cJSON *settings;
} row;

static const char *text_of(sqlite3_stmt *query, int column)
{
    const char *text = (const char *)sqlite3_column_text(query, column);
    return text ? text : "";
}

static sqlite3_stmt *select_rows(const sweep_report *r, bool best_first, int64_t most,
                                 rv_error *error)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "SELECT number, state, epochs, best_epoch, objective, parameters, seconds, digest, "
             "message, settings FROM trial WHERE number BETWEEN ? AND ? ORDER BY %s LIMIT ?",
             best_first ? objective_order(r->objective) : "number");
    return database_query(r->database, error, sql, "iii", r->range.first, r->range.last,
                          most > 0 ? most : INT64_MAX);
}

/* Reads the next row. Free its settings. */
static bool next_row(const sweep_report *r, sqlite3_stmt *query, row *to, rv_error *error)
{
    if (!database_next(r->database, query, error)) return false;
    *to = (row){.number = sqlite3_column_int64(query, 0),
                .state = text_of(query, 1),
                .epochs = sqlite3_column_int64(query, 2),
                .best_epoch = sqlite3_column_int64(query, 3),
                .objective = sqlite3_column_type(query, 4) == SQLITE_NULL
                                 ? NAN
                                 : sqlite3_column_double(query, 4),
                .parameters = sqlite3_column_int64(query, 5),
                .seconds = sqlite3_column_double(query, 6),
                .digest = text_of(query, 7),
                .message = text_of(query, 8),
                .settings = rv_json_object(text_of(query, 9), r->database->path, error)};
    if (!to->settings) sqlite3_finalize(query);
    return to->settings;
}

/* The entries of the space that vary, each option once. */
static int columns_of(const space *s, const space_entry *columns[SPACE_ENTRIES])
{
    int count = 0;
    for (const space_entry *e = s->entries; e < s->entries + s->count; e++) {
        bool listed = !space_varies(e);
        for (int i = 0; i < count; i++) listed = listed || columns[i]->row == e->row;
        if (!listed) columns[count++] = e;
    }
    return count;
}

/* "0.01", "adam", "true"; `none` if the trial has no such setting. */
static const char *value_text(const row *of, const space_entry *column, const char *none,
                              char text[RV_NUMBER_TEXT])
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(of->settings, column->row->key);
    if (cJSON_IsNumber(value) && column->row->kind == RV_CONFIG_WHOLE) {
        snprintf(text, RV_NUMBER_TEXT, "%.0f", value->valuedouble); /* 10000000, not 1e+07 */
        return text;
    }
    if (cJSON_IsNumber(value)) return rv_number_text(value->valuedouble, text);
    return cJSON_IsString(value) ? value->valuestring
           : cJSON_IsTrue(value) ? "true"
           : value               ? "false"
                                 : none;
}

/* ---- names of columns ---- */

/* What a trial came to, before its settings. OBJECTIVE stands for the name of the objective. */
enum { OBJECTIVE = 4 };
static const char *const results[] = {"trial",     "state",      "epochs",  "best_epoch",
                                      "objective", "parameters", "seconds", "digest"};

static bool is_result(const char *name)
{
    bool found = false;
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        found = found || strcmp(results[i], name) == 0;
    return found;
}

/* No two columns have the same name: the parameters that a net has are not those that it was to
 * have, and `epochs` may be a result, a setting and the objective. */
enum { COLUMN_NAME = 80 };
static const char *setting_name(const space_entry *column, char name[COLUMN_NAME])
{
    const char *key = column->row->key;
    snprintf(name, COLUMN_NAME, "%s%s", is_result(key) ? "setting_" : "", key);
    return name;
}

/* ---- a table ---- */

static int width_of(const space_entry *column)
{
    char name[COLUMN_NAME];
    const int length = (int)strlen(setting_name(column, name));
    return length > 12 ? length : 12;
}

static void print_row(const row *t, const space_entry *const *columns, int count)
{
    char text[RV_NUMBER_TEXT];
    say(stdout, "%5" PRId64 "  %-8s  %6" PRId64, t->number, t->state, t->epochs);
    if (isnan(t->objective))
        say(stdout, "  %12s", "-");
    else
        say(stdout, "  %12.6g", t->objective);
    for (int i = 0; i < count; i++)
        say(stdout, "  %*s", width_of(columns[i]), value_text(t, columns[i], "-", text));
    if (strcmp(t->state, "failed") == 0) say(stdout, "  %s", t->message);
    fputc('\n', stdout);
}

bool sweep_print_table(const sweep_report *r, int64_t most, rv_error *error)
{
    const space_entry *columns[SPACE_ENTRIES];
    const int count = columns_of(r->space, columns);
    char name[COLUMN_NAME];
    row t;
    trial_counts c;
    if (!trials_count(r->database, r->range, &c, error)) return false;
    say(stdout, "trial  state     epochs  %12.12s", "objective");
    for (int i = 0; i < count; i++)
        say(stdout, "  %*s", width_of(columns[i]), setting_name(columns[i], name));
    fputc('\n', stdout);
    sqlite3_stmt *query = select_rows(r, true, most, error);
    while (next_row(r, query, &t, error)) {
        print_row(&t, columns, count);
        cJSON_Delete(t.settings);
    }
    if (most > 0 && c.all > most)
        say(stdout,
            "the best %" PRId64 " of %" PRId64 "; all: recurve sweep --show --database %s\n", most,
            c.all, r->database->path);
    return error->code == RV_OK;
}

bool sweep_print_counts(const sweep_report *r, rv_error *error)
{
    trial_counts c;
    if (!trials_count(r->database, r->range, &c, error)) return false;
    say(stdout, "%" PRId64 " of %" PRId64 " trial(s) done", c.done, c.all);
    if (c.stopped > 0) say(stdout, ", %" PRId64 " stopped early", c.stopped);
    if (c.diverged > 0) say(stdout, ", %" PRId64 " diverged", c.diverged);
    if (c.failed > 0) say(stdout, ", %" PRId64 " failed", c.failed);
    if (c.open > 0) say(stdout, ", %" PRId64 " to train", c.open);
    say(stdout, "; objective: the %s %s\n", r->objective->greatest ? "greatest" : "least",
        r->objective->name);
    return true;
}

/* ---- CSV ---- */

bool sweep_print_csv(const sweep_report *r, rv_error *error)
{
    const space_entry *columns[SPACE_ENTRIES];
    const int count = columns_of(r->space, columns);
    const char *wanted = r->objective->name;
    char text[RV_NUMBER_TEXT], name[COLUMN_NAME];
    row t;
    if (is_result(wanted)) wanted = results[OBJECTIVE];
    for (int i = 0; i < (int)(sizeof results / sizeof *results); i++)
        say(stdout, "%s%s", i ? "," : "", i == OBJECTIVE ? wanted : results[i]);
    for (int i = 0; i < count; i++) say(stdout, ",%s", setting_name(columns[i], name));
    fputc('\n', stdout);
    sqlite3_stmt *query = select_rows(r, false, 0, error);
    while (next_row(r, query, &t, error)) {
        say(stdout, "%" PRId64 ",%s,%" PRId64 ",%" PRId64 ",", t.number, t.state, t.epochs,
            t.best_epoch);
        if (!isnan(t.objective)) say(stdout, "%s", rv_number_text(t.objective, text));
        say(stdout, ",%" PRId64 ",%.6f,%s", t.parameters, t.seconds, t.digest);
        for (int i = 0; i < count; i++) {
            fputc(',', stdout);
            say_cell(stdout, value_text(&t, columns[i], "", text));
        }
        fputc('\n', stdout);
        cJSON_Delete(t.settings);
    }
    return error->code == RV_OK;
}

/* ---- JSON ---- */

/* Takes the settings. NULL: out of memory. */
static cJSON *row_to_json(const row *t)
{
    cJSON *object = cJSON_CreateObject();
    bool ok = rv_json_add(object, "settings", t->settings);
    ok = ok && rv_json_add(object, "trial", rv_json_exact((double)t->number)) &&
         rv_json_add(object, "state", cJSON_CreateString(t->state)) &&
         rv_json_add(object, "epochs", rv_json_exact((double)t->epochs)) &&
         rv_json_add(object, "best_epoch", rv_json_exact((double)t->best_epoch)) &&
         rv_json_add(object, "objective", rv_json_exact(t->objective)) &&
         rv_json_add(object, "parameters", rv_json_exact((double)t->parameters)) &&
         rv_json_add(object, "seconds", rv_json_exact(t->seconds)) &&
         rv_json_add(object, "digest", cJSON_CreateString(t->digest)) &&
         (*t->message == '\0' || rv_json_add(object, "message", cJSON_CreateString(t->message)));
    if (ok) return object;
    cJSON_Delete(object);
    return NULL;
}

/* All trials, for cJSON_Delete. NULL on failure. */
static cJSON *rows_to_json(const sweep_report *r, rv_error *error)
{
    row t;
    cJSON *trials = cJSON_CreateArray();
    if (!trials) rv_fail_memory(error);
    sqlite3_stmt *query = trials ? select_rows(r, false, 0, error) : NULL;
    while (next_row(r, query, &t, error)) {
        cJSON *object = row_to_json(&t);
        if (!object || !cJSON_AddItemToArray(trials, object)) rv_fail_memory(error);
    }
    if (error->code == RV_OK) return trials;
    cJSON_Delete(trials);
    return NULL;
}

bool sweep_print_json(const sweep_report *r, rv_error *error)
{
    cJSON *object = cJSON_CreateObject(), *trials = rows_to_json(r, error);
    if (!trials || !object) {
        cJSON_Delete(trials);
        cJSON_Delete(object);
        return error->code == RV_OK ? rv_fail_memory(error) : false;
    }
    const bool ok = rv_json_add(object, "objective", cJSON_CreateString(r->objective->name)) &&
                    rv_json_add(object, "seed", rv_json_exact((double)r->plan->seed)) &&
                    rv_json_add(object, "options", cJSON_Parse(r->plan->options)) &&
                    rv_json_add(object, "space", cJSON_Duplicate(r->space->json, true));
    if (rv_json_add(object, "trials", trials) && ok && rv_json_exact_all(object))
        return json_print(object, error);
    cJSON_Delete(object);
    return rv_fail_memory(error);
}

/* ---- the best ---- */

bool sweep_print_best(const sweep_report *r, rv_error *error)
{
    int64_t best;
    double value;
    rv_train_config config;
    if (!trials_best(r->database, r->objective, r->range, &best, &value, error)) return false;
    if (best < 0)
        return rv_fail(error, RV_ERROR_NUMBER,
                       "no trial has an epoch yet, or all have diverged; train some with: recurve "
                       "sweep --database %.300s",
                       r->database->path);
    sqlite3_stmt *query = database_query(r->database, error,
                                         "SELECT settings FROM trial WHERE number = ?", "i", best);
    while (database_next(r->database, query, error)) {
        if (!sweep_plan_config(r->plan, text_of(query, 0), r->database->path, &config, error))
            continue;
        char *text = rv_train_config_json(&config);
        if (text)
            say_lines(stdout, text, strlen(text));
        else
            rv_fail_memory(error);
        rv_free(text);
        rv_train_config_free(&config);
    }
    return error->code == RV_OK;
}

/* ---- a picture ---- */

enum { PANELS = 32, NAMES = 64 };

/* A panel of one setting. Values that are no numbers have the positions 0, 1, .. */
typedef struct panel {
    const space_entry *column;
    double *x; /* [trials] */
    char *names[NAMES];
    int count;
} panel;

static double position(panel *p, const row *t)
{
    char text[RV_NUMBER_TEXT];
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(t->settings, p->column->row->key);
    if (!value) return NAN;
    if (cJSON_IsNumber(value) && p->column->kind > SPACE_EACH) return value->valuedouble;
    const char *name = value_text(t, p->column, "", text);
    for (int i = 0; i < p->count; i++)
        if (strcmp(p->names[i], name) == 0) return i;
    if (p->count == NAMES || !(p->names[p->count] = rv_string_copy(name))) return NAN;
    return p->count++;
}

static int64_t read_points(const sweep_report *r, panel *panels, int count, double *y, int64_t most,
                           rv_error *error)
{
    int64_t used = 0;
    row t;
    sqlite3_stmt *query = select_rows(r, false, most, error);
    while (next_row(r, query, &t, error)) {
        const bool counts =
            strcmp(t.state, "diverged") != 0 && strcmp(t.state, "failed") != 0 && used < most;
        if (counts) y[used] = t.objective;
        for (int i = 0; i < count && counts; i++) panels[i].x[used] = position(&panels[i], &t);
        used += counts;
        cJSON_Delete(t.settings);
    }
    return used;
}

static bool draw_panels(const sweep_report *r, const char *path, const panel *panels, int count,
                        const double *y, int64_t points, rv_error *error)
{
    scatter_series series[PANELS];
    scatter_panel drawn[PANELS];
    char title[96];
    bool log = true;
    for (int64_t i = 0; i < points; i++) log = log && !(y[i] <= 0);
    for (int i = 0; i < count; i++) {
        const panel *p = &panels[i];
        series[i] = (scatter_series){.count = (int)points, .x = p->x, .y = y};
        drawn[i] = (scatter_panel){.across = p->column->row->key,
                                   .of = p->count ? (const char *const *)p->names : NULL,
                                   .names = p->count,
                                   .log = p->column->kind == SPACE_LOG_UNIFORM,
                                   .series = &series[i],
                                   .count = 1};
    }
    snprintf(title, sizeof title, "%" PRId64 " trials: best %s", points, r->objective->name);
    return scatter_draw(path, title, r->objective->name, log && !r->objective->greatest, drawn,
                        count, error);
}

bool sweep_draw(const sweep_report *r, const char *path, rv_error *error)
{
    const space_entry *columns[SPACE_ENTRIES];
    panel panels[PANELS] = {{0}};
    trial_counts c;
    int count = columns_of(r->space, columns);
    if (count > PANELS) count = PANELS;
    if (!trials_count(r->database, r->range, &c, error)) return false;
    double *y = rv_alloc((size_t)c.all, sizeof *y);
    bool ok = y;
    for (int i = 0; i < count && ok; i++) {
        panels[i].column = columns[i];
        panels[i].x = rv_alloc((size_t)c.all, sizeof *panels[i].x);
        ok = panels[i].x;
    }
    if (!ok) rv_fail_memory(error);
    const int64_t points = ok ? read_points(r, panels, count, y, c.all, error) : 0;
    ok = error->code == RV_OK && draw_panels(r, path, panels, count, y, points, error);
    for (int i = 0; i < count; i++) {
        rv_free(panels[i].x);
        for (int k = 0; k < panels[i].count; k++) rv_free(panels[i].names[k]);
    }
    rv_free(y);
    return ok;
}
