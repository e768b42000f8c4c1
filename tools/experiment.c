/* From settings to a model, an optimizer and images. */
#include <inttypes.h>
#include <string.h>

#include "tools/classes.h"
#include "tools/names.h"
#include "tools/recipe.h"
#include "tools/settings.h"

static void set_default(int64_t *value, int64_t standard)
{
    if (*value == 0) *value = standard;
}

static bool choose_model(settings *s, int classes, experiment *e, rv_error *error)
{
    if (s->model == NULL) s->model = "curnn";
    if (s->dtype == NULL) s->dtype = "f32";
    e->model = named_classifier(s->model, error);
    if (e->model == NULL) return false;
    if (strcmp(s->dtype, "f32") != 0 && strcmp(s->dtype, "f64") != 0)
        return rv_fail(error, RV_ERROR_ARGUMENT, "--dtype: got \"%.100s\", expected f32 or f64",
                       s->dtype);
    e->dtype = strcmp(s->dtype, "f64") == 0 ? RV_F64 : RV_F32;

    e->recipe = recipe_for(e->model, classes);
    set_default(&s->epochs, e->recipe.epochs);
    set_default(&s->batch, e->recipe.batch);
    set_default(&s->units, e->recipe.units);
    set_default(&s->steps, e->model->defaults.steps);
    set_default(&s->hidden, e->recipe.hidden);
    set_default(&s->threads, 1);
    e->options = (rv_model_options){.units = s->units,
                                    .steps = s->steps,
                                    .hidden = s->hidden,
                                    .outputs = classes == 2 ? 1 : classes};
    return true;
}

static bool choose_optimizer(settings *s, experiment *e, rv_error *error)
{
    const rv_optimizer *standard =
        s->optimizer == NULL ? &e->recipe.optimizer : named_optimizer(s->optimizer, error);
    if (standard == NULL) return false;
    e->optimizer = *standard;
    if (s->momentum > 0 && standard->momentum == 0)
        return rv_fail(error, RV_ERROR_ARGUMENT, "--momentum: %s has none", standard->name);
    if (s->momentum >= 0) e->optimizer.momentum = s->momentum;
    if (s->rate > 0) e->optimizer.rate = s->rate;
    s->optimizer = standard->name;
    s->momentum = e->optimizer.momentum;
    s->rate = e->optimizer.rate;
    return true;
}

static bool load_images(settings *s, const int *classes, int count, experiment *e, rv_error *error)
{
    rv_dataset all = {0};
    if (!rv_digits(&all, classes, count, error)) return false;
    rv_dataset_scale(&all, e->recipe.pixel_scale);
    set_default(&s->held_out, (all.count + 3) / 6);
    bool ok = s->held_out < all.count ||
              rv_fail(error, RV_ERROR_ARGUMENT,
                      "--held-out: got %" PRId64 " of %" PRId64 " images, expected at most %" PRId64
                      " so that some are left to train on",
                      s->held_out, all.count, all.count - 1);
    ok = ok && rv_dataset_split(&all, s->held_out, rv_seed((uint64_t)s->seed, "split"), &e->train,
                                &e->held_out, error);
    rv_dataset_free(&all);
    return ok;
}

bool experiment_make(settings *s, experiment *e, rv_error *error)
{
    *e = (experiment){0};
    if (s->classes == NULL) s->classes = "0,1";
    int classes[DIGITS], count;
    return classes_parse(s->classes, classes, &count, error) && choose_model(s, count, e, error) &&
           choose_optimizer(s, e, error) && load_images(s, classes, count, e, error);
}

void experiment_free(experiment *e)
{
    rv_dataset_free(&e->train);
    rv_dataset_free(&e->held_out);
}

rv_store *experiment_store(const settings *s, rv_error *error)
{
    rv_store *store = rv_store_new((uint64_t)s->seed);
    if (store == NULL) rv_fail_memory(error);
    if (store != NULL && rv_set_threads(store, (int)s->threads, error)) return store;
    rv_store_free(store);
    return NULL;
}
