/* Why weights do not fit a net. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/weights/matching.h"
#include "tensor/text_internal.h"

enum { TEXT = 400 };

/* "Wi" [3,4], .. */
static const char *parameters_text(const rv_layer *u, char text[TEXT])
{
    char shape[RV_SHAPE_TEXT];
    const rv_entry *e = rv_layer_entry(u, u->first, 0);
    rv_print(text, TEXT, "\"%.100s\" %s%s", e->name, rv_shape_text(e->tensor.shape, shape),
             u->first->count > 1 ? ", .." : "");
    return text;
}

static const char *tensors_text(const rv_matching *m, char text[TEXT])
{
    char shape[RV_SHAPE_TEXT];
    rv_text to = {text, text + TEXT};
    if (m->theirs.count == 0) rv_put(&to, "no tensor");
    for (size_t i = 0; i < m->theirs.count; i++) {
        const rv_foreign *t = &m->theirs.at[i];
        rv_put(&to, "%s\"%.60s\" %s", i ? ", " : "", t->name,
               rv_shape_text(t->tensor->shape, shape));
    }
    return text;
}

/* ---- the option that makes the sizes equal ---- */

/* What the layers of a net or of files tell about the options of the net. */
typedef struct outline {
    int recurrent;                          /* layers, both directions counted once */
    bool bidirectional;                     /* whether one runs backward */
    int linear;                             /* layers */
    bool chained;                           /* whether each linear layer reads the one before */
    int64_t units, inputs, hidden, outputs; /* first recurrent, first and last linear; 0: unknown */
} outline;

static void add_recurrent(outline *o, bool backward, int64_t inputs, int64_t units)
{
    o->bidirectional = o->bidirectional || backward;
    if (backward || o->recurrent++ > 0) return;
    o->inputs = inputs;
    o->units = units;
}

static void add_linear(outline *o, int64_t inputs, int64_t outputs)
{
    o->chained = o->linear == 0 || (o->chained && inputs == o->outputs);
    if (o->linear++ == 0) o->hidden = outputs;
    o->outputs = outputs;
}

static outline outline_of_net(const rv_matching *m)
{
    outline o = {0};
    for (const rv_layer *u = m->layers; u < m->layers + m->count; u++) {
        const rv_shape s = rv_outputs_first(u->first, rv_layer_entry(u, u->first, 0)->tensor.shape);
        if (u->first->kind < RV_LAYER_WEIGHT)
            add_recurrent(&o, u->backward, s.dim[1], s.dim[0]);
        else if (u->first->kind == RV_LAYER_WEIGHT && s.rank == 2)
            add_linear(&o, s.dim[1], s.dim[0]);
    }
    return o;
}

/* Matrices only: kernels tell no sizes here. */
static outline outline_of_files(const rv_matching *m)
{
    outline o = {0};
    for (size_t i = 0; i < m->theirs.count; i++) {
        const rv_foreign *t = &m->theirs.at[i];
        const bool torch = strncmp(t->leaf, "weight", 6) == 0;
        const rv_foreign *state =
            rv_foreign_find(&m->theirs, t, torch ? "weight_hh" : "recurrent_kernel");
        const rv_shape s = t->tensor->shape;
        if (s.rank != 2) continue;
        if (strcmp(t->leaf, "weight_ih") == 0 || (state && strcmp(t->leaf, "kernel") == 0)) {
            const bool known = state && state->tensor->shape.rank == 2;
            add_recurrent(&o, t->backward, s.dim[torch],
                          known ? state->tensor->shape.dim[torch] : 0);
        } else if ((strcmp(t->leaf, "weight") == 0 || strcmp(t->leaf, "kernel") == 0) &&
                   rv_foreign_find(&m->theirs, t, "bias")) {
            add_linear(&o, s.dim[torch], s.dim[!torch]);
        }
    }
    return o;
}

/* "; give the net `units` 8": the first option in which the net differs from the files. Empty: none
 * is known. */
static const char *advice(const rv_matching *m, char text[TEXT])
{
    const outline ours = outline_of_net(m), theirs = outline_of_files(m);
    text[0] = '\0';
    if (ours.recurrent > 0 && theirs.recurrent > 0) {
        if (theirs.bidirectional != ours.bidirectional)
            snprintf(text, TEXT, "; %s `bidirectional`",
                     ours.bidirectional ? "leave out" : "give the net");
        else if (theirs.recurrent != ours.recurrent)
            snprintf(text, TEXT, "; give the net `layers` %d", theirs.recurrent);
        else if (theirs.units > 0 && theirs.units != ours.units)
            snprintf(text, TEXT, "; give the net `units` %" PRId64, theirs.units);
        else if (theirs.units > 0 && theirs.inputs != ours.inputs)
            snprintf(text, TEXT,
                     "; the weights are for %" PRId64 " input(s) and the net has %" PRId64
                     ": import with the data that they were trained on",
                     theirs.inputs, ours.inputs);
    }
    if (text[0] != '\0' || !ours.chained || !theirs.chained) return text;
    if (theirs.linear == 1 && ours.linear == 2)
        snprintf(text, TEXT, "; give the net `head-units` 0");
    else if (theirs.linear == 2 && ours.linear <= 2 &&
             (ours.linear == 1 || theirs.hidden != ours.hidden))
        snprintf(text, TEXT, "; give the net `head-units` %" PRId64, theirs.hidden);
    else if (theirs.linear == ours.linear && theirs.outputs != ours.outputs)
        snprintf(text, TEXT,
                 "; the weights are for %" PRId64 " output(s) and the net has %" PRId64
                 ": import with the data that they were trained on, or `partial` for a new head",
                 theirs.outputs, ours.outputs);
    return text;
}

/* ---- errors ---- */

static void fail_part(const rv_matching *m, const rv_layer *u, const rv_layout *l, rv_foreign *from,
                      int part, rv_error *error)
{
    char seen[RV_SHAPE_TEXT], ours[RV_SHAPE_TEXT], expected[RV_SHAPE_TEXT], text[TEXT];
    const rv_part *p = &l->parts[part];
    const rv_foreign *t = rv_foreign_find(&m->theirs, from, p->theirs);
    const rv_entry *e = rv_layer_entry(u, l, part);
    if (!t)
        rv_fail(
            error, RV_ERROR_FORMAT,
            "\"%.300s\": beside \"%.100s\" there is no \"%s\" for \"%.*s\" of the net, which a %s "
            "has",
            from->path, from->name, p->theirs, u->length, u->label, l->name);
    else
        rv_fail(error, RV_ERROR_FORMAT,
                "\"%.300s\": \"%.100s\" is %s; expected %s, since \"%.100s\" of the net is %s and "
                "this is "
                "a %s%s",
                t->path, t->name, rv_shape_text(t->tensor->shape, seen),
                rv_shape_text(rv_their_shape(l, p, e->tensor.shape), expected), e->name,
                rv_shape_text(e->tensor.shape, ours), l->name, advice(m, text));
}

/* The error for a layer that could be one of the files but for a tensor. False: there is none. */
static bool fail_tensor(const rv_matching *m, const rv_layer *u, rv_error *error)
{
    if (u->first->kind == RV_LAYER_PARAMETER) return false;
    for (const rv_layout *l = u->first; l < u->end; l++)
        for (size_t i = 0; i < m->theirs.count; i++) {
            int part;
            rv_foreign *from = &m->theirs.at[i];
            if (!rv_may_be(u, l, from) || rv_fits(m, u, l, from, &part) == RV_TAKEN) continue;
            fail_part(m, u, l, from, part, error);
            return true;
        }
    return false;
}

/* Whether a layer of files is of this layout: it shows in the sizes of the matrices, and in the
 * biases. */
static bool is_of(const rv_matching *m, const rv_foreign *from, const rv_layout *l)
{
    if (strcmp(from->leaf, l->parts[0].theirs) != 0) return false;
    const rv_foreign *state = rv_foreign_find(&m->theirs, from, l->parts[1].theirs);
    const rv_foreign *bias = rv_foreign_find(&m->theirs, from, l->parts[2].theirs);
    if (!state || !bias || state->tensor->shape.rank != 2) return false;
    const int64_t *size = state->tensor->shape.dim;
    return size[!l->theirs_out] == l->parts[0].blocks * size[l->theirs_out] &&
           (bias->tensor->shape.rank == 2) == (l->parts[2].blocks == 6);
}

/* The error for a recurrent layer, where the files have one of another kind. False: they do not. */
static bool fail_kind(const rv_matching *m, const rv_layer *u, rv_error *error)
{
    char ours[TEXT];
    if (u->first->kind >= RV_LAYER_WEIGHT) return false;
    for (const rv_layout *l = rv_layouts; l->kind < RV_LAYER_WEIGHT; l++)
        for (size_t i = 0; l->kind != u->first->kind && i < m->theirs.count; i++) {
            const rv_foreign *from = &m->theirs.at[i];
            if (!is_of(m, from, l)) continue;
            rv_fail(error, RV_ERROR_NAME,
                    "\"%.300s\": \"%.100s\" is a %s, which is the model %s here; the net has %s",
                    from->path, from->name, l->name, l->model, parameters_text(u, ours));
            return true;
        }
    return false;
}

static bool fail_layer(const rv_matching *m, const rv_layer *u, const char *path, rv_error *error)
{
    char ours[TEXT], seen[TEXT];
    if ((!u->wanted && fail_kind(m, u, error)) || fail_tensor(m, u, error)) return false;
    if (u->wanted)
        return rv_fail(error, RV_ERROR_NAME, "`map`: \"%.*s\" does not fit \"%.*s\" of the net: %s",
                       u->wanted_length, u->wanted, u->length, u->label, parameters_text(u, ours));
    if (*advice(m, seen) != '\0')
        return rv_fail(error, RV_ERROR_NAME, "\"%.300s\": nothing fits %s of the net%s", path,
                       parameters_text(u, ours), seen);
    return rv_fail(error, RV_ERROR_NAME,
                   "\"%.300s\": nothing fits %s of the net; the names are those of PyTorch "
                   "(weight_ih_l0, weight, ..) or Keras (kernel, ..), and there is %s",
                   path, parameters_text(u, ours), tensors_text(m, seen));
}

bool rv_weights_complete(const rv_matching *m, const char *path, rv_error *error)
{
    const bool partial = m->options->partial;
    char shape[RV_SHAPE_TEXT], text[TEXT];
    size_t found = 0;
    if (m->count == 0)
        return rv_fail(error, RV_ERROR_ARGUMENT, "the net has no parameters yet; record it first");
    for (const rv_layer *u = m->layers; u < m->layers + m->count; u++) {
        found += u->from != NULL;
        if (!u->from && (!partial || u->wanted)) return fail_layer(m, u, path, error);
    }
    for (const rv_foreign *t = m->theirs.at; t < m->theirs.at + m->theirs.count && !partial; t++)
        if (!t->used)
            return rv_fail(error, RV_ERROR_FORMAT,
                           "\"%.300s\": the net has no layer for \"%.100s\" %s%s, or leave such "
                           "tensors out with `partial`",
                           t->path, t->name, rv_shape_text(t->tensor->shape, shape),
                           *advice(m, text) != '\0' ? text : "; use another net");
    return found > 0 || fail_layer(m, m->layers, path, error);
}
