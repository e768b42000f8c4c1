#include "tools/plot/chart.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/plot/gnuplot.h"
#include "tools/cli/say.h"

/* ---- layout, in pixels ---- */

enum {
    HEIGHT = 440,
    TOP = 76,
    BOTTOM = 56,
    LEFT = 72, /* margin of a panel for the tick labels */
    PLOT = 400,
    LEADER = 26,   /* distance from a curve's end to its label */
    CHARACTER = 8, /* width of a character of a label */
    LINE = 16,     /* height of a label */
    TITLE_CHARACTER = 12
};

/* The Okabe-Ito palette, which colour-blind readers can tell apart. */
static const char *const colours[CHART_COLOURS] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                   "#E69F00", "#56B4E9", "#000000", "#8a8a8a"};
static const char *const dashes[CHART_DASHES] = {"solid", "(9,5)", "(2,4)", "(12,4,2,4)", "(20,6)"};

/* ---- an axis ---- */

typedef struct range {
    double low, high;
} range;

/* The position of a value on the axis; not finite if it cannot be drawn. */
static double position(const chart_panel *p, double value)
{
    if (isnan(value)) return NAN;
    if (p->axis == CHART_ACCURACY) return -log10(fmax(1 - value, p->finest));
    return log10(fmax(value, p->finest));
}

/* The position of the last point of a line; not finite if it has no points. */
static double end_of(const chart_panel *p, const chart_line *l)
{
    double end = NAN;
    for (int64_t i = l->count - 1; i >= 0 && !isfinite(end); i--) end = position(p, l->y[i]);
    return end;
}

static void widen(range *r, double at)
{
    if (!isfinite(at)) return;
    r->low = fmin(r->low, at);
    r->high = fmax(r->high, at);
}

static range range_of(const chart_panel *p)
{
    range r = {INFINITY, -INFINITY};
    for (const chart_line *l = p->lines; l < p->lines + p->count; l++)
        for (int64_t i = 0; i < l->count; i++) {
            widen(&r, position(p, l->y[i]));
            if (l->low) widen(&r, position(p, l->low[i]));
            if (l->high) widen(&r, position(p, l->high[i]));
        }
    if (p->low > 0) widen(&r, position(p, p->low));
    if (p->high > 0) widen(&r, position(p, p->high));
    if (!(r.low <= r.high)) r = (range){0, 1};
    if (p->axis == CHART_ACCURACY) r.low = fmin(r.low, r.high - 0.5);
    double air = fmax(0.04 * (r.high - r.low), 0.02);
    return (range){r.low - air, r.high + air};
}

static int64_t longest(const chart_panel *p)
{
    int64_t most = 1;
    for (int i = 0; i < p->count; i++)
        if (p->lines[i].count > most) most = p->lines[i].count;
    return most;
}

/* ---- ticks ---- */

enum { MOST_TICKS = 12 };

typedef struct ticks {
    FILE *to;
    range range;
    double at[MOST_TICKS];
    int count;
} ticks;

/* Adds a tick if it is in the range and not too close to another one. */
static void try_tick(ticks *t, double at, double value)
{
    double apart = (t->range.high - t->range.low) / MOST_TICKS;
    if (at < t->range.low || at > t->range.high || t->count == MOST_TICKS) return;
    for (int i = 0; i < t->count; i++)
        if (fabs(t->at[i] - at) < apart) return;
    say(t->to, "%s'%.10g' %.9g", t->count ? ", " : "", value, at);
    t->at[t->count++] = at;
}

/* Tries rounder numbers first. gnuplot's own log ticks leave a short range with one tick or
 * none. */
static void put_log_ticks(ticks *t)
{
    static const int powers[] = {20, 10, 5, 2};
    static const double steps[] = {1, 3, 2, 5, 1.5, 7, 4, 6, 8, 2.5, 1.2, 1.1};
    int low = (int)floor(t->range.low), high = (int)ceil(t->range.high);
    for (size_t k = 0; k < sizeof powers / sizeof *powers; k++)
        if (high - low > powers[k])
            for (int power = low / powers[k] * powers[k]; power <= high; power += powers[k])
                try_tick(t, power, pow(10, power));
    size_t shown = high - low > 6 ? 1 : sizeof steps / sizeof *steps;
    for (size_t k = 0; k < shown; k++)
        for (int power = low; power <= high; power++)
            try_tick(t, log10(steps[k]) + power, steps[k] * pow(10, power));
}

static void put_accuracy_ticks(ticks *t, const chart_panel *p)
{
    static const double percents[] = {0,  90, 99, 99.9, 99.99, 50, 80,   95, 98,    99.5,
                                      70, 60, 97, 96,   99.8,  20, 99.7, 40, 99.95, 93,
                                      30, 10, 85, 75,   94,    92, 91,   88, 65};
    try_tick(t, position(p, 1), 100);
    for (size_t k = 0; k < sizeof percents / sizeof *percents; k++)
        if (1 - percents[k] / 100 > p->finest)
            try_tick(t, position(p, percents[k] / 100), percents[k]);
}

/* The value at a position, in the unit of the tick labels. */
static double number_at(const chart_panel *p, double at)
{
    return p->axis == CHART_ACCURACY ? 100 * (1 - pow(10, -at)) : pow(10, at);
}

/* Evenly spaced ticks for a short range. */
static void put_even_ticks(ticks *t, const chart_panel *p)
{
    double low = number_at(p, t->range.low), high = number_at(p, t->range.high);
    double step = pow(10, floor(log10((high - low) / 4)));
    step *= (high - low) / step > 25 ? 5 : (high - low) / step > 10 ? 2 : 1;
    for (double k = ceil(low / step); k * step <= high; k++)
        try_tick(t, position(p, p->axis == CHART_ACCURACY ? k * step / 100 : k * step), k * step);
}

static void put_ticks(FILE *to, const chart_panel *p, range r)
{
    ticks t = {.to = to, .range = r};
    say(to, "set ytics (");
    if (p->axis == CHART_ACCURACY)
        put_accuracy_ticks(&t, p);
    else
        put_log_ticks(&t);
    if (t.count < 3) put_even_ticks(&t, p);
    say(to, ")\n");
}

/* The distance of ticks on the x axis: 1, 2 or 5 times a power of ten. */
static int64_t tick_step(int64_t count)
{
    int64_t step = 1;
    for (int k = 0; count / step > 8; k++) step = k % 3 == 1 ? step / 2 * 5 : step * 2;
    return step;
}

/* ---- labels ---- */

typedef struct label {
    const chart_line *line;
    double end, at; /* positions of the curve's last point and of the label */
    int first;      /* the first label of its block */
} label;

static int by_end(const void *a, const void *b)
{
    double x = ((const label *)a)->end, y = ((const label *)b)->end;
    return (x > y) - (x < y);
}

/* Places the labels as close to the ends of their curves as possible (least squares) without
 * overlap. Labels that would touch form a block, centred at the mean of the positions they want. */
static void spread_labels(label *labels, int count, double apart, range r)
{
    double highest = r.high - (count - 1) * apart;
    for (int i = 0; i < count; i++) {
        double sum = labels[i].at = labels[i].end - i * apart;
        int first = i;
        while (first > 0 && labels[first - 1].at > sum / (i - first + 1)) {
            int before = labels[first - 1].first;
            while (first > before) {
                first--;
                sum += labels[first].end - first * apart;
            }
        }
        for (int k = first; k <= i; k++) {
            labels[k].at = sum / (i - first + 1);
            labels[k].first = first;
        }
    }
    for (int i = 0; i < count; i++)
        labels[i].at = fmin(fmax(labels[i].at, r.low), highest) + i * apart;
}

static void put_label(FILE *to, const label *l)
{
    const chart_line *line = l->line;
    const char *colour = colours[line->colour % CHART_COLOURS];
    double right = 1 + (double)LEADER / PLOT;
    say(to,
        "set arrow from first %" PRId64 ", first %.9g to graph %.5f, first %.9g nohead lw 1.4 "
        "lc rgb '%s' dt %s\n",
        line->count, l->end, right, l->at, colour, dashes[line->dash % CHART_DASHES]);
    say(to, "set label ");
    gnuplot_put_text(to, line->label);
    say(to, " at graph %.5f, first %.9g left tc rgb '%s'\n", right + 0.012, l->at, colour);
}

static bool put_labels(FILE *to, const chart_panel *p, range r)
{
    label *labels = rv_alloc((size_t)p->count, sizeof *labels);
    int count = 0;
    double apart = (r.high - r.low) * LINE / (HEIGHT - TOP - BOTTOM);
    if (!labels) return false;
    for (const chart_line *l = p->lines; l < p->lines + p->count; l++)
        if (isfinite(end_of(p, l))) labels[count++] = (label){l, end_of(p, l), 0, 0};
    qsort(labels, (size_t)count, sizeof *labels, by_end);
    if (count * apart > r.high - r.low) apart = (r.high - r.low) / count;
    spread_labels(labels, count, apart, r);
    for (int i = 0; i < count; i++) put_label(to, &labels[i]);
    rv_free(labels);
    return true;
}

/* ---- curves ---- */

static void put_data(FILE *to, const chart_panel *p)
{
    for (int k = 0; k < p->count; k++) {
        const chart_line *l = &p->lines[k];
        say(to, "$line%d << END\n", k);
        for (int64_t i = 0; i < l->count; i++)
            say(to, "%" PRId64 " %.9g %.9g %.9g\n", i + 1, position(p, l->y[i]),
                position(p, l->low ? l->low[i] : l->y[i]),
                position(p, l->high ? l->high[i] : l->y[i]));
        say(to, "END\n");
    }
}

static void put_curves(FILE *to, const chart_panel *p)
{
    const char *before = "plot ";
    for (int k = 0; k < p->count; k++)
        if (p->lines[k].low && p->lines[k].count > 1) {
            say(to,
                "%s$line%d using 1:3:4 with filledcurves fs transparent solid 0.13 "
                "noborder lc rgb '%s' notitle",
                before, k, colours[p->lines[k].colour % CHART_COLOURS]);
            before = ", ";
        }
    for (int k = 0; k < p->count; k++, before = ", ") {
        const chart_line *l = &p->lines[k];
        const char *colour = colours[l->colour % CHART_COLOURS];
        if (!isfinite(end_of(p, l))) continue;
        say(to, "%s$line%d using 1:2 with %s lw %d lc rgb '%s' dt %s notitle", before, k,
            l->count > 1 ? "lines" : "points pt 7 ps 0.7", l->bold ? 4 : 2, colour,
            dashes[l->dash % CHART_DASHES]);
        if (l->mark > 0)
            say(to,
                ", $line%d using 1:2 every ::%" PRId64 "::%" PRId64
                " with points pt 7 ps 0.8 lc rgb '%s' notitle",
                k, l->mark - 1, l->mark - 1, colour);
    }
    if (*before == 'p') say(to, "plot NaN notitle");
    fputc('\n', to);
}

/* ---- the chart ---- */

static int label_width(const chart_panel *p)
{
    size_t most = 0;
    for (int i = 0; i < p->count; i++)
        if (strlen(p->lines[i].label) > most) most = strlen(p->lines[i].label);
    return LEADER + 12 + CHARACTER * (int)most;
}

static int panel_width(const chart_panel *p) { return LEFT + PLOT + label_width(p); }

static bool put_panel(FILE *to, const chart_panel *p, int left, int width)
{
    range r = range_of(p);
    int64_t most = longest(p);
    put_data(to, p);
    say(to, "set lmargin at screen %.5f\nset rmargin at screen %.5f\n",
        (double)(left + LEFT) / width, (double)(left + LEFT + PLOT) / width);
    say(to, "set xrange [%g:%" PRId64 "]\nset yrange [%.9g:%.9g]\nset xtics 0,%" PRId64 "\n",
        most > 1 ? 1 : 0.5, most > 1 ? most : 2, r.low, r.high, tick_step(most));
    put_ticks(to, p, r);
    say(to, "set label ");
    gnuplot_put_text(to, p->title);
    say(to, " at screen %.5f, screen %.5f left font ',12' tc rgb '#333333'\n",
        (double)(left + LEFT) / width, 1 - 56.0 / HEIGHT);
    bool ok = put_labels(to, p, r);
    put_curves(to, p);
    say(to, "unset label\nunset arrow\n");
    return ok;
}

static void put_style(FILE *to, const char *title, const char *across, int width)
{
    say(to,
        "set multiplot\nset tmargin at screen %.5f\nset bmargin at screen %.5f\n"
        "set border 3 lw 0.8 lc rgb '#777777'\nset tics nomirror out scale 0.5 "
        "textcolor rgb '#333333'\n"
        "set grid ytics lt 1 lw 0.6 lc rgb '#e2e2e2'\nset xlabel '%s' offset 0,0.4 "
        "textcolor rgb '#333333'\nset label ",
        1 - (double)TOP / HEIGHT, (double)BOTTOM / HEIGHT, across);
    gnuplot_put_text(to, title);
    say(to, " at screen %.5f, screen %.5f left font ',15' tc rgb '#111111'\n", (double)LEFT / width,
        1 - 24.0 / HEIGHT);
}

bool chart_draw(const char *path, const char *title, const char *across, const chart_panel *panels,
                int count, rv_error *error)
{
    char *body = NULL;
    size_t size;
    int width = 16;
    for (int i = 0; i < count; i++) width += panel_width(&panels[i]);
    if (width < LEFT + TITLE_CHARACTER * (int)strlen(title))
        width = LEFT + TITLE_CHARACTER * (int)strlen(title);
    FILE *to = open_memstream(&body, &size);
    if (!to) return rv_fail_memory(error);
    put_style(to, title, across, width);
    bool ok = true;
    for (int i = 0, left = 0; i < count; left += panel_width(&panels[i++]))
        ok = put_panel(to, &panels[i], left, width) && ok;
    if (fclose(to) != 0 || !ok) {
        free(body);
        return rv_fail_memory(error);
    }
    gnuplot_picture picture = {.width = width, .height = HEIGHT, .body = body};
    ok = gnuplot_draw(&picture, path, error);
    free(body);
    return ok;
}
