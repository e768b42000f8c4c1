/* What this machine can do at most: multiply-adds of f32, and bytes from each level of memory. */
#ifndef RV_TOOLS_MACHINE_PEAK_H
#define RV_TOOLS_MACHINE_PEAK_H

#include <stdbool.h>
#include <stddef.h>

enum { PEAK_MOST_THREADS = 64 };

const char *peak_instructions(
    void); /* the widest this machine has: "AVX-512", "AVX2 FMA", "portable" */

/* Floating-point operations per second of so many threads at once, each on a core of its own where there
 * are as many; the best of several tries in about `seconds`. A multiply-add counts as two. 0 when the
 * threads could not be had. */
double peak_operations(int threads, double seconds);

typedef enum traffic { TRAFFIC_READ, TRAFFIC_WRITE, TRAFFIC_COPY, TRAFFICS } traffic;
const char *traffic_name(traffic kind);

/* Bytes per second of so many threads, each going over `bytes` of its own again and again; a copied byte
 * counts twice. The best of several tries. 0 without memory or threads. */
double peak_bytes(traffic kind, int threads, size_t bytes, double seconds);

#endif
