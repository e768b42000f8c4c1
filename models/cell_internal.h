/* What a cell's step is given to work with. */
#ifndef RV_MODELS_CELL_INTERNAL_H
#define RV_MODELS_CELL_INTERNAL_H

#include "models/cell.h"

enum { RV_CELL_NAME = 256, RV_CELL_GIVEN_NAME = 100 };

struct rv_cell {
    rv_tape *tape;
    const rv_rnn_options *options;
    const char *prefix; /* of parameter names: "" or "name/layer0/" */
    bool probe;         /* only shapes matter: parameters need no values */
    int64_t time;       /* the step, from 0 */
};

#endif
