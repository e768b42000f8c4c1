/* Partition: inserts barriers between calls that conflict, and assigns each uncut call to a worker.
 *
 * A call needs a barrier before it if it reads memory that another worker may have written since the
 * last barrier, or writes memory that another worker may still read or write. No barrier is needed where
 * each part touches only what the same part of the earlier call touched. Scratch memory is per worker
 * and never conflicts. */
#include "autograd/passes/passes.h"
#include "autograd/program/program.h"
#include "autograd/program/fused_group.h"
#include "autograd/program/thread_pool.h"
#include "tensor/memory.h"

/* Memory that a call reads or writes. */
typedef struct access {
    uintptr_t low, high; /* addresses */
    int64_t units;       /* divided among the parts; 0: every part may touch all of it */
    int parts, worker;   /* worker: of an uncut call */
    bool write;
} access;

typedef struct partitioner {
    int threads, worker;          /* worker: the one that runs the current call */
    double busy[RV_MOST_THREADS]; /* estimated nanoseconds of each worker since the last barrier */
    access *since;                /* [count] accesses since the last barrier */
    size_t count, capacity;
    bool out_of_memory;
} partitioner;

enum {
    MOST_ACCESSES = 256, /* since a barrier; beyond that the next call gets one anyway */
    WORTH_A_THREAD = 500 /* nanoseconds; a shorter call goes to the first worker that can run it */
};

static bool same_ranges(const access *a, const access *b)
{
    if (a->parts != b->parts || a->low != b->low || !a->units || !b->units) return false;
    int64_t size_a = (int64_t)(a->high - a->low) / a->units,
            size_b = (int64_t)(b->high - b->low) / b->units;
    for (int part = 1; part < a->parts; part++)
        if (a->units * part / a->parts * size_a != b->units * part / b->parts * size_b)
            return false;
    return true;
}

static bool conflict(const access *a, const access *b)
{
    if (a->low >= b->high || b->low >= a->high || (!a->write && !b->write)) return false;
    if (a->parts == 1 && b->parts == 1)
        return a->worker != b->worker; /* a worker runs its calls in order */
    return a->parts == 1 || b->parts == 1 || !same_ranges(a, b);
}

static bool must_wait(partitioner *s, const access *now)
{
    for (size_t i = 0; i < s->count; i++)
        if (conflict(&s->since[i], now)) return true;
    return s->count > MOST_ACCESSES;
}

static bool note(partitioner *s, const access *now)
{
    if (!rv_reserve(&s->since, &s->capacity, s->count + 1, sizeof *s->since)) {
        s->out_of_memory = true;
        return true;
    }
    s->since[s->count++] = *now;
    return false;
}

/* Visits one access of a call; true ends the visit. */
typedef bool (*visitor)(partitioner *s, const access *now);

static access touched(const partitioner *s, const rv_call *call, const void *at, size_t bytes,
                      int64_t units, bool write)
{
    return (access){(uintptr_t)at, (uintptr_t)at + bytes, units, call->parts, s->worker, write};
}

static bool visit_group(partitioner *s, const rv_call *call, visitor visit)
{
    const rv_fused_group *group = call->plan;
    size_t bytes = (size_t)group->blocks * RV_ALIGNMENT;
    for (int i = 0; i < group->count; i++) {
        const rv_fused_op *op = &group->op[i];
        access out = touched(s, call, op->out, bytes, group->blocks, true);
        if (op->out_moves && visit(s, &out)) return true;
        for (int k = 0; k < op->inputs; k++) {
            access in = touched(s, call, op->in[k], bytes, group->blocks, false);
            if (!op->in_moves[k]) in.high = in.low + 1, in.units = 0;
            if (visit(s, &in)) return true;
        }
    }
    return false;
}

static bool visit_accesses(partitioner *s, const rv_call *call, visitor visit)
{
    if (call->run == rv_run_fused_group) return visit_group(s, call, visit);
    access out =
        touched(s, call, call->out, rv_type_bytes(&call->out_type), call->most_parts, true);
    bool stopped = visit(s, &out);
    for (int k = 0; !stopped && k < call->inputs; k++) {
        bool sliced = k < 32 && call->sliced >> k & 1;
        access in = touched(s, call, call->in[k], rv_type_bytes(&call->in_type[k]),
                            sliced ? call->most_parts : 0, false);
        stopped = visit(s, &in);
    }
    return stopped;
}

static double nanoseconds(const rv_call *call)
{
    rv_work work =
        call->run == rv_run_fused_group
            ? rv_work_of_group(&call->out_type, ((const rv_fused_group *)call->plan)->count)
            : rv_work_of_call(call);
    return rv_work_nanoseconds(&work);
}

/* Finds a worker that can run an uncut call without a barrier, the least busy one first if the call is
 * long enough to be worth another thread. */
static bool find_worker(partitioner *s, const rv_call *call, double time)
{
    bool tried[RV_MOST_THREADS] = {false};
    for (int round = 0; round < s->threads; round++) {
        int best = -1;
        for (int w = 0; w < s->threads; w++)
            if (!tried[w] && (best < 0 || (time >= WORTH_A_THREAD && s->busy[w] < s->busy[best])))
                best = w;
        tried[best] = true;
        s->worker = best;
        if (!visit_accesses(s, call, must_wait)) return true;
    }
    s->worker = 0;
    return false;
}

static void do_call(partitioner *s, const rv_call *call, bool *barrier, unsigned char *worker)
{
    double time = nanoseconds(call);
    s->worker = 0;
    *barrier = call->parts > 1 ? visit_accesses(s, call, must_wait) : !find_worker(s, call, time);
    if (*barrier) {
        s->count = 0;
        for (int w = 0; w < s->threads; w++) s->busy[w] = 0;
    }
    *worker = (unsigned char)s->worker;
    for (int w = 0; w < s->threads; w++) {
        if (call->parts > 1) s->busy[w] += time / s->threads;
        if (call->parts == 1 && w == s->worker) s->busy[w] += time;
    }
    visit_accesses(s, call, note);
}

bool rv_pass_partition(const rv_call *calls, int64_t count, int threads, bool *barrier,
                       unsigned char *worker)
{
    partitioner s = {.threads = threads};
    for (int64_t i = 0; i < count && !s.out_of_memory; i++)
        do_call(&s, &calls[i], &barrier[i], &worker[i]);
    rv_free(s.since);
    return !s.out_of_memory;
}
