#include "train/baseline.h"

#include <math.h>

#include "tensor/memory.h"
#include "tensor/needs_internal.h"
#include "train/setup.h"

/* One sample's memory, and what is counted. */
typedef struct counting {
    const rv_source *data;
    void *x, *y;
    int64_t numbers;    /* of a y */
    int64_t *labels;    /* [classes] how often each */
    double *sum, *seen; /* [numbers] their sums over the samples, and of how many */
    double square, copied, answers;
} counting;

static bool counting_new(counting *c, const rv_source *data, rv_error *error)
{
    *c = (counting){.data = data, .numbers = rv_shape_count(data->y)};
    c->x = rv_alloc((size_t)rv_shape_count(data->x), sizeof(float));
    c->y = rv_alloc((size_t)c->numbers, sizeof(float));
    c->labels = rv_alloc((size_t)data->classes + 1, sizeof *c->labels);
    c->sum = rv_alloc((size_t)c->numbers, sizeof *c->sum);
    c->seen = rv_alloc((size_t)c->numbers, sizeof *c->seen);
    return (c->x && c->y && c->labels && c->sum && c->seen) || rv_fail_memory(error);
}

static void counting_free(counting *c)
{
    rv_free(c->x);
    rv_free(c->y);
    rv_free(c->labels);
    rv_free(c->sum);
    rv_free(c->seen);
}

static bool is_film(const rv_source *data)
{
    return data->classes == 0 && data->tokens == 0 && data->each_step &&
           rv_shape_equal(data->x, data->y);
}

static void count_sample(counting *c, int32_t length)
{
    const rv_source *data = c->data;
    int64_t steps = data->each_step ? data->y.dim[0] : 1, each = c->numbers / steps;
    int64_t counted = data->each_step && data->lengths ? length * each : c->numbers;
    for (int64_t i = 0; i < counted; i++) {
        c->answers++;
        if (data->classes > 0) {
            c->labels[((const int32_t *)c->y)[i]]++;
            continue;
        }
        double y = (double)((const float *)c->y)[i];
        c->sum[i] += y;
        c->seen[i]++;
        c->square += y * y;
        if (is_film(data)) c->copied += pow(y - (double)((const float *)c->x)[i], 2);
    }
}

static void judge(const counting *c, rv_baseline *b)
{
    double mean = 0;
    *b = (rv_baseline){.text = c->data->classes == 0        ? "the mean"
                               : rv_source_is_text(c->data) ? "constant probabilities"
                                                            : "the most frequent label"};
    for (int64_t k = 0; k < c->data->classes; k++) {
        double fraction = (double)c->labels[k] / c->answers;
        b->accuracy = fmax(b->accuracy, fraction);
        if (fraction > 0) b->loss -= fraction * log(fraction);
    }
    if (c->data->classes > 0) return;
    for (int64_t i = 0; i < c->numbers; i++)
        if (c->seen[i] > 0) mean += c->sum[i] * c->sum[i] / c->seen[i];
    b->loss = (c->square - mean) / c->answers;
    if (!is_film(c->data) || c->copied / c->answers >= b->loss) return;
    b->loss = c->copied / c->answers;
    b->text = "the last frame";
}

bool rv_baseline_find(const rv_source *data, rv_baseline *b, rv_error *error)
{
    if (!RV_NEEDS(error, data, b)) return false;
    counting c;
    bool ok = counting_new(&c, data, error);
    for (int64_t i = 0; ok && i < data->count; i++) {
        int32_t length = 1;
        ok = rv_source_read(data, 0, i, c.x, c.y, &length, error);
        if (ok) count_sample(&c, length);
    }
    if (ok) judge(&c, b);
    counting_free(&c);
    return ok;
}
