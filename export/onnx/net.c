/* The forms of a net as an ONNX model. */
#include <string.h>

#include "autograd/tape_internal.h"
#include "export/onnx.h"
#include "export/onnx/graph.h"
#include "export/onnx/native.h"
#include "export/step_internal.h"
#include "ops/ops.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"

/* A free number of samples is found from two that differ. */
enum { SAMPLES = 2, OTHER_SAMPLES = 3 };

/* ---- one time step, for one number of samples or two ---- */

typedef struct steps {
    rv_step of[2]; /* the tapes hold the same ids */
    bool two;
    int64_t samples;
    rv_native native;
    const char *before[RV_STEP_STATES], *after[RV_STEP_STATES], *first[RV_STEP_STATES];
} steps;

static bool simplify_step(rv_step *step, rv_error *error)
{
    rv_var *at[3 + 3 * RV_STEP_STATES] = {&step->x, &step->output, &step->top};
    int n = 3;
    for (int s = 0; s < step->states; s++) {
        at[n++] = &step->state[s].first;
        at[n++] = &step->state[s].before;
        at[n++] = &step->state[s].after;
    }
    return rv_tape_simplify(&step->tape, at, n, error);
}

static bool record_steps(steps *all, const rv_exported_net *net, int64_t batch, rv_store *store,
                         rv_error *error)
{
    all->two = !batch;
    all->samples = batch ? batch : SAMPLES;
    const char *instead = ", or the form of the unrolled sequence";
    for (int i = 0; i <= all->two; i++) {
        rv_step *step = &all->of[i];
        if (!rv_step_record(step, "ONNX", instead, net, i ? OTHER_SAMPLES : all->samples, store,
                            error))
            return false;
        if (!i && net->options->sequence && !net->options->each_step)
            all->native = rv_native_find(step);
        if (!rv_tape_is_good(step->tape, error) || !simplify_step(step, error)) return false;
    }
    return true;
}

static void make_graph(rv_onnx_graph *g, rv_onnx *m, const steps *all)
{
    rv_onnx_graph_make(g, m, all->of[0].tape, all->samples, all->two ? all->of[1].tape : NULL,
                       OTHER_SAMPLES);
}

static void name_states(steps *all, rv_onnx *m, const char *first, const char *after)
{
    const rv_step *step = &all->of[0];
    for (int s = 0; s < step->states; s++) {
        const rv_step_state *state = &step->state[s];
        bool layers = step->state[step->states - 1].layer > 0;
        all->before[s] = layers ? rv_onnx_name(m, "layer%d/%s", state->layer, state->symbol)
                                : rv_onnx_name(m, "%s", state->symbol);
        all->after[s] = rv_onnx_name(m, "%s%s", all->before[s], after);
        all->first[s] = rv_onnx_name(m, "%s%s", all->before[s], first);
    }
}

static bool starts_at_zero(const rv_step_state *state)
{
    double value;
    return rv_is_uniform(state->first, &value) && value == 0;
}

static void write_step(rv_onnx *m, steps *all)
{
    const rv_step *step = &all->of[0];
    const char *x = m->samples_of = rv_onnx_name(m, "x"), *output = rv_onnx_name(m, "output");
    rv_onnx_graph g;
    name_states(all, m, "[0]", "'");
    make_graph(&g, m, all);
    rv_onnx_graph_input(&g, step->x, x, NULL);
    rv_onnx_graph_want(&g, step->output, output);
    for (int s = 0; s < step->states; s++) {
        const rv_step_state *state = &step->state[s];
        rv_onnx_graph_input(&g, state->before, all->before[s], NULL);
        rv_onnx_graph_want(&g, state->after, all->after[s]);
        if (!starts_at_zero(state)) rv_onnx_graph_want(&g, state->first, all->first[s]);
    }
    rv_onnx_graph_write(&g);
    rv_onnx_graph_output(&g, step->output, output, NULL);
    for (int s = 0; s < step->states; s++)
        rv_onnx_graph_output(&g, step->state[s].after, all->after[s], NULL);
    for (int s = 0; s < step->states; s++)
        if (!starts_at_zero(&step->state[s]))
            rv_onnx_graph_output(&g, step->state[s].first, all->first[s], NULL);
    rv_onnx_graph_free(&g);
}

/* ---- a Scan of the step ---- */

/* What is computed at each step and kept, besides the states: the output, or what the head reads at
 * the end. */
typedef struct kept {
    rv_var value; /* null: the head reads the final state */
    int state;    /* which is this one */
    const char *at_step, *all;
} kept;

static kept what_is_kept(const rv_step *step, const rv_net_options *o, rv_onnx *m)
{
    kept k = {.value = step->top};
    if (o->each_step)
        return (kept){step->output, 0, rv_onnx_name(m, "output[t]"),
                      rv_onnx_name(m, "output by time")};
    for (int s = 0; s < step->states; s++)
        if (step->state[s].after.id == step->top.id) return (kept){{NULL, -1}, s, NULL, NULL};
    k.at_step = rv_onnx_name(m, "top[t]");
    k.all = rv_onnx_name(m, "top by time");
    return k;
}

/* The step as a graph: from the states before it and x at this step to the states after it and what
 * is kept. */
static void write_body(rv_onnx *m, const steps *all, const rv_net_options *o, const char *x,
                       const kept *k)
{
    const rv_step *step = &all->of[0];
    rv_onnx_graph g;
    make_graph(&g, m, all);
    for (int s = 0; s < step->states; s++) {
        rv_onnx_graph_input(&g, step->state[s].before, all->before[s], NULL);
        rv_onnx_graph_want(&g, step->state[s].after, all->after[s]);
    }
    if (o->sequence) {
        rv_onnx_graph_input(&g, step->x, rv_onnx_name(m, "x[t]"), NULL);
    } else { /* the same x at each step */
        rv_onnx_graph_give(&g, step->x, x);
        rv_onnx_value(m, RV_GRAPH_INPUT, rv_onnx_name(m, "t"), RV_I32, NULL, 0);
    }
    rv_onnx_graph_want(&g, k->value, k->at_step);
    rv_onnx_graph_write(&g);
    for (int s = 0; s < step->states; s++)
        rv_onnx_graph_output(&g, step->state[s].after, all->after[s], NULL);
    rv_onnx_graph_output(&g, k->value, k->at_step, NULL);
    rv_onnx_graph_free(&g);
}

/* Exchanges the first two axes of a value, samples and time, which has `rank` axes besides time. */
static void exchange(rv_onnx *m, const char *x, int64_t rank, const char *out)
{
    int64_t perm[RV_MAX_RANK + 1] = {1, 0};
    for (int64_t d = 2; d <= rank; d++) perm[d] = d;
    rv_onnx_set_ints(m, "perm", perm, (int)rank + 1);
    rv_onnx_node(m, "Transpose", &x, 1, out);
}

/* Scan goes along the first axis. */
static void write_scan(rv_onnx *m, const steps *all, const rv_net_options *o, const char *x,
                       const char *const *final, const kept *k)
{
    const rv_step *step = &all->of[0];
    const char *scanned =
        o->sequence ? rv_onnx_name(m, "x by time") : rv_onnx_range(m, o->steps ? o->steps : 1);
    if (o->sequence) exchange(m, x, rv_shape_of(step->x).rank, scanned);
    const char *in[RV_STEP_STATES + 1], *out[RV_STEP_STATES + 1];
    for (int s = 0; s < step->states; s++) {
        in[s] = all->first[s];
        out[s] = final[s];
    }
    in[step->states] = scanned;
    out[step->states] = k->all;
    rv_onnx_scan scan =
        rv_onnx_scan_begin(m, in, step->states + 1, 1, out, step->states + (k->all != NULL));
    write_body(m, all, o, x, k);
    rv_onnx_scan_end(m, scan);
}

/* The value that the head reads, at the last step. */
static const char *last_of(rv_onnx *m, const kept *k, const char *const *final)
{
    if (!k->all) return final[k->state];
    const char *last = rv_onnx_name(m, "top[time]");
    rv_onnx_node(m, "Gather", (const char *[]){k->all, rv_onnx_int(m, -1)}, 2, last);
    return last;
}

static void write_scanned(rv_onnx *m, steps *all, const rv_net_options *o)
{
    const rv_step *step = &all->of[0];
    const char *x = m->samples_of = rv_onnx_name(m, "x"), *output = rv_onnx_name(m, "output");
    const char *final[RV_STEP_STATES], *time = o->sequence ? "time" : NULL;
    rv_onnx_graph start, head;
    kept k = what_is_kept(step, o, m);
    name_states(all, m, "[0]", "'");
    for (int s = 0; s < step->states; s++) final[s] = rv_onnx_name(m, "%s[time]", all->before[s]);
    make_graph(&start, m, all);
    rv_onnx_graph_input(&start, step->x, x, time);
    for (int s = 0; s < step->states; s++)
        rv_onnx_graph_want(&start, step->state[s].first, all->first[s]);
    rv_onnx_graph_write(&start);
    for (int s = 0; s < step->states; s++)
        rv_onnx_graph_rename(&start, step->state[s].first, all->first[s]);
    write_scan(m, all, o, x, final, &k);
    make_graph(&head, m, all);
    if (!o->each_step) {
        rv_onnx_graph_give(&head, step->top, last_of(m, &k, final));
        rv_onnx_graph_want(&head, step->output, output);
        rv_onnx_graph_write(&head);
    } else {
        exchange(m, k.all, rv_shape_of(step->output).rank, output);
        rv_onnx_graph_give(&head, step->output, output);
    }
    rv_onnx_graph_output(&head, step->output, output, o->each_step ? "time" : NULL);
    rv_onnx_graph_free(&start);
    rv_onnx_graph_free(&head);
}

/* The same by nodes that ONNX has for such a step. */
static void write_native(rv_onnx *m, const steps *all)
{
    const rv_step *step = &all->of[0];
    const char *x = m->samples_of = rv_onnx_name(m, "x"), *output = rv_onnx_name(m, "output");
    const char *scanned = rv_onnx_name(m, "x by time");
    rv_onnx_graph g;
    make_graph(&g, m, all);
    rv_onnx_graph_input(&g, step->x, x, "time");
    exchange(m, x, rv_shape_of(step->x).rank, scanned);
    rv_onnx_graph_give(&g, step->top, rv_native_write(m, &all->native, scanned));
    rv_onnx_graph_want(&g, step->output, output);
    rv_onnx_graph_write(&g);
    rv_onnx_graph_output(&g, step->output, output, NULL);
    rv_onnx_graph_free(&g);
}

/* ---- the whole sequence ---- */

static bool simplify_sequence(rv_sequence *q, rv_error *error)
{
    return rv_tape_simplify(&q->tape, (rv_var *[]){&q->x, &q->output}, 2, error);
}

static bool record_sequences(rv_sequence of[2], const rv_exported_net *net, int64_t batch,
                             rv_store *store, rv_error *error)
{
    return rv_exported_check("ONNX", net, error) &&
           rv_sequence_record(&of[0], net, batch ? batch : SAMPLES, store, error) &&
           simplify_sequence(&of[0], error) &&
           (batch || (rv_sequence_record(&of[1], net, OTHER_SAMPLES, store, error) &&
                      simplify_sequence(&of[1], error)));
}

static void write_unrolled(rv_onnx *m, const rv_sequence of[2], int64_t batch)
{
    const char *x = m->samples_of = rv_onnx_name(m, "x"), *output = rv_onnx_name(m, "output");
    rv_onnx_graph g;
    rv_onnx_graph_make(&g, m, of[0].tape, batch ? batch : SAMPLES, of[1].tape, OTHER_SAMPLES);
    g.steps = true;
    rv_onnx_graph_input(&g, of[0].x, x, NULL);
    rv_onnx_graph_want(&g, of[0].output, output);
    rv_onnx_graph_write(&g);
    rv_onnx_graph_output(&g, of[0].output, output, NULL);
    rv_onnx_graph_free(&g);
}

/* ---- a training step ---- */

/* The values that the parameters and states get, as far as the tape assigns some. */
typedef struct updates {
    rv_var *value;
    rv_entry **entry;
    int count;
} updates;

static bool find_updates(const rv_tape *tape, updates *u, rv_error *error)
{
    u->value = rv_alloc(tape->effects.count + 1, sizeof *u->value);
    u->entry = rv_alloc(tape->effects.count + 1, sizeof *u->entry);
    if (!u->value || !u->entry) return rv_fail_memory(error);
    for (size_t i = 0; i < tape->effects.count; i++) {
        const rv_node *node = rv_tape_node(tape, tape->effects.id[i]);
        u->value[u->count] = (rv_var){(rv_tape *)(uintptr_t)tape, node->in[1]};
        u->entry[u->count++] = node->entry;
    }
    return true;
}

static bool simplify_training(rv_sequence *q, updates *u, rv_error *error)
{
    int n = 0;
    rv_var **at = rv_alloc((size_t)u->count + 3, sizeof *at);
    if (!at) return rv_fail_memory(error);
    at[n++] = &q->x;
    at[n++] = &q->y;
    at[n++] = &q->loss;
    for (int i = 0; i < u->count; i++) at[n++] = &u->value[i];
    bool ok = rv_tape_simplify(&q->tape, at, n, error);
    rv_free(at);
    return ok;
}

static rv_var leaf_of(rv_tape *tape, const rv_entry *entry)
{
    for (int32_t id = 0; id < rv_tape_count(tape); id++) {
        const rv_node *node = rv_tape_node(tape, id);
        if (node->op == &rv_op_parameter && node->entry == entry) return (rv_var){tape, id};
    }
    return (rv_var){tape, -1};
}

static void write_training(rv_onnx *m, const rv_sequence *q, const updates *u, int64_t batch)
{
    const char *loss = rv_onnx_name(m, "loss");
    const char **after = rv_alloc((size_t)u->count + 1, sizeof *after);
    if (!after) rv_fail_memory(&m->error);
    if (!after) return;
    rv_onnx_graph g;
    rv_onnx_graph_make(&g, m, q->tape, batch, NULL, 0);
    g.steps = true;
    rv_onnx_graph_input(&g, q->x, rv_onnx_name(m, "x"), NULL);
    rv_onnx_graph_input(&g, q->y, rv_onnx_name(m, "y"), NULL);
    rv_onnx_graph_want(&g, q->loss, loss);
    for (int i = 0; i < u->count; i++) {
        const char *before = rv_onnx_stored(m, u->entry[i]);
        rv_onnx_graph_input(&g, leaf_of(q->tape, u->entry[i]), before, NULL);
        rv_onnx_graph_want(&g, u->value[i], after[i] = rv_onnx_name(m, "%s'", before));
    }
    rv_onnx_graph_write(&g);
    rv_onnx_graph_output(&g, q->loss, loss, NULL);
    for (int i = 0; i < u->count; i++) rv_onnx_graph_output(&g, u->value[i], after[i], NULL);
    rv_onnx_graph_free(&g);
    rv_free(after);
}

/* ---- all ---- */

/* Returns the bytes; NULL after an error, which is the model's. */
typedef unsigned char *form(rv_onnx *m, const rv_exported_net *net, const rv_onnx_options *o,
                            rv_store *store, size_t *size);

static unsigned char *export_step(rv_onnx *m, const rv_exported_net *net, const rv_onnx_options *o,
                                  rv_store *store, size_t *size)
{
    steps *all = rv_alloc(1, sizeof *all);
    unsigned char *bytes = NULL;
    if (!all)
        rv_fail_memory(&m->error);
    else if (record_steps(all, net, o->batch, store, &m->error)) {
        size_t graph = rv_onnx_begin(m, net->model->name, net->model->text);
        if (o->form == RV_ONNX_SCAN && all->native.type)
            write_native(m, all);
        else if (o->form == RV_ONNX_SCAN)
            write_scanned(m, all, net->options);
        else
            write_step(m, all);
        bytes = rv_onnx_end(m, graph, size);
    }
    for (int i = 0; all && i < 2; i++) rv_tape_free(all->of[i].tape);
    rv_free(all);
    return bytes;
}

static unsigned char *export_unrolled(rv_onnx *m, const rv_exported_net *net,
                                      const rv_onnx_options *o, rv_store *store, size_t *size)
{
    rv_sequence of[2] = {{0}};
    unsigned char *bytes = NULL;
    if (record_sequences(of, net, o->batch, store, &m->error)) {
        size_t graph = rv_onnx_begin(m, net->model->name, net->model->text);
        write_unrolled(m, of, o->batch);
        bytes = rv_onnx_end(m, graph, size);
    }
    for (int i = 0; i < 2; i++) rv_tape_free(of[i].tape);
    return bytes;
}

static unsigned char *export_training(rv_onnx *m, const rv_exported_net *net,
                                      const rv_onnx_options *o, rv_store *store, size_t *size)
{
    int64_t batch = o->batch ? o->batch : 1;
    rv_sequence q = {0};
    updates u = {0};
    unsigned char *bytes = NULL;
    bool ok = rv_exported_check("ONNX", net, &m->error);
    if (ok && !net->optimizer)
        ok = rv_fail(&m->error, RV_ERROR_ARGUMENT,
                     "ONNX: a training step of a net without an optimizer; give it one");
    ok = ok && rv_sequence_record(&q, net, batch, store, &m->error);
    ok = ok && (rv_minimize(q.loss, *net->optimizer) || rv_tape_is_good(q.tape, &m->error));
    if (ok && find_updates(q.tape, &u, &m->error) && simplify_training(&q, &u, &m->error)) {
        size_t graph = rv_onnx_begin(m, net->model->name, net->model->text);
        write_training(m, &q, &u, batch);
        bytes = rv_onnx_end(m, graph, size);
    }
    rv_tape_free(q.tape);
    rv_free(u.value);
    rv_free(u.entry);
    return bytes;
}

unsigned char *rv_export_onnx(const rv_exported_net *net, const rv_onnx_options *options,
                              rv_store *store, size_t *size, rv_error *error)
{
    static form *const forms[] = {[RV_ONNX_STEP] = export_step,
                                  [RV_ONNX_SCAN] = export_step,
                                  [RV_ONNX_UNROLLED] = export_unrolled,
                                  [RV_ONNX_TRAINING] = export_training};
    enum { MOST_SAMPLES = 1 << 20 };
    const rv_onnx_options o = options ? *options : (rv_onnx_options){0};
    if (!RV_NEEDS(error, net, store, size)) return NULL;
    if ((unsigned)o.form > RV_ONNX_TRAINING || o.batch < 0 || o.batch > MOST_SAMPLES) {
        rv_fail(error, RV_ERROR_ARGUMENT,
                "ONNX: form %d for %lld sample(s), expected one of rv_onnx_form for 0 to %d",
                (int)o.form, (long long)o.batch, MOST_SAMPLES);
        return NULL;
    }
    rv_onnx m = {0};
    unsigned char *bytes = forms[o.form](&m, net, &o, store, size);
    if (!bytes) rv_fail(error, m.error.code, "%-s", m.error.text);
    rv_onnx_free(&m);
    return bytes;
}
