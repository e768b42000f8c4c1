/* Sources in memory: tensors of yours, and the built-in digits. */
#ifndef RV_DATA_TENSORS_H
#define RV_DATA_TENSORS_H

#include "data/source.h"

#ifdef __cplusplus
extern "C" {
#endif

/* x [n,...] and y [n] or [n,...], copied; x: i32 or real numbers, which become f32. classes > 0:
 * y are labels, whole numbers below it, of any dtype; 0: y are numbers, a sample of [n] is [1].
 * For a sequence set source->sequence, each_step or tokens then. RV_ERROR_SHAPE unless both have
 * the same n; RV_ERROR_FORMAT for labels out of range and NaN. */
bool rv_source_tensors(rv_source *source, const rv_tensor *x, const rv_tensor *y, int64_t classes,
                       rv_error *error);

/* The 1,797 8x8 digits of the UCI "Optical Recognition of Handwritten Digits" test set (Alpaydin
 * and Kaynak 1998, doi 10.24432/C50P49, CC BY 4.0), in the order of the file: x f32 [1,8,8],
 * pixels 0..1 (16 is 1). Only the digits listed in classes[0 .. count-1] are kept (NULL, 0: all
 * ten); digit classes[i] gets the label i. RV_ERROR_ARGUMENT for one outside 0..9 or listed
 * twice. */
bool rv_source_digits(rv_source *source, const int *classes, int count, rv_error *error);

/* The digits themselves: 8x8 pixels 0..16 of image `index`, 0 .. RV_DIGITS-1; *digit (unless NULL)
 * becomes what it shows. */
enum { RV_DIGITS = 1797, RV_DIGIT_SIDE = 8 };
const unsigned char *rv_digit(int64_t index, int *digit);

#ifdef __cplusplus
}
#endif

#endif
