/* Tasks on numbers: capacity, random-function, memory, adding, parity, parentheses. */
#include <string.h>

#include "data/tasks/task.h"

/* capacity, random-function: the input comes at the first step and is the same in each epoch. */

static void describe_capacity(rv_source *s, const rv_task_options *o)
{
    s->x = RV_SHAPE(o->length, o->size);
    s->y = RV_SCALAR;
    s->classes = 2;
}

static void describe_function(rv_source *s, const rv_task_options *o)
{
    s->x = RV_SHAPE(o->length, o->size);
    s->y = RV_SHAPE(1);
}

/* Draws random bits into x. The returned stream continues with the answer. */
static rv_draw read_pattern(const rv_source *s, int64_t index, float *x)
{
    rv_draw draw = rv_draw_new(s, 0, index);
    int64_t size = s->x.dim[1];
    memset(x, 0, (size_t)rv_shape_count(s->x) * sizeof *x);
    for (int64_t i = 0; i < size; i++) x[i] = (float)rv_draw_below(&draw, 2);
    return draw;
}

static bool read_capacity(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                          int32_t *length, rv_error *error)
{
    (void)epoch, (void)length, (void)error;
    rv_draw draw = read_pattern(s, index, x);
    *(int32_t *)y = (int32_t)rv_draw_below(&draw, 2);
    return true;
}

static bool read_function(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                          int32_t *length, rv_error *error)
{
    (void)epoch, (void)length, (void)error;
    rv_draw draw = read_pattern(s, index, x);
    *(float *)y = (float)rv_draw_normal(&draw);
    return true;
}

const rv_task_kind rv_task_capacity = {
    .task = {"capacity",
             "random labels of random bits, to be memorized; size: bits",
             "accuracy 0.5: always the same label",
             {1000, 5, 64, 0},
             true},
    .least_length = 1,
    .least_size = 1,
    .describe = describe_capacity,
    .read = read_capacity,
};

const rv_task_kind rv_task_random_function = {
    .task = {"random-function",
             "random numbers for random bits, to be memorized; size: bits",
             "MSE 1: always 0",
             {1000, 5, 64, 0},
             true},
    .least_length = 1,
    .least_size = 1,
    .describe = describe_function,
    .read = read_function,
};

/* memory */

static void describe_memory(rv_source *s, const rv_task_options *o)
{
    s->x = RV_SHAPE(o->length, o->size);
    s->y = RV_SHAPE(o->size);
}

static bool read_memory(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                        int32_t *length, rv_error *error)
{
    (void)length, (void)error;
    rv_draw draw = rv_draw_new(s, epoch, index);
    int64_t size = s->x.dim[1];
    float *shown = x;
    memset(x, 0, (size_t)rv_shape_count(s->x) * sizeof *shown);
    for (int64_t i = 0; i < size; i++) shown[i] = (float)rv_draw_normal(&draw);
    memcpy(y, x, (size_t)size * sizeof *shown);
    return true;
}

const rv_task_kind rv_task_memory = {
    .task = {"memory",
             "random numbers, shown once, to be repeated at the end; size: numbers",
             "MSE 1: always 0",
             {10000, 10, 64, 0},
             false},
    .least_length = 1,
    .least_size = 1,
    .describe = describe_memory,
    .read = read_memory,
};

/* adding */

static void describe_adding(rv_source *s, const rv_task_options *o)
{
    s->x = RV_SHAPE(o->length, 2);
    s->y = RV_SHAPE(1);
}

static bool read_adding(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                        int32_t *length, rv_error *error)
{
    (void)length, (void)error;
    rv_draw draw = rv_draw_new(s, epoch, index);
    int64_t steps = s->x.dim[0], half = steps / 2;
    float *row = x;
    for (int64_t t = 0; t < steps; t++) {
        row[2 * t] = (float)rv_draw_uniform(&draw);
        row[2 * t + 1] = 0;
    }
    int64_t first = rv_draw_below(&draw, half);
    int64_t second = half + rv_draw_below(&draw, steps - half);
    row[2 * first + 1] = row[2 * second + 1] = 1;
    *(float *)y = row[2 * first] + row[2 * second];
    return true;
}

const rv_task_kind rv_task_adding = {
    .task = {"adding",
             "the sum of the two marked numbers of a sequence",
             "MSE 0.167: always 1",
             {10000, 100, 0, 0},
             false},
    .least_length = 2,
    .describe = describe_adding,
    .read = read_adding,
};

/* parity */

static void describe_parity(rv_source *s, const rv_task_options *o)
{
    s->x = RV_SHAPE(o->length, 1);
    s->y = RV_SCALAR;
    s->classes = 2;
}

static bool read_parity(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                        int32_t *length, rv_error *error)
{
    (void)length, (void)error;
    rv_draw draw = rv_draw_new(s, epoch, index);
    float *bit = x;
    int32_t odd = 0;
    for (int64_t t = 0; t < s->x.dim[0]; t++) {
        int32_t drawn = (int32_t)rv_draw_below(&draw, 2);
        bit[t] = (float)drawn;
        odd ^= drawn;
    }
    *(int32_t *)y = odd;
    return true;
}

const rv_task_kind rv_task_parity = {
    .task = {"parity",
             "whether an odd number of bits is 1",
             "accuracy 0.5: always the same label",
             {10000, 16, 0, 0},
             false},
    .least_length = 1,
    .describe = describe_parity,
    .read = read_parity,
};

/* parentheses */

enum { OPEN, CLOSE, NOISE, KINDS, MOST_OPEN = 9 };

static void describe_parentheses(rv_source *s, const rv_task_options *o)
{
    s->x = RV_SHAPE(o->length, KINDS * o->size);
    s->y = RV_SHAPE(o->length, o->size);
    s->each_step = true;
}

static bool read_parentheses(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                             int32_t *length, rv_error *error)
{
    (void)length, (void)error;
    rv_draw draw = rv_draw_new(s, epoch, index);
    int64_t size = s->y.dim[1];
    float *shown = x, *open = y;
    memset(x, 0, (size_t)rv_shape_count(s->x) * sizeof *shown);
    for (int64_t t = 0; t < s->x.dim[0]; t++) {
        for (int64_t i = 0; i < size; i++) {
            float *now = open + t * size + i;
            *now = t > 0 ? now[-size] : 0;
            int64_t what = rv_draw_below(&draw, KINDS);
            shown[(t * size + i) * KINDS + what] = 1;
            if (what == OPEN && *now < MOST_OPEN) *now += 1;
            if (what == CLOSE && *now > 0) *now -= 1;
        }
    }
    return true;
}

const rv_task_kind rv_task_parentheses = {
    .task = {"parentheses",
             "the number of open parentheses in noisy parallel streams; size: streams",
             "MSE 3.7: the mean of each step",
             {10000, 32, 10, 0},
             false},
    .least_length = 1,
    .least_size = 1,
    .describe = describe_parentheses,
    .read = read_parentheses,
};
