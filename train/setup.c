#include "train/setup.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/feed.h"
#include "autograd/program.h"
#include "ops/ops.h"
#include "tensor/needs_internal.h"
#include "tensor/store_entries_internal.h"
#include "tensor/text_internal.h"
#include "train/batch_program.h"
#include "train/setup/data.h"
#include "train/setup/defaults.h"
#include "train/setup/effect.h"
#include "train/setup/lookup.h"

/* ---- the net ---- */

static void set_default(int64_t *value, int64_t number)
{
    if (*value == 0) *value = number;
}

static bool choose_model(rv_train_config *c, rv_setup *s, const rv_model *own, rv_error *error)
{
    const rv_source *data = &s->data;
    int64_t image = data->sequence ? 4 : 3;
    if (own && !own->name)
        return rv_fail(error, RV_ERROR_ARGUMENT, "the model of your own has no name; give it one");
    if (own) c->net.model = own->name;
    if (!c->net.model) c->net.model = data->x.rank == image ? "curnn" : "gru";
    s->model = own ? own : rv_lookup_model(c->net.model, c->net.include_path, &s->text, error);
    if (!s->model) return false;
    if (!s->model->step && !s->model->record)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "model \"%s\" can be drawn and proved, but not trained; try ugrnn",
                       c->net.model);
    bool blog = strcmp(rv_defaults_name(s->model), "curnn-blog") == 0;
    s->scale = blog ? 16 : 1; /* it takes pixels as published */
    if (!c->loop.dtype) c->loop.dtype = "f32";
    s->dtype = strcmp(c->loop.dtype, "f64") == 0 ? RV_F64 : RV_F32;
    return true;
}

/* The model with the gradients of a derivation. */
static bool choose_gradients(const rv_train_config *c, rv_setup *s, rv_error *error)
{
    const char *title = c->optimizer.gradients;
    const rv_model *model = s->model;
    rv_error why = {0};
    if (!title || strcmp(title, "autodiff") == 0) return true;
    if (model->text && rv_model_find(model->name) == model) {
        s->text = rv_lang_read(model->text, strlen(model->text), model->name, NULL, &why);
        model = s->text ? rv_lang_model(s->text, NULL, &why) : NULL;
    }
    if (model) s->derived = rv_lang_derived(model, title, &why);
    return s->derived || rv_fail(error, why.code, "`gradients`: %-s", why.text);
}

static rv_var as_it_is(rv_var x) { return x; }

static const struct activation {
    const char *name;
    rv_var (*function)(rv_var x);
} activations[] = {{"tanh", rv_tanh},     {"relu", rv_relu}, {"sigmoid", rv_sigmoid},
                   {"silu", rv_silu},     {"gelu", rv_gelu}, {"softplus", rv_softplus},
                   {"arctan", rv_arctan}, {"none", as_it_is}};
enum { ACTIVATIONS = sizeof activations / sizeof *activations };

static void choose_activation(const rv_train_config *c, rv_rnn_options *rnn)
{
    for (int i = 0; c->net.activation && i < ACTIVATIONS; i++)
        if (strcmp(c->net.activation, activations[i].name) == 0)
            rnn->activation = activations[i].function;
}

static bool choose_loss(const rv_train_config *c, const rv_setup *s, rv_loss_kind *kind,
                        rv_error *error)
{
    static const char *const names[] = {"mse", "mae", "huber"};
    *kind = RV_LOSS_DEFAULT;
    if (!c->net.loss) return true;
    if (s->data.classes > 0)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`loss` %s needs numbers as targets; these data have labels", c->net.loss);
    for (int i = 0; i < 3; i++)
        if (strcmp(c->net.loss, names[i]) == 0) *kind = (rv_loss_kind)i;
    return true;
}

static rv_rnn_options cell_options(const rv_net_config *c)
{
    return (rv_rnn_options){.units = c->units,
                            .kernel = c->kernel,
                            .bias = true,
                            .layer_norm = c->layer_norm,
                            .forget_shift = c->forget >= 0 ? c->forget - 1 : 0,
                            .layers = c->layers,
                            .bidirectional = c->bidirectional,
                            .residual = c->residual,
                            .skip = c->skip,
                            .learned_start = c->learned_start,
                            .dropout = c->dropout,
                            .recurrent_dropout = c->recurrent_dropout,
                            .same_dropout = c->same_dropout,
                            .stepwise = c->stepwise,
                            .recompute = c->recompute};
}

/* A cell like `cell big = gru(units=8)` sets options by itself: the configuration gets them, so
 * that what is reported and saved is what the net has. Sets *reverse to whether the cell reads from
 * the last step to the first, which no option of the configuration says. */
static bool take_own_options(rv_net_config *c, const rv_model *model, bool *reverse,
                             rv_error *error)
{
    const rv_rnn_options given = cell_options(c);
    rv_rnn_options own = given;
    *reverse = false;
    if (!model->prepare) return true;
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F32);
    bool ok = tape || rv_fail_memory(error);
    if (ok) model->prepare(model, tape, &own);
    if (ok && rv_tape_error(tape)->code)
        ok = rv_fail(error, rv_tape_error(tape)->code, "%-s", rv_tape_error(tape)->text);
    rv_tape_free(tape);
    rv_store_free(store);
    const struct {
        const char *option;
        double given, own;
    } both[] = {{"units", (double)given.units, (double)own.units},
                {"kernel", (double)given.kernel, (double)own.kernel},
                {"layers", (double)given.layers, (double)own.layers},
                {"forget", c->forget > 0 ? given.forget_shift + 1 : 0, own.forget_shift + 1},
                {"recompute", (double)given.recompute, (double)own.recompute},
                {"dropout", given.dropout, own.dropout},
                {"recurrent-dropout", given.recurrent_dropout, own.recurrent_dropout}};
    for (size_t i = 0; ok && i < sizeof both / sizeof *both; i++)
        if (both[i].given > 0 && both[i].given != both[i].own)
            ok = rv_fail(error, RV_ERROR_ARGUMENT,
                         "`%s` %g: the cell \"%s\" sets it to %g itself; leave it out",
                         both[i].option, both[i].given, model->name, both[i].own);
    c->units = own.units;
    c->layer_norm = own.layer_norm;
    c->layers = own.layers;
    if (own.forget_shift != given.forget_shift) c->forget = own.forget_shift + 1;
    c->bidirectional = own.bidirectional;
    *reverse = own.reverse;
    c->residual = own.residual;
    c->skip = own.skip;
    c->learned_start = own.learned_start;
    c->dropout = own.dropout;
    c->recurrent_dropout = own.recurrent_dropout;
    c->same_dropout = own.same_dropout;
    c->stepwise = own.stepwise;
    c->recompute = own.recompute;
    return ok;
}

/* Options that have no meaning for these data. */
static bool check_meaning(const rv_train_config *c, const rv_setup *s, bool reverse,
                          rv_error *error)
{
    const rv_source *data = &s->data;
    int64_t side = data->x.rank > 2 ? data->x.dim[data->x.rank - 1] : 0;
    const char *wrong = NULL;
    char shape[RV_SHAPE_TEXT];
    if (data->classes == 1)
        wrong = "all samples have the same label: there is nothing to tell apart";
    else if (c->net.embedding > 0 && data->tokens == 0)
        wrong = "`embedding` is for tokens, these data are numbers";
    else if (c->net.smoothing > 0 && data->classes == 0)
        wrong = "`smoothing` is for labels, these data have numbers";
    else if (c->net.steps > 0 && data->sequence)
        wrong = "`steps` says how often an image is shown, these data are sequences";
    else if (c->net.bidirectional && rv_source_is_text(data))
        wrong = "`bidirectional` would read the characters that are to be predicted";
    else if (reverse && rv_source_is_text(data))
        wrong = "the cell reads in reverse, and so the characters that are to be predicted; use "
                "another `model`";
    if (wrong) return rv_fail(error, RV_ERROR_ARGUMENT, "%s", wrong);
    if (c->net.kernel > 0 && c->net.kernel % 2 == 0)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`kernel`: got %" PRId64
                       ", expected an odd size, which keeps height and width",
                       c->net.kernel);
    if (c->data.shift > 0 && data->x.rank != 3 + data->sequence)
        return rv_fail(
            error, RV_ERROR_ARGUMENT,
            "`shift` moves images [channels,height,width], these samples are %s%s; leave "
            "it out",
            rv_shape_text(data->x, shape), data->sequence ? " over time" : "");
    bool by_option = c->net.kernel > 0 && !s->model->images && !s->model->kernel;
    if ((s->model->images || s->model->kernel || c->net.kernel) &&
        data->x.rank != 3 + data->sequence)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s convolves images [channels,height,width], these samples are %s%s; %s%s",
                       by_option ? "with `kernel` the cell" : c->net.model,
                       rv_shape_text(data->x, shape), data->sequence ? " over time" : "",
                       by_option ? "leave it out" : "try gru",
                       data->sequence || !c->data.path ? "" : ", or `sequence`");
    if (s->model->images && side <= 4 * c->net.layers)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s makes images smaller by 4 in each of %" PRId64
                       " `layers`, which leaves nothing of %" PRId64 "; use fewer, or conv-ugrnn",
                       c->net.model, c->net.layers, side);
    return true;
}

/* Whether x is a sigmoid, reshapes aside. */
static bool is_sigmoid(rv_var x)
{
    const rv_node *node = rv_tape_node(x.tape, x.id);
    while (node && strcmp(node->op->name, "reshape") == 0) node = rv_tape_node(x.tape, node->in[0]);
    return node && strcmp(node->op->name, "sigmoid") == 0;
}

/* Records a model with a net of its own for n samples, because it may not fit these data: to
 * measure it or, with a derivation, to train it. */
static bool check_own_net(const rv_setup *s, int64_t n, bool training, rv_error *error)
{
    if (!s->model->record) return true;
    rv_net net;
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_setup_record(s, store, n, training, &net);
    const rv_error *failed = rv_tape_error(tape);
    bool ok = failed->code == RV_OK;
    if (failed->code == RV_ERROR_MEMORY)
        rv_fail_memory(error);
    else if (!ok && training)
        rv_fail(error, RV_ERROR_ARGUMENT, "`gradients`, with batches of %" PRId64 ": %-s", n,
                failed->text);
    else if (!ok)
        rv_fail(error, RV_ERROR_ARGUMENT, "model \"%s\" does not take these data: %-s",
                s->model->name, failed->text);
    else if (s->data.classes == 2 && is_sigmoid(net.output))
        ok = rv_fail(error, RV_ERROR_ARGUMENT,
                     "model \"%s\": its output is a sigmoid, expected a logit: of two classes, "
                     "output is what the sigmoid takes",
                     s->model->name);
    rv_tape_free(tape);
    rv_store_free(store);
    return ok;
}

int64_t rv_store_parameters(const rv_store *store)
{
    int64_t count = 0;
    for (size_t i = 0; i < rv_store_count(store); i++) {
        const rv_entry *entry = rv_store_at(store, i);
        if (entry->role == RV_PARAMETER) count += rv_tensor_count(&entry->tensor);
    }
    return count;
}

/* The number of parameters of the net with so many units; -1: it cannot have so many, and *why says
 * why. */
static int64_t parameters_with(const rv_setup *s, int64_t units, rv_error *why)
{
    rv_setup other = *s;
    rv_net net;
    other.net.rnn.units = units;
    rv_store *store = rv_store_new_shapes(PTRDIFF_MAX);
    rv_tape *tape = rv_setup_record(&other, store, 1, false, &net);
    bool made = tape && !rv_tape_error(tape)->code;
    if (!tape)
        rv_fail_memory(why);
    else if (!made)
        *why = *rv_tape_error(tape);
    int64_t count = made ? rv_store_parameters(store) : -1;
    rv_tape_free(tape);
    rv_store_free(store);
    return count;
}

/* Sets the number of units with which the net's number of parameters is nearest to
 * config->net.parameters. */
static bool choose_units(rv_train_config *c, rv_setup *s, rv_error *error)
{
    enum { GAP = 16 }; /* a cell may only have multiples of so many units */
    const int64_t target = c->net.parameters;
    int64_t low = 0, high = rv_config_row_find("units", NULL)->high + 1, units = 0, nearest = 0;
    rv_error why = {0};
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        int64_t u = middle, count = parameters_with(s, u, &why);
        while (count < 0 && u + 1 < high && u < middle + GAP) count = parameters_with(s, ++u, &why);
        if (why.code == RV_ERROR_MEMORY) return rv_fail_memory(error);
        if (count >= 0 && (!units || llabs(count - target) < llabs(nearest - target)))
            units = u, nearest = count;
        if (count >= 0 && count <= target)
            low = u;
        else
            high = middle;
    }
    if (!units) return rv_fail(error, why.code, "%-s", why.text);
    if (llabs(nearest - target) > target / 10)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`parameters`: got %" PRId64 ", but the nearest number that a net of %s has "
                       "is %" PRId64 ", with %" PRId64 " `units`; expected a number within 10 %%",
                       target, s->model->name, nearest, units);
    c->net.units = s->net.rnn.units = units;
    c->net.parameters = 0; /* what is saved is the net that this has chosen */
    return true;
}

/* A derivation may fit batches, or leaves, of one size only. */
static bool check_batch(const rv_train_config *c, const rv_setup *s, int64_t size, rv_error *error)
{
    const int64_t leaves = c->loop.leaves ? c->loop.leaves : 1, least = size / leaves;
    return (!least || check_own_net(s, least, true, error)) &&
           (size % leaves == 0 || check_own_net(s, least + 1, true, error));
}

/* The last batch may be smaller. */
static bool check_batches(const rv_train_config *c, const rv_setup *s, rv_error *error)
{
    const int64_t count = s->training.count, size = c->loop.batch_size, rest = count % size;
    return (count < size || check_batch(c, s, size, error)) &&
           (!rest || check_batch(c, s, rest, error));
}

static bool choose_net(rv_train_config *c, rv_setup *s, const rv_defaults *r, rv_error *error)
{
    const rv_source *data = &s->data;
    rv_loss_kind loss;
    const bool made = !s->model->record; /* else the model has sizes of its own */
    const bool sized = c->net.parameters > 0;
    if (sized && !made)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`parameters`: model \"%s\" has sizes of its own; leave it out",
                       c->net.model);
    bool reverse;
    if (!take_own_options(&c->net, s->model, &reverse, error)) return false;
    if (sized && c->net.units > 0)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`units` %" PRId64 " and `parameters` %" PRId64
                       ": which of the two? Give one",
                       c->net.units, c->net.parameters);
    if (made) set_default(&c->net.layers, r->layers);
    if (!check_meaning(c, s, reverse, error)) return false;
    if (!choose_loss(c, s, &loss, error)) return false;
    if (c->net.carry && (!data->sequence || strcmp(c->data.task, "text") != 0))
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`carry` is for texts, whose windows follow each other");
    if (c->net.carry && c->data.in_order)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`in-order`: with `carry` windows follow each other already; leave it out");
    if (made) {
        set_default(&c->net.units, r->units);
        if (c->net.head_units < 0) c->net.head_units = r->head_units;
        if (!data->sequence) set_default(&c->net.steps, 2);
    }
    s->carry = c->net.carry;
    s->net = (rv_net_options){.rnn = cell_options(&c->net),
                              .steps = c->net.steps,
                              .hidden = made ? c->net.head_units : 0,
                              .embedding = c->net.embedding,
                              .pool = c->net.pool,
                              .loss = loss,
                              .smoothing = c->net.smoothing,
                              .sequence = data->sequence,
                              .each_step = data->each_step,
                              .tokens = data->tokens,
                              .classes = data->classes,
                              .y = data->y};
    choose_activation(c, &s->net.rnn);
    return (!sized || choose_units(c, s, error)) && check_own_net(s, 1, false, error) &&
           (!s->derived || check_batches(c, s, error));
}

/* ---- the optimizer ---- */

static void choose_schedule(rv_train_config *c, rv_setup *s)
{
    if (s->optimizer.schedule.curve && !c->optimizer.schedule) return; /* its own */
    double batches = (double)((s->part.count + c->loop.batch_size - 1) / c->loop.batch_size);
    double each = c->optimizer.accumulate > 1 ? (double)c->optimizer.accumulate : 1;
    double updates = batches * (double)c->loop.epochs / each;
    double left =
        updates > (double)c->optimizer.warm_up ? updates - (double)c->optimizer.warm_up : 1;
    rv_schedule *schedule = &s->optimizer.schedule;
    if (!c->optimizer.schedule) c->optimizer.schedule = "constant";
    if (strcmp(c->optimizer.schedule, "cosine") == 0)
        *schedule = rv_cosine_decay(left, 0);
    else if (strcmp(c->optimizer.schedule, "one-cycle") == 0)
        *schedule = rv_one_cycle(left);
    else if (strcmp(c->optimizer.schedule, "step") == 0)
        *schedule = rv_step_decay(left / 3 > 1 ? left / 3 : 1, 0.1);
    else if (strcmp(c->optimizer.schedule, "exponential") == 0)
        *schedule = rv_exponential_decay(pow(0.01, 1 / left));
    else if (strcmp(c->optimizer.schedule, "plateau") == 0)
        s->plateau = (rv_plateau){.factor = 0.5, .patience = 3, .threshold = 1e-3};
    if (c->optimizer.warm_up > 0) *schedule = rv_warm_up((double)c->optimizer.warm_up, *schedule);
}

/* Calls `take` with a copy, in s->patterns, of each part of a list separated by commas. */
static bool for_each_part(rv_setup *s, const char *option, const char *expected, const char *list,
                          bool (*take)(rv_optimizer *o, int group, char *part), rv_error *error)
{
    int group = 0;
    if (!list) return true;
    while (group < RV_PARAMETER_GROUPS && s->optimizer.group[group].pattern) group++;
    while (*list != '\0') {
        size_t length = strcspn(list, ",");
        if (group == RV_PARAMETER_GROUPS || length >= RV_RATE_PATTERN)
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "%s: expected at most %d pattern(s) of at most %d byte(s)", option,
                           RV_PARAMETER_GROUPS, RV_RATE_PATTERN - 1);
        memcpy(s->patterns[group], list, length);
        s->patterns[group][length] = '\0';
        if (!take(&s->optimizer, group, s->patterns[group]))
            return rv_fail(error, RV_ERROR_ARGUMENT, "%s: got \"%.100s\", expected %s", option,
                           s->patterns[group], expected);
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
    o->group[group].learning_rate = rv_number(equals + 1, &end);
    o->group[group].weight_decay = o->weight_decay;
    return *end == '\0' && o->group[group].learning_rate >= 0;
}

static bool take_frozen(rv_optimizer *o, int group, char *part)
{
    o->group[group].pattern = part;
    o->group[group].freeze = true;
    return *part != '\0';
}

/* Options that are set change the optimizer. Those that are not are set from it. */
static bool choose_optimizer(rv_train_config *c, rv_setup *s, const rv_optimizer *own,
                             const rv_defaults *r, rv_error *error)
{
    rv_optimizer_config *o = &c->optimizer;
    bool is_default = !o->name || strcmp(o->name, r->optimizer.name) == 0;
    const rv_optimizer *base = own          ? own
                               : is_default ? &r->optimizer
                                            : rv_lookup_optimizer(o->name, error);
    if (!base) return false;
    if (o->momentum > 0 && base->momentum == 0)
        return rv_fail(error, RV_ERROR_ARGUMENT, "`momentum`: %s has none", base->name);
    s->optimizer = *base;
    if (o->momentum >= 0) s->optimizer.momentum = o->momentum;
    if (o->learning_rate > 0) s->optimizer.learning_rate = o->learning_rate;
    if (o->weight_decay >= 0) s->optimizer.weight_decay = o->weight_decay;
    if (o->clip_norm >= 0 || !own)
        s->optimizer.clip_norm = o->clip_norm < 0 ? r->clip_norm : o->clip_norm;
    if (o->clip_value > 0) s->optimizer.clip_value = o->clip_value;
    if (o->average > 0) s->optimizer.average = o->average;
    if (o->accumulate > 0) s->optimizer.accumulate = (int)o->accumulate;
    o->name = base->name;
    o->momentum = s->optimizer.momentum;
    o->learning_rate = s->optimizer.learning_rate;
    /* none is unset, unless the optimizer has some of its own */
    const bool decays = s->optimizer.weight_decay > 0 || base->weight_decay > 0;
    o->weight_decay = decays ? s->optimizer.weight_decay : -1;
    o->clip_norm = s->optimizer.clip_norm;
    choose_schedule(c, s);
    return for_each_part(s, "`freeze`", "PATTERN", o->freeze, take_frozen, error) &&
           for_each_part(s, "`learning-rates`", "PATTERN=RATE", o->learning_rates, take_rate,
                         error);
}

bool rv_setup_choose_optimizer(rv_train_config *c, rv_setup *s, const rv_optimizer *own,
                               rv_error *error)
{
    const char *task = c->data.task ? c->data.task : "file";
    set_default(&c->loop.threads, 1);
    rv_defaults r = rv_defaults_for(s->model, task, s->data.classes);
    set_default(&c->loop.epochs, r.epochs);
    set_default(&c->loop.batch_size, r.batch_size);
    return choose_optimizer(c, s, own, &r, error);
}

/* ---- leaves and ranks ---- */

static bool choose_leaves(const rv_train_config *c, rv_setup *s, const rv_collective *ranks,
                          rv_error *error)
{
    const int64_t leaves = c->loop.leaves, count = s->training.count;
    const int64_t batch = c->loop.batch_size < count ? c->loop.batch_size : count;
    if (ranks && (ranks->size < 1 || ranks->rank < 0 || ranks->rank >= ranks->size ||
                  !ranks->send || !ranks->receive))
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "collective: rank %d of %d; expected one from 0 to size - 1, and functions "
                       "that send and receive",
                       ranks->rank, ranks->size);
    if (ranks && ranks->size > 1 && leaves < ranks->size)
        return leaves
                   ? rv_fail(error, RV_ERROR_ARGUMENT,
                             "`leaves`: got %" PRId64
                             ", but %d rank(s) share the leaves of a batch; start at most %" PRId64
                             " rank(s) or, for a new run, give more `leaves`, such as %d",
                             leaves, ranks->size, leaves, 4 * ranks->size)
                   : rv_fail(error, RV_ERROR_ARGUMENT,
                             "%d rank(s) share the leaves of a batch, and this run has none; "
                             "start 1 rank or, for a new run, give `leaves`, such as %d",
                             ranks->size, 4 * ranks->size);
    if (leaves > batch)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`leaves`: got %" PRId64 ", expected at most the %" PRId64
                       " sample(s) of a batch",
                       leaves, batch);
    if (leaves && s->carry)
        return rv_fail(
            error, RV_ERROR_ARGUMENT,
            "`leaves`: with `carry` each batch starts from the states of the one before, "
            "and leaves keep none; leave one of the two out");
    s->leaves = leaves;
    s->collective = ranks && ranks->size > 1 ? ranks : NULL;
    return true;
}

/* ---- all of it ---- */

bool rv_setup_choose(rv_train_config *c, rv_setup *s, const rv_optimizer *own, rv_error *error)
{
    rv_defaults r = rv_defaults_for(s->model, c->data.task, s->data.classes);
    set_default(&c->loop.epochs, r.epochs);
    set_default(&c->loop.batch_size, r.batch_size);
    set_default(&c->loop.threads, 1);
    return choose_net(c, s, &r, error) && rv_setup_choose_optimizer(c, s, own, error);
}

bool rv_setup_make(rv_setup *s, rv_train_config *c, const rv_train_parts *given, rv_error *error)
{
    if (!RV_NEEDS(error, s, c)) return false;
    static const rv_train_parts none = {0};
    const rv_train_parts *parts = given ? given : &none;
    *s = (rv_setup){.anomaly = c->loop.anomaly};
    if (!rv_train_config_check(c, error) || !rv_setup_check_data(c, parts, error) ||
        !rv_setup_data(c, s, parts, error) || !choose_model(c, s, parts->model, error) ||
        !choose_gradients(c, s, error) || !rv_setup_split(c, s, parts, error))
        return false;
    s->training = s->varied.read ? s->varied : s->part;
    return rv_setup_choose(c, s, parts->optimizer, error) &&
           choose_leaves(c, s, parts->collective, error);
}

void rv_setup_free(rv_setup *s)
{
    if (!s) return;
    rv_source_close(&s->sample);
    rv_source_close(&s->varied);
    rv_source_close(&s->part);
    rv_source_close(&s->validation);
    rv_source_close(&s->data);
    rv_lang_free(s->text);
    s->text = NULL;
}

const char *rv_state_symbol(const rv_model *model, int s)
{
    if (!model || s < 0 || s >= RV_CELL_STATES) return NULL;
    if (model->state[0]) return model->state[s];
    return s == 0 ? "h" : NULL;
}

bool rv_source_is_text(const rv_source *data)
{
    if (!data) return false;
    return data->alphabet && !data->lengths;
}

rv_store *rv_setup_store(const rv_train_config *c, rv_error *error)
{
    if (!RV_NEEDS(error, c) || !rv_train_config_check(c, error)) return NULL;
    rv_store *store = rv_store_new((uint64_t)c->loop.seed);
    if (!store) rv_fail_memory(error);
    if (store && rv_set_threads(store, (int)c->loop.threads, error)) return store;
    rv_store_free(store);
    return NULL;
}
