/* How well a run's net does, and what it has to beat. */
#include <math.h>

#include "tools/cli/json.h"
#include "tools/playground/module/session.h"

static bool add_measured(page_task *task, const char *name, const rv_source *samples)
{
    rv_metrics m;
    rv_trainer *trainer = session_trainer(task);
    if (!rv_trainer_evaluate(trainer, samples, &m, task->error)) return false;
    const int64_t classes = rv_trainer_setup(trainer)->data.classes;
    cJSON *object = cJSON_AddObjectToObject(task->result, name);
    json_add_number(object, "samples", (double)m.samples);
    json_add_number(object, "loss", m.loss);
    json_add_number(object, "accuracy", classes > 0 ? m.accuracy : NAN);
    json_add_number(object, "error", classes > 0 ? NAN : m.error);
    cJSON *confusion = cJSON_AddArrayToObject(object, "confusion");
    for (int64_t label = 0; classes <= RV_CONFUSION_CLASSES && label < classes; label++) {
        cJSON *row = cJSON_CreateArray();
        cJSON_AddItemToArray(confusion, row);
        for (int64_t answer = 0; answer < classes; answer++)
            cJSON_AddItemToArray(row, cJSON_CreateNumber((double)m.confusion[label][answer]));
    }
    return true;
}

/* A model of a text may have a loss of its own for numbers, which no baseline can be compared
 * with. */
static bool add_baseline(page_task *task, const rv_setup *setup)
{
    rv_baseline baseline = {0};
    const bool comparable = setup->data.classes > 0 || !setup->model->record;
    if (comparable && !rv_baseline_find(&setup->validation, &baseline, task->error)) return false;
    if (!baseline.text) return cJSON_AddNullToObject(task->result, "baseline");
    cJSON *object = cJSON_AddObjectToObject(task->result, "baseline");
    cJSON_AddStringToObject(object, "text", baseline.text);
    json_add_number(object, "loss", baseline.loss);
    json_add_number(object, "accuracy", setup->data.classes > 0 ? baseline.accuracy : NAN);
    return true;
}

bool page_measure(page_task *task)
{
    const rv_trainer *trainer = session_trainer(task);
    if (!trainer) return false;
    const rv_setup *setup = rv_trainer_setup(trainer);
    return add_measured(task, "training", &setup->sample) &&
           add_measured(task, "validation", &setup->validation) && add_baseline(task, setup);
}
