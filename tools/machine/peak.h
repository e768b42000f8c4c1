/* Peak rates of this machine: f32 multiply-adds, and bytes from each level of memory. */
#ifndef RV_TOOLS_MACHINE_PEAK_H
#define RV_TOOLS_MACHINE_PEAK_H

#include <stdbool.h>
#include <stddef.h>

enum { PEAK_MOST_THREADS = 64 };

/* The instruction set of the loops, which is that of the library's kernels: "x86-64-v4". */
const char *peak_instructions(void);

/* Floating-point operations per second of this many threads, each on a core of its own if there are
 * enough: the best of several tries in about `seconds`. A multiply-add counts as two. 0 if the
 * threads could not be created. */
double peak_operations(int threads, double seconds);

typedef enum traffic { TRAFFIC_READ, TRAFFIC_WRITE, TRAFFIC_COPY, TRAFFICS } traffic;
const char *traffic_name(traffic kind);

/* Bytes per second of this many threads, each of which repeatedly accesses `bytes` of its own: the
 * best of several tries. A copied byte counts twice. 0 if memory or threads are not available. */
double peak_bytes(traffic kind, int threads, size_t bytes, double seconds);

#endif
