#include "tools/run/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tensor/memory.h"
#include "tensor/name_internal.h"
#include "tools/run/place.h"
#include "tools/cli/text_file.h"

#define CHECKPOINT "checkpoint.safetensors"
#define PREVIOUS "checkpoint.previous.safetensors"
#define BEST "best.safetensors"
#define CONFIG "config.json"
#define LOG "log.csv"

bool run_folder_path(const char *folder, const char *file, char path[PATH_TEXT], rv_error *error)
{
    size_t length = strlen(folder);
    bool ends = length > 0 && folder[length - 1] == '/';
    int wrote = snprintf(path, PATH_TEXT, "%s%s%s", folder, ends ? "" : "/", file);
    return (wrote >= 0 && wrote < PATH_TEXT) ||
           rv_fail(error, RV_ERROR_IO, "the folder's name is longer than %d bytes", PATH_TEXT);
}

bool run_folder_checkpoint(const char *folder, char path[PATH_TEXT], rv_error *error)
{
    return run_folder_path(folder, CHECKPOINT, path, error);
}

bool run_folder_previous(const char *folder, char path[PATH_TEXT], rv_error *error)
{
    return run_folder_path(folder, PREVIOUS, path, error);
}

bool run_folder_best(const char *folder, char path[PATH_TEXT], rv_error *error)
{
    return run_folder_path(folder, BEST, path, error);
}

bool run_folder_of(const char *checkpoint, char folder[PATH_TEXT], rv_error *error)
{
    const char *slash = strrchr(checkpoint, '/');
    size_t length = slash ? (size_t)(slash - checkpoint) + 1 : 2;
    if (length >= PATH_TEXT)
        return rv_fail(error, RV_ERROR_IO, "the folder's name is longer than %d bytes", PATH_TEXT);
    memcpy(folder, slash ? checkpoint : "./", length);
    folder[length] = '\0';
    return true;
}

/* ---- opening ---- */

static bool fail_system(const char *what, const char *path, rv_error *error)
{
    return rv_fail(error, RV_ERROR_IO, "cannot %s \"%.500s\": %s", what, path, strerror(errno));
}

/* mkdir -p */
static bool make_folders(const char *folder, rv_error *error)
{
    char path[PATH_TEXT];
    if (!run_folder_path(folder, "", path, error)) return false; /* a slash ends every part now */
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool made = mkdir(path, 0777) == 0 || errno == EEXIST;
        if (!made) return fail_system("make the folder", path, error);
        *slash = '/';
    }
    struct stat found;
    if (stat(path, &found) == 0) return true;
    return fail_system("use the folder", folder, error);
}

/* A file of that name is there and can be replaced, or is not there. */
static bool check_replaceable(const char *folder, const char *file, rv_error *error)
{
    char path[PATH_TEXT];
    struct stat found;
    if (!run_folder_path(folder, file, path, error)) return false;
    if (stat(path, &found) != 0) return errno == ENOENT || fail_system("write", path, error);
    return S_ISREG(found.st_mode) ||
           rv_fail(error, RV_ERROR_IO, "cannot write \"%.500s\": it is not a regular file", path);
}

bool run_folder_open(const char *folder, rv_error *error)
{
    char probe[PATH_TEXT];
    if (!make_folders(folder, error) || !run_folder_path(folder, ".probe-XXXXXX", probe, error))
        return false;
    int descriptor = mkstemp(probe);
    if (descriptor < 0) return fail_system("write into the folder", folder, error);
    close(descriptor);
    unlink(probe);
    return check_replaceable(folder, CHECKPOINT, error) &&
           check_replaceable(folder, PREVIOUS, error) && check_replaceable(folder, BEST, error) &&
           check_replaceable(folder, CONFIG, error) && check_replaceable(folder, LOG, error);
}

/* ---- saving ---- */

static bool save_text(const char *folder, const char *file, const char *text, rv_error *error)
{
    char path[PATH_TEXT];
    return run_folder_path(folder, file, path, error) && text_file_write(path, text, error);
}

/* The log's lines, for rv_free. */
static char *log_text(const epoch_row *rows, int64_t count)
{
    static const char head[] =
        "epoch,cost,held_out_cost,held_out_accuracy,held_out_error,seconds\n";
    enum { ROW = 160 };
    size_t size = sizeof head + ROW * (size_t)count;
    char *text = rv_alloc(size, 1);
    if (!text) return NULL;
    size_t used = (size_t)snprintf(text, size, "%s", head);
    for (const epoch_row *r = rows; r < rows + count; r++) {
        char accuracy[32] = "", error[32] = "";
        if (!isnan(r->held_out_accuracy))
            snprintf(accuracy, sizeof accuracy, "%.9g", r->held_out_accuracy);
        if (!isnan(r->held_out_error)) snprintf(error, sizeof error, "%.9g", r->held_out_error);
        used += (size_t)snprintf(text + used, size - used, "%" PRId64 ",%.9g,%.9g,%s,%s,%.6f\n",
                                 r->epoch, r->cost, r->held_out_cost, accuracy, error, r->seconds);
    }
    return text;
}

static bool save_log(const char *folder, const training *t, rv_error *error)
{
    char *log = log_text(t->rows, t->epochs);
    bool ok = save_text(folder, LOG, log, error);
    rv_free(log);
    return ok;
}

/* "checkpoint.safetensors.123-0.tmp": a file that was being written. */
static bool is_unfinished(const char *name)
{
    static const char *const files[] = {CHECKPOINT, BEST, CONFIG, LOG};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t length = strlen(files[i]);
        if (strncmp(name, files[i], length) != 0 || name[length] != '.') continue;
        const char *rest = name + length + 1;
        size_t digits = strspn(rest, "0123456789-");
        if (digits > 0 && strcmp(rest + digits, ".tmp") == 0) return true;
    }
    return false;
}

static void remove_unfinished(const char *folder)
{
    char path[PATH_TEXT];
    rv_error ignored = {0};
    DIR *listing = opendir(folder);
    if (!listing) return;
    for (struct dirent *one; (one = readdir(listing));)
        if (is_unfinished(one->d_name) && run_folder_path(folder, one->d_name, path, &ignored))
            unlink(path);
    closedir(listing);
}

bool run_folder_start(const char *folder, const settings *s, const training *t, rv_error *error)
{
    remove_unfinished(folder);
    char *config = settings_to_json(s);
    bool ok = save_text(folder, CONFIG, config, error) && save_log(folder, t, error);
    rv_free(config);
    return ok;
}

/* Gives the checkpoint its second name, so that there is one under the first at every moment; where files cannot have
 * two names, the previous one is there while the next is written. */
static bool keep_previous(const char *folder, rv_error *error)
{
    char path[PATH_TEXT], second[PATH_TEXT], previous[PATH_TEXT];
    if (!run_folder_checkpoint(folder, path, error) ||
        !run_folder_path(folder, CHECKPOINT ".0.tmp", second, error) ||
        !run_folder_previous(folder, previous, error))
        return false;
    unlink(second);
    const char *from = link(path, second) == 0 ? second : path;
    return rename(from, previous) == 0 || errno == ENOENT || fail_system("write", previous, error);
}

static bool save_checkpoint(const char *folder, const settings *s, const rv_store *store,
                            const training *t, rv_error *error)
{
    char path[PATH_TEXT];
    char *run = place_to_json(t), *config = settings_to_json(s);
    bool ok = run && config ? true : rv_fail_memory(error);
    if (ok) {
        /* The names of files need not be UTF-8; config.json takes them, safetensors do not. */
        size_t count = rv_utf8_valid(config, strlen(config)) ? 2 : 1;
        const rv_metadata metadata[] = {{"run", run}, {"config", config}};
        ok = run_folder_checkpoint(folder, path, error) &&
             rv_store_save_with(store, path, metadata, count, error);
    }
    rv_free(run);
    rv_free(config);
    return ok;
}

bool run_folder_save(const char *folder, const settings *s, const rv_store *store, training *t,
                     rv_error *error)
{
    if (t->saved.epoch > 0 && !keep_previous(folder, error)) return false;
    if (!save_checkpoint(folder, s, store, t, error)) return false;
    t->saved = t->at;
    return save_log(folder, t, error);
}

char *run_folder_config(const char *folder, char path[PATH_TEXT], rv_error *error)
{
    return run_folder_path(folder, CONFIG, path, error) ? text_file_read(path, error) : NULL;
}

bool run_folder_read_config(const char *folder, settings *s, rv_error *error)
{
    char path[PATH_TEXT];
    char *text = run_folder_config(folder, path, error);
    bool ok = text && settings_from_json(s, text, path, error);
    rv_free(text);
    return ok;
}
