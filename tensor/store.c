/* The store: an array of entries in order of creation, each allocated separately so that its
 * address never changes, and a table from names to positions in that array. */
#include "tensor/store_entries_internal.h"

#include <math.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tensor/memory.h"
#include "tensor/name_internal.h"
#include "tensor/name_table_internal.h"
#include "tensor/needs_internal.h"

struct rv_store {
    uint64_t seed;
    rv_entry **entries;
    size_t count, capacity;
    rv_name_table positions;
    void *attachment;
    void (*release)(void *object);
    bool complete; /* all parameters have been loaded */
    bool shapes_only;
    size_t room; /* with shapes_only: bytes that new entries may still take */
    atomic_bool entered;
};

rv_store *rv_store_new(uint64_t seed)
{
    rv_store *store = rv_alloc(1, sizeof *store);
    if (store) {
        store->seed = seed;
        store->positions.key = rv_table_key();
    }
    return store;
}

uint64_t rv_store_key(const rv_store *store) { return store->positions.key; }

void rv_store_free(rv_store *store)
{
    if (!store) return;
    rv_store_attach(store, NULL, NULL);
    for (size_t i = 0; i < store->count; i++) {
        rv_entry_free(store->entries[i]);
    }
    rv_free(store->entries);
    rv_name_table_free(&store->positions);
    rv_free(store);
}

rv_store *rv_store_new_shapes(size_t most)
{
    rv_store *store = rv_store_new(0);
    if (store) {
        store->shapes_only = true;
        store->room = most;
    }
    return store;
}

uint64_t rv_store_seed(const rv_store *store)
{
    if (!store) return 0;
    return store->seed;
}

size_t rv_store_count(const rv_store *store)
{
    if (!store) return 0;
    return store->count;
}

rv_entry *rv_store_at(const rv_store *store, size_t index)
{
    if (!store) return NULL;
    return index < store->count ? store->entries[index] : NULL;
}

rv_entry *rv_store_find(const rv_store *store, const char *name)
{
    return store && name ? rv_store_at(store, rv_name_table_find(&store->positions, name)) : NULL;
}

bool rv_store_reserve(rv_store *store, size_t extra)
{
    const size_t need = store->count + extra;
    return rv_reserve(&store->entries, &store->capacity, need, sizeof *store->entries) &&
           rv_name_table_reserve(&store->positions, need);
}

/* An entry whose tensor has no data. */
static rv_entry *new_shape(const char *name, rv_role role, rv_dtype dtype, rv_shape shape,
                           rv_error *error)
{
    if (!rv_dtype_check(dtype, error) || !rv_shape_check(shape, rv_dtype_size(dtype), NULL, error))
        return NULL;
    const size_t length = strlen(name) + 1;
    rv_entry *entry = rv_alloc(1, sizeof *entry + length); /* the name is behind it */
    if (!entry) {
        rv_fail_memory(error);
        return NULL;
    }
    entry->name = memcpy(entry + 1, name, length);
    entry->role = role;
    entry->tensor = (rv_tensor){.dtype = dtype, .shape = shape};
    return entry;
}

rv_entry *rv_entry_new(const char *name, rv_role role, rv_dtype dtype, rv_shape shape,
                       rv_error *error)
{
    rv_entry *entry = new_shape(name, role, dtype, shape, error);
    if (!entry || rv_tensor_new(&entry->tensor, dtype, shape, error)) return entry;
    rv_entry_free(entry);
    return NULL;
}

void rv_entry_free(rv_entry *entry)
{
    if (entry) {
        rv_tensor_free(&entry->tensor);
        rv_free(entry);
    }
}

void rv_store_adopt(rv_store *store, rv_entry *entry)
{
    rv_name_table_add(&store->positions, entry->name, store->count);
    store->entries[store->count++] = entry;
}

rv_entry **rv_store_release(rv_store *from, size_t *count)
{
    rv_entry **entries = from->entries;
    *count = from->count;
    const uint64_t key = from->positions.key;
    rv_name_table_free(&from->positions);
    from->positions.key = key;
    from->entries = NULL;
    from->count = from->capacity = 0;
    return entries;
}

void rv_store_set_complete(rv_store *store, bool complete) { store->complete = complete; }

/* Fails for a parameter that the loaded file lacks. */
static bool refuse_new(const rv_store *store, const char *name, rv_error *error)
{
    rv_guess guess = {.seen = name};
    for (size_t i = 0; i < store->count; i++)
        if (store->entries[i]->role == RV_PARAMETER) rv_guess_try(&guess, store->entries[i]->name);
    return rv_fail(
        error, RV_ERROR_NAME,
        "parameter \"%.100s\" is not in the checkpoint that was loaded%s%.100s%s; correct "
        "the name, or load with rv_store_load_partial",
        name, guess.nearest ? ", which has \"" : "", guess.nearest ? guess.nearest : "",
        guess.nearest ? "\"" : "");
}

static const char *role_name(rv_role role) { return role == RV_PARAMETER ? "parameter" : "state"; }

/* Whether the entry has the requested role, shape and dtype. */
static bool agrees(const rv_entry *entry, rv_role role, rv_dtype dtype, rv_shape shape,
                   rv_error *error)
{
    if (entry->role != role) {
        return rv_fail(error, RV_ERROR_NAME,
                       "\"%s\" is a %s, but is now requested as a %s; use "
                       "another name",
                       entry->name, role_name(entry->role), role_name(role));
    }
    if (!rv_shape_equal(entry->tensor.shape, shape)) {
        char has[RV_SHAPE_TEXT], asked[RV_SHAPE_TEXT];
        return rv_fail(error, RV_ERROR_SHAPE,
                       "%s \"%s\" has shape %s, but is now requested with "
                       "shape %s; use another name or the same shape",
                       role_name(role), entry->name, rv_shape_text(entry->tensor.shape, has),
                       rv_shape_text(shape, asked));
    }
    if (entry->tensor.dtype != dtype) {
        return rv_fail(error, RV_ERROR_DTYPE,
                       "%s \"%s\" is %s, but is now requested as %s; use a "
                       "separate store for each dtype",
                       role_name(role), entry->name, rv_dtype_name(entry->tensor.dtype),
                       rv_dtype_name(dtype));
    }
    return true;
}

rv_entry *rv_store_get(rv_store *store, const char *name, rv_role role, rv_dtype dtype,
                       rv_shape shape, rv_init init, rv_error *error)
{
    if (!RV_NEEDS(error, store)) return NULL;
    rv_entry *entry = rv_store_find(store, name);
    if (entry) {
        return agrees(entry, role, dtype, shape, error) ? entry : NULL;
    }
    if (!rv_name_check(name, error)) return NULL;
    if (store->complete && role == RV_PARAMETER) {
        refuse_new(store, name, error);
        return NULL;
    }
    size_t bytes = 0;
    if (store->shapes_only && rv_shape_check(shape, rv_dtype_size(dtype), &bytes, NULL) &&
        bytes > store->room) {
        rv_fail(error, RV_ERROR_SHAPE,
                "%s \"%s\" exceeds the memory limit together with the others; make it smaller",
                role_name(role), name);
        return NULL;
    }
    if (!rv_init_check(init, shape, error)) return NULL;
    entry = store->shapes_only ? new_shape(name, role, dtype, shape, error)
                               : rv_entry_new(name, role, dtype, shape, error);
    if (!entry) return NULL;
    bool zero = init.kind == RV_INIT_CONSTANT && init.a == 0 && !signbit(init.a);
    bool filled = zero || store->shapes_only; /* new memory is already zero */
    uint64_t seed = rv_seed(store->seed, init.shared ? init.shared : name);
    if (!rv_store_reserve(store, 1) || !(filled || rv_init_fill(&entry->tensor, init, seed))) {
        rv_entry_free(entry);
        rv_fail_memory(error);
        return NULL;
    }
    store->room -= store->shapes_only ? bytes : 0;
    rv_store_adopt(store, entry);
    return entry;
}

/* Saving, which takes a const store, enters it too. */
static atomic_bool *mark_of(const rv_store *store)
{
    return &((rv_store *)(uintptr_t)store)->entered;
}

bool rv_store_enter(const rv_store *store, rv_error *error)
{
    if (!RV_NEEDS(error, store)) return false;
    if (!atomic_exchange_explicit(mark_of(store), true, memory_order_acquire)) return true;
    return rv_fail(error, RV_ERROR_BUSY, "the store is in use by another thread; %s",
                   "give each thread a store, or let one wait for the other");
}

void rv_store_leave(const rv_store *store)
{
    if (!store) return;
    atomic_store_explicit(mark_of(store), false, memory_order_release);
}

void rv_store_attach(rv_store *store, void *object, void (*release)(void *object))
{
    void *before = store->attachment;
    void (*release_before)(void *) = store->release;
    store->attachment = object;
    store->release = release;
    if (before && before != object && release_before) {
        release_before(before);
    }
}

void *rv_store_attachment(const rv_store *store) { return store ? store->attachment : NULL; }

static int by_name(const void *a, const void *b)
{
    return strcmp((*(rv_entry *const *)a)->name, (*(rv_entry *const *)b)->name);
}

const char *rv_store_digest(const rv_store *store, char text[RV_DIGEST_TEXT])
{
    if (!store || !text) return "";
    text[0] = '\0';
    rv_entry **sorted = rv_alloc(store->count, sizeof *sorted);
    /* On the heap, because it needs 64-byte alignment, which not every stack provides. */
    XXH3_state_t *state = rv_alloc(1, sizeof *state);
    if (!sorted || !state) {
        rv_free(sorted);
        rv_free(state);
        return text;
    }
    size_t count = 0;
    for (size_t i = 0; i < store->count; i++) {
        if (store->entries[i]->role == RV_PARAMETER) {
            sorted[count++] = store->entries[i];
        }
    }
    qsort(sorted, count, sizeof *sorted, by_name);

    XXH3_128bits_reset(state);
    for (size_t i = 0; i < count; i++) {
        const rv_tensor *tensor = &sorted[i]->tensor;
        /* The name includes its NUL and the header the rank, so that different stores differ in
         * their bytes. */
        int64_t header[2 + RV_MAX_RANK] = {(int64_t)tensor->dtype, tensor->shape.rank};
        memcpy(header + 2, tensor->shape.dim, (size_t)tensor->shape.rank * sizeof header[0]);
        XXH3_128bits_update(state, sorted[i]->name, strlen(sorted[i]->name) + 1);
        XXH3_128bits_update(state, header, sizeof header);
        XXH3_128bits_update(state, tensor->data, rv_tensor_bytes(tensor));
    }
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    rv_free(sorted);
    rv_free(state);
    snprintf(text, RV_DIGEST_TEXT, "%016llx%016llx", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
    return text;
}
