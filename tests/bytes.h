/* Numbers as files store them, on a machine of either byte order. */
#ifndef RV_TESTS_BYTES_H
#define RV_TESTS_BYTES_H

#include <cstring>
#include <string>

/* The bytes of a value in big-endian order. */
template <class T> std::string big(T value)
{
    std::string bytes(sizeof value, 0);
    std::memcpy(&bytes[0], &value, sizeof value);
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? bytes
                                                  : std::string(bytes.rbegin(), bytes.rend());
}

template <class T> std::string little(T value)
{
    const std::string bytes = big(value);
    return {bytes.rbegin(), bytes.rend()};
}

#endif
