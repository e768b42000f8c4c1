/* A derivation on a tape: its lines, and its model, recorded so that every named value can be perturbed. */
#ifndef RV_LANG_JUDGE_PROOF_H
#define RV_LANG_JUDGE_PROOF_H

#include "autograd/gradcheck.h"
#include "autograd/program.h"
#include "lang/lang.h"
#include "lang/record/run.h"
#include "lang/resolve/file.h"

enum { LANG_REPAIR = 400 }; /* bytes of a repair */

/* A line of a derivation. */
typedef struct lang_line {
    const lang_node *statement;
    int target;
    int64_t time;
    rv_var value, leaf, truth; /* what the line states; the input of zeros; the gradient there */
    bool wrong;
    const char *mistake; /* why it has no value; NULL: it has one */
} lang_line;

/* What a wrong line may have been meant to be. */
typedef struct lang_proposal {
    const lang_node *statement;
    lang_node *value;
    const char *text; /* of the whole statement */
    bool refuted;
    struct lang_proposal *next;
} lang_proposal;

/* A proposal at one of its lines. */
typedef struct lang_trial {
    lang_proposal *proposal;
    rv_var value, truth;
} lang_trial;

typedef struct lang_proof {
    lang_scope *scope;
    const rv_lang_proof_options *options;
    const lang_block *model;
    lang_report *report; /* of mistakes */
    lang_work work;
    rv_store *store;
    rv_tape *tape;
    lang_run run; /* of the model */
    rv_var loss;
    int perturbations; /* inputs of zeros so far */
    lang_line *lines;
    size_t count, capacity;
    size_t visible;   /* lines whose cotangents may be used */
    int64_t to_try;   /* work on variants of wrong lines */
    lang_arena arena; /* of proposals and mistakes */
    lang_proposal *proposals;
    lang_trial *trial;
    size_t trials, trial_capacity;
    rv_named_tensor *inputs; /* drawn, and zeros */
    int input_count;
    int64_t left; /* work */
    rv_error *error;
} lang_proof;

/* A store for checks: it keeps shapes, no values. */
rv_store *rv_lang_new_shapes(void);

/* Records the model; starts from a proof with `left`, and a `store` or none. False on error, which may be in the report
 * alone. For rv_lang_end_proof, either way. */
bool rv_lang_start_proof(lang_proof *p, lang_file *file, const rv_lang_proof_options *options,
                         const lang_block *model, const char *loss, rv_error *error);
void rv_lang_end_proof(lang_proof *p);

/* Draws the inputs, and takes what is given for inputs and parameters. */
bool rv_lang_draw_values(lang_proof *p);
/* Whether the loss is one number; else reports it at a location. */
bool rv_lang_is_number(lang_proof *p, lang_location location);
/* The input of zeros in a quantity, or the quantity itself if it is a leaf. Null var: neither. */
rv_var rv_lang_leaf(rv_var v);

/* The values of outputs, for rv_program_free. NULL on error. */
rv_program *rv_lang_compute(const lang_proof *p, const rv_var *outputs, int count, rv_error *error);
/* The largest relative error of a right line. */
double rv_lang_tolerance(const lang_proof *p);

/* Gradients at leaves against central differences. */
bool rv_lang_check_gradients(const lang_proof *p, rv_var loss, const rv_var *leaf, int count,
                             rv_gradcheck_result *result, rv_error *error);

#endif
