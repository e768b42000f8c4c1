/* A batch of samples: what a loader hands out and a program is fed with. */
#ifndef RV_TENSOR_BATCH_H
#define RV_TENSOR_BATCH_H

#include <stdint.h>

#include "tensor/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_batch {
    uint64_t epoch;
    int64_t number;   /* of the batch in its epoch, 0 the first */
    int64_t count;    /* samples */
    rv_tensor x, y;   /* [count,...] */
    rv_tensor length; /* i32 [count]: time steps of each sample; 1 when not a sequence */
} rv_batch;

#ifdef __cplusplus
}
#endif

#endif
