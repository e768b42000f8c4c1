/* How PyTorch and Keras name and lay out the weights of a layer. */
#ifndef RV_DATA_WEIGHTS_LAYOUTS_H
#define RV_DATA_WEIGHTS_LAYOUTS_H

#include <stdbool.h>

/* A parameter of this library is block `block` of `blocks` equal ones of their tensor, along the
 * outputs. The parts of one parameter add up. */
typedef struct rv_part {
    const char *ours, *theirs;
    int block, blocks;
} rv_part;

/* Layers of one kind have the same parameters in this library. */
typedef enum rv_layer_kind {
    RV_LAYER_TORCH_GRU,
    RV_LAYER_LSTM,
    RV_LAYER_GRU,
    RV_LAYER_RNN,
    RV_LAYER_WEIGHT,    /* linear and convolutional layers */
    RV_LAYER_EMBEDDING, /* [tokens,size] */
    RV_LAYER_PARAMETER  /* any other parameter */
} rv_layer_kind;

typedef struct rv_layout {
    rv_layer_kind kind;
    const char *name; /* in messages */
    const char
        *model; /* the name of the layer here, unless its parameters have a scope; NULL: theirs */
    bool bare;  /* also without biases */
    /* Their arrays begin with the outputs: [outputs,inputs,..]; else [..,inputs,outputs]. */
    bool theirs_out;
    bool ours_out; /* so do matrices here, as kernels always do; else [inputs,outputs] */
    const rv_part *parts;
    int count;
} rv_layout;

/* Sorted by kind. The last one copies a tensor. */
extern const rv_layout rv_layouts[];
extern const int rv_layout_count;

/* The most layouts of a kind, and parts of a layout. */
enum { RV_LAYOUTS_OF_KIND = 3, RV_LAYOUT_PARTS = 16 };

#endif
