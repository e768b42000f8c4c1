/* What the files that write a function share: function.c groups its values, elements.c has their
 * terms, loops.c the loops of a group, pieces.c those of a value that needs several. */
#ifndef RV_EXPORT_C_MAKER_H
#define RV_EXPORT_C_MAKER_H

#include "export/c/expression.h"
#include "export/c/plan.h"

/* A copy of a stored value with zeros around it, so that loops over it need no conditions. */
typedef struct rv_c_padding {
    int32_t of;
    int64_t before[RV_MAX_RANK], after[RV_MAX_RANK];
    bool written;
} rv_c_padding;

typedef struct rv_c_maker {
    rv_c_function *f;
    rv_c_plan plan;
    rv_error *error;
    bool *at_once; /* [nodes] of a result whose array is given: nothing reads the array later */
    rv_element_pool pool;
    rv_c_padding *padding; /* in terms the stored values from the number of nodes on */
    size_t paddings, padding_room;

    /* the group of loops being made: nodes of one shape */
    int32_t *member; /* [nodes] */
    rv_term *value;  /* [nodes] of the members */
    int members;
    rv_index at[RV_MAX_RANK];
    int64_t rank; /* number of loops */
    rv_index flat;
    bool apart; /* a term reads a member at another index */
    int locals; /* local variables outside of loops */
} rv_c_maker;

/* ---- elements.c ---- */

/* The context of an rv_element: of which node it is, and how deep that is nested. */
typedef struct rv_c_element_context {
    rv_c_maker *m;
    int32_t id;
    int depth;
} rv_c_element_context;

/* The element of a node at an index, as its op says. */
rv_term rv_c_element(rv_c_maker *m, int32_t id, const rv_index *at, int depth);
/* That of input k of the context's node. */
rv_term rv_c_input(rv_element *e, int k, const rv_index *at);
rv_shape rv_c_padded_shape(const rv_c_maker *m, const rv_c_padding *p);

/* ---- loops.c ---- */

/* The shape without its axes of size 1, of which there are no loops. */
rv_shape rv_c_loops_of(rv_shape shape);
void rv_c_begin_group(rv_c_maker *m, rv_shape loops);
void rv_c_write_group(rv_c_maker *m);

/* Writes the copies that the current group needs first. */
void rv_c_write_paddings(rv_c_maker *m);
rv_c_expression rv_c_start_expression(rv_c_maker *m, rv_element_pool *pool);
void rv_c_finish_expression(rv_c_maker *m, const rv_c_expression *x);

/* Declares the array of a value. */
void rv_c_declare(rv_c_maker *m, int32_t id);
/* Where a group's member is written to, and where any value is read from. */
const char *rv_c_place(const rv_c_maker *m, int32_t id, char text[2 * RV_C_NAME]);
const char *rv_c_array_of(void *maker, int32_t id, char text[2 * RV_C_NAME]);
/* Whether the group of a result's node writes it: it is computed, and its array may be written at
 * once. */
bool rv_c_is_written(const rv_c_maker *m, const rv_c_result *r);
int rv_c_count_results(const rv_c_maker *m, int32_t id);

/* ---- pieces.c ---- */

/* Writes a value of which rv_c_has_pieces is true. */
void rv_c_write_pieces(rv_c_maker *m, int32_t id);

#endif
