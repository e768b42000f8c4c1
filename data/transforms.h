/* Sources made of other sources: a subset of one, and one with augmented images. Close the original
 * source last. */
#ifndef RV_DATA_TRANSFORMS_H
#define RV_DATA_TRANSFORMS_H

#include "source.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_subset {
    int64_t first,
        count;     /* positions first .. first+count-1 of the order; count 0: all from first */
    bool in_order; /* the order is 0, 1, 2, ...; else a random permutation */
    uint64_t seed; /* of the permutation */
} rv_subset;

/* A subset of the samples of `whole`. With equal seeds, {0, 100} and {100, 0} split a source into
 * 100 samples for validation and the rest for training. Takes 8 bytes per sample of `whole` up to
 * 2^20 samples, no memory beyond. RV_ERROR_ARGUMENT for a subset that is empty or exceeds the
 * source. */
bool rv_source_subset(rv_source *subset, const rv_source *whole, rv_subset options,
                      rv_error *error);

typedef struct rv_augment {
    int64_t shift; /* shifts by up to so many pixels along each axis; fills with 0 */
    double noise; /* standard deviation of normal noise, added to each value of x after the shift */
    uint64_t seed;
} rv_augment;

/* `plain` with each sample varied anew in each epoch, as a pure function of (seed, epoch, index).
 * The image's axes are the last two of x; all channels and time steps shift together.
 * RV_ERROR_ARGUMENT for x of i32, and for a shift that is not smaller than the image or, since y
 * would have to shift too, when y holds numbers for each step. */
bool rv_source_augment(rv_source *augmented, const rv_source *plain, rv_augment options,
                       rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
