#include "tools/plot/scatter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/say.h"
#include "tools/plot/gnuplot.h"

/* In pixels. */
enum { PLOT = 300, LEFT = 84, RIGHT = 14, TOP = 70, PLOT_HEIGHT = 300, BOTTOM = 66, ACROSS = 4 };
enum { LEGEND = 170 }; /* right of the panels */

/* The Okabe-Ito palette, which colour-blind readers can tell apart, and a mark for each colour. A
 * second round of colours has other marks and dashed lines. */
static const char *const colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                      "#E69F00", "#56B4E9", "#000000", "#8a8a8a"};
enum { COLOURS = sizeof colours / sizeof *colours };
static const int marks[] = {7, 5, 9, 11, 13, 6, 4, 8};

static bool is_drawn(const scatter_panel *p, double x, double y, bool log)
{
    return isfinite(x) && isfinite(y) && (!p->log || x > 0) && (!log || y > 0);
}

/* ---- axes ---- */

/* The least and the greatest of some numbers; none: low > high. */
typedef struct span {
    double low, high;
    bool whole;
} span;

static span span_new(void) { return (span){INFINITY, -INFINITY, true}; }

static void widen(span *s, double value)
{
    s->low = fmin(s->low, value);
    s->high = fmax(s->high, value);
    s->whole = s->whole && value == floor(value);
}

/* The range of an axis, and its ticks: at powers of ten or, where there are few, at 1, 2 and 5
 * times these. An axis on which these would be fewer than two is linear. */
static void put_scale(FILE *to, char axis, span s, bool log)
{
    static const int steps[] = {1, 2, 5};
    say(to, "unset logscale %c\nset format %c '%%.4g'\nset %ctics auto norotate\n", axis, axis,
        axis);
    if (!(s.low <= s.high)) return;
    if (!log || s.high < 5 * s.low) {
        const double more = s.high > s.low ? 0.04 * (s.high - s.low) : log ? s.low / 2 : 0.5;
        say(to, "set %crange [%.9g:%.9g]\n", axis, s.low - more, s.high + more);
        if (s.whole && s.high - s.low <= 8) say(to, "set %ctics 1\n", axis);
        return;
    }
    const double decades = log10(s.high / s.low), more = pow(10, fmax(0.04 * decades, 0.05)),
                 low = s.low / more, high = s.high * more;
    const int each = decades > 2 ? 1 : 3, stride = (int)ceil(fmax(decades / 5, 1));
    int ticks = 0;
    say(to, "set logscale %c\nset %crange [%.9g:%.9g]\nset %ctics (", axis, axis, low, high, axis);
    for (int power = (int)floor(log10(low)); power <= (int)ceil(log10(high)); power++)
        for (int k = 0; k < each; k++) {
            const double at = steps[k] * pow(10, power);
            if (power % stride != 0 || at < low || at > high) continue;
            say(to, "%s%.9g", ticks++ > 0 ? ", " : "", at);
        }
    say(to, ")\n");
}

static span x_span(const scatter_panel *p, bool log)
{
    span s = span_new();
    for (int k = 0; k < p->count; k++)
        for (int i = 0; i < p->series[k].count; i++)
            if (is_drawn(p, p->series[k].x[i], p->series[k].y[i], log))
                widen(&s, p->series[k].x[i]);
    return s;
}

static span y_span(const scatter_panel *panels, int count, bool log)
{
    span y = span_new();
    for (const scatter_panel *p = panels; p < panels + count; p++)
        for (int k = 0; k < p->count; k++) {
            const scatter_series *s = &p->series[k];
            for (int i = 0; i < s->count; i++) {
                if (!is_drawn(p, s->x[i], s->y[i], log)) continue;
                widen(&y, s->y[i]);
                if (s->low) widen(&y, s->low[i]);
                if (s->high) widen(&y, s->high[i]);
            }
        }
    return y;
}

static void put_axis(FILE *to, const scatter_panel *p, span x)
{
    say(to, "set xlabel ");
    gnuplot_put_text(to, p->across);
    say(to, "\n");
    put_scale(to, 'x', x, p->log);
    if (!p->of) return;
    say(to, "set xrange [-0.5:%g]\nset xtics (", p->names - 0.5);
    for (int i = 0; i < p->names; i++) {
        if (i > 0) say(to, ", ");
        gnuplot_put_text(to, p->of[i]);
        say(to, " %d", i);
    }
    say(to, ")%s\n", p->names > 4 ? " rotate by -30" : "");
}

/* ---- points ---- */

static void put_data(FILE *to, const scatter_panel *p, int number, bool log)
{
    for (int k = 0; k < p->count; k++) {
        const scatter_series *s = &p->series[k];
        say(to, "$p%ds%d << END\n", number, k);
        for (int i = 0; i < s->count; i++)
            if (is_drawn(p, s->x[i], s->y[i], log))
                say(to, "%.9g %.9g %.9g %.9g\n", s->x[i], s->y[i], s->low ? s->low[i] : s->y[i],
                    s->high ? s->high[i] : s->y[i]);
        say(to, "END\n");
    }
}

static void put_points(FILE *to, const scatter_panel *p, int number)
{
    for (int k = 0; k < p->count; k++) {
        const scatter_series *s = &p->series[k];
        const char *colour = colours[k % COLOURS];
        const int round = k / COLOURS, mark = marks[(k + 3 * round) % COLOURS];
        say(to, "%s$p%ds%d using 1:2%s with %s dt %d pt %d ps 0.6 lc rgb '%s' ", k ? ", " : "plot ",
            number, k, s->low ? ":3:4" : "",
            s->low      ? "yerrorbars"
            : s->joined ? "linespoints"
                        : "points",
            s->low ? 1 : round + 1, mark, colour);
        if (s->label && number == 0) {
            say(to, "title ");
            gnuplot_put_text(to, s->label);
        } else {
            say(to, "notitle");
        }
        if (s->low && s->joined)
            say(to, ", $p%ds%d using 1:2 with lines dt %d lc rgb '%s' notitle", number, k,
                round + 1, colour);
    }
    fputc('\n', to);
}

static bool has_legend(const scatter_panel *p)
{
    for (int k = 0; k < p->count; k++)
        if (p->series[k].label) return true;
    return false;
}

bool scatter_draw(const char *path, const char *title, const char *up, bool log,
                  const scatter_panel *panels, int count, rv_error *error)
{
    char *body = NULL;
    size_t size;
    const int columns = count < ACROSS ? count : ACROSS, lines = (count + ACROSS - 1) / ACROSS;
    const int each = LEFT + PLOT + RIGHT, tall = PLOT_HEIGHT + BOTTOM;
    const bool legend = has_legend(&panels[0]);
    const int panels_width = columns * each, height = TOP + lines * tall,
              width = legend               ? panels_width + LEGEND
                      : panels_width > 560 ? panels_width
                                           : 560;
    FILE *to = open_memstream(&body, &size);
    if (!to) return rv_fail_memory(error);
    say(to,
        "set multiplot\nset border 3 lw 0.8 lc rgb '#777777'\nset tics nomirror out scale 0.5 "
        "textcolor rgb '#333333'\nset grid lt 1 lw 0.6 lc rgb '#e2e2e2'\n"
        "set key at screen %.5f, screen %.5f left top Left reverse samplen 1.5 spacing 1.2\n"
        "set label 1 ",
        (double)panels_width / width, 1 - (double)TOP / height);
    gnuplot_put_text(to, title);
    say(to, " at screen %.5f, screen %.5f left font ',15' tc rgb '#111111'\nset ylabel ",
        (double)LEFT / width, 1 - 24.0 / height);
    gnuplot_put_text(to, up);
    fputc('\n', to);
    put_scale(to, 'y', y_span(panels, count, log), log);
    for (int i = 0; i < count; i++) {
        const int left = i % ACROSS * each + LEFT, top = TOP + i / ACROSS * tall;
        say(to,
            "set lmargin at screen %.5f\nset rmargin at screen %.5f\nset tmargin at screen %.5f\n"
            "set bmargin at screen %.5f\n",
            (double)left / width, (double)(left + PLOT) / width, 1 - (double)top / height,
            1 - (double)(top + PLOT_HEIGHT) / height);
        const span x = x_span(&panels[i], log);
        put_data(to, &panels[i], i, log);
        put_axis(to, &panels[i], x);
        if (x.low <= x.high)
            put_points(to, &panels[i], i);
        else
            say(to, "plot [0:1] [1:2] NaN notitle\n");
        say(to, "unset label 1\n");
    }
    const bool ok = fclose(to) == 0 ? true : rv_fail_memory(error);
    const gnuplot_picture picture = {.width = width, .height = height, .body = body};
    const bool drawn = ok && gnuplot_draw(&picture, path, error);
    free(body);
    return drawn;
}
