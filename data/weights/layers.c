/* The layers of a net, from the names of its parameters. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "data/weights/matching.h"
#include "tensor/memory.h"
#include "tensor/name_table_internal.h"
#include "tensor/text_internal.h"

/* A net while its layers are listed. */
typedef struct listing {
    rv_store *store;
    bool *listed;            /* [entries] whether a layer has the parameter */
    rv_name_table positions; /* of the parameters */
    char *name;              /* room for one */
} listing;

static size_t scope_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? (size_t)(slash - name) + 1 : 0;
}

/* No parameter, and the most bytes of one's name after its scope in a layout. */
#define NONE SIZE_MAX
enum { LEAF = 16 };

/* The parameter `leaf` in the scope of a name. */
static size_t find(const listing *s, const char *name, const char *leaf)
{
    const size_t scope = scope_of(name);
    memcpy(s->name, name, scope);
    snprintf(s->name + scope, LEAF, "%s", leaf);
    return rv_name_table_find(&s->positions, s->name);
}

/* Whether the scope of a name has the parameters of a layout, and the name is one of them. */
static bool has_parameters(const listing *s, const char *name, const rv_layout *l)
{
    bool has = false;
    for (int p = 0; p < l->count; p++) {
        const char *ours = l->parts[p].ours;
        const size_t at = find(s, name, ours);
        if (at == NONE ? !l->bare || ours[0] != 'b' : s->listed[at]) return false;
        has = has || strcmp(name + scope_of(name), ours) == 0;
    }
    return has;
}

/* Lists the parameters of a layer, of which one is entry `index`. */
static void list_entries(const listing *s, rv_layer *u, size_t index)
{
    const char *name = rv_store_at(s->store, index)->name;
    for (const rv_layout *l = u->first; l < u->end; l++)
        for (int p = 0; p < l->count; p++) {
            const char *ours = l->parts[p].ours;
            const size_t at = ours ? find(s, name, ours) : index;
            if (at == NONE) continue;
            u->entry[l - u->first][p] = rv_store_at(s->store, at);
            s->listed[at] = true;
        }
}

static bool is_backward(const char *name)
{
    static const char last[] = "backward/";
    const size_t n = sizeof last - 1, scope = scope_of(name);
    return scope >= n && strncmp(name + scope - n, last, n) == 0 &&
           (scope == n || name[scope - n - 1] == '/');
}

/* The layer of parameter `index`: of the first layout whose parameters its scope has. */
static rv_layer layer_of(const listing *s, size_t index)
{
    const char *name = rv_store_at(s->store, index)->name;
    const size_t scope = scope_of(name);
    rv_layer u = {.first = rv_layouts};
    while (u.first->kind != RV_LAYER_PARAMETER && !has_parameters(s, name, u.first)) u.first++;
    const rv_layer_kind kind = u.first->kind;
    while (u.first > rv_layouts && u.first[-1].kind == kind) u.first--;
    for (u.end = u.first; u.end < rv_layouts + rv_layout_count && u.end->kind == kind;) u.end++;
    u.label = scope == 0 && u.first->model ? u.first->model : name;
    u.length = (int)(scope > 0 && kind < RV_LAYER_EMBEDDING ? scope - 1 : strlen(u.label));
    u.backward = kind < RV_LAYER_WEIGHT && is_backward(name);
    list_entries(s, &u, index);
    return u;
}

rv_entry *rv_layer_entry(const rv_layer *u, const rv_layout *l, int part)
{
    return u->entry[l - u->first][part];
}

/* ---- the map ---- */

static bool fail_unknown(const rv_matching *m, const char *ours, int length, rv_error *error)
{
    char known[400] = "";
    rv_text to = {known, known + sizeof known};
    for (size_t i = 0; i < m->count; i++)
        rv_put(&to, "%s%.*s", i ? ", " : "", m->layers[i].length, m->layers[i].label);
    return rv_fail(error, RV_ERROR_ARGUMENT, "`map`: the net has no layer \"%.*s\"; it has %s",
                   length, ours, known);
}

static bool read_map(const rv_matching *m, rv_error *error)
{
    const char *at = m->options->map;
    while (at && *at != '\0') {
        const int length = (int)strcspn(at, ","), ours = (int)strcspn(at, "=,");
        if (ours == 0 || ours + 1 >= length)
            return rv_fail(error, RV_ERROR_ARGUMENT, "`map`: got \"%.*s\"; expected OURS=THEIRS,..",
                           length, at);
        bool found = false;
        for (rv_layer *u = m->layers; u < m->layers + m->count; u++) {
            if (u->length < ours || strncmp(u->label, at, (size_t)ours) != 0 ||
                (u->length > ours && u->label[ours] != '/'))
                continue;
            u->wanted = at + ours + 1;
            u->wanted_length = length - ours - 1;
            found = true;
        }
        if (!found) return fail_unknown(m, at, ours, error);
        at += length + (at[length] == ',');
    }
    return true;
}

/* ---- all of it ---- */

/* Allocates, and lists the names of the parameters. */
static bool start(listing *s, rv_matching *m)
{
    const size_t entries = rv_store_count(s->store);
    size_t longest = 0;
    for (size_t i = 0; i < entries; i++) {
        const size_t length = strlen(rv_store_at(s->store, i)->name);
        if (length > longest) longest = length;
    }
    s->name = rv_alloc(longest + LEAF, 1);
    s->listed = rv_alloc(entries, sizeof *s->listed);
    m->layers = rv_alloc(entries, sizeof *m->layers);
    if (!s->name || !s->listed || !m->layers || !rv_name_table_reserve(&s->positions, entries))
        return false;
    for (size_t i = 0; i < entries; i++) {
        const rv_entry *e = rv_store_at(s->store, i);
        if (e->role == RV_PARAMETER) rv_name_table_add(&s->positions, e->name, i);
    }
    return true;
}

bool rv_weights_list(rv_matching *m, rv_store *store, rv_error *error)
{
    listing s = {.store = store};
    const bool ok = start(&s, m);
    for (size_t i = 0; ok && i < rv_store_count(store); i++)
        if (rv_store_at(store, i)->role == RV_PARAMETER && !s.listed[i])
            m->layers[m->count++] = layer_of(&s, i);
    rv_name_table_free(&s.positions);
    rv_free(s.name);
    rv_free(s.listed);
    return ok ? read_map(m, error) : rv_fail_memory(error);
}
