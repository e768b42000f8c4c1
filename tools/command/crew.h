/* Those who train the trials of a search, and watching them. */
#ifndef RV_TOOLS_COMMAND_CREW_H
#define RV_TOOLS_COMMAND_CREW_H

#include "tools/cli/progress.h"
#include "tools/command/search.h"

/* Trains the trials in `workers` processes, with a progress bar. Returns when none is left. */
exit_status search_train(search *w, rv_error *error);

/* ---- for another engine ---- */

/* While others train: a progress bar, and the result at the end. */
typedef struct search_watch {
    search *search;
    progress bar;
    trial_counts before;
    rv_error *error;
} search_watch;

search_watch search_watch_new(search *w, rv_error *error);
void search_paint(search_watch *watch); /* at most twice a second */

/* `recurve sweep`, whose trials another engine trains than search_train. */
typedef exit_status (*search_engine)(search *w, rv_error *error);
exit_status sweep_with(search_engine train, int argc, char **argv, rv_error *error);

/* After `killed` workers were killed and `failed` have failed. Sets *error. */
exit_status search_result(search_watch *watch, int killed, int failed);

#endif
