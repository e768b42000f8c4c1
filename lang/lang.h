/* The equation language: cells, models and hand derivations as text (docs/language.md has its
 * grammar).
 *
 *     rv_lang *lang = rv_lang_load("my.rv", NULL, &error);
 *     const rv_model *cell = rv_lang_model(lang, "my_gru", &error);
 *     rv_net net = rv_model_record(cell, &options, x, y);
 */
#ifndef RV_LANG_LANG_H
#define RV_LANG_LANG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../autograd/gradcheck.h"
#include "../models/models.h"
#include "../tensor/archive.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A file's cells, models and derivations. Read only, so several threads may record from one. */
typedef struct rv_lang rv_lang;

/* Reads a text and the files that it includes; together at most 1 MiB. An include is looked up
 * beside the file that includes it, then in `folders`, which colons separate (NULL: none). Only
 * files in the folder of the text, in `folders` and below them are read. Of a path with `..` or a
 * symbolic link, the file that it leads to counts. Mistakes in the text are counted by
 * rv_lang_problems. NULL if the file cannot be read or is larger, or when out of memory. The caller
 * frees it with rv_lang_free, after the tapes and models that came from it. */
rv_lang *rv_lang_open(const char *path, const char *folders, rv_error *error);
/* The same from memory. `name` is the path in messages. It includes from `folders` only. */
rv_lang *rv_lang_read(const char *text, size_t size, const char *name, const char *folders,
                      rv_error *error);
/* The same as rv_lang_open, but a text with mistakes is an error: NULL, and the first mistake in
 * *error. */
rv_lang *rv_lang_load(const char *path, const char *folders, rv_error *error);
void rv_lang_free(rv_lang *lang);

/* Bounds on the work on a text. Zeros and NULL are the defaults. */
typedef struct rv_lang_limits {
    /* Expressions evaluated and nodes recorded for one model, 0: 8 million; to check a text, 0: 2
     * million. */
    int64_t operations;
    /* Numbers in a model's inputs and parameters together, and in any one value; 0: 2^28. */
    int64_t size;
    int64_t numbers; /* computed by all runs that prove a model or a derivation; 0: 10^12 */
    /* Asked after each thousand operations and before each run of a program. True ends the work
     * with RV_ERROR_LIMIT. */
    bool (*stop)(void *context);
    void *context;
} rv_lang_limits;

/* Bounds all work from here on: checking, recording and proving. Reading needs no bounds: it takes
 * time and memory in proportion to the text. NULL: the defaults again. */
void rv_lang_limit(rv_lang *lang, const rv_lang_limits *limits);

/* The number of mistakes found so far, and their text in the style of a compiler: file:line:column,
 * the line, a caret, a hint. The caller frees the text with rv_free (tensor/memory.h). NULL when
 * out of memory. */
size_t rv_lang_problems(const rv_lang *lang);
char *rv_lang_problem_text(const rv_lang *lang);

/* A part of a line. Lines and columns count from 1; columns and lengths are characters. */
typedef struct rv_lang_span {
    int line, column, length;
} rv_lang_span;

/* A mistake, for an editor. Strings belong to the lang. */
typedef struct rv_lang_problem {
    const char *file; /* NULL: the mistake has no location, and the line is 0 */
    rv_lang_span at;
    rv_code code;
    const char *message, *hint; /* hint "": none */
    const char *fix;            /* what to write in the place of `wrong`; NULL: not known */
    rv_lang_span wrong;
} rv_lang_problem;

/* The problem of that index in the order of the text. Zeros beyond those that are listed, which are
 * 20 at most. */
rv_lang_problem rv_lang_problem_at(const rv_lang *lang, size_t index);

/* Records all cells and models once, to find shapes that do not fit. Takes at most two million
 * operations, unless limited otherwise: about a second. False if the text has mistakes. */
bool rv_lang_check(rv_lang *lang);

/* The cells and models in the order of the text, owned by the lang. NULL beyond the last one. To
 * unroll a cell directly, pass the model's step and, in the options, its user to rv_unroll_with. */
int rv_lang_model_count(const rv_lang *lang);
const rv_model *rv_lang_model_at(const rv_lang *lang, int index);
/* The model or cell of that name. A NULL name means the last model of the text or, without models,
 * the last cell. NULL on error. */
const rv_model *rv_lang_model(const rv_lang *lang, const char *name, rv_error *error);

/* The text in canonical form. The caller frees it with rv_free. NULL when out of memory. */
char *rv_lang_format(const rv_lang *lang);

/* ---- running a model ---- */

/* A named value of a recorded model. */
typedef struct rv_lang_value {
    const char *name; /* "g", inside unrolls "g[2]" or "a_g[2]"; owned by the recording */
    rv_var var;
    int line;
} rv_lang_value;

typedef struct rv_lang_recording rv_lang_recording;

typedef struct rv_lang_recording_options {
    const rv_named_tensor *given; /* values of inputs; their shapes fix sizes that are names */
    int given_count;
    uint64_t seed; /* of the inputs that are not given */
} rv_lang_recording_options;

/* Records a model of the text on the tape, with its inputs. NULL on error, which is on the tape.
 * The caller frees the recording with rv_lang_recording_free, before the tape. */
rv_lang_recording *rv_lang_record(const rv_model *model, rv_tape *tape,
                                  const rv_lang_recording_options *options);
void rv_lang_recording_free(rv_lang_recording *recording);

/* The named values: those of the model in the order of the text, then those inside unrolls, then
 * parameters of cells. */
int rv_lang_value_count(const rv_lang_recording *recording);
rv_lang_value rv_lang_value_at(const rv_lang_recording *recording, int index);
/* The value of that name, or a null var. As in a text, a_W means the parameter a/W. */
rv_var rv_lang_value_of(const rv_lang_recording *recording, const char *name);

/* Values for all inputs, those given and the others drawn as declared. Owned by the recording. */
const rv_named_tensor *rv_lang_inputs(const rv_lang_recording *recording, int *count);

/* ---- derivations ---- */

/* The model with the gradients that one of its derivations states, right or wrong, in the place of
 * those recorded: its loss has the same value, and by a parameter W the gradient of the line `dW =
 * ..`. Each line reads what the lines before it state. `title` is that of the derivation or, if it
 * has none, the name of its loss. The model belongs to the same lang, and serves wherever the other
 * does; rv_model_record fails if a parameter of the loss has no line or shapes do not fit. NULL on
 * error: RV_ERROR_NAME lists the titles. */
const rv_model *rv_lang_derived(const rv_model *model, const char *title, rv_error *error);

/* The verdict on the gradient of a model's parameter, or on a line of a derivation, given the true
 * values of the lines before it. A gradient is compared with differences (rv_gradcheck). A line is
 * compared with the recorded gradient: it is right if they agree at all points of the proof, wrong
 * if they differ at one. It is undecided if it is right only because states start at the numbers
 * that the text declares, if the recorded gradient is nowhere finite, or if differences contradict
 * the recorded gradient. Texts belong to the lang. */
typedef struct rv_lang_verdict {
    const char *file, *model, *derivation; /* the derivation's title, or "" */
    int head;                              /* the line of its "derive"; 0: not in a derivation */
    int line;
    char name[80]; /* of the parameter, or what is derived: "dC[2]" */
    rv_verdict verdict;
    /* Of a line against the recorded gradient, where it is worst; of a parameter, as
     * difference_error. */
    double max_relative_error, cosine, ratio;
    double difference_error; /* of the recorded gradient against differences */
    char reason[400];        /* as in rv_gradcheck_result */
    char repair[400];        /* a right line for a wrong one: "dh1 = g2.dh2"; "": none is known */
} rv_lang_verdict;

typedef struct rv_lang_proof_options {
    double tolerance;            /* of lines: largest relative error; 0: 1e-10 */
    double difference_tolerance; /* of the recorded gradients; 0: 1e-7 */
    bool repair;     /* look for changes that make wrong lines right: up to a second per line */
    bool as_written; /* lines read the values that lines before them state, right or wrong */
    uint64_t seed;
    const rv_named_tensor *given; /* inputs and parameters */
    int given_count;
} rv_lang_proof_options;

/* Checks the gradients of all models against differences, and every line of every derivation
 * against the recorded gradients, at several points: one where everything is as the text declares
 * it, and others with other inputs, parameters and starting states. What is given is the same at
 * all of them. *verdicts (for rv_free) are those of the models and then those of the derivations,
 * each in the order of the text. False on error. */
bool rv_lang_prove(rv_lang *lang, const rv_lang_proof_options *options, rv_lang_verdict **verdicts,
                   int *count, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
