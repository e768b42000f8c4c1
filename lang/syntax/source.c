/* Lines and columns of locations. */
#include "lang/syntax/source.h"

bool rv_lang_continues_character(char c) { return ((unsigned char)c & 0xC0) == 0x80; }

const char *rv_lang_line_start(lang_location p)
{
    const char *at = p.source->text + p.start;
    while (at > p.source->text && at[-1] != '\n') at--;
    return at;
}

int rv_lang_line(lang_location p)
{
    int line = 1;
    for (uint32_t i = 0; p.source && i < p.start; i++) line += p.source->text[i] == '\n';
    return line;
}

int rv_lang_column(lang_location p)
{
    int column = 1;
    if (!p.source) return 1;
    for (const char *c = rv_lang_line_start(p); c < p.source->text + p.start; c++)
        column += !rv_lang_continues_character(*c);
    return column;
}
