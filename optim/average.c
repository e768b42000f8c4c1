/* Exponential averages of the weights (Polyak and Juditsky 1992; PyTorch's AveragedModel), for
 * evaluation alone. */
#include "optim/average_internal.h"

#include <string.h>

#include "ops/ops.h"
#include "optim/update_internal.h"

void rv_record_average(const rv_update *u, rv_var next)
{
    rv_tape *tape = u->w.tape;
    rv_var average = rv_moment(u, "average"), one = rv_scalar(tape, 1);
    rv_var begun = rv_moment_shaped(u, "averaged", RV_SCALAR);
    rv_var weight = rv_select(begun, rv_scalar(tape, 1 - u->optimizer->average), one);
    rv_remember(u, begun, one);
    rv_remember(u, average, rv_lerp(average, next, weight));
}

static void swap_bytes(unsigned char *a, unsigned char *b, size_t size)
{
    unsigned char part[256];
    for (size_t at = 0, n; at < size; at += n) {
        n = size - at < sizeof part ? size - at : sizeof part;
        memcpy(part, a + at, n);
        memcpy(a + at, b + at, n);
        memcpy(b + at, part, n);
    }
}

bool rv_swap_averages(rv_store *store)
{
    if (!store) return false;
    bool swapped = false;
    for (size_t i = 0; i < rv_store_count(store); i++) {
        rv_entry *w = rv_store_at(store, i);
        rv_entry *average =
            w->role == RV_PARAMETER ? rv_moment_find(store, "average", w->name) : NULL;
        const rv_entry *begun = average ? rv_moment_find(store, "averaged", w->name) : NULL;
        if (!begun || !(rv_tensor_get(&begun->tensor, 0) > 0) ||
            average->tensor.dtype != w->tensor.dtype ||
            !rv_shape_equal(average->tensor.shape, w->tensor.shape))
            continue;
        swap_bytes(w->tensor.data, average->tensor.data, rv_tensor_bytes(&w->tensor));
        swapped = true;
    }
    return swapped;
}
