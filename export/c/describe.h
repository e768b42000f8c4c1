#ifndef RV_EXPORT_C_DESCRIBE_H
#define RV_EXPORT_C_DESCRIBE_H

#include "export/c/plan.h"

/* Writes a comment that states the equations of some stored values, as above their loops. */
void rv_c_describe(const rv_c_plan *p, const int32_t *member, int members, rv_writer *w);

#endif
