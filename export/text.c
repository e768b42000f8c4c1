#include "export/text_internal.h"

#include <stdarg.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"

void rv_write(rv_writer *w, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = rv_format(NULL, 0, format, arguments);
    va_end(arguments);
    if (!w->failed && length >= 0 &&
        rv_reserve(&w->at, &w->capacity, w->length + (size_t)length + 1, 1)) {
        /* the length above is an upper bound */
        w->length += (size_t)rv_format(w->at + w->length, (size_t)length + 1, format, again);
    } else {
        w->failed = true;
    }
    va_end(again);
}
