/* Partition: inserts barriers between calls that conflict, and assigns each uncut call to a lane.
 *
 * A call needs a barrier before it if it reads memory that another lane may have written since the
 * last barrier, or writes memory that another lane may still read or write. No barrier is needed
 * where each part touches only what the same part of the earlier call touched. Scratch memory is
 * per lane and never conflicts. */
#include "autograd/passes/passes.h"
#include "autograd/program/program.h"
#include "autograd/program/fused_group.h"
#include "autograd/program/thread_pool.h"
#include "tensor/memory.h"

/* Memory that a call reads or writes. */
typedef struct access {
    uintptr_t low, high; /* addresses */
    int64_t units;       /* divided among the parts; 0: every part may touch all of it */
    int parts, lane;     /* lane: of an uncut call */
    bool write;
} access;

typedef struct partitioner {
    int threads, lane;            /* lane: the one that runs the current call */
    double busy[RV_MOST_THREADS]; /* estimated nanoseconds of each lane since the last barrier */
    access *since;                /* [count] accesses since the last barrier */
    size_t count, capacity;
    bool out_of_memory;
} partitioner;

enum {
    MOST_ACCESSES = 256, /* since a barrier; beyond that the next call gets one anyway */
    WORTH_A_THREAD = 500 /* nanoseconds; a shorter call goes to the first lane that can run it */
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
        return a->lane != b->lane; /* a lane runs its calls in order */
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
    return (access){(uintptr_t)at, (uintptr_t)at + bytes, units, call->parts, s->lane, write};
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

/* Finds a lane that can run an uncut call without a barrier, the least busy one first if the call
 * is long enough to be worth another thread. */
static bool find_lane(partitioner *s, const rv_call *call, double time)
{
    bool tried[RV_MOST_THREADS] = {false};
    for (int round = 0; round < s->threads; round++) {
        int best = -1;
        for (int w = 0; w < s->threads; w++)
            if (!tried[w] && (best < 0 || (time >= WORTH_A_THREAD && s->busy[w] < s->busy[best])))
                best = w;
        tried[best] = true;
        s->lane = best;
        if (!visit_accesses(s, call, must_wait)) return true;
    }
    s->lane = 0;
    return false;
}

static void do_call(partitioner *s, const rv_call *call, bool *barrier, unsigned char *lane)
{
    double time = nanoseconds(call);
    s->lane = 0;
    *barrier = call->parts > 1 ? visit_accesses(s, call, must_wait) : !find_lane(s, call, time);
    if (*barrier) {
        s->count = 0;
        for (int w = 0; w < s->threads; w++) s->busy[w] = 0;
    }
    *lane = (unsigned char)s->lane;
    for (int w = 0; w < s->threads; w++) {
        if (call->parts > 1) s->busy[w] += time / s->threads;
        if (call->parts == 1 && w == s->lane) s->busy[w] += time;
    }
    visit_accesses(s, call, note);
}

bool rv_pass_partition(const rv_call *calls, int64_t count, int threads, bool *barrier,
                       unsigned char *lane)
{
    partitioner s = {.threads = threads};
    for (int64_t i = 0; i < count && !s.out_of_memory; i++)
        do_call(&s, &calls[i], &barrier[i], &lane[i]);
    rv_free(s.since);
    return !s.out_of_memory;
}

/* ---- turns ---- */

enum { TURN_NANOSECONDS = 50000 }; /* of a turn, unless a single call takes longer */

typedef struct turns {
    const rv_call *calls;
    int threads, slices;
    rv_turn *turn;
    size_t count, capacity;
} turns;

/* An estimate of the time of one slice of a call, or of a call that is not sliced, on one lane. */
static double turn_time(const turns *t, const rv_call *call, int slice)
{
    bool sliced = call->parts > t->threads;
    if (slice > 0 && !sliced) return 0;
    return nanoseconds(call) / call->parts;
}

/* Divides a slice of the calls between two barriers. */
static bool divide_slice(turns *t, int64_t first, int64_t end, int slice)
{
    bool waits = first > 0 && slice == 0;
    for (int64_t i = first; i < end; waits = false) {
        rv_turn turn = {.waits = waits, .slice = slice, .first = i};
        double time = 0;
        do time += turn_time(t, &t->calls[i++], slice);
        while (i < end && time < TURN_NANOSECONDS);
        turn.end = i;
        turn.nanoseconds = (int64_t)time;
        if (!rv_reserve(&t->turn, &t->capacity, t->count + 1, sizeof *t->turn)) return false;
        t->turn[t->count++] = turn;
    }
    return true;
}

bool rv_pass_turns(const rv_call *calls, int64_t count, int threads, int slices,
                   const bool *barrier, rv_turn **turn, int64_t *turn_count)
{
    turns t = {.calls = calls, .threads = threads, .slices = slices};
    bool ok = true;
    for (int64_t first = 0, end; ok && first < count; first = end) {
        int sliced = 1;
        for (end = first; end == first || (end < count && !barrier[end]); end++)
            if (calls[end].parts > threads) sliced = slices;
        for (int slice = 0; ok && slice < sliced; slice++) ok = divide_slice(&t, first, end, slice);
    }
    *turn = t.turn;
    *turn_count = (int64_t)t.count;
    return ok;
}
