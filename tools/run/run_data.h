/* The data of an experiment: opened by name or ending, and what of them is learned from and what measured on. */
#ifndef RV_TOOLS_RUN_RUN_DATA_H
#define RV_TOOLS_RUN_RUN_DATA_H

#include "tools/run/experiment.h"

/* Fills in e->whole; sets s->task and the options that depend on it. */
bool run_data_open(settings *s, experiment *e, rv_error *error);

/* Fills in the parts and views of e->whole; sets s->held_out. */
bool run_data_split(settings *s, experiment *e, rv_error *error);

#endif
