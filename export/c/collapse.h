#ifndef RV_EXPORT_C_COLLAPSE_H
#define RV_EXPORT_C_COLLAPSE_H

#include "autograd/element_internal.h"

/* Makes one loop of two nested ones wherever all indices of the pool and `flat` allow it: of the
 * outer loops at[0 .. rank-1], and of sums. */
void rv_c_collapse(rv_element_pool *pool, rv_index *at, int rank, rv_index *flat);

/* The factor of a variable in an index. */
int64_t rv_c_factor_of(const rv_index *a, int32_t variable);

#endif
