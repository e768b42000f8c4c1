/* A derivation on a tape: its lines, and its model, recorded so that every named value can be
 * perturbed. */
#ifndef RV_LANG_JUDGE_PROOF_H
#define RV_LANG_JUDGE_PROOF_H

#include "autograd/gradcheck.h"
#include "autograd/program.h"
#include "lang/lang.h"
#include "lang/record/run.h"
#include "lang/resolve/file.h"

enum { LANG_REPAIR = 400 }; /* bytes of a repair */

/* A line of a derivation, or a helper. The truth of a helper is null until a wrong line shows what
 * it stands for. */
typedef struct lang_line {
    const lang_node *statement;
    int target;
    int64_t time;
    rv_var value, leaf, truth; /* what the line states; the input of zeros; the gradient there */
    bool wrong, open;          /* open: wrong only where states start elsewhere */
    int point;                 /* the first one at which it is wrong or open */
    const char *mistake;       /* why it has no value; NULL: it has one */
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
    const rv_model *cell; /* a cell, to be proved in a small net, instead of a model; or NULL */
    lang_report *report;  /* of mistakes */
    lang_work work;
    rv_store *store;
    rv_tape *tape;
    lang_run run; /* of the model */
    rv_var loss;
    int perturbations; /* inputs of zeros so far */
    lang_line *lines;
    size_t count, capacity;
    rv_name_table line_at; /* the lines by target and time step, helpers left out */
    bool corrected;        /* a helper stands for another value than it states */
    size_t visible;        /* lines whose cotangents may be used */
    int64_t to_try;        /* work on variants of wrong lines */
    lang_arena arena;      /* of proposals and mistakes */
    lang_proposal *proposals;
    lang_trial *trial;
    size_t trials, trial_capacity;
    rv_named_tensor *inputs; /* at the current point */
    int input_count;
    int draws;     /* of inputs and parameters, the declared one included */
    bool at_point; /* of number `point` */
    int point;
    bool redrawn;            /* the store has been */
    uint64_t seed;           /* of the point */
    bool starts_are_numbers; /* at which states start */
    int64_t left;            /* work */
    const rv_lang_limits *limits;
    double numbers; /* computed so far */
    bool stopped;   /* by a limit or the caller, which is in *error */
    rv_error *error;
} lang_proof;

/* A store for checks: it keeps shapes, no values. */
rv_store *rv_lang_new_shapes(const rv_lang_limits *limits);

/* Records the model; starts from a proof with `left`, and a `store` or none. False on error, which
 * may be in the report alone. For rv_lang_end_proof, either way. */
bool rv_lang_start_proof(lang_proof *p, lang_file *file, const rv_lang_proof_options *options,
                         const lang_block *model, const char *loss, rv_error *error);
void rv_lang_end_proof(lang_proof *p);

/* A proof is made at several points. At the first one everything is as the text declares it. At the
 * others inputs, parameters and constants are drawn anew, and parameters that start at a number get
 * others around it. If states start at numbers, the same points follow with states that start
 * elsewhere. What is given by the caller stays. */
int rv_lang_points(const lang_proof *p);
bool rv_lang_starts_elsewhere(const lang_proof *p, int point);

/* Moves the inputs and the store to a point. */
bool rv_lang_move(lang_proof *p, int point);
/* Whether the loss is one number; else reports it at a location. */
bool rv_lang_is_number(lang_proof *p, lang_location location);
/* The input of zeros in a quantity, or the quantity itself if it is a leaf. Null var: neither. */
rv_var rv_lang_leaf(rv_var v);

/* Runs a program at the current point. With a jitter, each named value is off by a random number in
 * +-jitter. */
bool rv_lang_run(lang_proof *p, rv_program *program, double jitter, rv_error *error);
/* The values of outputs at the current point, for rv_program_free. NULL on error. */
rv_program *rv_lang_compute(lang_proof *p, const rv_var *outputs, int count, rv_error *error);
/* Whether an output is equal to another, up to the tolerance of lines, or the other is not finite
 * at this point. */
bool rv_lang_is_right(const lang_proof *p, const rv_program *program, int value, int truth);
/* The largest relative error of a right line. */
double rv_lang_tolerance(const lang_proof *p);

/* The value of an expression, or of a whole number from 0. Null var or false: it has none, which is
 * not reported. */
rv_var rv_lang_attempt(lang_proof *p, lang_run *run, const lang_node *e);
bool rv_lang_attempt_whole(lang_proof *p, lang_run *run, const lang_node *e, int64_t *number);
/* Takes the error off the tape. False, and reported: it is out of memory. */
bool rv_lang_forget_error(lang_proof *p);

/* Compares the recorded gradients at leaves with differences: all at the first point, and those
 * that it leaves open at the next ones. A gradient is open while it is undecided, or right with a
 * remark. */
bool rv_lang_check_gradients(lang_proof *p, rv_var loss, const rv_var *leaf, int count,
                             rv_gradcheck_result *result);

#endif
