/* Counter-based random numbers: every value is a pure function of a seed and an index, independent
 * of order and threads. The generator is Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel
 * random numbers: as easy as 1, 2, 3", SC 2011). */
#ifndef RV_TENSOR_RANDOM_H
#define RV_TENSOR_RANDOM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The generator itself: ten rounds of Philox on a 128-bit counter with a 64-bit key. */
void rv_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Derives a seed from a seed and a name (XXH3), so that each name has an independent stream. */
uint64_t rv_seed(uint64_t seed, const char *name);

double rv_random_uniform(uint64_t seed, uint64_t index); /* in [0, 1), 53 random bits */
double rv_random_normal(uint64_t seed, uint64_t index);  /* N(0, 1), Box-Muller */
/* N(0, 1) given that it is within -2 .. 2, by rejection. */
double rv_random_truncated_normal(uint64_t seed, uint64_t index);

/* A uniformly random permutation of 0 .. count-1 (Fisher-Yates, unbiased draws). */
void rv_random_permutation(int64_t *order, int64_t count, uint64_t seed);

#ifdef __cplusplus
}
#endif

#endif
