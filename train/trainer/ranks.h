/* What the ranks of a run do together. Every rank makes the same calls in the same order. A NULL
 * collective is one rank. Not part of the public interface. */
#ifndef RV_TRAIN_TRAINER_RANKS_H
#define RV_TRAIN_TRAINER_RANKS_H

#include "train/collective.h"

/* A failure always has an error. */
bool rv_ranks_send(const rv_collective *c, int to, const void *bytes, size_t count,
                   rv_error *error);
bool rv_ranks_receive(const rv_collective *c, int from, void *bytes, size_t count, rv_error *error);

/* Rank 0's bytes become those of all. */
bool rv_ranks_broadcast(const rv_collective *c, void *bytes, size_t count, rv_error *error);

/* values[i] becomes its sum over all ranks, exact if all but one are 0 or all are whole. `other`:
 * memory for as many. */
bool rv_ranks_sum(const rv_collective *c, double *values, double *other, size_t count,
                  rv_error *error);

/* Whether no rank has an error. Else *error becomes that of the first rank that has one. *stop
 * becomes whether it is set on any rank. */
bool rv_ranks_agree(const rv_collective *c, bool *stop, rv_error *error);

#endif
