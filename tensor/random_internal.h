/* Random numbers of many indices at once. */
#ifndef RV_TENSOR_RANDOM_INTERNAL_H
#define RV_TENSOR_RANDOM_INTERNAL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* to[i] = rv_random_uniform(seed, first + i) for i < count, many times as fast. */
void rv_random_uniforms(uint64_t seed, uint64_t first, int64_t count, double *to);

#ifdef __cplusplus
}
#endif

#endif
