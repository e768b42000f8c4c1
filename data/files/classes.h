/* The number of classes of labels, and of tokens. Private. */
#ifndef RV_DATA_FILES_CLASSES_H
#define RV_DATA_FILES_CLASSES_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/error.h"

/* The labels or tokens of a file. {0} before the first. */
typedef struct rv_label_range {
    int64_t least, above; /* the smallest; the largest + 1 */
    int64_t count;
} rv_label_range;

void rv_label_range_add(rv_label_range *range, int32_t label);

/* The most classes that a file may have: `given`, or RV_MOST_CLASSES if that is 0. `what`: "label"
 * or "token". RV_ERROR_ARGUMENT if `given` is out of range. */
bool rv_classes_most(int64_t given, const char *what, int64_t *most, rv_error *error);

/* The number of classes: `given`, or if that is 0 the largest label + 1. RV_ERROR_FORMAT if there
 * are over 1000 of which most cannot occur: the labels are not numbered from 0, or are no
 * labels. */
bool rv_classes_of(const rv_label_range *range, int64_t given, const char *what, const char *name,
                   int64_t *classes, rv_error *error);

#endif
