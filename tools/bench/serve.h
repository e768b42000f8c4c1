/* The protocol between a contender and tools/bench/run: it reads commands from stdin and answers
 * each with a line of JSON on stdout, so that several contenders can be loaded at once and measured
 * in turn.
 *
 *   load A1-forward   {"ready": "A1-forward", "check": 0.69, "details": {...}}   (details may be missing)
 *                     {"ready": "A1-forward", "unavailable": "why"}
 *   measure 0.3       {"seconds": [1.2e-06, ...]}    per step; for about 0.3 s
 *
 * and ends when stdin does. "check" is the number that all contenders must agree on (workloads.h),
 * null for what is only a part of a step. */
#ifndef RV_TOOLS_BENCH_SERVE_H
#define RV_TOOLS_BENCH_SERVE_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/machine/timing.h"

enum { SERVE_TEXT = 1024 };

typedef struct loaded {
    task step;
    double check;             /* NAN: null */
    char details[SERVE_TEXT]; /* a JSON object, or "" */
} loaded;

/* Loads a workload in place of the previous one; what the task points to must stay valid. On
 * failure false, and the reason in *why, as text without quotes or backslashes. */
typedef bool (*serve_load)(void *self, const char *workload, loaded *l, char why[SERVE_TEXT]);

int serve(serve_load load, void *self); /* an exit status */

#endif
