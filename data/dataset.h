/* Labelled images in memory: built-in digits, splits, batches. All pure functions of a seed. */
#ifndef RV_DATA_DATASET_H
#define RV_DATA_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/error.h"
#include "tensor/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_dataset {
    int64_t count;    /* images */
    int64_t classes;  /* labels are 0 .. classes-1 */
    rv_tensor images; /* f32 [count,channels,height,width] */
    rv_tensor labels; /* i32 [count] */
} rv_dataset;

/* The 1,797 8x8 digits of the UCI "Optical Recognition of Handwritten Digits" test set (Alpaydin
 * and Kaynak 1998, doi 10.24432/C50P49, CC BY 4.0), in the order of the file; pixels 0..16 as
 * published. Only the digits listed in classes[0 .. count-1] are kept (NULL, 0: all ten); digit
 * classes[i] gets the label i. RV_ERROR_ARGUMENT for a class outside 0..9 or listed twice.
 * rv_dataset_free. */
bool rv_digits(rv_dataset *dataset, const int *classes, int count, rv_error *error);
void rv_dataset_free(rv_dataset *dataset);

/* Splits in two by a permutation of the seed, and in its order: its first `held_out` images go to
 * *test, the rest to *train. RV_ERROR_ARGUMENT unless 0 < held_out < count. Both are the
 * caller's. */
bool rv_dataset_split(const rv_dataset *all, int64_t held_out, uint64_t seed, rv_dataset *train,
                      rv_dataset *test, rv_error *error);

/* Multiplies every pixel: rv_dataset_scale(&d, 1.0 / 16) brings the digits to 0..1. */
void rv_dataset_scale(rv_dataset *dataset, double factor);

/* Copies images order[first .. first+n-1] (order NULL: 0, 1, 2, ...; positions wrap round at count)
 * into x [n,channels,height,width] and their labels into y: [n] i32 labels, [n,classes] one-hot,
 * or [n,1] the label as a number. x, y: any dtype. RV_ERROR_SHAPE when they fit none of these,
 * RV_ERROR_ARGUMENT for a NULL x or y, a negative `first` or an order that names no image; x and y then stay. */
bool rv_dataset_batch(const rv_dataset *dataset, const int64_t *order, int64_t first, rv_tensor *x,
                      rv_tensor *y, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
