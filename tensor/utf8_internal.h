/* UTF-8, and text from outside made safe to show. Not part of the public interface. */
#ifndef RV_TENSOR_UTF8_INTERNAL_H
#define RV_TENSOR_UTF8_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the bytes are valid UTF-8: shortest forms only, no surrogates, nothing above U+10FFFF. */
bool rv_utf8_valid(const char *text, size_t size);

/* The number of bytes of the character at `text`, which has `size` > 0 bytes left; 0 if it is not
 * valid UTF-8. */
size_t rv_utf8_length(const char *text, size_t size);

/* Text from outside must not control a terminal, forge a line or make a file unreadable. rv_visible
 * copies one character to `shown`, with a NUL, and returns its bytes. Bytes that are no valid UTF-8
 * and ASCII control characters become "\x1b". Other control characters, those that change the
 * direction of text or end a line, and code points that are no characters become "\u202e". The
 * visible form is its own visible form. */
enum { RV_VISIBLE = 8 };
size_t rv_visible(const char *text, size_t size, char shown[RV_VISIBLE]);

/* The columns that a visible form takes: 1, or the length of an escape. */
size_t rv_visible_columns(const char shown[RV_VISIBLE]);

#ifdef __cplusplus
}
#endif

#endif
