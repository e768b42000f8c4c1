/* Sources in memory: your own tensors, and the built-in digits. */
#ifndef RV_DATA_TENSORS_H
#define RV_DATA_TENSORS_H

#include "source.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A source of x [n,...] and y [n] or [n,...], which are copied. x: i32 stays i32, floats become
 * f32. classes > 0: y holds labels, integers below `classes` in any dtype. classes 0: y holds
 * numbers; a sample of y [n] has shape [1]. For sequences set source->sequence, each_step or tokens
 * afterwards. RV_ERROR_SHAPE unless both have the same n; RV_ERROR_FORMAT for labels out of range
 * and NaN. */
bool rv_source_tensors(rv_source *source, const rv_tensor *x, const rv_tensor *y, int64_t classes,
                       rv_error *error);

/* The 1,797 8x8 digits of the UCI "Optical Recognition of Handwritten Digits" test set (Alpaydin
 * and Kaynak 1998, doi 10.24432/C50P49, CC BY 4.0), in the order of the file. x is f32 [1,8,8],
 * pixels 0..1 (16 becomes 1). Keeps only the digits in classes[0 .. count-1] (NULL and 0: all ten);
 * digit classes[i] gets label i. RV_ERROR_ARGUMENT for a digit outside 0..9 or listed twice. */
bool rv_source_digits(rv_source *source, const int *classes, int count, rv_error *error);

/* The 8x8 pixels, 0..16, of image `index` (0 .. RV_DIGITS-1); *digit, unless NULL, becomes its
 * label. */
enum { RV_DIGITS = 1797, RV_DIGIT_SIDE = 8 };
const unsigned char *rv_digit(int64_t index, int *digit);

#ifdef __cplusplus
}
#endif

#endif
