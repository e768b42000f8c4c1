#include "tools/profile/timeline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- places, in pixels ---- */

enum {
    WIDTH = 1400,
    LEFT = 84,
    RIGHT = 24,
    PHASES_TOP = 44,
    SCOPES_TOP = 68,
    STRIP = 20,
    LANES_TOP = 96,
    LANE_GAP = 8,
    CHARACTER = 7, /* of the text, 11 pixels high */
    MARGIN = 4     /* around a text in its box */
};

typedef struct canvas {
    FILE *to;
    const profile *of;
    double scale; /* pixels per nanosecond */
    int lane;     /* its height */
} canvas;

static double x_of(const canvas *c, double nanoseconds) { return LEFT + c->scale * nanoseconds; }

static double lane_top(const canvas *c, int thread)
{
    return LANES_TOP + (double)thread * (c->lane + LANE_GAP);
}

/* ---- colours ---- */

static const struct look {
    const char *begins, *fill;
} looks[] = {
    {"conv2d_input", "#a9d0f5"}, {"conv2d_weight", "#5fa2e0"}, {"conv2d", "#84bbee"},
    {"matmul", "#f7b56c"},       {"pointwise", "#9dcc84"},     {"sum", "#ee9a94"},
    {"max", "#ee9a94"},          {"pad", "#cdbdea"},
};

static const char *fill_of(const profile_line *line)
{
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (strncmp(line->words.kind, looks[i].begins, strlen(looks[i].begins)) == 0)
            return looks[i].fill;
    const rv_node *node = rv_tape_node(line->is.tape, line->is.node[0]);
    return node->op->rearranges ? "#cdbdea" : "#cccccc";
}

static const char *const phase_fills[RV_PHASES] = {"#dfeaf6", "#f8dfdb", "#ddf0dc"};

/* ---- parts ---- */

static void put_escaped(FILE *to, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '<')
            fputs("&lt;", to);
        else if (*text == '&')
            fputs("&amp;", to);
        else
            fputc(*text, to);
}

static bool fits(const char *text, double room)
{
    return *text != '\0' && (double)(strlen(text) * CHARACTER + 2 * MARGIN) <= room;
}

/* Centred in a box, across or else upwards, if there is room. */
static bool put_label(FILE *to, const char *text, double x, double y, double width, double height)
{
    bool across = fits(text, width), up = !across && fits(text, height) && width >= 2 * CHARACTER;
    x += width / 2;
    y += height / 2;
    if (!across && !up) return false;
    fprintf(to, "<text class=\"in\" x=\"%.1f\" y=\"%.1f\"", x, y + 4);
    if (up) fprintf(to, " transform=\"rotate(-90 %.1f %.1f)\"", x, y);
    fputc('>', to);
    put_escaped(to, text);
    fputs("</text>\n", to);
    return true;
}

/* Leaves a line between neighbours, unless there would be little else. */
static double gapped(double width) { return width > 2 ? width - 0.7 : fmax(width, 0.3); }

static void put_instruction(const canvas *c, int thread, int64_t i)
{
    const profile *p = c->of;
    const profile_line *line = &p->lines[i];
    const rv_span *span = &p->quickest[thread * p->count + i];
    double x = x_of(c, (double)span->begin), width = x_of(c, (double)span->end) - x;
    double y = lane_top(c, thread);
    char shape[RV_SHAPE_TEXT];
    if (span->begin < 0) return;
    fprintf(c->to,
            "<rect class=\"instruction\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\" "
            "fill=\"%s\"><title>%s: ",
            x, y, gapped(width), c->lane, fill_of(line), rv_phase_name(line->words.phase));
    if (*line->words.scope != '\0') {
        put_escaped(c->to, line->words.scope);
        fputs(" / ", c->to);
    }
    put_escaped(c->to, line->words.text);
    fprintf(c->to, " %s\n%.2f us, %.1f %% of the step; %s allows %.2f us</title></rect>\n",
            rv_shape_text(line->words.shape, shape), 1e6 * line->seconds,
            100 * line->seconds / p->sum, line->bound, 1e6 * line->limit);
    if (!put_label(c->to, line->words.short_text, x, y, width, c->lane))
        put_label(c->to, line->words.kind, x, y, width, c->lane);
}

/* ---- strips: neighbours that have something in common ---- */

static bool same_phase(const profile_line *a, const profile_line *b)
{
    return a->words.phase == b->words.phase;
}

static bool same_scope(const profile_line *a, const profile_line *b)
{
    return same_phase(a, b) && strcmp(a->words.scope, b->words.scope) == 0;
}

/* When the first thread began an instruction; nobody begins one before what an earlier strip has. */
static int64_t begun(const profile *p, int64_t i, int64_t earliest)
{
    int64_t first = INT64_MAX;
    for (int64_t at = i; at < p->threads * p->count; at += p->count)
        if (p->quickest[at].begin >= 0 && p->quickest[at].begin < first)
            first = p->quickest[at].begin;
    return first > earliest ? first : earliest;
}

static void put_strip(const canvas *c, int top,
                      bool (*same)(const profile_line *a, const profile_line *b))
{
    const profile *p = c->of;
    int64_t begin = 0;
    for (int64_t i = 0, next, end; i < p->count; i = next, begin = end) {
        const profile_line *line = &p->lines[i];
        const char *name =
            same == same_phase ? rv_phase_name(line->words.phase) : line->words.scope;
        for (next = i + 1; next < p->count && same(line, &p->lines[next]);) next++;
        end = next < p->count ? begun(p, next, begin) : p->end;
        double x = x_of(c, (double)begin), width = x_of(c, (double)end) - x;
        fprintf(c->to, "<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" fill=\"%s\"><title>",
                x, top, gapped(width), STRIP, phase_fills[line->words.phase]);
        put_escaped(c->to, name);
        fputs("</title></rect>\n", c->to);
        put_label(c->to, name, x, top, width, STRIP);
    }
}

/* ---- around them ---- */

/* 1, 2 or 5 times a power of ten, so that there are some ten ticks. */
static double tick_step(double total)
{
    double step = pow(10, floor(log10(total / 10)));
    return total / step > 50 ? 5 * step : total / step > 20 ? 2 * step : step;
}

static void put_axis(const canvas *c, double y)
{
    double total = 1e-3 * (double)c->of->end, step = tick_step(total);
    int digits = step < 1 ? (int)ceil(-log10(step)) : 0;
    fprintf(c->to, "<path d=\"M%d %.1fH%d\" stroke=\"#444\"/>\n", LEFT, y, WIDTH - RIGHT);
    for (int k = 0; k * step <= total; k++) {
        double x = x_of(c, 1e3 * k * step);
        fprintf(c->to,
                "<path d=\"M%.1f %.1fv5\" stroke=\"#444\"/>"
                "<text class=\"in\" x=\"%.1f\" y=\"%.1f\">%.*f</text>\n",
                x, y, x, y + 18, digits, k * step);
    }
    fprintf(c->to, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">us</text>\n", LEFT - 16, y + 18);
}

static const char *fill_of_kind(const profile *p, const char *kind)
{
    int64_t i = 0;
    while (strcmp(p->lines[i].words.kind, kind) != 0) i++;
    return fill_of(&p->lines[i]);
}

/* Wraps where the picture ends. A NULL file: only the height. */
static double put_legend(const profile *p, FILE *to, double top)
{
    double x = LEFT, y = top;
    for (int64_t k = 0; k < p->kind_count; k++) {
        char text[96];
        snprintf(text, sizeof text, "%s %.1f %%", p->kinds[k].name,
                 100 * p->kinds[k].seconds / p->sum);
        double width = 40 + (double)strlen(text) * CHARACTER;
        if (x + width > WIDTH - RIGHT) {
            x = LEFT;
            y += 22;
        }
        if (to)
            fprintf(to,
                    "<rect x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"14\" fill=\"%s\"/>"
                    "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n",
                    x, y, fill_of_kind(p, p->kinds[k].name), x + 20, y + 11, text);
        x += width;
    }
    return y + 30 - top;
}

static void draw(const canvas *c, const char *title)
{
    const profile *p = c->of;
    double bottom = lane_top(c, p->threads);
    fprintf(c->to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
            "viewBox=\"0 0 %d %.0f\">\n<style>text{font:11px monospace;fill:#222}"
            ".in{text-anchor:middle;pointer-events:none}.head{font:bold 15px sans-serif}"
            "</style>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
            "<text class=\"head\" x=\"%d\" y=\"26\">",
            WIDTH, bottom + 32 + put_legend(p, NULL, 0), WIDTH,
            bottom + 32 + put_legend(p, NULL, 0), LEFT);
    put_escaped(c->to, title);
    fputs("</text>\n", c->to);
    put_strip(c, PHASES_TOP, same_phase);
    put_strip(c, SCOPES_TOP, same_scope);
    for (int thread = 0; thread < p->threads; thread++) {
        double y = lane_top(c, thread);
        fprintf(c->to,
                "<rect x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%d\" fill=\"#f4f4f4\"/>"
                "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">thread %d</text>\n",
                LEFT, y, WIDTH - LEFT - RIGHT, c->lane, LEFT - 8, y + c->lane / 2.0 + 4,
                thread + 1);
        for (int64_t i = 0; i < p->count; i++) put_instruction(c, thread, i);
    }
    put_axis(c, bottom);
    put_legend(p, c->to, bottom + 32);
    fputs("</svg>\n", c->to);
}

char *timeline_draw(const profile *p, const char *title)
{
    char *text = NULL;
    size_t size;
    canvas c = {.to = open_memstream(&text, &size),
                .of = p,
                .scale = (WIDTH - LEFT - RIGHT) / (double)p->end,
                .lane = p->threads <= 2   ? 200
                        : p->threads <= 4 ? 90
                                          : 40};
    if (!c.to) return NULL;
    draw(&c, title);
    if (fclose(c.to) == 0) return text;
    free(text);
    return NULL;
}
