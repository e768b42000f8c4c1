/* oneDNN: its own loops over time for GRU and LSTM, with a head, a loss and Adam written here, so
 * that a step is whole; sigmoid and tanh; and of B the convolutions alone, each operand in the
 * layout it likes best.
 *
 *   with_onednn auto|direct FOLDER     which algorithm its convolutions take; auto may be Winograd's
 *
 * The library computes the gradient of x too, and cannot be told not to. */
#include <dnnl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/peers/data.h"

enum { MOST_ARGUMENTS = 24, MOST_CALLS = 64, MOST_MEMORIES = 128 };

/* A primitive and what it works on. */
typedef struct call {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arguments[MOST_ARGUMENTS];
    int count;
} call;

typedef struct state {
    const char *folder;
    bool direct;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_status_t status; /* the first failure, or success */

    /* What is loaded: calls to be made in order, and the memory that they share. */
    numbers numbers;
    dnnl_memory_t memories[MOST_MEMORIES];
    int memory_count;
    call calls[MOST_CALLS];
    int call_count;
    struct recurrent *recurrent;
} state;

/* ---- a little over the library's interface ---- */

static void check(state *s, dnnl_status_t status)
{
    if (s->status == dnnl_success) s->status = status;
}

static dnnl_memory_desc_t describe(int rank, const dnnl_dim_t *dims, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t md;
    dnnl_dims_t all = {0};
    memcpy(all, dims, (size_t)rank * sizeof *dims);
    if (dnnl_memory_desc_init_by_tag(&md, rank, all, dnnl_f32, tag) != dnnl_success)
        memset(&md, 0, sizeof md);
    return md;
}
#define DESCRIBE(tag, ...) \
    describe((int)(sizeof((dnnl_dim_t[]){__VA_ARGS__}) / sizeof(dnnl_dim_t)), \
             (dnnl_dim_t[]){__VA_ARGS__}, tag)

/* Zero-filled, and freed with what is loaded. */
static dnnl_memory_t memory_new(state *s, const dnnl_memory_desc_t *md)
{
    dnnl_memory_t memory = NULL;
    void *data = NULL;
    if (s->memory_count == MOST_MEMORIES) return check(s, dnnl_out_of_memory), NULL;
    check(s, dnnl_memory_create(&memory, md, s->engine, DNNL_MEMORY_ALLOCATE));
    if (s->status != dnnl_success) return NULL;
    dnnl_memory_get_data_handle(memory, &data);
    memset(data, 0, dnnl_memory_desc_get_size(md));
    return s->memories[s->memory_count++] = memory;
}

static float *data_of(dnnl_memory_t memory)
{
    void *data = NULL;
    if (memory) dnnl_memory_get_data_handle(memory, &data);
    return data;
}

static call *call_new(state *s, const_dnnl_primitive_desc_t pd)
{
    call *c = &s->calls[s->call_count];
    *c = (call){0};
    if (s->status != dnnl_success || s->call_count == MOST_CALLS) return c;
    check(s, dnnl_primitive_create(&c->primitive, pd));
    s->call_count++;
    return c;
}

static void pass(call *c, int what, dnnl_memory_t memory)
{
    if (memory) c->arguments[c->count++] = (dnnl_exec_arg_t){what, memory};
}

/* The operand that a primitive descriptor asks for, in the layout that it asks for. */
static dnnl_memory_t operand(state *s, const_dnnl_primitive_desc_t pd, dnnl_query_t query,
                             int index)
{
    if (s->status != dnnl_success) return NULL;
    const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(pd, query, index);
    return md && dnnl_memory_desc_get_size(md) ? memory_new(s, md) : NULL;
}

/* A call that copies from one layout into another. */
static void reorder(state *s, dnnl_memory_t from, dnnl_memory_t to)
{
    const dnnl_memory_desc_t *a, *b;
    dnnl_primitive_desc_t pd = NULL;
    if (s->status != dnnl_success) return;
    dnnl_memory_get_memory_desc(from, &a);
    dnnl_memory_get_memory_desc(to, &b);
    check(s, dnnl_reorder_primitive_desc_create(&pd, a, s->engine, b, s->engine, NULL));
    call *c = call_new(s, pd);
    pass(c, DNNL_ARG_FROM, from);
    pass(c, DNNL_ARG_TO, to);
    dnnl_primitive_desc_destroy(pd);
}

static void make(state *s, int from, int to)
{
    for (int i = from; i < to; i++)
        check(s, dnnl_primitive_execute(s->calls[i].primitive, s->stream, s->calls[i].count,
                                        s->calls[i].arguments));
    check(s, dnnl_stream_wait(s->stream));
}

static void make_all(void *self)
{
    state *s = self;
    make(s, 0, s->call_count);
}

/* ---- D: pointwise functions ---- */

static double load_pointwise(state *s)
{
    const rv_tensor *x = rv_archive_find(&s->numbers.archive, "x");
    dnnl_eltwise_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_memory_desc_t md = DESCRIBE(dnnl_a, rv_tensor_count(x));
    dnnl_alg_kind_t function =
        strstr(s->numbers.base, "tanh") ? dnnl_eltwise_tanh : dnnl_eltwise_logistic;
    check(s, dnnl_eltwise_forward_desc_init(&desc, dnnl_forward_inference, function, &md, 0, 0));
    check(s, dnnl_primitive_desc_create(&pd, &desc, NULL, s->engine, NULL));
    dnnl_memory_t from = memory_new(s, &md), to = memory_new(s, &md);
    call *c = call_new(s, pd);
    pass(c, DNNL_ARG_SRC, from);
    pass(c, DNNL_ARG_DST, to);
    dnnl_primitive_desc_destroy(pd);
    if (s->status != dnnl_success) return NAN;
    memcpy(data_of(from), x->data, rv_tensor_bytes(x));
    make_all(s);
    double sum = 0;
    for (int64_t i = 0; i < rv_tensor_count(x); i++) sum += pow((double)data_of(to)[i], 2);
    return sum / (double)rv_tensor_count(x);
}

/* ---- B: its convolutions and their gradients, 3x3 with a ring of zeros ---- */

/* One convolution of [16,in,32,32] to 64 channels, `times` over; in training with its gradients. */
static void convolution(state *s, dnnl_dim_t in, int times, bool training, bool wanted_x)
{
    dnnl_dims_t one = {1, 1};
    dnnl_alg_kind_t algorithm = s->direct ? dnnl_convolution_direct : dnnl_convolution_auto;
    dnnl_memory_desc_t x = DESCRIBE(dnnl_format_tag_any, 16, in, 32, 32);
    dnnl_memory_desc_t w = DESCRIBE(dnnl_format_tag_any, 64, in, 3, 3);
    dnnl_memory_desc_t y = DESCRIBE(dnnl_format_tag_any, 16, 64, 32, 32);
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t forward = NULL, back_x = NULL, back_w = NULL;
    check(s, dnnl_convolution_forward_desc_init(
                 &desc, training ? dnnl_forward_training : dnnl_forward_inference, algorithm, &x,
                 &w, NULL, &y, one, one, one));
    check(s, dnnl_primitive_desc_create(&forward, &desc, NULL, s->engine, NULL));
    check(s, dnnl_convolution_backward_data_desc_init(&desc, algorithm, &x, &w, &y, one, one, one));
    check(s, dnnl_primitive_desc_create(&back_x, &desc, NULL, s->engine, forward));
    check(s, dnnl_convolution_backward_weights_desc_init(&desc, algorithm, &x, &w, NULL, &y, one,
                                                         one, one));
    check(s, dnnl_primitive_desc_create(&back_w, &desc, NULL, s->engine, forward));
    struct {
        dnnl_primitive_desc_t pd;
        dnnl_query_t query[3];
        int argument[3];
        bool wanted;
    } parts[] = {
        {forward,
         {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md},
         {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
         true},
        {back_x,
         {dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md},
         {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
         training && wanted_x},
        {back_w,
         {dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md},
         {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST},
         training},
    };
    for (int p = 0; p < 3; p++) {
        dnnl_memory_t memory[3];
        for (int i = 0; i < 3; i++)
            memory[i] = parts[p].wanted ? operand(s, parts[p].pd, parts[p].query[i], 0) : NULL;
        for (int t = 0; t < times && parts[p].wanted; t++) {
            call *c = call_new(s, parts[p].pd);
            for (int i = 0; i < 3; i++) pass(c, parts[p].argument[i], memory[i]);
        }
    }
    dnnl_primitive_desc_destroy(forward);
    dnnl_primitive_desc_destroy(back_x);
    dnnl_primitive_desc_destroy(back_w);
}

/* ---- C2, C3: x [steps,n,inputs], gates in one matrix [inputs,gates,units] ---- */

enum { STEPS = 50, BATCH = 32, INPUTS = 64, UNITS = 256, MATRICES = 5 };

typedef struct recurrent {
    bool lstm;
    dnnl_memory_desc_t x, y, h;          /* of the inputs, the outputs, the state */
    dnnl_memory_desc_t plain[3], any[3]; /* of U, W, b: ours, and as the library likes them */
    dnnl_memory_t source, w[3], g[3];    /* inputs; parameters and gradients in the plain layout */
    dnnl_memory_t dst, diff_dst, workspace;
    dnnl_memory_t states[4];      /* h and LSTM's memory, before the first step, after the last */
    dnnl_memory_t accumulated[3]; /* gradients that the library adds to */
    int forward_calls;            /* the first of the calls */

    /* The optimizer's view of U, W, b and the head's two. */
    float *value[MATRICES], *gradient[MATRICES], *m[MATRICES], *v[MATRICES];
    size_t size[MATRICES];
    const float *target;
    float rate;
    int t;
} recurrent;

static void describe_recurrent(recurrent *r, dnnl_dim_t gates)
{
    r->x = DESCRIBE(dnnl_tnc, STEPS, BATCH, INPUTS);
    r->y = DESCRIBE(dnnl_tnc, STEPS, BATCH, UNITS);
    r->h = DESCRIBE(dnnl_ldnc, 1, 1, BATCH, UNITS);
    r->plain[0] = DESCRIBE(dnnl_ldigo, 1, 1, INPUTS, gates, UNITS);
    r->plain[1] = DESCRIBE(dnnl_ldigo, 1, 1, UNITS, gates, UNITS);
    r->plain[2] = DESCRIBE(dnnl_ldgo, 1, 1, gates, UNITS);
    r->any[0] = DESCRIBE(dnnl_format_tag_any, 1, 1, INPUTS, gates, UNITS);
    r->any[1] = DESCRIBE(dnnl_format_tag_any, 1, 1, UNITS, gates, UNITS);
    r->any[2] = r->plain[2];
}

/* The states are passed though they are zero and not looked at: without them LSTM's gradient of W
 * comes out wrong (2.6.3). */
static dnnl_primitive_desc_t describe_forward(state *s, bool training)
{
    recurrent *r = s->recurrent;
    const dnnl_memory_desc_t *x = &r->x, *y = &r->y, *h = &r->h;
    const dnnl_memory_desc_t *U = &r->any[0], *W = &r->any[1], *b = &r->any[2];
    dnnl_prop_kind_t kind = training ? dnnl_forward_training : dnnl_forward_inference;
    dnnl_rnn_direction_t to = dnnl_unidirectional_left2right;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_rnn_desc_t desc;
    check(s, r->lstm ? dnnl_lstm_forward_desc_init(&desc, kind, to, x, h, h, U, W, b, y, h, h, 0)
                     : dnnl_gru_forward_desc_init(&desc, kind, to, x, h, U, W, b, y, h, 0));
    check(s, dnnl_primitive_desc_create(&pd, &desc, NULL, s->engine, NULL));
    return pd;
}

static dnnl_primitive_desc_t describe_backward(state *s, dnnl_primitive_desc_t forward)
{
    recurrent *r = s->recurrent;
    const dnnl_memory_desc_t *x = &r->x, *y = &r->y, *h = &r->h;
    const dnnl_memory_desc_t *U = &r->any[0], *W = &r->any[1], *b = &r->any[2];
    dnnl_prop_kind_t kind = dnnl_backward;
    dnnl_rnn_direction_t to = dnnl_unidirectional_left2right;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_rnn_desc_t desc;
    check(s, r->lstm ? dnnl_lstm_backward_desc_init(&desc, kind, to, x, h, h, U, W, b, y, h, h, x,
                                                    h, h, U, W, b, y, h, h, 0)
                     : dnnl_gru_backward_desc_init(&desc, kind, to, x, h, U, W, b, y, h, x, h, U, W,
                                                   b, y, h, 0));
    check(s, dnnl_primitive_desc_create(&pd, &desc, NULL, s->engine, forward));
    return pd;
}

/* What forward and backward passes share; their U and W are copies in the layout that each
 * wants. */
static void pass_operands(state *s, call *c, dnnl_memory_t U, dnnl_memory_t W)
{
    static const int names[4] = {DNNL_ARG_SRC_ITER, DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER,
                                 DNNL_ARG_DST_ITER_C};
    recurrent *r = s->recurrent;
    pass(c, DNNL_ARG_SRC_LAYER, r->source);
    pass(c, DNNL_ARG_WEIGHTS_LAYER, U);
    pass(c, DNNL_ARG_WEIGHTS_ITER, W);
    pass(c, DNNL_ARG_BIAS, r->w[2]);
    pass(c, DNNL_ARG_DST_LAYER, r->dst);
    pass(c, DNNL_ARG_WORKSPACE, r->workspace);
    for (int i = 0; i < 4; i += r->lstm ? 1 : 2) pass(c, names[i], r->states[i]);
}

/* Calls that copy U and W into the layouts that a primitive wants. */
static void reorder_weights(state *s, dnnl_primitive_desc_t pd, dnnl_memory_t wanted[2])
{
    for (int k = 0; k < 2; k++) {
        wanted[k] = operand(s, pd, dnnl_query_weights_md, k);
        reorder(s, s->recurrent->w[k], wanted[k]);
    }
}

static void record_forward(state *s, dnnl_primitive_desc_t pd, bool training)
{
    recurrent *r = s->recurrent;
    dnnl_memory_t wanted[2];
    reorder_weights(s, pd, wanted);
    if (!training) { /* once is enough */
        make_all(s);
        for (int i = 0; i < s->call_count; i++) dnnl_primitive_destroy(s->calls[i].primitive);
        s->call_count = 0;
    }
    if (training) r->workspace = operand(s, pd, dnnl_query_workspace_md, 0);
    pass_operands(s, call_new(s, pd), wanted[0], wanted[1]);
    r->forward_calls = s->call_count;
}

static void record_backward(state *s, dnnl_primitive_desc_t pd)
{
    static const int cotangents[4] = {DNNL_ARG_DIFF_SRC_ITER, DNNL_ARG_DIFF_SRC_ITER_C,
                                      DNNL_ARG_DIFF_DST_ITER, DNNL_ARG_DIFF_DST_ITER_C};
    static const int gradients[3] = {DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER,
                                     DNNL_ARG_DIFF_BIAS};
    recurrent *r = s->recurrent;
    dnnl_memory_t wanted[2];
    reorder_weights(s, pd, wanted);
    call *c = call_new(s, pd);
    pass_operands(s, c, wanted[0], wanted[1]);
    r->diff_dst = memory_new(s, &r->y); /* zero but for the last step */
    pass(c, DNNL_ARG_DIFF_DST_LAYER, r->diff_dst);
    pass(c, DNNL_ARG_DIFF_SRC_LAYER, memory_new(s, &r->x));
    for (int i = 0; i < 4; i += r->lstm ? 1 : 2) pass(c, cotangents[i], memory_new(s, &r->h));
    for (int k = 0; k < 3; k++) {
        r->accumulated[k] = operand(s, pd, dnnl_query_diff_weights_md, k);
        pass(c, gradients[k], r->accumulated[k]);
    }
    for (int k = 0; k < 3; k++) reorder(s, r->accumulated[k], r->g[k]);
}

/* ---- the head, the loss and Adam ---- */

/* p = h w + b; with dh also its gradients dw = dp' h, db = sum dp, dh = dp w. h [n,units]. */
static double head(recurrent *r, const float *h, float *dh)
{
    const float *w = r->value[3], b = *r->value[4];
    float *dw = r->gradient[3], *db = r->gradient[4];
    double loss = 0;
    memset(dw, 0, UNITS * sizeof *dw);
    *db = 0;
    for (int n = 0; n < BATCH; n++) {
        const float *hn = h + n * UNITS;
        float sum = b;
        for (int u = 0; u < UNITS; u++) sum += hn[u] * w[u];
        float e = sum - r->target[n], dp = 2 * e / BATCH;
        loss += (double)(e * e) / BATCH;
        *db += dp;
        for (int u = 0; u < UNITS && dh; u++) {
            dw[u] += dp * hn[u];
            dh[n * UNITS + u] = dp * w[u];
        }
    }
    return loss;
}

static void adam(recurrent *r)
{
    r->t++;
    float m_weight = (float)(1 - pow(0.9, r->t)), v_weight = (float)(1 - pow(0.999, r->t));
    for (int k = 0; k < MATRICES; k++) {
        float *restrict w = r->value[k], *restrict m = r->m[k], *restrict v = r->v[k];
        const float *restrict g = r->gradient[k];
        for (size_t i = 0; i < r->size[k]; i++) {
            m[i] = 0.9F * m[i] + 0.1F * g[i];
            v[i] = 0.999F * v[i] + 0.001F * g[i] * g[i];
            w[i] -= r->rate * (m[i] / m_weight) / (sqrtf(v[i] / v_weight) + 1e-8F);
        }
    }
}

static float *last_step(dnnl_memory_t memory)
{
    return data_of(memory) + (STEPS - 1) * BATCH * UNITS;
}

static void clear(dnnl_memory_t memory)
{
    const dnnl_memory_desc_t *md;
    dnnl_memory_get_memory_desc(memory, &md);
    memset(data_of(memory), 0, dnnl_memory_desc_get_size(md));
}

static double train(state *s)
{
    recurrent *r = s->recurrent;
    make(s, 0, r->forward_calls);
    double loss = head(r, last_step(r->dst), last_step(r->diff_dst));
    for (int k = 0; k < 3; k++) clear(r->accumulated[k]);
    make(s, r->forward_calls, s->call_count);
    adam(r);
    return loss;
}

static double predict(state *s)
{
    make_all(s);
    return head(s->recurrent, last_step(s->recurrent->dst), NULL);
}

static void train_step(void *self) { train(self); }
static void predict_step(void *self) { predict(self); }

/* ---- loading them ---- */

/* [inputs,gates,units] of the gates' own [inputs,units]. */
static void join(const numbers *n, char kind, const char *gates, size_t inputs, float *to)
{
    size_t count = strlen(gates);
    for (size_t g = 0; g < count; g++) {
        const float *from = numbers_find(n, (char[]){kind, gates[g], '\0'});
        for (size_t i = 0; i < inputs; i++)
            memcpy(to + (i * count + g) * UNITS, from + i * UNITS, UNITS * sizeof *to);
    }
}

/* All memory but what the primitives want for themselves. */
static void make_room(state *s, size_t gates)
{
    recurrent *r = s->recurrent;
    const size_t sizes[MATRICES] = {INPUTS * gates * UNITS, UNITS * gates * UNITS, gates * UNITS,
                                    UNITS, 1};
    r->source = memory_new(s, &r->x);
    r->dst = memory_new(s, &r->y);
    for (int i = 0; i < 4; i++) r->states[i] = memory_new(s, &r->h);
    for (int k = 0; k < MATRICES; k++) {
        dnnl_memory_desc_t flat = DESCRIBE(dnnl_a, (dnnl_dim_t)sizes[k]);
        dnnl_memory_t w = memory_new(s, k < 3 ? &r->plain[k] : &flat);
        dnnl_memory_t g = memory_new(s, k < 3 ? &r->plain[k] : &flat);
        if (k < 3) r->w[k] = w, r->g[k] = g;
        r->value[k] = data_of(w);
        r->gradient[k] = data_of(g);
        r->m[k] = data_of(memory_new(s, &flat));
        r->v[k] = data_of(memory_new(s, &flat));
        r->size[k] = sizes[k];
    }
}

static void fill(state *s, const char *letters)
{
    const numbers *n = &s->numbers;
    recurrent *r = s->recurrent;
    for (int t = 0; t < STEPS; t++) /* [n,steps,inputs] to [steps,n,inputs] */
        for (int i = 0; i < BATCH; i++)
            memcpy(data_of(r->source) + (t * BATCH + i) * INPUTS,
                   numbers_find(n, "x") + (i * STEPS + t) * INPUTS, INPUTS * sizeof(float));
    join(n, 'U', letters, INPUTS, r->value[0]);
    join(n, 'W', letters, UNITS, r->value[1]);
    join(n, 'b', letters, 1, r->value[2]);
    memcpy(r->value[3], numbers_find(n, "fc/weight"), UNITS * sizeof(float));
    memcpy(r->value[4], numbers_find(n, "fc/bias"), sizeof(float));
    r->target = numbers_find(n, "y");
    r->rate = (float)n->rate;
}

static double load_recurrent(state *s)
{
    bool lstm = !strcmp(s->numbers.base, "C3"), training = s->numbers.training;
    const char *letters = lstm ? "ifzo" : "urc"; /* the library's order */
    recurrent *r = s->recurrent = calloc(1, sizeof *r);
    if (!r) return check(s, dnnl_out_of_memory), NAN;
    r->lstm = lstm;
    describe_recurrent(r, (dnnl_dim_t)strlen(letters));
    make_room(s, strlen(letters));
    if (s->status != dnnl_success) return NAN;
    fill(s, letters);

    dnnl_primitive_desc_t forward = describe_forward(s, training), backward = NULL;
    record_forward(s, forward, training);
    if (training) {
        backward = describe_backward(s, forward);
        record_backward(s, backward);
        dnnl_primitive_desc_destroy(backward);
    }
    dnnl_primitive_desc_destroy(forward);

    double loss = NAN;
    for (int i = 0; i < (training ? s->numbers.checked : 1) && s->status == dnnl_success; i++)
        loss = training ? train(s) : predict(s);
    return loss;
}

/* ---- loading ---- */

static void unload(state *s)
{
    for (int i = 0; i < s->call_count; i++) dnnl_primitive_destroy(s->calls[i].primitive);
    for (int i = 0; i < s->memory_count; i++) dnnl_memory_destroy(s->memories[i]);
    free(s->recurrent);
    s->recurrent = NULL;
    s->call_count = s->memory_count = 0;
    s->status = dnnl_success;
    numbers_free(&s->numbers);
}

static bool load(void *self, const char *workload, loaded *l, char why[SERVE_TEXT])
{
    state *s = self;
    unload(s);
    if (!numbers_read(&s->numbers, s->folder, workload, why)) return false;
    const char *base = s->numbers.base;
    bool training = s->numbers.training, convolutions = !strcmp(base, "B");
    l->step = (task){make_all, s};
    if (s->direct && !convolutions)
        return snprintf(why, SERVE_TEXT, "the algorithm matters to convolutions only"), false;
    if (convolutions) { /* the state is zero before the first of 8 steps */
        convolution(s, 3, 1, training, false);
        convolution(s, 32, 7, training, true);
    } else if (*base == 'D') {
        l->check = load_pointwise(s);
    } else if (!strcmp(base, "C2") || !strcmp(base, "C3")) {
        l->check = load_recurrent(s);
        l->step.run = training ? train_step : predict_step;
    } else {
        return snprintf(why, SERVE_TEXT, "not in the library"), false;
    }
    if (s->status != dnnl_success)
        return snprintf(why, SERVE_TEXT, "oneDNN failed with status %d", (int)s->status), false;
    return true;
}

int main(int argc, char **argv)
{
    static state s;
    if (argc != 3) return fprintf(stderr, "usage: with_onednn auto|direct FOLDER\n"), 2;
    s.direct = !strcmp(argv[1], "direct");
    s.folder = argv[2];
    if (dnnl_engine_create(&s.engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl_stream_create(&s.stream, s.engine, dnnl_stream_default_flags) != dnnl_success)
        return fprintf(stderr, "with_onednn: no engine\n"), 1;
    int status = serve(load, &s);
    unload(&s);
    dnnl_stream_destroy(s.stream);
    dnnl_engine_destroy(s.engine);
    return status;
}
