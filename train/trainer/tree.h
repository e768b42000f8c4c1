/* The tree in which the numbers of a batch's leaves are summed by all ranks (leaves.h). What the
 * numbers are, it does not know. Not part of the public interface. */
#ifndef RV_TRAIN_TRAINER_TREE_H
#define RV_TRAIN_TRAINER_TREE_H

#include "train/setup.h"

enum { RV_TREE_LEVELS = 11 };

typedef struct rv_tree {
    const rv_setup *setup;
    int64_t first, last; /* leaves of this rank */
    rv_tensor node;      /* the numbers of a leaf of this rank, to be filled before rv_tree_add */
    rv_tensor other, left[RV_TREE_LEVELS]; /* nodes; left[k] waits for its sibling */
    rv_tensor *sums;                       /* where the root's numbers go; to be set */
} rv_tree;

/* Sets which leaves of a batch this rank has: *first .. *last - 1. */
void rv_tree_range(const rv_setup *setup, int64_t *first, int64_t *last);

/* Nodes have so many numbers. Free it with rv_tree_free, also after a failure. */
bool rv_tree_make(rv_tree *t, const rv_setup *setup, int64_t numbers, rv_error *error);
void rv_tree_free(rv_tree *t);

/* Adds t->node, the numbers of this rank's next leaf, and sums and sends what becomes complete by
 * it. False only if the ranks can no longer exchange anything. */
bool rv_tree_add(rv_tree *t, int64_t leaf, rv_error *error);

/* After the last leaf: all ranks have the root's numbers. */
bool rv_tree_finish(const rv_tree *t, rv_error *error);

#endif
