#include "autograd/program/thread_pool.h"

#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "tensor/memory.h"

/* A waiting thread first spins, because most waits end within a microsecond. Then it yields to
 * other threads. A worker that still has no work sleeps. */
enum {
    /* Looks, about a microsecond, before a thread takes over a lane that another ran last. */
    PATIENCE = 30,
    LOOKS = 100,
    YIELDS = 1000,
    FAIR_NANOSECONDS = 100000 /* that a worker runs before it yields */
};

/* The state of a lane in one word: the number of its next turn, the thread that runs or last ran
 * it, and flags. The numbers of turns ascend over all jobs, so no turn is taken twice, even by a
 * thread that was stopped between its look at the state and the exchange. A job does not end while
 * a lane is held. */
enum { HELD = 1, WAITS = 2, OVER = 4, THREAD_SHIFT = 8, TURN_SHIFT = 16 };

typedef struct worker {
    _Alignas(64) atomic_uint_least64_t lane; /* the state of the lane of this number */
    _Alignas(64) rv_thread_pool *pool;
    int number;
    pthread_t thread;
} worker;

struct rv_thread_pool {
    int size, references;
    pid_t process; /* that has the workers: they do not survive a fork */
    /* Of the current job. A worker reads them only while it holds a lane, so they do not change. */
    rv_job job;
    uint64_t first;        /* number of the job's first turn */
    fenv_t arithmetic;     /* the caller's rounding mode and treatment of subnormals */
    pthread_mutex_t mutex; /* protects sleeping workers from a lost wakeup */
    pthread_cond_t woken;
    atomic_int sleeping;
    atomic_bool ended;
    _Alignas(64) atomic_uint jobs; /* number of jobs begun */
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

/* ---- lanes ---- */

static uint64_t state_of(rv_thread_pool *pool, int lane)
{
    return atomic_load_explicit(&pool->workers[lane].lane, memory_order_acquire);
}

static void set_state(rv_thread_pool *pool, int lane, uint64_t turn, int thread, unsigned flags)
{
    uint64_t state = turn << TURN_SHIFT | (uint64_t)thread << THREAD_SHIFT | flags;
    atomic_store_explicit(&pool->workers[lane].lane, state, memory_order_release);
}

/* The first turn that some lane has not finished. */
static uint64_t first_unfinished(rv_thread_pool *pool)
{
    uint64_t first = UINT64_MAX;
    for (int lane = 0; lane < pool->size; lane++) {
        uint64_t next = state_of(pool, lane) >> TURN_SHIFT;
        if (next < first) first = next;
    }
    return first;
}

static bool take(rv_thread_pool *pool, int lane, uint64_t state, int thread)
{
    uint64_t turn = state >> TURN_SHIFT;
    uint64_t held = turn << TURN_SHIFT | (uint64_t)thread << THREAD_SHIFT | HELD;
    if (state & (HELD | OVER) || (state & WAITS && first_unfinished(pool) < turn)) return false;
    return atomic_compare_exchange_strong_explicit(&pool->workers[lane].lane, &state, held,
                                                   memory_order_acquire, memory_order_relaxed);
}

/* Takes a lane whose next turn can run: the thread's own, one that this thread ran last, or, if
 * patience is over, any. Returns -1 if there is none. */
static int take_a_lane(rv_thread_pool *pool, int thread, int looks)
{
    for (int k = 0, lane = thread; k < pool->size; k++) {
        uint64_t state = state_of(pool, lane);
        bool mine = lane == thread || (int)(state >> THREAD_SHIFT & 0xFF) == thread;
        if ((mine || looks > PATIENCE) && take(pool, lane, state, thread)) return lane;
        if (++lane == pool->size) lane = 0;
    }
    return -1;
}

/* Runs the turns of a lane that the thread has taken, up to the next barrier. Gives the lane back
 * earlier if the thread has run for so long that it should yield: *fair are the nanoseconds until
 * then. */
static void run_lane(rv_thread_pool *pool, int lane, int thread, int64_t *fair)
{
    const rv_job *job = &pool->job;
    uint64_t next = state_of(pool, lane) >> TURN_SHIFT, end = pool->first + (uint64_t)job->count;
    const rv_turn *turn = &job->turns[next - pool->first];
    do {
        job->run(job->context, lane, turn, thread);
        *fair -= turn->nanoseconds;
        turn++;
        next++;
    } while (next < end && !turn->waits && *fair > 0);
    set_state(pool, lane, next, thread, next == end ? OVER : turn->waits ? WAITS : 0);
}

/* ---- workers ---- */

static void wait_a_little(int looks)
{
    if (looks < LOOKS)
        relax();
    else
        sched_yield();
}

static void sleep_until_next(rv_thread_pool *pool, unsigned job)
{
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleeping, 1);
    while (atomic_load(&pool->jobs) == job) pthread_cond_wait(&pool->woken, &pool->mutex);
    atomic_fetch_sub(&pool->sleeping, 1);
    pthread_mutex_unlock(&pool->mutex);
}

static void next_job(rv_thread_pool *pool)
{
    atomic_fetch_add(&pool->jobs, 1);
    if (!atomic_load(&pool->sleeping)) return;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->woken);
    pthread_mutex_unlock(&pool->mutex);
}

/* A worker yields between turns every FAIR_NANOSECONDS, while it holds no lane. If another process
 * wants the core, it runs then. Otherwise the system would stop the worker in the middle of a turn,
 * for which all threads would have to wait. */
static void *live(void *context)
{
    const worker *w = context;
    rv_thread_pool *pool = w->pool;
    uint64_t arithmetic_of = UINT64_MAX;
    int64_t fair = FAIR_NANOSECONDS;
    for (int looks = 0;;) {
        unsigned job = atomic_load_explicit(&pool->jobs, memory_order_acquire);
        int lane = take_a_lane(pool, w->number, looks);
        if (lane >= 0) {
            if (pool->first != arithmetic_of) fesetenv(&pool->arithmetic);
            arithmetic_of = pool->first;
            run_lane(pool, lane, w->number, &fair);
            if (fair <= 0) {
                sched_yield();
                fair = FAIR_NANOSECONDS;
            }
            looks = 0;
            continue;
        }
        if (atomic_load_explicit(&pool->ended, memory_order_relaxed)) return NULL;
        wait_a_little(looks++);
        if (looks > LOOKS + YIELDS && state_of(pool, w->number) & OVER) {
            sleep_until_next(pool, job);
            looks = 0;
        }
    }
}

static void end(rv_thread_pool *pool, int started)
{
    atomic_store(&pool->ended, true);
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

/* Starts the workers of a new pool, or again in the child process after a fork. False, with nothing
 * started, if the system refuses. */
static bool start_all(rv_thread_pool *pool)
{
    atomic_store(&pool->ended, false);
    atomic_store(&pool->sleeping, 0);
    pool->job.count = 0;
    pool->process = 0;
    if (pthread_mutex_init(&pool->mutex, NULL)) return false;
    if (pthread_cond_init(&pool->woken, NULL)) {
        pthread_mutex_destroy(&pool->mutex);
        return false;
    }
    for (int i = 0; i < pool->size; i++) set_state(pool, i, pool->first, i, OVER);
    for (int i = 1; i < pool->size; i++) {
        pool->workers[i].pool = pool;
        pool->workers[i].number = i;
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

static void begin(rv_thread_pool *pool, const rv_job *job)
{
    pool->first += (uint64_t)pool->job.count;
    pool->job = *job;
    fegetenv(&pool->arithmetic);
    for (int lane = 0; lane < pool->size; lane++) {
        int last = (int)(state_of(pool, lane) >> THREAD_SHIFT & 0xFF);
        set_state(pool, lane, pool->first, last, job->count ? 0 : OVER);
    }
    next_job(pool);
}

void rv_thread_pool_run(rv_thread_pool *pool, const rv_job *job)
{
    if (pool->process != getpid()) start_all(pool);
    begin(pool, job);
    const uint64_t end = pool->first + (uint64_t)job->count;
    for (int looks = 0; first_unfinished(pool) < end;) {
        int64_t fair = INT64_MAX;
        int lane = take_a_lane(pool, 0, looks);
        if (lane >= 0) run_lane(pool, lane, 0, &fair);
        looks = lane >= 0 ? 0 : looks + 1;
        if (looks) wait_a_little(looks);
    }
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
