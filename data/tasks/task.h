/* How a synthetic task is defined. Private to data/. */
#ifndef RV_DATA_TASKS_TASK_H
#define RV_DATA_TASKS_TASK_H

#include "data/tasks.h"

typedef struct rv_task_kind {
    rv_task task;
    int64_t least_length, least_size;
    /* Fills in shapes, classes and tokens of the source; rv_source_task does the rest. */
    void (*describe)(rv_source *source, const rv_task_options *options);
    bool (*read)(const rv_source *source, uint64_t epoch, int64_t index, void *x, void *y,
                 int32_t *length, rv_error *error);
    /* Whether the options are consistent; NULL: always. */
    bool (*check)(const rv_task_options *options, rv_error *error);
} rv_task_kind;

extern const rv_task_kind rv_task_adding, rv_task_arithmetic, rv_task_capacity, rv_task_copy,
    rv_task_memory, rv_task_moving_digits, rv_task_parentheses, rv_task_parity,
    rv_task_random_function;

/* The options of an open task. */
const rv_task_options *rv_task_options_of(const rv_source *source);

/* The stream of random numbers of one sample. */
typedef struct rv_draw {
    uint64_t seed, next;
} rv_draw;

rv_draw rv_draw_new(const rv_source *source, uint64_t epoch, int64_t index);
double rv_draw_uniform(rv_draw *draw);               /* in [0, 1) */
double rv_draw_normal(rv_draw *draw);                /* N(0, 1) */
int64_t rv_draw_below(rv_draw *draw, int64_t bound); /* 0 .. bound-1 */

#endif
