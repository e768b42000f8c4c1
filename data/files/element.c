/* Reads numbers of any size and byte order. */
#include "data/files/element.h"

#include <string.h>

#include "tensor/half_internal.h"

static uint64_t bits_of(rv_element e, const unsigned char *bytes)
{
    uint64_t bits = 0;
    for (int i = 0; i < e.size; i++) {
        bits = bits << 8 | bytes[e.big ? i : e.size - 1 - i];
    }
    return bits;
}

/* Sign-extends a two's complement number of `size` bytes to 64 bits. */
static int64_t widen(uint64_t bits, int size)
{
    int unused = 64 - 8 * size;
    return (int64_t)(bits << unused) >> unused;
}

static double number_of(rv_element e, const unsigned char *bytes)
{
    uint64_t bits = bits_of(e, bytes);
    if (e.kind == RV_UNSIGNED) return (double)bits;
    if (e.kind == RV_SIGNED) return (double)widen(bits, e.size);
    if (e.kind == RV_BFLOAT) return (double)rv_float_of_bfloat((uint16_t)bits);
    if (e.size == 2) return (double)rv_float_of_half((uint16_t)bits);
    if (e.size == 8) {
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return (double)value;
}

/* The nearest f32; infinity outside its range, where C leaves the conversion undefined. */
static float narrow(double value)
{
    const double most = 3.4028235677973366e+38; /* halfway from the largest f32 to 2^128 */
    if (value >= most) return __builtin_inff();
    if (value <= -most) return -__builtin_inff();
    return (float)value;
}

const char *rv_element_name(rv_element e)
{
    static const char *const names[][9] = {{[1] = "u1", [2] = "u2", [4] = "u4", [8] = "u8"},
                                           {[1] = "i1", [2] = "i2", [4] = "i4", [8] = "i8"},
                                           {[2] = "f2", [4] = "f4", [8] = "f8"},
                                           {[2] = "bf16"}};
    return names[e.kind][e.size];
}

/* The number as an i32, if it is an integer that fits. */
static bool whole_of(rv_element e, const unsigned char *bytes, int32_t *whole)
{
    if (e.kind == RV_FLOAT || e.kind == RV_BFLOAT) {
        double value = number_of(e, bytes);
        bool fits = value >= INT32_MIN && value <= INT32_MAX && value == (double)(int32_t)value;
        *whole = fits ? (int32_t)value : 0;
        return fits;
    }
    uint64_t bits = bits_of(e, bytes);
    int64_t value = e.kind == RV_SIGNED ? widen(bits, e.size) : (int64_t)bits;
    *whole = (int32_t)value;
    return e.kind == RV_SIGNED ? value >= INT32_MIN && value <= INT32_MAX : bits <= INT32_MAX;
}

int64_t rv_element_read(rv_element e, const unsigned char *bytes, int64_t count, rv_dtype type,
                        double scale, void *to)
{
    if (type == RV_F32) {
        float *value = to;
        if (e.kind == RV_UNSIGNED && e.size == 1) {
            for (int64_t i = 0; i < count; i++) value[i] = (float)(bytes[i] * scale);
            return -1;
        }
        for (int64_t i = 0; i < count; i++) {
            value[i] = narrow(number_of(e, bytes + i * e.size) * scale);
        }
        return -1;
    }
    if (type == RV_F64) {
        double *value = to;
        for (int64_t i = 0; i < count; i++) value[i] = number_of(e, bytes + i * e.size) * scale;
        return -1;
    }
    int32_t *value = to;
    for (int64_t i = 0; i < count; i++)
        if (!whole_of(e, bytes + i * e.size, &value[i])) return i;
    return -1;
}
