/* Lines and columns of locations. */
#include "lang/syntax/source.h"

bool rv_lang_continues_character(char c) { return ((unsigned char)c & 0xC0) == 0x80; }

bool rv_lang_find_lines(lang_source *s, lang_arena *arena)
{
    size_t lines = 1;
    for (size_t i = 0; i < s->size; i++) lines += s->text[i] == '\n';
    uint32_t *line = rv_lang_allocate(arena, lines * sizeof *line);
    if (!line) return false;
    s->line = line;
    s->lines = lines;
    for (size_t i = 0; i < s->size; i++)
        if (s->text[i] == '\n') *++line = (uint32_t)i + 1;
    return true;
}

int rv_lang_line(lang_location p)
{
    size_t low = 0, high = p.source ? p.source->lines : 1; /* it is in low .. high-1 */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (p.source->line[middle] <= p.start)
            low = middle;
        else
            high = middle;
    }
    return (int)low + 1;
}

const char *rv_lang_line_start(lang_location p)
{
    return p.source->text + (p.source->line ? p.source->line[rv_lang_line(p) - 1] : 0);
}

int rv_lang_column(lang_location p)
{
    int column = 1;
    if (!p.source) return 1;
    for (const char *c = rv_lang_line_start(p); c < p.source->text + p.start; c++)
        column += !rv_lang_continues_character(*c);
    return column;
}

int rv_lang_length(lang_location p)
{
    int length = 0;
    for (uint32_t i = p.start;
         p.source && i < p.end && p.source->text[i] != '\n' && p.source->text[i] != '\r'; i++)
        length += !rv_lang_continues_character(p.source->text[i]);
    return length;
}
