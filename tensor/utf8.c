#include "tensor/utf8_internal.h"

#include <stdint.h>
#include <string.h>

/* The code point that `length` valid bytes encode. */
static uint32_t code_point(const unsigned char *text, size_t length)
{
    uint32_t point = length == 1 ? text[0] : text[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) point = point << 6 | (text[i] & 0x3fu);
    return point;
}

/* RFC 3629. */
size_t rv_utf8_length(const char *text, size_t size)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000}; /* by length */
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned char lead = bytes[0];
    if (lead < 0x80) return 1;
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || length > size) return 0;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xc0) != 0x80) return 0;
    uint32_t point = code_point(bytes, length);
    bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point < smallest[length] || point > 0x10ffff || surrogate ? 0 : length;
}

bool rv_utf8_valid(const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t length = rv_utf8_length(text + at, size - at);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

/* The characters above ASCII that are not shown as they are. All have at most 16 bits. */
static bool is_hidden(uint32_t point)
{
    return (point >= 0x80 && point <= 0x9f) ||     /* C1 control characters */
           (point >= 0x2028 && point <= 0x202e) || /* line and paragraph ends, directions */
           (point >= 0x2066 && point <= 0x2069) || /* isolated directions */
           point == 0xfffe || point == 0xffff;     /* not characters: XML has none of them */
}

static void escape(char *to, char letter, int digits, uint32_t number)
{
    *to++ = '\\';
    *to++ = letter;
    while (digits > 0) *to++ = "0123456789abcdef"[number >> 4 * --digits & 15];
    *to = '\0';
}

size_t rv_visible(const char *text, size_t size, char shown[RV_VISIBLE])
{
    size_t length = rv_utf8_length(text, size);
    uint32_t point = code_point((const unsigned char *)text, length > 0 ? length : 1);
    if (length == 0 || point < 0x20 || point == 0x7f) {
        escape(shown, 'x', 2, (unsigned char)*text);
        return 1;
    }
    if (is_hidden(point)) {
        escape(shown, 'u', 4, point);
    } else {
        memcpy(shown, text, length);
        shown[length] = '\0';
    }
    return length;
}

size_t rv_visible_columns(const char shown[RV_VISIBLE])
{
    return shown[0] == '\\' ? strlen(shown) : 1;
}
