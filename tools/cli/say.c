#include "tools/cli/say.h"

#include <stdarg.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "tensor/utf8_internal.h"

int say(FILE *to, const char *format, ...)
{
    char text[1024], *whole = NULL;
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = rv_format(text, sizeof text, format, arguments);
    if (length >= (int)sizeof text && (whole = rv_alloc((size_t)length + 1, 1)))
        rv_format(whole, (size_t)length + 1, format, again);
    if (length >= 0) fputs(whole ? whole : text, to);
    rv_free(whole);
    va_end(again);
    va_end(arguments);
    return length;
}

void say_lines(FILE *to, const char *text, size_t size)
{
    char shown[RV_VISIBLE];
    for (size_t at = 0; at < size;) {
        bool kept = text[at] == '\n' || text[at] == '\t';
        if (kept) fputc(text[at], to);
        at += rv_visible(text + at, size - at, shown);
        if (!kept) fputs(shown, to);
    }
}

void say_cell(FILE *to, const char *text)
{
    bool quoted = text[strcspn(text, ",\"")] != '\0';
    if (quoted) fputc('"', to);
    while (*text != '\0') {
        size_t plain = strcspn(text, "\"");
        say(to, "%.*s", (int)plain, text);
        text += plain;
        if (*text == '"') fputs("\"\"", to);
        text += *text == '"';
    }
    if (quoted) fputc('"', to);
}
