/* The table of models, and the classifiers around their cells. */
#include "models/models.h"

#include <string.h>

#include "ops/ops.h"

/* ---- heads ---- */

/* logits = W2 tanh(W1 flatten(h) + b1) + b2 */
static rv_var read_out(const rv_model_options *o, rv_var h)
{
    return rv_linear(rv_tanh(rv_linear(rv_flatten(h), "fc1", o->hidden)), "fc2", o->outputs);
}

static rv_var curnn_logits(const rv_model_options *o, rv_var x)
{
    return read_out(o, rv_unroll_with(rv_curnn, x, o->steps,
                                      (rv_cell_options){.units = o->units, .bias = true}));
}

static rv_var ugrnn_logits(const rv_model_options *o, rv_var x)
{
    rv_cell_options options = {.units = o->units, .bias = true};
    return read_out(o, rv_unroll_with(rv_ugrnn, rv_flatten(x), o->steps, options));
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
    return rv_matmul(rv_arctan(rv_matmul(rv_flatten(h), W1, false, false)), W2, false, false);
}

/* ---- costs ---- */

static rv_var cross_entropy(rv_var logits, rv_var target)
{
    bool binary = rv_shape_of(logits).rank == 2 && rv_shape_of(logits).dim[1] == 1;
    return binary ? rv_sigmoid_cross_entropy(logits, target)
                  : rv_softmax_cross_entropy(logits, target);
}

/* The article's (o - y)^2 / 2, o = sigmoid(logit), as a mean over the batch. */
static rv_var half_square(rv_var logits, rv_var target)
{
    return rv_scale(rv_mean_squared_error(rv_sigmoid(logits), target), 0.5);
}

/* ---- specimens ---- */

static rv_var specimen(const char *name, rv_tape *tape)
{
    const rv_model *model = rv_model_find(name);
    rv_var logits = model->logits(&model->defaults, rv_input(tape, "x", RV_SHAPE(2, 1, 8, 8)));
    return model->loss(logits, rv_input(tape, "y", RV_SHAPE(2, 1)));
}

static rv_var curnn_specimen(rv_tape *tape) { return specimen("curnn", tape); }
static rv_var curnn_blog_specimen(rv_tape *tape) { return specimen("curnn-blog", tape); }
static rv_var ugrnn_specimen(rv_tape *tape) { return specimen("ugrnn", tape); }

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
        if (!strcmp(models[i].name, name)) return &models[i];
    return NULL;
}
