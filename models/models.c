/* The table of models, and the classifiers around their cells. */
#include "models/models.h"

#include <string.h>

#include "ops/ops.h"

/* ---- heads ---- */

/* logits = W2 tanh(W1 flatten(h) + b1) + b2 */
static rv_var read_out(const rv_model_options *o, rv_var h)
{
    rv_scope_push(h.tape, "head");
    rv_var y = rv_linear(rv_tanh(rv_linear(rv_flatten(h), "fc1", o->hidden)), "fc2", o->outputs);
    rv_scope_pop(h.tape);
    return y;
}

static rv_var curnn_logits(const rv_model_options *o, rv_var x)
{
    return read_out(o, rv_unroll_with(rv_curnn, x, o->steps,
                                      (rv_cell_options){.units = o->units, .bias = true}));
}

/* A cell by maps: dense on the image as a row of pixels, or with 3x3 convolutions on the image. */
static rv_var map_logits(const rv_model_options *o, rv_var x, rv_cell_step step, int states,
                         int64_t kernel)
{
    rv_cell_options options = {.units = o->units, .kernel = kernel, .states = states, .bias = true};
    return read_out(o, rv_unroll_with(step, kernel ? x : rv_flatten(x), o->steps, options));
}

static rv_var ugrnn_logits(const rv_model_options *o, rv_var x)
{
    return map_logits(o, x, rv_ugrnn, 1, 0);
}

static rv_var conv_ugrnn_logits(const rv_model_options *o, rv_var x)
{
    return map_logits(o, x, rv_ugrnn, 1, 3);
}

static rv_var gru_logits(const rv_model_options *o, rv_var x)
{
    return map_logits(o, x, rv_gru, 1, 0);
}

static rv_var lstm_logits(const rv_model_options *o, rv_var x)
{
    return map_logits(o, x, rv_lstm, 2, 0);
}

/* The article's head: logits = arctan(flatten(h) W1) W2, from a fixed random state h0 [1,1,4,4]. */
static rv_var curnn_blog_logits(const rv_model_options *o, rv_var x)
{
    if (rv_is_null(x)) return x;
    if (o->outputs != 1 || o->units != 1)
        return rv_tape_fail(x.tape, RV_ERROR_ARGUMENT,
                            "curnn-blog: %lld outputs and %lld units, but the article's net has "
                            "one of each; use curnn",
                            (long long)o->outputs, (long long)o->units);
    rv_shape shape = {4, {rv_shape_of(x).dim[0], 1, 4, 4}};
    rv_var h0 =
        rv_broadcast(rv_state(x.tape, "h0", RV_SHAPE(1, 1, 4, 4), rv_init_normal(0, 1)), shape);
    rv_var h = rv_unroll_with(rv_curnn_blog, x, o->steps, (rv_cell_options){.initial = &h0});
    rv_var W1 = rv_parameter(x.tape, "W1", RV_SHAPE(16, o->hidden), rv_init_normal(0, 0.1));
    rv_var W2 = rv_parameter(x.tape, "W2", RV_SHAPE(o->hidden, 1), rv_init_normal(0, 0.1));
    rv_scope_push(x.tape, "head");
    rv_var y = rv_matmul(rv_arctan(rv_matmul(rv_flatten(h), W1, false, false)), W2, false, false);
    rv_scope_pop(x.tape);
    return y;
}

/* ---- costs ---- */

static rv_var cross_entropy(rv_var logits, rv_var target)
{
    bool binary = rv_shape_of(logits).rank == 2 && rv_shape_of(logits).dim[1] == 1;
    rv_scope_push(logits.tape, "loss");
    rv_var cost = binary ? rv_sigmoid_cross_entropy(logits, target)
                         : rv_softmax_cross_entropy(logits, target);
    rv_scope_pop(logits.tape);
    return cost;
}

/* The article's (o - y)^2 / 2, o = sigmoid(logit), as a mean over the batch. */
static rv_var half_square(rv_var logits, rv_var target)
{
    rv_scope_push(logits.tape, "loss");
    rv_var cost = rv_scale(rv_mean_squared_error(rv_sigmoid(logits), target), 0.5);
    rv_scope_pop(logits.tape);
    return cost;
}

/* ---- specimens ---- */

static rv_var specimen(const char *name, rv_tape *tape)
{
    const rv_model *model = rv_model_find(name);
    rv_model_options options = model->defaults;
    options.hidden = 5;
    if (options.units > 3) options.units = 3;
    rv_var logits = model->logits(&options, rv_input(tape, "x", RV_SHAPE(2, 1, 8, 8)));
    return model->loss(logits, rv_input(tape, "y", RV_SHAPE(2, 1)));
}

static rv_var curnn_specimen(rv_tape *tape) { return specimen("curnn", tape); }
static rv_var curnn_blog_specimen(rv_tape *tape) { return specimen("curnn-blog", tape); }
static rv_var ugrnn_specimen(rv_tape *tape) { return specimen("ugrnn", tape); }
static rv_var conv_ugrnn_specimen(rv_tape *tape) { return specimen("conv-ugrnn", tape); }
static rv_var gru_specimen(rv_tape *tape) { return specimen("gru", tape); }
static rv_var lstm_specimen(rv_tape *tape) { return specimen("lstm", tape); }

/* Five sequences of three numbers: cost = sum (h3 - y)^2 / 2. */
static rv_var update_gate_specimen(rv_tape *tape)
{
    rv_var h = rv_unroll_sequence(rv_update_gate, rv_input(tape, "x", RV_SHAPE(5, 3, 1)),
                                  (rv_cell_options){0}, NULL);
    rv_var error = rv_subtract(h, rv_input(tape, "y", RV_SHAPE(5, 1)));
    return rv_scale(rv_sum(rv_square(error), RV_ALL_AXES, false), 0.5);
}

/* ---- the table ---- */

static const rv_model models[] = {
    {.name = "curnn",
     .formula = "g = sigmoid(x * Wxg + pad1(h) * Wrecg + bg)\n"
                "c = tanh(x * Wxc + pad1(h) * Wrecc + bc)\n"
                "h' = g.h + (1 - g).c",
     .source = "Seo 2018, with the gate of Collins et al. 2016 (arXiv 1611.09913)",
     .defaults = {.units = 1, .steps = 2, .hidden = 34, .outputs = 1},
     .logits = curnn_logits,
     .loss = cross_entropy,
     .specimen = curnn_specimen},
    {.name = "curnn-blog",
     .formula = "g = arctan(x * flip Wxg + pad1(h) * flip Wrecg)\n"
                "c = tanh(x * flip Wxc + pad1(h) * flip Wrecc)\n"
                "h' = g.h + (1 - g).c",
     .source = "Seo 2018, as published: \"Only Numpy: Convolutional Update Gate RNN\"",
     .defaults = {.units = 1, .steps = 2, .hidden = 34, .outputs = 1},
     .logits = curnn_blog_logits,
     .loss = half_square,
     .specimen = curnn_blog_specimen},
    {.name = "ugrnn",
     .formula = "g = sigmoid(x Ug + h Wg + bg)\n"
                "c = tanh(x Uc + h Wc + bc)\n"
                "h' = g.h + (1 - g).c",
     .source = "Collins, Sohl-Dickstein and Sussillo 2016 (arXiv 1611.09913)",
     .defaults = {.units = 16, .steps = 2, .hidden = 34, .outputs = 1},
     .logits = ugrnn_logits,
     .loss = cross_entropy,
     .specimen = ugrnn_specimen},
    {.name = "conv-ugrnn",
     .formula = "g = sigmoid(x * Ug + h * Wg + bg)\n"
                "c = tanh(x * Uc + h * Wc + bc)\n"
                "h' = g.h + (1 - g).c\n"
                "with 3x3 convolutions that keep height and width",
     .source = "Collins et al. 2016 with the convolutions of Shi et al. 2015 (arXiv 1506.04214)",
     .defaults = {.units = 2, .steps = 2, .hidden = 34, .outputs = 1},
     .logits = conv_ugrnn_logits,
     .loss = cross_entropy,
     .specimen = conv_ugrnn_specimen},
    {.name = "gru",
     .formula = "r = sigmoid(x Ur + h Wr + br)\n"
                "u = sigmoid(x Uu + h Wu + bu)\n"
                "c = tanh(x Uc + (r.h) Wc + bc)\n"
                "h' = u.h + (1 - u).c",
     .source = "Cho et al. 2014 (arXiv 1406.1078), as in Collins et al. 2016",
     .defaults = {.units = 16, .steps = 2, .hidden = 34, .outputs = 1},
     .logits = gru_logits,
     .loss = cross_entropy,
     .specimen = gru_specimen},
    {.name = "lstm",
     .formula = "i, f, o = sigmoid(x U + h W + b), each with its own\n"
                "z = tanh(x Uz + h Wz + bz)\n"
                "c' = f.c + i.z\n"
                "h' = o.tanh(c')",
     .source = "Hochreiter and Schmidhuber 1997; Gers et al. 2000",
     .defaults = {.units = 16, .steps = 2, .hidden = 34, .outputs = 1},
     .logits = lstm_logits,
     .loss = cross_entropy,
     .specimen = lstm_specimen},
    {.name = "update-gate",
     .formula = "g = tanh(w_xg x + w_recg h)\n"
                "c = tanh(w_xc x + w_recc h)\n"
                "h' = g.h + (1 - g).c",
     .source = "Seo 2018, the sibling article: four scalar weights",
     .specimen = update_gate_specimen},
};

int rv_model_count(void) { return (int)(sizeof models / sizeof *models); }

const rv_model *rv_model_at(int index)
{
    return index >= 0 && index < rv_model_count() ? &models[index] : NULL;
}

const rv_model *rv_model_find(const char *name)
{
    for (int i = 0; i < rv_model_count(); i++)
        if (name && !strcmp(models[i].name, name)) return &models[i];
    return NULL;
}
