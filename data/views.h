/* Sources made of sources: a part of one, and one with its images varied. They use what the first
 * holds: close it after them. */
#ifndef RV_DATA_VIEWS_H
#define RV_DATA_VIEWS_H

#include "data/source.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_part {
    int64_t first, count; /* samples first .. first+count-1 of the order; count 0: all from first */
    bool in_order;        /* 0, 1, 2, ...; else a permutation of the seed */
    uint64_t seed;
} rv_part;

/* Some of the samples of `whole`: with one seed, {0, 100} is held out and {100, 0} is the rest.
 * Takes 8 bytes per sample of `whole` up to 2^20 samples, no memory above. RV_ERROR_ARGUMENT for
 * a part that is empty or goes beyond the end. */
bool rv_source_part(rv_source *part, const rv_source *whole, rv_part options, rv_error *error);

typedef struct rv_augment {
    int64_t shift; /* up to so many pixels left or right, and up or down; what comes in is 0 */
    double noise;  /* standard deviation of the normal numbers added to each value of x, after it */
    uint64_t seed;
} rv_augment;

/* `plain` with each sample varied anew each epoch: a pure function of (seed, epoch, index). The
 * last two axes of x are the image's; all its channels and time steps move together.
 * RV_ERROR_ARGUMENT for x of i32, for a shift not below the image's sides, and for one of a
 * source whose y are numbers for each step, which would have to move too. */
bool rv_source_augment(rv_source *varied, const rv_source *plain, rv_augment options,
                       rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
