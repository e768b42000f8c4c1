/* The net around a cell: the input encoding, the head and the loss. */
#include <math.h>

#include "models/cell_internal.h"
#include "models/models.h"
#include "ops/ops.h"
#include "tensor/memory.h"

/* ---- input encoding ---- */

/* Tokens [n,steps] as vectors [n,steps,size]. */
static rv_var read_tokens(const rv_net_options *o, rv_var x)
{
    return o->embedding ? rv_embedding(x, "embedding", o->tokens, o->embedding)
                        : rv_one_hot(x, o->tokens);
}

/* Flattens each sample, or each step of a sample, to a row. */
static rv_var in_rows(rv_var x, bool sequence)
{
    const rv_shape s = rv_shape_of(x);
    return sequence ? rv_reshape(x, RV_SHAPE(s.dim[0], s.dim[1], -1)) : rv_flatten(x);
}

/* ---- heads ---- */

/* Numbers per target. */
static int64_t answer_size(const rv_net_options *o)
{
    int64_t size = 1;
    if (o->classes) return o->classes == 2 ? 1 : o->classes;
    for (int64_t d = o->each_step; d < o->y.rank; d++) size *= o->y.dim[d];
    return size;
}

/* h [n,..] -> [n,size]: W2 tanh(W1 h + b1) + b2, or without the hidden layer. */
static rv_var read_out(const rv_net_options *o, rv_var h)
{
    rv_var rows = rv_flatten(h);
    if (o->hidden) rows = rv_tanh(rv_linear(rows, "fc1", o->hidden));
    return rv_linear(rows, "fc2", answer_size(o));
}

/* A head for images: a transposed convolution computes each pixel from the state around it and
 * restores the size that "valid" convolutions of the cell have reduced. */
static rv_var paint(const rv_net_options *o, rv_var h)
{
    const rv_shape s = rv_shape_of(h);
    const int64_t *image = &o->y.dim[o->y.rank - 3];
    int64_t size = image[1] - s.dim[2] + 1;
    double bound = 1 / sqrt((double)(s.dim[1] * size * size));
    rv_var w = rv_parameter(h.tape, "readout/weight", RV_SHAPE(s.dim[1], image[0], size, size),
                            rv_init_uniform(-bound, bound));
    rv_var b = rv_parameter(h.tape, "readout/bias", RV_SHAPE(image[0], 1, 1), rv_init_constant(0));
    return rv_add(rv_conv2d_transpose(h, w, (rv_conv2d_options){0}), b);
}

/* Whether `paint` applies: the targets are images, and the state is a feature map of a suitable
 * size. */
static bool paints(const rv_net_options *o, rv_var h)
{
    const rv_shape s = rv_shape_of(h);
    if (o->classes || s.rank != 4 || o->y.rank - o->each_step != 3) return false;
    const int64_t *image = &o->y.dim[o->y.rank - 3];
    return image[1] >= s.dim[2] && image[1] - s.dim[2] == image[2] - s.dim[3];
}

/* The head on one output of the cell: [n,size]. */
static rv_var answer(const rv_net_options *o, rv_var h)
{
    return rv_flatten(paints(o, h) ? paint(o, h) : read_out(o, h));
}

/* The head on all steps [n,steps,..] at once, as a batch of n * steps samples: [n,steps,size]. */
static rv_var answer_each(const rv_net_options *o, rv_var all)
{
    rv_shape s = rv_shape_of(all), one = {.rank = s.rank - 1, .dim = {s.dim[0] * s.dim[1]}};
    for (int64_t d = 1; d < one.rank; d++) one.dim[d] = s.dim[d + 1];
    return rv_reshape(answer(o, rv_reshape(all, one)), RV_SHAPE(s.dim[0], s.dim[1], -1));
}

/* The mean of the outputs [n,steps,..] over the valid steps: [n,..]. */
static rv_var mean_of(const rv_net_options *o, rv_var all)
{
    enum { STEPS = 1u << 1 };
    const rv_shape s = rv_shape_of(all);
    if (rv_is_null(o->rnn.lengths)) return rv_mean(all, STEPS, false);
    rv_var mask = rv_sequence_mask(o->rnn.lengths, s.dim[1]);
    rv_var count = rv_maximum(rv_sum(mask, STEPS, false), rv_scalar(all.tape, 1));
    rv_var sum = rv_sum(rv_multiply(all, rv_reshape(mask, rv_first_axes(s, 2))), STEPS, false);
    return rv_divide(sum, rv_reshape(count, rv_first_axes(rv_shape_of(sum), 1)));
}

/* ---- losses ---- */

/* Sets output and target [n,steps,..] beyond the end of each sequence so that the loss there is 0.
 * Returns the factor that turns the loss's mean into the mean over the valid steps. */
static rv_var ignore_beyond_end(const rv_net_options *o, rv_var *output, rv_var *target)
{
    rv_tape *tape = output->tape;
    const rv_shape s = rv_shape_of(*target);
    rv_shape along = {.rank = s.rank, .dim = {s.dim[0], s.dim[1]}};
    for (int64_t d = 2; d < s.rank; d++) along.dim[d] = 1;
    rv_var counts = rv_sequence_mask(o->rnn.lengths, s.dim[1]);
    rv_var mask = rv_reshape(counts, along);
    if (o->classes == 2) {
        *output = rv_select(mask, *output, rv_scalar(tape, -1e4));
        *target = rv_multiply(mask, *target);
    } else if (o->classes) {
        *target = rv_select(mask, *target, rv_scalar(tape, -1));
        return rv_scalar(tape, 1); /* the loss does not count negative labels */
    } else {
        *output = rv_select(mask, *output, *target);
    }
    rv_var count = rv_sum(counts, RV_ALL_AXES, false);
    return rv_divide(rv_scalar(tape, (double)(s.dim[0] * s.dim[1])),
                     rv_maximum(count, rv_scalar(tape, 1)));
}

static rv_var loss_of(const rv_net_options *o, rv_var output, rv_var target)
{
    bool masked = o->each_step && !rv_is_null(o->rnn.lengths);
    if (rv_is_null(output) || rv_is_null(target)) return (rv_var){output.tape, -1};
    if (o->classes && (masked || o->classes == 2))
        target = rv_cast(target, rv_tape_dtype(output.tape));
    if (o->classes == 2) {
        target = rv_reshape(target, rv_shape_of(output));
        if (o->smoothing != 0)
            target = rv_shift(rv_scale(target, 1 - o->smoothing), o->smoothing / 2);
    }
    rv_var factor = masked ? ignore_beyond_end(o, &output, &target) : rv_scalar(output.tape, 1);
    rv_var mean = o->classes == 2 ? rv_sigmoid_cross_entropy(output, target)
                  : o->classes    ? rv_softmax_cross_entropy_smooth(output, target, o->smoothing)
                  : o->loss == RV_LOSS_MAE   ? rv_mean_absolute_error(output, target)
                  : o->loss == RV_LOSS_HUBER ? rv_huber(output, target, 1)
                                             : rv_mean_squared_error(output, target);
    return rv_multiply(mean, factor);
}

/* ---- the net ---- */

/* The same input x at each step: the top layer's last output, or all of them [n,steps,..]. */
static rv_var show_repeatedly(const rv_model *model, const rv_net_options *o, rv_rnn_options rnn,
                              rv_var x)
{
    int64_t steps = o->steps ? o->steps : 1;
    rv_var *h = rv_alloc((size_t)steps, sizeof *h);
    if (!h) return rv_tape_fail(x.tape, RV_ERROR_MEMORY, "net: out of memory");
    for (int64_t t = 0; t < steps; t++) h[t] = x;
    rv_var y = rv_unroll_steps(model->step, h, steps, rnn, h);
    if (!rv_is_null(y) && (o->each_step || o->pool)) y = rv_stack(h, (int)steps, 1);
    rv_free(h);
    return y;
}

/* Unrolls the cell: what the head reads of it, its last output or all of them [n,steps,..]. */
static rv_var run_cell(const rv_model *model, const rv_net_options *o, rv_var x)
{
    rv_rnn_options rnn = o->rnn;
    if (!rnn.kernel) rnn.kernel = model->kernel;
    if (model->user) rnn.user = model->user;
    if (model->state[0]) rnn.state_name = model->state;
    if (model->prepare) model->prepare(model, x.tape, &rnn);
    if (o->tokens) x = read_tokens(o, x);
    if (!model->images && !rnn.kernel) x = in_rows(x, o->sequence);
    if (!o->sequence) return show_repeatedly(model, o, rnn, x);
    return o->each_step || o->pool ? rv_unroll_outputs(model->step, x, rnn)
                                   : rv_unroll_sequence(model->step, x, rnn, NULL);
}

static rv_var output_of(const rv_model *model, const rv_net_options *o, rv_var x)
{
    rv_var h = run_cell(model, o, x);
    rv_scope_push(x.tape, "head");
    rv_var y = rv_is_null(h)  ? h
               : o->each_step ? answer_each(o, h)
                              : answer(o, o->pool ? mean_of(o, h) : h);
    rv_scope_pop(x.tape);
    if (o->classes || rv_is_null(y)) return y;
    rv_shape whole = {.rank = o->y.rank + 1, .dim = {rv_shape_of(x).dim[0]}};
    for (int64_t d = 0; d < o->y.rank; d++) whole.dim[d + 1] = o->y.dim[d];
    return rv_reshape(y, whole);
}

/* Whether a model's output of `count` numbers fits `answers` targets: of two classes, one logit or
 * two. */
static bool fits(const rv_net_options *o, int64_t count, int64_t answers)
{
    return count == answers * answer_size(o) || (o->classes == 2 && count == 2 * answers);
}

/* Records a model that has no step, and checks that its output fits the data. */
static rv_net record_own(const rv_model *model, const rv_net_options *o, rv_var x, rv_var y)
{
    char text[RV_SHAPE_TEXT];
    rv_net net = model->record(model, o, x, y);
    rv_shape shape = rv_shape_of(net.output);
    int64_t samples = rv_shape_of(x).dim[0], each = o->each_step ? rv_shape_of(x).dim[1] : 1;
    if (rv_is_null(net.output)) return (rv_net){{x.tape, -1}, {x.tape, -1}};
    if (fits(o, rv_shape_count(shape), samples * each)) return net;
    net.output = net.loss = rv_tape_fail(
        x.tape, RV_ERROR_SHAPE,
        "net: \"%s\" outputs %s for %lld sample(s), but the data ask for %lld number(s) each; "
        "use other data or classes, or another model",
        model->name, rv_shape_text(shape, text), (long long)samples,
        (long long)(each * answer_size(o)));
    return net;
}

rv_net rv_model_record(const rv_model *model, const rv_net_options *options, rv_var x, rv_var y)
{
    rv_net net = {{x.tape, -1}, {x.tape, -1}};
    if (rv_is_null(x)) return net;
    if (!model || !options) {
        rv_tape_fail(x.tape, RV_ERROR_ARGUMENT, "net: the %s NULL; give %s",
                     model ? "options are" : "model is", model ? "rv_net_options" : "a model");
        return net;
    }
    if (!model->step && !model->record) {
        rv_tape_fail(
            x.tape, RV_ERROR_ARGUMENT,
            "net: the model \"%s\" has no cell to be unrolled; use another, ugrnn for example",
            model->name);
        return net;
    }
    if (options->steps < 0 || !(options->smoothing >= 0 && options->smoothing < 1)) {
        rv_tape_fail(
            x.tape, RV_ERROR_ARGUMENT,
            "net: %lld step(s) and a smoothing of %g, expected at least 0, and from 0 to below 1",
            (long long)options->steps, options->smoothing);
        return net;
    }
    if (model->record) return record_own(model, options, x, y);
    net.output = output_of(model, options, x);
    rv_scope_push(x.tape, "loss");
    net.loss = loss_of(options, net.output, y);
    rv_scope_pop(x.tape);
    return net;
}

double rv_net_logit(const rv_tensor *output, int64_t width, int64_t row, int64_t k)
{
    const int64_t count = rv_tensor_count(output);
    if (width < 1 || row < 0 || row >= count / width || k < 0 || k >= (width == 1 ? 2 : width))
        return NAN;
    if (width == 1) return k == 1 ? rv_tensor_get(output, row) : 0;
    return rv_tensor_get(output, row * width + k);
}

/* The sequences or images are small enough to check every element with finite differences. */
rv_var rv_model_specimen(const rv_model *model, rv_tape *tape)
{
    if (!model)
        return rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                            "specimen: the model is NULL; see rv_model_find for its name");
    rv_net_options o = {.rnn = {.units = 3, .bias = true},
                        .steps = 2,
                        .hidden = 5,
                        .classes = 2,
                        .sequence = !model->images};
    if (model->specimen) return model->specimen(model, tape);
    rv_var x = rv_input(tape, "x",
                        model->images   ? RV_SHAPE(2, 1, 8, 8)
                        : model->kernel ? RV_SHAPE(2, 3, 2, 4, 4)
                                        : RV_SHAPE(2, 3, 4));
    return rv_model_record(model, &o, x, rv_input(tape, "y", RV_SHAPE(2))).loss;
}
