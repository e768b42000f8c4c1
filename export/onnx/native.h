/* The nodes LSTM, GRU and RNN of ONNX, for nets whose equations are theirs. */
#ifndef RV_EXPORT_ONNX_NATIVE_H
#define RV_EXPORT_ONNX_NATIVE_H

#include "export/onnx/model.h"
#include "export/step_internal.h"

enum { RV_NATIVE_GATES = 4 };

/* The parameters of a layer, for each gate in the order of ONNX: of h, of x, and the biases of
 * both; NULL: none. */
typedef struct rv_native_layer {
    const rv_entry *of_h[RV_NATIVE_GATES], *of_x[RV_NATIVE_GATES];
    const rv_entry *bias[RV_NATIVE_GATES], *bias_of_h[RV_NATIVE_GATES];
} rv_native_layer;

typedef struct rv_native {
    const char *type; /* "LSTM"; NULL: no node computes this step */
    int gates;
    bool linear_before_reset; /* of GRU */
    int layers;
    rv_native_layer layer[RV_STEP_STATES];
} rv_native;

/* Records the equations of the nodes on the tape of the step, as it was recorded: where they are
 * the net's, they are the same values. */
rv_native rv_native_find(const rv_step *step);

/* Writes the nodes, of x [time,batch,..]; returns the name of the top layer's h after the last step
 * [batch,units]. */
const char *rv_native_write(rv_onnx *m, const rv_native *native, const char *x);

#endif
