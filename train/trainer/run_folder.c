#include "train/trainer/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tensor/checkpoint.h"
#include "tensor/memory.h"
#include "tensor/name_internal.h"
#include "tensor/text_internal.h"
#include "train/trainer/run_state.h"
#include "train/text_file_internal.h"

#define CHECKPOINT "checkpoint.safetensors"
#define PREVIOUS "checkpoint.previous.safetensors"
#define BEST "best.safetensors"
#define CONFIG "config.json"
#define INPUTS "inputs.json"
#define LOG "log.csv"

bool rv_run_folder_path(const char *folder, const char *file, char path[RV_PATH], rv_error *error)
{
    size_t length = strlen(folder);
    bool ends = length > 0 && folder[length - 1] == '/';
    int wrote = snprintf(path, RV_PATH, "%s%s%s", folder, ends ? "" : "/", file);
    return (wrote >= 0 && wrote < RV_PATH) ||
           rv_fail(error, RV_ERROR_IO, "the folder's name is longer than %d byte(s)", RV_PATH);
}

bool rv_run_folder_checkpoint(const char *folder, char path[RV_PATH], rv_error *error)
{
    return rv_run_folder_path(folder, CHECKPOINT, path, error);
}

bool rv_run_folder_previous(const char *folder, char path[RV_PATH], rv_error *error)
{
    return rv_run_folder_path(folder, PREVIOUS, path, error);
}

bool rv_run_folder_inputs(const char *folder, char path[RV_PATH], rv_error *error)
{
    return rv_run_folder_path(folder, INPUTS, path, error);
}

bool rv_run_folder_of(const char *checkpoint, char folder[RV_PATH], rv_error *error)
{
    const char *slash = strrchr(checkpoint, '/');
    size_t length = slash ? (size_t)(slash - checkpoint) + 1 : 2;
    if (length >= RV_PATH)
        return rv_fail(error, RV_ERROR_IO, "the folder's name is longer than %d byte(s)", RV_PATH);
    memcpy(folder, slash ? checkpoint : "./", length);
    folder[length] = '\0';
    return true;
}

/* ---- opening ---- */

static bool fail_system(const char *what, const char *path, rv_error *error)
{
    return rv_fail(error, RV_ERROR_IO, "cannot %s \"%.500s\": %s", what, path, rv_reason(errno));
}

void rv_run_folder_unmake(const char *folder, size_t had)
{
    char path[RV_PATH];
    rv_error ignored = {0};
    if (!rv_run_folder_path(folder, "", path, &ignored)) return;
    for (size_t i = strlen(path); i-- > had;)
        if (path[i] == '/') {
            path[i] = '\0';
            rmdir(path); /* fails if there is something in it */
        }
}

bool rv_run_folder_make(const char *folder, size_t *had, rv_error *error)
{
    char path[RV_PATH];
    bool ok = rv_run_folder_path(folder, "", path, error);
    *had = 0;
    /* The empty file name made the path end in a slash, so every folder of it does. */
    for (char *slash = ok ? strchr(path + 1, '/') : NULL; ok && slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        const bool made = mkdir(path, 0777) == 0;
        if (!made && errno == EEXIST) *had = (size_t)(slash - path) + 1;
        ok = made || errno == EEXIST || fail_system("make the folder", path, error);
        *slash = '/';
    }
    struct stat found;
    ok = ok && (stat(path, &found) == 0 || fail_system("use the folder", folder, error));
    if (!ok) rv_run_folder_unmake(folder, *had);
    return ok;
}

/* Fails unless the file is missing or regular: only then can it be replaced. */
static bool check_replaceable(const char *folder, const char *file, rv_error *error)
{
    char path[RV_PATH];
    struct stat found;
    if (!rv_run_folder_path(folder, file, path, error)) return false;
    if (stat(path, &found) != 0) return errno == ENOENT || fail_system("write", path, error);
    return S_ISREG(found.st_mode) ||
           rv_fail(error, RV_ERROR_IO, "cannot write \"%.500s\": it is not a regular file", path);
}

rv_folder_lock *rv_run_folder_open(const char *folder, rv_error *error)
{
    static const char *const files[] = {CHECKPOINT, PREVIOUS, BEST, CONFIG, INPUTS, LOG};
    size_t had;
    if (!rv_run_folder_make(folder, &had, error)) return NULL;
    rv_folder_lock *lock = rv_folder_lock_take(folder, error);
    bool ok = lock;
    if (ok)
        rv_folder_lock_made(lock, had);
    else
        rv_run_folder_unmake(folder, had);
    for (size_t i = 0; ok && i < sizeof files / sizeof *files; i++)
        ok = check_replaceable(folder, files[i], error);
    if (ok) return lock;
    rv_folder_unlock(lock);
    return NULL;
}

/* ---- earlier runs ---- */

bool rv_run_folder_clear_file(const char *folder, const char *file, bool overwrite, rv_error *error)
{
    char path[RV_PATH];
    struct stat found;
    if (!rv_run_folder_path(folder, file, path, error)) return false;
    if (overwrite)
        return unlink(path) == 0 || errno == ENOENT || fail_system("remove", path, error);
    if (lstat(path, &found) != 0) return errno == ENOENT || fail_system("read", path, error);
    return rv_fail(
        error, RV_ERROR_ARGUMENT,
        "the folder \"%.500s\" holds an earlier run, whose %s would be lost; give another "
        "`output`, or `overwrite` to delete that run",
        folder, file);
}

bool rv_run_folder_clear(const char *folder, bool overwrite, rv_error *error)
{
    return rv_run_folder_clear_file(folder, CHECKPOINT, overwrite, error) &&
           rv_run_folder_clear_file(folder, PREVIOUS, overwrite, error) &&
           rv_run_folder_clear_file(folder, BEST, overwrite, error);
}

bool rv_run_folder_mark(const char *folder, rv_checkpoint_mark *mark, rv_error *error)
{
    char path[RV_PATH];
    struct stat found;
    *mark = (rv_checkpoint_mark){0};
    if (!rv_run_folder_checkpoint(folder, path, error)) return false;
    if (stat(path, &found) != 0) return errno == ENOENT || fail_system("read", path, error);
    *mark = (rv_checkpoint_mark){found.st_ino, found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
    return true;
}

/* ---- saving ---- */

static bool save_text(const char *folder, const char *file, const char *text, rv_error *error)
{
    char path[RV_PATH];
    return rv_run_folder_path(folder, file, path, error) && rv_text_file_write(path, text, error);
}

/* log.csv, for rv_free. */
static char *log_text(const rv_train_result *r)
{
    static const char head[] =
        "epoch,loss,validation_loss,validation_accuracy,validation_error,seconds\n";
    enum { ROW = 160 };
    size_t size = sizeof head + ROW * (size_t)r->epochs;
    char *text = rv_alloc(size, 1);
    rv_text to = {text, text + size};
    if (!text) return NULL;
    rv_put(&to, "%-s", head);
    for (const rv_epoch *e = r->history; e < r->history + r->epochs; e++) {
        rv_put(&to, "%" PRId64 ",%.9g,%.9g,", e->epoch, e->loss, e->validation_loss);
        if (!isnan(e->validation_accuracy)) rv_put(&to, "%.9g", e->validation_accuracy);
        rv_put(&to, ",");
        if (!isnan(e->validation_error)) rv_put(&to, "%.9g", e->validation_error);
        rv_put(&to, ",%.6f\n", e->seconds);
    }
    return text;
}

static bool save_log(const char *folder, const rv_train_result *r, rv_error *error)
{
    char *log = log_text(r);
    bool ok = save_text(folder, LOG, log, error);
    rv_free(log);
    return ok;
}

/* Whether this is a file that a killed run was writing: "checkpoint.safetensors.123-0.tmp". */
static bool is_unfinished(const char *name)
{
    static const char *const files[] = {CHECKPOINT, BEST, CONFIG, INPUTS, LOG};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t length = strlen(files[i]);
        if (strncmp(name, files[i], length) != 0 || name[length] != '.') continue;
        const char *rest = name + length + 1;
        size_t digits = strspn(rest, "0123456789-");
        if (digits > 0 && strcmp(rest + digits, ".tmp") == 0) return true;
    }
    return false;
}

/* Without readdir, which would call malloc. */
static void remove_unfinished(const char *folder)
{
    char path[RV_PATH];
    rv_error ignored = {0};
    _Alignas(struct dirent64) char entries[4096];
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    for (ssize_t size; (size = getdents64(descriptor, entries, sizeof entries)) > 0;)
        for (ssize_t at = 0; at < size;) {
            const struct dirent64 *one = (const void *)(entries + at);
            at += one->d_reclen;
            if (is_unfinished(one->d_name) &&
                rv_run_folder_path(folder, one->d_name, path, &ignored))
                unlink(path);
        }
    close(descriptor);
}

bool rv_run_folder_start(const char *folder, const rv_train_config *config, const char *inputs,
                         const rv_train_result *result, rv_error *error)
{
    remove_unfinished(folder);
    char *text = rv_train_config_json(config);
    bool files = strcmp(inputs, "{}") != 0;
    bool ok = (files ? save_text(folder, INPUTS, inputs, error)
                     : rv_run_folder_clear_file(folder, INPUTS, true, error)) &&
              save_text(folder, CONFIG, text, error) && save_log(folder, result, error);
    rv_free(text);
    return ok;
}

/* Makes the checkpoint the previous one. With a hard link, its first name exists at every moment.
 * On a file system without links, only the previous one exists while the next is written. */
static bool keep_previous(const char *folder, rv_error *error)
{
    char path[RV_PATH], second[RV_PATH], previous[RV_PATH];
    if (!rv_run_folder_checkpoint(folder, path, error) ||
        !rv_run_folder_path(folder, CHECKPOINT ".0.tmp", second, error) ||
        !rv_run_folder_previous(folder, previous, error))
        return false;
    unlink(second);
    const char *from = link(path, second) == 0 ? second : path;
    return rename(from, previous) == 0 || errno == ENOENT || fail_system("write", previous, error);
}

static bool save_store(const char *folder, const char *file, const rv_store *store,
                       const rv_metadata *metadata, size_t count, rv_error *error)
{
    char path[RV_PATH];
    for (size_t i = 0; i < count; i++)
        if (!metadata[i].value) return rv_fail_memory(error);
    return rv_run_folder_path(folder, file, path, error) &&
           rv_store_save_with(store, path, metadata, count, error);
}

bool rv_run_folder_save_best(const char *folder, const rv_train_config *c, const rv_store *store,
                             rv_error *error)
{
    rv_train_config any = *c;
    any.loop.epochs = 0; /* unset: a run that trains for longer has the same best parameters */
    char *config = rv_train_config_json(&any);
    bool ok = save_store(folder, BEST, store, &(rv_metadata){"config", config}, 1, error);
    rv_free(config);
    return ok;
}

bool rv_run_folder_save(const char *folder, const rv_train_config *c, const char *inputs,
                        const rv_store *store, rv_train_result *result, rv_error *error)
{
    if (result->saved.epoch > 0 && !keep_previous(folder, error)) return false;
    char *run = rv_run_state_json(result), *config = rv_train_config_json(c);
    const rv_metadata metadata[] = {{"run", run}, {"config", config}, {"inputs", inputs}};
    bool ok = save_store(folder, CHECKPOINT, store, metadata, 3, error);
    rv_free(run);
    rv_free(config);
    if (!ok) return false;
    result->saved = result->at;
    return save_log(folder, result, error);
}

bool rv_run_folder_config(const char *folder, char path[RV_PATH], rv_error *error)
{
    return rv_run_folder_path(folder, CONFIG, path, error);
}
