/* Video: a convolutional LSTM predicts the next frame of two digits that move and bounce off the
 * edges. The baseline needs no net: it is the better of the mean of all frames and the last frame.
 *
 *     video [EPOCHS [STRIP.pgm]]
 *
 * The strip shows one sequence: the true frames above, the predicted frames below. */
#include <stdio.h>
#include <stdlib.h>

#include "recurve.h"

enum { SIDE = 16, STEPS = 6, UNITS = 8, PIXELS = SIDE * SIDE };

/* A net with a head and a loss of its own: x, y and output are frames [n,steps,1,side,side]. */
static rv_net record(const rv_model *model, const rv_net_options *options, rv_var x, rv_var y)
{
    rv_var h[STEPS];
    rv_rnn_options cell = {.units = UNITS, .kernel = 5, .bias = true};
    (void)model, (void)options;
    rv_unroll_sequence(rv_zoo("lstm"), x, cell, h);

    /* The head takes all steps at once, as a batch of n steps images. */
    rv_tape *tape = x.tape;
    rv_var all = rv_reshape(rv_stack(h, STEPS, 1), RV_SHAPE(-1, UNITS, SIDE, SIDE));
    rv_var w =
        rv_parameter(tape, "head/weight", RV_SHAPE(1, UNITS, 3, 3), rv_init_uniform(-0.1, 0.1));
    rv_var b = rv_parameter(tape, "head/bias", RV_SCALAR, rv_init_constant(-2));
    rv_var logits = rv_reshape(rv_add(rv_conv2d(rv_pad2d(all, 1), w, (rv_conv2d_options){0}), b),
                               rv_shape_of(x));
    rv_var output = rv_sigmoid(logits);
    return (rv_net){.output = output, .loss = rv_mean_squared_error(output, y)};
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

/* The first validation sequence. */
static bool write_strip(const char *path, const rv_trainer *trainer, rv_error *error)
{
    static float x[STEPS * PIXELS], y[STEPS * PIXELS];
    rv_shape shape = RV_SHAPE(1, STEPS, 1, SIDE, SIDE);
    rv_tensor seen = {RV_F32, shape, x}, next = {RV_F32, shape, y};
    int32_t length;
    rv_tape *tape = rv_tape_new(rv_trainer_store(trainer), RV_F32);
    rv_net net = record(NULL, NULL, rv_input(tape, "x", shape), rv_input(tape, "y", shape));
    rv_program *program = rv_compile(tape, &net.output, 1);
    if (!program) *error = *rv_tape_error(tape);
    rv_tape_free(tape);
    bool ok = program &&
              rv_source_read(&rv_trainer_setup(trainer)->validation, 0, 0, x, y, &length, error) &&
              rv_feed(program, "x", &seen, error) && rv_run(program) == RV_OK;
    FILE *file = ok ? fopen(path, "wb") : NULL;
    if (file) {
        fprintf(file, "P5 %d %d 255\n", STEPS * SIDE, 2 * SIDE);
        write_frames(file, &next);
        write_frames(file, rv_program_output(program, 0));
    } else if (ok) {
        perror(path);
    }
    rv_program_free(program);
    return file && fclose(file) == 0;
}

int main(int count, char **arguments)
{
    rv_error error = {0};
    rv_model model = {.name = "video", .record = record};
    rv_train_config config = rv_train_config_new();
    config.data.task = "moving-digits";
    config.data.length = STEPS;
    config.data.size = SIDE;
    config.data.samples = 192;
    config.optimizer.learning_rate = 2e-2;
    config.loop.batch_size = 8;
    config.loop.epochs = count > 1 ? atoi(arguments[1]) : 15;
    rv_trainer *trainer = rv_trainer_new_with(&config, &(rv_train_parts){.model = &model}, &error);
    rv_baseline baseline;
    bool ok = trainer && rv_trainer_fit(trainer, &error) &&
              rv_baseline_find(&rv_trainer_setup(trainer)->validation, &baseline, &error);
    if (ok)
        printf("new frames: mean squared error %.5f; %s: %.5f\n",
               rv_trainer_result(trainer)->validation.loss, baseline.text, baseline.loss);
    if (ok && count > 2) ok = write_strip(arguments[2], trainer, &error);
    if (error.code != RV_OK) fprintf(stderr, "%s\n", error.text);
    rv_trainer_free(trainer);
    return ok ? 0 : 1;
}
