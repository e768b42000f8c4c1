/* Values of a tape as nodes of an ONNX graph. */
#ifndef RV_EXPORT_ONNX_GRAPH_H
#define RV_EXPORT_ONNX_GRAPH_H

#include "export/onnx/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How sizes depend on the number of samples is found from two tapes of the same net. */
typedef struct rv_onnx_graph {
    rv_onnx *model;
    const rv_tape *tape, *other; /* of `samples` and of others; NULL: the number is fixed */
    int64_t samples, other_samples;
    bool steps;        /* names tell the time step: "g[2]" */
    const char **name; /* [nodes] of the values; NULL: not written yet */
    const char **wish; /* [nodes] names that outputs should have */
    bool *needed;      /* [nodes] */
    int32_t *owner;    /* [nodes] the named value that an unnamed one is computed for; -1: none */
} rv_onnx_graph;

/* Fails, on the model, if the tapes differ in more than sizes. */
void rv_onnx_graph_make(rv_onnx_graph *g, rv_onnx *model, const rv_tape *tape, int64_t samples,
                        const rv_tape *other, int64_t other_samples);
void rv_onnx_graph_free(rv_onnx_graph *g);

/* A value that the model has under that name; as an input, the graph says so. Unless NULL, `time`
 * is put in as axis 1 of an input or output. */
void rv_onnx_graph_give(rv_onnx_graph *g, rv_var x, const char *name);
void rv_onnx_graph_input(rv_onnx_graph *g, rv_var x, const char *name, const char *time);

/* A value that is wanted, under a new name. */
void rv_onnx_graph_want(rv_onnx_graph *g, rv_var x, const char *name);

/* Writes the nodes of all wanted values. */
void rv_onnx_graph_write(rv_onnx_graph *g);

/* After that: gives a wanted value its new name if it has another, and makes it an output. */
void rv_onnx_graph_rename(rv_onnx_graph *g, rv_var x, const char *name);
void rv_onnx_graph_output(rv_onnx_graph *g, rv_var x, const char *name, const char *time);

/* Size d of a value. */
rv_onnx_size rv_onnx_size_of(rv_onnx_graph *g, int32_t id, int64_t d);

/* The shape of a value as a value, [rank] i64. For Reshape one free size may be -1. */
const char *rv_onnx_shape_of(rv_onnx_graph *g, int32_t id, bool reshape);

/* If a node drops an axis after taking one element along it, that; returns the value that it is
 * taken of. Else -1. */
int32_t rv_onnx_element(const rv_onnx_graph *g, const rv_node *node, int64_t *axis, int64_t *index);

/* ---- ops ---- */

/* A node of the tape that becomes nodes of the graph. */
typedef struct rv_onnx_call {
    rv_onnx_graph *graph;
    rv_onnx *model;
    const rv_node *node;
    int32_t id;
    const char *const *in; /* [node->inputs] */
    const char *out;
} rv_onnx_call;

/* Writes the nodes; false if the op is unknown. */
bool rv_onnx_op(rv_onnx_call *call);

#ifdef __cplusplus
}
#endif

#endif
