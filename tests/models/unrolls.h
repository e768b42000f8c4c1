// Helpers of tests that unroll cells.
#ifndef RV_TESTS_MODELS_UNROLLS_H
#define RV_TESTS_MODELS_UNROLLS_H

#include <cstring>

#include "models/models.h"

inline rv_rnn_options units(int64_t count)
{
    rv_rnn_options options = {};
    options.units = count;
    return options;
}

inline int count_of(rv_tape *tape, const char *op)
{
    int found = 0;
    for (int32_t id = 0; id < rv_tape_count(tape); id++)
        found += !std::strcmp(rv_tape_node(tape, id)->op->name, op);
    return found;
}

#endif
