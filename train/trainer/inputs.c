#include "train/trainer/inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "train/json_internal.h"
#include "train/setup/lookup.h"
#include "train/text_file_internal.h"
#include "train/trainer/run_folder.h"

/* The path in a configuration's field, and its length: in FILE:NAME, that of FILE. NULL: none. */
static const char *path_in(const rv_train_config *c, const rv_config_row *row, size_t *length)
{
    const char *text = row->file ? *(const char *const *)((const char *)c + row->offset) : NULL;
    bool model = row->offset == offsetof(rv_train_config, net.model);
    if (!text || (model && !rv_names_file(text, length))) return NULL;
    if (!model) *length = strlen(text);
    return text;
}

static bool fail_long(rv_error *error)
{
    return rv_fail(error, RV_ERROR_IO, "a path is longer than %d byte(s)", RV_PATH);
}

static bool copy_path(char to[RV_PATH], const char *from, size_t length, rv_error *error)
{
    if (length >= RV_PATH) return fail_long(error);
    memcpy(to, from, length);
    to[length] = '\0';
    return true;
}

/* ---- what a file holds ---- */

typedef struct content {
    int64_t bytes;
    char hash[33];
} content;

static bool fail_read(const char *path, rv_error *error)
{
    return rv_fail(error, RV_ERROR_IO, "cannot read \"%.500s\": %s", path, rv_reason(errno));
}

enum { PIECE = 1 << 16, PIECES = 4096 };

/* Piece `index` of `count`: they follow each other or, in a larger file, are spread over it. */
static int64_t offset_of(int64_t index, int64_t count, int64_t bytes)
{
    bool all = count * PIECE >= bytes;
    return all ? index * PIECE
               : (int64_t)((double)(bytes - PIECE) / (double)(count - 1) * (double)index);
}

/* Reads up to `size` bytes. Returns their number, fewer only at the end of the file; -1: errno. */
static ssize_t read_piece(int descriptor, unsigned char *piece, size_t size, int64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(descriptor, piece + done, size - done, (off_t)(offset + (int64_t)done));
        if (got == 0) break;
        if (got < 0 && errno != EINTR) return -1;
        done += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)done;
}

static bool hash_pieces(int descriptor, const char *path, int64_t bytes, XXH3_state_t *state,
                        unsigned char *piece, rv_error *error)
{
    int64_t count = bytes / PIECE + (bytes % PIECE != 0);
    if (count > PIECES) count = PIECES;
    for (int64_t i = 0; i < count; i++) {
        ssize_t got = read_piece(descriptor, piece, PIECE, offset_of(i, count, bytes));
        if (got < 0) return fail_read(path, error);
        XXH3_128bits_update(state, piece, (size_t)got);
    }
    return true;
}

static bool read_content(const char *path, content *c, rv_error *error)
{
    struct stat status;
    XXH3_state_t *state = rv_alloc(1, sizeof *state);
    unsigned char *piece = rv_alloc(1, PIECE);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool ok = state && piece ? true : rv_fail_memory(error);
    if (ok && (descriptor < 0 || fstat(descriptor, &status) != 0)) ok = fail_read(path, error);
    if (ok) {
        c->bytes = status.st_size;
        XXH3_128bits_reset(state);
        ok = hash_pieces(descriptor, path, c->bytes, state, piece, error);
    }
    if (ok) {
        XXH128_hash_t hash = XXH3_128bits_digest(state);
        snprintf(c->hash, sizeof c->hash, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64,
                 (uint64_t)hash.low64);
    }
    if (descriptor >= 0) close(descriptor);
    rv_free(piece);
    rv_free(state);
    return ok;
}

/* ---- where it is ---- */

/* The path from the root, without symbolic links in its folders. */
static bool absolute_path(const char *path, char absolute[RV_PATH], rv_error *error)
{
    char folder[RV_PATH], real[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!rv_run_folder_of(path, folder, error)) return false;
    if (!realpath(folder, real)) return fail_read(path, error);
    return rv_run_folder_path(real, slash ? slash + 1 : path, absolute, error);
}

/* The absolute path `to`, seen from the absolute folder `from`: "../../data/x.csv". */
static bool relative_path(const char *from, const char *to, char path[RV_PATH], rv_error *error)
{
    size_t common = 0, i = 0, used = 0;
    for (; from[i] != '\0' && from[i] == to[i]; i++)
        if (from[i] == '/') common = i;
    if (from[i] == '\0' && to[i] == '/') common = i;
    for (const char *rest = from + common; *rest != '\0'; rest++)
        if (*rest == '/' && rest[1] != '\0' && used + 3 < RV_PATH)
            used += (size_t)snprintf(path + used, RV_PATH - used, "../");
    used += (size_t)snprintf(path + used, RV_PATH - used, "%s", to + common + (to[common] == '/'));
    return used < RV_PATH || fail_long(error);
}

/* ---- the record ---- */

static bool add_text(cJSON *object, const char *key, const char *text)
{
    return cJSON_AddStringToObject(object, key, text);
}

static bool add_input(cJSON *record, const char *key, const char *path, const char *folder,
                      rv_error *error)
{
    char absolute[RV_PATH], relative[RV_PATH];
    content c;
    if (!read_content(path, &c, error) || !absolute_path(path, absolute, error) ||
        !relative_path(folder, absolute, relative, error))
        return false;
    cJSON *input = cJSON_AddObjectToObject(record, key);
    bool ok = input && add_text(input, "path", absolute) && add_text(input, "from_run", relative) &&
              rv_json_add_exact(input, "bytes", (double)c.bytes) &&
              add_text(input, "xxh3_128", c.hash);
    return ok || rv_fail_memory(error);
}

char *rv_inputs_json(const rv_train_config *c, const char *folder, rv_error *error)
{
    char real[PATH_MAX], path[RV_PATH];
    size_t length;
    cJSON *record = cJSON_CreateObject();
    bool ok = record || rv_fail_memory(error);
    if (ok && !realpath(folder, real)) ok = fail_read(folder, error);
    for (int i = 0; ok && i < rv_config_row_count(); i++) {
        const rv_config_row *row = rv_config_row_at(i);
        const char *text = path_in(c, row, &length);
        ok = !text || (copy_path(path, text, length, error) &&
                       add_input(record, row->key, path, real, error));
    }
    char *text = !ok ? NULL : record->child ? rv_json_text(record, true) : rv_string_copy("{}");
    if (ok && !text) rv_fail_memory(error);
    cJSON_Delete(record);
    return text;
}

/* An input of a record: its strings belong to the record. */
typedef struct input {
    const char *path, *from_run, *hash;
    double bytes;
} input;

/* False: the record has none, or not a whole one. */
static bool input_of(const cJSON *record, const char *key, input *in)
{
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(record, key);
    const cJSON *bytes = cJSON_GetObjectItemCaseSensitive(object, "bytes");
    in->path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "path"));
    in->from_run = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "from_run"));
    in->hash = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "xxh3_128"));
    in->bytes = cJSON_IsNumber(bytes) ? bytes->valuedouble : -1;
    return in->path && in->from_run && in->hash;
}

static bool is_content(const content *c, const input *in)
{
    return (double)c->bytes == in->bytes && strcmp(c->hash, in->hash) == 0;
}

/* ---- finding the files ---- */

enum { GIVEN, FROM_RUN, ABSOLUTE, WAYS };

/* Which of the paths to take; -1: out of memory. */
static int choose(char paths[WAYS][RV_PATH], const input *in)
{
    static const int order[WAYS] = {FROM_RUN, ABSOLUTE, GIVEN};
    struct stat status[WAYS];
    bool is[WAYS], differ = false;
    int first = -1;
    for (int i = 0; i < WAYS; i++) {
        is[i] = stat(paths[i], &status[i]) == 0 && S_ISREG(status[i].st_mode);
        if (is[i] && first < 0) first = i;
        differ = differ || (is[i] && (status[i].st_ino != status[first].st_ino ||
                                      status[i].st_dev != status[first].st_dev));
    }
    if (first < 0) return ABSOLUTE; /* in the error, the path that says most */
    if (!differ) return first;
    for (int i = 0; i < WAYS; i++) {
        content c;
        rv_error why = {0};
        if (!is[i] || (double)status[i].st_size != in->bytes) continue;
        if (read_content(paths[i], &c, &why) && is_content(&c, in)) return i;
        if (why.code == RV_ERROR_MEMORY) return -1;
    }
    for (int i = 0; i < WAYS; i++)
        if (is[order[i]]) return order[i];
    return first;
}

/* Replaces the path in a field, `length` bytes of its text, by where the file is. */
static bool find_input(const char *text, size_t length, const input *in, const char *folder,
                       char found[RV_PATH], rv_error *error)
{
    char paths[WAYS][RV_PATH];
    if (!copy_path(paths[GIVEN], text, length, error) ||
        !rv_run_folder_path(folder, in->from_run, paths[FROM_RUN], error) ||
        !copy_path(paths[ABSOLUTE], in->path, strlen(in->path), error))
        return false;
    int way = choose(paths, in);
    if (way < 0) return rv_fail_memory(error);
    if (way == FROM_RUN && !absolute_path(paths[FROM_RUN], paths[way = ABSOLUTE], error))
        return false; /* without the run's folder in it */
    return snprintf(found, RV_PATH, "%s%s", paths[way], text + length) < RV_PATH ||
           fail_long(error);
}

/* *record becomes NULL if it is missing or damaged. False: out of memory. */
static bool read_record(const char *folder, cJSON **record, rv_error *error)
{
    char path[RV_PATH];
    rv_error why = {0};
    char *text = rv_run_folder_inputs(folder, path, &why) ? rv_text_file_read(path, &why) : NULL;
    *record = text ? rv_json_object(text, path, &why) : NULL;
    rv_free(text);
    return why.code != RV_ERROR_MEMORY || rv_fail_memory(error);
}

bool rv_inputs_find(rv_train_config *config, const char *folder, rv_error *error)
{
    enum { MOST = 8 };
    char found[MOST][RV_PATH];
    int count = 0;
    size_t length;
    rv_train_config now = *config;
    cJSON *record;
    bool ok = read_record(folder, &record, error);
    for (int i = 0; record && ok && i < rv_config_row_count() && count < MOST; i++) {
        const rv_config_row *row = rv_config_row_at(i);
        const char *text = path_in(config, row, &length);
        input in;
        if (!text || !input_of(record, row->key, &in)) continue;
        ok = find_input(text, length, &in, folder, found[count], error);
        *(const char **)(void *)((char *)&now + row->offset) = found[count++];
    }
    cJSON_Delete(record);
    if (!ok || count == 0) return ok;
    rv_train_config copy;
    if (!rv_train_config_copy(&copy, &now, error)) return false;
    rv_train_config_free(config);
    *config = copy;
    return true;
}

/* ---- checking them ---- */

static bool check_input(const rv_config_row *row, const char *path, const cJSON *record,
                        rv_error *changed, rv_error *error)
{
    content now;
    input in;
    if (!read_content(path, &now, error)) return false;
    if (!input_of(record, row->key, &in))
        rv_fail(changed, RV_ERROR_FORMAT, "`%s`: \"%.400s\" is not among the files of the run",
                row->key, path);
    else if ((double)now.bytes != in.bytes)
        rv_fail(changed, RV_ERROR_FORMAT,
                "`%s`: \"%.400s\" has changed since the run began: then it had %.0f bytes, now it "
                "has %" PRId64,
                row->key, path, in.bytes, now.bytes);
    else if (!is_content(&now, &in))
        rv_fail(changed, RV_ERROR_FORMAT,
                "`%s`: \"%.400s\" has changed since the run began: it has as many bytes, but "
                "others",
                row->key, path);
    return true;
}

bool rv_inputs_check(const rv_train_config *c, const char *json, const char *path,
                     rv_error *changed, rv_error *error)
{
    char file[RV_PATH];
    size_t length;
    cJSON *record = rv_json_object(json, path, error);
    bool ok = record;
    for (int i = 0; ok && i < rv_config_row_count(); i++) {
        const rv_config_row *row = rv_config_row_at(i);
        const char *text = path_in(c, row, &length);
        ok = !text || (copy_path(file, text, length, error) &&
                       check_input(row, file, record, changed, error));
    }
    cJSON_Delete(record);
    return ok;
}
