/* Times workloads against the limit of this machine. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/bench/rows.h"
#include "tools/machine/peak.h"

static void measure_rows(row *rows, int count, const settings *s, double *peak)
{
    *peak = peak_operations(s->threads, 0.1);
    for (int k = 0; k < s->repeats; k++) {
        fprintf(stderr, "bench: round %d of %d\n", k + 1, s->repeats);
        for (int i = 0; i < count; i++)
            samples_take(&rows[i].samples, row_step(&rows[i]), s->seconds);
        *peak = fmax(*peak, peak_operations(s->threads, 0.1));
    }
}

static void print_table(row *rows, int count, double peak, FILE *to)
{
    fprintf(to, "peak %.1f GFLOP/s\n", 1e-9 * peak);
    fprintf(to, "%-12s %11s %11s %11s %8s %7s %7s %6s %7s %11s %12s\n", "workload", "median us",
            "best us", "limit us", "x limit", "compile", "instr.", "arena", "allocs", "arena KiB",
            "loss");
    for (int i = 0; i < count; i++) {
        row *r = &rows[i];
        rv_program_stats stats = rv_program_statistics(r->net.program);
        double median = samples_median(&r->samples), limit = r->operations / peak;
        fprintf(to, "%-12s %11.2f %11.2f %11.2f %8.2f ", r->name, 1e6 * median,
                1e6 * samples_best(&r->samples), 1e6 * limit, median / limit);
        if (isnan(r->compile_seconds))
            fprintf(to, "%7s", "");
        else
            fprintf(to, "%5.1fms", 1e3 * r->compile_seconds);
        fprintf(to, " %7lld %6.3f %7ld %11.0f %12.8g\n", (long long)stats.instructions,
                (double)stats.arena_bytes / fmax(1, (double)stats.live_bytes), r->allocations,
                (double)stats.arena_bytes / 1024, r->check);
    }
}

static bool write_json(row *rows, int count, int threads, double peak, const char *path)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < count; i++) {
        row *r = &rows[i];
        double median = samples_median(&r->samples);
        cJSON *all = row_details(r);
        cJSON_AddStringToObject(all, "workload", r->name);
        cJSON_AddNumberToObject(all, "threads", threads);
        cJSON_AddStringToObject(all, "name", "Recurve");
        cJSON_AddNumberToObject(all, "median_seconds", median);
        cJSON_AddNumberToObject(all, "best_seconds", samples_best(&r->samples));
        cJSON_AddNumberToObject(all, "ratio_to_limit", median * peak / r->operations);
        cJSON_AddNumberToObject(all, "loss", r->check);
        cJSON_AddItemToArray(list, all);
    }
    char *text = cJSON_Print(list);
    FILE *file = strcmp(path, "-") != 0 ? fopen(path, "w") : stdout;
    bool written = text && file && fprintf(file, "%s\n", text) > 0;
    if (file && file != stdout) written = fclose(file) == 0 && written;
    if (!written) fprintf(stderr, "bench: cannot write %s\n", path);
    cJSON_free(text);
    cJSON_Delete(list);
    return written;
}

bool measure_alone(const settings *s)
{
    static row rows[MOST_ROWS];
    double peak;
    int count = rows_load(rows, s, s->threads);
    if (count < 0) return false;
    measure_rows(rows, count, s, &peak);
    print_table(rows, count, peak, s->json && !strcmp(s->json, "-") ? stderr : stdout);
    bool written = !s->json || write_json(rows, count, s->threads, peak, s->json);
    rows_free(rows, count);
    return written;
}
