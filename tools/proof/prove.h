/* Checks of first and second derivatives against central differences, in double precision. */
#ifndef RV_TOOLS_PROOF_PROVE_H
#define RV_TOOLS_PROOF_PROVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recurve.h"

/* The result for d name / d parameter: the worst over all samples. */
typedef struct proof {
    const char *name;     /* of the op or the model */
    char parameter[256];  /* or input */
    double first, second; /* largest relative errors; NaN where there is nothing to differentiate */
    rv_verdict verdict;
    char reason[256];
} proof;

typedef struct proofs {
    proof *at;
    size_t count, capacity;
    double tolerance; /* largest relative error that passes */
    uint64_t seed;    /* of the values and of the random directions */
    bool (*proceed)(void *context, int64_t numbers); /* as in rv_gradcheck_options */
    void *context;
} proofs;

/* Each appends a row per input or parameter; false only when out of memory. A check that cannot be
 * made is an undecided row. A cell is checked in a small net, a `whole` model from a text with the
 * inputs that the text draws. */
bool prove_op(proofs *p, const rv_op *op, rv_error *error);
bool prove_model(proofs *p, const rv_model *model, bool whole, rv_error *error);
void proofs_free(proofs *p);

#endif
