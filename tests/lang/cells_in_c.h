// The cells of models/*.rv, in C.
#ifndef RV_TESTS_LANG_CELLS_IN_C_H
#define RV_TESTS_LANG_CELLS_IN_C_H

#include <vector>

#include "recurve.h"

struct CellInC {
    const char *name; // of the text
    rv_cell_step step;
};
std::vector<CellInC> cells_in_c();

#endif
