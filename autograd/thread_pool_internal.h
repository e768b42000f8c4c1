/* Threads that run the same work together, with barriers in it. */
#ifndef RV_AUTOGRAD_THREAD_POOL_INTERNAL_H
#define RV_AUTOGRAD_THREAD_POOL_INTERNAL_H

enum { RV_MOST_THREADS = 64 };

typedef struct rv_thread_pool rv_thread_pool;

/* The caller and threads - 1 workers, which sleep after a while without work. NULL when out of memory or
 * when the system refuses a thread. */
rv_thread_pool *rv_thread_pool_new(int threads);
rv_thread_pool *rv_thread_pool_retain(rv_thread_pool *pool);
void rv_thread_pool_free(rv_thread_pool *pool); /* once for each new and retain */
int rv_thread_pool_size(const rv_thread_pool *pool);

/* Calls work(context, worker) on all workers 0 .. size - 1 at the same time; 0 is the caller. Returns when all
 * have returned. One run at a time. */
void rv_thread_pool_run(rv_thread_pool *pool, void (*work)(void *context, int worker),
                        void *context);

/* Every worker calls it, and waits until all have. */
void rv_thread_pool_barrier(rv_thread_pool *pool);

#endif
