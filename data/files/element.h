/* Numbers as files store them: kind, size and byte order. Private to data/. */
#ifndef RV_DATA_FILES_ELEMENT_H
#define RV_DATA_FILES_ELEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/tensor.h"

typedef enum rv_element_kind { RV_UNSIGNED, RV_SIGNED, RV_FLOAT } rv_element_kind;

typedef struct rv_element {
    rv_element_kind kind;
    int size; /* bytes: 1, 2, 4 or 8; for a float 4 or 8 */
    bool big; /* big-endian */
} rv_element;

/* Converts `count` elements at `bytes` to `type`: f32 or f64, multiplied by `scale`, or i32.
 * Returns the index of the first integer that does not fit in an i32, or -1. Floats are not
 * converted to i32. */
int64_t rv_element_read(rv_element element, const unsigned char *bytes, int64_t count,
                        rv_dtype type, double scale, void *to);

#endif
