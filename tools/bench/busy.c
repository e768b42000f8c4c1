/* Times workloads beside processes that compute all the time. */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bench/rows.h"

/* Starts a process that computes until this one ends. */
static pid_t start_busy(void)
{
    pid_t parent = getpid(), child = fork();
    if (child) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (volatile unsigned spins = 0; getppid() == parent; spins++)
        for (volatile unsigned i = 0; i < 1U << 24; i++) continue;
    _exit(0);
}

static void print_table(row *one, row *several, int count, const settings *s)
{
    printf("beside %d busy process%s\n%-12s %14s %11d threads %8s\n", s->busy,
           s->busy > 1 ? "es" : "", "workload", "1 thread, us", s->threads, "ratio");
    for (int i = 0; i < count; i++) {
        double alone = samples_median(&one[i].samples), all = samples_median(&several[i].samples);
        printf("%-12s %14.2f %19.2f %8.2f\n", one[i].name, 1e6 * alone, 1e6 * all, all / alone);
    }
}

/* Medians, because the best of a run is from a moment in which the others did not run. */
bool measure_beside_busy(const settings *s)
{
    static row rows[2][MOST_ROWS];
    pid_t busy[BUSY_MOST];
    int started = 0, count = rows_load(rows[0], s, 1);
    if (count < 0 || rows_load(rows[1], s, s->threads) < 0) return false;
    while (started < s->busy && (busy[started] = start_busy()) > 0) started++;
    bool ok = started == s->busy;
    if (!ok) perror("bench: fork");
    for (int k = 0; ok && k < s->repeats; k++)
        for (int i = 0; i < count; i++)
            for (int several = 0; several < 2; several++) {
                row *r = &rows[several][i];
                samples_take(&r->samples, row_step(r), s->seconds);
            }
    for (int i = 0; i < started; i++) {
        kill(busy[i], SIGKILL);
        waitpid(busy[i], NULL, 0);
    }
    if (ok) print_table(rows[0], rows[1], count, s);
    for (int several = 0; several < 2; several++) rows_free(rows[several], count);
    return ok;
}
