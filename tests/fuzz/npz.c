/* Any bytes as an .npz archive, of samples and of named arrays. */
#include "data/npz.h"

#include <string.h>

#include "tests/fuzz/sources.h"

/* libzip's structures for the index, and its initial room for as many members as 16 bits can
 * count. */
static size_t most_memory(size_t size, size_t arrays)
{
    return arrays * FUZZ_CACHE + 64 * size + (1 << 16) * 32;
}

static void expect_same(const rv_archive *a, const rv_archive *b)
{
    expect(a->tensor_count == b->tensor_count, "arrays are lost");
    for (size_t i = 0; i < a->tensor_count; i++) {
        const rv_tensor *x = &a->tensors[i].tensor, *y = &b->tensors[i].tensor;
        expect(strcmp(a->tensors[i].name, b->tensors[i].name) == 0, "a name changes");
        expect(x->dtype == y->dtype && rv_shape_equal(x->shape, y->shape) &&
                   memcmp(x->data, y->data, rv_tensor_bytes(x)) == 0,
               "an array changes");
    }
}

static void write_again(const rv_archive *archive)
{
    rv_archive again;
    rv_error error = {0};
    const char *path = file_of(1, NULL, 0);
    expect(rv_npz_write(path, archive, &error), "what was read cannot be written");
    expect(rv_npz_read(path, 0, &again, &error), "what was written cannot be read");
    expect_same(archive, &again);
    rv_archive_free(&again);
}

static void read_arrays(const char *path, size_t size)
{
    rv_archive archive;
    rv_error error = {0};
    memory_start();
    bool ok = rv_npz_read(path, FUZZ_CACHE, &archive, &error);
    expect_memory(most_memory(size, 3));
    expect_told(ok, &error);
    expect(ok || !archive.tensors, "a failure leaves tensors behind");
    size_t bytes = 0;
    for (size_t i = 0; i < archive.tensor_count; i++)
        bytes += rv_tensor_bytes(&archive.tensors[i].tensor);
    expect(bytes <= FUZZ_CACHE, "more numbers than the cache holds");
    if (ok && archive.tensor_count > 0) write_again(&archive);
    rv_archive_free(&archive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = file_of(0, data, size);
    static const rv_file_options ways[] = {{0},
                                           {.sequence = true},
                                           {.numbers = true, .targets = RV_TARGETS_PER_SAMPLE},
                                           {.classes = 3, .divisor = 2, .shape = {2, {3, 1}}}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        rv_source source;
        rv_error error = {0};
        rv_file_options options = ways[i];
        options.cache_bytes = FUZZ_CACHE;
        memory_start();
        bool ok = rv_source_npz(&source, path, &options, &error);
        expect_memory(most_memory(size, 4));
        expect_source(ok, &source, &error, FUZZ_CACHE);
    }
    read_arrays(path, size);
    return 0;
}
