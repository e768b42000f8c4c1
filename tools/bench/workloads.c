#include "tools/bench/workloads.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/bench/operations.h"
#include "tools/machine/timing.h"

/* ---- the nets ---- */

static rv_var unroll(const workload *w, rv_var x, int64_t kernel)
{
    rv_rnn_options options = {.units = w->units, .kernel = kernel, .bias = true};
    return w->steps ? rv_unroll_with(rv_zoo(w->cell), x, w->steps, options)
                    : rv_unroll_sequence(rv_zoo(w->cell), x, options, NULL);
}

/* x [n,1,8,8] shown twice, h [n,1,4,4], 16 - 32 - 1 */
static rv_var curnn(const workload *w, rv_var x)
{
    rv_var h = rv_flatten(unroll(w, x, 0));
    return rv_linear(rv_tanh(rv_linear(h, "fc1", 32)), "fc2", 1);
}

/* x [n,3,32,32] shown at every step, h [n,units,32,32], mean over the image, 10 classes */
static rv_var conv_ugrnn(const workload *w, rv_var x)
{
    enum { IMAGE = 1 << 2 | 1 << 3 };
    return rv_linear(rv_mean(unroll(w, x, 3), IMAGE, false), "fc", 10);
}

/* x [n,steps,inputs], h [n,units], one number */
static rv_var sequence(const workload *w, rv_var x) { return rv_linear(unroll(w, x, 0), "fc", 1); }

/* x [n,steps] of characters, embedded, two layers, scores of the next character [n
 * steps,characters] */
static rv_var characters(const workload *w, rv_var x)
{
    rv_rnn_options options = {.units = w->units, .bias = true, .layers = 2};
    rv_var e = rv_embedding(x, "embedding", w->classes, WORKLOAD_EMBEDDING);
    rv_var h = rv_unroll_outputs(rv_zoo(w->cell), e, options);
    return rv_linear(rv_reshape(h, (rv_shape){2, {-1, w->units}}), "fc", w->classes);
}

/* x [n,steps,1,height,width], h [n,units,height,width], the next frame [n,1,height,width] */
static rv_var video(const workload *w, rv_var x)
{
    const rv_shape kernel = {4, {1, w->units, 3, 3}};
    rv_var h = unroll(w, x, 3);
    rv_var k = rv_parameter(h.tape, "frame/weight", kernel, rv_init_uniform(-0.05, 0.05));
    return rv_conv2d(h, k, (rv_conv2d_options){.top = 1, .bottom = 1, .left = 1, .right = 1});
}

/* x [1,1,inputs]: each run is the next time step and reads the states that the last one left */
static rv_var stream(const workload *w, rv_var x)
{
    rv_rnn_options options = {.units = w->units, .bias = true, .carry = "stream"};
    return rv_unroll_sequence(rv_zoo(w->cell), x, options, NULL);
}

static rv_var sigmoid(const workload *w, rv_var x) { return (void)w, rv_sigmoid(x); }
static rv_var tanh_of(const workload *w, rv_var x) { return (void)w, rv_tanh(x); }

static rv_optimizer momentum(double rate) { return rv_momentum(rate, 0.9); }

/* ---- the table ---- */

#define CURNN(id, n, text) \
    { \
        .name = id, .what = text, .prediction = curnn, .loss = rv_sigmoid_cross_entropy, \
        .optimizer = momentum, .rate = 0.05, .x = {4, {n, 1, 8, 8}}, .y = {2, {n, 1}}, \
        .classes = 2, .steps = 2, .units = 1, .cell = "curnn", .checked = 10, \
        .operations = curnn_operations \
    }
#define SEQUENCE(id, cell_name, n, T, inputs, state, count, text) \
    { \
        .name = id, .what = text, .prediction = sequence, .loss = rv_mean_squared_error, \
        .optimizer = rv_adam, .rate = 1e-3, .x = {3, {n, T, inputs}}, .y = {2, {n, 1}}, \
        .units = state, .cell = cell_name, .checked = 5, .operations = count \
    }
#define STREAM(id, cell_name, state, count, text) \
    { \
        .name = id, .what = text, .prediction = stream, .x = {3, {1, 1, 64}}, .units = state, \
        .cell = cell_name, .checked = 5, .operations = count \
    }
#define POINTWISE(id, function, text) \
    { \
        .name = id, .what = text, .prediction = function, .x = {1, {1 << 20}}, .checked = 1, \
        .operations = pointwise_operations \
    }

static const workload workloads[] = {
    CURNN("A1", 1, "CURNN, one 8x8 image, momentum"),
    CURNN("A2", 128, "CURNN, 128 8x8 images, momentum"),
    CURNN("A3", 10, "CURNN, 10 8x8 images, momentum"),
    {.name = "B",
     .what = "ConvUGRNN, 16 images 3x32x32 for 8 steps, 32 channels, Adam",
     .prediction = conv_ugrnn,
     .loss = rv_softmax_cross_entropy,
     .optimizer = rv_adam,
     .rate = 1e-3,
     .x = {4, {16, 3, 32, 32}},
     .y = {1, {16}},
     .classes = 10,
     .steps = 8,
     .units = 32,
     .cell = "ugrnn",
     .checked = 3,
     .operations = conv_ugrnn_operations},
    SEQUENCE("C1", "ugrnn", 32, 50, 64, 256, ugrnn_operations,
             "UGRNN, 32 sequences of 50x64, 256 units, Adam"),
    SEQUENCE("C2", "gru", 32, 50, 64, 256, gru_operations,
             "GRU, 32 sequences of 50x64, 256 units, Adam"),
    SEQUENCE("C3", "lstm", 32, 50, 64, 256, lstm_operations,
             "LSTM, 32 sequences of 50x64, 256 units, Adam"),
    POINTWISE("D-sigmoid", sigmoid, "sigmoid of 2^20 numbers"),
    POINTWISE("D-tanh", tanh_of, "tanh of 2^20 numbers"),
    {.name = "E",
     .what = "two LSTM layers of 512, 32 texts of 64 of 96 characters, Adam",
     .prediction = characters,
     .loss = rv_softmax_cross_entropy,
     .optimizer = rv_adam,
     .rate = 1e-3,
     .x = {2, {32, 64}},
     .y = {1, {32 * 64}},
     .tokens = true,
     .classes = 96,
     .units = 512,
     .cell = "lstm",
     .checked = 3,
     .operations = characters_operations},
    SEQUENCE("F", "lstm", 64, 100, 64, 1024, lstm_operations,
             "LSTM, 64 sequences of 100x64, 1024 units, Adam"),
    {.name = "G",
     .what = "ConvLSTM, 8 videos of 10 frames of 64x64, 32 channels, Adam",
     .prediction = video,
     .loss = rv_mean_squared_error,
     .optimizer = rv_adam,
     .rate = 1e-3,
     .x = {5, {8, 10, 1, 64, 64}},
     .y = {4, {8, 1, 64, 64}},
     .units = 32,
     .cell = "lstm",
     .checked = 3,
     .operations = video_operations},
    STREAM("H-gru-32", "gru", 32, gru_stream_operations, "GRU of 32 units, one time step of 64"),
    STREAM("H-gru-256", "gru", 256, gru_stream_operations, "GRU of 256 units, one time step of 64"),
    STREAM("H-lstm-32", "lstm", 32, lstm_stream_operations,
           "LSTM of 32 units, one time step of 64"),
    STREAM("H-lstm-256", "lstm", 256, lstm_stream_operations,
           "LSTM of 256 units, one time step of 64"),
    SEQUENCE("I1", "mingru", 8, 1024, 64, 64, mingru_operations,
             "minGRU, 8 sequences of 1,024x64, 64 units, Adam"),
    SEQUENCE("I2", "mingru", 1, 16384, 64, 64, mingru_operations,
             "minGRU, a sequence of 16,384x64, 64 units, Adam"),
    SEQUENCE("I3", "sru", 8, 1024, 64, 64, sru_operations,
             "SRU, 8 sequences of 1,024x64, 64 units, Adam"),
    SEQUENCE("I4", "sru", 1, 16384, 64, 64, sru_operations,
             "SRU, a sequence of 16,384x64, 64 units, Adam"),
    SEQUENCE("J", "ugrnn", 32, 10, 16, 32, ugrnn_operations,
             "UGRNN of 3,200 parameters, 32 sequences of 10x16, Adam"),
    SEQUENCE("J2", "gru", 32, 10, 16, 12, gru_operations,
             "GRU of 1,100 parameters, 32 sequences of 10x16, Adam"),
    SEQUENCE("J3", "lstm", 32, 10, 16, 40, lstm_operations,
             "LSTM of 9,200 parameters, 32 sequences of 10x16, Adam"),
};
enum { WORKLOADS = sizeof workloads / sizeof *workloads };

static const char forward[] = "-forward";

const workload *workload_at(int index)
{
    return index >= 0 && index < WORKLOADS ? &workloads[index] : NULL;
}

const workload *workload_find(const char *name, bool *training)
{
    for (int i = 0; i < WORKLOADS; i++) {
        const workload *w = &workloads[i];
        size_t length = strlen(w->name);
        if (strncmp(name, w->name, length) != 0) continue;
        *training = w->loss && name[length] == '\0';
        if (name[length] == '\0' || (w->loss && !strcmp(name + length, forward))) return w;
    }
    return NULL;
}

const char *workload_name(const workload *w, bool training, char text[WORKLOAD_NAME])
{
    snprintf(text, WORKLOAD_NAME, "%s%s", w->name, w->loss && !training ? forward : "");
    return text;
}

/* ---- the numbers ---- */

enum { SEED = 1 };

/* Whole numbers 0 .. classes - 1. */
static void fill_labels(rv_tensor *t, int64_t classes, uint64_t seed)
{
    for (int64_t i = 0; i < rv_tensor_count(t); i++)
        rv_tensor_set(t, i, floor(rv_random_uniform(seed, (uint64_t)i) * (double)classes));
}

static void fill_x(const workload *w, rv_tensor *x)
{
    uint64_t seed = rv_seed(SEED, "x");
    if (w->tokens)
        fill_labels(x, w->classes, seed);
    else
        rv_init_fill(x, rv_init_uniform(-2, 2), seed);
}

static void fill_y(const workload *w, rv_tensor *y)
{
    uint64_t seed = rv_seed(SEED, "y");
    if (w->classes)
        fill_labels(y, w->classes, seed);
    else
        rv_init_fill(y, rv_init_uniform(-1, 1), seed);
}

static rv_dtype x_dtype(const workload *w) { return w->tokens ? RV_I32 : RV_F32; }
static rv_dtype y_dtype(const workload *w) { return w->classes > 2 ? RV_I32 : RV_F32; }

/* ---- running a workload ---- */

static rv_var record(const contender *c)
{
    const workload *w = c->workload;
    rv_var prediction = w->prediction(w, rv_input_typed(c->tape, "x", x_dtype(w), w->x));
    if (!c->training) return prediction;
    rv_var loss = w->loss(prediction, rv_input_typed(c->tape, "y", y_dtype(w), w->y));
    rv_minimize(loss, w->optimizer(w->rate));
    return loss;
}

static bool failed(contender *c, rv_error *error)
{
    const rv_error *why = c->tape ? rv_tape_error(c->tape) : NULL;
    if (why && why->code)
        *error = *why;
    else
        rv_fail_memory(error);
    contender_free(c);
    return false;
}

bool contender_new(contender *c, const workload *w, bool training, int threads, rv_error *error)
{
    *c = (contender){.workload = w, .training = training, .store = rv_store_new(SEED)};
    if (c->store) c->tape = rv_tape_new(c->store, RV_F32);
    if (!c->tape) return failed(c, error);
    if (!rv_set_threads(c->store, threads, error)) return contender_free(c), false;
    rv_var out = record(c);
    c->program = rv_compile(c->tape, &out, 1);
    if (!c->program) return failed(c, error);
    fill_x(w, rv_program_input(c->program, "x"));
    if (training) fill_y(w, rv_program_input(c->program, "y"));
    return true;
}

void contender_free(contender *c)
{
    rv_program_free(c->program);
    rv_tape_free(c->tape);
    rv_store_free(c->store);
    *c = (contender){0};
}

/* The loss of a given prediction, computed by a program of its own. */
static bool loss_of(const contender *c, const rv_tensor *prediction, double *value, rv_error *error)
{
    const workload *w = c->workload;
    contender loss = {.workload = w, .store = rv_store_new(SEED)};
    if (loss.store) loss.tape = rv_tape_new(loss.store, RV_F32);
    if (!loss.tape) return failed(&loss, error);
    rv_var out = w->loss(rv_input(loss.tape, "p", prediction->shape),
                         rv_input_typed(loss.tape, "y", y_dtype(w), w->y));
    loss.program = rv_compile(loss.tape, &out, 1);
    if (!loss.program) return failed(&loss, error);
    fill_y(w, rv_program_input(loss.program, "y"));
    if (!rv_tensor_copy(rv_program_input(loss.program, "p"), prediction, error)) {
        contender_free(&loss);
        return false;
    }
    rv_run(loss.program);
    *value = rv_value(loss.program, 0);
    contender_free(&loss);
    return true;
}

static double mean_square(const rv_tensor *x)
{
    double sum = 0;
    int64_t count = rv_tensor_count(x);
    for (int64_t i = 0; i < count; i++) sum += rv_tensor_get(x, i) * rv_tensor_get(x, i);
    return sum / (double)count;
}

bool contender_check(contender *c, double *value, rv_error *error)
{
    for (int i = 0; i < c->workload->checked; i++) rv_run(c->program);
    const rv_tensor *out = rv_program_output(c->program, 0);
    *value = c->training ? rv_value(c->program, 0) : mean_square(out);
    return c->training || !c->workload->loss || loss_of(c, out, value, error);
}

bool workload_compile_seconds(const workload *w, double *seconds, rv_error *error)
{
    const double start = seconds_now();
    contender c = {.workload = w, .training = true, .store = rv_store_new(SEED)};
    if (c.store) c.tape = rv_tape_new(c.store, RV_F32);
    if (!c.tape) return failed(&c, error);
    rv_var loss = record(&c);
    c.program = rv_compile(c.tape, &loss, 1);
    *seconds = seconds_now() - start;
    if (!c.program) return failed(&c, error);
    contender_free(&c);
    return true;
}

bool workload_write(const workload *w, const char *folder, rv_error *error)
{
    enum { MOST = 64 };
    char path[4096], rate[32], steps[32], checked[32];
    contender c;
    rv_named_tensor tensors[MOST] = {{.name = "x"}, {.name = "y"}};
    rv_metadata metadata[] = {{"rate", rate}, {"steps", steps}, {"checked", checked}};
    rv_archive archive = {.tensors = tensors,
                          .tensor_count = 1,
                          .metadata = metadata,
                          .metadata_count = sizeof metadata / sizeof *metadata};
    snprintf(path, sizeof path, "%s/%s.safetensors", folder, w->name);
    snprintf(rate, sizeof rate, "%g", w->rate);
    snprintf(steps, sizeof steps, "%lld", (long long)w->steps);
    snprintf(checked, sizeof checked, "%d", w->checked);
    if (!contender_new(&c, w, w->loss, 1, error)) return false;
    tensors[0].tensor = *rv_program_input(c.program, "x");
    if (w->loss) {
        tensors[1].tensor = *rv_program_input(c.program, "y");
        archive.tensor_count = 2;
    }
    for (size_t i = 0; i < rv_store_count(c.store) && archive.tensor_count < MOST; i++) {
        rv_entry *entry = rv_store_at(c.store, i);
        if (entry->role == RV_PARAMETER)
            tensors[archive.tensor_count++] = (rv_named_tensor){entry->name, entry->tensor};
    }
    bool written = rv_safetensors_write(path, &archive, error);
    contender_free(&c);
    return written;
}
