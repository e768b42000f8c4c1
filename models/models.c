/* The table of models, and the article's own net. */
#include "models/models.h"

#include <string.h>

#include "ops/ops.h"

/* ---- curnn-blog: the article's head and cost ---- */

/* logits = arctan(flatten(h) W1) W2, from a fixed random state h0 [1,1,4,4]. */
static rv_var curnn_blog_output(const rv_net_options *o, rv_var x)
{
    if (o->classes != 2 || o->rnn.units > 1 || o->rnn.layers > 1 || o->sequence)
        return rv_tape_fail(
            x.tape, RV_ERROR_ARGUMENT,
            "curnn-blog: %lld classes, %lld units and %lld layers, but the article's net "
            "tells two classes of images apart, with one of each; use curnn",
            (long long)o->classes, (long long)o->rnn.units, (long long)o->rnn.layers);
    rv_shape shape = {4, {rv_shape_of(x).dim[0], 1, 4, 4}};
    rv_states h0 = {
        {rv_broadcast(rv_state(x.tape, "h0", RV_SHAPE(1, 1, 4, 4), rv_init_normal(0, 1)), shape)}};
    rv_var h =
        rv_unroll_with(rv_curnn_blog, x, o->steps ? o->steps : 2, (rv_rnn_options){.initial = &h0});
    int64_t hidden = o->hidden ? o->hidden : 34;
    rv_var W1 = rv_parameter(x.tape, "W1", RV_SHAPE(16, hidden), rv_init_normal(0, 0.1));
    rv_var W2 = rv_parameter(x.tape, "W2", RV_SHAPE(hidden, 1), rv_init_normal(0, 0.1));
    rv_scope_push(x.tape, "head");
    rv_var y = rv_matmul(rv_arctan(rv_matmul(rv_flatten(h), W1, false, false)), W2, false, false);
    rv_scope_pop(x.tape);
    return y;
}

/* (o - y)^2 / 2, o = sigmoid(logit), as a mean over the batch. */
static rv_var half_square(rv_var logits, rv_var target)
{
    if (rv_is_null(logits) || rv_is_null(target)) return (rv_var){logits.tape, -1};
    target = rv_reshape(rv_cast(target, rv_dtype_of(logits)), rv_shape_of(logits));
    return rv_scale(rv_mean_squared_error(rv_sigmoid(logits), target), 0.5);
}

/* ---- specimens ---- */

/* Sequences or images small enough for differences of every element. */
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
    if (model->specimen) return model->specimen(tape);
    if (model->output) o.rnn = (rv_rnn_options){.units = 1};
    rv_var x = rv_input(tape, "x",
                        model->images   ? RV_SHAPE(2, 1, 8, 8)
                        : model->kernel ? RV_SHAPE(2, 3, 2, 4, 4)
                                        : RV_SHAPE(2, 3, 4));
    return rv_model_record(model, &o, x, rv_input(tape, "y", RV_SHAPE(2))).loss;
}

/* Five sequences of three numbers: cost = sum (h3 - y)^2 / 2. */
static rv_var update_gate_specimen(rv_tape *tape)
{
    rv_var h = rv_unroll_sequence(rv_update_gate, rv_input(tape, "x", RV_SHAPE(5, 3, 1)),
                                  (rv_rnn_options){0}, NULL);
    rv_var error = rv_subtract(h, rv_input(tape, "y", RV_SHAPE(5, 1)));
    return rv_scale(rv_sum(rv_square(error), RV_ALL_AXES, false), 0.5);
}

/* ---- the table ---- */

#define COLLINS "Collins, Sohl-Dickstein and Sussillo 2016 (arXiv 1611.09913)"

static const rv_model models[] = {
    {.name = "curnn",
     .formula = "g = sigmoid(x * Wxg + pad1(h) * Wrecg + bg)\n"
                "c = tanh(x * Wxc + pad1(h) * Wrecc + bc)\n"
                "h' = g.h + (1 - g).c",
     .source = "Seo 2018, with the gate of Collins et al. 2016 (arXiv 1611.09913)",
     .step = rv_curnn,
     .images = true},
    {.name = "curnn-blog",
     .formula = "g = arctan(x * flip Wxg + pad1(h) * flip Wrecg)\n"
                "c = tanh(x * flip Wxc + pad1(h) * flip Wrecc)\n"
                "h' = g.h + (1 - g).c",
     .source = "Seo 2018, as published: \"Only Numpy: Convolutional Update Gate RNN\"",
     .step = rv_curnn_blog,
     .images = true,
     .output = curnn_blog_output,
     .loss = half_square},
    {.name = "rnn",
     .formula = "h' = tanh(W h + U x + b)",
     .source = "Elman 1990",
     .step = rv_simple_rnn},
    {.name = "irnn",
     .formula = "h' = relu(W h + U x + b), W = I at first",
     .source = "Le, Jaitly and Hinton 2015 (arXiv 1504.00941)",
     .step = rv_irnn},
    {.name = "ugrnn",
     .formula = "g = sigmoid(Wg h + Ug x + bg)\n"
                "c = tanh(Wc h + Uc x + bc)\n"
                "h' = g.h + (1 - g).c",
     .source = COLLINS,
     .step = rv_ugrnn},
    {.name = "gru",
     .formula = "r = sigmoid(Wr h + Ur x + br)\n"
                "u = sigmoid(Wu h + Uu x + bu)\n"
                "c = tanh(Wc (r.h) + Uc x + bc)\n"
                "h' = u.h + (1 - u).c",
     .source = "Cho et al. 2014 (arXiv 1406.1078), as in Collins et al. 2016",
     .step = rv_gru},
    {.name = "lstm",
     .formula = "i, f, o = sigmoid(W h + U x + b), each with its own\n"
                "z = tanh(Wz h + Uz x + bz)\n"
                "c' = f.c + i.z\n"
                "h' = o.tanh(c')",
     .source = "Hochreiter and Schmidhuber 1997; Gers et al. 2000",
     .step = rv_lstm},
    {.name = "lstm-peephole",
     .formula = "i, f = sigmoid(W h + U x + p.c + b), each with its own\n"
                "z = tanh(Wz h + Uz x + bz)\n"
                "c' = f.c + i.z\n"
                "o = sigmoid(Wo h + Uo x + po.c' + bo)\n"
                "h' = o.tanh(c')",
     .source = "Gers, Schraudolph and Schmidhuber 2002",
     .step = rv_lstm_peephole},
    {.name = "intersection-rnn",
     .formula = "y = relu(Wy h + Uy x + by)\n"
                "c = tanh(Wh h + Uh x + bh)\n"
                "gy = sigmoid(Wgy h + Ugy x + bgy)\n"
                "gh = sigmoid(Wgh h + Ugh x + bgh)\n"
                "y' = gy.x + (1 - gy).y, the output; x by a map Ux if its size is another\n"
                "h' = gh.h + (1 - gh).c",
     .source = COLLINS ", there +RNN",
     .step = rv_intersection_rnn},
    {.name = "mgu",
     .formula = "f = sigmoid(Wf h + Uf x + bf)\n"
                "c = tanh(Wc (f.h) + Uc x + bc)\n"
                "h' = (1 - f).h + f.c",
     .source = "Zhou et al. 2016 (arXiv 1603.09420)",
     .step = rv_mgu},
    {.name = "fastgrnn",
     .formula = "a = W h + U x\n"
                "z = sigmoid(a + bz)\n"
                "c = tanh(a + bc)\n"
                "h' = (sigmoid(zeta) (1 - z) + sigmoid(nu)).c + z.h",
     .source = "Kusupati et al. 2018 (arXiv 1901.02358)",
     .step = rv_fastgrnn},
    {.name = "sru",
     .formula = "f = sigmoid(U1 x + vf.c + bf)\n"
                "r = sigmoid(U2 x + vr.c + br)\n"
                "c' = f.c + (1 - f).(U0 x)\n"
                "h' = r.c' + (1 - r).x; x by a map Ux if its size is another",
     .source = "Lei et al. 2018 (arXiv 1709.02755)",
     .step = rv_sru},
    {.name = "qrnn",
     .formula = "z = tanh(Wz x1 + Uz x + bz), x1 the input before\n"
                "f, o = sigmoid(W x1 + U x + b), each with its own\n"
                "c' = f.c + (1 - f).z\n"
                "h' = o.c'",
     .source = "Bradbury et al. 2017 (arXiv 1611.01576), fo-pooling",
     .step = rv_qrnn},
    {.name = "lem",
     .formula = "d1, d2 = sigmoid(W y + U x + b), each with its own\n"
                "z' = (1 - d2).z + d2.tanh(Wz y + Uz x + bz)\n"
                "y' = (1 - d1).y + d1.tanh(Wy z' + Uy x + by)",
     .source = "Rusch et al. 2022 (arXiv 2110.04744), time step 1",
     .step = rv_lem},
    {.name = "mingru",
     .formula = "z = sigmoid(Uz x + bz)\n"
                "h' = (1 - z).h + z.(Uh x + bh)",
     .source = "Feng et al. 2024 (arXiv 2410.01201)",
     .step = rv_mingru},
    {.name = "conv-ugrnn",
     .formula = "as ugrnn, W and U 3x3 convolutions that keep height and width",
     .source = COLLINS " with the convolutions of Shi et al. 2015 (arXiv 1506.04214)",
     .step = rv_ugrnn,
     .kernel = 3},
    {.name = "conv-gru",
     .formula = "as gru, W and U 3x3 convolutions that keep height and width",
     .source = "Ballas et al. 2016 (arXiv 1511.06432)",
     .step = rv_gru,
     .kernel = 3},
    {.name = "conv-lstm",
     .formula = "as lstm, W and U 3x3 convolutions that keep height and width",
     .source = "Shi et al. 2015 (arXiv 1506.04214), without peepholes",
     .step = rv_lstm,
     .kernel = 3},
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
