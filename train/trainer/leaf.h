/* The loss and the gradients of one leaf of a batch (leaves.h). Not part of the public
 * interface. */
#ifndef RV_TRAIN_TRAINER_LEAF_H
#define RV_TRAIN_TRAINER_LEAF_H

#include "train/batch_program.h"

/* The numbers of a node of the tree of sums: these, then the gradients, one parameter after the
 * other. */
enum {
    RV_NODE_WEIGHT,  /* what its samples count for */
    RV_NODE_LOSS,    /* times the weight, as the gradients are */
    RV_NODE_TROUBLE, /* the ranks that failed or want to stop */
    RV_NODE_HEAD
};

/* Full and smaller batches have leaves of two sizes each. */
enum { RV_LEAF_SIZES = 4 };

typedef struct rv_leaf_programs {
    const rv_setup *setup;
    rv_store *store;
    rv_entry **w; /* [parameters], of the store: those that the optimizer updates */
    int parameters;
    rv_batch_program of_size[RV_LEAF_SIZES];
    int replaced;
    double recording; /* seconds spent on recording and compiling */
} rv_leaf_programs;

/* For leaves of about n samples. Creates the parameters. *numbers: of a node. Free it with
 * rv_leaf_programs_free, also after a failure. */
bool rv_leaf_programs_make(rv_leaf_programs *l, const rv_setup *setup, rv_store *store, int64_t n,
                           int64_t *numbers, rv_error *error);
void rv_leaf_programs_free(rv_leaf_programs *l);

/* Bytes of the arenas of all programs. */
size_t rv_leaf_programs_bytes(const rv_leaf_programs *l);

/* Runs a leaf of a batch, and writes its numbers into *node, but for the trouble. Its random
 * numbers are those of run `count` + leaf. */
bool rv_leaf_run(rv_leaf_programs *l, const rv_batch *batch, int64_t leaf, int64_t count,
                 rv_tensor *node, rv_error *error);

/* The same op by op, to find the one at fault. It assigns nothing. */
bool rv_leaf_check(const rv_leaf_programs *l, const rv_batch *batch, int64_t leaf, int64_t count,
                   rv_error *error);

#endif
