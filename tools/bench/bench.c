/* Times Recurve on the workloads: training steps and forward passes. tools/bench/run compares this program with its peers;
 * run alone, it helps to optimize Recurve itself. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recurve.h"
#include "tools/bench/allocations.h"
#include "tools/machine/peak.h"
#include "tools/bench/scaling.h"
#include "tools/bench/serve.h"
#include "tools/machine/timing.h"
#include "tools/bench/workloads.h"

static const char usage[] =
    "usage: bench [--only NAME,...] [--threads N] [--repeats N] [--seconds S] [--json FILE]\n"
    "       bench --busy N [--only NAME,...] [--threads N] [--repeats N] [--seconds S]\n"
    "       bench --list | --write FOLDER | --serve | --scaling\n"
    "\n"
    "Times Recurve's training steps and forward passes. The limit is the floating-point operations "
    "that a\n"
    "step needs at least (tools/bench/operations.h) at this machine's peak, measured in the same "
    "run.\n"
    "\n"
    "  --only NAME,...  these: \"C3-forward\", or all that begin so: \"C3\", \"D\"\n"
    "  --threads N      with so many threads (1)\n"
    "  --repeats N      rounds over all workloads (5)\n"
    "  --seconds S      for each workload in each round (0.2)\n"
    "  --json FILE      write a list of {workload, threads, name, median_seconds, best_seconds,\n"
    "                   ratio_to_limit, loss, ...}; - is stdout\n"
    "  --busy N         beside N processes that compute all the time: --threads (2) against one\n"
    "  --list           names and meanings\n"
    "  --write FOLDER   write inputs and first parameters of each workload as safetensors\n"
    "  --scaling        what recording and compiling cost over 1 to 10,000 time steps\n"
    "  --serve          take commands from stdin (tools/bench/serve.h)\n"
    "  --help           print this\n";

enum { MOST_ROWS = 64, MOST_SAMPLES = 1 << 14, BUSY_MOST = 64 };

typedef struct settings {
    const char *only, *json, *write;
    int threads, repeats, busy;
    double seconds;
    bool list, scaling, serve;
} settings;

/* The result of one workload. */
typedef struct row {
    contender net;
    char name[WORKLOAD_NAME];
    double check, operations, compile_seconds;
    long allocations; /* of one step */
    samples samples;
} row;

/* ---- one workload ---- */

static void step(void *self) { rv_run(((contender *)self)->program); }

static double median_compile_seconds(const workload *w, rv_error *error)
{
    enum { TIMES = 5 };
    double seconds[TIMES];
    samples s = {.seconds = seconds, .capacity = TIMES};
    while (s.count < TIMES)
        if (!workload_compile_seconds(w, &seconds[s.count++], error)) return NAN;
    return samples_median(&s);
}

static bool row_load(row *r, const char *name, int threads, rv_error *error)
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

/* Properties of the program other than its time. */
static cJSON *details(const row *r)
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

/* ---- for tools/bench/run ---- */

/* A row to be loaded, and for how many threads. */
typedef struct served {
    row row;
    int threads;
} served;

static bool load(void *self, const char *name, loaded *l, char why[SERVE_TEXT])
{
    const int threads = ((served *)self)->threads;
    row *r = &((served *)self)->row;
    rv_error error = {0};
    contender_free(&r->net);
    if (!row_load(r, name, threads, &error))
        return snprintf(why, SERVE_TEXT, "%s", error.text), false;
    l->step = (task){step, &r->net};
    l->check = r->check;
    cJSON *all = details(r);
    cJSON_PrintPreallocated(all, l->details, SERVE_TEXT, false);
    cJSON_Delete(all);
    return true;
}

static int serve_recurve(int threads)
{
    served s = {.threads = threads};
    int status = serve(load, &s);
    contender_free(&s.row.net);
    return status;
}

/* ---- alone ---- */

/* Whether the list `only` ("A1,C3-forward"; NULL: all) contains the name or a prefix of it. */
static bool wanted(const char *only, const char *name)
{
    for (const char *at = only; at && *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
        size_t length = strcspn(at, ",");
        char next = strlen(name) >= length ? name[length] : 'x';
        if (!strncmp(at, name, length) && (next == '\0' || next == '-')) return true;
    }
    return !only;
}

/* Loads the selected rows. -1 on error. */
static int load_rows(row *rows, const settings *s, int threads)
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

static void free_rows(row *rows, int count)
{
    for (int i = 0; i < count; i++) {
        contender_free(&rows[i].net);
        free(rows[i].samples.seconds);
    }
}

static void measure_rows(row *rows, int count, const settings *s, double *peak)
{
    *peak = peak_operations(s->threads, 0.1);
    for (int k = 0; k < s->repeats; k++) {
        fprintf(stderr, "bench: round %d of %d\n", k + 1, s->repeats);
        for (int i = 0; i < count; i++)
            samples_take(&rows[i].samples, (task){step, &rows[i].net}, s->seconds);
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
        cJSON *all = details(r);
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

static bool run_alone(const settings *s)
{
    static row rows[MOST_ROWS];
    double peak;
    int count = load_rows(rows, s, s->threads);
    if (count < 0) return false;
    measure_rows(rows, count, s, &peak);
    print_table(rows, count, peak, s->json && !strcmp(s->json, "-") ? stderr : stdout);
    bool written = !s->json || write_json(rows, count, s->threads, peak, s->json);
    free_rows(rows, count);
    return written;
}

/* ---- beside busy processes ---- */

/* Starts a process that computes until this one ends. */
static pid_t start_busy(void)
{
    pid_t parent = getpid(), child = fork();
    if (child) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (volatile unsigned spins = 0; getppid() == parent; spins++)
        for (volatile unsigned i = 0; i < 1U << 24; i++) continue;
    _exit(0);
}

static void print_busy(row *one, row *several, int count, const settings *s)
{
    printf("beside %d busy process(es)\n%-12s %14s %11d threads %8s\n", s->busy, "workload",
           "1 thread, us", s->threads, "ratio");
    for (int i = 0; i < count; i++) {
        double alone = samples_median(&one[i].samples), all = samples_median(&several[i].samples);
        printf("%-12s %14.2f %19.2f %8.2f\n", one[i].name, 1e6 * alone, 1e6 * all, all / alone);
    }
}

/* Medians, because the best of a run is from a moment in which the others did not run. */
static bool run_busy(const settings *s)
{
    static row rows[2][MOST_ROWS];
    pid_t busy[BUSY_MOST];
    int started = 0, count = load_rows(rows[0], s, 1);
    if (count < 0 || load_rows(rows[1], s, s->threads) < 0) return false;
    while (started < s->busy && (busy[started] = start_busy()) > 0) started++;
    bool ok = started == s->busy;
    if (!ok) perror("bench: fork");
    for (int k = 0; ok && k < s->repeats; k++)
        for (int i = 0; i < count; i++)
            for (int several = 0; several < 2; several++) {
                row *r = &rows[several][i];
                samples_take(&r->samples, (task){step, &r->net}, s->seconds);
            }
    for (int i = 0; i < started; i++) {
        kill(busy[i], SIGKILL);
        waitpid(busy[i], NULL, 0);
    }
    if (ok) print_busy(rows[0], rows[1], count, s);
    for (int several = 0; several < 2; several++) free_rows(rows[several], count);
    return ok;
}

/* ---- the command line ---- */

static bool list_workloads(void)
{
    const workload *w;
    for (int i = 0; (w = workload_at(i)); i++) {
        printf("%-14s %s\n", w->name, w->what);
        if (w->loss)
            printf("%s%-*s forward pass\n", w->name, 14 - (int)strlen(w->name), "-forward");
    }
    return true;
}

static bool write_workloads(const char *folder)
{
    const workload *w;
    rv_error error = {0};
    for (int i = 0; (w = workload_at(i)); i++)
        if (!workload_write(w, folder, &error))
            return fprintf(stderr, "bench: %s\n", error.text), false;
    return true;
}

static int wrong(const char *program)
{
    fprintf(stderr, "see %s --help\n", program);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"only", required_argument, NULL, 'o'},    {"threads", required_argument, NULL, 't'},
        {"busy", required_argument, NULL, 'b'},    {"repeats", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 's'}, {"json", required_argument, NULL, 'j'},
        {"list", no_argument, NULL, 'l'},          {"write", required_argument, NULL, 'w'},
        {"serve", no_argument, NULL, 'v'},         {"scaling", no_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},          {0}};
    settings s = {.repeats = 5, .seconds = 0.2};
    for (int code; (code = getopt_long(argc, argv, "", options, NULL)) != -1;) switch (code) {
        case 'o': s.only = optarg; break;
        case 't': s.threads = atoi(optarg); break;
        case 'b': s.busy = atoi(optarg); break;
        case 'r': s.repeats = atoi(optarg); break;
        case 's': s.seconds = atof(optarg); break;
        case 'j': s.json = optarg; break;
        case 'l': s.list = true; break;
        case 'w': s.write = optarg; break;
        case 'c': s.scaling = true; break;
        case 'v': s.serve = true; break;
        case 'h': return fputs(usage, stdout) < 0;
        default: return wrong(argv[0]);
        }
    if (!s.threads) s.threads = s.busy ? 2 : 1;
    if (optind < argc || s.busy < 0 || s.busy > BUSY_MOST || s.threads < 1 ||
        s.threads > PEAK_MOST_THREADS || s.repeats < 1 || !(s.seconds > 0))
        return wrong(argv[0]);
    if (s.list) return !list_workloads();
    if (s.scaling) return !print_scaling();
    if (s.write) return !write_workloads(s.write);
    if (s.busy) return !run_busy(&s);
    return s.serve ? serve_recurve(s.threads) : !run_alone(&s);
}
