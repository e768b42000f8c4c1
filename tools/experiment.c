/* From settings to data, a net and an optimizer. */
#include "tools/experiment.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/classes.h"
#include "tools/names.h"
#include "tools/recipe.h"

static void set_default(int64_t *value, int64_t standard)
{
    if (*value == 0) *value = standard;
}

/* ---- the data ---- */

static bool ends_in(const char *path, const char *ending)
{
    size_t length = strlen(path), tail = strlen(ending);
    return length >= tail && strcmp(path + length - tail, ending) == 0;
}

static bool is_idx(const char *path)
{
    return ends_in(path, ".idx") || ends_in(path, ".idx.gz") || strstr(path, "-ubyte") != NULL ||
           strstr(path, "-idx") != NULL;
}

static bool open_arrays(const settings *s, rv_source *source, rv_error *error)
{
    rv_array_options options = {.cache_bytes = (uint64_t)s->cache << 20, .sequence = s->sequence};
    if (ends_in(s->data, ".npz")) return rv_source_npz(source, s->data, &options, error);
    if (s->labels == NULL)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--data %s holds no labels; name their file with --labels", s->data);
    return (is_idx(s->data) ? rv_source_idx : rv_source_npy)(source, s->data, s->labels, &options,
                                                             error);
}

static bool is_table(const char *path)
{
    static const char *const endings[] = {".csv", ".csv.gz", ".tsv", ".tsv.gz"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_in(path, endings[i])) return true;
    return false;
}

/* From two hexadecimal digits each; how many, or -1. */
static int64_t alphabet_parse(const char *hex, unsigned char bytes[256])
{
    int64_t count = 0;
    unsigned byte;
    for (; hex[0] != '\0' && count < 256; hex += 2) {
        if (!isxdigit((unsigned char)hex[0]) || !isxdigit((unsigned char)hex[1]) ||
            sscanf(hex, "%2x", &byte) != 1)
            return -1;
        bytes[count++] = (unsigned char)byte;
    }
    return *hex == '\0' ? count : -1;
}

/* The characters of the text, or of the run that a configuration is of: they give the tokens their numbers. */
static bool open_text(settings *s, experiment *e, rv_text_options options, rv_error *error)
{
    unsigned char bytes[256];
    if (s->alphabet != NULL) {
        options.alphabet = bytes;
        options.tokens = alphabet_parse(s->alphabet, bytes);
        if (options.tokens < 1)
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "--alphabet: got \"%.100s\", expected 1 to 256 bytes of two hexadecimal "
                           "digits each",
                           s->alphabet);
    }
    if (!rv_source_text(&e->whole, s->data, &options, error)) return false;
    for (int64_t k = 0; k < e->whole.tokens && k < 256; k++)
        snprintf(e->alphabet + 2 * k, 3, "%02x", e->whole.alphabet[k]);
    s->alphabet = e->alphabet;
    return true;
}

static bool open_file(settings *s, experiment *e, rv_error *error)
{
    rv_source *source = &e->whole;
    uint64_t cache = (uint64_t)s->cache << 20;
    s->task = "file";
    if (ends_in(s->data, ".npz") || ends_in(s->data, ".npy") || is_idx(s->data))
        return open_arrays(s, source, error);
    if (is_table(s->data))
        return rv_source_csv(source, s->data,
                             &(rv_csv_options){.cache_bytes = cache,
                                               .label = s->label,
                                               .numbers = s->numbers,
                                               .sequence = s->sequence},
                             error);
    set_default(&s->length, 64);
    s->task = "text";
    return open_text(s, e, (rv_text_options){.cache_bytes = cache, .window = s->length}, error);
}

static bool open_digits(settings *s, rv_source *source, rv_error *error)
{
    int classes[DIGITS], count;
    if (s->classes == NULL) s->classes = "0,1";
    return classes_parse(s->classes, classes, &count, error) &&
           rv_source_digits(source, classes, count, error);
}

static bool open_data(settings *s, experiment *e, rv_error *error)
{
    if (s->data != NULL && s->task != NULL && strcmp(s->task, "text") != 0 &&
        strcmp(s->task, "file") != 0)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--data %s and --task %s: which of the two? Give one", s->data, s->task);
    if (s->data == NULL && s->task == NULL) s->task = "digits";
    bool digits = s->data == NULL && strcmp(s->task, "digits") == 0;
    if (!digits && s->classes != NULL)
        return rv_fail(error, RV_ERROR_ARGUMENT, "--classes chooses among the built-in digits");
    e->ahead = digits ? 0 : 4;
    if (s->data != NULL) return open_file(s, e, error);
    if (digits) return open_digits(s, &e->whole, error);
    return rv_source_task(&e->whole, s->task,
                          &(rv_task_options){.count = s->samples,
                                             .steps = s->length,
                                             .size = s->size,
                                             .seed = rv_seed((uint64_t)s->seed, "task")},
                          error);
}

/* Whether the same samples are learned and measured: there is nothing to be had but by heart. */
static bool by_heart(const settings *s)
{
    const rv_task *task = s->data == NULL ? rv_task_find(s->task) : NULL;
    return task != NULL && task->by_heart;
}

static bool split_data(settings *s, experiment *e, rv_error *error)
{
    const rv_source *all = &e->whole;
    rv_part held_out = {.seed = rv_seed((uint64_t)s->seed, "split"),
                        .in_order = strcmp(s->task, "text") == 0};
    rv_part rest = held_out;
    if (by_heart(s)) {
        rest.in_order = held_out.in_order = true;
    } else {
        if (all->count < 2)
            return rv_fail(error, RV_ERROR_FORMAT,
                           "%s has %" PRId64
                           " samples, expected at least 2: one to learn from, one to "
                           "measure on",
                           all->name, all->count);
        set_default(&s->held_out, (all->count + 3) / 6);
        if (s->held_out == 0) s->held_out = 1;
        if (s->held_out >= all->count || s->held_out < 1)
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "--held-out: got %" PRId64 " of %" PRId64
                           " samples, expected at least 1 and at most %" PRId64
                           " so that some are left to train on",
                           s->held_out, all->count, all->count - 1);
        held_out.count = s->held_out;
        rest.first = s->held_out;
        if (held_out.in_order) { /* a text's end is held out */
            held_out.first = all->count - s->held_out;
            rest.first = 0;
            rest.count = all->count - s->held_out;
        }
    }
    rv_part seen = {.in_order = true};
    if (!rv_source_part(&e->held_out, all, held_out, error) ||
        !rv_source_part(&e->part, all, rest, error))
        return false;
    seen.count = e->part.count < MEASURED_OF_TRAINING ? 0 : MEASURED_OF_TRAINING;
    rv_augment vary = {
        .shift = s->shift, .noise = s->noise, .seed = rv_seed((uint64_t)s->seed, "augment")};
    bool varied = s->shift > 0 || s->noise > 0;
    return rv_source_part(&e->seen, &e->part, seen, error) &&
           (!varied || rv_source_augment(&e->varied, &e->part, vary, error));
}

/* ---- the net ---- */

static bool choose_model(settings *s, experiment *e, rv_error *error)
{
    const rv_source *data = &e->whole;
    int64_t image = data->sequence ? 4 : 3;
    if (s->model == NULL) s->model = data->x.rank == image ? "curnn" : "gru";
    e->model = named_model(s->model, error);
    if (e->model == NULL) return false;
    if (e->model->step == NULL)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "model \"%s\" is drawn and proved, but not trained; try ugrnn", s->model);
    e->scale = strcmp(s->model, "curnn-blog") == 0 ? 16 : 1; /* it takes pixels as published */
    if (s->dtype == NULL) s->dtype = "f32";
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
    if (s->activation == NULL) return true;
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
    if (s->loss == NULL) return true;
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
    else if (s->labels != NULL && s->data == NULL)
        wrong = "--labels belongs to --data";
    else if (s->embedding > 0 && data->tokens == 0)
        wrong = "--embedding is for tokens, these data are numbers";
    else if (s->smoothing > 0 && data->classes == 0)
        wrong = "--smoothing is for labels, these data have numbers";
    else if (s->steps > 0 && data->sequence)
        wrong = "--steps says how often an image is shown, these data are sequences";
    else if (s->bidirectional && is_text(data))
        wrong = "--bidirectional would read the characters that are to be predicted";
    if (wrong != NULL) return rv_fail(error, RV_ERROR_ARGUMENT, "%s", wrong);
    if ((e->model->images || e->model->kernel || s->kernel) && data->x.rank != 3 + data->sequence)
        return rv_fail(
            error, RV_ERROR_ARGUMENT,
            "%s convolves images [channels,height,width], these samples are %s%s; try gru%s",
            s->model, rv_shape_text(data->x, shape), data->sequence ? " over time" : "",
            data->sequence || s->data == NULL ? "" : ", or --sequence");
    if (e->model->images && side <= 4 * s->layers)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s makes images smaller by 4 in each of %" PRId64
                       " layers, which leaves nothing "
                       "of %" PRId64 "; use fewer layers, or conv-ugrnn",
                       s->model, s->layers, side);
    return true;
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
    return choose_activation(s, &e->net.rnn, error);
}

/* ---- the optimizer ---- */

static bool choose_schedule(settings *s, experiment *e, rv_error *error)
{
    double batches = (double)((e->part.count + s->batch - 1) / s->batch);
    double each = s->accumulate > 1 ? (double)s->accumulate : 1;
    double updates = batches * (double)s->epochs / each;
    double left = updates > (double)s->warm_up ? updates - (double)s->warm_up : 1;
    rv_schedule *schedule = &e->optimizer.schedule;
    if (s->schedule == NULL) s->schedule = "constant";
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
    if (list == NULL) return true;
    while (group < RV_RATE_GROUPS && e->optimizer.group[group].pattern != NULL) group++;
    while (*list != '\0') {
        size_t length = strcspn(list, ",");
        if (group == RV_RATE_GROUPS || length >= PATTERN_TEXT)
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "%s: expected at most %d patterns of at most %d bytes", option,
                           RV_RATE_GROUPS, PATTERN_TEXT - 1);
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
    if (equals == NULL || equals == part || equals[1] == '\0') return false;
    *equals = '\0';
    o->group[group].pattern = part;
    o->group[group].rate = strtod(equals + 1, &end);
    o->group[group].weight_decay = o->weight_decay;
    return *end == '\0' && o->group[group].rate >= 0;
}

static bool take_frozen(rv_optimizer *o, int group, char *part)
{
    o->group[group].pattern = part;
    o->group[group].freeze = true;
    return *part != '\0';
}

static bool choose_optimizer(settings *s, experiment *e, const recipe *r, rv_error *error)
{
    const rv_optimizer *standard =
        s->optimizer == NULL ? &r->optimizer : named_optimizer(s->optimizer, error);
    if (standard == NULL) return false;
    e->optimizer = *standard;
    if (s->momentum > 0 && standard->momentum == 0)
        return rv_fail(error, RV_ERROR_ARGUMENT, "--momentum: %s has none", standard->name);
    if (s->momentum >= 0) e->optimizer.momentum = s->momentum;
    if (s->rate > 0) e->optimizer.rate = s->rate;
    if (s->clip_norm < 0) s->clip_norm = r->clip_norm;
    if (s->weight_decay > 0) e->optimizer.weight_decay = s->weight_decay;
    e->optimizer.clip_norm = s->clip_norm;
    e->optimizer.clip_value = s->clip_value;
    e->optimizer.average = s->average;
    e->optimizer.accumulate = (int)s->accumulate;
    s->optimizer = standard->name;
    s->momentum = e->optimizer.momentum;
    s->rate = e->optimizer.rate;
    s->weight_decay = e->optimizer.weight_decay;
    return for_each_part(e, "--freeze", s->freeze, take_frozen, error) &&
           for_each_part(e, "--rates", s->rates, take_rate, error) && choose_schedule(s, e, error);
}

/* ---- all of it ---- */

bool experiment_make(settings *s, experiment *e, rv_error *error)
{
    *e = (experiment){0};
    if (!open_data(s, e, error) || !choose_model(s, e, error) || !split_data(s, e, error))
        return false;
    recipe r = recipe_for(e->model, s->task, e->whole.classes);
    set_default(&s->epochs, r.epochs);
    set_default(&s->batch, r.batch);
    set_default(&s->threads, 1);
    e->train = e->varied.read != NULL ? e->varied : e->part;
    return choose_net(s, e, &r, error) && choose_optimizer(s, e, &r, error);
}

void experiment_free(experiment *e)
{
    rv_source_close(&e->seen);
    rv_source_close(&e->varied);
    rv_source_close(&e->part);
    rv_source_close(&e->held_out);
    rv_source_close(&e->whole);
}

bool is_text(const rv_source *data) { return data->alphabet != NULL && !data->lengths; }

rv_store *experiment_store(const settings *s, rv_error *error)
{
    rv_store *store = rv_store_new((uint64_t)s->seed);
    if (store == NULL) rv_fail_memory(error);
    if (store != NULL && rv_set_threads(store, (int)s->threads, error)) return store;
    rv_store_free(store);
    return NULL;
}
