/* An ONNX model as it is written: values with names of their own, nodes and initializers. */
#ifndef RV_EXPORT_ONNX_MODEL_H
#define RV_EXPORT_ONNX_MODEL_H

#include "autograd/tape.h"
#include "export/onnx/protobuf.h"
#include "tensor/name_table_internal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A message's fields, by their numbers in onnx.proto of the ONNX project. */
enum {
    RV_MODEL_IR_VERSION = 1,
    RV_MODEL_PRODUCER_NAME = 2,
    RV_MODEL_PRODUCER_VERSION = 3,
    RV_MODEL_GRAPH = 7,
    RV_MODEL_OPSET_IMPORT = 8,
    RV_OPSET_VERSION = 2,

    RV_GRAPH_NODE = 1,
    RV_GRAPH_NAME = 2,
    RV_GRAPH_INITIALIZER = 5,
    RV_GRAPH_DOC_STRING = 10,
    RV_GRAPH_INPUT = 11,
    RV_GRAPH_OUTPUT = 12,

    RV_NODE_INPUT = 1,
    RV_NODE_OUTPUT = 2,
    RV_NODE_NAME = 3,
    RV_NODE_OP_TYPE = 4,
    RV_NODE_ATTRIBUTE = 5,

    RV_ATTRIBUTE_NAME = 1,
    RV_ATTRIBUTE_I = 3,
    RV_ATTRIBUTE_G = 6,
    RV_ATTRIBUTE_INTS = 8,
    RV_ATTRIBUTE_TYPE = 20, /* one of: */
    RV_ATTRIBUTE_OF_INT = 2,
    RV_ATTRIBUTE_OF_GRAPH = 5,
    RV_ATTRIBUTE_OF_INTS = 7,

    RV_TENSOR_DIMS = 1,
    RV_TENSOR_DATA_TYPE = 2,
    RV_TENSOR_NAME = 8,
    RV_TENSOR_RAW_DATA = 9,

    RV_VALUE_NAME = 1,
    RV_VALUE_TYPE = 2,
    RV_TYPE_TENSOR = 1,
    RV_TENSOR_TYPE_ELEMENT = 1,
    RV_TENSOR_TYPE_SHAPE = 2,
    RV_SHAPE_DIM = 1,
    RV_DIM_VALUE = 1,
    RV_DIM_PARAMETER = 2
};

enum { RV_ONNX_BOOL = 9, RV_ONNX_I64 = 7 }; /* types of elements that tapes lack */
int rv_onnx_dtype(rv_dtype dtype);

typedef struct rv_onnx_entry {
    const rv_entry *entry;
    const char *name;
} rv_onnx_entry;

typedef struct rv_onnx {
    rv_protobuf out;          /* the model; its open message is a graph */
    rv_protobuf initializers; /* of the outermost graph, which graphs in attributes of nodes see */
    rv_protobuf attributes;   /* of the next node */
    rv_name_table taken;      /* the names of values */
    char **name;
    size_t names, name_capacity;
    rv_onnx_entry *entry; /* whose initializers are written */
    size_t entries, entry_capacity;
    const char *samples_of; /* a value whose axis 0 is the samples */
    const char *batch;      /* their number, [1] i64; NULL: not written yet */
    rv_error error;         /* the first one */
} rv_onnx;

/* The model up to its graph, whose description is `doc`; either may be NULL. `end` returns the
 * model's bytes, which the caller frees, or NULL after an error; it takes what `begin` has
 * returned. */
size_t rv_onnx_begin(rv_onnx *m, const char *name, const char *doc);
unsigned char *rv_onnx_end(rv_onnx *m, size_t begin, size_t *size);

void rv_onnx_fail(rv_onnx *m, rv_code code, const char *format, ...) RV_PRINTF(3, 4);
void rv_onnx_free(rv_onnx *m);

/* The text as the name of a new value: "g", or "g_2" if there is a "g". Never NULL. */
const char *rv_onnx_name(rv_onnx *m, const char *format, ...) RV_PRINTF(2, 3);

/* ---- initializers: each returns its name; equal ones are one ---- */
const char *rv_onnx_number(rv_onnx *m, rv_dtype dtype, double value);   /* [] */
const char *rv_onnx_ints(rv_onnx *m, const int64_t *values, int count); /* [count], i64 */
const char *rv_onnx_int(rv_onnx *m, int64_t value);                     /* [], i64 */
const char *rv_onnx_range(rv_onnx *m, int64_t count);                   /* 0 .. count-1, i32 */
const char *rv_onnx_stored(rv_onnx *m, const rv_entry *entry);          /* named like the entry */
const char *rv_onnx_tensor(rv_onnx *m, const char *name, const rv_tensor *tensor); /* a new one */

/* ---- nodes ---- */

const char *rv_onnx_batch(rv_onnx *m); /* the number of samples, [1] i64 */

/* Attributes of the next node. */
void rv_onnx_set(rv_onnx *m, const char *attribute, int64_t value);
void rv_onnx_set_ints(rv_onnx *m, const char *attribute, const int64_t *values, int count);

/* A node with one output, named like it; with several, like the last. An output called "" is left
 * out. */
void rv_onnx_node(rv_onnx *m, const char *type, const char *const *in, int count, const char *out);
void rv_onnx_node_with(rv_onnx *m, const char *type, const char *const *in, int count,
                       const char *const *out, int out_count);

/* A Scan along axis 0 of the last `scanned` inputs, up to its body, a graph. Sets attributes of its
 * own besides those that are set. `end` takes what `begin` has returned. */
typedef struct rv_onnx_scan {
    size_t node, attribute, body;
} rv_onnx_scan;
rv_onnx_scan rv_onnx_scan_begin(rv_onnx *m, const char *const *in, int count, int scanned,
                                const char *const *out, int out_count);
void rv_onnx_scan_end(rv_onnx *m, rv_onnx_scan begin);

/* ---- inputs and outputs of a graph: `field` of it ---- */

/* A size of a value; a free one is `size` times the dimension of that name. */
typedef struct rv_onnx_size {
    int64_t size;
    const char *free; /* NULL: fixed */
} rv_onnx_size;
void rv_onnx_value(rv_onnx *m, int field, const char *name, rv_dtype dtype,
                   const rv_onnx_size *size, int64_t rank);

#ifdef __cplusplus
}
#endif

#endif
