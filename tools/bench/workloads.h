/* The workloads: small nets whose training step or forward pass every contender computes on the
 * same numbers. `bench --write` writes these numbers to files, which the peers read. */
#ifndef RV_TOOLS_BENCH_WORKLOADS_H
#define RV_TOOLS_BENCH_WORKLOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recurve.h"

typedef struct workload workload;

/* A net as equations: the prediction from x, and the loss of a prediction. */
typedef rv_var (*workload_prediction)(const workload *w, rv_var x);
typedef rv_var (*workload_loss)(rv_var prediction, rv_var target);

struct workload {
    const char *name; /* "A1"; the name of its forward pass is "A1-forward" */
    const char *what; /* one line for people */
    workload_prediction prediction;
    workload_loss loss; /* NULL: there is nothing to train */
    rv_optimizer (*optimizer)(double rate);
    double rate;
    rv_shape x, y;
    int64_t classes;  /* of y: two as 0 or 1 in f32, more as i32; 0: y in -1..1 */
    bool tokens;      /* x is of these classes, too; otherwise in -2..2 */
    int64_t steps;    /* of the cell */
    int64_t units;    /* its hidden units or channels */
    const char *cell; /* a built-in cell; NULL: none */
    int checked;      /* runs after which losses are compared */
    double (*operations)(const workload *w, bool training); /* the least that a step needs */
};

/* A workload by its place, and by its name; *training is false for "-forward". NULL: there is
 * none. */
const workload *workload_at(int index);
const workload *workload_find(const char *name, bool *training);

/* "A1" or "A1-forward", in `text`. */
enum { WORKLOAD_NAME = 32, WORKLOAD_EMBEDDING = 128 /* numbers for a character */ };
const char *workload_name(const workload *w, bool training, char text[WORKLOAD_NAME]);

/* A workload recorded and compiled on its store, filled with its inputs. {0} on error. */
typedef struct contender {
    const workload *workload;
    bool training;
    rv_store *store;
    rv_tape *tape;
    rv_program *program; /* output 0 is the loss, or of a forward pass the prediction */
} contender;

bool contender_new(contender *c, const workload *w, bool training, int threads, rv_error *error);
void contender_free(contender *c);

/* The number by which contenders are compared, at the last of workload->checked runs: the loss;
 * of a forward pass the loss of its prediction; without a loss the mean square of the prediction.
 * To be asked once, before anything else runs the program. */
bool contender_check(contender *c, double *value, rv_error *error);

/* Seconds to record and compile a training step, from an empty store: with the first values of its
 * parameters. */
bool workload_compile_seconds(const workload *w, double *seconds, rv_error *error);

/* Writes x, y and the parameters before the first step to FOLDER/NAME.safetensors, with what else a
 * peer needs as metadata: rate, steps, checked. */
bool workload_write(const workload *w, const char *folder, rv_error *error);

#endif
