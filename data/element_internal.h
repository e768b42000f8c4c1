/* Numbers as files hold them: kind, size and order of bytes. Private to data/. */
#ifndef RV_DATA_ELEMENT_INTERNAL_H
#define RV_DATA_ELEMENT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/tensor.h"

typedef enum rv_element_kind { RV_UNSIGNED, RV_SIGNED, RV_FLOAT } rv_element_kind;

typedef struct rv_element {
    rv_element_kind kind;
    int size; /* bytes: 1, 2, 4 or 8; of a float 4 or 8 */
    bool big; /* the most significant byte first */
} rv_element;

/* `count` elements at `bytes` into `to`: f32 or f64, times `scale`, or i32. Returns the index of the
 * first whole number that an i32 does not hold, or -1. A float never goes to i32. */
int64_t rv_element_read(rv_element element, const unsigned char *bytes, int64_t count,
                        rv_dtype type, double scale, void *to);

#endif
