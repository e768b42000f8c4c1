#include "train/trainer/resume.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tensor/file_internal.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"
#include "tensor/checkpoint_internal.h"
#include "tensor/safetensors.h"
#include "tensor/safetensors/header.h"
#include "tensor/store_entries_internal.h"
#include "tensor/text_internal.h"
#include "train/config_internal.h"
#include "train/trainer/inputs.h"
#include "train/trainer/run_folder.h"
#include "train/trainer/run_state.h"
#include "train/text_file_internal.h"
#include "train/trainer/trainer.h"

/* ---- the configuration ---- */

static bool config_of_checkpoint(rv_train_config *config, const char *path, rv_error *error)
{
    rv_archive archive;
    if (!rv_safetensors_read(path, &archive, error)) return false;
    const char *text = rv_archive_metadata(&archive, "config");
    bool ok = text ? rv_train_config_parse(config, text, path, error)
                   : rv_fail(error, RV_ERROR_FORMAT, "\"%.500s\" holds no configuration", path);
    rv_archive_free(&archive);
    return ok;
}

bool rv_train_config_of_run(rv_train_config *config, const char *folder, rv_error *error)
{
    if (!RV_NEEDS(error, config, folder)) return false;
    char path[RV_PATH];
    rv_error first = {0}, ignored = {0};
    if (!rv_run_folder_config(folder, path, error)) return false;
    bool ok = rv_train_config_read(config, path, &first) ||
              (rv_run_folder_checkpoint(folder, path, &ignored) &&
               config_of_checkpoint(config, path, &ignored)) ||
              (rv_run_folder_previous(folder, path, &ignored) &&
               config_of_checkpoint(config, path, &ignored));
    if (!ok) return rv_fail(error, first.code, "%-s", first.text);
    return rv_inputs_find(config, folder, error);
}

/* A new run may have started in the folder since the checkpoint was written. */
static bool check_same_run(const rv_train_config *config, const char *text, const char *path,
                           rv_error *error)
{
    rv_train_config own = rv_train_config_new();
    if (!rv_train_config_parse(&own, text, path, error)) return false;
    own.loop.epochs = config->loop.epochs; /* may be raised */
    const rv_config_row *other = rv_train_config_difference(config, &own);
    char here[RV_ROW_TEXT], there[RV_ROW_TEXT];
    if (other)
        rv_fail(
            error, RV_ERROR_FORMAT,
            "\"%.400s\" is of another run: its `%s` is %.150s, that of the configuration %.150s",
            path, other->key, rv_config_row_text(other, &own, there),
            rv_config_row_text(other, config, here));
    rv_train_config_free(&own);
    return !other;
}

/* ---- the checkpoint ---- */

/* The text in the checkpoint or, where that is not UTF-8, the folder's; for rv_free. */
static char *text_of(const rv_archive *archive, const char *key,
                     bool (*path_of)(const char *folder, char path[RV_PATH], rv_error *error),
                     const char *folder, rv_error *error)
{
    char path[RV_PATH];
    const char *text = rv_archive_metadata(archive, key);
    if (!text && !folder) rv_fail(error, RV_ERROR_FORMAT, "the checkpoint holds no `%s`", key);
    if (!text)
        return folder && path_of(folder, path, error) ? rv_text_file_read(path, error) : NULL;
    char *copy = rv_string_copy(text);
    if (!copy) rv_fail_memory(error);
    return copy;
}

/* Whether the files hold what they did. Without a record, nobody knows. */
static bool check_files(const rv_trainer *t, const rv_archive *archive, const char *path,
                        rv_error *changed, rv_error *error)
{
    const char *folder = t->config.loop.output;
    rv_error why = {0}, seen = {0};
    char *text = folder ? text_of(archive, "inputs", rv_run_folder_inputs, folder, &why) : NULL;
    if (!text) return why.code != RV_ERROR_MEMORY || rv_fail_memory(error);
    bool ok = rv_inputs_check(&t->config, text, path, &seen, error);
    rv_free(text);
    if (ok && seen.code != RV_OK && !changed)
        return rv_fail(error, seen.code, "%s; restore it, or accept the change", seen.text);
    if (changed) *changed = seen;
    return ok;
}

static bool read_checkpoint(const rv_trainer *t, const rv_content *from, rv_train_result *result,
                            rv_epoch **history, rv_error *error)
{
    rv_archive archive;
    if (!rv_safetensors_read_from(from, &archive, error)) return false;
    const char *run = rv_archive_metadata(&archive, "run");
    char *text =
        run ? text_of(&archive, "config", rv_run_folder_config, t->config.loop.output, error)
            : NULL;
    if (!run)
        rv_fail(error, RV_ERROR_FORMAT,
                "\"%.500s\" holds no run state; only the checkpoint of a run does", from->path);
    bool ok = text && check_same_run(&t->config, text, from->path, error) &&
              rv_run_state_parse(result, history, run, from->path, error);
    rv_free(text);
    rv_archive_free(&archive);
    return ok;
}

/* The checkpoint, or else the previous one. */
static bool read_either(const rv_trainer *t, char path[RV_PATH], rv_train_result *result,
                        rv_epoch **history, rv_error *skipped, rv_error *error)
{
    const char *folder = t->config.loop.output;
    const rv_content from = {.path = path};
    rv_error first = {0}, second = {0};
    if (!rv_run_folder_checkpoint(folder, path, error)) return false;
    if (read_checkpoint(t, &from, result, history, &first)) {
        result->saved = result->at;
        return true;
    }
    if (first.code == RV_ERROR_MEMORY) return rv_fail_memory(error);
    rv_free(*history);
    *history = NULL;
    if (!rv_run_folder_previous(folder, path, error)) return false;
    if (read_checkpoint(t, &from, result, history, &second)) {
        if (skipped) *skipped = first;
        return true;
    }
    if (second.code == RV_ERROR_MEMORY) return rv_fail_memory(error);
    return rv_fail(error, RV_ERROR_IO, "no checkpoint to resume from: %-.800s", first.text);
}

/* ---- parameters ---- */

static size_t count_parameters(const rv_store *store)
{
    size_t count = 0;
    for (size_t i = 0; i < rv_store_count(store); i++)
        count += rv_store_at(store, i)->role == RV_PARAMETER;
    return count;
}

static bool load_parameters(const rv_setup *s, rv_store *store, const rv_content *from,
                            rv_error *error)
{
    rv_batch_program b;
    if (!rv_batch_program_make(&b, s, store, 1, false, RV_DEFAULT, error)) return false;
    rv_batch_program_free(&b);
    size_t expected = count_parameters(store);
    if (!rv_store_load_from(store, from, error)) return false;
    size_t found = count_parameters(store);
    return found == expected ||
           rv_fail(error, RV_ERROR_FORMAT,
                   "\"%.500s\" holds %zu parameter(s), but model %s of its configuration has %zu",
                   from->path, found, s->model->name, expected);
}

/* Loads the checkpoint into a store of its own first: on failure the trainer's stays as it is. */
static bool load_all(const rv_trainer *t, const rv_content *from, rv_error *error)
{
    rv_store *trial = rv_setup_store(&t->config, error);
    bool ok = trial && load_parameters(&t->setup, trial, from, error);
    rv_store_free(trial);
    return ok && rv_store_load_from(t->store, from, error);
}

/* Whether the checkpoint is of this run and its files. */
static bool check_origin(const rv_trainer *t, const char *path, rv_error *changed, rv_error *error)
{
    rv_archive archive;
    if (!rv_safetensors_read(path, &archive, error)) return false;
    const char *config = rv_archive_metadata(&archive, "config");
    bool ok = (!config || check_same_run(&t->config, config, path, error)) &&
              check_files(t, &archive, path, changed, error);
    rv_archive_free(&archive);
    return ok;
}

bool rv_trainer_load(rv_trainer *t, const char *path, rv_error *changed, rv_error *error)
{
    if (!RV_NEEDS(error, t, path)) return false;
    return check_origin(t, path, changed, error) && load_all(t, &(rv_content){.path = path}, error);
}

/* Whether an entry of a net's store is one that a net starts from: a parameter, or a constant that
 * was drawn. */
static bool is_start(const rv_entry *entry)
{
    return entry->role == RV_PARAMETER || strncmp(entry->name, "carry/", 6) != 0;
}

/* Whether each entry of `a` has an equal shape in `b`, or is not there and, unless `partial`, is no
 * parameter. */
static bool check_names(const rv_store *a, const rv_store *b, bool partial, const char *path,
                        const char *lacking, rv_error *error)
{
    char seen[RV_SHAPE_TEXT], expected[RV_SHAPE_TEXT];
    for (size_t i = 0; i < rv_store_count(a); i++) {
        const rv_entry *one = rv_store_at(a, i), *other = rv_store_find(b, one->name);
        if (!is_start(one) || (!other && (partial || one->role != RV_PARAMETER))) continue;
        if (!other)
            return rv_fail(error, RV_ERROR_FORMAT, "\"%.500s\": %s parameter \"%.100s\"", path,
                           lacking, one->name);
        if (!rv_shape_equal(one->tensor.shape, other->tensor.shape))
            return rv_fail(error, RV_ERROR_FORMAT,
                           "\"%.500s\": the shapes of \"%.100s\" in the file and in the net "
                           "differ: %s and %s",
                           path, one->name, rv_shape_text(other->tensor.shape, seen),
                           rv_shape_text(one->tensor.shape, expected));
    }
    return true;
}

bool rv_trainer_initialize(rv_trainer *t, const char *path, bool partial, rv_error *error)
{
    if (!RV_NEEDS(error, t, path)) return false;
    if (rv_trainer_is_helper(t)) return true; /* rv_trainer_fit gives it rank 0's run */
    if (!rv_file_refuse_folder(
            path, "a safetensors file, such as best.safetensors of a run's folder", error))
        return false;
    rv_batch_program b; /* its recording creates the parameters */
    if (!rv_batch_program_make(&b, &t->setup, t->store, 1, false, RV_DEFAULT, error)) return false;
    rv_batch_program_free(&b);
    rv_store *from = rv_store_stage(t->store, &(rv_content){.path = path}, error);
    bool ok = from && check_names(t->store, from, partial, path, "the file lacks the", error) &&
              (partial || check_names(from, t->store, false, path, "the net has no", error));
    size_t copied = 0;
    for (size_t i = 0; ok && i < rv_store_count(t->store); i++) {
        rv_entry *entry = rv_store_at(t->store, i);
        const rv_entry *given = rv_store_find(from, entry->name);
        if (!is_start(entry) || !given) continue;
        ok = rv_tensor_copy(&entry->tensor, &given->tensor, error);
        copied += entry->role == RV_PARAMETER;
    }
    rv_store_free(from);
    return ok && (copied > 0 ||
                  rv_fail(error, RV_ERROR_FORMAT, "\"%.500s\" has no parameter of this net", path));
}

bool rv_resume(const rv_trainer *t, rv_train_result *result, rv_epoch **history, rv_error *skipped,
               rv_error *changed, rv_error *error)
{
    char path[RV_PATH];
    *history = NULL;
    if (!read_either(t, path, result, history, skipped, error)) return false;
    int64_t begun = result->at.epoch - (result->at.batch == 0);
    if (t->config.loop.epochs < begun)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`epochs`: got %" PRId64 ", but the run is in epoch %" PRId64,
                       t->config.loop.epochs, begun);
    return check_origin(t, path, changed, error) && load_all(t, &(rv_content){.path = path}, error);
}

bool rv_resume_packed(const rv_trainer *t, const unsigned char *bytes, size_t size,
                      rv_train_result *result, rv_epoch **history, rv_error *error)
{
    const rv_content from = {"checkpoint", bytes, size};
    *history = NULL;
    return read_checkpoint(t, &from, result, history, error) && load_all(t, &from, error);
}
