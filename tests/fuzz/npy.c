/* Any bytes as one file of a pair of .npy files, or as both. */
#include "tests/fuzz/sources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char labels[] = "\x93NUMPY\x01\0\x3c\0"
                                 "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }  \n"
                                 "\0\x01";
    feed_pair(rv_source_npy, labels, sizeof labels - 1, data, size);
    return 0;
}
