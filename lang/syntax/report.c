#include "lang/syntax/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lang/syntax/habits.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "tensor/utf8_internal.h"

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

static void set_fix(lang_problem *p, const char *text)
{
    p->has_fix = true;
    rv_print(p->fix, sizeof p->fix, "%-s", text);
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
    const lang_habit *habit = rv_lang_habit(location, &p->wrong);
    if (habit)
        snprintf(p->hint, sizeof p->hint, "%s%s%s", habit->hint, habit->instead ? ": " : "",
                 habit->instead ? habit->instead : "");
    if (habit && habit->write) set_fix(p, habit->write);
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

bool rv_lang_suggest(lang_report *r, lang_location location, const char *name)
{
    if (!name) return false;
    lang_problem *p = r->count && !r->more ? &r->at[r->count - 1] : NULL;
    if (!p || *p->hint) return true;
    rv_lang_add_hint(r, "did you mean \"%s\"?", name);
    p->wrong = location;
    set_fix(p, name);
    return true;
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

/* Puts `mark` below each column of a part of the line, or its tabs, except below the first `skip`
 * columns. */
static void put_columns(rv_text *t, const char *from, const char *to, char mark, size_t skip)
{
    char shown[RV_VISIBLE];
    while (from < to) {
        bool tab = *from == '\t';
        size_t length = rv_visible(from, (size_t)(to - from), shown);
        for (size_t i = tab ? 1 : rv_visible_columns(shown); i > 0; i--)
            if (skip > 0)
                skip--;
            else
                rv_put(t, "%-c", tab ? '\t' : mark);
        from += length;
    }
}

/* Puts the problem in the style of a compiler:
 *     gru.rv:3:15: error: unknown name "brr"
 *         3 |   r = sigmoid(brr + Wr h)
 *           |               ^~~ did you mean "br"? */
static void explain(rv_text *t, const lang_problem *p)
{
    enum { WIDEST = 120 };
    if (!p->location.source) {
        rv_put(t, "error: %-s\n", p->text);
        return;
    }
    const char *start = rv_lang_line_start(p->location),
               *at = p->location.source->text + p->location.start,
               *end = p->location.source->text + p->location.end;
    if (at - start > WIDEST - 40)
        start = at - 40; /* of a long line, the part around the location */
    while (rv_lang_continues_character(*start) && start < at) start++;
    int width = (int)strcspn(start, "\n\r");
    if (width > WIDEST) width = WIDEST;
    while (width > 0 && rv_lang_continues_character(start[width])) width--;
    const char *line_end = start + width;
    char excerpt[WIDEST + 1];
    memcpy(excerpt, start, (size_t)width);
    excerpt[width] = '\0';
    int line = rv_lang_line(p->location);
    rv_put(t, "%s:%d:%d: error: %-s\n%5d | %-s\n      | ", p->location.source->path, line,
           rv_lang_column(p->location), p->text, line, excerpt);
    put_columns(t, start, at < line_end ? at : line_end, ' ', 0);
    rv_put(t, "^");
    if (at < line_end) put_columns(t, at, end < line_end ? end : line_end, '~', 1);
    rv_put(t, "%s%-s\n", *p->hint ? " " : "", p->hint);
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
    size_t size = (r->count + 1) * ROOM;
    char *text = rv_alloc(size, 1);
    if (!text) return NULL;
    rv_text t = {text, text + size};
    if (r->out_of_memory) rv_put(&t, "error: out of memory\n");
    for (size_t i = 0; !r->out_of_memory && i < r->count; i++) explain(&t, &r->at[i]);
    if (r->more) rv_put(&t, "and %zu more\n", r->more);
    return text;
}
