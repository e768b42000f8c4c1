#include "tools/plot/heatmap.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/plot/gnuplot.h"
#include "tools/cli/say.h"

/* ---- layout, in pixels ---- */

enum {
    LEFT = 104,
    RIGHT = 84, /* margin for the colour keys */
    TOP = 52,
    HEAD = 20, /* height of the channel labels */
    BOTTOM = 46,
    BETWEEN = 16, /* space between rows */
    GAP = 5,      /* space between tiles */
    GROUP = 22,   /* space between channels side by side */
    ACROSS = 960, /* largest width of all tiles */
    TILE = 88,    /* largest size of a tile */
    LEAST_TILE = 34,
    MAP_WIDTH = 720, /* largest width of a heat map */
    LEAST_WIDTH = 260,
    CHARACTER = 10 /* width of a character of the title */
};

typedef struct layout {
    const heat_picture *of;
    FILE *to;
    double pitch;   /* distance between steps */
    double channel; /* distance between channels side by side; 0: channels are stacked */
    double tile;
    double across; /* width of all steps of all channels */
    int top;
    int width, height;
} layout;

static bool has_tiles(const heat_row *r) { return r->width > 1; }

static bool all_tiles(const heat_picture *p)
{
    bool all = true;
    for (int i = 0; i < p->count; i++) all = all && has_tiles(&p->rows[i]);
    return all;
}

/* A unit of a heat map is 9 pixels high, or less if there are many. */
static double row_height(const layout *l, const heat_row *r)
{
    if (has_tiles(r) && l->channel > 0) return l->tile;
    if (has_tiles(r)) return (double)r->channels * (l->tile + GAP) - GAP;
    return fmin(fmax(9.0 * (double)r->height, 26), 150);
}

static int64_t most_channels(const heat_picture *p)
{
    int64_t most = 1;
    for (int i = 0; i < p->count; i++)
        if (p->rows[i].channels > most) most = p->rows[i].channels;
    return most;
}

/* Channels are side by side if all their steps fit, otherwise stacked. */
static void lay_tiles(layout *l)
{
    const heat_picture *p = l->of;
    double steps = (double)p->steps, channels = (double)most_channels(p);
    double beside = (ACROSS - (channels - 1) * GROUP) / (steps * channels) - GAP;
    bool fits = channels > 1 && beside >= 48;
    l->tile = fmin(fmax(fits ? beside : ACROSS / steps - GAP, LEAST_TILE), TILE);
    l->pitch = l->tile + GAP;
    l->channel = fits ? steps * l->pitch + GROUP : 0;
    l->across = fits ? channels * l->channel - GROUP : steps * l->pitch;
}

static layout lay_out(const heat_picture *p)
{
    layout l = {.of = p};
    if (all_tiles(p)) {
        lay_tiles(&l);
    } else {
        l.pitch = fmin(fmax((double)MAP_WIDTH / (double)p->steps, 1), 60);
        l.tile = fmin(fmax(l.pitch - GAP, LEAST_TILE), TILE);
        for (int i = 0; i < p->count; i++)
            if (has_tiles(&p->rows[i]) && p->rows[i].steps == 1) l.tile = TILE;
        l.across = l.pitch * (double)p->steps;
    }
    l.top = TOP + (l.channel > 0 ? HEAD : 0);
    double height = l.top + BOTTOM - BETWEEN;
    for (int i = 0; i < p->count; i++) height += row_height(&l, &p->rows[i]) + BETWEEN;
    size_t title = LEFT + CHARACTER * strlen(p->title) + 16;
    l.width = LEFT + (int)fmax(l.across, LEAST_WIDTH - RIGHT) + RIGHT;
    if ((size_t)l.width < title) l.width = (int)title;
    l.height = (int)height;
    return l;
}

/* ---- colours ---- */

typedef struct range {
    double low, high;
} range;

static range range_of(const heat_row *r)
{
    if (r->scale) r = r->scale;
    int64_t count = r->steps * r->channels * r->height * r->width;
    double low = 0, high = 0;
    for (int64_t i = 0; i < count; i++) {
        low = fmin(low, r->values[i]);
        high = fmax(high, r->values[i]);
    }
    double most = fmax(fmax(-low, high), 1e-6);
    if (r->palette == HEAT_FRACTION) return (range){0, 1};
    if (r->palette == HEAT_SIGNED) return (range){-most, most};
    return (range){low, fmax(high, low + 1e-6)};
}

static void put_palette(FILE *to, const heat_row *r)
{
    static const char *const palettes[] = {
        [HEAT_GREY] = "0 '#ffffff', 1 '#101010'",
        [HEAT_FRACTION] = "0 '#fcfbfd', 0.25 '#dadaeb', 0.5 '#9e9ac8', 0.75 '#6a51a3', 1 '#3f007d'",
        [HEAT_SIGNED] = "-1 '#08519c', -0.5 '#6baed6', 0 '#ffffff', 0.5 '#fb6a4a', 1 '#a50f15'"};
    range c = range_of(r);
    say(to, "set palette defined (%s)\nset cbrange [%.9g:%.9g]\n", palettes[r->palette], c.low,
        c.high);
    say(to, "set cbtics (");
    if (r->palette == HEAT_SIGNED) say(to, "'0' 0, ");
    say(to, "'%.2g' %.9g, '%.2g' %.9g)\n", c.low, c.low, c.high, c.high);
}

/* ---- a row ---- */

static void put_matrix(FILE *to, int block, const double *values, int64_t height, int64_t width,
                       int64_t down, int64_t across)
{
    say(to, "$m%d << END\n", block);
    for (int64_t y = 0; y < height; y++, fputc('\n', to))
        for (int64_t x = 0; x < width; x++) say(to, "%.6g ", values[y * down + x * across]);
    say(to, "END\n");
}

/* Where a matrix is drawn: its corner and the size of a cell. */
typedef struct box {
    double x, y, across, down;
    int64_t width, height;
} box;

static void put_frame(FILE *to, const box *b)
{
    say(to,
        "set object rectangle from %.2f,%.2f to %.2f,%.2f front fs empty border lc rgb "
        "'#b0b0b0' lw 0.6\n",
        b->x, b->y, b->x + b->across * (double)b->width, b->y + b->down * (double)b->height);
}

static void put_image(FILE *to, int block, const box *b)
{
    say(to, "%s$m%d matrix using (%.3f+%.6f*$1):(%.3f+%.6f*$2):3 with image notitle",
        block ? ", " : "plot ", block, b->x + b->across / 2, b->across, b->y + b->down / 2,
        b->down);
}

static box tile_box(const layout *l, const heat_row *r, double top, int64_t step, int64_t channel)
{
    return (box){LEFT + (double)step * l->pitch + (double)channel * l->channel,
                 top + (l->channel > 0 ? 0 : (double)channel * (l->tile + GAP)),
                 l->tile / (double)r->width,
                 l->tile / (double)r->height,
                 r->width,
                 r->height};
}

static void put_tiles(const layout *l, const heat_row *r, double top)
{
    int blocks = (int)(r->steps * r->channels);
    for (int k = 0; k < blocks; k++) {
        box b = tile_box(l, r, top, k / r->channels, k % r->channels);
        put_matrix(l->to, k, r->values + k * r->height * r->width, r->height, r->width, r->width,
                   1);
        put_frame(l->to, &b);
    }
    for (int k = 0; k < blocks; k++) {
        box b = tile_box(l, r, top, k / r->channels, k % r->channels);
        put_image(l->to, k, &b);
    }
    fputc('\n', l->to);
}

static void put_map(const layout *l, const heat_row *r, double top)
{
    box b = {LEFT, top, l->pitch, row_height(l, r) / (double)r->height, r->steps, r->height};
    put_matrix(l->to, 0, r->values, r->height, r->steps, 1, r->height);
    put_frame(l->to, &b);
    put_image(l->to, 0, &b);
    fputc('\n', l->to);
}

/* Draws a row, with its symbol to the left and its colour key to the right. */
static void put_row(const layout *l, const heat_row *r, double top)
{
    double height = row_height(l, r), key = fmin(height, 88), pitch = l->tile + GAP;
    double right = LEFT + l->across;
    bool below = r->channels > 1 && l->channel == 0;
    double length = (double)strlen(r->symbol), font = length < 3 ? 15 : fmin(11, 110 / length);
    put_palette(l->to, r);
    say(l->to, "set colorbox user origin screen %.5f, screen %.5f size screen %.5f, screen %.5f\n",
        (right + 14) / l->width, 1 - (top + height / 2 + key / 2) / l->height, 10.0 / l->width,
        key / l->height);
    say(l->to, "set label ");
    gnuplot_put_text(l->to, r->symbol);
    say(l->to, " at %d,%.2f right font ',%.1f' tc rgb '#111111'\n", LEFT - (below ? 30 : 14),
        top + height / 2, font);
    for (int64_t c = 0; c < r->channels && below; c++)
        say(l->to, "set label '%" PRId64 "' at %d,%.2f right font ',9' tc rgb '#777777'\n", c + 1,
            LEFT - 10, top + ((double)c + 0.5) * pitch - GAP / 2.0);
    if (has_tiles(r))
        put_tiles(l, r, top);
    else
        put_map(l, r, top);
    say(l->to, "unset label\nunset object\n");
}

/* ---- labels and the picture ---- */

static void put_time(const layout *l, const char *text, double x)
{
    say(l->to, "set label ");
    gnuplot_put_text(l->to, text);
    say(l->to, " at %.2f,%d center font ',10' tc rgb '#333333'\n", x, l->height - BOTTOM + 12);
}

/* Labels each step with its number or name. */
static void put_each_time(const layout *l, double left, double width)
{
    const heat_picture *p = l->of;
    for (int64_t k = 0; k < p->steps; k++) {
        char number[32];
        snprintf(number, sizeof number, "%" PRId64, 1 + k * p->stride);
        put_time(l, p->name ? p->name[k] : number, left + (double)k * l->pitch + width / 2);
    }
}

/* Labels round step numbers, far enough apart to be readable. */
static void put_round_times(const layout *l)
{
    const heat_picture *p = l->of;
    double pitch = l->pitch / (double)p->stride; /* distance between time steps, drawn or not */
    int64_t step = 1, last = 1 + (p->steps - 1) * p->stride;
    for (int k = 0; (double)step * pitch < (last < 1000 ? 26 : 52); k++)
        step = k % 3 == 1 ? step / 2 * 5 : step * 2;
    for (int64_t t = step; t <= last; t += step) {
        char number[32];
        snprintf(number, sizeof number, "%" PRId64, t);
        put_time(l, number, LEFT + (double)(t - 1) * pitch + l->pitch / 2);
    }
}

static void put_axes(const layout *l)
{
    for (int64_t c = 0; l->channel > 0 && c < most_channels(l->of); c++) {
        double left = LEFT + (double)c * l->channel;
        put_each_time(l, left, l->tile);
        say(l->to, "set label 'channel %" PRId64 "' at %.2f,%d left font ',10' tc rgb '#333333'\n",
            c + 1, left, l->top - 12);
    }
    if (l->channel == 0 && all_tiles(l->of))
        put_each_time(l, LEFT, l->tile);
    else if (l->channel == 0 && l->of->name)
        put_each_time(l, LEFT, l->pitch);
    else if (l->channel == 0)
        put_round_times(l);
    say(l->to, "set label '%s' at %d,%d left font ',10' tc rgb '#333333'\n",
        l->of->name ? "the text, a character a step" : "time step", LEFT, l->height - BOTTOM + 30);
}

static void put_picture(const layout *l)
{
    say(l->to,
        "set multiplot\nset lmargin at screen 0\nset rmargin at screen 1\n"
        "set tmargin at screen 1\nset bmargin at screen 0\nunset border\nunset tics\n"
        "set xrange [0:%d]\nset yrange [%d:0]\nset cbtics scale 0.3 font ',9' offset -0.8,0 "
        "textcolor rgb '#555555'\n",
        l->width, l->height);
    double top = l->top;
    for (int i = 0; i < l->of->count; i++) {
        const heat_row *r = &l->of->rows[i];
        if (i == 0) {
            say(l->to, "set label ");
            gnuplot_put_text(l->to, l->of->title);
            say(l->to, " at %d,24 left font ',13' tc rgb '#111111'\n", LEFT);
            put_axes(l);
        }
        put_row(l, r, top);
        top += row_height(l, r) + BETWEEN;
    }
}

bool heatmap_draw(const char *path, const heat_picture *picture, rv_error *error)
{
    char *body = NULL;
    size_t size;
    layout l = lay_out(picture);
    l.to = open_memstream(&body, &size);
    if (!l.to) return rv_fail_memory(error);
    put_picture(&l);
    if (fclose(l.to) != 0) {
        free(body);
        return rv_fail_memory(error);
    }
    gnuplot_picture drawn = {.width = l.width, .height = l.height, .body = body};
    bool ok = gnuplot_draw_png(&drawn, path, error);
    free(body);
    return ok;
}
