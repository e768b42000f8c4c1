/* A shuffled order that is a pure function of a seed. Private to data/. */
#ifndef RV_DATA_ORDER_INTERNAL_H
#define RV_DATA_ORDER_INTERNAL_H

#include <stdint.h>

#include "tensor/error.h"

/* Up to so many are shuffled in an array, exactly uniformly; more are computed, place by place. */
enum { RV_ORDER_TABLE = 1 << 20 };

/* A permutation of 0 .. count-1. */
typedef struct rv_order {
    int64_t *table; /* [count], or NULL */
    int64_t count;
    uint64_t high, low; /* without a table: high * low >= count */
    uint64_t seed;
} rv_order;

bool rv_order_new(rv_order *order, int64_t count, uint64_t seed, rv_error *error);
void rv_order_free(rv_order *order);

/* Another permutation, without an allocation. */
void rv_order_shuffle(rv_order *order, uint64_t seed);

/* What stands at `place`, 0 .. count-1. */
int64_t rv_order_at(const rv_order *order, int64_t place);

/* A seed of its own for each (seed, epoch, index). */
uint64_t rv_order_seed(uint64_t seed, uint64_t epoch, uint64_t index);

#endif
