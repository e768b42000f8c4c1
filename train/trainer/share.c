#include "train/trainer/share.h"

#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tensor/machine_internal.h"
#include "tensor/memory.h"
#include "tensor/version.h"
#include "train/trainer/ranks.h"
#include "train/trainer/trainer.h"

enum { BUILD = 200 };

/* What all ranks receive first. */
typedef struct head {
    char build[BUILD]; /* what decides how this rank rounds */
    uint64_t options;  /* the hash of the options that change results */
    uint64_t entries;  /* of the store */
    rv_train_result result;
} head;

typedef struct entry_head {
    char name[512];
    rv_role role;
    rv_dtype dtype;
    rv_shape shape;
} entry_head;

static uint64_t hash_options(const rv_train_config *config, rv_error *error)
{
    char *text = rv_train_config_json(config);
    const uint64_t hash = text ? XXH3_64bits(text, strlen(text)) : 0;
    if (!text) rv_fail_memory(error);
    rv_free(text);
    return hash;
}

static void write_build(char build[BUILD])
{
    snprintf(build, BUILD, "recurve %s, compiled by %s, on %s", rv_version(), __VERSION__,
             rv_instruction_set_at(rv_instruction_level()));
}

/* Rank 0's entry of that index, made here if there is none of its name. NULL: *error is set. */
static rv_entry *share_entry(const rv_trainer *t, size_t i, rv_error *error, rv_error *broken)
{
    const rv_collective *c = t->setup.collective;
    entry_head h;
    memset(&h, 0, sizeof h);
    if (c->rank == 0) {
        const rv_entry *entry = rv_store_at(t->store, i);
        h.role = entry->role;
        h.dtype = entry->tensor.dtype;
        h.shape = entry->tensor.shape;
        if (strlen(entry->name) >= sizeof h.name)
            rv_fail(error, RV_ERROR_NAME, "the name \"%.40s...\" is longer than %zu byte(s)",
                    entry->name, sizeof h.name - 1);
        else
            memcpy(h.name, entry->name, strlen(entry->name));
    }
    if (!rv_ranks_broadcast(c, &h, sizeof h, broken)) return NULL;
    return rv_store_get(t->store, h.name, h.role, h.dtype, h.shape, rv_init_constant(0), error);
}

/* First all entries are made, which may fail on some rank; then their bytes follow. */
static bool share_store(const rv_trainer *t, uint64_t count, rv_error *error)
{
    const rv_collective *c = t->setup.collective;
    bool stop = false;
    rv_error broken = {0};
    rv_entry **entries = rv_alloc((size_t)count, sizeof *entries);
    if (!entries) rv_fail_memory(error);
    for (size_t i = 0; i < count && broken.code == RV_OK; i++) {
        rv_entry *entry = share_entry(t, i, error, &broken);
        if (entries) entries[i] = entry;
    }
    bool ok = broken.code == RV_OK ? rv_ranks_agree(c, &stop, error)
                                   : rv_fail(error, broken.code, "%-s", broken.text);
    for (size_t i = 0; ok && i < count; i++)
        ok = rv_ranks_broadcast(c, entries[i]->tensor.data, rv_tensor_bytes(&entries[i]->tensor),
                                error);
    rv_free(entries);
    return ok;
}

bool rv_share_run(const rv_trainer *t, rv_train_result *result, rv_epoch **history, rv_error *error)
{
    const rv_collective *c = t->setup.collective;
    head h;
    bool stop = false;
    char build[BUILD];
    memset(&h, 0, sizeof h);
    write_build(build);
    strcpy(h.build, build);
    h.options = hash_options(&t->config, error);
    const uint64_t own = h.options;
    h.entries = rv_store_count(t->store);
    h.result = t->result;
    *history = NULL;
    *result = t->result;
    if (!rv_ranks_broadcast(c, &h, sizeof h, error)) return false;
    if (strcmp(h.build, build) != 0)
        rv_fail(error, RV_ERROR_ARGUMENT,
                "this rank runs %s, and rank 0 %s, which round differently; start the same build "
                "on machines of one type",
                build, h.build);
    if (h.options != own)
        rv_fail(error, RV_ERROR_ARGUMENT,
                "this rank has other options than rank 0; start all ranks with the same ones");
    const size_t size = (size_t)h.result.epochs * sizeof **history;
    if (c->rank != 0) {
        *history = rv_alloc((size_t)h.result.epochs, sizeof **history);
        *result = h.result;
        result->history = *history;
        if (!*history) rv_fail_memory(error);
    }
    return rv_ranks_agree(c, &stop, error) &&
           rv_ranks_broadcast(c, c->rank == 0 ? (void *)t->history : *history, size, error) &&
           share_store(t, h.entries, error);
}

bool rv_share_check(const rv_trainer *t, rv_error *error)
{
    char own[RV_DIGEST_TEXT] = "", first[RV_DIGEST_TEXT];
    if (!t->setup.collective) return true;
    if (*rv_store_digest(t->store, own) == '\0') rv_fail_memory(error);
    memcpy(first, own, sizeof first);
    if (!rv_ranks_broadcast(t->setup.collective, first, sizeof first, error)) return false;
    return (error->code == RV_OK && (*first == '\0' || memcmp(own, first, sizeof first) == 0)) ||
           rv_fail(error, RV_ERROR_ARGUMENT,
                   "this rank computes other numbers than rank 0; use machines of one type and the "
                   "same build on each");
}
