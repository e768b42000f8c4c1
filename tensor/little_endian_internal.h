/* Files store numbers in little-endian order. Not part of the public interface. */
#ifndef RV_TENSOR_LITTLE_ENDIAN_INTERNAL_H
#define RV_TENSOR_LITTLE_ENDIAN_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

enum { RV_BIG_ENDIAN = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ };

/* An unsigned integer of 1 to 8 bytes. */
static inline uint64_t rv_little_endian(const unsigned char *bytes, size_t size)
{
    uint64_t value = 0;
    while (size > 0) value = value << 8 | bytes[--size];
    return value;
}

/* Converts `count` numbers of `size` bytes each, in place, from this machine's order or to it. */
static inline void rv_little_endian_convert(void *numbers, size_t count, size_t size)
{
    unsigned char *number = numbers;
    for (; RV_BIG_ENDIAN && count > 0; count--, number += size)
        for (size_t i = 0; i < size / 2; i++) {
            unsigned char byte = number[i];
            number[i] = number[size - 1 - i];
            number[size - 1 - i] = byte;
        }
}

#endif
