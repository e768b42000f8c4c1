#include "autograd/program/thread_pool.h"

#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "tensor/memory.h"

/* A waiting thread first spins, because most waits end within a microsecond. Then it yields to
 * other threads. A worker that still has no work sleeps. */
enum { LOOKS = 100, YIELDS = 1000 };

typedef struct worker {
    rv_thread_pool *pool;
    int number;
    pthread_t thread;
} worker;

struct rv_thread_pool {
    int size, references;
    pid_t process; /* that has the workers: they do not survive a fork */
    void (*work)(void *context, int worker);
    void *context;
    fenv_t arithmetic; /* the caller's rounding mode and treatment of subnormals */
    bool ended;
    pthread_mutex_t mutex; /* protects sleeping workers from a lost wakeup */
    pthread_cond_t woken;
    atomic_int sleeping;
    _Alignas(64) atomic_uint job;      /* number of the current job */
    _Alignas(64) atomic_int arrived;   /* workers at the current barrier */
    _Alignas(64) atomic_uint barriers; /* number of barriers passed */
    worker workers[];
};

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Waits for LOOKS loads and `yields` yields. Returns whether *count has changed from `from`. */
static bool changes(atomic_uint *count, unsigned from, int yields)
{
    for (int i = 0; i < LOOKS; i++) {
        if (atomic_load_explicit(count, memory_order_acquire) != from) return true;
        relax();
    }
    for (int i = 0; i < yields; i++) {
        if (atomic_load_explicit(count, memory_order_acquire) != from) return true;
        sched_yield();
    }
    return false;
}

void rv_thread_pool_barrier(rv_thread_pool *pool)
{
    unsigned now = atomic_load_explicit(&pool->barriers, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&pool->arrived, 1, memory_order_acq_rel) + 1 == pool->size) {
        atomic_store_explicit(&pool->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&pool->barriers, now + 1, memory_order_release);
        return;
    }
    while (!changes(&pool->barriers, now, YIELDS)) continue;
}

static void sleep_until_next(rv_thread_pool *pool, unsigned job)
{
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleeping, 1);
    while (atomic_load(&pool->job) == job) pthread_cond_wait(&pool->woken, &pool->mutex);
    atomic_fetch_sub(&pool->sleeping, 1);
    pthread_mutex_unlock(&pool->mutex);
}

static void next_job(rv_thread_pool *pool)
{
    atomic_fetch_add(&pool->job, 1);
    if (!atomic_load(&pool->sleeping)) return;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->woken);
    pthread_mutex_unlock(&pool->mutex);
}

static void *live(void *context)
{
    const worker *w = context;
    rv_thread_pool *pool = w->pool;
    for (unsigned job = 0;; job++) {
        if (!changes(&pool->job, job, YIELDS)) sleep_until_next(pool, job);
        if (pool->ended) return NULL;
        fesetenv(&pool->arithmetic);
        pool->work(pool->context, w->number);
        rv_thread_pool_barrier(pool);
    }
}

static void end(rv_thread_pool *pool, int started)
{
    pool->ended = true;
    next_job(pool);
    for (int i = 1; i < started; i++) pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->woken);
    pthread_mutex_destroy(&pool->mutex);
}

/* Starts a worker with all signals blocked, so that signals go to the application's own threads. */
static bool start(worker *w)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool started = !pthread_create(&w->thread, NULL, live, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

/* Starts the workers of a new pool, or again in the child process after a fork. False, with nothing started, if the
 * system refuses. */
static bool start_all(rv_thread_pool *pool)
{
    pool->ended = false;
    atomic_store(&pool->sleeping, 0);
    atomic_store(&pool->arrived, 0);
    atomic_store(&pool->job, 0);
    pool->process = 0;
    if (pthread_mutex_init(&pool->mutex, NULL)) return false;
    if (pthread_cond_init(&pool->woken, NULL)) {
        pthread_mutex_destroy(&pool->mutex);
        return false;
    }
    for (int i = 1; i < pool->size; i++) {
        pool->workers[i] = (worker){.pool = pool, .number = i};
        if (start(&pool->workers[i])) continue;
        end(pool, i);
        return false;
    }
    pool->process = getpid();
    return true;
}

rv_thread_pool *rv_thread_pool_new(int threads)
{
    rv_thread_pool *pool = rv_alloc(1, sizeof *pool + (size_t)threads * sizeof *pool->workers);
    if (!pool) return NULL;
    pool->size = threads;
    pool->references = 1;
    if (start_all(pool)) return pool;
    rv_free(pool);
    return NULL;
}

bool rv_thread_pool_run(rv_thread_pool *pool, void (*work)(void *context, int worker),
                        void *context)
{
    if (pool->process != getpid() && !start_all(pool)) return false;
    pool->work = work;
    pool->context = context;
    fegetenv(&pool->arithmetic);
    next_job(pool);
    work(context, 0);
    rv_thread_pool_barrier(pool);
    return true;
}

rv_thread_pool *rv_thread_pool_retain(rv_thread_pool *pool)
{
    if (pool) pool->references++;
    return pool;
}

void rv_thread_pool_free(rv_thread_pool *pool)
{
    if (!pool || --pool->references) return;
    if (pool->process == getpid()) end(pool, pool->size);
    rv_free(pool);
}

int rv_thread_pool_size(const rv_thread_pool *pool) { return pool ? pool->size : 1; }
