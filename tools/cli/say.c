#include "tools/cli/say.h"

#include <stdarg.h>

#include "tensor/text_internal.h"

void say(FILE *to, const char *format, ...)
{
    char text[RV_ERROR_TEXT];
    va_list arguments;
    va_start(arguments, format);
    if (rv_format(text, sizeof text, format, arguments) >= 0) fputs(text, to);
    va_end(arguments);
}
