#include "lang/syntax/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lang/syntax/habits.h"
#include "tensor/memory.h"
#include "tensor/name_internal.h"
#include "tensor/text_internal.h"

/* ---- collecting ---- */

bool rv_lang_out_of_memory(lang_report *r)
{
    r->out_of_memory = true;
    return false;
}

static bool known(const lang_report *r, lang_location location)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->at[i].location.source == location.source &&
            r->at[i].location.start == location.start && r->at[i].location.end == location.end)
            return true;
    return false;
}

bool rv_lang_add_problem(lang_report *r, lang_location location, rv_code code, const char *format,
                         ...)
{
    va_list list;
    if (known(r, location)) return false;
    if (r->count == LANG_MOST_PROBLEMS) {
        r->more++;
        return false;
    }
    if (!rv_reserve(&r->at, &r->capacity, r->count + 1, sizeof *r->at))
        return rv_lang_out_of_memory(r);
    lang_problem *p = &r->at[r->count++];
    *p = (lang_problem){.location = location, .code = code};
    va_start(list, format);
    rv_format(p->text, sizeof p->text, format, list);
    va_end(list);
    for (char *c = p->text; *c; c++)
        if ((unsigned char)*c < ' ' && *c != '\n') *c = '?';
    const lang_habit *habit = rv_lang_habit(location);
    if (habit)
        snprintf(p->hint, sizeof p->hint, "%s%s%s", habit->hint, habit->instead ? ": " : "",
                 habit->instead ? habit->instead : "");
    return false;
}

void rv_lang_add_hint(lang_report *r, const char *format, ...)
{
    va_list list;
    if (!r->count || r->more) return;
    lang_problem *p = &r->at[r->count - 1];
    if (*p->hint) return;
    va_start(list, format);
    rv_format(p->hint, sizeof p->hint, format, list);
    va_end(list);
}

const char *rv_lang_to_guess(const lang_report *r, const char *seen)
{
    return r->more ? NULL : seen;
}

void rv_lang_free_report(lang_report *r)
{
    rv_free(r->at);
    *r = (lang_report){0};
}

/* ---- one problem as text ---- */

/* Copies part of a line for a terminal: control characters and invalid UTF-8 become question marks. */
static void copy_line(char *to, const char *line, int width)
{
    memcpy(to, line, (size_t)width);
    to[width] = '\0';
    bool valid = rv_utf8_valid(to, (size_t)width);
    for (unsigned char *c = (unsigned char *)to; *c; c++)
        if ((*c < ' ' && *c != '\t') || *c == 127 || (!valid && *c >= 0x80)) *c = '?';
}

/* Writes the problem in the style of a compiler:
 *     gru.rv:3:15: error: unknown name "brr"
 *         3 |   r = sigmoid(brr + Wr h)
 *           |               ^~~ did you mean "br"? */
static int explain(const lang_problem *p, char *text, size_t size)
{
    enum { WIDEST = 120 };
    if (!p->location.source) return snprintf(text, size, "error: %s\n", p->text);
    const char *start = rv_lang_line_start(p->location),
               *at = p->location.source->text + p->location.start;
    int width = (int)strcspn(start, "\n\r"), marks = 0, length = 0;
    if (at - start > WIDEST - 40)
        start = at - 40; /* of a long line, the part around the location */
    while (rv_lang_continues_character(*start)) start++;
    width = (int)strcspn(start, "\n\r");
    if (width > WIDEST) width = WIDEST;
    while (width > 0 && rv_lang_continues_character(start[width])) width--;
    char line[WIDEST + 1];
    copy_line(line, start, width);
    length += snprintf(text, size, "%s:%d:%d: error: %s\n%5d | %s\n      | ",
                       p->location.source->path, rv_lang_line(p->location),
                       rv_lang_column(p->location), p->text, rv_lang_line(p->location), line);
    char mark[2 * WIDEST + 8];
    for (const char *c = start; c < at && marks < WIDEST; c++)
        if (!rv_lang_continues_character(*c)) mark[marks++] = *c == '\t' ? '\t' : ' ';
    mark[marks++] = '^';
    const char *end = p->location.source->text + p->location.end, *line_end = start + width;
    for (const char *c = at + 1; c < end && c < line_end && marks < 2 * WIDEST; c++)
        if (!rv_lang_continues_character(*c)) mark[marks++] = '~';
    mark[marks] = '\0';
    size_t used = (size_t)length < size ? (size_t)length : size;
    length += snprintf(text + used, size - used, "%s%s%s\n", mark, *p->hint ? " " : "", p->hint);
    return length;
}

/* ---- all problems ---- */

static int compare_locations(const lang_problem *a, const lang_problem *b)
{
    for (const lang_source *s = a->location.source; s && s != b->location.source; s = s->next)
        if (s->next == b->location.source) return -1;
    if (a->location.source != b->location.source) return 1;
    return a->location.start < b->location.start ? -1 : a->location.start > b->location.start;
}

void rv_lang_sort_report(lang_report *r)
{
    for (size_t i = 1; i < r->count; i++) /* insertion sort: stable, and there are few */
        for (size_t k = i; k > 0 && compare_locations(&r->at[k], &r->at[k - 1]) < 0; k--) {
            lang_problem swap = r->at[k];
            r->at[k] = r->at[k - 1];
            r->at[k - 1] = swap;
        }
}

char *rv_lang_report_text(const lang_report *r)
{
    enum { ROOM = LANG_MESSAGE + LANG_HINT + 4096 };
    size_t size = (r->count + 1) * ROOM, used = 0;
    char *text = rv_alloc(size, 1);
    if (!text) return NULL;
    if (r->out_of_memory) snprintf(text, size, "error: out of memory\n");
    for (size_t i = 0; !r->out_of_memory && i < r->count; i++) {
        int wrote = explain(&r->at[i], text + used, ROOM);
        used += wrote < ROOM ? (size_t)wrote : ROOM - 1;
    }
    if (r->more) snprintf(text + used, size - used, "and %zu more\n", r->more);
    return text;
}
