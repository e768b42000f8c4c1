#ifndef RV_EXPORT_C_KEPT_H
#define RV_EXPORT_C_KEPT_H

#include "export/c/parts.h"

/* Keeps the values inside a step that only values of its gradient read. */
bool rv_c_find_kept(rv_c_parts *p, rv_error *error);

#endif
