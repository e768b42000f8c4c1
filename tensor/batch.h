/* A batch of samples: the output of a loader and the input of a program. */
#ifndef RV_TENSOR_BATCH_H
#define RV_TENSOR_BATCH_H

#include <stdint.h>

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_batch {
    uint64_t epoch;
    int64_t number;   /* index of the batch in its epoch */
    int64_t count;    /* samples */
    rv_tensor x, y;   /* [count,...] */
    rv_tensor length; /* i32 [count]: time steps of each sample; 1 when not a sequence */
} rv_batch;

#ifdef __cplusplus
}
#endif

#endif
