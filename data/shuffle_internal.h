/* Random permutations that are a pure function of a seed. Private to data/. */
#ifndef RV_DATA_SHUFFLE_INTERNAL_H
#define RV_DATA_SHUFFLE_INTERNAL_H

#include <stdint.h>

#include "tensor/error.h"

/* Up to this count the permutation is a table, exactly uniform; beyond, each element is
 * computed. */
enum { RV_SHUFFLE_TABLE = 1 << 20 };

/* A permutation of 0 .. count-1. */
typedef struct rv_shuffle {
    int64_t *table; /* [count], or NULL */
    int64_t count;
    uint64_t high, low; /* without a table: high * low >= count */
    uint64_t seed;
} rv_shuffle;

bool rv_shuffle_new(rv_shuffle *shuffle, int64_t count, uint64_t seed, rv_error *error);
void rv_shuffle_free(rv_shuffle *shuffle);

/* Changes to the permutation of another seed, without an allocation. */
void rv_shuffle_reseed(rv_shuffle *shuffle, uint64_t seed);

/* The element at `position`, 0 .. count-1. */
int64_t rv_shuffle_at(const rv_shuffle *shuffle, int64_t position);

/* An independent seed for each (seed, epoch, index). */
uint64_t rv_sample_seed(uint64_t seed, uint64_t epoch, uint64_t index);

#endif
