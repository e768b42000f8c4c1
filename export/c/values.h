#ifndef RV_EXPORT_C_VALUES_H
#define RV_EXPORT_C_VALUES_H

#include "export/c/parts.h"

/* Whether the values make sense. */
bool rv_c_values_check(const rv_exported_values *v, rv_error *error);
/* Copies the values to a tape of the parts' own, and finds their inputs. */
bool rv_c_values_copy(rv_c_parts *p, const rv_exported_values *v, rv_error *error);

#endif
