/* Several cells, optimizers and derivations on the same data with the same seeds: each run equals
 * one of `recurve train`. */
#ifndef RV_TOOLS_COMMAND_COMPARISON_H
#define RV_TOOLS_COMMAND_COMPARISON_H

#include "recurve.h"

enum { MOST_COMPARED = 64 }; /* models, optimizers, and derivations */

/* A cell with an optimizer and a derivation's gradients or "autodiff". */
typedef struct contender {
    const char *model, *optimizer, *gradients;
    int model_number, optimizer_number, gradients_number; /* in the lists */
    int64_t parameters, units;
    rv_train_result *runs; /* [seeds], in order of the seeds; their histories belong to them */
    bool diverged;         /* a run did: the fields below are unset */
    /* Validation scores: accuracies, bits per character or squared errors: means over the seeds and
     * their standard deviations. Best are those of the epoch with the least validation loss. */
    double best, best_spread, last, last_spread;
    double epochs_to_best, samples_per_second; /* means */
} contender;

typedef struct comparison {
    rv_train_config base; /* of all runs, except model, optimizer, gradients, seed and folder */
    const char *initial;  /* the file of the parameters that all start from; NULL: random ones */
    bool plot, bar;       /* draw the curves of each; show progress */
    rv_error undrawn;     /* the first picture of a run that failed */
    const char *models[MOST_COMPARED], *optimizers[MOST_COMPARED]; /* NULL: the default */
    const char *gradients[MOST_COMPARED];
    int model_count, optimizer_count, gradients_count;
    char *model_list, *optimizer_list, *gradients_list; /* memory of the names */
    int64_t seeds;
    contender *all; /* [count], in order of models, then optimizers, then gradients */
    int count;
    const contender *first; /* with the best mean; NULL: all diverged */
    rv_trainer *tried;      /* the first run, not trained: its data are those of all */
} comparison;

/* Looks up the names in the lists "a,b" (NULL: the default), and checks that every run can be made.
 * Free it with comparison_free, also after a failure. */
bool comparison_make(comparison *c, const char *models, const char *optimizers,
                     const char *gradients, rv_error *error);

/* Fails if the folders of the runs hold earlier ones, unless these are to be overwritten. */
bool comparison_check_folders(const comparison *c, rv_error *error);

/* Carries out all runs. A run that diverges is a result. Any other failure ends the comparison and
 * names the run. */
bool comparison_run(comparison *c, rv_error *error);
void comparison_free(comparison *c);

/* Whether score a is better than b. */
bool comparison_better(const comparison *c, double a, double b);

/* Whether the contender's best score is the best mean, or less than two standard errors from it:
 * with another choice of seeds it could be first. With one seed the noise is not known, and no
 * contender is. */
bool comparison_is_best(const comparison *c, const contender *who);

/* The data that scores are measured on. */
const rv_source *comparison_data(const comparison *c);

/* "gru-adam", and with several seeds "gru-adam-2": the folder of a run. For a model from a file:
 * "models_gru.rv-adam"; with a list of gradients: "models_gru.rv-adam-by_hand". */
enum { RUN_TEXT = 256 };
const char *comparison_run_name(const comparison *c, const contender *who, int64_t k,
                                char text[RUN_TEXT]);

#endif
