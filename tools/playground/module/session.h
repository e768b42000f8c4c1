/* The two runs of the page. */
#ifndef RV_TOOLS_PLAYGROUND_MODULE_SESSION_H
#define RV_TOOLS_PLAYGROUND_MODULE_SESSION_H

#include "tools/playground/module/call.h"

enum { PAGE_RUNS = 2 };

/* The trainer of the argument "run". It stays until the run is opened, changed or closed. NULL and
 * an error if there is none. */
rv_trainer *session_trainer(const page_task *task);

/* The samples that the arguments name: those to validate on if "validation" is true, else those to
 * train on. */
const rv_source *session_samples(const page_task *task, const rv_trainer *trainer);

/* The net of a run for one sample: its program, with the outputs loss and net output, to be fed by
 * rv_batch_program_feed. Owned by the session, as long as the trainer. NULL on failure. */
rv_batch_program *session_program(const page_task *task);

/* Closes all runs. */
void session_close(void);

#endif
