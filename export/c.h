/* A net as C99 that needs nothing else: a time step, a whole sequence and training, in loops one can read. */
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
    int64_t saved;           /* what is saved, besides 20 bytes */

    /* Multiplications and additions, not counting functions of the C library: of a time step with an output; of the
     * gradient of a sample. */
    double step, sample;
} rv_c_code;

/* Writes the net with the values that its parameters have in the store, initial values if it lacks them, which it then
 * gains. `prefix` begins all names in C, and the names of the files: small letters, digits and _, at most 31; NULL: "net".
 * Free the code with rv_c_code_free, also after a failure. RV_ERROR_ARGUMENT for a net that has no meaning step by
 * step, and for an op that has no loops; RV_ERROR_NAME for a prefix that is not a valid C identifier. */
bool rv_export_c(const rv_exported_net *net, const char *prefix, rv_store *store, rv_c_code *code,
                 rv_error *error);
void rv_c_code_free(rv_c_code *code);

#ifdef __cplusplus
}
#endif

#endif
