/* From settings to a net and an optimizer for the data. */
#include "tools/run/experiment.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/names.h"
#include "tools/run/recipe.h"
#include "tools/run/run_data.h"

/* ---- the net ---- */

static bool choose_model(settings *s, experiment *e, rv_error *error)
{
    const rv_source *data = &e->whole;
    int64_t image = data->sequence ? 4 : 3;
    if (!s->model) s->model = data->x.rank == image ? "curnn" : "gru";
    e->model = named_model(s->model, &e->text, error);
    if (!e->model) return false;
    if (!e->model->step && !e->model->record)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "model \"%s\" is drawn and proved, but not trained; try ugrnn", s->model);
    bool blog = strcmp(recipe_name(e->model), "curnn-blog") == 0;
    e->scale = blog ? 16 : 1; /* it takes pixels as published */
    if (!s->dtype) s->dtype = "f32";
    if (strcmp(s->dtype, "f32") != 0 && strcmp(s->dtype, "f64") != 0)
        return rv_fail(error, RV_ERROR_ARGUMENT, "--dtype: got \"%.100s\", expected f32 or f64",
                       s->dtype);
    e->dtype = strcmp(s->dtype, "f64") == 0 ? RV_F64 : RV_F32;
    return true;
}

static rv_var as_it_is(rv_var x) { return x; }

static const struct activation {
    const char *name;
    rv_var (*function)(rv_var x);
} activations[] = {{"tanh", rv_tanh},     {"relu", rv_relu}, {"sigmoid", rv_sigmoid},
                   {"silu", rv_silu},     {"gelu", rv_gelu}, {"softplus", rv_softplus},
                   {"arctan", rv_arctan}, {"none", as_it_is}};
enum { ACTIVATIONS = sizeof activations / sizeof *activations };

static const char *activation_name(const void *list, int index)
{
    return ((const struct activation *)list)[index].name;
}

static bool choose_activation(const settings *s, rv_rnn_options *rnn, rv_error *error)
{
    if (s->forget >= 0) rnn->forget_shift = s->forget - 1;
    if (!s->activation) return true;
    for (int i = 0; i < ACTIVATIONS; i++)
        if (strcmp(s->activation, activations[i].name) == 0) {
            rnn->activation = activations[i].function;
            return true;
        }
    fail_unknown("activation", s->activation, activation_name, activations, ACTIVATIONS, error);
    return false;
}

static bool choose_loss(const settings *s, const experiment *e, rv_loss_kind *kind, rv_error *error)
{
    static const char *const names[] = {"mse", "mae", "huber"};
    *kind = RV_LOSS_STANDARD;
    if (!s->loss) return true;
    if (e->whole.classes > 0)
        return rv_fail(error, RV_ERROR_ARGUMENT, "--loss %s is for numbers, these data have labels",
                       s->loss);
    for (int i = 0; i < 3; i++)
        if (strcmp(s->loss, names[i]) == 0) {
            *kind = (rv_loss_kind)i;
            return true;
        }
    return rv_fail(error, RV_ERROR_ARGUMENT, "--loss: got \"%.100s\", expected mse, mae or huber",
                   s->loss);
}

/* What is asked for, but means nothing for these data. */
static bool check_meaning(const settings *s, const experiment *e, rv_error *error)
{
    const rv_source *data = &e->whole;
    int64_t side = data->x.rank > 2 ? data->x.dim[data->x.rank - 1] : 0;
    const char *wrong = NULL;
    char shape[RV_SHAPE_TEXT];
    if (data->classes == 1)
        wrong = "all samples have the same label: there is nothing to tell apart";
    else if (s->labels && !s->data)
        wrong = "--labels belongs to --data";
    else if (s->embedding > 0 && data->tokens == 0)
        wrong = "--embedding is for tokens, these data are numbers";
    else if (s->smoothing > 0 && data->classes == 0)
        wrong = "--smoothing is for labels, these data have numbers";
    else if (s->steps > 0 && data->sequence)
        wrong = "--steps says how often an image is shown, these data are sequences";
    else if (s->bidirectional && is_text(data))
        wrong = "--bidirectional would read the characters that are to be predicted";
    if (wrong) return rv_fail(error, RV_ERROR_ARGUMENT, "%s", wrong);
    if ((e->model->images || e->model->kernel || s->kernel) && data->x.rank != 3 + data->sequence)
        return rv_fail(
            error, RV_ERROR_ARGUMENT,
            "%s convolves images [channels,height,width], these samples are %s%s; try gru%s",
            s->model, rv_shape_text(data->x, shape), data->sequence ? " over time" : "",
            data->sequence || !s->data ? "" : ", or --sequence");
    if (e->model->images && side <= 4 * s->layers)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s makes images smaller by 4 in each of %" PRId64
                       " layers, which leaves nothing "
                       "of %" PRId64 "; use fewer layers, or conv-ugrnn",
                       s->model, s->layers, side);
    return true;
}

/* A model with a net of its own may not take these data: tried on one sample. */
static bool check_own_net(const experiment *e, rv_error *error)
{
    const rv_source *data = &e->whole;
    if (!e->model->record) return true;
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, e->dtype);
    rv_shape x = {.rank = data->x.rank + 1, .dim = {1}}, y = {.rank = data->y.rank + 1, .dim = {1}};
    for (int64_t d = 0; d < data->x.rank; d++) x.dim[d + 1] = data->x.dim[d];
    for (int64_t d = 0; d < data->y.rank; d++) y.dim[d + 1] = data->y.dim[d];
    rv_model_record(e->model, &e->net,
                    rv_input_typed(tape, "x", data->tokens > 0 ? RV_I32 : e->dtype, x),
                    rv_input_typed(tape, "y", data->classes > 0 ? RV_I32 : e->dtype, y));
    const rv_error *failed = rv_tape_error(tape);
    if (failed->code != RV_OK)
        rv_fail(error, RV_ERROR_ARGUMENT, "model \"%s\" does not take these data: %s",
                e->model->name, failed->text);
    rv_tape_free(tape);
    rv_store_free(store);
    return error->code == RV_OK;
}

static bool choose_net(settings *s, experiment *e, const recipe *r, rv_error *error)
{
    const rv_source *data = &e->whole;
    rv_loss_kind loss;
    set_default(&s->layers, r->layers);
    if (!check_meaning(s, e, error)) return false;
    if (!choose_loss(s, e, &loss, error)) return false;
    if (s->carry && (!data->sequence || strcmp(s->task, "text") != 0))
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--carry is for texts, whose windows follow each other");
    set_default(&s->units, r->units);
    set_default(&s->hidden, r->hidden);
    if (!data->sequence) set_default(&s->steps, 2);
    e->carry = s->carry;
    e->net = (rv_net_options){.rnn = {.units = s->units,
                                      .kernel = s->kernel,
                                      .bias = true,
                                      .layer_norm = s->layer_norm,
                                      .layers = s->layers,
                                      .bidirectional = s->bidirectional,
                                      .residual = s->residual,
                                      .skip = s->skip,
                                      .learned_start = s->learned_start,
                                      .dropout = s->dropout,
                                      .recurrent_dropout = s->recurrent_dropout,
                                      .same_dropout = s->same_dropout,
                                      .recompute = s->recompute},
                              .steps = s->steps,
                              .hidden = s->hidden,
                              .embedding = s->embedding,
                              .pool = s->pool,
                              .loss = loss,
                              .smoothing = s->smoothing,
                              .sequence = data->sequence,
                              .each_step = data->each_step,
                              .tokens = data->tokens,
                              .classes = data->classes,
                              .y = data->y};
    return choose_activation(s, &e->net.rnn, error) && check_own_net(e, error);
}

/* ---- the optimizer ---- */

static bool choose_schedule(settings *s, experiment *e, rv_error *error)
{
    double batches = (double)((e->part.count + s->batch - 1) / s->batch);
    double each = s->accumulate > 1 ? (double)s->accumulate : 1;
    double updates = batches * (double)s->epochs / each;
    double left = updates > (double)s->warm_up ? updates - (double)s->warm_up : 1;
    rv_schedule *schedule = &e->optimizer.schedule;
    if (!s->schedule) s->schedule = "constant";
    if (strcmp(s->schedule, "cosine") == 0)
        *schedule = rv_cosine_decay(left, 0);
    else if (strcmp(s->schedule, "one-cycle") == 0)
        *schedule = rv_one_cycle(left);
    else if (strcmp(s->schedule, "step") == 0)
        *schedule = rv_step_decay(left / 3 > 1 ? left / 3 : 1, 0.1);
    else if (strcmp(s->schedule, "exponential") == 0)
        *schedule = rv_exponential_decay(pow(0.01, 1 / left));
    else if (strcmp(s->schedule, "plateau") == 0)
        e->plateau = (rv_plateau){.factor = 0.5, .patience = 3, .threshold = 1e-3};
    else if (strcmp(s->schedule, "constant") != 0)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--schedule: got \"%.100s\", expected constant, cosine, one-cycle, step, "
                       "exponential or plateau",
                       s->schedule);
    if (s->warm_up > 0) *schedule = rv_warm_up((double)s->warm_up, *schedule);
    return true;
}

/* Calls `take` with each part of a list that commas divide, copied into e->patterns. */
static bool for_each_part(experiment *e, const char *option, const char *list,
                          bool (*take)(rv_optimizer *o, int group, char *part), rv_error *error)
{
    int group = 0;
    if (!list) return true;
    while (group < RV_PARAMETER_GROUPS && e->optimizer.group[group].pattern) group++;
    while (*list != '\0') {
        size_t length = strcspn(list, ",");
        if (group == RV_PARAMETER_GROUPS || length >= PATTERN_TEXT)
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "%s: expected at most %d patterns of at most %d bytes", option,
                           RV_PARAMETER_GROUPS, PATTERN_TEXT - 1);
        memcpy(e->patterns[group], list, length);
        e->patterns[group][length] = '\0';
        if (!take(&e->optimizer, group, e->patterns[group]))
            return rv_fail(error, RV_ERROR_ARGUMENT, "%s: got \"%.100s\", expected %s", option,
                           e->patterns[group], strchr(option, 'z') ? "PATTERN" : "PATTERN=RATE");
        list += length + (list[length] == ',');
        group++;
    }
    return true;
}

static bool take_rate(rv_optimizer *o, int group, char *part)
{
    char *equals = strrchr(part, '='), *end;
    if (!equals || equals == part || equals[1] == '\0') return false;
    *equals = '\0';
    o->group[group].pattern = part;
    o->group[group].learning_rate = strtod(equals + 1, &end);
    o->group[group].weight_decay = o->weight_decay;
    return *end == '\0' && o->group[group].learning_rate >= 0;
}

static bool take_frozen(rv_optimizer *o, int group, char *part)
{
    o->group[group].pattern = part;
    o->group[group].freeze = true;
    return *part != '\0';
}

static bool choose_optimizer(settings *s, experiment *e, const recipe *r, rv_error *error)
{
    bool usual = !s->optimizer || strcmp(s->optimizer, r->optimizer.name) == 0;
    const rv_optimizer *standard = usual ? &r->optimizer : named_optimizer(s->optimizer, error);
    if (!standard) return false;
    e->optimizer = *standard;
    if (s->momentum > 0 && standard->momentum == 0)
        return rv_fail(error, RV_ERROR_ARGUMENT, "--momentum: %s has none", standard->name);
    if (s->momentum >= 0) e->optimizer.momentum = s->momentum;
    if (s->rate > 0) e->optimizer.learning_rate = s->rate;
    if (s->clip_norm < 0) s->clip_norm = r->clip_norm;
    if (s->weight_decay > 0) e->optimizer.weight_decay = s->weight_decay;
    e->optimizer.clip_norm = s->clip_norm;
    e->optimizer.clip_value = s->clip_value;
    e->optimizer.average = s->average;
    e->optimizer.accumulate = (int)s->accumulate;
    s->optimizer = standard->name;
    s->momentum = e->optimizer.momentum;
    s->rate = e->optimizer.learning_rate;
    s->weight_decay = e->optimizer.weight_decay;
    return for_each_part(e, "--freeze", s->freeze, take_frozen, error) &&
           for_each_part(e, "--rates", s->rates, take_rate, error) && choose_schedule(s, e, error);
}

/* ---- all of it ---- */

bool experiment_make(settings *s, experiment *e, rv_error *error)
{
    *e = (experiment){.anomaly = s->anomaly};
    if (!run_data_open(s, e, error) || !choose_model(s, e, error) || !run_data_split(s, e, error))
        return false;
    recipe r = recipe_for(e->model, s->task, e->whole.classes);
    set_default(&s->epochs, r.epochs);
    set_default(&s->batch, r.batch);
    set_default(&s->threads, 1);
    e->train = e->varied.read ? e->varied : e->part;
    return choose_net(s, e, &r, error) && choose_optimizer(s, e, &r, error);
}

void experiment_free(experiment *e)
{
    rv_source_close(&e->seen);
    rv_source_close(&e->varied);
    rv_source_close(&e->part);
    rv_source_close(&e->held_out);
    rv_source_close(&e->whole);
    rv_lang_free(e->text);
    e->text = NULL;
}

const char *state_symbol(const experiment *e, int s)
{
    if (e->model->state[0]) return e->model->state[s];
    return s == 0 ? "h" : NULL;
}

bool is_text(const rv_source *data) { return data->alphabet && !data->lengths; }

rv_store *experiment_store(const settings *s, rv_error *error)
{
    rv_store *store = rv_store_new((uint64_t)s->seed);
    if (!store) rv_fail_memory(error);
    if (store && rv_set_threads(store, (int)s->threads, error)) return store;
    rv_store_free(store);
    return NULL;
}
