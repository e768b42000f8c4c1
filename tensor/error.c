/* Errors as values: keep the first, format its text, return false. */
#include "tensor/error.h"

#include <stdarg.h>

#include "tensor/text.h"

bool rv_fail(rv_error *error, rv_code code, const char *format, ...)
{
    if (error == NULL || error->code != RV_OK) return false;
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

bool rv_fail_memory(rv_error *error)
{
    return rv_fail(error, RV_ERROR_MEMORY, "out of memory; use smaller shapes or batches");
}
