/* Errors are values: a stable code for programs and a message for people.
 *
 * A call out of contract is an error, too: NULL, a number, size, rank, dtype or enumerator out of
 * range, a var of another tape. It is reported as the function reports its errors: by false, NULL
 * or the null var, with RV_ERROR_ARGUMENT or a more exact code. A function that reports no errors
 * then does nothing, and returns NULL, 0, NaN or "". So no check is needed before a call.
 *
 * Some mistakes cannot be detected, and are forbidden:
 * - a pointer that is dangling, or to memory that is smaller than a header says: an array of
 *   `count` elements, a tensor's data, a text buffer, a text without its NUL;
 * - a change to an object other than through the library: the fields of an rv_entry, an rv_node, an
 *   rv_setup; the shape of a program's input or output;
 * - freeing an object twice, or before one that needs it (tensor/store.h says which);
 * - what a function that the program gives to the library may do: a kernel writes all of its output
 *   and nothing else, a source's `read` fills one sample. */
#ifndef RV_TENSOR_ERROR_H
#define RV_TENSOR_ERROR_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Codes are stable: they keep their numbers. */
typedef enum rv_code {
    RV_OK = 0,
    RV_ERROR_ARGUMENT = 1, /* an argument is out of range */
    RV_ERROR_SHAPE = 2,    /* shapes are incompatible, or their size overflows */
    RV_ERROR_DTYPE = 3,    /* the operation does not support the element type */
    RV_ERROR_NAME = 4,     /* a name is unknown, malformed or a duplicate */
    RV_ERROR_MEMORY = 5,   /* an allocation failed */
    RV_ERROR_IO = 6,       /* the system could not read or write a file */
    RV_ERROR_FORMAT = 7,   /* the content of a file is invalid */
    RV_ERROR_GRADIENT = 8, /* the requested gradient does not exist */
    RV_ERROR_BUSY = 9,     /* another thread is using the store */
    RV_ERROR_NUMBER = 10,  /* a value is NaN or infinite */
    RV_ERROR_LIMIT = 11    /* the work reached a limit, or the caller stopped it */
} rv_code;

/* A short text for a code, for functions that return only a code: "out of memory". */
const char *rv_code_text(rv_code code);

enum { RV_ERROR_TEXT = 1024 };

/* Initialize to {0}. The text says what was found, what was expected and what to do. */
typedef struct rv_error {
    rv_code code;
    char text[RV_ERROR_TEXT];
} rv_error;

#if defined(__GNUC__)
#define RV_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define RV_PRINTF(text, first)
#endif

/* Records an error unless *error already holds one: the first is the cause. `error` may be NULL.
 * The format is like printf's without %n and %L, with numbers in the C locale. %s and %c show text
 * from outside on one line: control characters, characters that change the direction of text and
 * invalid UTF-8 are written as "\x1b" or "\u202e". %-s, a '-' without a width, keeps newlines and
 * tabs: the text of another error. So every error's text is valid UTF-8 that can be printed.
 * Returns false, so that a function can `return rv_fail(...)`. */
bool rv_fail(rv_error *error, rv_code code, const char *format, ...) RV_PRINTF(3, 4);

/* rv_fail with the message for a failed allocation. */
bool rv_fail_memory(rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
