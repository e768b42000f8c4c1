/* Which layer of files each layer of a net is read from. */
#ifndef RV_DATA_WEIGHTS_MATCHING_H
#define RV_DATA_WEIGHTS_MATCHING_H

#include "data/weights.h"
#include "data/weights/layouts.h"
#include "data/weights/tensors.h"

/* A layer of the net: the parameters of a scope that a layout lists, or one parameter. */
typedef struct rv_layer {
    const rv_layout *first, *end; /* the layouts of its kind */
    const char *label;            /* what messages call it, of `length` bytes */
    int length;
    bool backward;
    const char *wanted; /* by the map, of `wanted_length` bytes, or NULL */
    int wanted_length;

    /* The parameter of each part of each layout; NULL: a bias that the net lacks. */
    rv_entry *entry[RV_LAYOUTS_OF_KIND][RV_LAYOUT_PARTS];

    const rv_layout *layout; /* of the layer that it is read from */
    rv_foreign *from;        /* the tensor of the layout's first part; NULL: none */
    struct rv_candidates *candidates;
} rv_layer;

/* The first tensors of all layers of files that one layer of the net, and others like it, can be
 * read from. */
typedef struct rv_candidates {
    const rv_layer *layer;
    rv_foreign **at;
    size_t count;
} rv_candidates;

typedef struct rv_matching {
    const rv_weights_options *options;
    rv_foreign_list theirs;
    rv_layer *layers;
    size_t count;
    rv_candidates *groups;
    size_t group_count;
    rv_foreign **fitting; /* [theirs.count], for rv_weights_match */
} rv_matching;

/* ---- layers.c ---- */

/* Lists the layers of a net, with what the map says of them. */
bool rv_weights_list(rv_matching *m, rv_store *store, rv_error *error);

rv_entry *rv_layer_entry(const rv_layer *u, const rv_layout *l, int part);

/* ---- match.c ---- */

/* Finds the layer of files for each layer of the net that has one. RV_ERROR_NAME if it may be one
 * of several. */
bool rv_weights_match(rv_matching *m, rv_error *error);

/* A parameter's shape with the outputs first; [c,1,1], the shape of a bias of images, as [c]. */
rv_shape rv_outputs_first(const rv_layout *l, rv_shape ours);

/* The shape that their tensor must have. */
rv_shape rv_their_shape(const rv_layout *l, const rv_part *part, rv_shape ours);

/* Whether the layer of files whose first tensor is `from` may be this layer in this layout, going
 * by names. */
bool rv_may_be(const rv_layer *u, const rv_layout *l, const rv_foreign *from);

typedef enum rv_fit { RV_FITS, RV_TAKEN, RV_LACKS, RV_DIFFERS } rv_fit;

/* Whether all its tensors are there, free, and of the right shapes. *part: the part at fault. */
rv_fit rv_fits(const rv_matching *m, const rv_layer *u, const rv_layout *l, rv_foreign *from,
               int *part);

/* ---- explain.c ---- */

/* Whether all that must be was found; or else the error says why not. `path`: the first file. */
bool rv_weights_complete(const rv_matching *m, const char *path, rv_error *error);

#endif
