/* Floats of 16 bits, as numbers that f32 represents exactly. */
#ifndef RV_TENSOR_HALF_INTERNAL_H
#define RV_TENSOR_HALF_INTERNAL_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* bfloat16 is the upper half of an f32. */
static inline float rv_float_of_bfloat(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

/* IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. */
static inline float rv_float_of_half(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    float value = exponent == 31  ? fraction ? NAN : INFINITY
                  : exponent == 0 ? ldexpf((float)fraction, -24)
                                  : ldexpf((float)(1024 + fraction), exponent - 25);
    return bits >> 15 ? -value : value;
}

#endif
