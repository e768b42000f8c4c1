/* The state of the store that counts the runs of programs with random numbers (rv_random): a caller
 * that splits a run into several programs sets which numbers each of them draws. */
#ifndef RV_OPS_RANDOM_INTERNAL_H
#define RV_OPS_RANDOM_INTERNAL_H

#include "tensor/store.h"

bool rv_random_is_count(const rv_entry *entry);
int64_t rv_random_count(const rv_store *store); /* 0: no program draws any */
void rv_random_set_count(rv_store *store, int64_t runs);

#endif
