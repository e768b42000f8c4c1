/* Any bytes as a text in windows, with its own alphabet and with a given one. */
#include "tests/fuzz/sources.h"

static uint64_t read_text(const char *path, rv_text_options options, size_t bytes)
{
    rv_source source;
    rv_error error = {0};
    memory_start();
    bool ok = rv_source_text(&source, path, &options, &error);
    expect_memory(bytes);
    return expect_source(ok, &source, &error, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char alphabet[] = "etaoin shrdlu\n";
    const char *path = file_of(0, data, size);
    size_t bytes = in_memory(data, size);
    for (int64_t window = 1; window <= 8; window *= 8) {
        rv_text_options options = {.cache_bytes = FUZZ_CACHE, .window = window};
        uint64_t digest = read_text(path, options, bytes);
        options.cache_bytes = 1;
        uint64_t from_disk = read_text(path, options, bytes);
        expect(digest == 0 || from_disk == 0 || digest == from_disk,
               "memory and disk give different samples");
        options.alphabet = alphabet;
        options.tokens = sizeof alphabet - 1;
        read_text(path, options, bytes);
    }
    return 0;
}
