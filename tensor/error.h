/* Errors are values: a stable code for programs and one sentence or two for people. */
#ifndef RV_TENSOR_ERROR_H
#define RV_TENSOR_ERROR_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Stable: a code keeps its number. */
typedef enum rv_code {
    RV_OK = 0,
    RV_ERROR_ARGUMENT = 1, /* a value outside what the function takes */
    RV_ERROR_SHAPE = 2,    /* shapes that do not fit each other, or whose size overflows */
    RV_ERROR_DTYPE = 3,    /* an element type the operation does not take */
    RV_ERROR_NAME = 4,     /* an unknown, malformed or doubly used name */
    RV_ERROR_MEMORY = 5,   /* an allocation failed */
    RV_ERROR_IO = 6,       /* the system refused to read or write a file */
    RV_ERROR_FORMAT = 7,   /* a file does not hold what it should */
    RV_ERROR_GRADIENT = 8, /* a gradient was asked for that does not exist */
    RV_ERROR_BUSY = 9,     /* another thread is using it */
    RV_ERROR_NUMBER = 10   /* a value is NaN or infinite */
} rv_code;

/* A few words for each, for functions that return a code alone: "memory is out". */
const char *rv_code_text(rv_code code);

enum { RV_ERROR_TEXT = 1024 };

/* Start it as {0}. The text says what was seen, what was expected and what to do. */
typedef struct rv_error {
    rv_code code;
    char text[RV_ERROR_TEXT];
} rv_error;

#if defined(__GNUC__)
#define RV_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define RV_PRINTF(text, first)
#endif

/* Records an error unless one is there already: the first is the cause. `error` may be NULL.
 * Control characters other than newline become '?', since names may come from a hostile file.
 * Always returns false, so that a function can `return rv_fail(...)`. */
bool rv_fail(rv_error *error, rv_code code, const char *format, ...) RV_PRINTF(3, 4);

/* rv_fail for the one message every allocation shares. */
bool rv_fail_memory(rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
