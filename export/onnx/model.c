#include "export/onnx/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "export/text_internal.h"
#include "tensor/little_endian_internal.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "tensor/version.h"

enum { IR_VERSION = 8, OPSET = 17 };
enum { RV_ONNX_NAME = 512 }; /* bytes of a name */

int rv_onnx_dtype(rv_dtype dtype) { return dtype == RV_F32 ? 1 : dtype == RV_F64 ? 11 : 6; }

void rv_onnx_fail(rv_onnx *m, rv_code code, const char *format, ...)
{
    char text[RV_ERROR_TEXT];
    va_list arguments;
    if (m->error.code) return;
    va_start(arguments, format);
    rv_format(text, sizeof text, format, arguments);
    va_end(arguments);
    rv_fail(&m->error, code, "%-s", text);
}

void rv_onnx_free(rv_onnx *m)
{
    for (size_t i = 0; i < m->names; i++) rv_free(m->name[i]);
    rv_free(m->name);
    rv_free(m->entry);
    rv_name_table_free(&m->taken);
    rv_free(m->out.at);
    rv_free(m->initializers.at);
    rv_free(m->attributes.at);
}

/* ---- the model around its graph ---- */

/* The text with what is not UTF-8 escaped. */
static void put_doc(rv_onnx *m, const char *doc)
{
    rv_writer text = {0};
    rv_write(&text, "%-s", doc);
    if (text.failed)
        rv_fail_memory(&m->error);
    else
        rv_protobuf_text(&m->out, RV_GRAPH_DOC_STRING, text.at);
    rv_free(text.at);
}

size_t rv_onnx_begin(rv_onnx *m, const char *name, const char *doc)
{
    rv_protobuf *p = &m->out;
    rv_protobuf_integer(p, RV_MODEL_IR_VERSION, IR_VERSION);
    rv_protobuf_text(p, RV_MODEL_PRODUCER_NAME, "Recurve");
    rv_protobuf_text(p, RV_MODEL_PRODUCER_VERSION, rv_version());
    size_t opset = rv_protobuf_begin(p, RV_MODEL_OPSET_IMPORT);
    rv_protobuf_integer(p, RV_OPSET_VERSION, OPSET);
    rv_protobuf_end(p, opset);
    size_t graph = rv_protobuf_begin(p, RV_MODEL_GRAPH);
    rv_protobuf_text(p, RV_GRAPH_NAME, rv_onnx_name(m, "%s", name ? name : "net"));
    if (doc) put_doc(m, doc);
    return graph;
}

unsigned char *rv_onnx_end(rv_onnx *m, size_t graph, size_t *size)
{
    rv_protobuf_join(&m->out, &m->initializers);
    rv_protobuf_end(&m->out, graph);
    if (m->out.failed || m->attributes.failed) rv_fail_memory(&m->error);
    if (m->out.length > INT32_MAX)
        rv_onnx_fail(m, RV_ERROR_LIMIT,
                     "ONNX: the model has %zu byte(s), expected less than 2^31; use fewer `units`",
                     m->out.length);
    if (m->error.code) return NULL;
    unsigned char *bytes = m->out.at;
    *size = m->out.length;
    m->out = (rv_protobuf){0};
    return bytes;
}

/* ---- names ---- */

/* Whether a constant may be called so: by its value, such as 0.5, -inf or [1,-1]. */
static bool is_constant(const char *name) { return name[0] && strchr("+-.[0123456789", name[0]); }

/* Takes a name that is free. */
static const char *take(rv_onnx *m, const char *text)
{
    char *copy = m->error.code ? NULL : rv_string_copy(text);
    if (copy && rv_reserve(&m->name, &m->name_capacity, m->names + 1, sizeof *m->name) &&
        rv_name_table_reserve(&m->taken, m->names + 1)) {
        rv_name_table_add(&m->taken, copy, m->names);
        return m->name[m->names++] = copy;
    }
    rv_free(copy);
    rv_fail_memory(&m->error);
    return "";
}

const char *rv_onnx_name(rv_onnx *m, const char *format, ...)
{
    char plain[RV_ONNX_NAME] = "_", text[RV_ONNX_NAME + 16];
    va_list arguments;
    va_start(arguments, format);
    rv_format(plain + 1, sizeof plain - 1, format, arguments);
    va_end(arguments);
    if (!is_constant(plain + 1)) memmove(plain, plain + 1, sizeof plain - 1);
    memcpy(text, plain, sizeof plain);
    for (int number = 2; rv_name_table_find(&m->taken, text) != SIZE_MAX; number++)
        snprintf(text, sizeof text, "%s_%d", plain, number);
    return take(m, text);
}

/* ---- initializers ---- */

static const char *put_tensor(rv_onnx *m, const char *name, int type, const int64_t *dim,
                              int64_t rank, const void *data, size_t count, size_t size)
{
    rv_protobuf *p = &m->initializers;
    size_t begin = rv_protobuf_begin(p, RV_GRAPH_INITIALIZER);
    for (int64_t d = 0; d < rank; d++) rv_protobuf_integer(p, RV_TENSOR_DIMS, dim[d]);
    rv_protobuf_integer(p, RV_TENSOR_DATA_TYPE, type);
    rv_protobuf_text(p, RV_TENSOR_NAME, name);
    rv_protobuf_bytes(p, RV_TENSOR_RAW_DATA, data, count * size);
    if (!p->failed) rv_little_endian_convert(p->at + p->length - count * size, count, size);
    rv_protobuf_end(p, begin);
    return name;
}

/* Whether there is an initializer of that name, which says what it holds. If not, takes the
 * name. */
static bool is_known(rv_onnx *m, const char *text, const char **name)
{
    size_t index = rv_name_table_find(&m->taken, text);
    *name = index != SIZE_MAX ? m->name[index] : take(m, text);
    return index != SIZE_MAX;
}

/* The shortest text that reads back as a number of that type. */
static void name_number(rv_dtype dtype, double value, char text[RV_NUMBER_TEXT])
{
    const char *sign = isfinite(value) || value < 0 ? "" : "+",
               *end = dtype == RV_I32 ? ":i32" : "";
    for (int digits = 1; digits <= 17; digits++) {
        rv_text t = {text, text + RV_NUMBER_TEXT};
        rv_put(&t, "%s%.*g%s", sign, digits, value, end);
        double seen = rv_number(text, NULL);
        if (seen == value || (dtype == RV_F32 && (float)seen == (float)value)) return;
    }
}

const char *rv_onnx_number(rv_onnx *m, rv_dtype dtype, double value)
{
    char text[RV_NUMBER_TEXT];
    unsigned char element[8];
    name_number(dtype, value, text);
    const char *name;
    if (is_known(m, text, &name)) return name;
    rv_tensor_set(&(rv_tensor){dtype, RV_SCALAR, element}, 0, value);
    return put_tensor(m, name, rv_onnx_dtype(dtype), NULL, 0, element, 1, rv_dtype_size(dtype));
}

const char *rv_onnx_ints(rv_onnx *m, const int64_t *values, int count)
{
    char text[RV_ONNX_NAME];
    rv_text t = {text, text + sizeof text};
    for (int i = 0; i < count; i++) rv_put(&t, "%s%lld", i ? "," : "[", (long long)values[i]);
    rv_put(&t, "]");
    const char *name;
    if (is_known(m, text, &name)) return name;
    return put_tensor(m, name, RV_ONNX_I64, (int64_t[]){count}, 1, values, (size_t)count, 8);
}

const char *rv_onnx_int(rv_onnx *m, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%lld:i64", (long long)value);
    const char *name;
    return is_known(m, text, &name) ? name
                                    : put_tensor(m, name, RV_ONNX_I64, NULL, 0, &value, 1, 8);
}

const char *rv_onnx_tensor(rv_onnx *m, const char *name, const rv_tensor *tensor)
{
    return put_tensor(m, name, rv_onnx_dtype(tensor->dtype), tensor->shape.dim, tensor->shape.rank,
                      tensor->data, (size_t)rv_tensor_count(tensor), rv_dtype_size(tensor->dtype));
}

const char *rv_onnx_range(rv_onnx *m, int64_t count)
{
    char text[48];
    rv_tensor all = {0};
    snprintf(text, sizeof text, "0..%lld", (long long)count - 1);
    const char *name;
    if (is_known(m, text, &name) || !rv_tensor_new(&all, RV_I32, RV_SHAPE(count), &m->error))
        return name;
    for (int64_t i = 0; i < count; i++) rv_tensor_set(&all, i, (double)i);
    rv_onnx_tensor(m, name, &all);
    rv_tensor_free(&all);
    return name;
}

const char *rv_onnx_stored(rv_onnx *m, const rv_entry *entry)
{
    for (size_t i = 0; i < m->entries; i++)
        if (m->entry[i].entry == entry) return m->entry[i].name;
    if (!rv_reserve(&m->entry, &m->entry_capacity, m->entries + 1, sizeof *m->entry)) {
        rv_fail_memory(&m->error);
        return "";
    }
    const char *name = rv_onnx_name(m, "%s", entry->name);
    m->entry[m->entries++] = (rv_onnx_entry){entry, name};
    return rv_onnx_tensor(m, name, &entry->tensor);
}

/* ---- nodes ---- */

void rv_onnx_set(rv_onnx *m, const char *attribute, int64_t value)
{
    size_t begin = rv_protobuf_begin(&m->attributes, RV_NODE_ATTRIBUTE);
    rv_protobuf_text(&m->attributes, RV_ATTRIBUTE_NAME, attribute);
    rv_protobuf_integer(&m->attributes, RV_ATTRIBUTE_I, value);
    rv_protobuf_integer(&m->attributes, RV_ATTRIBUTE_TYPE, RV_ATTRIBUTE_OF_INT);
    rv_protobuf_end(&m->attributes, begin);
}

void rv_onnx_set_ints(rv_onnx *m, const char *attribute, const int64_t *values, int count)
{
    size_t begin = rv_protobuf_begin(&m->attributes, RV_NODE_ATTRIBUTE);
    rv_protobuf_text(&m->attributes, RV_ATTRIBUTE_NAME, attribute);
    for (int i = 0; i < count; i++)
        rv_protobuf_integer(&m->attributes, RV_ATTRIBUTE_INTS, values[i]);
    rv_protobuf_integer(&m->attributes, RV_ATTRIBUTE_TYPE, RV_ATTRIBUTE_OF_INTS);
    rv_protobuf_end(&m->attributes, begin);
}

void rv_onnx_node_with(rv_onnx *m, const char *type, const char *const *in, int count,
                       const char *const *out, int out_count)
{
    size_t begin = rv_protobuf_begin(&m->out, RV_GRAPH_NODE);
    for (int i = 0; i < count; i++) rv_protobuf_text(&m->out, RV_NODE_INPUT, in[i]);
    for (int i = 0; i < out_count; i++) rv_protobuf_text(&m->out, RV_NODE_OUTPUT, out[i]);
    rv_protobuf_text(&m->out, RV_NODE_NAME, out[out_count - 1]);
    rv_protobuf_text(&m->out, RV_NODE_OP_TYPE, type);
    rv_protobuf_join(&m->out, &m->attributes);
    rv_protobuf_end(&m->out, begin);
    m->attributes.length = 0;
}

void rv_onnx_node(rv_onnx *m, const char *type, const char *const *in, int count, const char *out)
{
    rv_onnx_node_with(m, type, in, count, &out, 1);
}

rv_onnx_scan rv_onnx_scan_begin(rv_onnx *m, const char *const *in, int count, int scanned,
                                const char *const *out, int out_count)
{
    rv_protobuf *p = &m->out;
    rv_onnx_scan begin = {.node = rv_protobuf_begin(p, RV_GRAPH_NODE)};
    for (int i = 0; i < count; i++) rv_protobuf_text(p, RV_NODE_INPUT, in[i]);
    for (int i = 0; i < out_count; i++) rv_protobuf_text(p, RV_NODE_OUTPUT, out[i]);
    rv_protobuf_text(p, RV_NODE_NAME, out[0]);
    rv_protobuf_text(p, RV_NODE_OP_TYPE, "Scan");
    rv_onnx_set(m, "num_scan_inputs", scanned);
    rv_protobuf_join(p, &m->attributes);
    m->attributes.length = 0;
    begin.attribute = rv_protobuf_begin(p, RV_NODE_ATTRIBUTE);
    rv_protobuf_text(p, RV_ATTRIBUTE_NAME, "body");
    rv_protobuf_integer(p, RV_ATTRIBUTE_TYPE, RV_ATTRIBUTE_OF_GRAPH);
    begin.body = rv_protobuf_begin(p, RV_ATTRIBUTE_G);
    rv_protobuf_text(p, RV_GRAPH_NAME, "step");
    return begin;
}

void rv_onnx_scan_end(rv_onnx *m, rv_onnx_scan begin)
{
    rv_protobuf_end(&m->out, begin.body);
    rv_protobuf_end(&m->out, begin.attribute);
    rv_protobuf_end(&m->out, begin.node);
}

const char *rv_onnx_batch(rv_onnx *m)
{
    if (m->batch) return m->batch;
    m->batch = rv_onnx_name(m, "batch");
    rv_onnx_set(m, "start", 0);
    rv_onnx_set(m, "end", 1);
    rv_onnx_node(m, "Shape", &m->samples_of, 1, m->batch);
    return m->batch;
}

/* ---- inputs and outputs ---- */

void rv_onnx_value(rv_onnx *m, int field, const char *name, rv_dtype dtype,
                   const rv_onnx_size *size, int64_t rank)
{
    rv_protobuf *p = &m->out;
    size_t value = rv_protobuf_begin(p, field);
    rv_protobuf_text(p, RV_VALUE_NAME, name);
    size_t type = rv_protobuf_begin(p, RV_VALUE_TYPE),
           tensor = rv_protobuf_begin(p, RV_TYPE_TENSOR);
    rv_protobuf_integer(p, RV_TENSOR_TYPE_ELEMENT, rv_onnx_dtype(dtype));
    size_t shape = rv_protobuf_begin(p, RV_TENSOR_TYPE_SHAPE);
    for (int64_t d = 0; d < rank; d++) {
        char text[64];
        size_t dim = rv_protobuf_begin(p, RV_SHAPE_DIM);
        if (!size[d].free)
            rv_protobuf_integer(p, RV_DIM_VALUE, size[d].size);
        else if (size[d].size == 1)
            rv_protobuf_text(p, RV_DIM_PARAMETER, size[d].free);
        else if (snprintf(text, sizeof text, "%lld*%s", (long long)size[d].size, size[d].free) > 0)
            rv_protobuf_text(p, RV_DIM_PARAMETER, text);
        rv_protobuf_end(p, dim);
    }
    rv_protobuf_end(p, shape);
    rv_protobuf_end(p, tensor);
    rv_protobuf_end(p, type);
    rv_protobuf_end(p, value);
}
