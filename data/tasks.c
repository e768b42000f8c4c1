/* The table of tasks; opens them by name. */
#include "data/tasks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/shuffle_internal.h"
#include "data/tasks/task.h"
#include "tensor/memory.h"
#include "tensor/name_internal.h"
#include "tensor/needs_internal.h"
#include "tensor/random.h"

static const rv_task_kind *const kinds[] = {
    &rv_task_adding,      &rv_task_arithmetic, &rv_task_capacity,
    &rv_task_copy,        &rv_task_memory,     &rv_task_moving_digits,
    &rv_task_parentheses, &rv_task_parity,     &rv_task_random_function,
};

enum { KINDS = sizeof kinds / sizeof *kinds };

int rv_task_count(void) { return KINDS; }

const rv_task *rv_task_at(int index)
{
    return index >= 0 && index < KINDS ? &kinds[index]->task : NULL;
}

static const rv_task_kind *find(const char *name)
{
    for (int i = 0; name && i < KINDS; i++) {
        if (strcmp(kinds[i]->task.name, name) == 0) return kinds[i];
    }
    return NULL;
}

const rv_task *rv_task_find(const char *name)
{
    const rv_task_kind *kind = find(name);
    return kind ? &kind->task : NULL;
}

/* What a source of a task owns. */
typedef struct open_task {
    rv_task_options options;
    unsigned char *samples; /* x and y of each, if the same ones come in each epoch; else NULL */
} open_task;

const rv_task_options *rv_task_options_of(const rv_source *source)
{
    return &((const open_task *)source->context)->options;
}

rv_draw rv_draw_new(const rv_source *source, uint64_t epoch, int64_t index)
{
    uint64_t seed = rv_seed(rv_task_options_of(source)->seed, source->name);
    return (rv_draw){.seed = rv_sample_seed(seed, epoch, (uint64_t)index)};
}

double rv_draw_uniform(rv_draw *draw) { return rv_random_uniform(draw->seed, draw->next++); }

double rv_draw_normal(rv_draw *draw) { return rv_random_normal(draw->seed, draw->next++); }

int64_t rv_draw_below(rv_draw *draw, int64_t bound)
{
    return (int64_t)(rv_draw_uniform(draw) * (double)bound);
}

/* Replaces an option of 0 by its default and checks it. Default 0: the task does not have the
 * option. */
static bool choose(const rv_task_kind *kind, const char *option, int64_t fallback, int64_t least,
                   int64_t *value, rv_error *error)
{
    if (fallback == 0 && *value != 0) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s with %s %" PRId64 ", but it has no such option; leave it 0",
                       kind->task.name, option, *value);
    }
    if (*value == 0) *value = fallback;
    if (*value == 0 || (*value >= least && *value <= INT32_MAX / 4)) return true;
    return rv_fail(error, RV_ERROR_ARGUMENT, "%s with %s %" PRId64 "; expected %" PRId64 " to %d",
                   kind->task.name, option, *value, least, INT32_MAX / 4);
}

static bool check_count(const rv_task_kind *kind, int64_t *count, rv_error *error)
{
    if (*count == 0) *count = kind->task.defaults.count;
    if (*count > 0) return true;
    return rv_fail(error, RV_ERROR_ARGUMENT, "%s with %" PRId64 " sample(s); expected at least 1",
                   kind->task.name, *count);
}

static bool fail_name(const char *name, rv_error *error)
{
    char names[256] = "";
    rv_guess guess = {.seen = name};
    for (int i = 0; i < KINDS; i++) {
        rv_guess_try(&guess, kinds[i]->task.name);
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", kinds[i]->task.name);
    }
    if (guess.nearest)
        return rv_fail(error, RV_ERROR_NAME, "no task is called \"%s\"; did you mean \"%s\"?", name,
                       guess.nearest);
    return rv_fail(error, RV_ERROR_NAME, "no task is called \"%s\"; expected one of %s",
                   name ? name : "NULL", names);
}

static void close_task(rv_source *source)
{
    open_task *t = source->context;
    rv_free(t->samples);
    rv_free(t);
}

static size_t x_bytes(const rv_source *s)
{
    return (size_t)rv_shape_count(s->x) * rv_dtype_size(s->x_type);
}

static size_t y_bytes(const rv_source *s)
{
    return (size_t)rv_shape_count(s->y) * rv_dtype_size(s->y_type);
}

static bool read_kept(const rv_source *s, uint64_t epoch, int64_t index, void *x, void *y,
                      int32_t *length, rv_error *error)
{
    (void)epoch, (void)length, (void)error;
    const size_t nx = x_bytes(s), ny = y_bytes(s);
    const unsigned char *sample =
        ((const open_task *)s->context)->samples + (size_t)index * (nx + ny);
    memcpy(x, sample, nx);
    memcpy(y, sample + nx, ny);
    return true;
}

/* Draws the samples of a task that has the same in each epoch now, and not in each epoch. Without
 * room for them, each is drawn when it is read. */
static bool keep_samples(rv_source *s, rv_error *error)
{
    enum { MOST = 1 << 26 }; /* bytes */
    open_task *t = s->context;
    const size_t nx = x_bytes(s), ny = y_bytes(s);
    if ((size_t)s->count > MOST / (nx + ny)) return true;
    t->samples = rv_alloc((size_t)s->count, nx + ny);
    if (!t->samples) return true;
    int32_t length;
    for (int64_t i = 0; i < s->count; i++) {
        unsigned char *sample = t->samples + (size_t)i * (nx + ny);
        if (!s->read(s, 0, i, sample, sample + nx, &length, error)) return false;
    }
    s->read = read_kept;
    return true;
}

bool rv_source_task(rv_source *source, const char *name, const rv_task_options *options,
                    rv_error *error)
{
    if (!RV_NEEDS(error, source, name)) return false;
    *source = (rv_source){0};
    const rv_task_kind *kind = find(name);
    if (!kind) return fail_name(name, error);
    rv_task_options o = options ? *options : (rv_task_options){0};
    const rv_task_options *defaults = &kind->task.defaults;
    if (!check_count(kind, &o.count, error) ||
        !choose(kind, "`length`", defaults->length, kind->least_length, &o.length, error) ||
        !choose(kind, "`size`", defaults->size, kind->least_size, &o.size, error) ||
        (kind->check && !kind->check(&o, error))) {
        return false;
    }
    open_task *opened = rv_alloc(1, sizeof *opened);
    if (!opened) return rv_fail_memory(error);
    opened->options = o;
    source->sequence = true;
    kind->describe(source, &o);
    source->name = kind->task.name;
    source->count = o.count;
    source->y_type = source->classes > 0 ? RV_I32 : RV_F32;
    source->x_type = source->tokens > 0 ? RV_I32 : RV_F32;
    source->read = kind->read;
    source->close = close_task;
    source->context = opened;
    if (rv_source_check(source, error) && (!kind->task.memorized || keep_samples(source, error)))
        return true;
    rv_source_close(source);
    return false;
}
