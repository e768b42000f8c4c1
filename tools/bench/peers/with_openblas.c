/* OpenBLAS: the matrix products of C1, C2 and C3 and nothing else, gates side by side. What is left
 * of a step's time above this is not the products'.
 *
 *   with_openblas FOLDER */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/serve.h"

enum { STEPS = 50, BATCH = 32, INPUTS = 64, UNITS = 256, MOST_GATES = 4 };

typedef struct products {
    int gates;
    bool training, twice; /* GRU's last gate has a product of its own, r h W */
    float *x, *h;         /* [steps,n,inputs], [steps,n,units] */
    float *U, *W;         /* [inputs,gates,units], [units,gates,units] */
    float *G;             /* [steps,n,gates,units] */
    float *dU, *dW, *dh;
} products;

/* c = a b + beta c; a [m,k] or its transpose, b [k,n] or its transpose; rows of the gates' matrices
 * are as long as all gates together. */
static void product(CBLAS_TRANSPOSE a_is, CBLAS_TRANSPOSE b_is, int m, int n, int k, const float *a,
                    int a_row, const float *b, int b_row, float beta, float *c, int c_row)
{
    cblas_sgemm(CblasRowMajor, a_is, b_is, m, n, k, 1, a, a_row, b, b_row, beta, c, c_row);
}

/* The state's products for the gates from `first` on: so many, at every step but the one from
 * zero. */
static void recurrent(const products *p, int first, int gates)
{
    int row = p->gates * UNITS, at = first * UNITS, wide = gates * UNITS;
    for (int t = 1; t < STEPS; t++)
        product(CblasNoTrans, CblasNoTrans, BATCH, wide, UNITS, p->h + t * BATCH * UNITS, UNITS,
                p->W + at, row, 1, p->G + t * BATCH * row + at, row);
    for (int t = STEPS - 1; t > 0 && p->training; t--) {
        const float *dG = p->G + t * BATCH * row + at;
        product(CblasNoTrans, CblasTrans, BATCH, UNITS, wide, dG, row, p->W + at, row, 0, p->dh,
                UNITS);
        product(CblasTrans, CblasNoTrans, UNITS, wide, BATCH, p->h + t * BATCH * UNITS, UNITS, dG,
                row, 1, p->dW + at, row);
    }
}

static void run(void *self)
{
    products *p = self;
    int row = p->gates * UNITS, rows = STEPS * BATCH;
    memset(p->dW, 0,
           (size_t)(UNITS * row) * sizeof(float)); /* dW grows by a step's products each time */
    product(CblasNoTrans, CblasNoTrans, rows, row, INPUTS, p->x, INPUTS, p->U, row, 0, p->G, row);
    recurrent(p, 0, p->gates - p->twice);
    if (p->twice) recurrent(p, p->gates - 1, 1);
    if (p->training)
        product(CblasTrans, CblasNoTrans, INPUTS, row, rows, p->x, INPUTS, p->G, row, 0, p->dU,
                row);
}

static bool load(void *self, const char *workload, loaded *l, char why[SERVE_TEXT])
{
    products *p = self;
    if (workload[0] != 'C')
        return snprintf(why, SERVE_TEXT, "only the products of C are written"), false;
    p->gates = workload[1] - '0' + 1;
    p->twice = workload[1] == '2';
    p->training = !strstr(workload, "-forward");
    l->step = (task){run, p};
    return true;
}

static float *filled(int count)
{
    float *values = malloc((size_t)count * sizeof *values);
    for (int i = 0; values && i < count; i++) values[i] = 0.001F * (float)(i % 97 - 48);
    return values;
}

int main(int argc, char **argv)
{
    enum { ROW = MOST_GATES * UNITS };
    if (argc != 2) return fprintf(stderr, "usage: with_openblas FOLDER\n"), 2;
    (void)argv;
    products p = {.x = filled(STEPS * BATCH * INPUTS),
                  .h = filled(STEPS * BATCH * UNITS),
                  .U = filled(INPUTS * ROW),
                  .W = filled(UNITS * ROW),
                  .G = filled(STEPS * BATCH * ROW),
                  .dU = filled(INPUTS * ROW),
                  .dW = filled(UNITS * ROW),
                  .dh = filled(BATCH * UNITS)};
    if (!p.x || !p.h || !p.U || !p.W || !p.G || !p.dU || !p.dW || !p.dh) return 1;
    return serve(load, &p);
}
