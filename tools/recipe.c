#include "tools/recipe.h"

#include <string.h>

static const struct row {
    const char *model; /* NULL: any other */
    int classes;       /* up to */
    double pixel_scale;
    const char *optimizer;
    double rate, momentum;
    struct {
        const char *pattern;
        double rate;
    } group[2];
    int64_t units, hidden; /* at least */
    int64_t epochs, batch;
} rows[] = {
    /* The article's own: an image at a time, raw pixels, next to no momentum. */
    {"curnn-blog", 10, 1, "momentum", 0.1, 1e-5, {{"Wx?", 8e-6}, {"Wrec?", 8e-9}}, 1, 1, 100, 1},
    {NULL, 2, 1.0 / 16, "momentum", 0.05, 0.9, {{NULL, 0}}, 1, 1, 10, 10},
    {NULL, 10, 1.0 / 16, "adam", 1e-3, 0.9, {{NULL, 0}}, 32, 64, 40, 20},
};

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

recipe recipe_for(const rv_model *model, int classes)
{
    const struct row *row = rows;
    while ((row->model != NULL && strcmp(row->model, model->name) != 0) || row->classes < classes)
        row++;
    recipe r = {.pixel_scale = row->pixel_scale,
                .optimizer = *rv_optimizer_find(row->optimizer),
                .units = larger(row->units, model->defaults.units),
                .hidden = larger(row->hidden, model->defaults.hidden),
                .epochs = row->epochs,
                .batch = row->batch};
    r.optimizer.rate = row->rate;
    r.optimizer.momentum = row->momentum;
    for (int i = 0; i < 2 && row->group[i].pattern != NULL; i++) {
        r.optimizer.group[i].pattern = row->group[i].pattern;
        r.optimizer.group[i].rate = row->group[i].rate;
    }
    return r;
}
