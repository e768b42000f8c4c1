/* Numbers as files store them: kind, size and byte order. Private to data/. */
#ifndef RV_DATA_FILES_ELEMENT_H
#define RV_DATA_FILES_ELEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/tensor.h"

typedef enum rv_element_kind { RV_UNSIGNED, RV_SIGNED, RV_FLOAT, RV_BFLOAT } rv_element_kind;

typedef struct rv_element {
    rv_element_kind kind;
    int size; /* bytes: 1, 2, 4 or 8; for a float 2, 4 or 8; for a bfloat16 2 */
    bool big; /* big-endian */
} rv_element;

/* Converts `count` elements at `bytes` to `type`: f32 or f64, multiplied by `scale`, or i32.
 * Returns the index of the first number that is not an integer that an i32 holds, or -1. */
int64_t rv_element_read(rv_element element, const unsigned char *bytes, int64_t count,
                        rv_dtype type, double scale, void *to);

/* The name that NumPy has for it, without the byte order: "u1"; "bf16" for a bfloat16. */
const char *rv_element_name(rv_element element);

#endif
