/* Video: a convolutional LSTM predicts the next frame of two digits that move and bounce off the
 * edges. It is held against what needs no model: to say that the next frame will be the last again.
 *
 *     video [UPDATES [STRIP.pgm]]
 *
 * The strip is a new sequence: above the frames that follow, below what was predicted. */
#include <stdio.h>
#include <stdlib.h>

#include "recurve.h"

enum { SIDE = 16, STEPS = 6, BATCH = 8, UNITS = 8, PIXELS = SIDE * SIDE };

/* frames [n,steps,1,side,side] -> logits of the frames that follow, the same shape. */
static rv_var predict(rv_var frames)
{
    rv_var h[STEPS];
    rv_rnn_options cell = {.units = UNITS, .kernel = 5, .bias = true};
    rv_unroll_sequence(rv_zoo("lstm"), frames, cell, h);

    /* The readout sees all steps at once, as a batch of n steps images. */
    rv_tape *tape = frames.tape;
    rv_var all = rv_reshape(rv_stack(h, STEPS, 1), RV_SHAPE(-1, UNITS, SIDE, SIDE));
    rv_var w =
        rv_parameter(tape, "readout/weight", RV_SHAPE(1, UNITS, 3, 3), rv_init_uniform(-0.1, 0.1));
    rv_var b = rv_parameter(tape, "readout/bias", RV_SCALAR, rv_init_constant(-2));
    return rv_reshape(rv_add(rv_conv2d(rv_pad2d(all, 1), w, (rv_conv2d_options){0}), b),
                      rv_shape_of(frames));
}

typedef struct video {
    rv_store *store;
    rv_program *learn; /* outputs: the loss */
    rv_program
        *measure; /* outputs: squared error of the prediction, of the last frame; the prediction */
} video;

static bool make(video *v)
{
    rv_shape shape = RV_SHAPE(BATCH, STEPS, 1, SIDE, SIDE);
    v->store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(v->store, RV_F32);
    rv_var x = rv_input(tape, "x", shape), y = rv_input(tape, "y", shape);
    rv_var logits = predict(x), frame = rv_sigmoid(logits);
    rv_var loss = rv_sigmoid_cross_entropy(logits, y);
    rv_var seen[] = {rv_mean_squared_error(frame, y), rv_mean_squared_error(x, y), frame};
    rv_optimizer adam = rv_adam(2e-2);
    adam.clip_norm = 1;
    rv_minimize(loss, adam);
    v->learn = rv_compile(tape, &loss, 1);
    v->measure = rv_compile_with(tape, seen, 3, RV_VALUES);
    bool ok = v->learn && v->measure;
    if (!ok) fprintf(stderr, "%s\n", rv_tape_error(tape)->text);
    rv_tape_free(tape);
    return ok;
}

/* Frames are made as they are needed: each epoch has new ones. */
static bool run(rv_program *program, rv_loader *loader, rv_error *error)
{
    return rv_feed_batch(program, rv_loader_next(loader, error), error) && rv_run(program) == RV_OK;
}

/* ---- the strip ---- */

/* The frames of a tensor's first sequence, side by side, 255 the brightest. */
static void write_frames(FILE *file, const rv_tensor *frames)
{
    for (int64_t row = 0; row < SIDE; row++)
        for (int64_t t = 0; t < STEPS; t++)
            for (int64_t column = 0; column < SIDE; column++)
                fputc((int)(255 * rv_tensor_get(frames, t * PIXELS + row * SIDE + column)), file);
}

static bool write_strip(const char *path, const video *v)
{
    FILE *file = fopen(path, "wb");
    if (!file) return perror(path), false;
    fprintf(file, "P5 %d %d 255\n", STEPS * SIDE, 2 * SIDE);
    write_frames(file, rv_program_input(v->measure, "y"));
    write_frames(file, rv_program_output(v->measure, 2));
    return fclose(file) == 0;
}

int main(int count, char **arguments)
{
    int updates = count > 1 ? atoi(arguments[1]) : 300;
    video v = {0};
    rv_error error = {0};
    rv_source film = {0};
    rv_task_options task = {.count = BATCH * (int64_t)(updates + 1), .steps = STEPS, .size = SIDE};
    rv_loader_options options = {.batch_size = BATCH, .in_order = true, .prefetch = 4};
    rv_loader *loader = NULL;
    bool ok = make(&v) && rv_source_task(&film, "moving-digits", &task, &error) &&
              (loader = rv_loader_new(&film, &options, &error));

    for (int i = 1; ok && i <= updates; i++) {
        ok = run(v.learn, loader, &error);
        if (i % 50 == 0) printf("update %d: cost %.4f\n", i, rv_value(v.learn, 0));
    }
    ok = ok && run(v.measure, loader, &error); /* the last batch is new to it */
    if (ok)
        printf("new frames: mean squared error %.5f; of the frame before %.5f\n",
               rv_value(v.measure, 0), rv_value(v.measure, 1));
    if (ok && count > 2) ok = write_strip(arguments[2], &v);
    if (error.code != RV_OK) fprintf(stderr, "%s\n", error.text);

    rv_loader_free(loader);
    rv_source_close(&film);
    rv_program_free(v.learn);
    rv_program_free(v.measure);
    rv_store_free(v.store);
    return ok ? 0 : 1;
}
