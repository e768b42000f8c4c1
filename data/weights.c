#include "data/weights.h"

#include <stdio.h>
#include <string.h>

#include "data/weights/layouts.h"
#include "data/weights/tensors.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"

/* A layer of the net: the parameters of a scope that a layout lists, or one parameter. */
typedef struct layer {
    rv_layer_kind kind;
    const char *label; /* what messages call it, of `length` bytes */
    size_t length;
    const char *scope; /* what its parameters' names start with, of `scope_length` bytes */
    size_t scope_length;
    bool backward;
    const char *wanted; /* by the map, of `wanted_length` bytes, or NULL */
    size_t wanted_length;
    const rv_layout *layout; /* of the layer that it is read from */
    rv_foreign *from;        /* the tensor of the layout's first part; NULL: none yet */
} layer;

typedef struct import {
    rv_store *store;
    const rv_weights_options *options;
    rv_foreign_list theirs;
    layer *layers;
    size_t count;
    bool *listed;                    /* [entries] whether a layer has the parameter */
    rv_tensor *staged;               /* [entries] new values; {0}: none */
    rv_foreign **fitting, **another; /* [theirs.count] */
} import;

enum { NONE = -1 };

/* ---- the layers of the net ---- */

static size_t scope_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? (size_t)(slash - name) + 1 : 0;
}

/* The entry that is the parameter `ours` of a layer, NONE if it has none; NULL ours: its only one. */
static int64_t entry_of(const import *m, const layer *u, const char *ours)
{
    for (size_t i = 0; i < rv_store_count(m->store); i++) {
        const rv_entry *e = rv_store_at(m->store, i);
        if (e->role != RV_PARAMETER || strncmp(e->name, u->scope, u->scope_length) != 0) continue;
        if (strcmp(e->name + u->scope_length, ours ? ours : "") == 0) return (int64_t)i;
    }
    return NONE;
}

/* Whether a layer without biases, where it may be one, has none of this part. */
static bool may_lack(const rv_layout *l, const rv_part *part)
{
    return l->bare && part->ours && part->ours[0] == 'b';
}

/* Whether a scope has the parameters of a layout, and `leaf` is one of them. */
static bool has_parameters(const import *m, const layer *u, const rv_layout *l, const char *leaf)
{
    bool listed = false;
    for (int i = 0; i < l->count; i++) {
        const int64_t entry = entry_of(m, u, l->parts[i].ours);
        if (entry == NONE ? !may_lack(l, &l->parts[i]) : m->listed[entry]) return false;
        listed = listed || strcmp(leaf, l->parts[i].ours) == 0;
    }
    return listed;
}

/* The layer with the parameter `name`, of the first layout that has all of its parameters. */
static layer layer_with(const import *m, const char *name)
{
    layer u = {.scope = name, .scope_length = scope_of(name)};
    const rv_layout *l = rv_layout_at(0);
    for (int i = 0;
         l->kind != RV_LAYER_PARAMETER && !has_parameters(m, &u, l, name + u.scope_length);)
        l = rv_layout_at(++i);
    u.kind = l->kind;
    if (u.kind == RV_LAYER_PARAMETER) u.scope_length = strlen(name);
    const size_t scope = scope_of(name);
    u.label = scope == 0 && l->model ? l->model : name;
    u.length = scope == 0 || u.kind >= RV_LAYER_EMBEDDING ? strlen(u.label) : scope - 1;
    u.backward = u.kind < RV_LAYER_WEIGHT && scope >= 9 &&
                 strncmp(name + scope - 9, "backward/", 9) == 0 &&
                 (scope == 9 || name[scope - 10] == '/');
    return u;
}

static bool list_layers(import *m, rv_error *error)
{
    const size_t entries = rv_store_count(m->store);
    m->layers = rv_alloc(entries, sizeof *m->layers);
    m->listed = rv_alloc(entries, sizeof *m->listed);
    m->staged = rv_alloc(entries, sizeof *m->staged);
    m->fitting = rv_alloc(m->theirs.count, sizeof *m->fitting);
    m->another = rv_alloc(m->theirs.count, sizeof *m->another);
    if (!m->layers || !m->listed || !m->staged || !m->fitting || !m->another)
        return rv_fail_memory(error);
    for (size_t i = 0; i < entries; i++) {
        const rv_entry *e = rv_store_at(m->store, i);
        if (e->role != RV_PARAMETER || m->listed[i]) continue;
        layer *u = &m->layers[m->count++];
        *u = layer_with(m, e->name);
        const rv_layout *l;
        for (int k = 0; (l = rv_layout_at(k)); k++)
            for (int p = 0; l->kind == u->kind && p < l->count; p++) {
                const int64_t entry = entry_of(m, u, l->parts[p].ours);
                if (entry != NONE) m->listed[entry] = true;
            }
    }
    return true;
}

/* ---- shapes ---- */

/* An array of O x I x S numbers, outputs by inputs by the rest, and the distance of neighbours in memory. */
typedef struct block {
    int64_t size[3], stride[3];
} block;

/* The array of a shape that begins with the outputs, `times` as many. Its last axes may be moved to the front. */
static block array_of(rv_shape s, bool out_first, int64_t times)
{
    const int64_t rest = rv_shape_count(s);
    out_first = out_first || (s.rank != 2 && s.rank != 4);
    block b = {{s.rank > 0 ? s.dim[0] : 1, s.rank > 1 ? s.dim[1] : 1, 1}, {0}};
    b.size[2] = rest / b.size[0] / b.size[1];
    b.size[0] *= times;
    b.stride[0] = out_first ? b.size[1] * b.size[2] : 1;
    b.stride[1] = out_first ? b.size[2] : b.size[0];
    b.stride[2] = out_first ? 1 : b.size[0] * b.size[1];
    return b;
}

static bool turns(const rv_layout *l, rv_shape ours) { return ours.rank == 2 && !l->ours_out; }

/* The shape of a parameter with the outputs first. */
static rv_shape outputs_first(const rv_layout *l, rv_shape ours)
{
    return turns(l, ours) ? RV_SHAPE(ours.dim[1], ours.dim[0]) : ours;
}

/* A bias of images, [c,1,1], as [c]. */
static rv_shape flat(rv_shape s)
{
    return s.rank == 3 && s.dim[1] == 1 && s.dim[2] == 1 ? RV_SHAPE(s.dim[0]) : s;
}

/* The shape that their tensor must have. */
static rv_shape expected_shape(const rv_layout *l, const rv_part *part, rv_shape ours)
{
    rv_shape s = flat(outputs_first(l, ours));
    if (s.rank == 1 && part->blocks == 6) return RV_SHAPE(2, 3 * s.dim[0]);
    if (s.rank > 0) s.dim[0] *= part->blocks;
    if (l->theirs_out) return s;
    if (s.rank == 2) return RV_SHAPE(s.dim[1], s.dim[0]);
    return s.rank == 4 ? RV_SHAPE(s.dim[2], s.dim[3], s.dim[1], s.dim[0]) : s;
}

/* ---- what fits ---- */

typedef enum fit { FITS, USED, LACKS, DIFFERS } fit;

static bool is_named(const layer *u, const char *name)
{
    const size_t n = u->wanted_length;
    return strncmp(name, u->wanted, n) == 0 && (name[n] == '\0' || strchr("./", name[n]));
}

/* Whether a layer can be read in this layout from the layer of files whose first tensor is `from`. *at: the part at
 * fault. */
static fit fits(const import *m, const layer *u, const rv_layout *l, rv_foreign *from,
                const rv_part **at)
{
    for (int i = 0; i < l->count; i++) {
        const rv_part *part = *at = &l->parts[i];
        const int64_t entry = entry_of(m, u, part->ours);
        const rv_foreign *t = i ? rv_foreign_find(&m->theirs, from, part->theirs) : from;
        if (!t && entry == NONE) continue;
        if (!t) return LACKS;
        if (t->used) return USED;
        if (entry == NONE) continue; /* it remains unused, which is an error */
        const rv_shape ours = rv_store_at(m->store, (size_t)entry)->tensor.shape;
        if (!rv_shape_equal(flat(t->tensor->shape), expected_shape(l, part, ours))) return DIFFERS;
    }
    return FITS;
}

/* Whether a layer of the files could be this layer, going by names. */
static bool is_kind(const layer *u, const rv_layout *l, const rv_foreign *from)
{
    const char *first = l->parts[0].theirs;
    return l->kind == u->kind && (!first || strcmp(first, from->leaf) == 0) &&
           from->backward == u->backward &&
           (!u->wanted || is_named(u, from->module) || is_named(u, from->name));
}

/* The layout in which a layer can be read from `from`; NULL: none. */
static const rv_layout *layout_for(const import *m, const layer *u, rv_foreign *from)
{
    const rv_layout *l;
    const rv_part *at;
    for (int i = 0; (l = rv_layout_at(i)); i++)
        if (is_kind(u, l, from) && fits(m, u, l, from, &at) == FITS) return l;
    return NULL;
}

/* The first tensors of all layers of the files that fit. */
static size_t list_fitting(const import *m, const layer *u, rv_foreign **list)
{
    size_t n = 0;
    for (size_t i = 0; i < m->theirs.count; i++)
        if (!m->theirs.at[i].used && layout_for(m, u, &m->theirs.at[i]))
            list[n++] = &m->theirs.at[i];
    return n;
}

static bool ends_with(const char *path, const char *name, size_t length)
{
    const size_t n = strlen(path);
    return n >= length && strncmp(path + n - length, name, length) == 0 &&
           (n == length || strchr("./", path[n - length - 1]));
}

/* The only one of the list that has the layer's own name. NULL: none, or several. */
static rv_foreign *of_same_name(const layer *u, rv_foreign **list, size_t count)
{
    rv_foreign *found = NULL;
    char label[256];
    snprintf(label, sizeof label, "%.*s", (int)u->length, u->label);
    const size_t from = scope_of(label), length = strlen(label) - from;
    for (size_t i = 0; i < count; i++) {
        const char *name = u->kind == RV_LAYER_PARAMETER ? list[i]->leaf : list[i]->module;
        if (!ends_with(name, label + from, length)) continue;
        if (found) return NULL;
        found = list[i];
    }
    return found;
}

static void take(const import *m, layer *u, rv_foreign *from)
{
    u->layout = layout_for(m, u, from);
    u->from = from;
    from->used = true;
    for (int i = 1; i < u->layout->count; i++) {
        rv_foreign *t = rv_foreign_find(&m->theirs, from, u->layout->parts[i].theirs);
        if (t && entry_of(m, u, u->layout->parts[i].ours) != NONE) t->used = true;
    }
}

/* ---- which layer is read from which ---- */

/* Takes what is certain for the layers of a kind, until nothing more is. */
static void take_certain(const import *m, rv_layer_kind kind)
{
    for (bool again = true; again;) {
        again = false;
        for (int by_name = 1; by_name >= 0; by_name--)
            for (size_t i = 0; i < m->count; i++) {
                layer *u = &m->layers[i];
                if (u->kind != kind || u->from) continue;
                const size_t n = list_fitting(m, u, m->fitting);
                rv_foreign *one = by_name  ? of_same_name(u, m->fitting, n)
                                  : n == 1 ? m->fitting[0]
                                           : NULL;
                if (!one) continue;
                take(m, u, one);
                again = true;
            }
    }
}

/* Whether the `n` listed as fitting are called by numbers, and as many layers of the net can be read from them. */
static bool are_numbered(const import *m, const layer *u, size_t n)
{
    size_t layers = 0;
    for (size_t i = 1; i < n; i++)
        if (!rv_foreign_numbered(m->fitting[0], m->fitting[i])) return false;
    for (size_t i = 0; i < m->count; i++) {
        const layer *v = &m->layers[i];
        if (v->kind != u->kind || v->from || list_fitting(m, v, m->another) != n) continue;
        layers += memcmp(m->another, m->fitting, n * sizeof *m->fitting) == 0;
    }
    return layers == n;
}

/* The first layer of a kind that can be read from several layers of files gets the first of them if they are numbered.
 * *found: whether there was one. */
static bool take_numbered(const import *m, rv_layer_kind kind, bool *found, rv_error *error)
{
    *found = false;
    for (size_t i = 0; i < m->count; i++) {
        layer *u = &m->layers[i];
        const size_t n = u->kind != kind || u->from ? 0 : list_fitting(m, u, m->fitting);
        if (n == 0) continue;
        *found = true;
        const rv_foreign *a = m->fitting[0], *b = m->fitting[1];
        if (!are_numbered(m, u, n))
            return rv_fail(error, RV_ERROR_NAME,
                           "\"%.300s\": \"%.*s\" of the net may be \"%.100s\" or \"%.100s\"%s; say "
                           "which, such as `map` %.*s=%.100s",
                           a->path, (int)u->length, u->label, a->name, b->name,
                           n > 2 ? " or others" : "", (int)u->length, u->label,
                           kind < RV_LAYER_EMBEDDING ? a->module : a->name);
        take(m, u, m->fitting[0]);
        return true;
    }
    return true;
}

static bool match(const import *m, rv_error *error)
{
    for (rv_layer_kind kind = 0; kind <= RV_LAYER_PARAMETER; kind++)
        for (bool again = true; again;) {
            take_certain(m, kind);
            if (!take_numbered(m, kind, &again, error)) return false;
        }
    return true;
}

/* ---- what is left ---- */

/* "Wi" [3,4], .. */
static const char *parameter_text(const import *m, const layer *u, char *text, size_t room)
{
    const rv_layout *l;
    int i = 0;
    char shape[RV_SHAPE_TEXT];
    while ((l = rv_layout_at(i))->kind != u->kind) i++;
    const int64_t entry = entry_of(m, u, l->parts[0].ours);
    const rv_entry *e = rv_store_at(m->store, (size_t)entry);
    snprintf(text, room, "\"%.100s\" %s%s", e->name, rv_shape_text(e->tensor.shape, shape),
             l->count > 1 ? ", .." : "");
    return text;
}

static const char *tensors_text(const import *m, char *text, size_t room)
{
    size_t used = 0;
    char shape[RV_SHAPE_TEXT];
    *text = '\0';
    for (size_t i = 0; i < m->theirs.count && used < room - 1; i++) {
        const rv_foreign *t = &m->theirs.at[i];
        const int n = snprintf(text + used, room - used, "%s\"%.60s\" %s", i ? ", " : "", t->name,
                               rv_shape_text(t->tensor->shape, shape));
        used += (size_t)n < room - used ? (size_t)n : room - used - 1;
    }
    return m->theirs.count > 0 ? text : "no tensor";
}

/* The error for a layer that could be one of the files but for a tensor. False: there is none. */
static bool fail_tensor(const import *m, const layer *u, rv_error *error)
{
    const rv_layout *l;
    const rv_part *part;
    char seen[RV_SHAPE_TEXT], expected[RV_SHAPE_TEXT];
    for (int k = 0; u->kind != RV_LAYER_PARAMETER && (l = rv_layout_at(k)); k++)
        for (size_t i = 0; i < m->theirs.count; i++) {
            rv_foreign *from = &m->theirs.at[i];
            const fit why = is_kind(u, l, from) ? fits(m, u, l, from, &part) : USED;
            if (why == USED) continue;
            if (why == LACKS) {
                rv_fail(error, RV_ERROR_FORMAT,
                        "\"%.300s\": beside \"%.100s\" there is no \"%s\" for \"%.*s\" of the net, "
                        "which the kind %s has",
                        from->path, from->name, part->theirs, (int)u->length, u->label, l->name);
                return true;
            }
            const rv_foreign *t = rv_foreign_find(&m->theirs, from, part->theirs);
            const rv_entry *e = rv_store_at(m->store, (size_t)entry_of(m, u, part->ours));
            rv_fail(error, RV_ERROR_FORMAT,
                    "\"%.300s\": \"%.100s\" is %s; expected %s, since \"%.100s\" of the net is %s "
                    "and the layer of the kind %s; give the net other sizes",
                    t->path, t->name, rv_shape_text(t->tensor->shape, seen),
                    rv_shape_text(expected_shape(l, part, e->tensor.shape), expected), e->name,
                    rv_shape_text(e->tensor.shape, (char[RV_SHAPE_TEXT]){0}), l->name);
            return true;
        }
    return false;
}

/* The error for a recurrent layer, where the files have one of another kind. False: they do not. */
static bool fail_kind(const import *m, const layer *u, rv_error *error)
{
    const rv_layout *l;
    char ours[256];
    for (int k = 0; u->kind < RV_LAYER_WEIGHT && (l = rv_layout_at(k))->kind < RV_LAYER_WEIGHT; k++)
        for (size_t i = 0; i < m->theirs.count; i++) {
            rv_foreign *from = &m->theirs.at[i];
            if (l->kind == u->kind || strcmp(from->leaf, l->parts[0].theirs) != 0) continue;
            /* The kind shows in the ratio of the matrices' sizes, and in the biases. */
            const rv_foreign *state = rv_foreign_find(&m->theirs, from, l->parts[1].theirs);
            const rv_foreign *bias = rv_foreign_find(&m->theirs, from, l->parts[2].theirs);
            if (!state || !bias || state->tensor->shape.rank != 2) continue;
            const rv_shape s = state->tensor->shape;
            const int64_t units = s.dim[l->theirs_out], all = s.dim[!l->theirs_out];
            const bool both = bias->tensor->shape.rank == 2;
            if (all != l->parts[0].blocks * units || both != (l->parts[2].blocks == 6)) continue;
            rv_fail(error, RV_ERROR_NAME,
                    "\"%.300s\": \"%.100s\" is of the kind %s, which is the model %s here; the net "
                    "has %s",
                    from->path, from->name, l->name, l->model,
                    parameter_text(m, u, ours, sizeof ours));
            return true;
        }
    return false;
}

static bool fail_layer(const import *m, const layer *u, const char *path, rv_error *error)
{
    char ours[256], seen[400];
    if (u->wanted)
        return fail_tensor(m, u, error)
                   ? false
                   : rv_fail(
                         error, RV_ERROR_NAME,
                         "\"%.300s\": \"%.*s\", which `map` names, does not fit \"%.*s\" of the "
                         "net: %s",
                         path, (int)u->wanted_length, u->wanted, (int)u->length, u->label,
                         parameter_text(m, u, ours, sizeof ours));
    if (fail_kind(m, u, error) || fail_tensor(m, u, error)) return false;
    return rv_fail(error, RV_ERROR_NAME,
                   "\"%.300s\": nothing fits %s of the net; the names are those of PyTorch "
                   "(weight_ih_l0, weight, ..) or Keras (kernel, ..), and there is %s",
                   path, parameter_text(m, u, ours, sizeof ours),
                   tensors_text(m, seen, sizeof seen));
}

/* Whether all that must be was read. */
static bool check_rest(const import *m, const char *path, rv_error *error)
{
    const bool partial = m->options->partial;
    char shape[RV_SHAPE_TEXT];
    size_t found = 0;
    for (size_t i = 0; i < m->count; i++) {
        const layer *u = &m->layers[i];
        found += u->from != NULL;
        if (!u->from && (!partial || u->wanted)) return fail_layer(m, u, path, error);
    }
    for (size_t i = 0; i < m->theirs.count && !partial; i++) {
        const rv_foreign *t = &m->theirs.at[i];
        if (!t->used)
            return rv_fail(error, RV_ERROR_FORMAT,
                           "\"%.300s\": the net has no layer for \"%.100s\" %s; change the net, or "
                           "leave such tensors out with `partial`",
                           t->path, t->name, rv_shape_text(t->tensor->shape, shape));
    }
    return found > 0 || (m->count > 0 ? fail_layer(m, &m->layers[0], path, error)
                                      : rv_fail(error, RV_ERROR_ARGUMENT,
                                                "the net has no parameters yet; record it first"));
}

/* ---- the map ---- */

static bool parse_map(const import *m, rv_error *error)
{
    const char *at = m->options->map;
    while (at && *at != '\0') {
        const size_t length = strcspn(at, ","), ours = strcspn(at, "=,");
        if (ours == 0 || ours + 1 >= length)
            return rv_fail(error, RV_ERROR_ARGUMENT, "`map`: got \"%.*s\"; expected OURS=THEIRS,..",
                           (int)length, at);
        bool found = false;
        for (size_t i = 0; i < m->count; i++) {
            layer *u = &m->layers[i];
            if (u->length < ours || strncmp(u->label, at, ours) != 0 ||
                (u->length > ours && u->label[ours] != '/'))
                continue;
            u->wanted = at + ours + 1;
            u->wanted_length = length - ours - 1;
            found = true;
        }
        if (!found) {
            char known[400] = "";
            size_t used = 0;
            for (size_t i = 0; i < m->count && used < sizeof known - 1; i++) {
                const int n = snprintf(known + used, sizeof known - used, "%s%.*s", i ? ", " : "",
                                       (int)m->layers[i].length, m->layers[i].label);
                used += (size_t)n;
            }
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "`map`: the net has no layer \"%.*s\"; it has %s", (int)ours, at, known);
        }
        at += length + (at[length] == ',');
    }
    return true;
}

/* ---- values ---- */

static bool read_part(const import *m, const layer *u, const rv_part *part, rv_error *error)
{
    const int64_t entry = entry_of(m, u, part->ours);
    const rv_foreign *t =
        part->theirs ? rv_foreign_find(&m->theirs, u->from, part->theirs) : u->from;
    if (entry == NONE || !t) return true;
    rv_tensor *to = &m->staged[entry];
    const rv_shape shape = rv_store_at(m->store, (size_t)entry)->tensor.shape;
    if (!to->data && !rv_tensor_new(to, RV_F64, shape, error)) return false;
    const rv_shape s = outputs_first(u->layout, shape);
    const block ours = array_of(s, !turns(u->layout, shape), 1),
                theirs = array_of(s, u->layout->theirs_out, part->blocks);
    const int64_t first = part->block * ours.size[0] * theirs.stride[0];
    double *out = to->data;
    const double *in = (const double *)t->tensor->data + first;
    for (int64_t o = 0; o < ours.size[0]; o++)
        for (int64_t i = 0; i < ours.size[1]; i++)
            for (int64_t k = 0; k < ours.size[2]; k++)
                out[o * ours.stride[0] + i * ours.stride[1] + k * ours.stride[2]] +=
                    in[o * theirs.stride[0] + i * theirs.stride[1] + k * theirs.stride[2]];
    return true;
}

static bool stage(const import *m, rv_error *error)
{
    for (size_t i = 0; i < m->count; i++) {
        const layer *u = &m->layers[i];
        for (int p = 0; u->from && p < u->layout->count; p++)
            if (!read_part(m, u, &u->layout->parts[p], error)) return false;
    }
    return true;
}

static void write_all(const import *m)
{
    for (size_t i = 0; i < rv_store_count(m->store); i++) {
        rv_entry *e = rv_store_at(m->store, i);
        if (!m->staged[i].data) continue;
        rv_tensor_copy(&e->tensor, &m->staged[i], NULL);
        e->loaded = true;
    }
}

static void report(const import *m)
{
    char label[256];
    for (size_t i = 0; i < m->count && m->options->found; i++) {
        const layer *u = &m->layers[i];
        snprintf(label, sizeof label, "%.*s", (int)u->length, u->label);
        if (u->from) m->options->found(m->options->context, label, u->layout->name, u->from->name);
    }
}

static bool import_all(import *m, const char *const *paths, int count, rv_error *error)
{
    if (!rv_foreign_read(&m->theirs, paths, count, error) || !list_layers(m, error) ||
        !parse_map(m, error) || !match(m, error) || !check_rest(m, paths[0], error) ||
        !stage(m, error))
        return false;
    write_all(m);
    return true;
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
import m = {.store = store, .options = options ? options: & none };
    const bool ok = import_all(&m, paths, count, error);
    rv_store_leave(store);
    if (ok) report(&m);
    for (size_t i = 0; m.staged && i < rv_store_count(store); i++) rv_tensor_free(&m.staged[i]);
    rv_foreign_free(&m.theirs);
    rv_free(m.layers);
    rv_free(m.listed);
    rv_free(m.staged);
    rv_free(m.fitting);
    rv_free(m.another);
    return ok;
}
