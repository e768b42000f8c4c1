#include "tools/bench/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bench/allocations.h"

enum { MOST_SAMPLES = 1 << 14 };

static void step(void *self) { rv_run(((contender *)self)->program); }

task row_step(row *r) { return (task){step, &r->net}; }

/* workload_compile_seconds in a new process, whose pages of code and memory are not mapped yet. */
static bool cold_compile_seconds(const workload *w, double *seconds)
{
    int ends[2];
    if (pipe(ends) != 0) return false;
    pid_t child = fork();
    if (child == 0) {
        rv_error error = {0};
        bool ok = workload_compile_seconds(w, seconds, &error);
        _exit(!ok || write(ends[1], seconds, sizeof *seconds) != sizeof *seconds);
    }
    close(ends[1]);
    bool ok = child > 0 && read(ends[0], seconds, sizeof *seconds) == sizeof *seconds;
    close(ends[0]);
    if (child > 0) waitpid(child, NULL, 0);
    return ok;
}

static double median_compile_seconds(const workload *w, rv_error *error)
{
    enum { TIMES = 5 };
    double seconds[TIMES];
    samples s = {.seconds = seconds, .capacity = TIMES};
    while (s.count < TIMES)
        if (!cold_compile_seconds(w, &seconds[s.count++]))
            return rv_fail(error, RV_ERROR_MEMORY, "cannot compile it in a new process"), NAN;
    return samples_median(&s);
}

bool row_load(row *r, const char *name, int threads, rv_error *error)
{
    bool training;
    const workload *w = workload_find(name, &training);
    if (!w) return rv_fail(error, RV_ERROR_NAME, "there is no workload \"%s\"", name);
    snprintf(r->name, sizeof r->name, "%s", name);
    r->operations = w->operations(w, training);
    r->compile_seconds = training ? median_compile_seconds(w, error) : NAN;
    if (error->code || !contender_new(&r->net, w, training, threads, error)) return false;
    if (!contender_check(&r->net, &r->check, error)) return contender_free(&r->net), false;
    long before = allocations();
    step(&r->net);
    r->allocations = allocations() - before;
    return true;
}

cJSON *row_details(const row *r)
{
    rv_program_stats stats = rv_program_statistics(r->net.program);
    cJSON *all = cJSON_CreateObject();
    cJSON_AddNumberToObject(all, "operations", r->operations);
    cJSON_AddNumberToObject(all, "instructions", (double)stats.instructions);
    cJSON_AddNumberToObject(all, "arena_bytes", (double)stats.arena_bytes);
    cJSON_AddNumberToObject(all, "live_bytes", (double)stats.live_bytes);
    cJSON_AddNumberToObject(all, "allocations_per_step", (double)r->allocations);
    if (!isnan(r->compile_seconds))
        cJSON_AddNumberToObject(all, "compile_seconds", r->compile_seconds);
    return all;
}

/* Whether the list `only` contains the name or a prefix of it. */
static bool wanted(const char *only, const char *name)
{
    for (const char *at = only; at && *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
        size_t length = strcspn(at, ",");
        char next = strlen(name) >= length ? name[length] : 'x';
        if (!strncmp(at, name, length) && (next == '\0' || next == '-')) return true;
    }
    return !only;
}

int rows_load(row rows[MOST_ROWS], const settings *s, int threads)
{
    int count = 0;
    const workload *w;
    for (int i = 0; (w = workload_at(i)); i++)
        for (int training = 1; training >= 0; training--) {
            char name[WORKLOAD_NAME];
            rv_error error = {0};
            workload_name(w, training, name);
            if ((training && !w->loss) || !wanted(s->only, name) || count == MOST_ROWS) continue;
            row *r = &rows[count];
            r->samples.capacity = MOST_SAMPLES;
            r->samples.seconds = calloc(MOST_SAMPLES, sizeof *r->samples.seconds);
            if (!r->samples.seconds || !row_load(r, name, threads, &error))
                return fprintf(stderr, "bench: %s: %s\n", name, error.text), -1;
            count++;
            fprintf(stderr, "bench: %s is ready\n", name);
        }
    if (!count) fprintf(stderr, "bench: no workload \"%s\"; see --list\n", s->only);
    return count ? count : -1;
}

void rows_free(row *rows, int count)
{
    for (int i = 0; i < count; i++) {
        contender_free(&rows[i].net);
        free(rows[i].samples.seconds);
    }
}
