#ifndef RV_EXPORT_C_UPDATE_H
#define RV_EXPORT_C_UPDATE_H

#include "export/c/parts.h"

/* Records the update of p->optimizer, with one parameter that stands for all. */
bool rv_c_record_update(rv_c_parts *p, rv_error *error);

#endif
