/* Times Recurve on the workloads: training steps and forward passes. tools/bench/run compares this
 * program with its peers; run alone, it helps to optimize Recurve itself. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/rows.h"
#include "tools/bench/scaling.h"
#include "tools/bench/serve.h"
#include "tools/machine/peak.h"

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
    l->step = row_step(r);
    l->check = r->check;
    cJSON *all = row_details(r);
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

/* ---- the command line ---- */

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
    const char *write = NULL;
    bool list = false, scaling = false, serves = false;
    for (int code; (code = getopt_long(argc, argv, "", options, NULL)) != -1;) switch (code) {
        case 'o': s.only = optarg; break;
        case 't': s.threads = atoi(optarg); break;
        case 'b': s.busy = atoi(optarg); break;
        case 'r': s.repeats = atoi(optarg); break;
        case 's': s.seconds = atof(optarg); break;
        case 'j': s.json = optarg; break;
        case 'l': list = true; break;
        case 'w': write = optarg; break;
        case 'c': scaling = true; break;
        case 'v': serves = true; break;
        case 'h': return fputs(usage, stdout) < 0;
        default: return wrong(argv[0]);
        }
    if (!s.threads) s.threads = s.busy ? 2 : 1;
    if (optind < argc || s.busy < 0 || s.busy > BUSY_MOST || s.threads < 1 ||
        s.threads > PEAK_MOST_THREADS || s.repeats < 1 || !(s.seconds > 0))
        return wrong(argv[0]);
    if (list) return !list_workloads();
    if (scaling) return !print_scaling();
    if (write) return !write_workloads(write);
    if (serves) return serve_recurve(s.threads);
    return s.busy ? !measure_beside_busy(&s) : !measure_alone(&s);
}
