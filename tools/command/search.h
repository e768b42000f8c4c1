/* A search over hyper-parameters in a database: what `recurve sweep` and `recurve experiment` have
 * in common. */
#ifndef RV_TOOLS_COMMAND_SEARCH_H
#define RV_TOOLS_COMMAND_SEARCH_H

#include "tools/cli/command.h"
#include "tools/command/sweep_report.h"

enum { MOST_TRIALS = 10000000, MOST_WORKERS = 1024 };

typedef struct search_options {
    rv_train_config config; /* options that hold for all trials */
    const char *database, *objective;
    int64_t workers, halving, rung;
    bool quiet;
    trial_range range; /* last -1: those in the database; in a new one, `usual` */
    int64_t usual;     /* trials */
    const char *space,
        *from; /* the text of the space, and what it is called; NULL: the database's */
} search_options;

typedef struct search {
    const command *page; /* whose search it is */
    const search_options *options;
    space space;
    sweep_plan plan;
    database database;
    const objective *objective;
    trial_range range;
} search;

/* Opens the database. If the search is to train, makes it if it is missing, and adds the trials.
 * Close with search_close, also after a failure. */
bool search_open(search *w, const command *page, const search_options *options, bool trains,
                 rv_error *error);
void search_close(search *w);

/* The search as the functions of sweep_report.h take it. */
sweep_report search_report(search *w);

/* The trainer of the first trial that can be made, not trained: its data and net. Free it with
 * rv_trainer_free. */
rv_trainer *search_specimen(const search *w, rv_error *error);

#endif
