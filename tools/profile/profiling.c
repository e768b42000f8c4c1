#include "tools/profile/profiling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tensor/memory.h"
#include "tools/machine/timing.h"

enum { TURNS = 20, MOST_RUNS = 1000, MOST_SPANS = 1 << 21 };

/* ---- measuring ---- */

/* Seconds between two consecutive readings of the clock. */
static double clock_cost(void)
{
    double cost[1001];
    samples s = {.seconds = cost, .count = sizeof cost / sizeof *cost};
    for (size_t i = 0; i < s.count; i++) {
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        clock_gettime(CLOCK_MONOTONIC, &b);
        cost[i] = (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
    }
    return samples_median(&s);
}

static void run(void *program) { rv_run(program); }

/* Times a run: spans [threads][count] in nanoseconds from its start, -1 where a thread has no
 * part. */
static void time_run(const profile *p, rv_program *program, rv_span *span)
{
    int64_t size = p->threads * p->count, origin = INT64_MAX;
    rv_run_timed(program, span);
    for (int64_t i = 0; i < size; i++)
        if (span[i].begin != 0 && span[i].begin < origin) origin = span[i].begin;
    for (int64_t i = 0; i < size; i++) {
        bool idle = span[i].begin == 0;
        span[i].begin = idle ? -1 : span[i].begin - origin;
        span[i].end = idle ? -1 : span[i].end - origin;
    }
}

/* Alternates between runs with and without timing inside, so that both see the same conditions.
 * spans [most][threads][count] */
static void time_runs(profile *p, rv_program *program, rv_span *spans, int64_t most,
                      double turn_seconds)
{
    double seconds[1 << 12];
    samples steps = {.seconds = seconds, .capacity = sizeof seconds / sizeof *seconds};
    for (int turn = 1; turn <= TURNS; turn++) {
        samples_take(&steps, (task){run, program}, turn_seconds);
        double end = seconds_now() + turn_seconds;
        do time_run(p, program, spans + p->runs++ * p->threads * p->count);
        while (p->runs < most * turn / TURNS && seconds_now() < end);
    }
    p->step = samples_median(&steps);
}

/* The time of a line is the largest of its threads' medians. */
static void find_medians(profile *p, const rv_span *spans, double *column)
{
    int64_t size = p->threads * p->count;
    for (int64_t i = 0; i < size; i++) {
        samples s = {.seconds = column, .count = (size_t)p->runs};
        for (int64_t run = 0; run < p->runs; run++) {
            const rv_span *span = &spans[run * size + i];
            column[run] = 1e-9 * (double)(span->end - span->begin);
        }
        profile_line *line = &p->lines[i % p->count];
        line->seconds = fmax(line->seconds, samples_median(&s) - p->clock);
    }
}

/* Keeps the run that other load on the machine disturbed least. */
static void keep_quickest(profile *p, const rv_span *spans)
{
    int64_t size = p->threads * p->count, quickest = INT64_MAX;
    for (int64_t run = 0; run < p->runs; run++) {
        const rv_span *span = spans + run * size;
        int64_t end = 0;
        for (int64_t i = 0; i < size; i++) end = span[i].end > end ? span[i].end : end;
        if (end >= quickest) continue;
        quickest = end;
        memcpy(p->quickest, span, (size_t)size * sizeof *span);
    }
    p->end = quickest;
}

/* Adds up what the threads did in a run, spans [threads][count]. A thread waits from the end of
 * what it did last. */
static void add_run(profile *p, const rv_span *spans, int64_t *last)
{
    int64_t end = 0;
    memset(last, 0, (size_t)p->threads * sizeof *last);
    for (int64_t i = 0; i < p->count; i++)
        for (int lane = 0; lane < p->threads; lane++) {
            const rv_span *span = &spans[lane * p->count + i];
            if (span->begin < 0) continue;
            profile_thread *thread = &p->by_thread[span->thread];
            double took = 1e-9 * (double)(span->end - span->begin) / (double)p->runs;
            int64_t waited = span->begin - last[span->thread];
            thread->busy += took;
            if (span->thread != lane) thread->stolen += took;
            if (waited > 0) p->lines[i].waiting += 1e-9 * (double)waited / (double)p->runs;
            if (span->end > last[span->thread]) last[span->thread] = span->end;
            if (span->end > end) end = span->end;
        }
    for (int k = 0; k < p->threads; k++)
        p->by_thread[k].waiting += 1e-9 * (double)end / (double)p->runs;
}

static void add_runs(profile *p, const rv_span *spans, int64_t *last)
{
    for (int64_t run = 0; run < p->runs; run++)
        add_run(p, spans + run * p->threads * p->count, last);
    for (int k = 0; k < p->threads; k++) p->by_thread[k].waiting -= p->by_thread[k].busy;
}

static bool measure_lines(profile *p, rv_program *program, double seconds, rv_error *error)
{
    int64_t size = p->threads * p->count, most = MOST_SPANS / (size + 1);
    most = most < TURNS ? TURNS : most > MOST_RUNS ? MOST_RUNS : most;
    rv_span *spans = rv_alloc((size_t)(most * size), sizeof *spans);
    double *column = rv_alloc((size_t)most, sizeof *column);
    int64_t *last = rv_alloc((size_t)p->threads, sizeof *last);
    bool ok = (spans && column && last) || rv_fail_memory(error);
    if (ok) {
        time_runs(p, program, spans, most, seconds / 2 / TURNS);
        find_medians(p, spans, column);
        keep_quickest(p, spans);
        add_runs(p, spans, last);
    }
    rv_free(last);
    rv_free(column);
    rv_free(spans);
    return ok;
}

/* ---- sums ---- */

static void add_to(profile_sum *sum, const char *name, const profile_line *line)
{
    sum->name = name;
    sum->instructions++;
    sum->seconds += line->seconds;
    sum->operations += line->is.operations;
}

static int longer_sum(const void *a, const void *b)
{
    double x = ((const profile_sum *)a)->seconds, y = ((const profile_sum *)b)->seconds;
    return (x < y) - (x > y);
}

static void sum_up(profile *p)
{
    for (int phase = 0; phase < RV_PHASES; phase++)
        p->phases[phase].name = rv_phase_name((rv_phase)phase);
    for (int64_t i = 0; i < p->count; i++) {
        const profile_line *line = &p->lines[i];
        int64_t k = 0;
        while (k < p->kind_count && strcmp(p->kinds[k].name, line->words.kind) != 0) k++;
        if (k == p->kind_count) p->kind_count++;
        add_to(&p->kinds[k], line->words.kind, line);
        add_to(&p->phases[line->words.phase], p->phases[line->words.phase].name, line);
        p->sum += line->seconds;
    }
    qsort(p->kinds, (size_t)p->kind_count, sizeof *p->kinds, longer_sum);
}

/* ---- the profile ---- */

static bool describe_lines(profile *p, rv_program *program, rv_error *error)
{
    for (int64_t i = 0; i < p->count; i++) {
        profile_line *line = &p->lines[i];
        line->is = rv_program_instruction(program, i);
        if (!instruction_words_make(&line->words, &line->is, error)) return false;
        line->limit = machine_least(&p->machines[line->is.threads > 1], line->is.operations,
                                    line->is.bytes, &line->bound);
    }
    return true;
}

bool profile_make(profile *p, rv_program *program, rv_dtype dtype, double seconds, rv_error *error)
{
    rv_program_stats stats = rv_program_statistics(program);
    *p = (profile){.threads = stats.threads, .count = stats.instructions, .clock = clock_cost()};
    size_t size = (size_t)(p->threads * p->count);
    p->lines = rv_alloc((size_t)p->count, sizeof *p->lines);
    p->kinds = rv_alloc((size_t)p->count, sizeof *p->kinds);
    p->quickest = rv_alloc(size, sizeof *p->quickest);
    p->by_thread = rv_alloc((size_t)p->threads, sizeof *p->by_thread);
    if (!p->lines || !p->kinds || !p->quickest || !p->by_thread) return rv_fail_memory(error);
    p->machine_count = p->threads > 1 ? 2 : 1;
    for (int k = 0; k < p->machine_count; k++)
        p->machines[k] = machine_new(dtype, k == 0 ? 1 : p->threads, seconds / 20);
    if (!describe_lines(p, program, error) || !measure_lines(p, program, seconds, error))
        return false;
    sum_up(p);
    return true;
}

void profile_free(profile *p)
{
    for (int64_t i = 0; p->lines && i < p->count; i++) instruction_words_free(&p->lines[i].words);
    rv_free(p->lines);
    rv_free(p->kinds);
    rv_free(p->quickest);
    rv_free(p->by_thread);
}

/* Descending; the sort is stable. */
static int descending(double x, double y, const void *a, const void *b)
{
    return x != y ? (x < y) - (x > y) : (a > b) - (a < b);
}

static int longer_line(const void *a, const void *b)
{
    const profile_line *x = *(const profile_line *const *)a, *y = *(const profile_line *const *)b;
    return descending(x->seconds, y->seconds, x, y);
}

static int longer_wait(const void *a, const void *b)
{
    const profile_line *x = *(const profile_line *const *)a, *y = *(const profile_line *const *)b;
    return descending(x->waiting, y->waiting, x, y);
}

const profile_line **profile_order(const profile *p, profile_sorting sorting)
{
    const profile_line **order = rv_alloc((size_t)p->count, sizeof *order);
    for (int64_t i = 0; order && i < p->count; i++) order[i] = &p->lines[i];
    if (order && sorting != PROFILE_AS_THEY_RUN)
        qsort(order, (size_t)p->count, sizeof *order,
              sorting == PROFILE_LONGEST ? longer_line : longer_wait);
    return order;
}
