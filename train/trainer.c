#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/program.h"
#include "ops/random_internal.h"
#include "tensor/checkpoint_internal.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"
#include "train/trainer/resume.h"
#include "train/trainer/ranks.h"
#include "train/trainer/run_state.h"
#include "train/trainer/share.h"
#include "train/trainer/trainer.h"
#include "train/trainer/tree.h"

/* ---- making one ---- */

bool rv_trainer_is_helper(const rv_trainer *t)
{
    return t->setup.collective && t->setup.collective->rank > 0;
}

static bool make(rv_trainer *t, const rv_train_config *config, const rv_train_parts *parts,
                 rv_error *error)
{
    if (!rv_train_config_copy(&t->config, config, error) ||
        !rv_setup_make(&t->setup, &t->config, parts, error))
        return false;
    if (rv_trainer_is_helper(t)) t->config.loop.output = NULL;
    return (t->store = rv_setup_store(&t->config, error));
}

rv_trainer *rv_trainer_new_with(const rv_train_config *config, const rv_train_parts *parts,
                                rv_error *error)
{
    rv_error why = {0};
    if (!config) {
        rv_fail(error, RV_ERROR_ARGUMENT, "trainer: the configuration is NULL; give one");
        return NULL;
    }
    rv_trainer *t = rv_alloc(1, sizeof *t);
    if (!t) {
        rv_fail_memory(error);
        return NULL;
    }
    t->result.at.epoch = 1;
    t->result.at.squares = NAN;
    if (make(t, config, parts, &why)) return t;
    rv_fail(error, why.code, "%-s", why.text);
    rv_trainer_free(t);
    return NULL;
}

rv_trainer *rv_trainer_new(const rv_train_config *config, rv_error *error)
{
    return rv_trainer_new_with(config, NULL, error);
}

rv_trainer *rv_trainer_new_checked(const rv_train_config *config, rv_error *error)
{
    rv_trainer *t = rv_trainer_new(config, error);
    if (!t || rv_setup_check_given(&t->setup, &t->config, config, error)) return t;
    rv_trainer_free(t);
    return NULL;
}

void rv_trainer_free(rv_trainer *t)
{
    if (!t) return;
    rv_loader_free(t->loader);
    for (int i = 0; i < 2; i++) {
        rv_batch_program_free(&t->update[i]);
        rv_batch_program_free(&t->measure[i]);
    }
    rv_leaves_free(t->leaves);
    rv_folder_unlock(t->lock);
    rv_free(t->inputs);
    rv_store_free(t->store);
    rv_setup_free(&t->setup);
    rv_train_config_free(&t->config);
    rv_free(t->history);
    rv_free(t);
}

bool rv_trainer_observe(rv_trainer *t, rv_observer observer, rv_error *error)
{
    if (!RV_NEEDS(error, t)) return false;
    if (t->observer_count == RV_OBSERVERS)
        return rv_fail(error, RV_ERROR_ARGUMENT, "a trainer has at most %d observer(s)",
                       RV_OBSERVERS);
    t->observers[t->observer_count++] = observer;
    return true;
}

const rv_train_result *rv_trainer_result(const rv_trainer *t) { return t ? &t->result : NULL; }
const rv_train_config *rv_trainer_config(const rv_trainer *t) { return t ? &t->config : NULL; }
const rv_setup *rv_trainer_setup(const rv_trainer *t) { return t ? &t->setup : NULL; }
rv_store *rv_trainer_store(const rv_trainer *t)
{
    if (!t) return NULL;
    return t->store;
}

/* ---- training ---- */

static bool open_loader(rv_trainer *t, rv_error *error)
{
    const rv_setup *s = &t->setup;
    int64_t most = s->training.count, batch = t->config.loop.batch_size;
    rv_loader_options options = {.batch_size = batch < most ? batch : most,
                                 .seed = rv_seed((uint64_t)t->config.loop.seed, "order"),
                                 .in_order = t->config.data.in_order,
                                 .contiguous = s->carry,
                                 .drop_last = s->carry,
                                 .prefetch = s->prefetch,
                                 .parts = s->leaves};
    if (s->leaves) rv_tree_range(s, &options.first, &options.last);
    if (!t->loader) t->loader = rv_loader_new(&s->training, &options, error);
    return t->loader;
}

static rv_epoch epoch_of(const rv_trainer *t)
{
    const rv_run_state *at = &t->result.at;
    const rv_metrics *m = &t->result.validation;
    bool labels = t->setup.data.classes > 0;
    return (rv_epoch){.epoch = at->epoch,
                      .loss = at->loss_sum / (double)(at->seen > 0 ? at->seen : 1),
                      .validation_loss = m->loss,
                      .validation_accuracy = labels ? m->accuracy : NAN,
                      .validation_error = labels ? NAN : m->error,
                      .seconds = at->seconds};
}

/* All epochs are done, or patience has run out. */
static bool at_end(const rv_trainer *t)
{
    const rv_train_result *r = &t->result;
    int64_t patience = t->config.loop.patience;
    return r->epochs >= t->config.loop.epochs ||
           (patience > 0 && r->epochs - r->best_epoch >= patience);
}

/* The first two updates are done. One is not enough: a warm-up begins with learning rate 0. */
static bool two_updates_done(const rv_trainer *t)
{
    const rv_run_state *at = &t->result.at;
    int each = t->setup.optimizer.accumulate;
    return at->epoch * at->batch >= 2 * (int64_t)(each > 1 ? each : 1);
}

/* Validates, and makes room for the epoch in the history. All ranks validate together, whatever
 * this one lacks. */
static bool validate(rv_trainer *t, rv_error *error)
{
    rv_train_result *r = &t->result;
    const rv_setup *s = &t->setup;
    if (!rv_trainer_evaluate(t, &s->validation, &r->validation, error)) return false;
    if (!rv_reserve(&t->history, &t->capacity, (size_t)r->epochs + 1, sizeof *t->history))
        return rv_fail_memory(error);
    r->history = t->history;
    return s->plateau.factor <= 0 ||
           rv_plateau_observe(&s->plateau, t->store, r->validation.loss, NULL, error);
}

static bool finish_epoch(rv_trainer *t, rv_error *error)
{
    rv_train_result *r = &t->result;
    const int64_t random = rv_random_count(t->store);
    if (!validate(t, error)) {
        rv_random_set_count(t->store, random); /* to be repeated with the same random numbers */
        return false;
    }
    rv_epoch *row = &t->history[r->epochs++];
    *row = epoch_of(t);
    bool updated = two_updates_done(t);
    r->at.epoch++;
    r->at.batch = r->at.seen = 0;
    r->at.loss_sum = 0;
    if (r->best_epoch == 0 ||
        row->validation_loss < t->history[r->best_epoch - 1].validation_loss) {
        r->best_epoch = row->epoch;
        t->best_unsaved = true;
    }
    r->unchanged = (updated || at_end(t)) && rv_parameter_squares(t->store) == r->at.squares;
    return rv_keep_after_epoch(t, error);
}

static void notify_epoch(rv_trainer *t)
{
    for (int i = 0; i < t->observer_count; i++) {
        const rv_observer *o = &t->observers[i];
        if (o->on_epoch && !o->on_epoch(o->context, t)) t->stop = true;
    }
}

bool rv_trainer_agree(rv_trainer *t, rv_error *error)
{
    bool stop = t->stop, ok = rv_ranks_agree(t->setup.collective, &stop, error);
    t->result.interrupted = t->result.interrupted || stop;
    return ok;
}

static bool train(rv_trainer *t, rv_error *error)
{
    rv_train_result *r = &t->result;
    while (!at_end(t) && !r->interrupted) {
        if (!rv_train_epoch(t, error)) return false;
        if (r->interrupted) break;
        finish_epoch(t, error);
        if (rv_trainer_agree(t, error) && rv_share_check(t, error)) notify_epoch(t);
        if (!rv_trainer_agree(t, error)) return false;
    }
    t->stop = false; /* all ranks have learned of it */
    r->interrupted = r->interrupted && !at_end(t);
    r->samples_per_second = (double)r->at.learned / r->at.seconds;
    rv_keep_now(t, error);
    return rv_trainer_agree(t, error);
}

static bool measure_end(rv_trainer *t, rv_error *error)
{
    rv_train_result *r = &t->result;
    bool measured = r->validation.samples > 0; /* false: no epoch was left to do */
    bool comparable = t->setup.data.classes > 0 || !t->setup.model->record;
    /* Ranks evaluate together, whatever this one lacks. */
    bool digested = *rv_store_digest(t->store, r->digest) != '\0' || rv_fail_memory(error);
    return (measured || rv_trainer_evaluate(t, &t->setup.validation, &r->validation, error)) &&
           rv_trainer_evaluate(t, &t->setup.sample, &r->training, error) &&
           (!comparable || rv_baseline_find(&t->setup.validation, &r->baseline, error)) && digested;
}

static void continue_from(rv_trainer *t, const rv_train_result *result, rv_epoch *history)
{
    rv_free(t->history);
    t->result = *result;
    t->history = history;
    t->capacity = (size_t)result->epochs;
    t->unsaved = t->best_unsaved = false;
}

static bool open_leaves(rv_trainer *t, rv_error *error)
{
    const int64_t batch = t->config.loop.batch_size, count = t->setup.training.count;
    if (t->setup.leaves && !t->leaves)
        t->leaves = rv_leaves_new(&t->setup, t->store, batch < count ? batch : count, error);
    return t->leaves || !t->setup.leaves;
}

/* What a rank does alone comes first; then all begin where rank 0 is. */
static bool begin(rv_trainer *t, rv_error *error)
{
    rv_train_result result;
    rv_epoch *history;
    if (rv_keep_start(t, error) && open_loader(t, error)) open_leaves(t, error);
    if (!rv_trainer_agree(t, error)) return false;
    if (!t->setup.collective) return true;
    bool ok = rv_share_run(t, &result, &history, error);
    if (ok && rv_trainer_is_helper(t))
        continue_from(t, &result, history);
    else
        rv_free(history);
    return ok;
}

bool rv_trainer_fit(rv_trainer *t, rv_error *error)
{
    if (!RV_NEEDS(error, t)) return false;
    rv_error why = {0};
    rv_train_result *r = &t->result;
    r->interrupted = r->diverged = t->stop = false;
    if (begin(t, &why) && train(t, &why) && !r->interrupted) measure_end(t, &why);
    bool ok = rv_trainer_agree(t, &why);
    r->diverged = why.code == RV_ERROR_NUMBER;
    return ok || rv_fail(error, why.code, "%-s", why.text);
}

bool rv_trainer_evaluate(rv_trainer *t, const rv_source *data, rv_metrics *metrics, rv_error *error)
{
    if (!RV_NEEDS(error, t, data, metrics)) return false;
    return rv_measure(&t->setup, t->store, t->measure, data, t->config.loop.batch_size, metrics,
                      error);
}

/* ---- saving and loading ---- */

bool rv_trainer_save(rv_trainer *t, rv_error *error)
{
    if (!RV_NEEDS(error, t)) return false;
    if (!t->config.loop.output)
        return rv_fail(error, RV_ERROR_ARGUMENT, "`output` names no folder to save the run in");
    t->unsaved = true;
    return rv_keep_start(t, error) && rv_keep_now(t, error);
}

/* Reads the run without locking its folder, in which another trainer may be writing. */
static bool read_run(rv_trainer *t, rv_error *skipped, rv_error *changed, rv_error *error)
{
    rv_error why = {0};
    rv_train_result result;
    rv_checkpoint_mark mark;
    rv_epoch *history = NULL;
    if (!rv_run_folder_mark(t->config.loop.output, &mark, error)) return false;
    if (!rv_resume(t, &result, &history, skipped, changed, &why)) {
        rv_free(history);
        return rv_fail(error, why.code, "%-s", why.text);
    }
    continue_from(t, &result, history);
    t->resumed = true;
    t->mark = mark;
    return true;
}

bool rv_trainer_resume(rv_trainer *t, rv_error *skipped, rv_error *changed, rv_error *error)
{
    if (!RV_NEEDS(error, t)) return false;
    const char *folder = t->config.loop.output;
    rv_folder_lock *held = t->lock;
    if (rv_trainer_is_helper(t)) return true; /* rv_trainer_fit gives it rank 0's run */
    if (!folder)
        return rv_fail(error, RV_ERROR_ARGUMENT, "`output` names no folder to resume a run from");
    if (!held) t->lock = rv_folder_lock_take(folder, error);
    if (t->lock && read_run(t, skipped, changed, error)) return true;
    if (!held) rv_folder_unlock(t->lock);
    t->lock = held;
    return false;
}

rv_trainer *rv_trainer_open(const char *folder, int64_t epochs, rv_error *error)
{
    if (!RV_NEEDS(error, folder)) return NULL;
    rv_train_config config = rv_train_config_new();
    rv_trainer *t = NULL;
    if (rv_train_config_of_run(&config, folder, error)) {
        config.loop.output = folder;
        if (epochs > 0) config.loop.epochs = epochs;
        t = rv_trainer_new(&config, error);
    }
    rv_train_config_free(&config);
    if (t && read_run(t, NULL, NULL, error)) return t;
    rv_trainer_free(t);
    return NULL;
}

bool rv_trainer_pack(const rv_trainer *t, unsigned char **bytes, size_t *size, rv_error *error)
{
    rv_sink sink = {0};
    char *run = rv_run_state_json(&t->result), *config = rv_train_config_json(&t->config);
    const rv_metadata metadata[] = {{"run", run}, {"config", config}};
    const bool ok =
        run && config ? rv_store_put(t->store, &sink, metadata, 2, error) : rv_fail_memory(error);
    rv_free(run);
    rv_free(config);
    *bytes = sink.bytes;
    *size = sink.size;
    return ok;
}

bool rv_trainer_unpack(rv_trainer *t, const unsigned char *bytes, size_t size, rv_error *error)
{
    rv_train_result result;
    rv_epoch *history = NULL;
    if (rv_resume_packed(t, bytes, size, &result, &history, error)) {
        continue_from(t, &result, history);
        return true;
    }
    rv_free(history);
    return false;
}
