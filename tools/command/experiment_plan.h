/* The measurements of Collins, Sohl-Dickstein and Sussillo, "Capacity and Trainability in Recurrent
 * Neural Networks" (2016, arXiv 1611.09913), each as a search over hyper-parameters. */
#ifndef RV_TOOLS_COMMAND_EXPERIMENT_PLAN_H
#define RV_TOOLS_COMMAND_EXPERIMENT_PLAN_H

#include "tools/command/search.h"

enum { MOST_GROUPS = 4096, MOST_LISTED = 64 };

/* Trials with the same model, size and layers are a group, whose trials become one number. */
typedef struct group {
    int model, size, layers;           /* in the lists */
    int64_t ended, failed, parameters; /* failed: diverged, or of trainability, failed */
    int64_t untrainable;               /* trials that could not be trained; not among `ended` */
    /* Of capacity: those of the trial with the most bits per parameter. Of memory: the least error.
     * Of trainability: the share of trials that fail, between low and high. */
    double value, samples, accuracy, bits, low, high;
} group;

/* What a trial was. */
typedef struct outcome {
    bool diverged;
    double objective, samples, accuracy;
    int64_t parameters;
} outcome;

typedef struct experiment {
    const char *name, *objective;
    const char *value, *up;     /* the JSON key of a group's value; its label in the picture */
    const char *size;           /* the option that `size` is: parameters or units */
    const char *sizes, *models; /* defaults */
    int64_t trials, epochs;     /* defaults */
    const char *space; /* what all trials draw; ours, where the paper does not give a range */
    void (*count)(group *g, const outcome *trial, double threshold);
} experiment;

/* Whether it is the experiment of that name. */
bool experiment_is(const experiment *e, const char *name);

/* A list of names or numbers. */
typedef struct list {
    char *text;
    const char *item[MOST_LISTED];
    int count;
} list;

/* An experiment with its nets. */
typedef struct experiment_plan {
    const experiment *of;
    list models, sizes, layers;
    char *space;
    char left_out[RV_ERROR_TEXT - 160]; /* lines: nets that cannot be made, and why */
    bool is_left_out[MOST_GROUPS];      /* whether a line is the net of this group */
} experiment_plan;

int experiment_groups(const experiment_plan *p);
void experiment_plan_free(experiment_plan *p);

/* What the command line says of them; each may be NULL. */
typedef struct experiment_nets {
    const char *name, *models, *parameters, *units, *layers;
    const char *space; /* a file of ranges in place of the usual ones */
} experiment_nets;

/* A new experiment, with the options of runs that are given. Free the plan also after a failure,
 * here and below. */
bool experiment_plan_make(experiment_plan *p, const experiment_nets *nets,
                          const rv_train_config *given, rv_error *error);

/* Whether the database holds this experiment, with these nets. */
bool experiment_plan_holds(experiment_plan *p, const char *path, rv_error *error);

/* The experiment that the database holds. Its `space` is NULL. */
bool experiment_plan_read(experiment_plan *p, const experiment_nets *nets, const char *path,
                          rv_error *error);

#endif
