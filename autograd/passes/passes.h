/* The passes from a tape to the layout of a program. Each can be switched off (rv_compile_flags). */
#ifndef RV_AUTOGRAD_PASSES_PASSES_H
#define RV_AUTOGRAD_PASSES_PASSES_H

#include "autograd/program.h"
#include "autograd/tape.h"

/* live[id] = whether the outputs, or (with RV_EFFECTS) the assignments, need the node. */
void rv_pass_prune(const rv_tape *tape, const int32_t *outputs, int count, unsigned flags,
                   bool *live);

/* What a rewriting puts on the tape `to` for a node whose inputs have become `in`; the null var: the
 * node as it is. */
typedef rv_var (*rv_rule)(void *context, rv_tape *to, int32_t id, const rv_node *node,
                          const rv_var *in);

/* Re-records what is live on a fresh tape, by the rule (NULL: as it is), and moves the outputs there.
 * NULL on error. */
rv_tape *rv_pass_rewrite(const rv_tape *from, int32_t *outputs, int count, unsigned flags,
                         rv_rule rule, void *context, rv_error *error);

/* A rule: something simpler that equals the node. */
rv_var rv_pass_simplify(void *none, rv_tape *to, int32_t id, const rv_node *node, const rv_var *in);

/* A rewriting: products that meet in a sum are accumulated, each onto the one before. */
rv_tape *rv_pass_merge(const rv_tape *from, int32_t *outputs, int count, unsigned flags,
                       rv_error *error);

/* Where each value lives. */
typedef enum rv_place_kind {
    RV_PLACE_NONE,  /* a dead node, or an effect */
    RV_PLACE_ARENA, /* at `offset` in the arena */
    RV_PLACE_STORE, /* in the data of `entry` */
    RV_PLACE_TILE,  /* a tile at a time, at `offset` in the arena: only its own group reads it */
} rv_place_kind;

typedef struct rv_place {
    rv_place_kind kind;
    size_t offset;
    const rv_entry *entry;
    bool owner;  /* false for a view: its memory is that of input 0 */
    bool single; /* all elements are equal and only pointwise ops read them: one stands for all */
} rv_place;

/* Finds the nodes of which one element is enough. place [nodes] starts as zeros. */
void rv_pass_single(const rv_tape *tape, const bool *live, const int32_t *outputs, int count,
                    unsigned flags, rv_place *place);

/* The nodes that run, in order. A group of pointwise ops, under RV_FUSE, stands together and runs as
 * one instruction. */
typedef struct rv_schedule {
    int32_t count;
    int32_t *id;           /* [count] nodes */
    int32_t *first, *last; /* [count] the positions of a position's group */
    int32_t *position;     /* [nodes] or -1 */
    int32_t *parts;        /* [count] into which the instruction that begins there is cut */
} rv_schedule;

bool rv_pass_schedule(rv_tape *tape, const bool *live, const rv_place *place, unsigned flags,
                      rv_schedule *schedule);
void rv_schedule_free(rv_schedule *schedule);

typedef struct rv_plan {
    rv_place *place;  /* [nodes] */
    size_t *snapshot; /* [nodes] of an assignment: 1 + arena offset of a copy of its value, or 0 */
    size_t scratch;   /* arena offset of all workers' scratch, one after the other */
    size_t scratch_bytes; /* of one worker: at first what calls need */
    size_t arena_bytes, live_bytes;
} rv_plan;

bool rv_plan_new(const rv_tape *tape, rv_plan *plan); /* all zeros; false without memory */
void rv_plan_free(rv_plan *plan);

/* Lays out the live nodes, each value alive from the node that makes it to its last reader.
 * plan->place comes from rv_pass_single, plan->scratch_bytes from whoever knows the calls. */
bool rv_pass_plan(rv_tape *tape, const bool *live, const int32_t *outputs, int count,
                  const rv_schedule *schedule, int threads, unsigned flags, rv_plan *plan);

/* What a call costs, and how it can be cut. */
typedef struct rv_work {
    double operations, bytes;
    int64_t pieces; /* rv_call's most_parts */
    bool sliced;    /* of most of the bytes a part touches no more than its share */
} rv_work;

rv_work rv_work_of_rows(const rv_type *type, int steps); /* of a group of so many ops */
rv_work rv_work_of_call(const rv_call *call);            /* of any other */
double rv_work_nanoseconds(const rv_work *w);            /* roughly */

/* How the instructions of a program are cut into parts. Work of some size is cut for the threads, a part each;
 * and a chain of instructions on large tensors into thinner slices, so that what one makes is still in
 * the cache when the next one reads it. */
typedef struct rv_cutting {
    int threads;
    unsigned flags;
    int slices;      /* for each thread, one after the other; rv_cutting_done sets it */
    double largest;  /* bytes of an instruction that can go slice by slice */
    int64_t divisor; /* of the pieces that each of these has */
} rv_cutting;

void rv_cutting_see(rv_cutting *c, const rv_work *w); /* every instruction */
void rv_cutting_done(rv_cutting *c);
int32_t rv_cutting_parts(const rv_cutting *c,
                         const rv_work *w); /* 1, threads, or threads * slices */

/* barrier[i]: all parts of the calls before must be done before call i. Between barriers a worker may run
 * the calls slice by slice. worker[i]: the worker that runs call i if it is not cut. False when out of memory. */
bool rv_pass_partition(const rv_call *calls, int64_t count, int threads, bool *barrier,
                       unsigned char *worker);

/* ---- one call, outside a program ---- */

/* Chooses the kernel of an op on these types. A pointwise op gets a plan of one row, whose operands
 * rv_call_bind sets. */
bool rv_call_prepare(rv_call *call, const rv_op *op, const void *attr, const rv_type *in,
                     int inputs, rv_type out, unsigned flags, rv_error *error);
void rv_call_bind(rv_call *call, void *out, const void *const *in);

#endif
