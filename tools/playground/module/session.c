#include "tools/playground/module/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "export/c.h"
#include "export/onnx.h"
#include "optim/groups_internal.h"
#include "tensor/file_internal.h"
#include "tensor/memory.h"
#include "tools/cli/exported.h"
#include "tools/cli/json.h"
#include "train/text_file_internal.h"
#include "train/trainer/inputs.h"
#include "train/trainer/run_folder.h"

enum { MOST_LOSSES = 1000, FOLDER = 8, MODEL = 256 };

/* Samples that the user added, of the shapes of the run's data. */
typedef struct own_samples {
    float *x, *y;
    int64_t count;
} own_samples;

/* What a call of train has done. */
typedef struct slice {
    double until; /* on a monotonic clock, in seconds: then it ends */
    int64_t most; /* updates after which it ends */
    int64_t updates;
    double sum; /* rv_run_state.loss_sum and seen at the last update */
    int64_t seen;
    double losses[MOST_LOSSES]; /* each stride-th */
    int64_t kept, stride;
} slice;

typedef struct session {
    cJSON *settings;     /* keys of recurve train's options, as the page set them */
    char *text;          /* that it was opened with */
    char folder[FOLDER]; /* holds the text, and the run if it is saved */
    char model[MODEL];   /* the path of the model in the text */
    rv_trainer *trainer; /* NULL: the run is not open */
    rv_trainer *base;    /* has the data without the user's samples; NULL: `trainer` has */
    rv_source joined;    /* the samples of `base` to train on, then `own` */
    own_samples own;
    rv_batch_program one; /* session_program */
    slice slice;
    int64_t updates, epochs; /* in all; epochs that the page knows */
} session;

static session sessions[PAGE_RUNS];

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* ---- the runs ---- */

static void close_session(session *s)
{
    rv_batch_program_free(&s->one);
    rv_trainer_free(s->trainer);
    rv_source_close(&s->joined);
    rv_trainer_free(s->base);
    free(s->own.x);
    free(s->own.y);
    free(s->text);
    cJSON_Delete(s->settings);
    memset(s, 0, sizeof *s);
}

void session_close(void)
{
    for (int i = 0; i < PAGE_RUNS; i++) close_session(&sessions[i]);
}

static session *session_of(const page_task *task)
{
    const double run = page_number(task, "run");
    if (run == 0 || run == 1) return &sessions[(int)run];
    rv_fail(task->error, RV_ERROR_ARGUMENT, "got run %g, expected 0 or 1", run);
    return NULL;
}

static session *open_session(const page_task *task)
{
    session *s = session_of(task);
    if (!s || s->trainer) return s;
    rv_fail(task->error, RV_ERROR_ARGUMENT, "run %d is not open; open it first",
            (int)(s - sessions));
    return NULL;
}

rv_trainer *session_trainer(const page_task *task)
{
    const session *s = open_session(task);
    return s ? s->trainer : NULL;
}

const rv_source *session_samples(const page_task *task, const rv_trainer *trainer)
{
    const rv_setup *setup = rv_trainer_setup(trainer);
    return page_number(task, "validation") != 0 ? &setup->validation : &setup->part;
}

rv_batch_program *session_program(const page_task *task)
{
    session *s = open_session(task);
    if (!s) return NULL;
    if (!s->one.program &&
        !rv_batch_program_make(&s->one, rv_trainer_setup(s->trainer), rv_trainer_store(s->trainer),
                               1, false, RV_DEFAULT, task->error))
        return NULL;
    return &s->one;
}

/* ---- settings ---- */

static bool write_text(session *s, const char *text, rv_error *error)
{
    char path[MODEL];
    size_t had;
    snprintf(s->folder, sizeof s->folder, "run%d", (int)(s - sessions));
    snprintf(path, sizeof path, "%s/cell.rv", s->folder);
    return rv_run_folder_make(s->folder, &had, error) && rv_text_file_write(path, text, error);
}

/* Adds the argument "settings" to those of the session. "" unsets an option. */
static void merge_settings(const page_task *task, session *s)
{
    const cJSON *setting;
    if (!s->settings) s->settings = cJSON_CreateObject();
    cJSON_ArrayForEach(setting, cJSON_GetObjectItemCaseSensitive(task->arguments, "settings"))
    {
        cJSON_DeleteItemFromObjectCaseSensitive(s->settings, setting->string);
        cJSON_AddItemToObject(s->settings, setting->string, cJSON_Duplicate(setting, true));
    }
}

static const char *setting_of(const session *s, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(s->settings, key));
    return text ? text : "";
}

/* The configuration borrows its strings from the session. The model "" is the last of the text,
 * ":NAME" the one of that name there, and any other a built-in one. */
static bool configure(session *s, rv_train_config *config, rv_error *error)
{
    const cJSON *setting;
    const char *model = setting_of(s, "model");
    *config = rv_train_config_new();
    cJSON_ArrayForEach(setting, s->settings)
    {
        const char *value = cJSON_GetStringValue(setting);
        const rv_config_row *row = rv_config_row_find(setting->string, error);
        if (!row) return false;
        if (!value || !*value || (row->kind == RV_CONFIG_FLAG && strcmp(value, "false") == 0))
            continue;
        if (!rv_config_row_set(row, row->key, value, config, error)) return false;
    }
    if (!*model || *model == ':') {
        snprintf(s->model, sizeof s->model, "%s/cell.rv%s", s->folder, model);
        config->net.model = s->model;
    }
    return true;
}

/* ---- the user's samples ---- */

static bool read_joined(const rv_source *joined, uint64_t epoch, int64_t index, void *x, void *y,
                        int32_t *length, rv_error *error)
{
    const session *s = joined->context;
    const rv_source *base = &rv_trainer_setup(s->base)->part;
    const int64_t own = index - base->count;
    if (own < 0) return base->read(base, epoch, index, x, y, length, error);
    const int64_t xs = rv_shape_count(joined->x), ys = rv_shape_count(joined->y);
    for (int64_t i = 0; i < xs; i++) {
        const float value = s->own.x[own * xs + i];
        if (joined->x_type == RV_I32)
            ((int32_t *)x)[i] = (int32_t)value;
        else
            ((float *)x)[i] = value;
    }
    for (int64_t i = 0; i < ys; i++) {
        const float value = s->own.y[own * ys + i];
        if (joined->y_type == RV_I32)
            ((int32_t *)y)[i] = (int32_t)value;
        else
            ((float *)y)[i] = value;
    }
    *length = (int32_t)(joined->sequence ? joined->x.dim[0] : 1);
    return true;
}

static bool read_array(const page_task *task, const char *name, int64_t n, float *to)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(task->arguments, name), *item;
    if (cJSON_GetArraySize(array) != n)
        return rv_fail(task->error, RV_ERROR_SHAPE, "%s has %d number(s), a sample of this run %d",
                       name, cJSON_GetArraySize(array), (int)n);
    cJSON_ArrayForEach(item, array) *to++ = (float)item->valuedouble;
    return true;
}

static bool grow(float **numbers, int64_t count, int64_t size, rv_error *error)
{
    float *more = realloc(*numbers, (size_t)((count + 1) * size) * sizeof *more);
    if (!more) return rv_fail_memory(error);
    *numbers = more;
    return true;
}

static bool append_sample(const page_task *task, session *s)
{
    const rv_source *data = &rv_trainer_setup(s->trainer)->data;
    const int64_t xs = rv_shape_count(data->x), ys = rv_shape_count(data->y), n = s->own.count;
    if (!grow(&s->own.x, n, xs, task->error) || !grow(&s->own.y, n, ys, task->error) ||
        !read_array(task, "x", xs, s->own.x + n * xs) ||
        !read_array(task, "y", ys, s->own.y + n * ys))
        return false;
    for (int64_t i = 0; data->classes > 0 && i < ys; i++) {
        const float label = s->own.y[n * ys + i];
        if (!(label >= 0 && label < (float)data->classes) || label != floorf(label))
            return rv_fail(task->error, RV_ERROR_ARGUMENT,
                           "the label is %g, expected one of 0 to %d", (double)label,
                           (int)data->classes - 1);
    }
    s->own.count++;
    return true;
}

/* A trainer on the samples of `base`, and the user's. It needs `base`, which becomes the session's;
 * on failure it is freed. The base before stays, because the trainer before needs it. */
static rv_trainer *with_own(session *s, rv_trainer *base, rv_error *error)
{
    rv_trainer *before = s->base;
    rv_train_config config = *rv_trainer_config(base);
    const rv_source *part = &rv_trainer_setup(base)->part;
    config.data = rv_train_config_new().data;
    config.strings = NULL;
    s->base = base;
    s->joined = *part;
    s->joined.count += s->own.count;
    s->joined.read = read_joined;
    s->joined.close = NULL;
    s->joined.context = s;
    const rv_train_parts parts = {.data = &s->joined,
                                  .validation = &rv_trainer_setup(base)->validation};
    rv_trainer *t = rv_trainer_new_with(&config, &parts, error);
    if (t) return t;
    rv_trainer_free(base);
    s->base = before;
    return NULL;
}

/* ---- a trainer for the settings ---- */

static bool on_update(void *context, const rv_trainer *trainer)
{
    session *s = context;
    slice *c = &s->slice;
    const rv_run_state *at = &rv_trainer_result(trainer)->at;
    if (at->batch == 1) c->sum = 0, c->seen = 0;
    const double loss = (at->loss_sum - c->sum) / (double)(at->seen - c->seen);
    c->sum = at->loss_sum;
    c->seen = at->seen;
    if (c->kept == MOST_LOSSES) { /* keep every other one */
        for (int64_t i = 0; i < MOST_LOSSES / 2; i++) c->losses[i] = c->losses[2 * i];
        c->kept = MOST_LOSSES / 2;
        c->stride *= 2;
    }
    if (c->updates % c->stride == 0) c->losses[c->kept++] = loss;
    c->updates++;
    s->updates++;
    return c->updates < c->most && now() < c->until;
}

/* Makes the trainer that the settings describe, next to the session's. */
static rv_trainer *new_trainer(session *s, rv_error *error)
{
    rv_train_config config;
    rv_trainer *t = configure(s, &config, error) ? rv_trainer_new(&config, error) : NULL;
    if (t && s->own.count > 0) t = with_own(s, t, error);
    if (t && !rv_trainer_observe(t, (rv_observer){.on_update = on_update, .context = s}, error)) {
        rv_trainer_free(t);
        t = NULL;
    }
    return t;
}

/* Copies what an optimizer remembers, but for learning rates, to the store of a trainer that has
 * not trained. */
static bool copy_moments(rv_store *to, const rv_store *from, rv_error *error)
{
    for (size_t i = 0; i < rv_store_count(from); i++) {
        const rv_entry *entry = rv_store_at(from, i);
        const rv_tensor *x = &entry->tensor;
        if (strncmp(entry->name, "optimizer/", 10) || rv_is_learning_rate(entry) ||
            strcmp(entry->name, "optimizer/plateau") == 0)
            continue;
        rv_entry *copy =
            rv_store_get(to, entry->name, RV_STATE, x->dtype, x->shape, rv_init_constant(0), error);
        if (!copy || !rv_tensor_copy(&copy->tensor, x, error)) return false;
    }
    return true;
}

/* For the same parameters, too. */
static bool same_optimizer(const rv_trainer *a, const rv_trainer *b)
{
    const rv_setup *x = rv_trainer_setup(a), *y = rv_trainer_setup(b);
    return strcmp(x->model->name, y->model->name) == 0 &&
           strcmp(x->optimizer.name, y->optimizer.name) == 0 && x->dtype == y->dtype;
}

/* Replaces the trainer by one that starts from the parameters in a file and, with `on`, from the
 * moments of an equal optimizer. */
static bool replace_trainer(session *s, const char *parameters, bool on, rv_error *error)
{
    rv_trainer *base = s->base, *t = new_trainer(s, error);
    if (!t || !rv_trainer_initialize(t, parameters, true, error) ||
        (on && same_optimizer(s->trainer, t) &&
         !copy_moments(rv_trainer_store(t), rv_trainer_store(s->trainer), error))) {
        rv_trainer_free(t);
        if (s->base != base) rv_trainer_free(s->base);
        s->base = base;
        return false;
    }
    rv_batch_program_free(&s->one);
    rv_trainer_free(s->trainer);
    if (s->base != base) rv_trainer_free(base);
    s->trainer = t;
    s->epochs = 0;
    return true;
}

/* ---- what the page learns of a run ---- */

static void add_settings(cJSON *result, const rv_train_config *config)
{
    cJSON *settings = cJSON_AddObjectToObject(result, "settings");
    for (int i = 0; i < rv_config_row_count(); i++) {
        const rv_config_row *row = rv_config_row_at(i);
        const void *value = (const char *)config + row->offset;
        char text[32];
        if (!rv_config_row_is_set(row, config)) continue;
        switch (row->kind) {
        case RV_CONFIG_FLAG: snprintf(text, sizeof text, "true"); break;
        case RV_CONFIG_WHOLE:
            snprintf(text, sizeof text, "%lld", (long long)*(const int64_t *)value);
            break;
        case RV_CONFIG_TEXT: break;
        default: snprintf(text, sizeof text, "%.9g", *(const double *)value);
        }
        cJSON_AddStringToObject(settings, row->key,
                                row->kind == RV_CONFIG_TEXT ? *(const char *const *)value : text);
    }
}

static bool describe(const page_task *task, session *s)
{
    const rv_trainer *t = s->trainer;
    const rv_setup *setup = rv_trainer_setup(t);
    const rv_train_config *config = rv_trainer_config(t);
    const rv_source *data = &setup->data;
    rv_store *store = rv_trainer_store(t);
    cJSON *result = task->result;
    if (!session_program(task)) return false; /* its recording creates the parameters */
    add_settings(result, config);
    cJSON_AddStringToObject(result, "model", setup->model->name);
    cJSON *parameters = cJSON_AddArrayToObject(result, "parameters");
    for (size_t i = 0; i < rv_store_count(store); i++) {
        const rv_entry *entry = rv_store_at(store, i);
        if (entry->role != RV_PARAMETER) continue;
        cJSON *parameter = page_append(parameters);
        cJSON_AddStringToObject(parameter, "name", entry->name);
        json_add_shape(parameter, "shape", entry->tensor.shape);
    }
    cJSON_AddNumberToObject(result, "parameterCount", (double)rv_store_parameters(store));
    cJSON_AddNumberToObject(result, "trainingSamples", (double)setup->part.count);
    cJSON_AddNumberToObject(result, "validationSamples", (double)setup->validation.count);
    cJSON_AddNumberToObject(result, "batchSize", (double)config->loop.batch_size);
    cJSON_AddNumberToObject(result, "classes", (double)data->classes);
    cJSON_AddNumberToObject(result, "tokens", (double)data->tokens);
    json_add_shape(result, "x", data->x);
    json_add_shape(result, "y", data->y);
    cJSON_AddNumberToObject(result, "steps",
                            (double)(data->sequence ? data->x.dim[0] : setup->net.steps));
    cJSON_AddBoolToObject(result, "sequence", data->sequence);
    return true;
}

static void add_epoch(cJSON *array, const rv_epoch *e)
{
    cJSON *row = page_append(array);
    json_add_number(row, "epoch", (double)e->epoch);
    json_add_number(row, "loss", e->loss);
    json_add_number(row, "validationLoss", e->validation_loss);
    json_add_number(row, "validationAccuracy", e->validation_accuracy);
    json_add_number(row, "validationError", e->validation_error);
    json_add_number(row, "seconds", e->seconds);
}

/* ---- functions ---- */

bool page_open(page_task *task)
{
    session *s = session_of(task);
    if (!s) return false;
    session before = *s;
    memset(s, 0, sizeof *s);
    s->text = strdup(page_text(task, "text")); /* NULL: write_text reports it */
    merge_settings(task, s);
    if (write_text(s, s->text, task->error) && (s->trainer = new_trainer(s, task->error)) &&
        describe(task, s)) {
        close_session(&before);
        return true;
    }
    close_session(s);
    *s = before;
    if (s->trainer) write_text(s, s->text, NULL);
    return false;
}

bool page_change(page_task *task)
{
    char path[MODEL];
    session *s = open_session(task);
    if (!s) return false;
    cJSON *before = cJSON_Duplicate(s->settings, true);
    merge_settings(task, s);
    snprintf(path, sizeof path, "%s/parameters.safetensors", s->folder);
    const bool ok = rv_store_save(rv_trainer_store(s->trainer), path, task->error) &&
                    replace_trainer(s, path, true, task->error);
    cJSON_Delete(ok ? before : s->settings);
    if (!ok) s->settings = before;
    return ok && describe(task, s);
}

bool page_train(page_task *task)
{
    session *s = open_session(task);
    if (!s) return false;
    const rv_train_result *r = rv_trainer_result(s->trainer);
    const double updates = page_number(task, "updates"), limit = page_number(task, "milliseconds");
    const double before = r->at.seconds;
    s->slice = (slice){.until = limit > 0 ? now() + 1e-3 * limit : INFINITY,
                       .most = updates >= 1 && updates < 1e15 ? (int64_t)updates : INT64_MAX,
                       .sum = r->at.loss_sum,
                       .seen = r->at.seen,
                       .stride = 1};
    rv_error why = {0};
    const bool ok = rv_trainer_fit(s->trainer, &why);
    cJSON *result = task->result;
    cJSON_AddNumberToObject(result, "epoch", (double)r->at.epoch);
    cJSON_AddNumberToObject(result, "batch", (double)r->at.batch);
    cJSON_AddNumberToObject(result, "updates", (double)s->updates);
    cJSON_AddItemToObject(result, "losses",
                          cJSON_CreateDoubleArray(s->slice.losses, (int)s->slice.kept));
    cJSON *epochs = cJSON_AddArrayToObject(result, "epochs");
    for (int64_t i = s->epochs; i < r->epochs; i++) add_epoch(epochs, &r->history[i]);
    s->epochs = r->epochs;
    json_add_number(result, "updatesPerSecond",
                    (double)s->slice.updates / (r->at.seconds - before));
    cJSON_AddBoolToObject(result, "finished", ok && !r->interrupted);
    cJSON_AddStringToObject(result, "error", why.text);
    return true;
}

bool page_closeRun(page_task *task)
{
    session *s = session_of(task);
    if (s) close_session(s);
    return s;
}

bool page_digest(page_task *task)
{
    const session *s = open_session(task);
    char text[RV_DIGEST_TEXT];
    if (!s) return false;
    cJSON_AddStringToObject(task->result, "digest",
                            rv_store_digest(rv_trainer_store(s->trainer), text));
    return true;
}

/* ---- samples and predictions ---- */

/* p[0 .. n-1] become probabilities. A single number is the logit of the second of two classes. */
static void softmax(float *p, int64_t n)
{
    float most = p[0], sum = 0;
    for (int64_t i = 1; i < n; i++) most = fmaxf(most, p[i]);
    for (int64_t i = 0; i < n; i++) sum += p[i] = expf(p[i] - most);
    for (int64_t i = 0; i < n; i++) p[i] /= sum;
}

/* Adds the output of the net: of labels, the probabilities of the classes, at each step if the
 * labels are. */
static bool add_output(page_task *task, cJSON *object, const rv_batch_program *b,
                       const rv_source *data)
{
    const rv_tensor *output = rv_program_output(b->program, 1);
    const int64_t count = rv_tensor_count(output), classes = data->classes;
    const int64_t labels = rv_shape_count(data->y);
    const bool logit = classes == 2 && count == labels;
    float *p = page_add_numbers(task, object, "output", (size_t)(logit ? 2 * count : count));
    if (!p) return false;
    for (int64_t i = 0; i < count; i++) {
        p[logit ? 2 * i + 1 : i] = (float)rv_tensor_get(output, i);
        if (logit) p[2 * i] = 0;
    }
    const bool each = logit || (classes > 0 && count == labels * classes);
    for (int64_t i = 0; each && i < labels; i++) softmax(p + i * classes, classes);
    return true;
}

static bool run_one(const page_task *task, const rv_batch_program *b)
{
    const rv_code code = rv_run(b->program);
    return code == RV_OK || rv_fail(task->error, code, "run: %s", rv_code_text(code));
}

static bool add_sample(page_task *task, cJSON *object, const rv_batch_program *b,
                       const rv_batch *batch, const rv_source *data)
{
    const bool label = data->classes > 0 && !data->each_step;
    cJSON_AddNumberToObject(object, "label", label ? rv_tensor_get(&batch->y, 0) : -1);
    return page_add_tensor(task, object, "x", &batch->x) &&
           page_add_tensor(task, object, "y", &batch->y) &&
           rv_batch_program_run(b, batch, task->error) && add_output(task, object, b, data);
}

bool page_samples(page_task *task)
{
    rv_batch_program *b = session_program(task);
    if (!b) return false;
    const rv_source *data = session_samples(task, session_trainer(task));
    const double from = page_number(task, "from"), count = page_number(task, "count");
    cJSON_AddNumberToObject(task->result, "total", (double)data->count);
    cJSON *samples = cJSON_AddArrayToObject(task->result, "samples");
    if (!(from >= 0 && from < (double)data->count && count >= 1)) return true;
    const int64_t left = data->count - (int64_t)from;
    rv_source part;
    if (!rv_source_subset(&part, data,
                          (rv_subset){.first = (int64_t)from,
                                      .count = count < (double)left ? (int64_t)count : left,
                                      .in_order = true},
                          task->error))
        return false;
    rv_loader *loader =
        rv_loader_new(&part, &(rv_loader_options){.batch_size = 1, .in_order = true}, task->error);
    bool ok = loader;
    for (int64_t i = 0; ok && i < part.count; i++) {
        const rv_batch *batch = rv_loader_next(loader, task->error);
        cJSON *sample = page_append(samples);
        cJSON_AddNumberToObject(sample, "index", from + (double)i);
        cJSON_AddBoolToObject(sample, "validation", page_number(task, "validation") != 0);
        ok = batch && add_sample(task, sample, b, batch, data);
    }
    rv_loader_free(loader);
    rv_source_close(&part);
    return ok;
}

bool page_predict(page_task *task)
{
    const rv_batch_program *b = session_program(task);
    if (!b) return false;
    const rv_source *data = &rv_trainer_setup(session_trainer(task))->data;
    const int64_t n = rv_tensor_count(b->x);
    float *x = calloc((size_t)n, sizeof *x);
    bool ok = (x || rv_fail_memory(task->error)) && read_array(task, "x", n, x);
    for (int64_t i = 0; ok && i < n; i++) rv_tensor_set(b->x, i, (double)x[i]);
    for (int64_t i = 0; b->y && i < rv_tensor_count(b->y); i++) rv_tensor_set(b->y, i, 0);
    if (b->length) rv_tensor_set(b->length, 0, (double)data->x.dim[0]);
    ok = ok && run_one(task, b) && add_output(task, task->result, b, data);
    free(x);
    return ok;
}

bool page_add(page_task *task)
{
    session *s = open_session(task);
    if (!s || !append_sample(task, s)) return false;
    const bool ok = page_change(task);
    if (!ok) s->own.count--;
    return ok;
}

/* ---- files ---- */

bool page_save(page_task *task)
{
    session *s = open_session(task);
    if (!s) return false;
    /* with defaults, and with the data's options */
    const rv_train_config config = *rv_trainer_config(s->base ? s->base : s->trainer);
    rv_train_result result = *rv_trainer_result(s->trainer);
    char *inputs = rv_inputs_json(&config, s->folder, task->error);
    const bool ok = inputs &&
                    rv_run_folder_start(s->folder, &config, inputs, &result, task->error) &&
                    rv_run_folder_save(s->folder, &config, inputs, rv_trainer_store(s->trainer),
                                       &result, task->error);
    rv_free(inputs);
    cJSON_AddStringToObject(task->result, "folder", s->folder);
    cJSON *files = cJSON_AddArrayToObject(task->result, "files");
    static const char *const names[] = {"checkpoint.safetensors", "config.json", "inputs.json",
                                        "log.csv", "cell.rv"};
    for (int i = 0; ok && i < 5; i++) {
        char path[MODEL];
        snprintf(path, sizeof path, "%s/%s", s->folder, names[i]);
        FILE *file = fopen(path, "rb");
        if (file) {
            cJSON_AddItemToArray(files, cJSON_CreateString(names[i]));
            fclose(file);
        }
    }
    return ok;
}

bool page_load(page_task *task)
{
    session *s = open_session(task);
    return s && replace_trainer(s, page_text(task, "path"), false, task->error) &&
           describe(task, s);
}

bool page_exportC(page_task *task)
{
    const session *s = open_session(task);
    if (!s) return false;
    const rv_exported_net net = exported_net(rv_trainer_setup(s->trainer));
    const char *prefix = page_text(task, "name");
    rv_c_code code = {0};
    const bool ok = rv_export_c(&net, &(rv_c_options){.prefix = prefix},
                                rv_trainer_store(s->trainer), &code, task->error);
    const char *const texts[] = {code.header, code.source, code.test};
    static const char *const endings[] = {".h", ".c", "_test.c"};
    cJSON *files = cJSON_AddArrayToObject(task->result, "files");
    for (int i = 0; ok && i < 3; i++) {
        char name[64];
        cJSON *file = page_append(files);
        snprintf(name, sizeof name, "%.40s%s", prefix, endings[i]);
        cJSON_AddStringToObject(file, "name", name);
        cJSON_AddStringToObject(file, "text", texts[i]);
    }
    rv_c_code_free(&code);
    return ok;
}

bool page_exportOnnx(page_task *task)
{
    const session *s = open_session(task);
    if (!s) return false;
    char path[MODEL];
    size_t size;
    const rv_exported_net net = exported_net(rv_trainer_setup(s->trainer));
    const rv_onnx_options options = {.form = RV_ONNX_UNROLLED};
    snprintf(path, sizeof path, "%s/net.onnx", s->folder);
    unsigned char *bytes =
        rv_export_onnx(&net, &options, rv_trainer_store(s->trainer), &size, task->error);
    const bool ok = bytes && rv_file_write(path, &(rv_bytes){bytes, size}, 1, task->error);
    rv_free(bytes);
    cJSON_AddStringToObject(task->result, "path", path);
    return ok;
}
