/* Reads numbers of any size and byte order. */
#include "data/files/element.h"

#include <string.h>

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
    for (int64_t i = 0; i < count; i++) {
        uint64_t bits = bits_of(e, bytes + i * e.size);
        int64_t whole = e.kind == RV_SIGNED ? widen(bits, e.size) : (int64_t)bits;
        bool fits =
            e.kind == RV_SIGNED ? whole >= INT32_MIN && whole <= INT32_MAX : bits <= INT32_MAX;
        if (!fits) return i;
        value[i] = (int32_t)whole;
    }
    return -1;
}
