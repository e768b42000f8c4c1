/* An experiment's net as programs for batches. They are recorded anew when a batch has another size; the store knows the
 * equal ones again, so that each is compiled once. */
#ifndef RV_TOOLS_RUN_BATCH_PROGRAM_H
#define RV_TOOLS_RUN_BATCH_PROGRAM_H

#include "tools/run/experiment.h"

/* The net on the inputs "x", "y" and "length" of n samples, on a tape for rv_tape_free. Unless it learns, nothing is
 * dropped. */
rv_tape *batch_record(const experiment *e, rv_store *store, int64_t n, bool learn, rv_net *net);

/* A program for batches of one size, to be freed by rv_program_free. Its outputs are the cost and the
 * net's; when it learns, a run is an update too. */
typedef struct batch_program {
    int64_t size;
    rv_program *program;
    rv_tensor *x, *y, *length; /* [size,...]; length NULL: all samples are equally long */
} batch_program;

bool batch_program_make(batch_program *b, const experiment *e, rv_store *store, int64_t n,
                        bool learn, unsigned flags, rv_error *error);

/* Makes *b one for batches of this size, if it is not; {0} is none yet. */
bool batch_program_fit(batch_program *b, const experiment *e, rv_store *store, int64_t n,
                       bool learn, rv_error *error);

/* A program of a tape whose inputs are those, with outputs of yours. */
bool batch_program_compile(batch_program *b, rv_tape *tape, int64_t n, const rv_var *outputs,
                           int count, unsigned flags, rv_error *error);

/* Copies a batch of its size into its inputs; feeds and runs. */
bool batch_program_feed(const batch_program *b, const rv_batch *batch, rv_error *error);
bool batch_program_run(const batch_program *b, const rv_batch *batch, rv_error *error);

/* The floating-point operations of all products of an update by n samples. */
bool count_products(const experiment *e, rv_store *store, int64_t n, double *operations,
                    rv_error *error);

/* Makes the model's parameters in the store, so that a checkpoint can be held against them. */
bool make_parameters(const experiment *e, rv_store *store, rv_error *error);

#endif
