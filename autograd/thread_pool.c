#include "autograd/thread_pool_internal.h"

#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "tensor/memory.h"

/* Who waits looks again and again at first, for what it waits for is often less than a microsecond
 * away; then lets others run; a worker without work at last sleeps. */
enum { LOOKS = 100, YIELDS = 1000 };

typedef struct worker {
    rv_team *team;
    int number;
    pthread_t thread;
} worker;

struct rv_team {
    int size, references;
    void (*work)(void *context, int worker);
    void *context;
    fenv_t arithmetic; /* the caller's: how to round, and what to do with the smallest numbers */
    bool ended;
    pthread_mutex_t mutex; /* for those who sleep */
    pthread_cond_t woken;
    atomic_int sleeping;
    _Alignas(64) atomic_uint job; /* how many there have been */
    _Alignas(64) atomic_int arrived;
    _Alignas(64) atomic_uint meeting; /* how many there have been */
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

/* Whether *count has changed within so many looks and yields. */
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

void rv_team_meet(rv_team *team)
{
    unsigned now = atomic_load_explicit(&team->meeting, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) + 1 == team->size) {
        atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&team->meeting, now + 1, memory_order_release);
        return;
    }
    while (!changes(&team->meeting, now, YIELDS)) continue;
}

static void sleep_until_next(rv_team *team, unsigned job)
{
    pthread_mutex_lock(&team->mutex);
    atomic_fetch_add(&team->sleeping, 1);
    while (atomic_load(&team->job) == job) pthread_cond_wait(&team->woken, &team->mutex);
    atomic_fetch_sub(&team->sleeping, 1);
    pthread_mutex_unlock(&team->mutex);
}

static void next_job(rv_team *team)
{
    atomic_fetch_add(&team->job, 1);
    if (!atomic_load(&team->sleeping)) return;
    pthread_mutex_lock(&team->mutex);
    pthread_cond_broadcast(&team->woken);
    pthread_mutex_unlock(&team->mutex);
}

static void *live(void *context)
{
    const worker *w = context;
    rv_team *team = w->team;
    for (unsigned job = 0;; job++) {
        if (!changes(&team->job, job, YIELDS)) sleep_until_next(team, job);
        if (team->ended) return NULL;
        fesetenv(&team->arithmetic);
        team->work(team->context, w->number);
        rv_team_meet(team);
    }
}

void rv_team_run(rv_team *team, void (*work)(void *context, int worker), void *context)
{
    team->work = work;
    team->context = context;
    fegetenv(&team->arithmetic);
    next_job(team);
    work(context, 0);
    rv_team_meet(team);
}

static void end(rv_team *team, int started)
{
    team->ended = true;
    next_job(team);
    for (int i = 1; i < started; i++) pthread_join(team->workers[i].thread, NULL);
    pthread_cond_destroy(&team->woken);
    pthread_mutex_destroy(&team->mutex);
    rv_free(team);
}

/* Signals stay with the threads that the program knows of. */
static bool start(worker *w)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool started = !pthread_create(&w->thread, NULL, live, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

rv_team *rv_team_new(int threads)
{
    rv_team *team = rv_alloc(1, sizeof *team + (size_t)threads * sizeof *team->workers);
    if (!team) return NULL;
    team->size = threads;
    team->references = 1;
    if (pthread_mutex_init(&team->mutex, NULL)) return rv_free(team), NULL;
    if (pthread_cond_init(&team->woken, NULL)) {
        pthread_mutex_destroy(&team->mutex);
        rv_free(team);
        return NULL;
    }
    for (int i = 1; i < threads; i++) {
        team->workers[i] = (worker){.team = team, .number = i};
        if (start(&team->workers[i])) continue;
        end(team, i);
        return NULL;
    }
    return team;
}

rv_team *rv_team_retain(rv_team *team)
{
    if (team) team->references++;
    return team;
}

void rv_team_free(rv_team *team)
{
    if (team && --team->references == 0) end(team, team->size);
}

int rv_team_size(const rv_team *team) { return team ? team->size : 1; }
