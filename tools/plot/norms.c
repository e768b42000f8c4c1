#include "tools/plot/norms.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "tools/cli/say.h"
#include "tools/plot/chart.h"
#include "tools/plot/curves.h"
#include "train/json_internal.h"
#include "train/trainer/run_folder.h"
#include "train/text_file_internal.h"

static const char *const moments[NORMS_MOMENTS] = {"at the start", "at the end"};

/* ---- the table ---- */

static const double *row_of(const norms *n, norms_moment moment, int i)
{
    return n->at[moment] + i * (n->steps + 1);
}

/* The table shows the first, the middle and the last time step. */
enum { COLUMNS = 3 };

static int choose_columns(const norms *n, int64_t column[COLUMNS])
{
    const int64_t wanted[COLUMNS] = {1, (n->steps + 1) / 2, n->steps};
    int count = 0;
    for (int k = 0; k < COLUMNS; k++)
        if (wanted[k] > (count > 0 ? column[count - 1] : 0) && wanted[k] <= n->steps)
            column[count++] = wanted[k];
    return count;
}

/* Prints the mean factor by which a state's norm changes per step back in time, between the last
 * and the first step with a positive norm. */
static void print_change(const norms *n, const double *row)
{
    int64_t first = 1, last = n->steps;
    while (last > 1 && !(row[last] > 0)) last--;
    while (first < last && !(row[first] > 0)) first++;
    if (last < 2) return;
    say(stdout, "  x %.3g",
        first < last ? pow(row[first] / row[last], 1 / (double)(last - first)) : 0.0);
    if (row[1] < 1e-3 * row[last]) say(stdout, ", vanishes");
    if (row[1] > 1e3 * row[last]) say(stdout, ", explodes");
}

static void print_row(const norms *n, norms_moment moment, int i, int width)
{
    const double *row = row_of(n, moment, i);
    int64_t column[COLUMNS];
    int columns = choose_columns(n, column);
    say(stdout, "  %-*s", width, n->name[i]);
    if (isnan(row[0]))
        say(stdout, "  %9s", "");
    else
        say(stdout, "  %9.3g", row[0]);
    for (int k = 0; k < columns && !isnan(row[column[k]]); k++)
        say(stdout, "  %9.3g", row[column[k]]);
    if (n->state[i]) print_change(n, row);
    putchar('\n');
}

static void print_head(const norms *n, norms_moment moment, int width)
{
    int64_t column[COLUMNS];
    int columns = choose_columns(n, column);
    say(stdout, "norms of the gradient %s, %" PRId64 " sample(s)\n  %-*s  %9s", moments[moment],
        n->samples, width, "", "whole");
    for (int k = 0; k < columns; k++) {
        char head[32];
        snprintf(head, sizeof head, "step %" PRId64, column[k]);
        say(stdout, "  %9s", head);
    }
    say(stdout, n->steps > 1 ? "  a step back\n" : "\n");
}

void norms_print(const norms *n)
{
    int width = 0;
    for (int i = 0; i < n->count; i++)
        if ((int)strlen(n->name[i]) > width) width = (int)strlen(n->name[i]);
    for (norms_moment m = NORMS_START; m < NORMS_MOMENTS; m++) {
        print_head(n, m, width);
        for (int pass = 0; pass < 2; pass++) /* states first */
            for (int i = 0; i < n->count; i++)
                if (n->state[i] == (pass == 0)) print_row(n, m, i, width);
    }
}

/* ---- JSON and CSV ---- */

cJSON *norms_json(const norms *n)
{
    cJSON *rows = cJSON_CreateArray();
    for (int i = 0; i < n->count; i++) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "name", n->name[i]);
        cJSON_AddBoolToObject(row, "state", n->state[i]);
        for (norms_moment m = NORMS_START; m < NORMS_MOMENTS; m++) {
            cJSON *values = cJSON_AddArrayToObject(row, m == NORMS_START ? "start" : "end");
            for (int64_t t = 0; t <= n->steps; t++)
                cJSON_AddItemToArray(values, rv_json_exact(row_of(n, m, i)[t]));
        }
        cJSON_AddItemToArray(rows, row);
    }
    return rows;
}

static void put_cell(FILE *to, double value)
{
    if (isnan(value))
        fputc(',', to);
    else
        say(to, ",%.9g", value);
}

static char *csv_text(const norms *n)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to) return NULL;
    say(to, "name,kind,step,start,end\n");
    for (int i = 0; i < n->count; i++)
        for (int64_t t = 0; t <= n->steps; t++) {
            double start = row_of(n, NORMS_START, i)[t], end = row_of(n, NORMS_END, i)[t];
            if (isnan(start) && isnan(end)) continue;
            say_cell(to, n->name[i]);
            say(to, ",%s,", n->state[i] ? "state" : "parameter");
            say(to, t > 0 ? "%" PRId64 : "whole", t);
            put_cell(to, start);
            put_cell(to, end);
            fputc('\n', to);
        }
    if (fclose(to) == 0) return text;
    free(text);
    return NULL;
}

/* ---- the picture ---- */

/* Makes bold lines for the states, then lines for the parameters that steps use. */
static int make_lines(const norms *n, norms_moment moment, chart_line *lines)
{
    int count = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < n->count; i++) {
            const double *row = row_of(n, moment, i);
            bool over_time = false;
            for (int64_t t = 1; t <= n->steps; t++) over_time = over_time || row[t] > 0;
            if (n->state[i] != (pass == 0) || !over_time) continue;
            chart_line *l = &lines[count];
            *l = (chart_line){.colour = count,
                              .dash = count / CHART_COLOURS,
                              .count = n->steps,
                              .y = row + 1,
                              .bold = n->state[i]};
            rv_print(l->label, sizeof l->label, "%s", n->name[i]);
            count++;
        }
    return count;
}

/* The smallest and the largest norm of both moments, so that both panels have the same axis. */
static void find_span(const norms *n, double *low, double *high)
{
    *low = INFINITY;
    *high = 0;
    for (norms_moment m = NORMS_START; m < NORMS_MOMENTS; m++)
        for (int i = 0; i < n->count; i++)
            for (int64_t t = 1; t <= n->steps; t++) {
                double value = row_of(n, m, i)[t];
                if (!(value > 0) || isinf(value)) continue;
                *low = fmin(*low, value);
                *high = fmax(*high, value);
            }
    if (*high == 0) *low = 0;
}

bool norms_draw(const norms *n, const char *folder, const rv_train_config *c, rv_error *error)
{
    char path[RV_PATH], text[DATA_TEXT], title[2 * DATA_TEXT];
    chart_line *lines = rv_alloc((size_t)n->count, NORMS_MOMENTS * sizeof *lines);
    if (!lines) return rv_fail_memory(error);
    chart_panel panels[NORMS_MOMENTS];
    double low, high;
    find_span(n, &low, &high);
    for (norms_moment m = NORMS_START; m < NORMS_MOMENTS; m++) {
        chart_line *own = lines + (int)m * n->count;
        panels[m] = (chart_panel){.title = moments[m],
                                  .lines = own,
                                  .count = make_lines(n, m, own),
                                  .low = low,
                                  .high = high};
    }
    rv_print(title, sizeof title, "%s on %s: norms of the gradient", c->net.model,
             data_text(c, text));
    bool ok = rv_run_folder_path(folder, "norms", path, error) &&
              chart_draw(path, title, "time step", panels, NORMS_MOMENTS, error);
    rv_free(lines);
    return ok;
}

bool norms_write(const norms *n, const char *folder, rv_error *error)
{
    char path[RV_PATH];
    char *text = csv_text(n);
    bool ok = text || rv_fail_memory(error);
    ok = ok && rv_run_folder_path(folder, "norms.csv", path, error) &&
         rv_text_file_write(path, text, error);
    free(text);
    return ok;
}
