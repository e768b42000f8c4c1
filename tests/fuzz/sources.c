#include "tests/fuzz/sources.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tensor/memory.h"

enum { MOST_SAMPLES = 256 }; /* to read from a source */

size_t in_memory(const uint8_t *data, size_t size)
{
    bool gzipped = size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
    return gzipped ? FUZZ_CACHE : size;
}

static uint64_t digest_sample(const rv_source *s, int64_t index, rv_tensor *x, rv_tensor *y,
                              uint64_t digest)
{
    int32_t length;
    rv_error error = {0};
    bool ok = rv_source_read(s, 0, index, x->data, y->data, &length, &error);
    expect_told(ok, &error);
    if (!ok) return digest + 1;
    digest = XXH3_64bits_withSeed(x->data, rv_tensor_bytes(x), digest + (uint64_t)length);
    return XXH3_64bits_withSeed(y->data, rv_tensor_bytes(y), digest);
}

static uint64_t digest_samples(const rv_source *s)
{
    rv_tensor x, y;
    uint64_t digest = 1;
    bool ok = rv_tensor_new(&x, s->x_type, s->x, NULL);
    expect(rv_tensor_new(&y, s->y_type, s->y, NULL) && ok, "no room for a sample");
    for (int64_t i = 0; i < s->count && i < MOST_SAMPLES; i++)
        digest = digest_sample(s, i, &x, &y, digest);
    digest = digest_sample(s, s->count - 1, &x, &y, digest);
    rv_tensor_free(&x);
    rv_tensor_free(&y);
    return digest | 1;
}

uint64_t expect_source(bool ok, rv_source *source, const rv_error *error, size_t bytes)
{
    expect_told(ok, error);
    if (!ok) {
        expect(!source->context, "a failure leaves a source behind");
        return 0;
    }
    rv_error wrong = {0};
    expect(rv_source_check(source, &wrong), "an inconsistent source");
    size_t elements = (size_t)rv_shape_count(source->x);
    expect((size_t)source->count <= bytes && (size_t)source->count * elements <= bytes,
           "more elements than the file has");
    uint64_t digest = digest_samples(source);
    rv_source_close(source);
    return digest;
}

void feed_pair(open_pair *open, const char *labels, size_t labels_size, const uint8_t *data,
               size_t size)
{
    const char *any = file_of(0, data, size), *two = file_of(1, labels, labels_size);
    const char *const pairs[][2] = {{any, any}, {any, two}, {two, any}};
    size_t bytes = in_memory(data, size) + labels_size;
    for (int i = 0; i < 6; i++) {
        uint64_t digest[2];
        for (int cached = 0; cached < 2; cached++) { /* 0: read from disk */
            rv_source source;
            rv_error error = {0};
            rv_file_options options = {.cache_bytes = cached ? FUZZ_CACHE : 1,
                                       .sequence = i % 2 == 0};
            memory_start();
            bool ok = open(&source, pairs[i / 2][0], pairs[i / 2][1], &options, &error);
            expect_memory(3 * bytes);
            digest[cached] = expect_source(ok, &source, &error, bytes);
        }
        expect(digest[0] == 0 || digest[1] == 0 || digest[0] == digest[1],
               "memory and disk give different samples");
    }
}
