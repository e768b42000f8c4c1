/* Errors as values: keep the first, format its text, return false. */
#include "tensor/error.h"

#include <stdarg.h>

#include "tensor/text_internal.h"

bool rv_fail(rv_error *error, rv_code code, const char *format, ...)
{
    if (!error || error->code != RV_OK) return false;
    error->code = code;
    va_list arguments;
    va_start(arguments, format);
    if (rv_format(error->text, sizeof error->text, format, arguments) < 0) {
        error->text[0] = '\0';
    }
    va_end(arguments);

    /* A name from a file must not drive the reader's terminal. */
    for (char *c = error->text; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        if ((byte < 0x20 && byte != '\n') || byte == 0x7f) {
            *c = '?';
        }
    }
    return false;
}

const char *rv_code_text(rv_code code)
{
    switch (code) {
    case RV_OK: return "no error";
    case RV_ERROR_ARGUMENT: return "a value outside what the function takes";
    case RV_ERROR_SHAPE: return "shapes that do not fit";
    case RV_ERROR_DTYPE: return "an element type that the operation does not take";
    case RV_ERROR_NAME: return "an unknown, malformed or doubly used name";
    case RV_ERROR_MEMORY: return "memory is out";
    case RV_ERROR_IO: return "the system refused to read or write a file";
    case RV_ERROR_FORMAT: return "a file does not hold what it should";
    case RV_ERROR_GRADIENT: return "a gradient was asked for that does not exist";
    case RV_ERROR_BUSY: return "another thread is using the store; give each thread its own";
    case RV_ERROR_NUMBER: return "a value is NaN or infinite";
    }
    return "an unknown error";
}

bool rv_fail_memory(rv_error *error)
{
    return rv_fail(error, RV_ERROR_MEMORY, "out of memory; use smaller shapes or batches");
}
