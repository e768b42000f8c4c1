#include "tools/run/resume.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/run/place.h"
#include "tools/run/saved_run.h"

/* ---- the command line ---- */

/* More epochs, and what says how to do and show the run, not what it is. */
static bool is_allowed(const option_row *row)
{
    bool elsewhere =
        row->offset == offsetof(settings, config) || row->offset == offsetof(settings, output);
    return row->offset == offsetof(settings, epochs) || (!row->kept && !elsewhere);
}

/* No option has these values: what differs after parsing was given. */
static void mark_unset(settings *s, const option_row *row)
{
    void *value = (char *)s + row->offset;
    if (row->kind == OPTION_FLAG)
        *(bool *)value = false;
    else if (row->kind == OPTION_TEXT)
        *(const char **)value = NULL;
    else if (row->kind == OPTION_WHOLE)
        *(int64_t *)value = -1;
    else
        *(double *)value = -1;
}

static bool is_given(const settings *s, const option_row *row)
{
    const void *value = (const char *)s + row->offset;
    return row->kind == OPTION_FLAG    ? *(const bool *)value
           : row->kind == OPTION_TEXT  ? !!*(const char *const *)value
           : row->kind == OPTION_WHOLE ? *(const int64_t *)value != -1
                                       : *(const double *)value != -1;
}

static bool check_alone(const manual *page, int argc, char **argv, exit_status *result,
                        rv_error *error)
{
    settings s = settings_new();
    for (int i = 0; i < SETTINGS_OPTIONS; i++) mark_unset(&s, &settings_options[i]);
    if (!options_parse(page, argc, argv, &s, &s.model, result, error)) return false;
    for (const option_row *row = settings_options; row < settings_options + SETTINGS_OPTIONS; row++)
        if (is_given(&s, row) && !is_allowed(row))
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "%s: a stopped run goes on as it began; beside --resume there may be "
                           "--epochs, --threads and what is shown (--anomaly, --norms, --plot, ..)",
                           row->name);
    return true;
}

/* ---- the checkpoint ---- */

/* Settings without the number of epochs, for rv_free. */
static char *config_but_epochs(const char *config, const char *path, rv_error *error)
{
    settings s = settings_new();
    char *text = NULL;
    if (settings_from_json(&s, config, path, error)) {
        s.epochs = 0;
        text = settings_to_json(&s);
    }
    settings_free(&s);
    return text;
}

/* Another run may have begun in the folder after the checkpoint was written. */
static bool check_same_run(const char *own, const char *folders, const char *path, rv_error *error)
{
    char *a = config_but_epochs(own, path, error);
    char *b = config_but_epochs(folders, "config.json", error);
    bool same = a && b && strcmp(a, b) == 0;
    rv_free(a);
    rv_free(b);
    return same || rv_fail(error, RV_ERROR_FORMAT,
                           "\"%.500s\" is of another run than the folder's config.json", path);
}

/* The folder's config.json, for rv_free; NULL: there is none, or it is damaged, and the checkpoint's own settings count. */
static char *readable_config(const char *folder)
{
    char path[PATH_TEXT];
    rv_error ignored = {0};
    char *text = run_folder_config(folder, path, &ignored);
    char *checked = text ? config_but_epochs(text, path, &ignored) : NULL;
    rv_free(checked);
    if (checked) return text;
    rv_free(text);
    return NULL;
}

/* The settings and the place that a checkpoint tells; `config` is config.json's text, or NULL. */
static bool read_checkpoint(const char *path, const char *config, settings *s, training *t,
                            rv_error *error)
{
    rv_archive archive;
    if (!rv_safetensors_read(path, &archive, error)) return false;
    const char *run = rv_archive_metadata(&archive, "run");
    const char *own = rv_archive_metadata(&archive, "config");
    if (!own) own = config;
    bool ok =
        (run && own) ||
        rv_fail(error, RV_ERROR_FORMAT,
                "\"%.500s\" does not say where its run is; only checkpoints of `recurve train` "
                "do",
                path);
    ok = ok && (!config || check_same_run(own, config, path, error)) &&
         settings_from_json(s, config ? config : own, path, error) &&
         place_from_json(t, run, path, error);
    rv_archive_free(&archive);
    return ok;
}

static bool fail_both(const char *folder, bool settings_known, const char *reason, rv_error *error)
{
    return settings_known
               ? rv_fail(error, RV_ERROR_IO,
                         "no checkpoint to go on from: %.400s; begin anew: "
                         "recurve train --config %.200s/config.json --output %.200s",
                         reason, folder, folder)
               : rv_fail(error, RV_ERROR_IO,
                         "no checkpoint to go on from: %.400s; give the --output of a run that "
                         "was stopped",
                         reason);
}

static bool read_either(const char *folder, settings *s, training *t, char path[PATH_TEXT],
                        rv_error *error)
{
    rv_error first = {0}, second = {0};
    settings tried = settings_new();
    char *config = readable_config(folder);
    bool named = run_folder_checkpoint(folder, path, error);
    bool ok = named && read_checkpoint(path, config, &tried, t, &first);
    if (ok) t->saved = t->at;
    if (named && !ok && run_folder_previous(folder, path, error)) {
        settings_free(&tried);
        training_free(t);
        tried = settings_new();
        ok = read_checkpoint(path, config, &tried, t, &second);
        if (ok)
            fprintf(stderr, "recurve train: %s; going on from the one before\n", first.text);
        else
            fail_both(folder, config, first.text, error);
    }
    rv_free(config);
    *s = tried;
    return ok;
}

static void copy_setting(settings *to, const settings *from, const option_row *row)
{
    size_t size = row->kind == OPTION_FLAG    ? sizeof(bool)
                  : row->kind == OPTION_TEXT  ? sizeof(char *)
                  : row->kind == OPTION_WHOLE ? sizeof(int64_t)
                                              : sizeof(double);
    memcpy((char *)to + row->offset, (const char *)from + row->offset, size);
}

/* What the command line may change. */
static bool take_options(const settings *given, settings *s, const training *t, rv_error *error)
{
    int64_t begun = t->at.epoch - (t->at.batch == 0);
    for (const option_row *row = settings_options; row < settings_options + SETTINGS_OPTIONS; row++)
        if (!row->kept) copy_setting(s, given, row);
    s->output = given->resume;
    if (given->epochs > 0) s->epochs = given->epochs;
    return s->epochs >= begun ||
           rv_fail(error, RV_ERROR_ARGUMENT,
                   "--epochs: got %" PRId64 ", but the run has begun number %" PRId64, s->epochs,
                   begun);
}

bool resume_find(const manual *page, int argc, char **argv, settings *s, training *t,
                 char checkpoint[PATH_TEXT], exit_status *result, rv_error *error)
{
    const settings given = *s;
    *result = STATUS_USAGE;
    if (!check_alone(page, argc, argv, result, error)) return false;
    if (read_either(given.resume, s, t, checkpoint, error))
        return take_options(&given, s, t, error);
    *result = STATUS_FAILED;
    return false;
}

bool resume_load(const settings *s, const experiment *e, rv_store *store, const char *checkpoint,
                 rv_error *error)
{
    /* Held against the model in a store of its own, whose entries come in another order. */
    rv_store *trial = experiment_store(s, error);
    bool ok = trial && saved_run_load(e, trial, checkpoint, error) &&
              rv_store_load(store, checkpoint, error);
    rv_store_free(trial);
    return ok;
}
