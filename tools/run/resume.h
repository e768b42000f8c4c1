/* `recurve train --resume`: from the folder of a stopped run to the run. */
#ifndef RV_TOOLS_RUN_RESUME_H
#define RV_TOOLS_RUN_RESUME_H

#include "tools/run/run_folder.h"

/* The folder's checkpoint, or, if that is of no use, the previous one, with a note on stderr. Makes *s, which holds the
 * command line, the settings of its run, and *t its place, for training_free. False as options_parse. */
bool resume_find(const manual *page, int argc, char **argv, settings *s, training *t,
                 char checkpoint[PATH_TEXT], exit_status *result, rv_error *error);

/* Loads it into the empty store. */
bool resume_load(const settings *s, const experiment *e, rv_store *store, const char *checkpoint,
                 rv_error *error);

#endif
