/* A net as an ONNX model: opset 17, IR version 8. */
#ifndef RV_EXPORT_ONNX_H
#define RV_EXPORT_ONNX_H

#include "../tensor/memory.h" /* rv_free */
#include "net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The number of samples is free, the dimension "batch" of inputs and outputs, unless the form says
 * otherwise. Parameters are initializers. Values have the names of the equations. */
typedef enum rv_onnx_form {
    /* One time step, from the input "x" [batch,..] and the states "h", .. to "output" and the next
     * states "h'", .. The states start at zero, or at the outputs "h[0]", .. */
    RV_ONNX_STEP,
    /* The whole sequence "x" [batch,time,..] by one Scan; the number of steps is free, too. Where
     * the equations are those of ONNX's LSTM, GRU or RNN, which start at zero, and only the last
     * output is read, it is such a node for each layer. */
    RV_ONNX_SCAN,
    /* The whole sequence, of the length of a sample, step after step; "h[2]" is the state h after
     * step 2. */
    RV_ONNX_UNROLLED,
    /* A training step, for `batch` samples "x" and "y": "loss", and the parameters "W'", .. after
     * the update by the optimizer, whose states are inputs and outputs likewise. An input "W" that
     * is not given has the exported value. */
    RV_ONNX_TRAINING
} rv_onnx_form;

typedef struct rv_onnx_options {
    rv_onnx_form form;
    int64_t batch; /* of RV_ONNX_TRAINING; 0: 1 */
} rv_onnx_options;

/* Returns the model's bytes, with the values that its parameters have in the store, initial values
 * if it lacks them, which it then gains. NULL options mean zeros. The caller frees the bytes with
 * rv_free. NULL on failure: RV_ERROR_ARGUMENT for a net that does not have the form, and for an op
 * that ONNX lacks; RV_ERROR_LIMIT for 2^31 bytes or more. */
unsigned char *rv_export_onnx(const rv_exported_net *net, const rv_onnx_options *options,
                              rv_store *store, size_t *size, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
