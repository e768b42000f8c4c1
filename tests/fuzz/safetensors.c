/* Any bytes as a safetensors file, as a checkpoint for a store with existing entries, and as
 * weights of PyTorch or Keras. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/weights.h"
#include "tensor/checkpoint.h"
#include "tensor/memory.h"
#include "tensor/safetensors.h"
#include "tests/fuzz/fuzz.h"

/* ---- archives ---- */

static bool same_tensor(const rv_tensor *a, const rv_tensor *b)
{
    return a->dtype == b->dtype && rv_shape_equal(a->shape, b->shape) &&
           memcmp(a->data, b->data, rv_tensor_bytes(a)) == 0;
}

static void expect_same(const rv_archive *a, const rv_archive *b)
{
    expect(a->tensor_count == b->tensor_count, "tensors are lost");
    for (size_t i = 0; i < a->tensor_count; i++) {
        expect(strcmp(a->tensors[i].name, b->tensors[i].name) == 0, "a name changes");
        expect(same_tensor(&a->tensors[i].tensor, &b->tensors[i].tensor), "a tensor changes");
    }
    expect(a->metadata_count == b->metadata_count, "metadata is lost");
    for (size_t i = 0; i < a->metadata_count; i++)
        expect(strcmp(a->metadata[i].key, b->metadata[i].key) == 0 &&
                   strcmp(a->metadata[i].value, b->metadata[i].value) == 0,
               "metadata change");
}

static void write_again(const rv_archive *archive)
{
    rv_archive again;
    rv_error error = {0};
    const char *path = file_of(1, NULL, 0);
    expect(rv_safetensors_write(path, archive, &error), "what was read cannot be written");
    expect(rv_safetensors_read(path, &again, &error), "what was written cannot be read");
    expect_same(archive, &again);
    rv_archive_free(&again);
}

static bool read_archive(const char *path, size_t size)
{
    rv_archive archive;
    rv_error error = {0};
    memory_start();
    bool ok = rv_safetensors_read(path, &archive, &error);
    expect_memory(64 * size);
    expect_told(ok, &error);
    size_t bytes = 0;
    for (size_t i = 0; i < archive.tensor_count; i++)
        bytes += rv_tensor_bytes(&archive.tensors[i].tensor);
    expect(ok || !archive.tensors, "a failure leaves tensors behind");
    expect(bytes <= 4 * size, "more elements than the file has");
    if (ok) write_again(&archive);
    rv_archive_free(&archive);
    return ok;
}

/* ---- stores ---- */

static rv_store *filled_store(void)
{
    rv_store *store = rv_store_new(1);
    bool ok =
        rv_store_get(store, "w", RV_PARAMETER, RV_F32, RV_SHAPE(2), rv_init_normal(0, 1), NULL) &&
        rv_store_get(store, "step", RV_STATE, RV_I32, RV_SCALAR, rv_init_constant(7), NULL);
    expect(ok, "a store cannot be filled");
    return store;
}

static bool same_entry(const rv_entry *a, const rv_entry *b)
{
    return strcmp(a->name, b->name) == 0 && a->role == b->role &&
           same_tensor(&a->tensor, &b->tensor);
}

static void expect_same_stores(const rv_store *a, const rv_store *b, const char *what)
{
    bool same = rv_store_count(a) == rv_store_count(b);
    for (size_t i = 0; same && i < rv_store_count(a); i++)
        same = same_entry(rv_store_at(a, i), rv_store_at(b, i));
    expect(same, what);
}

static void save_again(const rv_store *store)
{
    rv_error error = {0};
    const char *path = file_of(1, NULL, 0);
    rv_store *again = filled_store();
    expect(rv_store_save(store, path, &error), "what was loaded cannot be saved");
    expect(rv_store_load(again, path, &error), "what was saved cannot be loaded");
    expect_same_stores(store, again, "saved and loaded, a store changes");
    rv_store_free(again);
}

/* ---- weights ---- */

/* The name of the file is to end in .safetensors. */
static char link_folder[] = "/tmp/recurve-fuzz-XXXXXX", link_path[64];

static void remove_link(void)
{
    unlink(link_path);
    rmdir(link_folder);
}

static const char *linked(const char *path)
{
    if (*link_path == '\0') {
        expect(mkdtemp(link_folder), "a folder cannot be made");
        snprintf(link_path, sizeof link_path, "%s/w.safetensors", link_folder);
        expect(symlink(path, link_path) == 0, "the file cannot be linked");
        atexit(remove_link);
    }
    return link_path;
}

/* An LSTM of one unit, a linear layer, an embedding and a matrix. */
static rv_store *net_store(void)
{
    static const char *const names[] = {"Ui",        "Wi",      "bi",        "Uf", "Wf", "bf",
                                        "Uz",        "Wz",      "bz",        "Uo", "Wo", "bo",
                                        "fc/weight", "fc/bias", "embedding", "V"};
    rv_store *store = rv_store_new(1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const bool vector = names[i][0] == 'b' || !strcmp(names[i], "fc/bias");
        expect(rv_store_get(store, names[i], RV_PARAMETER, RV_F32,
                            vector               ? RV_SHAPE(1)
                            : names[i][0] == 'e' ? RV_SHAPE(3, 1)
                            : names[i][0] == 'V' ? RV_SHAPE(1, 2)
                                                 : RV_SHAPE(1, 1),
                            rv_init_normal(0, 1), NULL),
               "a store cannot be filled");
    }
    return store;
}

static void import(const char *path, size_t size, bool readable)
{
    for (int partial = 0; partial < 2; partial++) {
        rv_error error = {0};
        rv_store *store = net_store(), *untouched = net_store();
        const rv_weights_options options = {.partial = partial};
        memory_start();
        bool ok = rv_weights_import(store, &path, 1, &options, &error);
        expect_memory(128 * size);
        expect_told(ok, &error);
        expect(readable || !ok, "weights in an unreadable file are imported");
        if (!ok) expect_same_stores(store, untouched, "a failure changes the parameters");
        rv_store_free(untouched);
        rv_store_free(store);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rv_error error = {0};
    const char *path = file_of(0, data, size);
    bool readable = read_archive(path, size);
    rv_store *store = filled_store(), *untouched = filled_store();
    bool ok = rv_store_load(store, path, &error);
    expect_told(ok, &error);
    expect(readable || !ok, "an unreadable file is loaded");
    if (ok)
        save_again(store);
    else
        expect_same_stores(store, untouched, "a failure changes the store");
    rv_store_free(untouched);
    rv_store_free(store);
    import(linked(path), size, readable);
    return 0;
}
