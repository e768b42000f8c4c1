/* Saves and loads a store. Loading is atomic: the file is read into a separate store first. Only if
 * all of it fits are its entries moved to the real store, in steps that cannot fail.
 *
 * A tensor is a parameter unless the metadata has "role:<name>": "state". */
#include <stdlib.h>
#include <string.h>

#include "tensor/checkpoint_internal.h"
#include "tensor/memory.h"
#include "tensor/name_internal.h"
#include "tensor/needs_internal.h"
#include "tensor/safetensors.h"
#include "tensor/safetensors/checksum.h"
#include "tensor/safetensors/header.h"
#include "tensor/store_entries_internal.h"

static const char format_key[] = "format", format_family[] = "recurve ",
                  format_value[] = "recurve 3";
static const char role_prefix[] = "role:";

static bool is_role(const char *key)
{
    return strncmp(key, role_prefix, sizeof role_prefix - 1) == 0;
}

/* Checks that the metadata can be read again. */
static bool check_metadata(const rv_metadata *metadata, size_t count, rv_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const char *key = metadata[i].key, *value = metadata[i].value;
        if (!rv_utf8_valid(key, strlen(key)) || !rv_utf8_valid(value, strlen(value)))
            return rv_fail(error, RV_ERROR_NAME, "metadata item %zu is not UTF-8", i + 1);
        if (strcmp(key, format_key) == 0 || strcmp(key, RV_CHECKSUM_KEY) == 0 || is_role(key))
            return rv_fail(error, RV_ERROR_NAME,
                           "metadata \"%.100s\": checkpoints reserve that key; use another", key);
    }
    return true;
}

/* "role:NAME", to be freed by rv_free; NULL when out of memory. */
static char *role_key(const char *name)
{
    const size_t prefix = sizeof role_prefix - 1, length = strlen(name);
    char *key = rv_alloc(prefix + length + 1, 1);
    if (!key) return NULL;
    memcpy(key, role_prefix, prefix);
    memcpy(key + prefix, name, length + 1);
    return key;
}

/* Lists the format, a blank checksum, the caller's metadata and the role of every state. Free with
 * free_metadata, even on failure. */
static bool list_metadata(rv_archive *archive, const rv_store *store, const rv_metadata *metadata,
                          size_t count)
{
    enum { OWN = 2 };
    rv_metadata *all = rv_alloc(OWN + count + rv_store_count(store), sizeof *all);
    archive->metadata = all;
    if (!all) return false;
    all[archive->metadata_count++] = (rv_metadata){format_key, format_value};
    all[archive->metadata_count++] = (rv_metadata){RV_CHECKSUM_KEY, RV_CHECKSUM_BLANK};
    for (size_t i = 0; i < count; i++) all[archive->metadata_count++] = metadata[i];
    for (size_t i = 0; i < rv_store_count(store); i++) {
        const rv_entry *entry = rv_store_at(store, i);
        if (entry->role == RV_PARAMETER) continue;
        char *key = role_key(entry->name);
        if (!key) return false;
        all[archive->metadata_count++] = (rv_metadata){key, "state"};
    }
    return true;
}

static void free_metadata(rv_archive *archive)
{
    for (size_t i = 0; i < archive->metadata_count; i++)
        if (is_role(archive->metadata[i].key)) rv_free((char *)archive->metadata[i].key);
    rv_free(archive->metadata);
}

static bool save(const rv_store *store, rv_sink *sink, const rv_metadata *metadata, size_t count,
                 rv_error *error)
{
    if (!check_metadata(metadata, count, error)) return false;
    rv_archive archive = {.tensor_count = rv_store_count(store)};
    archive.tensors = rv_alloc(archive.tensor_count, sizeof *archive.tensors);
    bool ok = archive.tensors && list_metadata(&archive, store, metadata, count);
    if (!ok) rv_fail_memory(error);
    for (size_t i = 0; ok && i < archive.tensor_count; i++) {
        const rv_entry *entry = rv_store_at(store, i);
        archive.tensors[i] = (rv_named_tensor){entry->name, entry->tensor};
    }
    ok = ok && rv_safetensors_put(sink, &archive, error);
    rv_free(archive.tensors);
    free_metadata(&archive);
    return ok;
}

bool rv_store_put(const rv_store *store, rv_sink *sink, const rv_metadata *metadata, size_t count,
                  rv_error *error)
{
    if (!rv_store_enter(store, error)) return false;
    bool ok = save(store, sink, metadata, count, error);
    rv_store_leave(store);
    return ok;
}

bool rv_store_save_with(const rv_store *store, const char *path, const rv_metadata *metadata,
                        size_t count, rv_error *error)
{
    const rv_archive saved = {.metadata = (rv_metadata *)(uintptr_t)metadata,
                              .metadata_count = count};
    if (!RV_NEEDS(error, store, path) || !rv_needs_archive(error, __func__, &saved)) return false;
    return rv_store_put(store, &(rv_sink){.path = path}, metadata, count, error);
}

bool rv_store_save(const rv_store *store, const char *path, rv_error *error)
{
    if (!RV_NEEDS(error, store, path)) return false;
    return rv_store_save_with(store, path, NULL, 0, error);
}

/* Moves the archive's tensors to an empty store, all as parameters. */
static bool stage_tensors(rv_store *staged, rv_archive *archive, rv_error *error)
{
    if (!rv_store_reserve(staged, archive->tensor_count)) {
        return rv_fail_memory(error);
    }
    for (size_t i = 0; i < archive->tensor_count; i++) {
        rv_tensor *tensor = &archive->tensors[i].tensor;
        rv_entry *entry =
            rv_entry_new(archive->tensors[i].name, RV_PARAMETER, tensor->dtype, RV_SCALAR, error);
        if (!entry) return false;
        rv_tensor_free(&entry->tensor);
        entry->tensor = *tensor;
        *tensor = (rv_tensor){0};
        rv_store_adopt(staged, entry);
    }
    return true;
}

/* Gives the staged entries the roles in the metadata. Metadata of files in other formats is
 * ignored. */
static bool stage_roles(const rv_store *staged, const rv_archive *archive, const char *path,
                        rv_error *error)
{
    const size_t prefix = sizeof role_prefix - 1, family = sizeof format_family - 1;
    bool ours = false, checked = false;
    for (size_t i = 0; i < archive->metadata_count; i++) {
        const rv_metadata *item = &archive->metadata[i];
        checked = checked || strcmp(item->key, RV_CHECKSUM_KEY) == 0;
        if (strcmp(item->key, format_key) == 0 &&
            strncmp(item->value, format_family, family) == 0) {
            ours = true;
            if (strcmp(item->value, format_value) != 0) {
                return rv_fail(error, RV_ERROR_FORMAT,
                               "\"%s\": format \"%.40s\"; expected \"%s\": "
                               "read it with the version that wrote it",
                               path, item->value, format_value);
            }
        }
    }
    if (ours && !checked)
        return rv_fail(error, RV_ERROR_FORMAT, "\"%s\" has lost its checksum; use another copy",
                       path);
    for (size_t i = 0; ours && i < archive->metadata_count; i++) {
        const rv_metadata *item = &archive->metadata[i];
        if (!is_role(item->key)) continue;
        rv_entry *entry = rv_store_find(staged, item->key + prefix);
        if (!entry || strcmp(item->value, "state") != 0) {
            return rv_fail(error, RV_ERROR_FORMAT,
                           "\"%s\": metadata \"%.100s\": \"%.40s\"; "
                           "expected \"state\" and the name of a tensor in the file",
                           path, item->key, item->value);
        }
        entry->role = RV_STATE;
    }
    return true;
}

/* Whether no tensor that the store has was skipped. */
static bool check_skipped(const rv_store *store, const rv_archive *archive, const char *path,
                          rv_error *error)
{
    for (size_t i = 0; i < archive->skipped_count; i++)
        if (rv_store_find(store, archive->skipped[i]))
            return rv_fail(error, RV_ERROR_DTYPE,
                           "\"%s\", tensor \"%.100s\": its type is not read; convert it to F32",
                           path, archive->skipped[i]);
    return true;
}

rv_store *rv_store_stage(const rv_store *store, const rv_content *from, rv_error *error)
{
    rv_archive archive;
    if (!rv_safetensors_read_from(from, &archive, error)) return NULL;
    rv_store *staged = rv_store_new(0);
    bool ok = staged ? true : rv_fail_memory(error);
    ok = ok && check_skipped(store, &archive, from->path, error) &&
         stage_tensors(staged, &archive, error) && stage_roles(staged, &archive, from->path, error);
    rv_archive_free(&archive);
    if (!ok) {
        rv_store_free(staged);
        return NULL;
    }
    return staged;
}

/* Checks that every staged tensor fits the store; *fresh counts those that the store does not
 * have. */
static bool check_shapes(const rv_store *store, const rv_store *staged, const char *path,
                         size_t *fresh, rv_error *error)
{
    *fresh = 0;
    for (size_t i = 0; i < rv_store_count(staged); i++) {
        const rv_entry *from = rv_store_at(staged, i);
        const rv_entry *to = rv_store_find(store, from->name);
        if (!to) {
            ++*fresh;
        } else if (!rv_shape_equal(from->tensor.shape, to->tensor.shape)) {
            char has[RV_SHAPE_TEXT], expected[RV_SHAPE_TEXT];
            return rv_fail(error, RV_ERROR_SHAPE,
                           "\"%s\", tensor \"%.100s\": shape %s; the store "
                           "has %s: load the checkpoint of a model of the same size",
                           path, from->name, rv_shape_text(from->tensor.shape, has),
                           rv_shape_text(to->tensor.shape, expected));
        }
    }
    return true;
}

static bool check_complete(const rv_store *store, const rv_store *staged, const char *path,
                           rv_error *error)
{
    const rv_entry *first = NULL;
    size_t missing = 0, parameters = 0;
    for (size_t i = 0; i < rv_store_count(store); i++) {
        const rv_entry *entry = rv_store_at(store, i);
        if (entry->role != RV_PARAMETER) continue;
        parameters++;
        if (!rv_store_find(staged, entry->name)) {
            first = missing++ == 0 ? entry : first;
        }
    }
    if (missing == 0) return true;
    char text[RV_SHAPE_TEXT];
    const rv_entry *held = rv_store_at(staged, 0);
    return rv_fail(
        error, RV_ERROR_NAME,
        "\"%s\" lacks %zu of the store's %zu parameter(s), such as \"%.100s\" %s; "
        "it holds %zu tensor(s), the first \"%.100s\": load the checkpoint of this model",
        path, missing, parameters, first->name, rv_shape_text(first->tensor.shape, text),
        rv_store_count(staged), held ? held->name : "");
}

/* Cannot fail: shapes are equal, and there is room for new entries. */
static void commit(rv_store *store, rv_store *staged)
{
    size_t count;
    rv_entry **entries = rv_store_release(staged, &count);
    for (size_t i = 0; i < count; i++) {
        rv_entry *to = rv_store_find(store, entries[i]->name);
        if (!to) {
            rv_store_adopt(store, to = entries[i]);
        } else {
            rv_tensor_copy(&to->tensor, &entries[i]->tensor, NULL);
            rv_entry_free(entries[i]);
        }
        to->loaded = true;
    }
    rv_free(entries);
}

static bool load(rv_store *store, const rv_content *from, bool complete, rv_error *error)
{
    rv_store *staged = rv_store_stage(store, from, error);
    if (!staged) return false;
    size_t fresh;
    bool ok = check_shapes(store, staged, from->path, &fresh, error) &&
              (!complete || check_complete(store, staged, from->path, error));
    if (ok && !rv_store_reserve(store, fresh)) {
        ok = rv_fail_memory(error);
    }
    if (ok) {
        commit(store, staged);
        rv_store_set_complete(store, complete);
    }
    rv_store_free(staged);
    return ok;
}

static bool enter_and_load(rv_store *store, const rv_content *from, bool complete, rv_error *error)
{
    if (!rv_store_enter(store, error)) return false;
    bool ok = load(store, from, complete, error);
    rv_store_leave(store);
    return ok;
}

bool rv_store_load_from(rv_store *store, const rv_content *from, rv_error *error)
{
    return enter_and_load(store, from, true, error);
}

bool rv_store_load(rv_store *store, const char *path, rv_error *error)
{
    if (!RV_NEEDS(error, store, path)) return false;
    return enter_and_load(store, &(rv_content){.path = path}, true, error);
}

bool rv_store_load_partial(rv_store *store, const char *path, rv_error *error)
{
    if (!RV_NEEDS(error, store, path)) return false;
    return enter_and_load(store, &(rv_content){.path = path}, false, error);
}
