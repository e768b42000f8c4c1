/* The built-in cells and models. Each is a text, models/NAME.rv, and nothing else: `recurve models`
 * prints them. */
#ifndef RV_LANG_ZOO_H
#define RV_LANG_ZOO_H

#include "../models/models.h"

#ifdef __cplusplus
extern "C" {
#endif

/* CURNN first, then by name. */
int rv_model_count(void);
const rv_model *rv_model_at(int index);
/* In names a dash and an underscore are the same. NULL: there is none. */
const rv_model *rv_model_find(const char *name);

/* The step of a built-in cell: rv_unroll(rv_zoo("gru"), x, 2). h[0] is the cell's output. A step
 * for an unknown name fails when it is unrolled. Options that a cell has by itself, as conv-gru =
 * gru(kernel=3), are set by rv_model_record, and are the caller's here. */
rv_cell_step rv_zoo(const char *name);

#ifdef __cplusplus
}
#endif

#endif
