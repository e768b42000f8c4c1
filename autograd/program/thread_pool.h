/* A pool of threads that run one function at the same time and may wait for each other at
 * barriers. */
#ifndef RV_AUTOGRAD_PROGRAM_THREAD_POOL_H
#define RV_AUTOGRAD_PROGRAM_THREAD_POOL_H

#include <stdbool.h>

enum { RV_MOST_THREADS = 64 };

typedef struct rv_thread_pool rv_thread_pool;

/* Starts threads - 1 workers; the caller is one more. Workers without work spin for a while, then
 * sleep. Returns NULL when out of memory, or if the system refuses a thread. */
rv_thread_pool *rv_thread_pool_new(int threads);
rv_thread_pool *rv_thread_pool_retain(rv_thread_pool *pool);
void rv_thread_pool_free(rv_thread_pool *pool); /* call once per new and retain */
int rv_thread_pool_size(const rv_thread_pool *pool);

/* Calls work(context, worker) on the workers 0 .. size-1 at the same time; worker 0 is the caller.
 * Returns when all calls have returned. Only one run at a time. In a child process after a fork, first starts the
 * workers again; returns false, without a call, if the system refuses them. */
bool rv_thread_pool_run(rv_thread_pool *pool, void (*work)(void *context, int worker),
                        void *context);

/* Waits until every worker has called it. */
void rv_thread_pool_barrier(rv_thread_pool *pool);

#endif
