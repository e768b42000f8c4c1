/* Running sums and recurrences along an axis, and sums into the rows that an index names. The order
 * of addition is fixed and does not depend on the number of parts. */
#include <string.h>

#include "ops/kernels/table.h"

/* to[j] = a[j] + b[j]; to may be one of them. */
static void add_row(real *to, const real *a, const real *b, int64_t n)
{
    INDEPENDENT
    for (int64_t j = 0; j < n; j++) to[j] = a[j] + b[j];
}

void RV_NAME(rv_kernel_cumulative_sum)(const rv_call *call)
{
    const rv_scan_plan *p = call->plan;
    int64_t first, end, step = p->reverse ? -p->inner : p->inner;
    rv_call_range(call, p->outer, &first, &end);
    for (int64_t o = first; o < end; o++) {
        const int64_t start = (o * p->steps + (p->reverse ? p->steps - 1 : 0)) * p->inner;
        const real *in = (const real *)call->in[0] + start;
        real *out = (real *)call->out + start;
        if (p->inner == 1) {
            real sum = out[0] = in[0];
            for (int64_t t = 1; t < p->steps; t++) out[t * step] = sum += in[t * step];
            continue;
        }
        memmove(out, in, (size_t)p->inner * sizeof *out);
        for (int64_t t = 1; t < p->steps; t++, out += step) {
            in += step;
            add_row(out + step, out, in, p->inner);
        }
    }
}

void RV_NAME(rv_kernel_scan)(const rv_call *call)
{
    const rv_scan_plan *p = call->plan;
    const int64_t step = p->reverse ? -p->inner : p->inner;
    int64_t first, end;
    rv_call_range(call, p->outer, &first, &end);
    for (int64_t o = first; o < end; o++) {
        const int64_t start = (o * p->steps + (p->reverse ? p->steps - 1 : 0)) * p->inner;
        const real *a = (const real *)call->in[0] + start, *b = (const real *)call->in[1] + start;
        const real *before = (const real *)call->in[2] + o * p->inner;
        real *out = (real *)call->out + start;
        for (int64_t t = 0; t < p->steps; t++) {
            INDEPENDENT
            for (int64_t j = 0; j < p->inner; j++) out[j] = a[j] * before[j] + b[j];
            before = out;
            a += step;
            b += step;
            out += step;
        }
    }
}

/* Each part reads the whole index and adds only to its own rows. */
void RV_NAME(rv_kernel_scatter_add)(const rv_call *call)
{
    const rv_scatter_plan *p = call->plan;
    const real *in = call->in[0];
    const int32_t *index = call->in[1];
    real *out = call->out;
    int64_t first, end;
    rv_call_range(call, p->rows, &first, &end);
    memset(out + first * p->width, 0, (size_t)((end - first) * p->width) * sizeof *out);
    for (int64_t i = 0; i < p->count; i++) {
        if (index[i] < first || index[i] >= end) continue;
        real *row = out + index[i] * p->width;
        add_row(row, row, in + i * p->width, p->width);
    }
}
