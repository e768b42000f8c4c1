/* Every op by name. The ops of this folder are those that registry.inc lists, which the build makes
 * of the sources: a line OP(NAME) for each `const rv_op rv_op_NAME` and each row of a table, sorted
 * by name. */
#include <string.h>

#include "autograd/gradient.h"
#include "autograd/recompute.h"
#include "ops/ops.h"

#define OP(name) extern const rv_op rv_op_##name;
#include "ops/registry.inc"
#undef OP

#define OP(name) &rv_op_##name,
static const rv_op *const registry[] = {
#include "ops/registry.inc"
    &rv_op_control_dependency,
    &rv_op_stop_gradient,
};
/* Those of the tape, which come last, are not among them. */
enum { SORTED = sizeof registry / sizeof *registry - 2 };

int rv_op_count(void) { return (int)(sizeof registry / sizeof *registry); }

const rv_op *rv_op_at(int index)
{
    return index >= 0 && index < rv_op_count() ? registry[index] : NULL;
}

const rv_op *rv_op_find(const char *name)
{
    int low = 0, high = SORTED; /* it is in low .. high-1 */
    if (!name) return NULL;
    while (low < high) {
        const int middle = low + (high - low) / 2, order = strcmp(name, registry[middle]->name);
        if (!order) return registry[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    for (int i = SORTED; i < rv_op_count(); i++)
        if (!strcmp(registry[i]->name, name)) return registry[i];
    return NULL;
}
