/* Random numbers for many indexes at once. */
#ifndef RV_TENSOR_RANDOM_INTERNAL_H
#define RV_TENSOR_RANDOM_INTERNAL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* to[i] = rv_random_uniform(seed, index[i]) for i < count, several times as fast. */
void rv_random_uniforms(uint64_t seed, const uint64_t *index, int count, double *to);

#ifdef __cplusplus
}
#endif

#endif
