#include "data/weights.h"

#include <math.h>
#include <stdio.h>

#include "data/weights/matching.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"

/* New values of the parameters of a layer, that of each part at the first part of the same
 * parameter. */
typedef rv_tensor values[RV_LAYOUT_PARTS];

/* O x I x S numbers, outputs by inputs by the rest, and the distance of neighbours in memory. */
typedef struct block {
    int64_t size[3], stride[3];
} block;

/* An array of `times` as many outputs as a shape that begins with them has. If it is a matrix or a
 * kernel, its last axes may be the inputs and the outputs. */
static block block_of(rv_shape s, bool out_first, int64_t times)
{
    const int64_t outputs = s.rank > 0 ? s.dim[0] : 1, inputs = s.rank > 1 ? s.dim[1] : 1;
    const int64_t rest = rv_shape_count(s) / outputs / inputs, all = outputs * times;
    if (out_first || (s.rank != 2 && s.rank != 4))
        return (block){{all, inputs, rest}, {inputs * rest, rest, 1}};
    return (block){{all, inputs, rest}, {1, all, all * inputs}};
}

/* Adds block `part->block` of their tensor to a parameter. */
static void add_part(const rv_layout *l, const rv_part *part, const rv_tensor *theirs,
                     rv_tensor *to)
{
    const rv_shape s = rv_outputs_first(l, to->shape);
    const block a = block_of(s, to->shape.rank != 2 || l->ours_out, 1),
                b = block_of(s, l->theirs_out, part->blocks);
    const double *in = theirs->data;
    double *out = to->data;
    in += part->block * a.size[0] * b.stride[0];
    for (int64_t o = 0; o < a.size[0]; o++)
        for (int64_t i = 0; i < a.size[1]; i++)
            for (int64_t k = 0; k < a.size[2]; k++)
                out[o * a.stride[0] + i * a.stride[1] + k * a.stride[2]] +=
                    in[o * b.stride[0] + i * b.stride[1] + k * b.stride[2]];
}

/* Whether the type of a parameter can hold its new values, the sums of its parts up to that of
 * `from`. */
static bool check_finite(const rv_entry *entry, const rv_tensor *sums, const rv_foreign *from,
                         rv_error *error)
{
    const rv_dtype dtype = entry->tensor.dtype;
    for (int64_t i = 0; i < rv_tensor_count(sums); i++) {
        const double value = rv_tensor_get(sums, i);
        if (isfinite(dtype == RV_F32 ? (float)value : value)) continue;
        return rv_fail(error, RV_ERROR_NUMBER,
                       "\"%.300s\": with \"%.100s\", \"%.100s\" of the net has the value %g; "
                       "expected a finite %s; %s",
                       from->path, from->name, entry->name, value, rv_dtype_name(dtype),
                       isfinite(value) ? "import with `dtype` f64"
                                       : "save weights from before the training diverged");
    }
    return true;
}

static bool read_layer(const rv_matching *m, const rv_layer *u, values to, rv_error *error)
{
    for (int p = 0; u->from && p < u->layout->count; p++) {
        const rv_part *part = &u->layout->parts[p];
        const rv_entry *entry = rv_layer_entry(u, u->layout, p);
        int first = 0;
        if (!entry) continue;
        while (rv_layer_entry(u, u->layout, first) != entry) first++;
        if (first == p && !rv_tensor_new(&to[p], RV_F64, entry->tensor.shape, error)) return false;
        const rv_foreign *t = p ? rv_foreign_find(&m->theirs, u->from, part->theirs) : u->from;
        add_part(u->layout, part, t->tensor, &to[first]);
        if (!check_finite(entry, &to[first], t, error)) return false;
    }
    return true;
}

static void write_layer(const rv_layer *u, values from)
{
    for (int p = 0; p < RV_LAYOUT_PARTS; p++) {
        if (!from[p].data) continue;
        rv_entry *entry = rv_layer_entry(u, u->layout, p);
        rv_tensor_copy(&entry->tensor, &from[p], NULL);
        entry->loaded = true;
    }
}

/* Reads all layers before it writes any. */
static bool set_parameters(const rv_matching *m, rv_error *error)
{
    values *read = rv_alloc(m->count, sizeof *read);
    bool ok = read || rv_fail_memory(error);
    for (size_t i = 0; ok && i < m->count; i++) ok = read_layer(m, &m->layers[i], read[i], error);
    for (size_t i = 0; ok && i < m->count; i++) write_layer(&m->layers[i], read[i]);
    for (size_t i = 0; read && i < m->count * RV_LAYOUT_PARTS; i++)
        rv_tensor_free(&read[i / RV_LAYOUT_PARTS][i % RV_LAYOUT_PARTS]);
    rv_free(read);
    return ok;
}

static bool import(rv_matching *m, rv_store *store, const char *const *paths, int count,
                   rv_error *error)
{
    if (!rv_foreign_read(&m->theirs, paths, count, error)) return false;
    return rv_weights_list(m, store, error) && rv_weights_match(m, error) &&
           rv_weights_complete(m, paths[0], error) && set_parameters(m, error);
}

static void report(const rv_matching *m)
{
    char label[256];
    const rv_weights_options *o = m->options;
    for (const rv_layer *u = m->layers; u < m->layers + m->count; u++) {
        snprintf(label, sizeof label, "%.*s", u->length, u->label);
        rv_weights_found found = {.what = RV_WEIGHTS_RANDOM, .ours = label};
        if (u->from)
            found = (rv_weights_found){RV_WEIGHTS_READ, label, u->layout->name, u->from->name};
        o->found(o->context, &found);
    }
    for (const rv_foreign *t = m->theirs.at; t < m->theirs.at + m->theirs.count; t++)
        if (!t->used)
            o->found(o->context,
                     &(rv_weights_found){.what = RV_WEIGHTS_LEFT_OUT, .theirs = t->name});
}

bool rv_weights_import(rv_store *store, const char *const *paths, int count,
                       const rv_weights_options *options, rv_error *error)
{
    if (!RV_NEEDS(error, store, paths)) return false;
    if (count < 1)
        return rv_fail(error, RV_ERROR_ARGUMENT, "import: %d file(s); expected at least 1", count);
    for (int i = 0; i < count; i++)
        if (!paths[i])
            return rv_fail(error, RV_ERROR_ARGUMENT, "import: path %d is NULL; give one", i);
    if (!rv_store_enter(store, error)) return false;
    const rv_weights_options none = {0};
    rv_matching m = {.options = options ? options : &none};
    const bool ok = import(&m, store, paths, count, error);
    rv_store_leave(store);
    if (ok && m.options->found) report(&m);
    rv_foreign_free(&m.theirs);
    rv_free(m.layers);
    rv_free(m.fitting);
    for (size_t i = 0; i < m.group_count; i++) rv_free(m.groups[i].at);
    rv_free(m.groups);
    return ok;
}
