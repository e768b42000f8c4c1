/* Measures the peak rates of this machine: multiply-adds per second, and bytes per second from each
 * level of memory. The former is the limit that tools/bench divides by. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/machine/levels.h"
#include "tools/machine/peak.h"

static const char usage[] =
    "usage: limits [--threads N,...] [--seconds S] [--peak-only] [--json FILE]\n"
    "\n"
    "Measures the machine: floating-point operations per second (f32 multiply-adds, each two), "
    "and\n"
    "bytes per second read, written and copied in each cache level and in memory.\n"
    "\n"
    "  --threads N,...  with so many threads at once (1,2)\n"
    "  --seconds S      for each number (0.2)\n"
    "  --peak-only      not the memory\n"
    "  --json FILE      write a list of {threads, instructions, operations_per_second, memory}; - "
    "is stdout\n"
    "  --help           print this\n";

static FILE *to_people; /* where the table goes: stdout, unless the JSON does */

static cJSON *measure(int threads, double seconds, bool memory)
{
    memory_level levels[MEMORY_LEVELS];
    cJSON *all = cJSON_CreateObject(), *list = cJSON_CreateArray();
    double operations = peak_operations(threads, seconds);
    fprintf(to_people, "%d thread%s, %s: %.1f GFLOP/s\n", threads, threads > 1 ? "s" : "",
            peak_instructions(), 1e-9 * operations);
    cJSON_AddNumberToObject(all, "threads", threads);
    cJSON_AddStringToObject(all, "instructions", peak_instructions());
    cJSON_AddNumberToObject(all, "operations_per_second", operations);
    cJSON_AddItemToObject(all, "memory", list);
    memory_levels(levels, threads);
    if (memory)
        fprintf(to_people, "%-8s %10s %12s %12s %12s\n", "", "KiB each", "read GB/s", "write",
                "copy");
    for (int i = 0; i < MEMORY_LEVELS && memory; i++) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "level", levels[i].name);
        cJSON_AddNumberToObject(row, "bytes", (double)levels[i].bytes);
        fprintf(to_people, "%-8s %10zu", levels[i].name, levels[i].bytes >> 10);
        for (int kind = 0; kind < TRAFFICS; kind++) {
            char key[64];
            double bytes = peak_bytes((traffic)kind, threads, levels[i].bytes, seconds);
            snprintf(key, sizeof key, "%s_bytes_per_second", traffic_name((traffic)kind));
            cJSON_AddNumberToObject(row, key, bytes);
            fprintf(to_people, " %12.1f", 1e-9 * bytes);
            fflush(to_people);
        }
        fprintf(to_people, "\n");
        cJSON_AddItemToArray(list, row);
    }
    return all;
}

static bool write_json(const cJSON *document, const char *path)
{
    char *text = cJSON_Print(document);
    FILE *file = strcmp(path, "-") != 0 ? fopen(path, "w") : stdout;
    bool written = text && file && fprintf(file, "%s\n", text) > 0;
    if (file && file != stdout) written = fclose(file) == 0 && written;
    cJSON_free(text);
    if (!written) fprintf(stderr, "limits: cannot write %s\n", path);
    return written;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"threads", required_argument, NULL, 't'}, {"seconds", required_argument, NULL, 's'},
        {"peak-only", no_argument, NULL, 'p'},     {"json", required_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},          {0}};
    const char *threads = "1,2", *json = NULL;
    double seconds = 0.2;
    bool memory = true;
    for (int code; (code = getopt_long(argc, argv, "", options, NULL)) != -1;) switch (code) {
        case 't': threads = optarg; break;
        case 's': seconds = atof(optarg); break;
        case 'p': memory = false; break;
        case 'j': json = optarg; break;
        case 'h': return fputs(usage, stdout) < 0;
        default: return fputs(usage, stderr), 2;
        }
    if (optind < argc || !(seconds > 0)) return fputs(usage, stderr), 2;

    to_people = stdout;
    if (json && !strcmp(json, "-")) to_people = stderr;
    cJSON *list = cJSON_CreateArray();
    for (const char *at = threads; *at;) {
        char *end;
        long count = strtol(at, &end, 10);
        if (end == at || count < 1 || count > PEAK_MOST_THREADS || (*end && *end != ','))
            return fprintf(stderr, "limits: --threads %s: expected numbers from 1 to %d\n", threads,
                           PEAK_MOST_THREADS),
                   2;
        cJSON_AddItemToArray(list, measure((int)count, seconds, memory));
        at = end + (*end == ',');
    }
    bool written = !json || write_json(list, json);
    cJSON_Delete(list);
    return written ? 0 : 1;
}
