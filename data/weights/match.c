#include <stdio.h>
#include <string.h>

#include "data/weights/matching.h"
#include "tensor/memory.h"

/* ---- shapes ---- */

static rv_shape flat(rv_shape s)
{
    return s.rank == 3 && s.dim[1] == 1 && s.dim[2] == 1 ? RV_SHAPE(s.dim[0]) : s;
}

rv_shape rv_outputs_first(const rv_layout *l, rv_shape ours)
{
    return ours.rank == 2 && !l->ours_out ? RV_SHAPE(ours.dim[1], ours.dim[0]) : flat(ours);
}

rv_shape rv_their_shape(const rv_layout *l, const rv_part *part, rv_shape ours)
{
    rv_shape s = rv_outputs_first(l, ours);
    if (s.rank == 1 && part->blocks == 6) return RV_SHAPE(2, 3 * s.dim[0]);
    if (s.rank > 0) s.dim[0] *= part->blocks;
    if (l->theirs_out) return s;
    if (s.rank == 2) return RV_SHAPE(s.dim[1], s.dim[0]);
    return s.rank == 4 ? RV_SHAPE(s.dim[2], s.dim[3], s.dim[1], s.dim[0]) : s;
}

/* ---- what fits ---- */

/* Whether the map wants a layer or tensor of that name, or one that contains it. */
static bool is_wanted(const rv_layer *u, const char *name)
{
    const int n = u->wanted_length;
    return strncmp(name, u->wanted, (size_t)n) == 0 && (name[n] == '\0' || strchr("./", name[n]));
}

bool rv_may_be(const rv_layer *u, const rv_layout *l, const rv_foreign *from)
{
    const char *first = l->parts[0].theirs;
    return (!first || strcmp(first, from->leaf) == 0) && from->backward == u->backward &&
           (!u->wanted || is_wanted(u, from->module) || is_wanted(u, from->name));
}

rv_fit rv_fits(const rv_matching *m, const rv_layer *u, const rv_layout *l, rv_foreign *from,
               int *part)
{
    for (int p = *part = 0; p < l->count; *part = ++p) {
        const rv_entry *entry = rv_layer_entry(u, l, p);
        const rv_foreign *t = p ? rv_foreign_find(&m->theirs, from, l->parts[p].theirs) : from;
        if (t && t->used) return RV_TAKEN;
        if (!entry) continue; /* a tensor without one remains, which is an error */
        if (!t) return RV_LACKS;
        if (!rv_shape_equal(flat(t->tensor->shape),
                            rv_their_shape(l, &l->parts[p], entry->tensor.shape)))
            return RV_DIFFERS;
    }
    return RV_FITS;
}

/* The layout in which a layer can be read from `from`; NULL: none. */
static const rv_layout *layout_for(const rv_matching *m, const rv_layer *u, rv_foreign *from)
{
    int part;
    for (const rv_layout *l = u->first; l < u->end; l++)
        if (rv_may_be(u, l, from) && rv_fits(m, u, l, from, &part) == RV_FITS) return l;
    return NULL;
}

static void take(const rv_matching *m, rv_layer *u, rv_foreign *from)
{
    u->layout = layout_for(m, u, from);
    u->from = from;
    from->used = true;
    for (int p = 1; p < u->layout->count; p++) {
        rv_foreign *t = rv_foreign_find(&m->theirs, from, u->layout->parts[p].theirs);
        if (t && rv_layer_entry(u, u->layout, p)) t->used = true;
    }
}

/* ---- candidates ---- */

static bool same_shapes(const rv_layer *u, const rv_layer *v)
{
    for (int l = 0; l < RV_LAYOUTS_OF_KIND; l++)
        for (int p = 0; p < RV_LAYOUT_PARTS; p++) {
            const rv_entry *a = u->entry[l][p], *b = v->entry[l][p];
            if (!a != !b || (a && !rv_shape_equal(a->tensor.shape, b->tensor.shape))) return false;
        }
    return true;
}

/* Whether the same layers of files fit two layers of the net. */
static bool are_alike(const rv_layer *u, const rv_layer *v)
{
    return u->first == v->first && u->backward == v->backward &&
           u->wanted_length == v->wanted_length &&
           (!u->wanted || memcmp(u->wanted, v->wanted, (size_t)u->wanted_length) == 0) &&
           same_shapes(u, v);
}

/* The first tensors of all layers of the files that fit. */
static size_t list_fitting(const rv_matching *m, const rv_layer *u, rv_foreign **list)
{
    size_t n = 0;
    for (size_t i = 0; i < m->theirs.count; i++)
        if (layout_for(m, u, &m->theirs.at[i])) list[n++] = &m->theirs.at[i];
    return n;
}

/* Finds the candidates of a kind's layers, once for those that are alike. */
static bool find_candidates(rv_matching *m, rv_layer_kind kind, rv_error *error)
{
    const size_t before = m->group_count;
    for (rv_layer *u = m->layers; u < m->layers + m->count; u++) {
        if (u->first->kind != kind) continue;
        rv_candidates *g = m->groups + before;
        while (g < m->groups + m->group_count && !are_alike(u, g->layer)) g++;
        u->candidates = g;
        if (g < m->groups + m->group_count) continue;
        g->layer = u;
        g->count = list_fitting(m, u, m->fitting);
        g->at = rv_alloc(g->count, sizeof *g->at);
        if (!g->at) return rv_fail_memory(error);
        memcpy(g->at, m->fitting, g->count * sizeof *g->at);
        m->group_count++;
    }
    return true;
}

/* ---- one of several ---- */

/* Whether the last component of a path is that of a label. */
static bool ends_alike(const char *path, const rv_layer *u)
{
    int n = 0;
    while (n < u->length && u->label[u->length - n - 1] != '/') n++;
    const size_t length = strlen(path), last = (size_t)n;
    return length >= last && strncmp(path + length - last, u->label + u->length - n, last) == 0 &&
           (length == last || strchr("./", path[length - last - 1]));
}

static bool has_name_of(const rv_foreign *from, const rv_layer *u)
{
    return ends_alike(u->first->kind == RV_LAYER_PARAMETER ? from->leaf : from->module, u);
}

/* The only candidate that is left, or that is left and has the layer's own name. NULL: none, or
 * several. */
static rv_foreign *only_one(const rv_matching *m, const rv_layer *u, bool by_name)
{
    rv_foreign *found = NULL;
    for (size_t i = 0; i < u->candidates->count; i++) {
        rv_foreign *from = u->candidates->at[i];
        if ((by_name && !has_name_of(from, u)) || !layout_for(m, u, from)) continue;
        if (found) return NULL;
        found = from;
    }
    return found;
}

/* Takes what is certain for the layers of a kind, until nothing more is. */
static void take_certain(const rv_matching *m, rv_layer_kind kind)
{
    for (bool again = true; again;) {
        again = false;
        for (int by_name = 1; by_name >= 0; by_name--)
            for (rv_layer *u = m->layers; u < m->layers + m->count; u++) {
                if (u->first->kind != kind || u->from) continue;
                rv_foreign *one = only_one(m, u, by_name);
                if (!one) continue;
                take(m, u, one);
                again = true;
            }
    }
}

/* The candidates that are left, in `fitting`. */
static size_t list_left(const rv_matching *m, const rv_layer *u)
{
    size_t n = 0;
    for (size_t i = 0; i < u->candidates->count; i++)
        if (layout_for(m, u, u->candidates->at[i])) m->fitting[n++] = u->candidates->at[i];
    return n;
}

/* Whether a layer is still without a candidate, and has the same ones as `u`. */
static bool shares(const rv_layer *v, const rv_layer *u)
{
    const rv_candidates *a = v->candidates, *b = u->candidates;
    return v->first == u->first && !v->from &&
           (a == b ||
            (a->count == b->count && memcmp(a->at, b->at, a->count * sizeof *a->at) == 0));
}

/* Whether the `n` in `fitting` are called by numbers, and are as many as the layers that share
 * them. */
static bool are_numbered(const rv_matching *m, const rv_layer *u, size_t n)
{
    size_t layers = 0;
    for (size_t i = 1; i < n; i++)
        if (!rv_foreign_numbered(m->fitting[0], m->fitting[i])) return false;
    for (const rv_layer *v = m->layers; v < m->layers + m->count; v++) layers += shares(v, u);
    return layers == n;
}

static bool fail_several(const rv_matching *m, const rv_layer *u, size_t n, rv_error *error)
{
    const rv_foreign *a = m->fitting[0], *b = m->fitting[1];
    return rv_fail(
        error, RV_ERROR_NAME,
        "\"%.300s\": \"%.*s\" of the net may be \"%.100s\" or \"%.100s\"%s; say which, such "
        "as `map` %.*s=%.100s",
        a->path, u->length, u->label, a->name, b->name, n > 2 ? " or others" : "", u->length,
        u->label, u->first->kind < RV_LAYER_EMBEDDING ? a->module : a->name);
}

/* The first layers of a kind that can be read from several layers of files get one each, in order,
 * if these are numbered. *found: whether there were any. */
static bool take_numbered(const rv_matching *m, rv_layer_kind kind, bool *found, rv_error *error)
{
    *found = false;
    for (rv_layer *u = m->layers; u < m->layers + m->count && !*found; u++) {
        const size_t n = u->first->kind != kind || u->from ? 0 : list_left(m, u);
        if (n == 0) continue;
        if (!are_numbered(m, u, n)) return fail_several(m, u, n, error);
        rv_foreign **next = m->fitting;
        for (rv_layer *v = u; v < m->layers + m->count; v++)
            if (shares(v, u)) take(m, v, *next++);
        *found = true;
    }
    return true;
}

bool rv_weights_match(rv_matching *m, rv_error *error)
{
    m->groups = rv_alloc(m->count, sizeof *m->groups);
    m->fitting = rv_alloc(m->theirs.count, sizeof *m->fitting);
    if (!m->groups || !m->fitting) return rv_fail_memory(error);
    for (rv_layer_kind kind = 0; kind <= RV_LAYER_PARAMETER; kind++) {
        if (!find_candidates(m, kind, error)) return false;
        for (bool again = true; again;) {
            take_certain(m, kind);
            if (!take_numbered(m, kind, &again, error)) return false;
        }
    }
    return true;
}
