/* A profile as a picture. */
#ifndef RV_TOOLS_PROFILE_TIMELINE_H
#define RV_TOOLS_PROFILE_TIMELINE_H

#include "tools/profile/profiling.h"

/* An SVG of the quickest run: a lane for each thread, a rectangle for each instruction and thread that has
 * a part in it, as wide as it takes long; what it computes is its tooltip. For free; NULL: memory is
 * out. */
char *timeline_draw(const profile *p, const char *title);

#endif
