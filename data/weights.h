/* Weights that PyTorch or Keras trained, for the layers of a net: LSTM, GRU, plain RNN, linear and
 * convolutional layers, embeddings. Names of tensors tell the layer: weight_ih_l0, .., weight, bias
 * of a state_dict; kernel, recurrent_kernel, bias, embeddings of Keras. */
#ifndef RV_DATA_WEIGHTS_H
#define RV_DATA_WEIGHTS_H

#include "../tensor/store.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rv_weights_case {
    RV_WEIGHTS_READ,    /* `ours` is read from `theirs` and others, a layer of that kind */
    RV_WEIGHTS_RANDOM,  /* the files lack the layer `ours`, which keeps its values */
    RV_WEIGHTS_LEFT_OUT /* the net lacks the tensor `theirs` */
} rv_weights_case;

/* What becomes of a layer of the net or a tensor of the files. Strings are valid during the
 * call. */
typedef struct rv_weights_found {
    rv_weights_case what;
    const char *ours, *kind, *theirs; /* NULL: has no meaning there */
} rv_weights_found;

typedef struct rv_weights_options {
    /* "OURS=THEIRS,..": THEIRS is a layer or a tensor of the files ("encoder.rnn"), OURS a layer of
     * the net as `found` and messages call it, or the start of its name ("layer0"). NULL: none.
     * Needed where names, shapes and numbers leave a choice. */
    const char *map;
    /* Tensors that only the files have, and parameters that only the net has, are no error. */
    bool partial;
    /* Called for each layer of the net, then for each tensor that only the files have. Or NULL. */
    void (*found)(void *context, const rv_weights_found *found);
    void *context;
} rv_weights_options;

/* Sets the parameters of a store, which recording the net has created, from .safetensors and .npz
 * files. A layer of the net is read from the layer of the files that `map` names; or else the only
 * one that fits in kind, direction and shapes; of several, the one of the same name; of as many as
 * the net has, called by numbers (lstm, lstm_1 or fc1, fc2), each its own. A layer of the net with
 * its parameters in a scope is called by the scope: "fc2", "layer0/forward"; others by their model
 * or name: "lstm", "embedding".
 *
 * A parameter of the net in none of these layers is read from one tensor. A matrix [inputs,outputs]
 * gets a "weight" of a linear layer of PyTorch transposed, and a kernel [outputs,inputs,h,w] that
 * of a convolution of Keras in its order; all others are copied. `options` may be NULL.
 *
 * RV_ERROR_NAME: a layer of the net fits none in the files, or several. RV_ERROR_FORMAT: a tensor
 * is missing or has another shape, or the net has no layer for it. RV_ERROR_NUMBER: a value is not
 * finite, or not in the type of the parameter. RV_ERROR_ARGUMENT: `map` is malformed or names no
 * layer of the net. On failure the store is unchanged. Takes the memory of the files, as
 * rv_arrays_read, and twice that of the parameters. */
bool rv_weights_import(rv_store *store, const char *const *paths, int count,
                       const rv_weights_options *options, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
