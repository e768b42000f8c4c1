#include "train/setup/defaults.h"

#include <string.h>

/* The first row that fits counts. */
static const struct row {
    const char *model, *task; /* NULL: any */
    int64_t classes;          /* up to */
    const char *optimizer;
    double rate, momentum;
    struct {
        const char *pattern;
        double rate;
    } group[2];
    int64_t layers, units, head_units, epochs, batch_size;
    double clip_norm;
} rows[] = {
    /* The article's own: an image at a time, raw pixels, next to no momentum. */
    {"curnn-blog",
     NULL,
     2,
     "momentum",
     0.1,
     1e-5,
     {{"Wx?", 8e-6}, {"Wrec?", 8e-9}},
     1,
     1,
     34,
     100,
     1,
     0},
    {"curnn", "digits", 2, "momentum", 0.05, 0.9, {{0}}, 1, 1, 34, 10, 10, 0},
    {NULL, "digits", 2, "momentum", 0.05, 0.9, {{0}}, 1, 16, 34, 10, 10, 0},
    {NULL, "digits", 10, "adam", 1e-3, 0.9, {{0}}, 1, 32, 64, 40, 20, 0},
    {NULL, "moving-digits", 0, "adam", 3e-3, 0.9, {{0}}, 1, 16, 0, 6, 16, 1},
    {NULL, "arithmetic", INT64_MAX, "adam", 3e-3, 0.9, {{0}}, 2, 128, 0, 20, 50, 1},
    {NULL, "text", INT64_MAX, "adam", 3e-3, 0.9, {{0}}, 1, 128, 0, 10, 32, 1},
    {NULL, "file", INT64_MAX, "adam", 1e-3, 0.9, {{0}}, 1, 32, 64, 10, 32, 0},
    {NULL, NULL, INT64_MAX, "adam", 3e-3, 0.9, {{0}}, 1, 64, 0, 20, 50, 1},
};

const char *rv_defaults_name(const rv_model *model)
{
    const rv_model *known = rv_model_find(model->name);
    return known ? known->name : model->name;
}

static bool fits(const struct row *row, const rv_model *model, const char *task, int64_t classes)
{
    return (!row->model || strcmp(row->model, rv_defaults_name(model)) == 0) &&
           (!row->task || strcmp(row->task, task) == 0) && classes <= row->classes;
}

rv_defaults rv_defaults_for(const rv_model *model, const char *task, int64_t classes)
{
    const struct row *row = rows;
    while (!fits(row, model, task, classes)) row++;
    rv_defaults r = {.optimizer = *rv_optimizer_find(row->optimizer),
                     .layers = row->layers,
                     .units = row->units,
                     .head_units = row->head_units,
                     .epochs = row->epochs,
                     .batch_size = row->batch_size,
                     .clip_norm = row->clip_norm};
    r.optimizer.learning_rate = row->rate;
    r.optimizer.momentum = row->momentum;
    for (int i = 0; i < 2 && row->group[i].pattern; i++) {
        r.optimizer.group[i].pattern = row->group[i].pattern;
        r.optimizer.group[i].learning_rate = row->group[i].rate;
    }
    return r;
}
