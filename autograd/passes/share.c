/* Share: which calls the workers of a team do together, each its part, and where they must meet. What is
 * not cut is done by the first worker.
 *
 * Workers meet before a call that touches memory which another worker may have written since they met
 * last, or writes what another may still read. A part often goes on where the same worker's part of
 * the call before has been: then nobody waits. */
#include "autograd/passes/passes.h"
#include "autograd/program_internal.h"
#include "autograd/rows.h"
#include "tensor/memory.h"

/* Below this a call is done sooner than workers have met. */
enum { LEAST_NANOSECONDS = 1500, OPERATIONS_PER_NANOSECOND = 50, BYTES_PER_NANOSECOND = 20 };

int rv_pass_parts(double operations, double bytes, int64_t most_parts, int threads, unsigned flags)
{
    double time = operations / OPERATIONS_PER_NANOSECOND + bytes / BYTES_PER_NANOSECOND;
    return most_parts > 1 && (flags & RV_CUT || time >= LEAST_NANOSECONDS) ? threads : 1;
}

/* Memory that a call reads or writes. */
typedef struct access {
    uintptr_t low, high; /* addresses */
    int64_t units;       /* of which each part touches its share alone; 0: a part may touch all */
    bool cut, write;
} access;

typedef struct sharer {
    int threads;
    access *since; /* the workers met last */
    size_t count, capacity;
    bool out_of_memory;
} sharer;

enum { MOST_ACCESSES = 256 }; /* to look through; then they meet in any case */

static bool same_shares(const sharer *s, const access *a, const access *b)
{
    if (a->low != b->low || !a->units || !b->units) return false;
    int64_t size_a = (int64_t)(a->high - a->low) / a->units,
            size_b = (int64_t)(b->high - b->low) / b->units;
    for (int part = 1; part < s->threads; part++)
        if (a->units * part / s->threads * size_a != b->units * part / s->threads * size_b)
            return false;
    return true;
}

static bool conflict(const sharer *s, const access *a, const access *b)
{
    if (a->low >= b->high || b->low >= a->high || (!a->write && !b->write)) return false;
    if (!a->cut && !b->cut) return false; /* the same worker, in order */
    return !a->cut || !b->cut || !same_shares(s, a, b);
}

static bool must_wait(sharer *s, const access *now)
{
    for (size_t i = 0; i < s->count; i++)
        if (conflict(s, &s->since[i], now)) return true;
    return s->count > MOST_ACCESSES;
}

static bool note(sharer *s, const access *now)
{
    if (!rv_reserve(&s->since, &s->capacity, s->count + 1, sizeof *s->since)) {
        s->out_of_memory = true;
        return true;
    }
    s->since[s->count++] = *now;
    return false;
}

/* Goes through what a call touches until `visit` returns true. */
typedef bool (*visitor)(sharer *s, const access *now);

static access touched(const rv_call *call, const void *at, size_t bytes, int64_t units, bool write)
{
    return (access){(uintptr_t)at, (uintptr_t)at + bytes, units, call->parts > 1, write};
}

static size_t bytes_of(const rv_type *type)
{
    return (size_t)rv_shape_count(type->shape) * rv_dtype_size(type->dtype);
}

static bool visit_rows(sharer *s, const rv_call *call, visitor visit)
{
    const rv_row_plan *plan = call->plan;
    size_t bytes = (size_t)plan->blocks * RV_ALIGNMENT;
    for (int i = 0; i < plan->steps; i++) {
        const rv_row_step *step = &plan->step[i];
        access out = touched(call, step->out, bytes, plan->blocks, true);
        if (step->out_moves && visit(s, &out)) return true;
        for (int k = 0; k < step->inputs; k++) {
            access in = touched(call, step->in[k], bytes, plan->blocks, false);
            if (!step->in_moves[k]) in.high = in.low + 1, in.units = 0;
            if (visit(s, &in)) return true;
        }
    }
    return false;
}

static bool visit_accesses(sharer *s, const rv_call *call, visitor visit)
{
    access scratch =
        touched(call, call->scratch, call->scratch_size * (size_t)call->parts, 0, true);
    if (call->scratch_size && visit(s, &scratch)) return true;
    if (call->run == rv_run_rows) return visit_rows(s, call, visit);
    access out = touched(call, call->out, bytes_of(&call->out_type), call->most_parts, true);
    bool stopped = visit(s, &out);
    for (int k = 0; !stopped && k < call->inputs; k++) {
        bool sliced = k < 32 && call->sliced >> k & 1;
        access in = touched(call, call->in[k], bytes_of(&call->in_type[k]),
                            sliced ? call->most_parts : 0, false);
        stopped = visit(s, &in);
    }
    return stopped;
}

bool rv_pass_share(const rv_call *calls, int64_t count, int threads, bool *meets)
{
    sharer s = {.threads = threads};
    for (int64_t i = 0; i < count && !s.out_of_memory; i++) {
        meets[i] = visit_accesses(&s, &calls[i], must_wait);
        if (meets[i]) s.count = 0;
        visit_accesses(&s, &calls[i], note);
    }
    rv_free(s.since);
    return !s.out_of_memory;
}
