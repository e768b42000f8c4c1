#include "optim/parameters_internal.h"

#include <stdlib.h>
#include <string.h>

#include "autograd/gradient.h"
#include "tensor/memory.h"

const char *rv_parameter_name(rv_var w) { return rv_tape_node(w.tape, w.id)->entry->name; }

static int compare_names(const void *a, const void *b)
{
    return strcmp(rv_parameter_name(*(const rv_var *)a), rv_parameter_name(*(const rv_var *)b));
}

rv_var *rv_parameters_of(rv_var y, int *count)
{
    *count = rv_parameters(y, NULL, 0);
    rv_var *found = *count < 0 ? NULL : rv_alloc((size_t)*count + 1, sizeof *found);
    if (found && rv_parameters(y, found, *count) == *count) {
        qsort(found, (size_t)*count, sizeof *found, compare_names);
        return found;
    }
    rv_free(found);
    *count = 0;
    return NULL;
}
