/* A team of threads that run the same work together and meet at points in it. */
#ifndef RV_AUTOGRAD_THREAD_POOL_INTERNAL_H
#define RV_AUTOGRAD_THREAD_POOL_INTERNAL_H

enum { RV_MOST_THREADS = 64 };

typedef struct rv_team rv_team;

/* The caller and threads - 1 others, who sleep when there has been nothing to do for a while. NULL without
 * memory, or when the system gives no more threads. */
rv_team *rv_team_new(int threads);
rv_team *rv_team_retain(rv_team *team);
void rv_team_free(rv_team *team); /* once for new and for each retain */
int rv_team_size(const rv_team *team);

/* work(context, worker) for all workers 0 .. size - 1 at the same time, 0 being the caller; returns when
 * all have. One run at a time. */
void rv_team_run(rv_team *team, void (*work)(void *context, int worker), void *context);

/* To be called by every worker: none goes on before all are there. */
void rv_team_meet(rv_team *team);

#endif
