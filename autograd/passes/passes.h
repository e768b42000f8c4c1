/* The passes from a tape to the layout of a program. Each can be switched off (rv_compile_flags). */
#ifndef RV_AUTOGRAD_PASSES_PASSES_H
#define RV_AUTOGRAD_PASSES_PASSES_H

#include "autograd/program.h"
#include "autograd/tape.h"

/* live[id] = whether the outputs, or (with RV_EFFECTS) the assignments, need the node. */
void rv_pass_prune(const rv_tape *tape, const rv_var *outputs, int count, unsigned flags,
                   bool *live);

/* Re-records the live nodes on the empty tape `to`, simplified under RV_SIMPLIFY; in_to[id] is where
 * a live node went. Errors are kept on `to`. */
bool rv_pass_rewrite(const rv_tape *from, const bool *live, unsigned flags, rv_tape *to,
                     int32_t *in_to);

/* Something simpler on `to` that equals `node` of these inputs, or the null var. */
rv_var rv_pass_simplify(rv_tape *to, const rv_node *node, const rv_var *in);

/* Where each value lives. */
typedef enum rv_place_kind {
    RV_PLACE_NONE,  /* a dead node, or an effect */
    RV_PLACE_ARENA, /* at `offset` in the arena */
    RV_PLACE_STORE, /* in the data of `entry` */
} rv_place_kind;

typedef struct rv_place {
    rv_place_kind kind;
    size_t offset;
    const rv_entry *entry;
    bool owner;  /* false for a view: its memory is that of input 0 */
    bool single; /* all elements are equal and only pointwise ops read them: one stands for all */
} rv_place;

typedef struct rv_plan {
    rv_place *place;  /* [nodes] */
    size_t *scratch;  /* [nodes] arena offset of an instruction's scratch */
    size_t *snapshot; /* [nodes] of an assignment: 1 + arena offset of a copy of its value, or 0 */
    size_t arena_bytes, live_bytes;
} rv_plan;

/* Lays out the live nodes of a tape in the order they run, each value alive from the node that
 * makes it to its last reader. scratch_size[id] bytes are needed while node id runs. */
bool rv_pass_plan(rv_tape *tape, const bool *live, const int32_t *outputs, int count,
                  const size_t *scratch_size, unsigned flags, rv_plan *plan);
void rv_plan_free(rv_plan *plan);

/* ---- one call, outside a program ---- */

/* Chooses the kernel of an op on these types. */
bool rv_call_prepare(rv_call *call, const rv_op *op, const void *attr, const rv_type *in,
                     int inputs, rv_type out, unsigned flags, rv_error *error);

#endif
