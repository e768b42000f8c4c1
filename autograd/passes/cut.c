/* Cut: chooses the number of parts of each call from an estimate of its run time. */
#include "autograd/passes/passes.h"
#include "autograd/program/fused_group.h"

enum {
    LEAST_NANOSECONDS = 700, /* shorter calls are not worth a barrier */
    OPERATIONS_PER_NANOSECOND = 50,
    BYTES_PER_NANOSECOND = 20,
    SLICE_BYTES = 512 * 1024, /* of L2 cache that a slice of a call's operands may fill */
    LEAST_SLICED = 4 * SLICE_BYTES,
    AGAIN = 32 /* times as many bytes as all slices touch must belong to one slice each */
};

double rv_work_nanoseconds(const rv_work *w)
{
    return w->operations / OPERATIONS_PER_NANOSECOND + w->bytes / BYTES_PER_NANOSECOND;
}

rv_work rv_work_of_group(const rv_type *type, int ops)
{
    /* rough averages: operations per element of an op, and tensors that a group touches */
    enum { OPERATIONS = 6, OPERANDS = 6 };
    double elements = (double)rv_shape_count(type->shape);
    double tensors = ops < OPERANDS ? ops + 1 : OPERANDS;
    return (rv_work){OPERATIONS * elements * ops, (double)rv_type_bytes(type) * tensors,
                     rv_blocks(*type), true};
}

rv_work rv_work_of_call(const rv_call *call)
{
    double all = (double)rv_type_bytes(&call->out_type), shared_out = all;
    for (int k = 0; k < call->inputs; k++) {
        double bytes = (double)rv_type_bytes(&call->in_type[k]);
        all += bytes;
        if (k < 32 && call->sliced >> k & 1) shared_out += bytes;
    }
    return (rv_work){call->operations, all, call->most_parts,
                     shared_out > AGAIN * (all - shared_out)};
}

static bool worth_cutting(const rv_cutting *c, const rv_work *w)
{
    return w->pieces > 1 && (c->flags & RV_CUT || rv_work_nanoseconds(w) >= LEAST_NANOSECONDS);
}

static bool worth_slicing(const rv_cutting *c, const rv_work *w)
{
    return w->pieces > 1 && w->sliced && (c->flags & RV_CUT || w->bytes >= LEAST_SLICED);
}

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

void rv_cutting_see(rv_cutting *c, const rv_work *w)
{
    if (!worth_slicing(c, w)) return;
    if (c->largest < w->bytes) c->largest = w->bytes;
    c->divisor = common_divisor(w->pieces, c->divisor);
}

void rv_cutting_done(rv_cutting *c)
{
    c->slices = c->flags & RV_CUT ? 2 : 1;
    while (c->largest / (c->threads * c->slices) > SLICE_BYTES &&
           c->divisor % (c->threads * c->slices * 2) == 0)
        c->slices *= 2;
}

int32_t rv_cutting_parts(const rv_cutting *c, const rv_work *w)
{
    if (c->slices > 1 && worth_slicing(c, w)) return c->threads * c->slices;
    return worth_cutting(c, w) ? c->threads : 1;
}
