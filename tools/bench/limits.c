/* Measures what this machine can do at most: multiply-adds per second, and bytes per second from each
 * level of memory. The multiply-adds are the limit that tools/bench divides by. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/peak.h"

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

typedef struct level {
    const char *name;
    size_t bytes; /* that one thread goes over */
} level;

enum { LEVELS = 4 };

/* Bytes of the first core's cache for data at a level, as Linux tells. (glibc's sysconf takes some machines'
 * third levels together.) */
static size_t cache_size(int wanted, size_t otherwise)
{
    for (int index = 0; index < 8; index++) {
        char path[128], type[32] = "";
        int is = 0;
        size_t kib = 0;
        const char *fields[] = {"level", "size", "type"};
        for (int f = 0; f < 3; f++) {
            snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index,
                     fields[f]);
            FILE *file = fopen(path, "r");
            if (!file) return otherwise;
            int read = f == 0   ? fscanf(file, "%d", &is)
                       : f == 1 ? fscanf(file, "%zuK", &kib)
                                : fscanf(file, "%31s", type);
            fclose(file);
            if (read != 1) return otherwise;
        }
        if (is == wanted && kib && strcmp(type, "Instruction") != 0) return kib << 10;
    }
    return otherwise;
}

/* Half of each cache, the third one's among all threads; then eight times the last one. */
static void find_levels(level levels[LEVELS], int threads)
{
    size_t l1 = cache_size(1, 32 << 10), l2 = cache_size(2, 512 << 10);
    size_t l3 = cache_size(3, 16 << 20);
    levels[0] = (level){"L1", l1 / 2};
    levels[1] = (level){"L2", l2 / 2};
    levels[2] = (level){"L3", l3 / 2 / (size_t)threads};
    levels[3] = (level){"memory", l3 * 8 / (size_t)threads};
}

static cJSON *measure(int threads, double seconds, bool memory)
{
    level levels[LEVELS];
    cJSON *all = cJSON_CreateObject(), *list = cJSON_CreateArray();
    double operations = peak_operations(threads, seconds);
    fprintf(to_people, "%d thread%s, %s: %.1f GFLOP/s\n", threads, threads > 1 ? "s" : "",
            peak_instructions(), 1e-9 * operations);
    cJSON_AddNumberToObject(all, "threads", threads);
    cJSON_AddStringToObject(all, "instructions", peak_instructions());
    cJSON_AddNumberToObject(all, "operations_per_second", operations);
    cJSON_AddItemToObject(all, "memory", list);
    find_levels(levels, threads);
    if (memory)
        fprintf(to_people, "%-8s %10s %12s %12s %12s\n", "", "KiB each", "read GB/s", "write",
                "copy");
    for (int i = 0; i < LEVELS && memory; i++) {
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
