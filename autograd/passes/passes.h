/* The compiler passes, from a tape to the layout of a program. rv_compile_flags can turn each one
 * off. */
#ifndef RV_AUTOGRAD_PASSES_PASSES_H
#define RV_AUTOGRAD_PASSES_PASSES_H

#include "autograd/program.h"
#include "autograd/program/thread_pool.h"
#include "autograd/tape.h"

/* live[id] = whether the outputs, or (with RV_EFFECTS) the assignments, need the node. */
void rv_pass_prune(const rv_tape *tape, const int32_t *outputs, int count, unsigned flags,
                   bool *live);

/* A rewrite rule: records a replacement for `node` on the tape `to`, where its inputs are `in`. A
 * null var keeps the node. */
typedef rv_var (*rv_rule)(void *context, rv_tape *to, int32_t id, const rv_node *node,
                          const rv_var *in);

/* Re-records the live nodes on a new tape, through the rule (NULL: as they are), and updates
 * `outputs` to the new ids. Makes room for `more` nodes that the rule adds. NULL on error. */
rv_tape *rv_pass_rewrite(const rv_tape *from, int32_t *outputs, int count, unsigned flags,
                         rv_rule rule, void *context, int32_t more, rv_error *error);

/* A rule: replaces a node by a simpler equal one. */
rv_var rv_pass_simplify(void *none, rv_tape *to, int32_t id, const rv_node *node, const rv_var *in);

/* A rewrite: each product of a sum accumulates onto the previous one (merge.c). */
rv_tape *rv_pass_merge(const rv_tape *from, int32_t *outputs, int count, unsigned flags,
                       rv_error *error);

typedef enum rv_storage_kind {
    RV_STORAGE_NONE,  /* a dead node, or an effect */
    RV_STORAGE_ARENA, /* at `offset` in the arena */
    RV_STORAGE_STORE, /* in the data of `entry` */
    RV_STORAGE_TILE,  /* at `offset` in a lane's scratch, tile by tile, for its group */
} rv_storage_kind;

/* Where a value is stored. */
typedef struct rv_storage {
    rv_storage_kind kind;
    size_t offset;
    const rv_entry *entry;
    bool owner;  /* false for a view, which uses the memory of input 0 */
    bool single; /* stored as one element: all are equal, and only pointwise ops read them */
} rv_storage;

/* Sets `single` of the nodes that can be stored as one element. storage [nodes] starts as zeros. */
void rv_pass_single(const rv_tape *tape, const bool *live, const int32_t *outputs, int count,
                    unsigned flags, rv_storage *storage);

/* The nodes that run, in order. With RV_FUSE, pointwise ops form groups: the members of a group are
 * consecutive and run as one instruction. */
typedef struct rv_schedule {
    int32_t count;
    int32_t *id;           /* [count] nodes */
    int32_t *first, *last; /* [count] first and last position of its group */
    int32_t *position;     /* [nodes] of a node, or -1 if it does not run */
    int32_t *parts;        /* [count] number of parts of the instruction that begins there */
} rv_schedule;

bool rv_pass_schedule(rv_tape *tape, const bool *live, const rv_storage *storage, unsigned flags,
                      rv_schedule *schedule);
void rv_schedule_free(rv_schedule *schedule);

typedef struct rv_plan {
    rv_storage *storage; /* [nodes] */
    size_t *snapshot; /* [nodes] of an assignment: 1 + arena offset of a copy of its value, or 0 */
    size_t scratch;   /* arena offset of the scratch of all lanes, one after the other */
    size_t scratch_bytes; /* of one lane */
    size_t arena_bytes, live_bytes;
} rv_plan;

bool rv_plan_new(const rv_tape *tape, rv_plan *plan); /* all zeros; false when out of memory */
void rv_plan_free(rv_plan *plan);

/* Lays out the live nodes. A value is alive from the node that computes it to its last reader.
 * The caller sets plan->storage with rv_pass_single, and plan->scratch_bytes to what the calls
 * need; the plan raises scratch_bytes to make room for tiles. */
bool rv_pass_plan(rv_tape *tape, const bool *live, const int32_t *outputs, int count,
                  const rv_schedule *schedule, int threads, unsigned flags, rv_plan *plan);

/* The work of a call, and how it can be cut. */
typedef struct rv_work {
    double operations, bytes;
    int64_t pieces; /* rv_call's most_parts */
    bool sliced;    /* whether each part touches only its own range of nearly all the bytes */
} rv_work;

rv_work rv_work_of_group(const rv_type *type, int ops); /* a group of `ops` ops */
rv_work rv_work_of_call(const rv_call *call);           /* any other call */
double rv_work_nanoseconds(const rv_work *w);           /* an estimate */

/* How the instructions of a program are cut into parts. An instruction with enough work has one
 * part per thread. Instructions on large tensors are cut into thinner slices, so that the output of
 * one is still in the cache when the next one reads it. */
typedef struct rv_cutting {
    int threads;
    unsigned flags;
    int slices;      /* per thread, run one after the other; set by rv_cutting_done */
    double largest;  /* bytes of the largest instruction that can be sliced */
    int64_t divisor; /* greatest common divisor of their numbers of pieces */
} rv_cutting;

/* Call rv_cutting_see for every instruction, then rv_cutting_done. Then rv_cutting_parts gives the
 * number of parts of an instruction: 1, threads, or threads * slices. */
void rv_cutting_see(rv_cutting *c, const rv_work *w);
void rv_cutting_done(rv_cutting *c);
int32_t rv_cutting_parts(const rv_cutting *c, const rv_work *w);

/* barrier[i]: whether all parts of the calls before call i must end before it starts. Between
 * barriers a lane may run the calls slice by slice. lane[i]: the lane that has call i if it is
 * uncut. False when out of memory. */
bool rv_pass_partition(const rv_call *calls, int64_t count, int threads, bool *barrier,
                       unsigned char *lane);

/* Divides the lanes into turns, for rv_free: the slices of the calls between two barriers, and of a
 * long sequence of calls several. False when out of memory. */
bool rv_pass_turns(const rv_call *calls, int64_t count, int threads, int slices,
                   const bool *barrier, rv_turn **turns, int64_t *turn_count);

/* ---- one call, outside a program ---- */

/* Chooses the kernel of an op for these types. A pointwise op becomes a group of one op.
 * rv_call_bind sets the operands. */
bool rv_call_prepare(rv_call *call, const rv_op *op, const void *attr, const rv_type *in,
                     int inputs, rv_type out, unsigned flags, rv_error *error);
void rv_call_bind(rv_call *call, void *out, const void *const *in);

#endif
