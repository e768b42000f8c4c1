/* Any bytes as one file of a pair of IDX files, or as both. */
#include "tests/fuzz/sources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char labels[] = "\0\0\x08\x01\0\0\0\x02\0\x01";
    feed_pair(rv_source_idx, labels, sizeof labels - 1, data, size);
    return 0;
}
