/* Any bytes as a CSV file. */
#include "tests/fuzz/sources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const rv_file_options ways[] = {{0},
                                           {.label = 1, .classes = 5},
                                           {.numbers = true, .sequence = true},
                                           {.separator = ' '},
                                           {.header = 1},
                                           {.header = -1, .shape = {2, {1, 2}}, .divisor = 3}};
    const char *path = file_of(0, data, size);
    size_t bytes = in_memory(data, size);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        rv_source source;
        rv_error error = {0};
        rv_file_options options = ways[i];
        options.cache_bytes = FUZZ_CACHE;
        memory_start();
        bool ok = rv_source_csv(&source, path, &options, &error);
        expect_memory(5 * bytes);
        expect_source(ok, &source, &error, bytes);
    }
    return 0;
}
