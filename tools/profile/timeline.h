/* A profile as a trace for ui.perfetto.dev and chrome://tracing. */
#ifndef RV_TOOLS_PROFILE_TIMELINE_H
#define RV_TOOLS_PROFILE_TIMELINE_H

#include "tools/profile/profiling.h"

/* Writes the quickest run in the Trace Event Format (JSON): a track per thread, with a slice per
 * instruction inside slices for its phase and scope. */
bool timeline_write(const profile *p, const char *title, const char *path, rv_error *error);

#endif
