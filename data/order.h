/* A shuffled order that is a pure function of a seed, without a state. Private to data/. */
#ifndef RV_DATA_ORDER_H
#define RV_DATA_ORDER_H

#include <stdint.h>

/* A permutation of 0 .. count-1; only a few words, whatever the count. */
typedef struct rv_order {
    uint64_t count, high, low; /* high * low >= count */
    uint64_t seed;
} rv_order;

rv_order rv_order_new(int64_t count, uint64_t seed);

/* What stands at `place`, 0 .. count-1. */
int64_t rv_order_at(const rv_order *order, int64_t place);

/* A seed of its own for each (seed, epoch, index). */
uint64_t rv_order_seed(uint64_t seed, uint64_t epoch, uint64_t index);

#endif
