/* Errors as values: keeps the first, formats its text, returns false. */
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
    return false;
}

const char *rv_code_text(rv_code code)
{
    switch (code) {
    case RV_OK: return "no error";
    case RV_ERROR_ARGUMENT: return "an argument is out of range";
    case RV_ERROR_SHAPE: return "shapes are incompatible";
    case RV_ERROR_DTYPE: return "the operation does not support the element type";
    case RV_ERROR_NAME: return "a name is unknown, malformed or a duplicate";
    case RV_ERROR_MEMORY: return "out of memory";
    case RV_ERROR_IO: return "the system could not read or write a file";
    case RV_ERROR_FORMAT: return "the content of a file is invalid";
    case RV_ERROR_GRADIENT: return "the requested gradient does not exist";
    case RV_ERROR_BUSY: return "another thread is using the store; give each thread its own";
    case RV_ERROR_NUMBER: return "a value is NaN or infinite";
    case RV_ERROR_LIMIT: return "the work reached a limit, or the caller stopped it";
    }
    return "an unknown error";
}

bool rv_fail_memory(rv_error *error)
{
    return rv_fail(error, RV_ERROR_MEMORY, "out of memory; use smaller shapes or batches");
}
