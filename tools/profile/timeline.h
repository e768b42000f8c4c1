/* A profile as a trace: ui.perfetto.dev and chrome://tracing show it. */
#ifndef RV_TOOLS_PROFILE_TIMELINE_H
#define RV_TOOLS_PROFILE_TIMELINE_H

#include "tools/profile/profiling.h"

/* Writes the quickest run in the Trace Event Format (JSON): a track per thread, on it phases, in
 * them scopes, in them instructions. */
bool timeline_write(const profile *p, const char *title, const char *path, rv_error *error);

#endif
