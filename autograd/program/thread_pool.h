/* Threads that share the work of a job. A job has a lane for each thread, and each lane has the
 * same number of turns, which run one after the other. A thread runs the lane of its own number.
 * While that lane is finished or has to wait, the thread takes over the next turn of a lane that
 * its own thread has not begun, for example because the system has stopped that thread in favour of
 * another process. Which thread runs a turn has no influence on what the turn does. */
#ifndef RV_AUTOGRAD_PROGRAM_THREAD_POOL_H
#define RV_AUTOGRAD_PROGRAM_THREAD_POOL_H

#include <stdbool.h>
#include <stdint.h>

enum { RV_MOST_THREADS = 64 };

typedef struct rv_turn {
    bool waits; /* a barrier: until all lanes have finished all earlier turns */
    int slice;  /* for the job: which part of these calls, first .. end-1 */
    int64_t first, end;
    int64_t nanoseconds; /* an estimate */
} rv_turn;

typedef struct rv_job {
    const rv_turn *turns;
    int64_t count;
    void (*run)(void *context, int lane, const rv_turn *turn, int thread);
    void *context;
} rv_job;

typedef struct rv_thread_pool rv_thread_pool;

/* Starts threads - 1 workers; the caller is one more. Workers without work spin for a while, then
 * sleep. Returns NULL when out of memory, or if the system refuses a thread. */
rv_thread_pool *rv_thread_pool_new(int threads);
rv_thread_pool *rv_thread_pool_retain(rv_thread_pool *pool);
void rv_thread_pool_free(rv_thread_pool *pool); /* call once per new and retain */
int rv_thread_pool_size(const rv_thread_pool *pool);

/* Runs all turns of the lanes 0 .. size-1; the caller is thread 0. Only one job at a time. In a
 * child process after a fork, first starts the workers again; if the system refuses them, the
 * caller runs all lanes. */
void rv_thread_pool_run(rv_thread_pool *pool, const rv_job *job);

#endif
