/* A net, or values of a tape, as C99 that needs nothing else: a time step, a whole sequence and
 * training, in loops one can read. */
#ifndef RV_EXPORT_C_H
#define RV_EXPORT_C_H

#include "net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Three files as texts, and what they need. */
typedef struct rv_c_code {
    char *header, *source; /* NAME.h, NAME.c */
    char *test; /* NAME_test.c: a program that compares them with results of this library */

    /* Numbers, of four bytes each as float. */
    int64_t parameters;      /* constants, and with training a part of the struct, too */
    int64_t memory;          /* in the struct of a net */
    int64_t memory_to_infer; /* in that of the same net without training */
    int64_t saved;           /* what is saved, besides 20 bytes; 0: nothing */

    /* Multiplications and additions, not counting functions of the C library: of a time step with
     * an output, or of a sample; of the gradient of a sample, 0 without training. */
    double step, sample;
    const char *no_step; /* why there is no function for a time step; NULL: there is one */
} rv_c_code;

typedef struct rv_c_options {
    /* Begins all names in C, and the names of the files: small letters, digits and _, at most 31;
     * NULL: "net". */
    const char *prefix;
    /* Training keeps the values inside each time step for its gradient, which takes memory for each
     * step, instead of computing them again. */
    bool keep;
} rv_c_options;

/* Values on a tape, as functions of its inputs. */
typedef struct rv_exported_values {
    const char *name; /* in comments */
    const char *const *output_name;
    const rv_var *output; /* [outputs] what the function NAME_run computes */
    int outputs;
    rv_var loss;                   /* what training minimizes; null: no training */
    const rv_optimizer *optimizer; /* NULL: no training */
} rv_exported_values;

/* Writes the net with the values that its parameters have in the store, initial values if it lacks
 * them, which it then gains. NULL options mean zeros. Free the code with rv_c_code_free, also after
 * a failure. A net that has no meaning step by step, such as a bidirectional one, becomes functions
 * of whole sequences, with code for each step. RV_ERROR_ARGUMENT for an op that has no loops;
 * RV_ERROR_LIMIT for too much code; RV_ERROR_NAME for a prefix that is not a valid C identifier. */
bool rv_export_c(const rv_exported_net *net, const rv_c_options *options, rv_store *store,
                 rv_c_code *code, rv_error *error);
/* The same of values on an f32 tape, which stays as it is. Arguments are the tape's inputs, in
 * order of recording. */
bool rv_export_c_values(const rv_exported_values *values, const rv_c_options *options,
                        rv_c_code *code, rv_error *error);
void rv_c_code_free(rv_c_code *code);

#ifdef __cplusplus
}
#endif

#endif
