/* Counter-based random numbers: every value is a pure function of a seed and an index, so results
 * depend neither on order nor on threads. Generator: Philox4x32-10 (Salmon, Moraes, Dror and Shaw,
 * "Parallel random numbers: as easy as 1, 2, 3", SC 2011). */
#ifndef RV_TENSOR_RANDOM_H
#define RV_TENSOR_RANDOM_H

#include <stdint.h>

#include "tensor/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The generator itself: ten rounds of Philox on a 128-bit counter with a 64-bit key. */
void rv_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* A seed derived from a seed and a name (XXH3), to give each named thing a stream of its own. */
uint64_t rv_seed(uint64_t seed, const char *name);

double rv_random_uniform(uint64_t seed, uint64_t index); /* in [0, 1), 53 random bits */
double rv_random_normal(uint64_t seed, uint64_t index);  /* N(0, 1), Box and Muller */

/* A uniform order of 0 .. count-1 (Fisher and Yates, unbiased draws). */
void rv_random_permutation(int64_t *order, int64_t count, uint64_t seed);

/* How a new tensor is filled. */
typedef enum rv_init_kind {
    RV_INIT_CONSTANT,
    RV_INIT_UNIFORM,
    RV_INIT_NORMAL,
    RV_INIT_IDENTITY
} rv_init_kind;
typedef struct rv_init {
    rv_init_kind kind;
    double a, b;
} rv_init;

rv_init rv_init_constant(double value);
rv_init rv_init_uniform(double low, double high);
rv_init rv_init_normal(double mean, double deviation);
/* The map that changes nothing: 1 on the diagonal of a matrix, in the middle of channel i's kernel for channel i. */
rv_init rv_init_identity(void);

/* Element i becomes the i-th value of the seed's stream: the same for f32 (rounded) and f64. */
void rv_init_fill(rv_tensor *tensor, rv_init init, uint64_t seed);

#ifdef __cplusplus
}
#endif

#endif
