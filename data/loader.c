/* Batches in a ring of slots. rv_loader_next fills a slot itself, or a thread fills slots ahead of
 * it. */
#include "data/loader.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "data/shuffle_internal.h"
#include "tensor/memory.h"

enum { MOST_PREFETCH = 64, MOST_PARTS = 1 << 20 };

typedef struct slot {
    rv_tensor x, y, length; /* of a full batch */
    rv_error error;         /* why the slot could not be filled */
} slot;

struct rv_loader {
    rv_source source;
    rv_loader_options options;
    rv_shuffle shuffle;
    int64_t batches;
    uint64_t epoch;
    bool started;
    rv_batch batch; /* the last one returned by rv_loader_next */

    /* Batch n of the epoch is in slot n % slot_count. Batches taken .. made-1 are ready; the caller
     * still uses batch taken-1. With a thread, the mutex guards these fields. */
    slot *slots;
    int64_t slot_count, taken, made;
    bool failed; /* the last batch made holds an error; none follow until the next start */

    bool has_thread, filling, ended;
    pid_t process; /* that has the thread, which does not survive a fork */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

static int64_t index_of(const rv_loader *l, int64_t batch, int64_t row)
{
    if (l->options.contiguous) return row * l->batches + batch;
    int64_t position = batch * l->options.batch_size + row;
    return l->options.in_order ? position : rv_shuffle_at(&l->shuffle, position);
}

static int64_t rows_of(const rv_loader *l, int64_t batch)
{
    if (l->options.contiguous) return l->options.batch_size;
    int64_t left = l->source.count - batch * l->options.batch_size;
    return left < l->options.batch_size ? left : l->options.batch_size;
}

/* Reads a batch into a slot; an error stays in the slot. */
static bool fill(const rv_loader *l, slot *to, int64_t batch)
{
    size_t x = rv_tensor_bytes(&to->x) / (size_t)l->options.batch_size;
    size_t y = rv_tensor_bytes(&to->y) / (size_t)l->options.batch_size;
    const rv_loader_options *o = &l->options;
    int64_t rows = rows_of(l, batch);
    int64_t first = o->parts ? rows * o->first / o->parts : 0;
    int64_t end = o->parts ? rows * o->last / o->parts : rows;
    to->error = (rv_error){0};
    for (int64_t i = first; i < end; i++) {
        if (!rv_source_read(&l->source, l->epoch, index_of(l, batch, i),
                            (char *)to->x.data + (size_t)i * x, (char *)to->y.data + (size_t)i * y,
                            (int32_t *)to->length.data + i, &to->error)) {
            return false;
        }
    }
    return true;
}

/* The caller uses one slot until it asks for the next batch. */
static bool may_make(const rv_loader *l)
{
    return l->started && !l->failed && l->made < l->batches &&
           l->made - l->taken < l->slot_count - 1;
}

static void *prepare(void *context)
{
    rv_loader *l = context;
    pthread_mutex_lock(&l->mutex);
    while (!l->ended) {
        if (!may_make(l)) {
            pthread_cond_wait(&l->changed, &l->mutex);
            continue;
        }
        int64_t batch = l->made;
        l->filling = true;
        pthread_mutex_unlock(&l->mutex);
        bool ok = fill(l, &l->slots[batch % l->slot_count], batch);
        pthread_mutex_lock(&l->mutex);
        l->filling = false;
        l->made++;
        l->failed |= !ok;
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->mutex);
    return NULL;
}

/* All signals are blocked in the thread: the program's own threads handle them. Where the system
 * cannot start one, as in a web page, the caller makes the batches. */
static bool start_thread(rv_loader *l, rv_error *error)
{
    if (pthread_mutex_init(&l->mutex, NULL) != 0) return rv_fail_memory(error);
    if (pthread_cond_init(&l->changed, NULL) != 0) {
        pthread_mutex_destroy(&l->mutex);
        return rv_fail_memory(error);
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    l->has_thread = pthread_create(&l->thread, NULL, prepare, l) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    l->process = getpid();
    if (!l->has_thread) {
        pthread_cond_destroy(&l->changed);
        pthread_mutex_destroy(&l->mutex);
    }
    return true;
}

/* In a child process after a fork, the caller makes the batches from the next one on. */
static void forget_thread_of_parent(rv_loader *l)
{
    if (!l->has_thread || l->process == getpid()) return;
    l->has_thread = false;
    if (l->made > l->taken) l->failed = false;
    l->made = l->taken;
}

static void end_thread(rv_loader *l)
{
    if (!l->has_thread) return;
    pthread_mutex_lock(&l->mutex);
    l->ended = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->mutex);
    pthread_join(l->thread, NULL);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->mutex);
}

static bool check_options(const rv_source *s, const rv_loader_options *o, rv_error *error)
{
    if (o->batch_size < 1) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "batches of %" PRId64 " sample(s); expected at least 1", o->batch_size);
    }
    if (o->parts < 0 || o->parts > MOST_PARTS ||
        (o->parts && (o->first < 0 || o->first > o->last || o->last > o->parts))) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "parts %" PRId64 " to %" PRId64 " of %" PRId64
                       "; expected 0 to %d part(s), and first and last among them",
                       o->first, o->last, o->parts, MOST_PARTS);
    }
    if (o->prefetch < 0 || o->prefetch > MOST_PREFETCH) {
        return rv_fail(error, RV_ERROR_ARGUMENT, "prefetch of %d batch(es); expected 0 to %d",
                       o->prefetch, MOST_PREFETCH);
    }
    if (o->batch_size <= s->count || (!o->contiguous && !o->drop_last)) return true;
    return rv_fail(error, RV_ERROR_ARGUMENT,
                   "%s: batches of %" PRId64 " of %" PRId64
                   " sample(s) leave no full batch; expected a smaller batch size",
                   s->name, o->batch_size, s->count);
}

static bool new_rows(rv_tensor *tensor, rv_dtype type, int64_t rows, rv_shape sample,
                     rv_error *error)
{
    rv_shape shape = {.rank = sample.rank + 1, .dim = {rows}};
    for (int64_t i = 0; i < sample.rank; i++) shape.dim[i + 1] = sample.dim[i];
    return rv_tensor_new(tensor, type, shape, error);
}

static bool make(rv_loader *l, rv_error *error)
{
    const rv_source *s = &l->source;
    int64_t n = l->options.batch_size;
    if (n > s->count) {
        n = l->options.batch_size = s->count;
    }
    bool whole = l->options.contiguous || l->options.drop_last;
    l->batches = s->count / n + (!whole && s->count % n != 0);
    if (!l->options.in_order && !l->options.contiguous &&
        !rv_shuffle_new(&l->shuffle, s->count, 0, error)) {
        return false;
    }
    l->slot_count = l->options.prefetch + 1;
    l->slots = rv_alloc((size_t)l->slot_count, sizeof *l->slots);
    if (!l->slots) return rv_fail_memory(error);
    for (int64_t i = 0; i < l->slot_count; i++) {
        slot *one = &l->slots[i];
        if (!new_rows(&one->x, s->x_type, n, s->x, error) ||
            !new_rows(&one->y, s->y_type, n, s->y, error) ||
            !rv_tensor_new(&one->length, RV_I32, RV_SHAPE(n), error)) {
            return false;
        }
    }
    return l->options.prefetch == 0 || start_thread(l, error);
}

rv_loader *rv_loader_new(const rv_source *source, const rv_loader_options *options, rv_error *error)
{
    if (!source || !options) {
        rv_fail(error, RV_ERROR_ARGUMENT, "loader: the %s is NULL; give one",
                !source ? "source" : "options");
        return NULL;
    }
    if (!rv_source_check(source, error) || !check_options(source, options, error)) return NULL;
    rv_loader *l = rv_alloc(1, sizeof *l);
    if (!l) {
        rv_fail_memory(error);
        return NULL;
    }
    l->source = *source;
    l->options = *options;
    if (make(l, error)) return l;
    rv_loader_free(l);
    return NULL;
}

void rv_loader_free(rv_loader *l)
{
    if (!l) return;
    forget_thread_of_parent(l);
    end_thread(l);
    for (int64_t i = 0; l->slots && i < l->slot_count; i++) {
        rv_tensor_free(&l->slots[i].x);
        rv_tensor_free(&l->slots[i].y);
        rv_tensor_free(&l->slots[i].length);
    }
    rv_free(l->slots);
    rv_shuffle_free(&l->shuffle);
    rv_free(l);
}

int64_t rv_loader_batches(const rv_loader *l) { return l ? l->batches : 0; }

size_t rv_loader_bytes(const rv_loader *l)
{
    if (!l) return 0;
    const slot *one = &l->slots[0];
    size_t batch =
        rv_tensor_bytes(&one->x) + rv_tensor_bytes(&one->y) + rv_tensor_bytes(&one->length);
    size_t table = l->shuffle.table ? (size_t)l->shuffle.count * sizeof *l->shuffle.table : 0;
    return (size_t)l->slot_count * batch + table;
}

static void restart(rv_loader *l, uint64_t epoch, int64_t first)
{
    if (l->shuffle.count > 0 && (!l->started || l->epoch != epoch)) {
        rv_shuffle_reseed(&l->shuffle, rv_sample_seed(l->options.seed, epoch, 0));
    }
    l->epoch = epoch;
    l->taken = l->made = first;
    l->failed = false;
    l->started = true;
}

bool rv_loader_start(rv_loader *l, uint64_t epoch, int64_t first, rv_error *error)
{
    if (!l) return rv_fail(error, RV_ERROR_ARGUMENT, "the loader is NULL");
    if (first < 0 || first > l->batches) {
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s: cannot start at batch %" PRId64 "; expected 0 to %" PRId64,
                       l->source.name, first, l->batches);
    }
    forget_thread_of_parent(l);
    if (!l->has_thread) {
        restart(l, epoch, first);
        return true;
    }
    pthread_mutex_lock(&l->mutex);
    l->failed = true; /* stops the thread from filling more of the old epoch */
    while (l->filling) pthread_cond_wait(&l->changed, &l->mutex);
    restart(l, epoch, first);
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->mutex);
    return true;
}

/* Waits until batch `taken` is ready, or will never be. Returns whether it is ready. */
static bool wait_for_batch(rv_loader *l)
{
    pthread_mutex_lock(&l->mutex);
    while (l->made == l->taken && l->made < l->batches && !l->failed) {
        pthread_cond_wait(&l->changed, &l->mutex);
    }
    bool ready = l->taken < l->made;
    if (ready) {
        l->taken++;
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->mutex);
    return ready;
}

static bool make_batch(rv_loader *l)
{
    if (l->failed || l->made == l->batches) return false;
    l->failed = !fill(l, &l->slots[l->made % l->slot_count], l->made);
    l->taken = ++l->made;
    return true;
}

const rv_batch *rv_loader_next(rv_loader *l, rv_error *error)
{
    if ((!l || !l->started) && !rv_loader_start(l, 0, 0, error)) return NULL;
    forget_thread_of_parent(l);
    if (!(l->has_thread ? wait_for_batch(l) : make_batch(l))) return NULL;
    int64_t number = l->taken - 1;
    slot *ready = &l->slots[number % l->slot_count];
    if (ready->error.code != RV_OK) {
        rv_fail(error, ready->error.code, "%-s", ready->error.text);
        return NULL;
    }
    l->batch = (rv_batch){l->epoch, number, rows_of(l, number), ready->x, ready->y, ready->length};
    l->batch.x.shape.dim[0] = l->batch.y.shape.dim[0] = l->batch.count;
    l->batch.length.shape.dim[0] = l->batch.count;
    return &l->batch;
}
