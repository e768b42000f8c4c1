/* The numbers that `bench --write` wrote, for peers in C. */
#ifndef RV_TOOLS_BENCH_PEERS_DATA_H
#define RV_TOOLS_BENCH_PEERS_DATA_H

#include <stdbool.h>

#include "tensor/safetensors.h"
#include "tools/bench/serve.h"

/* What a peer is asked for. */
typedef struct numbers {
    char base[32]; /* "C3" of "C3-forward"; "D-tanh" */
    bool training; /* false of "-forward", and where there is nothing to train */
    double rate;
    int checked;
    rv_archive archive;
} numbers;

bool numbers_read(numbers *n, const char *folder, const char *workload, char why[SERVE_TEXT]);
void numbers_free(numbers *n);
const float *numbers_find(const numbers *n, const char *name); /* NULL: there is none */

#endif
