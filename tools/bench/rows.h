/* The workloads that `bench` times, each loaded as a program, and what is known of each program
 * besides its time. */
#ifndef RV_TOOLS_BENCH_ROWS_H
#define RV_TOOLS_BENCH_ROWS_H

#include <cjson/cJSON.h>

#include "tools/bench/workloads.h"
#include "tools/machine/timing.h"

/* What is timed, and for how long. */
typedef struct settings {
    const char *only; /* names or prefixes, "A1,C3-forward"; NULL: all */
    const char *json; /* a file, "-" for stdout; NULL: none */
    int threads, repeats, busy;
    double seconds; /* of each workload in each round */
} settings;

enum { MOST_ROWS = 64, BUSY_MOST = 64 };

/* The result of one workload. */
typedef struct row {
    contender net;
    char name[WORKLOAD_NAME];
    double check, operations, compile_seconds;
    long allocations; /* of one step */
    samples samples;
} row;

/* Loads a workload and runs it as often as its check needs. */
bool row_load(row *r, const char *name, int threads, rv_error *error);

/* A step of the row's program. */
task row_step(row *r);

/* Properties of the program other than its time. */
cJSON *row_details(const row *r);

/* Loads those that are wanted, for so many threads. -1 after an error, which is printed. */
int rows_load(row rows[MOST_ROWS], const settings *s, int threads);
void rows_free(row *rows, int count);

/* The measurements, each with its table on stdout; false after an error, which is printed. */
bool measure_alone(const settings *s);
bool measure_beside_busy(const settings *s); /* s->threads against one, beside s->busy processes */

#endif
